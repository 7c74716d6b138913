"""The only place that names concrete adapters: settings in, desks out.

Heavy imports happen inside the functions that need them, so that the command line stays quick.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection

from connectors.file_drop import FileDrop
from connectors.mail import Mail, MailServer
from connectors.webhook import post
from formats.validation import Validator
from gateway.clock import FixedClock, SystemClock
from gateway.settings import Settings
from gateway.stages import receive
from gateway.stages.desk import Desk
from gateway.stages.gathering import Gathering
from gateway.stages.in_force import ByTheClock, Files, InForce, give_defaults, read_files
from gateway.stages.shadow import Shadow
from gateway.store import companies, migrate, numbers
from gateway.store.companies import Company
from gateway.store.database import Database
from o2c.decision import Decision
from o2c.errors import Refused
from o2c.ports import Clock, DeliveryChannel
from rules.compile import Executor, Program
from rules.durable import CagedRuleset

T = TypeVar("T")
# How long another process's change of a company's settings, rule files or endpoints may go unseen.
MEMORY_SECONDS = 10.0
POLICIES = ("credit", "stock", "dunning", "cash")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Known:
    company: Company
    in_force: InForce
    shadows: tuple[Shadow, ...]
    until: float


@dataclass(slots=True)
class House:
    """One installation: the database, the ports, and the desks of its companies."""

    settings: Settings
    database: Database
    validator: Validator
    channels: Mapping[str, DeliveryChannel]
    post_event: Callable[[str, str, str, datetime, bytes], int]
    clock: Clock = field(default_factory=SystemClock)
    engine: Callable[[Program], Executor] = CagedRuleset
    _known: dict[str, _Known] = field(default_factory=dict)
    _changes: dict[str, int] = field(default_factory=dict)  # how often `forget` was called
    _intakes: dict[str, Gathering[Any, Any]] = field(default_factory=dict)
    _in_force: dict[str, InForce] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def desk(self, company_id: str, actor: str = "o2c") -> Desk:
        """The desk of one company; ``NotFound('company')``. Sandbox companies live by their own clock."""
        known = self._company(company_id)
        clock = self.clock
        if known.company.sandbox_at is not None:
            with self.database.read() as connection:
                clock = FixedClock(companies.sandbox_time(connection, company_id) or clock.now())
        return Desk(
            known.company,
            self.database,
            clock,
            ByTheClock(known.in_force, clock),
            self.validator,
            self.channels,
            self.post_event,
            self._intake(company_id),
            actor,
            known.shadows,
            self.beside,
        )

    def beside(self, desk: Desk, unit: Callable[[Any], T]) -> T:
        """Implements ``desk.Beside``."""
        from gateway import beside  # which opens a house of its own

        start = beside.Start(self.settings, self.clock, desk.company_id, desk.actor)
        return self.database.until_it_holds(lambda: beside.work(start, unit))

    def companies(self) -> list[str]:
        """Every company's code."""
        with self.database.read() as connection:
            return companies.codes(connection)

    def forget(self, company_id: str) -> None:
        """Read the company again at the next desk: its settings or rule files have changed."""
        with self._lock:
            self._known.pop(company_id, None)
            self._changes[company_id] = self._changes.get(company_id, 0) + 1

    def _intake(self, company_id: str) -> Gathering[Any, Any]:
        """Where this company's orders gather; one for all desks of the process."""
        with self._lock:
            return self._intakes.setdefault(company_id, Gathering(receive.receive_set))

    def _company(self, company_id: str) -> _Known:
        while True:
            with self._lock:
                known, changes = self._known.get(company_id), self._changes.get(company_id)
                in_force = self._in_force.get(company_id) or self._fresh_rules(company_id)
            if known is not None and known.until > time.monotonic():
                return known
            until = time.monotonic() + MEMORY_SECONDS
            company, files = self._read(company_id)
            with self._lock:
                if self._changes.get(company_id) == changes:  # else what we have read is old already
                    in_force.learn(files.schedule, files.books)
                    self._known[company_id] = _Known(company, in_force, files.shadows, until)
                    return self._known[company_id]

    def _fresh_rules(self, company_id: str) -> InForce:
        alarm = partial(_alarm, company_id)
        return self._in_force.setdefault(company_id, InForce(lambda p: self.engine(p), alarm))

    def _read(self, company_id: str) -> tuple[Company, Files]:
        with self.database.read() as connection:
            company = companies.find(connection, company_id)
            now = company.sandbox_at or self.clock.now()
            files = read_files(connection, company, now)
        missing = [policy for policy in POLICIES if policy not in files.schedule.policies]
        if not missing:
            return company, files
        # The company is older than a policy: it starts with our file.
        self.database.write(lambda c: give_defaults(c, company_id, missing, now))
        return self._read(company_id)

    def add_company(self, new: Company) -> None:
        """A company ready to work: number series at 1 and our default rule files.
        ``Refused('company-exists')`` if the code is taken."""
        now = new.sandbox_at or self.clock.now()
        if new.company_id in self.companies():
            raise Refused("company-exists", f"there is a company {new.company_id} already.")

        def unit(connection: Connection) -> None:
            companies.add(connection, new, now)
            numbers.open_series(connection, new.company_id, new.profile.series)
            give_defaults(connection, new.company_id, POLICIES, now)

        self.database.write(unit)

    def close(self) -> None:
        """Let the rule engines and the database go."""
        with self._lock:
            self._known.clear()
            engines, self._in_force = list(self._in_force.values()), {}
        for in_force in engines:
            in_force.close()
        self.database.close()


def _alarm(company_id: str, decision: Decision) -> None:
    """A decision fell back to ``otherwise``: nothing is lost, but somebody has to look."""
    _log.error(
        "rules failed",
        company=company_id,
        policy=decision.policy,
        outcome=decision.outcome,
        rulebook=decision.rulebook_sha,
        alarm=decision.alarm,
    )


def open_house(settings: Settings | None = None) -> House:
    """Open (and migrate) the installation that the settings describe."""
    settings = settings or Settings()
    if settings.database_url.startswith("sqlite:///"):
        Path(settings.database_url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url)
    migrate.upgrade(database)
    clock = SystemClock()
    return House(
        settings,
        database,
        Validator(settings.rules_cache),
        _channels(settings, clock),
        _poster(settings.webhook_private_hosts),
        clock,
    )


def _channels(settings: Settings, clock: Clock) -> dict[str, DeliveryChannel]:
    channels: dict[str, DeliveryChannel] = {"folder": FileDrop(settings.outbox_dir)}
    if settings.smtp_host:
        server = MailServer(
            settings.smtp_host,
            settings.smtp_sender,
            port=settings.smtp_port,
            starttls=settings.smtp_starttls,
            user=settings.smtp_user or None,
            password=settings.smtp_password or None,
        )
        channels["mail"] = Mail(server, clock)
    return channels


def _poster(private_hosts: bool) -> Callable[[str, str, str, datetime, bytes], int]:
    def post_event(url: str, secret: str, message_id: str, at: datetime, body: bytes) -> int:
        return post(url, secret, message_id, at, body, private_hosts=private_hosts).status

    return post_event
