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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from threading import Lock
from time import monotonic
from typing import Any

from o2c.errors import Broken
from rules.compile import MARKER, Box, Clause, Codes, Derivation, Program, Step, Term, Verdict, shards
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


@dataclass(frozen=True, slots=True)
class _Shard:
    """One ruleset of the engine: its ``name`` there, and the position of each of its rules by name."""

    name: str
    positions: Mapping[str, int]
    rules: str  # what it holds, in words for an alarm


class CagedRuleset:
    """One program in the engine. Thread-safe; ``close`` only when nobody is inside.

    Each stratum of the program (derived facts level by level, then the clauses) is asked in turn; what
    one derives is part of the fact that the next one sees. ``seconds`` is how long a decision may take.
    """

    def __init__(self, program: Program, *, seconds: float = 1.0) -> None:
        self._steps = program.steps
        self._otherwise = program.otherwise
        self._seconds = seconds
        self._lock = Lock()
        self._session = count(1)
        self._lost = 0
        tested = dict.fromkeys(c.key for step in program.steps for c in step.conditions)
        self._fields = tuple(key for key in tested if key not in program.derived)
        self._nothing_derived = dict.fromkeys(program.derived, 0)
        self._host = _Host()
        self._strata = tuple(
            tuple(
                self._register(f"{program.policy}@{program.sha256}/{level}.{number}", shard)
                for number, shard in enumerate(shards(stratum))
            )
            for level, stratum in enumerate(program.strata)
        )

    def _register(self, name: str, shard: tuple[Box, ...]) -> _Shard:
        positions = {f"b{n}": box.step.position for n, box in enumerate(shard)}
        rules = {f"b{n}": _rule(box.terms, box.step.position) for n, box in enumerate(shard)}
        rules["marker"] = _rule((MARKER,), _MARK)
        self._host.register_rulesets({name: rules})
        held = f"{shard[0].step.id} to {shard[-1].step.id}" if shard else "no rule"
        return _Shard(name, positions | {"marker": _MARK}, held)

    def run(self, codes: Codes) -> Verdict:
        """The verdict on these figures; ``Broken`` naming the rule where the engine fails."""
        with self._lock:
            if self._lost > _MAX_LOST_SESSIONS or not self._strata:
                raise Broken("engine-out-of-service", "durable-rules failed too often or is closed.")
            deadline = monotonic() + self._seconds
            fact = {key: codes[key] for key in self._fields} | self._nothing_derived
            fired: list[Step] = []
            for stratum in self._strata:
                found = [at for shard in stratum for at in self._ask(shard, fact, deadline)]
                fired += [self._steps[position] for position in found]
                fact |= {step.fact: 1 for step in fired if isinstance(step, Derivation)}
        return _verdict(fired, self._otherwise)

    def _ask(self, shard: _Shard, fact: Mapping[str, int], deadline: float) -> list[int]:
        session = str(next(self._session))
        noted: list[int] = []
        try:
            self._fire(shard, {**fact, MARKER[0]: 1, "id": session, "sid": session}, noted, deadline)
        except Exception as error:  # the engine raises what it likes; it is told with the rule's name
            raise self._named(shard, noted, error) from error
        finally:
            self._delete(shard.name, session, ran=bool(noted))
        if noted.count(_MARK) != 1:
            words = f"rules {shard.rules}: the marker rule did not fire once: {noted}."
            raise Broken("engine-marker", words)
        return [position for position in noted if position != _MARK]

    def _named(self, shard: _Shard, noted: list[int], error: Exception) -> Broken:
        """The error with the rule it came at: the engine says no more than which rules it has taken."""
        last = next((self._steps[at].id for at in reversed(noted) if at != _MARK), None)
        where = f"after rule {last}" if last else "before any rule fired"
        if isinstance(error, Broken):
            return Broken(error.code, f"rules {shard.rules}, {where}: {error.message}")
        words = f"the rule engine failed in rules {shard.rules}, {where}: {type(error).__name__}: {error}."
        return Broken("engine-failed", words)

    def _fire(self, shard: _Shard, fact: Mapping[str, int | str], noted: list[int], deadline: float) -> None:
        """Assert a fact and take each rule that fires, by priority, until none is left.

        This is the loop that the engine's own Python layer runs around its C part. Driven from here it
        needs no callback, no copy of the state and no thread, and an action cannot fail unseen. Each
        rule can fire once for one fact: more firings than rules is an endless loop.
        """
        core, positions = engine.durable_rules_engine, shard.positions
        handle = self._host.get_ruleset(shard.name)._handle
        status, session = core.assert_fact(handle, json.dumps(fact))
        if status:
            raise Broken("engine-fact", f"the engine did not take the fact (status {status}).")
        started = core.start_action_for_state(handle, session)
        message = started[1] if started else None
        while message:
            noted += [positions[rule] for rule in json.loads(message)]
            if len(noted) > len(positions):
                raise Broken("engine-loop", "the engine fires without end.")
            if monotonic() > deadline:
                raise Broken("engine-timeout", f"the engine took longer than {self._seconds:g} s.")
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
            strata, self._strata = self._strata, ()
            if not self._lost:
                for shard in (shard for stratum in strata for shard in stratum):
                    engine.durable_rules_engine.delete_ruleset(self._host.get_ruleset(shard.name)._handle)


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


def _verdict(fired: Sequence[Step], otherwise: str) -> Verdict:
    """What the engine's firings amount to. They come by priority, so a table's first row is first."""
    kept: list[Clause] = []
    for clause in (step for step in fired if isinstance(step, Clause)):
        if clause.first_of is None or all(other.first_of != clause.first_of for other in kept):
            kept.append(clause)
    deciding: Clause | None = None
    for clause in kept:
        if deciding is None or clause.rank < deciding.rank:
            deciding = clause
    names = (*(step.id for step in fired if isinstance(step, Derivation)), *(clause.id for clause in kept))
    if deciding is None:
        return Verdict(otherwise, None, names)
    return Verdict(deciding.outcome, deciding.id, names)
