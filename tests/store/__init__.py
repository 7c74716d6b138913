"""The store under death, concurrency and tampering, on both databases."""
