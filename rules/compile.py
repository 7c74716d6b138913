"""One rulebook in normal form: what both executors run, and the limits that keep it safe to run.

Rules and table rows become clauses, derived facts derivations: conditions over sets of integers,
nothing else. Derivations run first, level by level, so that each reads only what is known. The shape of
what durable-rules 2.0.28 can take without dying (facts passing more than 64 tests at one level,
512 first tests, 256 rules with one antecedent) is kept here, as figures, by ``shards``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, groupby, product
from math import prod
from operator import attrgetter
from typing import Protocol

from o2c.decision import FactValue
from o2c.errors import Refused
from rules.cells import Condition
from rules.document import unknown
from rules.spans import EVERYTHING, Span, touching
from rules.vocabulary import POLICIES, Action, Fact

Codes = Mapping[str, int]  # figures as the executors see them

Term = tuple[str, Span]
MARKER: Term = ("fact", (1, 1))  # a figure every fact carries

# Stored with each decision. Raise it when one and the same file and facts begin to give other words
# or another result: decisions of older compilers are then held to their result alone.
COMPILER = 1

MAX_TRUE_AT_ONCE = 48  # per shard; the engine's stack holds 64
MAX_FIRST_TESTS = 400  # per file; the engine's table of first tests holds 512
MAX_BOXES = 64  # alternatives of one step
MAX_CLAUSES = 1000  # rules, rows and derivations of one file
MAX_FIGURES = 200  # facts, derived facts and differences that a file reads; the engine takes about 250
_MOST_VALUES = 4096  # of a fact whose codes are remembered
MAX_LEVELS = 8  # of derived facts: each is a pass through the engine


@dataclass(frozen=True, slots=True)
class Derivation:
    """One line that derives a fact: all conditions true, and ``fact`` is yes. No line true: it is no.

    ``level`` is 0 where the conditions read given facts only, else one more than that of any derived
    fact they read. ``position`` is the place among all steps (see ``Program.steps``).
    """

    id: str
    position: int
    conditions: tuple[Condition, ...]
    fact: str
    level: int


@dataclass(frozen=True, slots=True)
class Clause:
    """One rule, or one row of a table. All conditions true: it fires.

    ``rank`` is the place of ``outcome`` in ``strictest_first``, ``position`` that among all steps.
    ``first_of`` names the table with hit policy ``first`` it belongs to: only the first matching row
    of such a table fires. ``collects`` names its table with hit policy ``collect``.
    """

    id: str
    position: int
    conditions: tuple[Condition, ...]
    outcome: str
    rank: int
    say: str
    actions: Mapping[str, str]
    first_of: str | None = None
    collects: str | None = None


Step = Derivation | Clause


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an executor found: the outcome, the deciding clause and all that fired.

    ``fired`` has the derivations first, level by level, then the clauses in file order.
    """

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
    """The normal form of one rulebook. ``sha256`` is that of the file's bytes.

    ``derivations`` come level by level, in file order within one; ``derived`` are their facts.
    """

    policy: str
    sha256: str
    otherwise: str
    clauses: tuple[Clause, ...]
    derivations: tuple[Derivation, ...] = ()
    derived: Mapping[str, Fact] = field(default_factory=dict)

    @property
    def facts(self) -> Mapping[str, Fact]:
        """The facts that a decision is given, in the order they are stored and shown."""
        return POLICIES[self.policy].facts

    @property
    def every_fact(self) -> Mapping[str, Fact]:
        """The facts that conditions may read: those given, then those derived."""
        return {**self.facts, **self.derived}

    @property
    def steps(self) -> tuple[Step, ...]:
        """Everything that can fire, by position: derivations, then clauses."""
        return (*self.derivations, *self.clauses)

    @property
    def strata(self) -> tuple[tuple[Step, ...], ...]:
        """The steps in passes, each reading only what the passes before it derived. Clauses are last."""
        return (*(tuple(group) for _, group in groupby(self.derivations, attrgetter("level"))), self.clauses)

    def differences(self) -> tuple[tuple[str, str, str], ...]:
        """(key, field, minus) of every difference some clause tests, each once."""
        tested = (condition for step in self.steps for condition in step.conditions)
        return tuple({c.key: (c.key, c.field, c.minus) for c in tested if c.minus}.values())


class Encoder:
    """Turns facts into the figures the executors see: typed, complete, differences computed."""

    def __init__(self, program: Program) -> None:
        self._facts = program.facts
        self._differences = program.differences()
        # Most values come again; a value is known with its type, as True, 1 and Decimal(1) are equal.
        self._known: dict[str, dict[tuple[type, FactValue], int]] = {name: {} for name in self._facts}

    def encode(self, facts: Mapping[str, FactValue]) -> dict[str, int]:
        """Every figure of the program; ``Refused('fact')`` for one missing, mistyped or unknown."""
        for name in facts:
            if name not in self._facts:
                raise Refused("fact", unknown(name, "fact", self._facts))
        codes = {}
        for name, known in self._known.items():
            if name not in facts:
                raise Refused("fact", f"fact {name} is missing.")
            value = facts[name]
            try:
                codes[name] = known[value.__class__, value]
            except (KeyError, TypeError):  # not seen yet, or of a type that no fact has
                codes[name] = self._encoded(name, value, known)
        return self.complete(codes)

    def _encoded(self, name: str, value: FactValue, known: dict[tuple[type, FactValue], int]) -> int:
        code = self._facts[name].encode(value)
        if len(known) >= _MOST_VALUES:
            known.clear()
        known[value.__class__, value] = code
        return code

    def complete(self, codes: dict[str, int]) -> dict[str, int]:
        """Adds the differences; all arithmetic of a decision happens in this line."""
        for key, name, minus in self._differences:
            codes[key] = codes[name] - codes[minus]
        return codes


