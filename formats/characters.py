"""Which characters a document may carry at all.

Governed by XML 1.0 section 2.2 (production Char). Text that no document could ever carry is
refused where it enters (``canonical``) and, as a last guard, where it would leave (``xml``).
"""

from __future__ import annotations

import re

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def illegal_character(text: str) -> str | None:
    """The first character XML 1.0 cannot carry, as ``U+0007``; None if there is none."""
    if text.isprintable():  # cheap, and printable text has no such character
        return None
    found = _ILLEGAL.search(text)
    return f"U+{ord(found.group()):04X}" if found else None
