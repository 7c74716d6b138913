"""Labelled incoming payments made to be hard, and the score of the matcher on them."""
