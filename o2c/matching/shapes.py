"""The masks of a company's own numbers, compiled once: how an item number is known in a text.

A shape keeps letters and signs and has ``#`` for each digit: ``INV-2026-00017`` -> ``INV-####-#####``.
In a text blanks, dashes, dots and slashes may stand anywhere in a number, or be left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GAP = r"[\s\-./_:]*"
_SPLIT = re.compile(r"#+|[^\W_]+?(?=#|[\W_]|$)")
_DIGIT = re.compile(r"\d")
_NO_SIGN = re.compile(r"[\W_]+")
# What an eye or a scanner takes for a digit. A sign that is missing from a table is slow to translate.
_LOOKALIKES = {sign: sign for sign in range(128)} | str.maketrans("OQILSBZ", "0011582")
_FEWEST_DIGITS = 5  # a number of fewer digits alone is found in any text
_MOST_SHAPES = 400


def squeezed(number: str) -> str:
    """A number as it is compared: upper case, letters and digits only."""
    key = number.upper().replace("-", "")  # most numbers hold no other sign
    return key if key.isalnum() else _NO_SIGN.sub("", key)


def shape(number: str) -> str:
    """The mask of a number: upper case, every digit as ``#``."""
    return _DIGIT.sub("#", number.strip().upper())


def lookalike(text: str) -> str:
    """``text`` in upper case with every letter that looks like a digit read as that digit."""
    return text.upper().translate(_LOOKALIKES)


@dataclass(frozen=True, slots=True)
class Series:
    """One mask in pieces: ``("INV", "####", "#####")``; ``lead`` is all before the last run of digits."""

    pieces: tuple[str, ...]
    digits: int
    last: int  # digits of the running number
    has_letters: bool

    @classmethod
    def of(cls, mask: str) -> Series:
        pieces = tuple(_SPLIT.findall(mask))
        runs = [len(piece) for piece in pieces if piece[0] == "#"]
        letters = any(piece[0] != "#" for piece in pieces)
        return cls(pieces, sum(runs), runs[-1] if runs else 0, letters)

    @property
    def is_plain(self) -> bool:
        """Whether the mask is digits and nothing else."""
        return not self.has_letters


@dataclass(frozen=True, slots=True)
class Shapes:
    """The compiled masks. ``strict`` finds whole numbers, ``loose`` a prefix and any run of digits."""

    series: tuple[Series, ...]
    strict: re.Pattern[str] | None
    glued: re.Pattern[str] | None
    folded: re.Pattern[str] | None
    loose: re.Pattern[str] | None
    plain: re.Pattern[str] | None
    written: re.Pattern[str] | None  # the masks of digits alone that have signs between them, with these
    customers: re.Pattern[str] | None
    customer_digits: frozenset[int]
    by_lead: dict[str, tuple[Series, ...]]
    tails: re.Pattern[str] | None
    leads_of: dict[str, tuple[str, ...]]  # runs of digits as a mask, in one piece -> the letters before them

    @classmethod
    def of(cls, items: Iterable[str], customers: Iterable[str]) -> Shapes:
        """From the distinct shapes of item numbers and customer ids; digits in them are read as ``#``."""
        wanted = dict.fromkeys(shape(one) for one in items if "#" in shape(one))
        masks = sorted(wanted, key=lambda mask: (-len(mask), mask))[:_MOST_SHAPES]
        series = tuple(dict.fromkeys(map(Series.of, masks)))
        lettered = [one for one in series if one.has_letters and one.digits >= 2]
        plain = [one for one in series if one.is_plain and one.digits >= _FEWEST_DIGITS]
        own = list(dict.fromkeys(Series.of(shape(one)) for one in customers))
        leads: dict[str, tuple[Series, ...]] = {}
        for one in lettered:
            if one.pieces[0][0] != "#":
                leads[one.pieces[0]] = (*leads.get(one.pieces[0], ()), one)
        return cls(
            series,
            _any(_strict_first(lettered), r"(?<![^\W_])", r"(?![^\W_])"),
            _any(map(_glued, lettered), "", r"(?!\d)"),
            _any(map(_folded, lettered), r"(?<![^\W_])", r"(?!\d)"),
            _any(map(re.escape, sorted(leads, key=len, reverse=True)), r"(?<![^\W_])", _RUN),
            _any(map(_strict_plain, plain), r"(?<![\w+])(?<!\d[.,/-])", r"(?![\w])(?![.,]\d)"),
            _any(
                map(_written, filter(_is_grouped, masks)), r"(?<![\w+])(?<!\d[.,/-])", r"(?![\w])(?![.,]\d)"
            ),
            _any(_strict_first([one for one in own if one.has_letters]), r"(?<![^\W_])", r"(?![^\W_])"),
            frozenset(one.digits for one in own),
            leads,
            _any(
                map(_tail, (one for one in lettered if _has_tail(one))),
                r"(?<![\w+])(?<!\d[.,/-])",
                r"(?![\w])(?![.,/-]\d)",
            ),
            _leads_of(lettered),
        )


