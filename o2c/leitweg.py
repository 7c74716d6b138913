"""The Leitweg-ID: where inside a German authority an invoice belongs. Carried as BT-10.

Governed by KoSIT's format specification of the Leitweg-ID (2.0): 2 to 12 digits, perhaps a part of
up to 30 letters and digits, two check digits, joined by hyphens; the check is ISO 7064 mod 97-10.
A wrong check digit is a doubt and never a refusal: authorities do use IDs that fail it, and only
the authority can say which one is meant.
"""

from __future__ import annotations

import re

_SHAPE = re.compile(r"[0-9]{2,12}(?:-[0-9A-Z]{1,30})?-[0-9]{2}")


def normal(text: str) -> str:
    """A Leitweg-ID as it is compared: upper case, no blanks at its ends."""
    return text.strip().upper()


def looks_like_one(text: str) -> bool:
    """Whether the text is built as a Leitweg-ID, whatever its check digits say."""
    return _SHAPE.fullmatch(normal(text)) is not None


def doubt(text: str) -> str | None:
    """What speaks against this Leitweg-ID, in words; None if nothing does."""
    if not looks_like_one(text):
        return (
            f"{text!r} is not built as a Leitweg-ID (digits, perhaps a second part, two check digits, joined"
            " by hyphens): ask the buyer for it."
        )
    if not _check_digits_fit(normal(text)):
        return (
            f"the check digits of Leitweg-ID {text} do not fit: it may be mistyped. Compare it with the"
            " buyer's order; if it is what the buyer gave, leave it."
        )
    return None


def _check_digits_fit(leitweg_id: str) -> bool:
    # ISO 7064 mod 97-10 over all parts without the hyphens: letters count 10 to 35, the rest must be 1.
    return int("".join(str(int(sign, 36)) for sign in leitweg_id.replace("-", ""))) % 97 == 1
