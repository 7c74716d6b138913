"""Text of a SAF-T file: escaped, within its length, free of control characters (F06).

Governed by the schema's text types (9, 18, 35, 70 and 256 characters). An identifier is never
changed: one that does not fit is refused. Words for people (names, descriptions, streets) are
cut at the end, marked with an ellipsis, and each cut is noted for the person who files.
"""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from o2c.errors import Refused
from o2c.money import plain

SHORT, MIDDLE, LONG, LONGEST = 18, 35, 70, 256

_MARKUP_OR_CONTROL = re.compile("[&<>\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_LINE_BREAKS = re.compile(r"[ \t]*[\t\r\n]+[ \t]*")
_NEXT = "Correct it at its source and export again."


class Texts:
    """Turns values into XML text. ``notes`` collects what was cut, in words."""

    __slots__ = ("notes",)

    def __init__(self, notes: list[str]) -> None:
        self.notes = notes

    def identifier(self, value: str, limit: int, where: str) -> str:
        """``value`` unchanged but escaped; ``Refused('saft-F06')`` if empty, too long or unprintable."""
        if value and len(value) <= limit and _MARKUP_OR_CONTROL.search(value) is None:
            return value
        if not value.strip():
            raise Refused("saft-F06", f"{where} is empty.", next_step=_NEXT)
        if len(value) > limit:
            message = f"{where} has {len(value)} characters, at most {limit} are allowed: {value[:80]!r}."
            raise Refused("saft-F06", message, next_step=_NEXT)
        return _escaped(value, where)

    def words(self, value: str, limit: int, where: str) -> str:
        """``value`` for people: line breaks become blanks, too long is cut and noted."""
        if value and len(value) <= limit and _MARKUP_OR_CONTROL.search(value) is None:
            return value
        text = _LINE_BREAKS.sub(" ", value).strip()
        if not text:
            raise Refused("saft-F06", f"{where} is empty.", next_step=_NEXT)
        if len(text) > limit:
            self.notes.append(f"{where} was cut from {len(text)} to {limit} characters: {text!r}.")
            text = text[: limit - 1].rstrip() + "…"
        return _escaped(text, where)


def _escaped(value: str, where: str) -> str:
    control = _CONTROL.search(value)
    if control is not None:
        message = f"{where} holds the control character U+{ord(control[0]):04X}."
        raise Refused("saft-F06", message, next_step=_NEXT)
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def element(name: str, text: str | None) -> str:
    """``<name>text</name>``, nothing for None or an empty text: the file has no empty elements (F06)."""
    return f"<{name}>{text}</{name}>" if text else ""


def amount(minor: int) -> str:
    """``12345`` -> ``123.45``; ``minor`` is never negative here."""
    return f"{minor // 100}.{minor % 100:02d}"


def balance(side: str, minor: int) -> str:
    """``Opening`` or ``Closing`` balance on the side of its sign, zero as a debit."""
    name = f"{side}DebitBalance" if minor >= 0 else f"{side}CreditBalance"
    return f"<{name}>{amount(abs(minor))}</{name}>"


def day(value: date | None) -> str | None:
    """A date as the schema writes it."""
    return value.isoformat() if value else None


def percentage(rate: Decimal | None) -> str | None:
    """A tax rate in percent, in its shortest form; zero is a rate, None is not."""
    return None if rate is None else plain(rate)
