"""Decisions as data: rule files that an admin edits, and the two executors that run them.

The one home of durable-rules (caged in ``durable.py``) and ruamel.yaml (``document.py``).
"""
