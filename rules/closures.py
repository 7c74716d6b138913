"""A program as plain Python closures: the second executor.

It cross-checks every decision of the engine, runs the tests in a rule file, replays past
decisions, and says in words why a rule did not fire. Pure: no engine, no state, no lock.
"""

from __future__ import annotations

from collections.abc import Callable

from o2c.decision import Unmet
from o2c.money import minor_digits
from rules.cells import Condition
from rules.compile import Clause, Codes, Program, Verdict

_Check = Callable[[Codes], bool]


def _check(condition: Condition) -> _Check:
    key, spans = condition.key, condition.spans
    if len(spans) == 1:
        low, high = spans[0]
        return lambda codes: low <= codes[key] <= high
    return lambda codes: any(low <= codes[key] <= high for low, high in spans)


class ClosureExecutor:
    """Decides by running through the clauses in file order."""

    def __init__(self, program: Program, currency: str | None = None) -> None:
        self._program = program
        self._digits = minor_digits(currency) if currency else 2
        self._clauses = tuple(
            (clause, tuple((_check(c), c) for c in clause.conditions)) for clause in program.clauses
        )

    def run(self, codes: Codes) -> Verdict:
        """The strictest outcome of all clauses that hold; of equals, the first in the file."""
        fired: list[Clause] = []
        tables: set[str] = set()
        for clause, checks in self._clauses:
            if clause.first_of in tables or not all(check(codes) for check, _ in checks):
                continue
            fired.append(clause)
            if clause.first_of:
                tables.add(clause.first_of)
        if not fired:
            return Verdict(self._program.otherwise, None, ())
        best = min(fired, key=lambda clause: clause.rank)
        return Verdict(best.outcome, best.id, tuple(clause.id for clause in fired))

    def why_not(self, codes: Codes) -> tuple[Unmet, ...]:
        """Each clause that did not fire, with its untrue conditions and the actual figures."""
        found: list[Unmet] = []
        hit: dict[str, str] = {}
        for clause, checks in self._clauses:
            unmet = tuple(self._words(c, codes) for check, c in checks if not check(codes))
            table = clause.first_of
            if not unmet and table in hit:
                unmet = (f"row {hit[table]} came first",)
            elif not unmet and table:
                hit[table] = clause.id
            if unmet:
                found.append(Unmet(clause.id, unmet))
        return tuple(found)

    def _words(self, condition: Condition, codes: Codes) -> str:
        facts = self._program.facts
        field = condition.field
        figure = facts[field].show(codes[field], self._digits)
        if condition.minus is None:
            return f"{condition.text} (is {figure})"
        other = facts[condition.minus].show(codes[condition.minus], self._digits)
        return f"{condition.text} ({field} is {figure}, {condition.minus} is {other})"

    def close(self) -> None:
        """Nothing is held."""
