"""A rule file: read, checked against the vocabulary, versioned by its sha256, proved by its own tests.

The format (all keys lower case, texts as written, units in the cells)::

    policy: credit
    currency: EUR
    strictest_first: [hold, refer, approve]
    otherwise: refer
    rules:
      - {id: R1, when: {overdue_days: "> 14"}, then: hold, say: Settle first}
    tables:
      - id: T1
        hit: unique                      # or first
        columns: [risk_class, exposure_percent, then, queue]
        rows:
          - ["B, C", "> 100 %", refer, credit team]
    tests:
      - {name: late, given: {overdue_days: 15}, expect: hold, by: R1}

A file is taken whole or not at all: ``load`` gathers every fault with its line and column. It
never runs anything but the closures, so a file that is only looked at never reaches the engine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files

from o2c.errors import Broken
from rules.cells import CellFault, CellReader
from rules.clauses import ClauseReader
from rules.closures import ClosureExecutor
from rules.compile import Clause, Encoder, Program
from rules.document import Entries, Faults, Shape, read, unknown
from rules.vocabulary import POLICIES, Policy

_TOP = ("policy", "currency", "strictest_first", "otherwise", "rules", "tables", "tests")
_TEST = ("name", "given", "expect", "by")


@dataclass(frozen=True, slots=True)
class Example:
    """One test in a rule file. ``figures`` are complete; ``by`` names the clause that must decide."""

    name: str
    figures: Mapping[str, int]
    expect: str
    by: str | None
    place: str


@dataclass(frozen=True, slots=True)
class Rulebook:
    """One checked version of one policy. ``sha256`` is the hex digest of ``content``, byte for byte."""

    policy: str
    name: str
    sha256: str
    content: bytes
    currency: str | None
    program: Program
    examples: tuple[Example, ...]


def default_content(policy: str) -> bytes:
    """The rule file we ship for ``policy``; an admin copies and edits it."""
    if policy not in POLICIES:
        raise Broken("policy-unknown", unknown(policy, "policy", POLICIES))
    return files("rules").joinpath(f"{policy}.yaml").read_bytes()


def load(content: bytes, *, name: str) -> Rulebook:
    """The rulebook in these bytes; ``Refused('rulebook-invalid')`` with one fault per mistake.

    ``name`` is how messages call the file. Each fault's pointer reads ``line 7, column 12``.
    """
    faults = Faults(name)
    top = read(content, faults)
    head = _head(top, faults)
    clauses = head.clauses(top)
    faults.refuse_if_any()
    program = Program(head.policy.name, sha256(content).hexdigest(), head.otherwise, clauses)
    examples = head.examples(top, program)
    faults.refuse_if_any()
    _run(examples, program, head.cells.currency, faults)
    faults.refuse_if_any()
    return Rulebook(program.policy, name, program.sha256, content, head.cells.currency, program, examples)


def _run(examples: Iterable[Example], program: Program, currency: str | None, faults: Faults) -> None:
    executor = ClosureExecutor(program, currency)
    for example in examples:
        verdict = executor.run(example.figures)
        if example.expect != verdict.outcome or example.by not in (None, verdict.rule or "otherwise"):
            wanted = f"{example.expect} by {example.by}" if example.by else example.expect
            got = f"{verdict.outcome} by {verdict.rule or 'otherwise'}"
            message = f"test {example.name!r} expects {wanted}, but got {got}."
            faults.add(example.place, "test-failed", message)


def _head(top: Entries, faults: Faults) -> _Head:
    """Everything above the rules: which policy, currency and order of outcomes."""
    shape = Shape(faults)
    shape.only(top, _TOP, ("policy", "strictest_first", "otherwise"))
    name = shape.word(top, "policy", POLICIES, "policy")
    currency = shape.text(top, "currency")
    if currency and not re.fullmatch("[A-Z]{3}", currency.value):
        faults.add(currency.place, "wrong-type", "currency is an ISO 4217 code such as EUR.")
    if name is None:
        faults.refuse()
    policy = POLICIES[name.value]
    order = [text for node in shape.items(top, "strictest_first") if (text := shape.as_text(node))]
    for position, text in enumerate(order):
        if text.value not in policy.outcomes:
            faults.unknown(text, "outcome", policy.outcomes)
        elif text.value in [earlier.value for earlier in order[:position]]:
            faults.add(text.place, "duplicate-key", f"outcome {text.value!r} is listed twice.")
    outcomes = tuple(text.value for text in order)
    otherwise = shape.word(top, "otherwise", outcomes, "outcome")
    faults.refuse_if_any()
    cells = CellReader(policy.facts, currency.value if currency else None)
    return _Head(policy, cells, outcomes, otherwise.value if otherwise else "", shape, faults)


@dataclass(frozen=True, slots=True)
class _Head:
    """What stands above the rules, and the tools to read the rest with."""

    policy: Policy
    cells: CellReader
    outcomes: tuple[str, ...]
    otherwise: str
    shape: Shape
    faults: Faults

    def clauses(self, top: Entries) -> tuple[Clause, ...]:
        """The file's rules and tables."""
        return ClauseReader(self.policy, self.cells, self.outcomes, self.shape, self.faults).read(top)

    def examples(self, top: Entries, program: Program) -> tuple[Example, ...]:
        """The file's tests, with neutral figures for whatever they do not give."""
        names = [*(clause.id for clause in program.clauses), "otherwise"]
        encoder = Encoder(program)
        found = [self._example(test, names, encoder) for test in self.shape.mappings(top, "tests")]
        return tuple(example for example in found if example)

    def _example(self, test: Entries, names: Iterable[str], encoder: Encoder) -> Example | None:
        self.shape.only(test, _TEST, ("name", "given", "expect"))
        name, given = self.shape.text(test, "name"), test.get("given")
        expect = self.shape.word(test, "expect", self.outcomes, "outcome")
        by = self.shape.word(test, "by", names, "rule")
        fields = self.shape.as_entries(given) if given else None
        if name is None or expect is None or fields is None:
            return None
        neutral = {fact.name: fact.encode(fact.neutral) for fact in self.policy.facts.values()}
        figures = encoder.complete(neutral | self._given(fields))
        return Example(name.value, figures, expect.value, by.value if by else None, test.place)

    def _given(self, fields: Entries) -> dict[str, int]:
        found: dict[str, int] = {}
        for key, node in fields.values:
            if key.value not in self.policy.facts:
                self.faults.unknown(key, "field", self.policy.facts)
            elif text := self.shape.as_text(node):
                try:
                    found[key.value] = self.cells.value(self.policy.facts[key.value], text.value)
                except CellFault as fault:
                    self.faults.add(text.place, fault.code, str(fault))
        return found
