"""Which items add up to an amount, to the cent. Solutions are counted, and two are as bad as none.

Bounded: at most 18 items are tried in full, by halves. With more only the natural sets are: all, all that
is due, all up to some due date.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

MOST = 18
_DOUBT = 300  # a sum that chance finds more often than once in so many payments proves nothing


def solutions(amounts: Sequence[int], wanted: int, limit: int = 2) -> list[tuple[int, ...]]:
    """Up to ``limit`` sets of places in ``amounts`` (at most 18, signed) that add up to ``wanted``."""
    half = len(amounts) // 2
    left: dict[int, list[int]] = {}
    for total, mask in _sums(amounts[:half]):
        left.setdefault(total, []).append(mask)
    found = []
    for total, mask in _sums(amounts[half:]):
        for other in left.get(wanted - total, ()):
            both = mask << half | other
            if both:
                found.append(tuple(place for place in range(len(amounts)) if both >> place & 1))
                if len(found) == limit:
                    return found
    return found


def _sums(amounts: Sequence[int]) -> list[tuple[int, int]]:
    sums = [(0, 0)]
    for place, amount in enumerate(amounts):
        bit = 1 << place
        sums += [(total + amount, mask | bit) for total, mask in sums]
    return sums


def has_few(amounts: Sequence[int], wanted: int) -> bool:
    """Whether two or three of very many amounts add up to ``wanted``."""
    seen: set[int] = set()
    pairs: set[int] = set()
    for amount in amounts:
        if wanted - amount in pairs or wanted - amount in seen:
            return True
        pairs.update([amount + other for other in seen])
        seen.add(amount)
    return False


def is_telling(amounts: Sequence[int], chosen: int) -> bool:
    """Whether a set of this size is more than chance: how many such sets there are against the cents
    their sums spread over."""
    count = len(amounts)
    few = min(chosen, count - chosen)
    tries = sum(comb(count, size) for size in range(few + 1))
    return tries * _DOUBT <= sum(map(abs, amounts)) or few == 0


def prefixes(amounts: Sequence[int], breaks: Sequence[int], wanted: int) -> list[int]:
    """The lengths (of those in ``breaks``) of beginnings of ``amounts`` that add up to ``wanted``."""
    found, total, at = [], 0, 0
    for end in breaks:
        total += sum(amounts[at:end])
        at = end
        if total == wanted:
            found.append(end)
    return found