_RUN = r"[\s\-./_:#]*(\d(?:[\d\-./_ ]*\d)?)"


def _any(parts: Iterable[str], before: str, after: str) -> re.Pattern[str] | None:
    joined = "|".join(parts)
    return re.compile(f"{before}(?:{joined}){after}") if joined else None


def _strict_first(series: Sequence[Series]) -> list[str]:
    """Runs of digits in one piece before runs with gaps: ``INV-00017 -2%`` is no number of six digits."""
    whole = [GAP.join(rf"\d{{{len(p)}}}" if p[0] == "#" else _piece(p) for p in one.pieces) for one in series]
    return [rf"(?:{one})(?![^\W_])" for one in whole] + [*map(_strict, series)]


def _glued(one: Series) -> str:
    """A word may have grown on to two letters or more; one letter, or a digit, must stand free."""
    free = "" if one.pieces[0][0] != "#" and len(one.pieces[0]) > 1 else r"(?<![^\W_])"
    return free + _strict(one)


def _strict(one: Series) -> str:
    return GAP.join(_piece(piece) for piece in one.pieces)


def _piece(piece: str) -> str:
    return GAP.join([r"\d"] * len(piece)) if piece[0] == "#" else GAP.join(map(re.escape, piece))


def _strict_plain(one: Series) -> str:
    """Digits only: in one piece, or cut where the mask itself is."""
    return r"[\s\-./_]{0,3}".join(rf"\d{{{len(piece)}}}" for piece in one.pieces)


def _is_grouped(mask: str) -> bool:
    return "##" in mask and not re.search(r"[^\W_]", mask) and not re.fullmatch("#+", mask)


def _written(mask: str) -> str:
    return re.sub("#+", lambda run: rf"\d{{{len(run[0])}}}", re.escape(mask).replace(r"\#", "#"))


def _folded(one: Series) -> str:
    sign = r"[0-9]"
    return GAP.join(
        GAP.join([sign] * len(piece)) if piece[0] == "#" else GAP.join(map(re.escape, lookalike(piece)))
        for piece in one.pieces
    )


def _has_tail(one: Series) -> bool:
    """Whether the digits alone are long enough, and in enough groups, to be known without the letters."""
    groups = [len(piece) for piece in one.pieces[1:] if piece[0] == "#"]
    plain = one.pieces[0][0] != "#" and len(groups) == len(one.pieces) - 1
    return plain and len(groups) > 1 and one.digits >= 7


def _tail(one: Series) -> str:
    return r"[\s\-./_]{0,3}".join(rf"\d{{{len(piece)}}}" for piece in one.pieces[1:])


def _leads_of(lettered: Iterable[Series]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for one in lettered:
        if _has_tail(one):
            mask = "#" * one.digits
            found[mask] = tuple(dict.fromkeys((*found.get(mask, ()), one.pieces[0])))
    return found
