"""The rules package: files, executors, cage and decider."""
