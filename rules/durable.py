"""The cage around durable-rules 2.0.28: the only file that knows the engine.

Used as its documentation shows it, the engine can kill the process (background threads, sessions
left behind, deleting an untouched session, division, too many tests). So: no background thread;
one session per decision, deleted afterwards; one lock per ruleset; a marker rule that always
fires; integers only; no arithmetic; shards within the engine's limits; actions that only note a
number. ``run`` raises on anything odd and the caller falls back to ``otherwise``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
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
        self._positions: dict[str, dict[str, int]] = {}  # of the rules of each shard, by their names
        self._fields = tuple(dict.fromkeys(c.key for clause in program.clauses for c in clause.conditions))
        self._host = _Host()
        self._names = tuple(
            self._register(f"{program.policy}@{program.sha256}/{number}", shard)
            for number, shard in enumerate(shards(program.clauses))
        )

    def _register(self, name: str, shard: tuple[Box, ...]) -> str:
        positions = {f"b{n}": box.clause.position for n, box in enumerate(shard)}
        rules = {f"b{n}": _rule(box.terms, box.clause.position) for n, box in enumerate(shard)}
        rules["marker"] = _rule((MARKER,), _MARK)
        self._host.register_rulesets({name: rules})
        self._positions[name] = positions | {"marker": _MARK}
        return name

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
        noted: list[int] = []
        try:
            self._fire(name, {**fact, MARKER[0]: 1, "id": session, "sid": session}, noted)
        finally:
            self._delete(name, session, ran=bool(noted))
        if noted.count(_MARK) != 1:
            raise Broken("engine-marker", f"the marker rule of {name} did not fire once: {noted}.")
        return [position for position in noted if position != _MARK]

    def _fire(self, name: str, fact: Mapping[str, int | str], noted: list[int]) -> None:
        """Assert a fact and take each rule that fires, by priority, until none is left.

        This is the loop that the engine's own Python layer runs around its C part. Driven from here it
        needs no callback, no copy of the state and no thread, and an action cannot fail unseen.
        """
        core, positions = engine.durable_rules_engine, self._positions[name]
        handle = self._host.get_ruleset(name)._handle
        status, session = core.assert_fact(handle, json.dumps(fact))
        if status:
            raise Broken("engine-fact", f"{name} did not take the fact (status {status}).")
        started = core.start_action_for_state(handle, session)
        message = started[1] if started else None
        while message:
            noted += [positions[rule] for rule in json.loads(message)]
            if len(noted) > len(positions):
                raise Broken("engine-loop", f"{name} fires without end.")
            message = core.complete_and_start_action(handle, session)

    def _delete(self, name: str, session: str, *, ran: bool) -> None:
        # Deleting a session in which no action ran reads freed memory and ends the process: lose it instead.
        if ran:
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


def _rule(terms: tuple[Term, ...], position: int) -> dict[str, Any]:
    tests = [_term(key, span) for key, span in terms]
    test = {"$and": tests} if len(tests) > 1 else tests[0]
    return {"pri": position + 2, "all": [{"m": test}], "run": _never}


def _never(_: Any) -> None:
    """The engine wants an action for each rule; ours are taken by name (see ``_fire``)."""


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
