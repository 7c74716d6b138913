"""The business of order-to-cash, as values and pure functions.

Standard library only: no I/O, no clock, no SQL, no float. Read the nouns here
and the verbs in ``gateway/stages`` and you know the process.
"""
