"""The rule files of one company, each from its instant on.

The history is read every few seconds, future activations with it. Which file decides is then
settled at every single decision, by the clock of whoever decides: a file that is active from noon
decides at noon and not a second before, in every process that has heard of it by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from threading import Lock
from typing import Any

import structlog
from sqlalchemy import Connection

from gateway.stages.shadow import Shadow
from gateway.store import companies, rulefiles
from gateway.store.companies import Company
from gateway.store.rulefiles import Activation, Schedule
from o2c.decision import Decision, FactValue
from o2c.errors import Broken, O2CError, Refused
from o2c.ports import Clock
from rules.closures import ClosureExecutor
from rules.compile import Codes, Executor, Program, Verdict
from rules.decider import RuleDecider
from rules.durable import CagedRuleset
from rules.rulebook import Rulebook, default_content, load

DEFAULTS = "o2c defaults"  # who activated the files that a company starts with
_log = structlog.get_logger()


# --- reading what a company decides by -----------------------------------------------------------
@lru_cache(maxsize=256)
def kept_book(policy: str, content: bytes) -> Rulebook:
    """The rule file in kept bytes, read once per process: many companies share one.

    It has been accepted before: a check that is newer than the file does not take it out of force.
    """
    return load(content, name=f"{policy}.yaml", accepted=True)


@dataclass(frozen=True, slots=True)
class Files:
    """What decides when; the files in force and to come, by SHA-256; the shadow runs."""

    schedule: Schedule
    books: Mapping[str, Rulebook]
    shadows: tuple[Shadow, ...]


def give_defaults(connection: Connection, company_id: str, policies: Iterable[str], at: datetime) -> None:
    """Our own files decide these policies from ``at`` on, where nothing was in force yet."""
    companies.lock(connection, company_id)
    known = {one.policy for one in rulefiles.history(connection, company_id)}
    for policy in policies:
        if policy not in known:
            content = default_content(policy)
            book = kept_book(policy, content)
            rulefiles.keep(connection, company_id, policy, book.sha256, content, at)
            first = Activation(policy, 1, book.sha256, at, DEFAULTS, at)
            rulefiles.activate(connection, company_id, first)


def read_files(
    connection: Connection,
    owner: Company,
    at: datetime,
    loaded: Callable[[str, bytes], Rulebook] = kept_book,
) -> Files:
    """Everything the company decides by from ``at`` on.

    A file that a newer release does not take any more never replaces one that it takes: the one before
    it stays in force, and the log says so. ``Refused`` where a policy would be left without any.
    """
    schedule = rulefiles.schedule(connection, owner.company_id)
    running = rulefiles.shadows(connection, owner.company_id)
    books: dict[str, Rulebook] = {}
    refused: dict[str, O2CError] = {}
    while True:
        due = (*schedule.in_force(at).values(), *schedule.coming(at))
        wanted = {one.sha256: one.policy for one in due} | {row.sha256: row.policy for row in running}
        new = wanted.keys() - books.keys() - refused.keys()
        for sha256, content in rulefiles.contents(connection, owner.company_id, new).items():
            try:
                books[sha256] = fitting(loaded(wanted[sha256], content), owner)
            except O2CError as error:
                refused[sha256] = error
                _log.error(
                    "a rule file is not taken", company=owner.company_id, sha256=sha256, why=str(error)
                )
        bare = [one for one in schedule.in_force(at).values() if one.sha256 in refused]
        if not bare and not refused.keys() & {one.sha256 for one in due}:
            break
        schedule = schedule.without(refused)
        for one in bare:
            if schedule.at(one.policy, at) is None:
                raise refused[one.sha256]
    shadows = (_shadow(row, books[row.sha256]) for row in running if row.sha256 in books)
    return Files(schedule, books, tuple(shadows))


def _shadow(row: Any, book: Rulebook) -> Shadow:
    decider = RuleDecider({book.policy: book}, engine=ClosureExecutor)  # no engine: nothing to free
    return Shadow(row.proposal_id, row.policy, row.base_sha256, decider)


def fitting(book: Rulebook, owner: Company) -> Rulebook:
    """The file, if its amounts are in the company's currency; ``Refused('rulebook-currency')``."""
    if book.currency not in (None, owner.currency):
        raise Refused(
            "rulebook-currency",
            f"{owner.company_id} keeps its books in {owner.currency}; the {book.policy} rules are in"
            f" {book.currency}.",
            next_step="Write the amounts in the company's currency.",
        )
    return book


# --- deciding by the clock -----------------------------------------------------------------------
class InForce:
    """Decides by the file that is due. Thread-safe; one engine per policy at a time.

    ``engine`` builds it from a program; ``alarm`` hears of every decision that it failed to make.
    """

    def __init__(
        self,
        engine: Callable[[Program], Executor] = CagedRuleset,
        alarm: Callable[[Decision], None] = lambda _: None,
    ) -> None:
        self._schedule = Schedule()
        self._books: Mapping[str, Rulebook] = {}
        self._decider = RuleDecider({}, engine=partial(_built, engine), alarm=alarm)
        self._current: dict[str, str] = {}  # policy -> SHA-256 of the file that the engine holds
        self._switching = Lock()

    def learn(self, schedule: Schedule, books: Mapping[str, Rulebook]) -> None:
        """Go by this history from now on. ``books`` (by SHA-256) holds what it names from now on;
        earlier ones stay known, for whoever still works at an earlier instant."""
        with self._switching:
            self._books = {**self._books, **books}
            self._schedule = schedule

    def decide(self, policy: str, facts: Mapping[str, FactValue], at: datetime) -> Decision:
        """One decision by the file in force at ``at``; ``Broken('rulebook-missing')`` without one."""
        due = self._due(policy, at)
        if self._current.get(policy) == due.sha256:
            decision = self._decider.decide(policy, facts)
            if decision.rulebook_sha == due.sha256:  # nobody switched in between
                return decision
        with self._switching:
            if self._current.get(policy) != due.sha256:
                self._decider.replace(due)
                self._current[policy] = due.sha256
            return self._decider.decide(policy, facts)

    def _due(self, policy: str, at: datetime) -> Rulebook:
        activation = self._schedule.at(policy, at)
        if activation is None or activation.sha256 not in self._books:
            raise Broken("rulebook-missing", f"no rule file is in force for policy {policy!r} at {at}.")
        return self._books[activation.sha256]

    def close(self) -> None:
        """Free the engine."""
        with self._switching:
            self._current.clear()
            self._decider.close()


@dataclass(frozen=True, slots=True)
class ByTheClock:
    """Implements ``o2c.ports.Decider``: the files in force, at each decision, by this clock."""

    in_force: InForce
    clock: Clock

    def decide(self, policy: str, facts: Mapping[str, FactValue]) -> Decision:
        """One decision."""
        return self.in_force.decide(policy, facts, self.clock.now())


def _built(engine: Callable[[Program], Executor], program: Program) -> Executor:
    try:
        return engine(program)
    except Exception as error:  # cage: an engine that will not start must not cost us an order
        _log.exception("the rule engine does not take a file", policy=program.policy, sha256=program.sha256)
        return _NoEngine(f"the rule engine does not take this file: {type(error).__name__}: {error}")


class _NoEngine:
    """Stands where an engine could not be built: every decision goes to a person, with the reason."""

    def __init__(self, words: str) -> None:
        self._words = words

    def run(self, _codes: Codes) -> Verdict:
        raise Broken("engine-out-of-service", self._words)

    def close(self) -> None:
        pass
