"""The rules of the house, checked like any other behaviour."""
