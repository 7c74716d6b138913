"""Why a rule did not fire: its conditions that are not true, with the actual figures, in words.

Part of every stored decision, but nothing waits for it: it is put into words when somebody looks, and
storing is looking. What of a figure's conditions is untrue follows from the piece of it that the case
falls into (see ``planes``), each condition is put into words once, and rules only pick their words.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from operator import itemgetter
from typing import cast, overload

from o2c.decision import Unmet
from o2c.money import minor_digits
from rules.cells import Condition
from rules.compile import Clause, Codes, Program, Step

_Words = Sequence[str]


@dataclass(frozen=True, slots=True)
class _Figure:
    """One figure: where it is cut, and for each piece the untrue conditions as bits and as places."""

    key: str
    field: str
    minus: str | None
    cuts: Sequence[int]
    pieces: Sequence[tuple[int, Sequence[int]]]


class WhyNot:
    """Tells of one program why its rules did not fire. Thread-safe."""

    def __init__(self, program: Program, currency: str | None = None) -> None:
        digits = minor_digits(currency) if currency else 2
        # A figure is shown by many conditions, and most figures come again: their words are kept.
        self._shown = {
            name: lru_cache(maxsize=512)(partial(fact.show, money_digits=digits))
            for name, fact in program.every_fact.items()
        }
        conditions = list(dict.fromkeys(c for step in program.steps for c in step.conditions))
        places = {condition: place for place, condition in enumerate(conditions)}
        self._texts = [condition.text for condition in conditions]
        self._figures = [_figure(key, conditions) for key in dict.fromkeys(c.key for c in conditions)]
        self._steps = [_Asked(step, [places[c] for c in step.conditions]) for step in program.steps]
        self._derives = {derivation.id: derivation.fact for derivation in program.derivations}
        self._nothing_derived = dict.fromkeys(program.derived, 0)

    def later(self, codes: Codes, fired: Sequence[str]) -> tuple[Unmet, ...]:
        """What ``tell`` says, said when it is first looked at. It is like a tuple for every reader."""
        return cast("tuple[Unmet, ...]", _Later(self, codes, fired))

    def tell(self, codes: Codes, fired: Sequence[str]) -> tuple[Unmet, ...]:
        """Each step that did not fire, given those that did: they tell what was derived."""
        if self._derives:
            derived = {self._derives[name]: 1 for name in fired if name in self._derives}
            codes = {**codes, **self._nothing_derived, **derived}
        untrue, words = self._untrue(codes)
        found: list[Unmet] = []
        hit: dict[str, str] = {}
        for step in self._steps:
            missing = step.mask & untrue
            if missing:
                found.append(Unmet(step.name, step.pick(missing, words)))
            elif step.table in hit:
                found.append(Unmet(step.name, (f"row {hit[step.table]} came first",)))
            elif step.table:
                hit[step.table] = step.name
        return tuple(found)

    def _untrue(self, codes: Codes) -> tuple[int, _Words]:
        """The untrue conditions as bits, and their words, each in its place."""
        untrue, texts, words = 0, self._texts, [""] * len(self._texts)
        for figure in self._figures:
            bits, places = figure.pieces[bisect_right(figure.cuts, codes[figure.key])]
            if bits:
                untrue |= bits
                shown = self._actual(figure, codes)
                for place in places:
                    words[place] = texts[place] + shown
        return untrue, words

    def _actual(self, figure: _Figure, codes: Codes) -> str:
        field, minus = figure.field, figure.minus
        one = self._shown[field](codes[field])
        if minus is None:
            return f" (is {one})"
        return f" ({field} is {one}, {minus} is {self._shown[minus](codes[minus])})"


class _Later(Sequence[Unmet]):
    """Equal to the tuple it will be."""

    __slots__ = ("_ask", "_told")

    def __init__(self, why_not: WhyNot, codes: Codes, fired: Sequence[str]) -> None:
        self._ask = (why_not, codes, fired)
        self._told: tuple[Unmet, ...] | None = None

    def _all(self) -> tuple[Unmet, ...]:
        if self._told is None:
            why_not, codes, fired = self._ask
            try:
                self._told = why_not.tell(codes, fired)
            except Exception as error:  # cage: missing words must not cost us the order
                self._told = (Unmet("why-not", (f"not to be told: {type(error).__name__}: {error}",)),)
        return self._told

    @overload
    def __getitem__(self, place: int) -> Unmet: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Unmet, ...]: ...
    def __getitem__(self, place: int | slice) -> Unmet | tuple[Unmet, ...]:
        return self._all()[place]

    def __len__(self) -> int:
        return len(self._all())

    def __iter__(self) -> Iterator[Unmet]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, _Later) else other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[type[tuple[Unmet, ...]], tuple[tuple[Unmet, ...]]]:
        return tuple, (self._all(),)

    def __repr__(self) -> str:
        return repr(self._all())


class _Asked:
    """A step and the places of its conditions."""

    __slots__ = ("_known", "_places", "mask", "name", "table")

    def __init__(self, step: Step, places: Sequence[int]) -> None:
        self.name = step.id
        self.table = step.first_of if isinstance(step, Clause) else None
        self.mask = sum(1 << place for place in places)
        self._places = places
        self._known: dict[int, Callable[[_Words], tuple[str, ...]]] = {}

    def pick(self, missing: int, words: _Words) -> tuple[str, ...]:
        """The words of the conditions in ``missing``, in the order of the file."""
        picker = self._known.get(missing)
        if picker is None:
            picker = self._known[missing] = _picker([p for p in self._places if missing >> p & 1])
        return picker(words)


def _picker(places: Sequence[int]) -> Callable[[_Words], tuple[str, ...]]:
    if len(places) == 1:
        [place] = places
        return lambda words: (words[place],)
    return itemgetter(*places)


def _figure(key: str, conditions: Sequence[Condition]) -> _Figure:
    mine = [(place, c) for place, c in enumerate(conditions) if c.key == key]
    cuts = sorted({end for _, c in mine for low, high in c.spans for end in (low, high + 1)})
    pieces = []
    for inside in [cuts[0] - 1, *cuts]:
        untrue = [place for place, c in mine if not any(low <= inside <= high for low, high in c.spans)]
        pieces.append((sum(1 << place for place in untrue), untrue))
    return _Figure(key, mine[0][1].field, mine[0][1].minus, cuts, pieces)
