"""Every test of the house; ``./run test`` runs them all."""
