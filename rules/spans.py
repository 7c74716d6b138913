"""Sets of integers as sorted, disjoint, closed spans: the normal form of every condition.

Whatever a cell says (``> 14``, ``(100 % .. 110 %]``, ``A, B``, ``yes``) becomes such a set, so
that overlap, impossibility and execution are all questions about integers. Never a float.
"""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]  # both ends included
Spans = tuple[Span, ...]

# Money, percent, quantity and days stay within this, so that even a difference of two figures
# fits the engine's 64-bit integers.
LIMIT = 10**18
EVERYTHING: Spans = ((-2 * LIMIT, 2 * LIMIT),)


def merge(spans: Iterable[Span]) -> Spans:
    """The union, with touching spans joined and empty ones (low above high) dropped."""
    joined: list[Span] = []
    for low, high in sorted(span for span in spans if span[0] <= span[1]):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def meet(left: Spans, right: Spans) -> Spans:
    """The intersection."""
    return merge((max(a, c), min(b, d)) for a, b in left for c, d in right)


def without(left: Spans, right: Spans) -> Spans:
    """What of ``left`` is not in ``right``."""
    kept = left
    for low, high in right:
        parts = ((a, min(b, low - 1), max(a, high + 1), b) for a, b in kept)
        kept = merge(span for a, b, c, d in parts for span in ((a, b), (c, d)))
    return kept


def touching(left: Spans, right: Spans) -> bool:
    """Whether the two share an integer."""
    return any(a <= d and c <= b for a, b in left for c, d in right)


def negated(spans: Spans) -> Spans:
    """The set of ``-x`` for each x: turns a condition on ``a - b`` into one on ``b - a``."""
    return merge((-high, -low) for low, high in spans)
