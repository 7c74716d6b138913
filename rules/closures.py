"""A program as plain Python closures: the second executor.

It cross-checks every decision of the engine, runs the tests in a rule file, replays past
decisions, and says in words why a rule did not fire. Pure: no engine, no state, no lock.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, partial

from o2c.decision import Unmet
from o2c.money import minor_digits
from rules.cells import Condition
from rules.compile import Clause, Codes, Program, Verdict

_Check = Callable[[Codes], bool]
_Teller = Callable[[Codes], str]


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
        digits = minor_digits(currency) if currency else 2
        # A figure is shown by many conditions, and most figures come again: their words are kept.
        self._shown = {
            name: lru_cache(maxsize=512)(partial(fact.show, money_digits=digits))
            for name, fact in program.facts.items()
        }
        self._clauses = tuple(
            (clause, tuple((_check(c), self._teller(c)) for c in clause.conditions))
            for clause in program.clauses
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
            unmet = tuple(tell(codes) for check, tell in checks if not check(codes))
            table = clause.first_of
            if not unmet and table in hit:
                unmet = (f"row {hit[table]} came first",)
            elif not unmet and table:
                hit[table] = clause.id
            if unmet:
                found.append(Unmet(clause.id, unmet))
        return tuple(found)

    def _teller(self, condition: Condition) -> _Teller:
        text, field, minus = condition.text, condition.field, condition.minus
        one = self._shown[field]
        if minus is None:
            return lambda codes: f"{text} (is {one(codes[field])})"
        other = self._shown[minus]
        return lambda codes: f"{text} ({field} is {one(codes[field])}, {minus} is {other(codes[minus])})"

    def close(self) -> None:
        """Nothing is held."""
