"""Rows are the truth, the journal is the evidence. SQLAlchemy Core, no entities."""
