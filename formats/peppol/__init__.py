"""Peppol: the identifiers a document carries on the network."""
