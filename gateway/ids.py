"""Identifiers that sort by the time they were made: prefix, 48 bits of time, 64 random bits.

Several made at one instant by one process follow each other, so that rows written together keep
their order. They tell apart; they are no secrets.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from datetime import datetime
from itertools import count

_RANDOM_BITS = 64


def _start() -> None:
    """Begin to count from a random number: ids of one process keep their order even where two clocks
    take turns, and two processes never meet."""
    global _numbers
    _numbers = count(secrets.randbits(_RANDOM_BITS - 1))


_numbers: Iterator[int]
_start()
os.register_at_fork(after_in_child=_start)  # a forked process must not count on where its parent was


def new_id(prefix: str, at: datetime) -> str:
    """``new_id("ord", now)`` -> ``ord_019ab4...``: 28 hexadecimal digits after the
    prefix, so that an id of ours fits where SAF-T takes 35 signs."""
    return f"{prefix}_{int(at.timestamp() * 1000):012x}{next(_numbers):016x}"


def first_id(prefix: str, at: datetime) -> str:
    """What no id of that prefix made at or after the instant sorts before (to the millisecond)."""
    return f"{prefix}_{int(at.timestamp() * 1000):012x}"
