"""Programs laid out as planes of bits: which rules find the figures as they want them, in a glance.

Every figure is cut where some condition begins or ends. Each piece knows the steps (rules, rows,
derivations) that it leaves possible, a bit each; the pieces that a case falls into, taken together,
leave the steps whose conditions on given facts are all true. What follows from that is always the
same, so it is worked out once and looked up from then on. Cost grows with the figures, not the rules.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence

from rules.cells import Condition
from rules.closures import ClosureExecutor
from rules.compile import Codes, Program, Verdict

_MOST_KNOWN = 10_000  # results remembered; few files come to so many
_Plane = tuple[Sequence[int], Sequence[int]]  # where a figure is cut, and the bits of each piece


class Planes:
    """One or more programs of one policy over the same figures."""

    def __init__(self, *programs: Program) -> None:
        bits = [_given(program, step.conditions) for program in programs for step in program.steps]
        tested = {c.key: c for conditions in bits for c in conditions}.values()
        self.names = tuple(sorted({name for c in tested for name in (c.field, c.minus) if name}))
        self._all = (1 << len(bits)) - 1
        planes = {key: _plane(conditions, len(bits)) for key, conditions in _by_figure(bits).items()}
        place = {name: number for number, name in enumerate(self.names)}
        self._alone = [(place[c.field], *planes[c.key]) for c in tested if not c.minus]
        self._apart = [(place[c.field], place[c.minus], *planes[c.key]) for c in tested if c.minus]

    def bits(self, codes: Sequence[int]) -> int:
        """The steps that are possible, for figures in the order of ``names`` (sorted)."""
        bits = self._all
        for place, cuts, pieces in self._alone:
            bits &= pieces[bisect_right(cuts, codes[place])]
        for one, other, cuts, pieces in self._apart:
            bits &= pieces[bisect_right(cuts, codes[one] - codes[other])]
        return bits


class QuickExecutor:
    """The closures, asked once for each set of possible steps. Thread-safe."""

    def __init__(self, program: Program) -> None:
        steps = [_given(program, step.conditions) for step in program.steps]
        planes = {key: _plane(conditions, len(steps)) for key, conditions in _by_figure(steps).items()}
        facts = program.facts
        words = {key: len(facts[key].every_word) for key in planes if key in facts and facts[key].words}
        # A word is its own place in the list; a figure has to be found between the cuts.
        self.run = _runner(
            (1 << len(steps)) - 1,
            tuple((key, _spread(planes[key], most)) for key, most in words.items()),
            tuple((key, *plane) for key, plane in planes.items() if key not in words),
            ClosureExecutor(program),
        )

    def close(self) -> None:
        """Nothing is held."""


def _runner(
    every: int,
    words: Sequence[tuple[str, Sequence[int]]],
    figures: Sequence[tuple[str, Sequence[int], Sequence[int]]],
    closures: ClosureExecutor,
) -> Callable[[Codes], Verdict]:
    """The way through the planes, without a look into an object on it: every decision takes it."""
    known: dict[int, Verdict] = {}
    find = bisect_right

    def run(codes: Codes) -> Verdict:
        bits = every
        for key, pieces in words:
            bits &= pieces[codes[key]]
        for key, cuts, pieces in figures:
            bits &= pieces[find(cuts, codes[key])]
        try:
            return known[bits]
        except KeyError:
            return asked(bits, codes)

    def asked(bits: int, codes: Codes) -> Verdict:
        verdict = closures.run(codes)
        if len(known) >= _MOST_KNOWN:
            known.clear()
        known[bits] = verdict
        return verdict

    return run


def _spread(plane: _Plane, most: int) -> tuple[int, ...]:
    """The piece of each of the codes 0 .. ``most`` - 1."""
    cuts, pieces = plane
    return tuple(pieces[bisect_right(cuts, code)] for code in range(most))


def _given(program: Program, conditions: Sequence[Condition]) -> list[Condition]:
    """Those on given facts: what a derived one comes to follows from the bits of what derives it."""
    return [condition for condition in conditions if condition.field not in program.derived]


def _by_figure(bits: Sequence[Sequence[Condition]]) -> Mapping[str, list[tuple[int, Condition]]]:
    found: dict[str, list[tuple[int, Condition]]] = {}
    for bit, conditions in enumerate(bits):
        for condition in conditions:
            found.setdefault(condition.key, []).append((bit, condition))
    return found


def _plane(conditions: Sequence[tuple[int, Condition]], count: int) -> _Plane:
    """The pieces of one figure: piece n lies between cut n-1 (included) and cut n (not included)."""
    spans = [span for _, condition in conditions for span in condition.spans]
    cuts = sorted({end for low, high in spans for end in (low, high + 1)})
    free = ((1 << count) - 1) & ~sum(1 << bit for bit, _ in conditions)  # steps that do not look at it
    pieces = []
    for inside in [cuts[0] - 1, *cuts]:
        held = sum(1 << bit for bit, c in conditions if any(low <= inside <= high for low, high in c.spans))
        pieces.append(free | held)
    return cuts, pieces
