"""Identifiers that sort by the time they were made: prefix, 48 bits of time, 80 random bits.

Several made in one millisecond by one process follow each other (as ULID does it), so that rows
written together keep their order. They tell apart; they are no secrets.
"""

from __future__ import annotations

import secrets
import threading
from datetime import datetime

_RANDOM_BITS = 80


class _Sequence:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = (0, 0)

    def next(self, millisecond: int) -> tuple[int, int]:
        with self._lock:
            then, number = self._last
            if millisecond != then:
                number = secrets.randbits(_RANDOM_BITS - 1)  # room to count up
            self._last = (millisecond, number + 1)
            return self._last


_sequence = _Sequence()


def new_id(prefix: str, at: datetime) -> str:
    """``new_id("ord", now)`` -> ``ord_019ab4...``: 32 hexadecimal digits after the prefix."""
    millisecond, number = _sequence.next(int(at.timestamp() * 1000))
    return f"{prefix}_{millisecond:012x}{number:020x}"
