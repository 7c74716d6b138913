"""The cage around durable-rules 2.0.28: the only file that knows the engine.

Used as its documentation shows it, the engine can kill the process (background threads, sessions
left behind, deleting an untouched session, division, too many tests). So: no background thread;
one session per decision, deleted afterwards; one lock per ruleset; a marker rule that always
fires; integers only; no arithmetic; shards within the engine's limits; actions that only note a
number. ``run`` raises on anything odd and the caller falls back to ``otherwise``.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from importlib.metadata import version
from itertools import count
from threading import Lock
from typing import Any

from o2c.errors import Broken
from rules.compile import MARKER, Box, Clause, Codes, Program, Term, Verdict, shards
from rules.spans import EVERYTHING, Span

ENGINE = f"durable-rules {version('durable-rules')}"
_MARK = -1  # what the marker rule notes
_MAX_LOST_SESSIONS = 16  # sessions that could not be deleted; the engine holds 1024


# The engine's C part names a function it never calls and that Python 3.13 dropped: bound lazily, it
# is never looked for.
_flags = sys.getdlopenflags()
sys.setdlopenflags(os.RTLD_LAZY)
try:
    from durable import engine
finally:
    sys.setdlopenflags(_flags)


class _Host(engine.Host):  # type: ignore[misc]  # the engine has no types
    """A host without the two timer threads that crash when sessions are deleted."""

    def _run(self) -> None:
        pass


class CagedRuleset:
    """One program in the engine. Thread-safe; ``close`` only when nobody is inside."""

    def __init__(self, program: Program) -> None:
        self._clauses = program.clauses
        self._otherwise = program.otherwise
        self._lock = Lock()
        self._session = count(1)
        self._lost = 0
        self._noted: list[int] = []
        self._fields = tuple(dict.fromkeys(c.key for clause in program.clauses for c in clause.conditions))
        self._host = _Host()
        self._names = tuple(
            self._register(f"{program.policy}@{program.sha256}/{number}", shard)
            for number, shard in enumerate(shards(program.clauses))
        )

    def _register(self, name: str, shard: tuple[Box, ...]) -> str:
        rules = {f"b{n}": self._rule(box.terms, box.clause.position) for n, box in enumerate(shard)}
        rules["marker"] = self._rule((MARKER,), _MARK)
        self._host.register_rulesets({name: rules})
        return name

    def _rule(self, terms: tuple[Term, ...], position: int) -> dict[str, Any]:
        tests = [_term(key, span) for key, span in terms]
        test = {"$and": tests} if len(tests) > 1 else tests[0]
        return {"pri": position + 2, "all": [{"m": test}], "run": self._noting(position)}

    def _noting(self, position: int) -> Callable[[Any], None]:
        # Exactly one argument and no default: the engine takes any other function for an async one.
        def note(_: Any) -> None:
            self._noted.append(position)

        return note

    def run(self, codes: Codes) -> Verdict:
        """The verdict on these figures; ``Broken`` or the engine's own error where it fails."""
        with self._lock:
            if self._lost > _MAX_LOST_SESSIONS or not self._names:
                raise Broken("engine-out-of-service", "durable-rules failed too often or is closed.")
            fact = {key: codes[key] for key in self._fields}
            noted = [position for name in self._names for position in self._ask(name, fact)]
        return _verdict([self._clauses[position] for position in noted], self._otherwise)

    def _ask(self, name: str, fact: Mapping[str, int]) -> list[int]:
        session = str(next(self._session))
        self._noted = []
        try:
            state = self._host.assert_fact(name, {**fact, MARKER[0]: 1, "id": session, "sid": session})
        finally:
            self._delete(name, session)
        if "exception" in state:
            raise Broken("engine-action", f"an action of {name} failed: {state['exception']}")
        if self._noted.count(_MARK) != 1:
            raise Broken("engine-marker", f"the marker rule of {name} did not fire once: {self._noted}.")
        return [position for position in self._noted if position != _MARK]

    def _delete(self, name: str, session: str) -> None:
        # Deleting a session in which no action ran reads freed memory and ends the process: lose it instead.
        if self._noted:
            self._host.delete_state(name, session)
        else:
            self._lost += 1

    def close(self) -> None:
        """Frees the engine's memory. All sessions are gone by then, except the lost ones."""
        with self._lock:
            names, self._names = self._names, ()
            if not self._lost:
                for name in names:
                    engine.durable_rules_engine.delete_ruleset(self._host.get_ruleset(name)._handle)


def _term(key: str, span: Span) -> dict[str, Any]:
    low, high = span
    if low == high:
        return {key: low}
    return {"$gte": {key: low}} if low > EVERYTHING[0][0] else {"$lte": {key: high}}


def _verdict(fired: list[Clause], otherwise: str) -> Verdict:
    """What the engine's firings amount to. They come by priority, so a table's first row is first."""
    kept: list[Clause] = []
    for clause in fired:
        if clause.first_of is None or all(other.first_of != clause.first_of for other in kept):
            kept.append(clause)
    deciding: Clause | None = None
    for clause in kept:
        if deciding is None or clause.rank < deciding.rank:
            deciding = clause
    if deciding is None:
        return Verdict(otherwise, None, ())
    return Verdict(deciding.outcome, deciding.id, tuple(clause.id for clause in kept))
