"""The verbs of the process, in order: receive, approve, fulfil, bill, send, settle, remind, report.

Each stage loads rows, calls pure functions of ``o2c``, and saves state, journal and the next jobs
in one transaction. Ifs live here, loops live in the core.
"""
