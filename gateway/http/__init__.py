"""The JSON API: one file per resource, on top of the stages."""
