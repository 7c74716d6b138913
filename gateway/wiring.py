"""The only place that names concrete adapters: settings in, desks out.

Heavy imports happen inside the functions that need them, so that the command line stays quick.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

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
from gateway.store import companies, migrate, numbers
from gateway.store.companies import Company
from gateway.store.database import Database
from o2c.errors import Refused
from o2c.ports import Clock, DeliveryChannel
from rules.decider import RuleDecider
from rules.rulebook import Rulebook, default_content, load

# How long another process's change of a company's settings, rule files or endpoints may go unseen.
MEMORY_SECONDS = 10.0
POLICIES = ("credit", "stock", "dunning")


@dataclass(frozen=True, slots=True)
class _Known:
    company: Company
    decider: RuleDecider
    books: Mapping[str, bytes]
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
    _known: dict[str, _Known] = field(default_factory=dict)
    _intakes: dict[str, Gathering[Any, Any]] = field(default_factory=dict)
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
            known.decider,
            self.validator,
            self.channels,
            self.post_event,
            self._intake(company_id),
            actor,
        )

    def companies(self) -> list[str]:
        """Every company's code."""
        with self.database.read() as connection:
            return companies.codes(connection)

    def forget(self, company_id: str) -> None:
        """Read the company again at the next desk: its settings or rule files have changed."""
        with self._lock:
            self._known.pop(company_id, None)

    def _intake(self, company_id: str) -> Gathering[Any, Any]:
        """Where this company's orders gather; one for all desks of the process."""
        with self._lock:
            return self._intakes.setdefault(company_id, Gathering(receive.receive_set))

    def _company(self, company_id: str) -> _Known:
        with self._lock:
            known = self._known.get(company_id)
        if known is not None and known.until > time.monotonic():
            return known
        with self.database.read() as connection:
            company = companies.find(connection, company_id)
            now = company.sandbox_at or self.clock.now()
            books = companies.active_rulebooks(connection, company_id, now)
        decider = known.decider if known and known.books == books else _decider(company, books)
        fresh = _Known(company, decider, books, time.monotonic() + MEMORY_SECONDS)
        with self._lock:
            self._known[company_id] = fresh
        return fresh

    def add_company(self, new: Company) -> None:
        """A company ready to work: number series at 1 and our default rule files.
        ``Refused('company-exists')`` if the code is taken."""
        now = new.sandbox_at or self.clock.now()
        if new.company_id in self.companies():
            raise Refused("company-exists", f"there is a company {new.company_id} already.")

        def unit(connection: Connection) -> None:
            companies.add(connection, new, now)
            numbers.open_series(connection, new.company_id, new.profile.series)
            for policy in POLICIES:
                content = default_content(policy)
                book = rulebook(policy, content)
                companies.activate_rulebook(
                    connection, new.company_id, policy, book.sha256, content, now, "o2c defaults"
                )

        self.database.write(unit)

    def close(self) -> None:
        """Let the database go."""
        self.database.close()


@lru_cache(maxsize=256)
def rulebook(policy: str, content: bytes) -> Rulebook:
    """The rule file in these bytes, read and tested once per process: many companies share one."""
    return load(content, name=f"{policy}.yaml")


def _decider(company: Company, books: Mapping[str, bytes]) -> RuleDecider:
    loaded = {policy: rulebook(policy, content) for policy, content in books.items()}
    for policy, book in loaded.items():
        if book.currency not in (None, company.currency):
            raise Refused(
                "rulebook-currency",
                f"{company.company_id} keeps its books in {company.currency}; the {policy} rules are in"
                f" {book.currency}.",
                next_step="Write the amounts in the company's currency.",
            )
    return RuleDecider(loaded)


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
