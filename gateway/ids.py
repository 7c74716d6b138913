"""Identifiers that sort by time and cannot be guessed: prefix, 48 bits of time, 80 random bits."""

from __future__ import annotations

import secrets
from datetime import datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def _base32(number: int, length: int) -> str:
    digits = []
    for _ in range(length):
        number, rest = divmod(number, 32)
        digits.append(_ALPHABET[rest])
    return "".join(reversed(digits))


def new_id(prefix: str, at: datetime) -> str:
    """``new_id("ord", now)`` -> ``ord_01jd...``: 26 characters after the prefix."""
    return f"{prefix}_{_base32(int(at.timestamp() * 1000), 10)}{_base32(secrets.randbits(80), 16)}"
