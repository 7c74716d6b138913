"""One folder or file per acceptance story, each on both databases."""
