"""The tests in a rule file: facts given, outcome expected, and the rule that must say so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.cells import CellFault, CellReader
from rules.closures import ClosureExecutor
from rules.compile import Encoder, Program
from rules.document import Entries, Faults, Shape, Text

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
class ExampleReader:
    """Reads the tests of one file; what they do not give is neutral."""

    program: Program
    cells: CellReader
    outcomes: tuple[str, ...]
    shape: Shape

    def read(self, top: Entries) -> tuple[Example, ...]:
        """Every test, in file order."""
        found = [self._example(test) for test in self.shape.mappings(top, "tests")]
        return tuple(example for example in found if example)

    def _example(self, test: Entries) -> Example | None:
        self.shape.only(test, _TEST, ("name", "given", "expect"))
        name, given = self.shape.text(test, "name"), test.get("given")
        expect = self.shape.word(test, "expect", self.outcomes, "outcome")
        names = [*(clause.id for clause in self.program.clauses), "otherwise"]
        by = self.shape.word(test, "by", names, "rule")
        fields = self.shape.as_entries(given) if given else None
        if name is None or expect is None or fields is None:
            return None
        neutral = {fact.name: fact.encode(fact.neutral) for fact in self.program.facts.values()}
        figures = Encoder(self.program).complete(neutral | self._given(fields))
        return Example(name.value, figures, expect.value, by.value if by else None, test.place)

    def _given(self, fields: Entries) -> dict[str, int]:
        found: dict[str, int] = {}
        for key, node in fields.values:
            fact = self.program.facts.get(key.value)
            if fact is None:
                self._unknown(key)
            elif text := self.shape.as_text(node):
                try:
                    found[key.value] = self.cells.value(fact, text.value)
                except CellFault as fault:
                    self.shape.faults.add(text.place, fault.code, str(fault))
        return found

    def _unknown(self, key: Text) -> None:
        if key.value in self.program.derived:
            message = f"{key.value} is derived; give the facts that it rests on."
            self.shape.faults.add(key.place, "unknown-field", message)
        else:
            self.shape.faults.unknown(key, "field", self.program.facts)


def run(examples: Iterable[Example], program: Program, faults: Faults) -> list[str | None]:
    """Runs a file's tests and notes those that fail; returns which clause decided each."""
    executor, decided = ClosureExecutor(program), []
    for example in examples:
        verdict = executor.run(example.figures)
        decided.append(verdict.rule)
        if example.expect != verdict.outcome or example.by not in (None, verdict.rule or "otherwise"):
            wanted = f"{example.expect} by {example.by}" if example.by else example.expect
            got = f"{verdict.outcome} by {verdict.rule or 'otherwise'}"
            message = f"test {example.name!r} expects {wanted}, but got {got}; mend the rule or the test."
            faults.judge(example.place, "test-failed", message)
    return decided