def figures_read(program: Program) -> frozenset[str]:
    """Names of the given facts that some step looks at."""
    tested = (condition for step in program.steps for condition in step.conditions)
    names = frozenset(name for c in tested for name in (c.field, c.minus) if name)
    return names - set(program.derived)


def said(program: Program, verdict: Verdict) -> tuple[str, Mapping[str, str]]:
    """What the deciding clause says, and its actions.

    Under hit policy ``collect`` the other rows of its table that fired for the same outcome are heard
    too: of an action that gathers (``say``, ``queue``, ``notify``) every word, of any other the first.
    """
    deciding = next((clause for clause in program.clauses if clause.id == verdict.rule), None)
    if deciding is None:
        return "", {}
    if deciding.collects is None:
        return deciding.say, dict(deciding.actions)
    heard = [
        clause
        for clause in program.clauses
        if clause.id in verdict.fired
        and clause.collects == deciding.collects
        and clause.outcome == deciding.outcome
    ]
    names = dict.fromkeys(name for clause in heard for name in clause.actions)
    known = POLICIES[program.policy].actions
    actions = {
        name: _gathered(known[name], [clause.actions[name] for clause in heard if name in clause.actions])
        for name in names
    }
    return "; ".join(dict.fromkeys(clause.say for clause in heard if clause.say)), actions


def _gathered(action: Action, words: Sequence[str]) -> str:
    if not action.gathers:
        return words[0]
    parts = {part for word in words for part in word.split(" and ")}
    together = [value for value in action.values if set(value.split(" and ")) == parts]
    return together[0] if together else ", ".join(dict.fromkeys(words))


def overlapping(rows: Sequence[Clause]) -> Iterator[tuple[Clause, Clause]]:
    """The pairs of rows that one and the same facts can match."""
    for one, two in combinations(rows, 2):
        theirs = {condition.key: condition.spans for condition in two.conditions}
        if all(touching(c.spans, theirs.get(c.key, c.spans)) for c in one.conditions):
            yield one, two


@dataclass(frozen=True, slots=True)
class Box:
    """A step or one alternative of it. Boxes of a step never meet.

    ``terms`` are the engine's tests in its order: each is one point, or open at one end.
    """

    step: Step
    terms: tuple[Term, ...]

    @property
    def first(self) -> Term:
        """The test the engine meets first."""
        return self.terms[0]


def box_count(step: Step) -> int:
    """How many boxes a step falls into."""
    return prod(len(condition.spans) for condition in step.conditions)


def boxes(step: Step) -> Iterator[Box]:
    """The step as boxes: ``A, C`` makes two. Without any condition it rests on the marker."""
    keys = [condition.key for condition in step.conditions]
    for spans in product(*(condition.spans for condition in step.conditions)):
        terms = [term for key, span in zip(keys, spans, strict=True) for term in _terms(key, span)]
        # Points first: few of them are true at once, so that large tables need fewer shards.
        terms.sort(key=lambda term: term[1][0] != term[1][1])
        yield Box(step, tuple(terms) or (MARKER,))


def _terms(key: str, span: Span) -> tuple[Term, ...]:
    (low, high), (lowest, highest) = span, EVERYTHING[0]
    if low in (high, lowest) or high == highest:
        return ((key, span),)
    return (key, (low, highest)), (key, (lowest, high))


def first_tests(steps: Sequence[Step]) -> int:
    """Number of different first tests the engine would hold."""
    return len({box.first for step in steps for box in boxes(step)})


def most_true_at_once(firsts: Sequence[Span]) -> int:
    """The largest number of these spans (all of one figure) that one figure can lie in."""
    ends = sorted((end for low, high in firsts for end in ((low, 1), (high + 1, -1))))
    most = now = 0
    for _, step in ends:
        now += step
        most = max(most, now)
    return most


def shards(steps: Sequence[Step]) -> Iterator[tuple[Box, ...]]:
    """The boxes in file order, cut so that no fact passes more than ``MAX_TRUE_AT_ONCE`` first tests.

    The engine walks its tests depth first, so what waits on its stack never outnumbers the boxes
    whose first test is true. One place is kept for the marker rule.
    """
    shard: list[Box] = []
    firsts: dict[str, list[Span]] = {}
    most: dict[str, int] = {}
    for box in (box for step in steps for box in boxes(step)):
        name, span = box.first
        count = most_true_at_once([*firsts.get(name, ()), span])
        if sum(most.values()) - most.get(name, 0) + count >= MAX_TRUE_AT_ONCE:
            yield tuple(shard)
            shard, firsts, most, count = [], {}, {}, 1
        shard.append(box)
        firsts.setdefault(name, []).append(span)
        most[name] = count
    yield tuple(shard)
