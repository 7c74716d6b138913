"""A program as plain Python closures: the second executor.

It cross-checks every decision of the engine, runs the tests in a rule file and replays past
decisions. Pure: no engine, no state, no lock.
"""

from __future__ import annotations

from collections.abc import Callable

from o2c.errors import Broken
from rules.cells import Condition
from rules.compile import Clause, Codes, Program, Step, Verdict

_Check = Callable[[Codes], bool]
_Checks = tuple[_Check, ...]


def _check(condition: Condition) -> _Check:
    key, spans = condition.key, condition.spans
    if len(spans) == 1:
        low, high = spans[0]
        return lambda codes: low <= codes[key] <= high
    return lambda codes: any(low <= codes[key] <= high for low, high in spans)


def _checks(step: Step) -> _Checks:
    return tuple(_check(condition) for condition in step.conditions)


def _holds(step: Step, checks: _Checks, codes: Codes) -> bool:
    try:
        return all(check(codes) for check in checks)
    except Exception as error:  # whatever a rule raises is told with the name of the rule
        words = f"rule {step.id} failed: {type(error).__name__}: {error}."
        raise Broken("rule-failed", words) from error


class ClosureExecutor:
    """Decides by running through the steps: derived facts level by level, then clauses in file order."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._nothing_derived = dict.fromkeys(program.derived, 0)
        self._derivations = tuple((step, _checks(step)) for step in program.derivations)
        self._clauses = tuple((step, _checks(step)) for step in program.clauses)

    def run(self, codes: Codes) -> Verdict:
        """The strictest outcome of all clauses that hold; of equals, the first in the file.

        ``Broken('rule-failed')`` names the rule whose evaluation failed.
        """
        derived, codes = self._derive(codes)
        fired: list[Clause] = []
        tables: set[str] = set()
        for clause, checks in self._clauses:
            if clause.first_of in tables or not _holds(clause, checks, codes):
                continue
            fired.append(clause)
            if clause.first_of:
                tables.add(clause.first_of)
        names = (*derived, *(clause.id for clause in fired))
        if not fired:
            return Verdict(self._program.otherwise, None, names)
        best = min(fired, key=lambda clause: clause.rank)
        return Verdict(best.outcome, best.id, names)

    def _derive(self, codes: Codes) -> tuple[list[str], Codes]:
        """The derivations that fired, and the figures with what they derived."""
        if not self._derivations:
            return [], codes
        known, fired = {**codes, **self._nothing_derived}, []
        for derivation, checks in self._derivations:
            if _holds(derivation, checks, known):
                known[derivation.fact] = 1
                fired.append(derivation.id)
        return fired, known

    def close(self) -> None:
        """Nothing is held."""
