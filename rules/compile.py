"""One rulebook in normal form: what both executors run, and the limits that keep it safe to run.

Rules and table rows become clauses: conditions over sets of integers, nothing else. The shape of
what durable-rules 2.0.28 can take without dying (facts passing more than 64 tests at one level,
512 first tests, 256 rules with one antecedent) is kept here, as figures, by ``shards``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, product
from math import prod
from typing import Protocol

from o2c.decision import FactValue
from o2c.errors import Refused
from rules.cells import Condition
from rules.document import unknown
from rules.spans import EVERYTHING, Span, touching
from rules.vocabulary import POLICIES, Fact

Codes = Mapping[str, int]  # figures as the executors see them

Term = tuple[str, Span]
MARKER: Term = ("fact", (1, 1))  # a figure every fact carries

MAX_TRUE_AT_ONCE = 48  # per shard; the engine's stack holds 64
MAX_FIRST_TESTS = 400  # per file; the engine's table of first tests holds 512
MAX_BOXES = 64  # alternatives of one clause
MAX_CLAUSES = 1000  # rules and rows of one file


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule, or one row of a table. All conditions true: it fires.

    ``rank`` is the place of ``outcome`` in ``strictest_first``. ``first_of`` names the table with
    hit policy ``first`` it belongs to: only the first matching row of such a table fires.
    """

    id: str
    position: int
    conditions: tuple[Condition, ...]
    outcome: str
    rank: int
    say: str
    actions: Mapping[str, str]
    first_of: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an executor found: the outcome, the deciding clause and all that fired, in file order."""

    outcome: str
    rule: str | None
    fired: tuple[str, ...]


class Executor(Protocol):
    """Runs one program. The cage around durable-rules and the plain closures both are one."""

    def run(self, codes: Codes) -> Verdict:
        """The verdict on these figures."""
        ...

    def close(self) -> None:
        """Frees what the executor holds; it is not run again."""
        ...


@dataclass(frozen=True, slots=True)
class Program:
    """The normal form of one rulebook. ``sha256`` is that of the file's bytes."""

    policy: str
    sha256: str
    otherwise: str
    clauses: tuple[Clause, ...]

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts of the policy, in the order they are stored and shown."""
        return POLICIES[self.policy].facts

    def differences(self) -> tuple[tuple[str, str, str], ...]:
        """(key, field, minus) of every difference some clause tests, each once."""
        tested = (condition for clause in self.clauses for condition in clause.conditions)
        return tuple({c.key: (c.key, c.field, c.minus) for c in tested if c.minus}.values())


class Encoder:
    """Turns facts into the figures the executors see: typed, complete, differences computed."""

    def __init__(self, program: Program) -> None:
        self._facts = program.facts
        self._differences = program.differences()

    def encode(self, facts: Mapping[str, FactValue]) -> dict[str, int]:
        """Every figure of the program; ``Refused('fact')`` for one missing, mistyped or unknown."""
        for name in facts:
            if name not in self._facts:
                raise Refused("fact", unknown(name, "fact", self._facts))
        codes = {}
        for name, fact in self._facts.items():
            if name not in facts:
                raise Refused("fact", f"fact {name} is missing.")
            codes[name] = fact.encode(facts[name])
        return self.complete(codes)

    def complete(self, codes: dict[str, int]) -> dict[str, int]:
        """Adds the differences; all arithmetic of a decision happens in this line."""
        for key, field, minus in self._differences:
            codes[key] = codes[field] - codes[minus]
        return codes


def overlapping(rows: Sequence[Clause]) -> Iterator[tuple[Clause, Clause]]:
    """The pairs of rows that one and the same facts can match."""
    for one, two in combinations(rows, 2):
        theirs = {condition.key: condition.spans for condition in two.conditions}
        if all(touching(c.spans, theirs.get(c.key, c.spans)) for c in one.conditions):
            yield one, two


@dataclass(frozen=True, slots=True)
class Box:
    """A clause or one alternative of it. Boxes of a clause never meet.

    ``terms`` are the engine's tests in its order: each is one point, or open at one end.
    """

    clause: Clause
    terms: tuple[Term, ...]

    @property
    def first(self) -> Term:
        """The test the engine meets first."""
        return self.terms[0]


def box_count(clause: Clause) -> int:
    """How many boxes a clause falls into."""
    return prod(len(condition.spans) for condition in clause.conditions)


def boxes(clause: Clause) -> Iterator[Box]:
    """The clause as boxes: ``A, C`` makes two. Without any condition it rests on the marker."""
    keys = [condition.key for condition in clause.conditions]
    for spans in product(*(condition.spans for condition in clause.conditions)):
        terms = [term for key, span in zip(keys, spans, strict=True) for term in _terms(key, span)]
        # Points first: few of them are true at once, so that large tables need fewer shards.
        terms.sort(key=lambda term: term[1][0] != term[1][1])
        yield Box(clause, tuple(terms) or (MARKER,))


def _terms(key: str, span: Span) -> tuple[Term, ...]:
    (low, high), (lowest, highest) = span, EVERYTHING[0]
    if low in (high, lowest) or high == highest:
        return ((key, span),)
    return (key, (low, highest)), (key, (lowest, high))


def first_tests(clauses: Sequence[Clause]) -> int:
    """Number of different first tests the engine would hold."""
    return len({box.first for clause in clauses for box in boxes(clause)})


def most_true_at_once(firsts: Sequence[Span]) -> int:
    """The largest number of these spans (all of one figure) that one figure can lie in."""
    ends = sorted((end for low, high in firsts for end in ((low, 1), (high + 1, -1))))
    most = now = 0
    for _, step in ends:
        now += step
        most = max(most, now)
    return most


def shards(clauses: Sequence[Clause]) -> Iterator[tuple[Box, ...]]:
    """The boxes in file order, cut so that no fact passes more than ``MAX_TRUE_AT_ONCE`` first tests.

    The engine walks its tests depth first, so what waits on its stack never outnumbers the boxes
    whose first test is true. One place is kept for the marker rule.
    """
    shard: list[Box] = []
    firsts: dict[str, list[Span]] = {}
    most: dict[str, int] = {}
    for box in (box for clause in clauses for box in boxes(clause)):
        name, span = box.first
        count = most_true_at_once([*firsts.get(name, ()), span])
        if sum(most.values()) - most.get(name, 0) + count >= MAX_TRUE_AT_ONCE:
            yield tuple(shard)
            shard, firsts, most, count = [], {}, {}, 1
        shard.append(box)
        firsts.setdefault(name, []).append(span)
        most[name] = count
    yield tuple(shard)
