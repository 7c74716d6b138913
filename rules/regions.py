"""Sets of facts as boxes: what a rule matches, and what is left of it when others are taken away.

A box gives each figure the integers it may be; a figure that is not named may be anything it can be.
The difference of two facts counts as a figure of its own, so a box may hold points that no facts have:
"nothing is left" is then still true, "something is left" may not be (see ``is_real``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain

from rules.cells import Condition
from rules.compile import Clause
from rules.spans import EVERYTHING, Spans, meet, touching, without
from rules.vocabulary import Fact

Region = Mapping[str, Spans]


class TooMuch(Exception):
    """The pieces have become more than are worth looking at."""


def region(conditions: Iterable[Condition]) -> Region:
    """What these conditions, all true, let through."""
    return {condition.key: condition.spans for condition in conditions}


def meets(one: Region, two: Region) -> bool:
    """Whether they share a point."""
    return all(touching(spans, two[key]) for key, spans in one.items() if key in two)


def inside(small: Region, big: Region, whole: Callable[[str], Spans]) -> bool:
    """Whether all of ``small`` lies in ``big``; ``whole`` is all that a figure may be."""
    return all(not without(small.get(key, whole(key)), spans) for key, spans in big.items())


class Pieces:
    """Takes regions apart, in at most ``budget`` steps (two regions held against each other is one);
    ``TooMuch`` beyond.

    ``facts`` are those of the file, by which the words a choice may be are known.
    """

    def __init__(self, facts: Mapping[str, Fact], budget: int) -> None:
        self._facts = facts
        self._left = budget

    def whole(self, key: str) -> Spans:
        """All that a figure may be."""
        fact = self._facts.get(key)
        return ((0, len(fact.every_word) - 1),) if fact and fact.words else EVERYTHING

    def minus(self, one: Region, two: Region) -> Iterator[Region]:
        """``one`` without ``two``, in pieces that do not meet."""
        self._spend()
        if not meets(one, two):
            yield one
            return
        kept = dict(one)
        for key, spans in two.items():
            mine = kept.get(key, self.whole(key))
            outside = without(mine, spans)
            if outside:
                self._spend(3)
                yield {**kept, key: outside}
            kept[key] = meet(mine, spans)

    def minus_all(self, one: Region, others: Iterable[Region]) -> list[Region]:
        """``one`` without all of ``others``."""
        left = [one]
        for other in others:
            left = list(chain.from_iterable(self.minus(piece, other) for piece in left))
        return left

    def minus_fired(self, left: Sequence[Region], clause: Clause, earlier: Sequence[Region]) -> list[Region]:
        """``left`` without the facts that ``clause`` fires on; ``earlier`` are the rows before it where
        only the first row that fits fires: what they take, it leaves."""
        mine = region(clause.conditions)
        kept: list[Region] = []
        for piece in left:
            kept += self.minus(piece, mine)
            if earlier and meets(piece, mine):
                kept += self._taken(self._both(piece, mine), earlier)
        return kept

    def _taken(self, shared: Region, earlier: Sequence[Region]) -> Iterator[Region]:
        rest = [shared]
        for other in earlier:
            for piece in rest:
                if meets(piece, other):
                    self._spend(3)
                    yield self._both(piece, other)
            rest = list(chain.from_iterable(self.minus(piece, other) for piece in rest))

    def _both(self, one: Region, two: Region) -> Region:
        keys = dict.fromkeys((*one, *two))
        return {key: meet(one.get(key, self.whole(key)), two.get(key, self.whole(key))) for key in keys}

    def _spend(self, steps: int = 1) -> None:
        self._left -= steps
        if self._left < 0:
            raise TooMuch


def is_real(box: Region, differences: Iterable[tuple[str, str, str]], whole: Callable[[str], Spans]) -> bool:
    """Whether each difference in the box can come from the two facts it is of."""
    for key, one, two in differences:
        if key not in box:
            continue
        (a, *_), (c, *_) = box.get(one, whole(one)), box.get(two, whole(two))
        b, d = box.get(one, whole(one))[-1], box.get(two, whole(two))[-1]
        if not touching(box[key], ((a[0] - d[1], b[1] - c[0]),)):
            return False
    return True
