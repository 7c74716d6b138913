"""What a stage may reach: one company's desk. Made by ``gateway.wiring``, never by a stage."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy import Connection

from formats.findings import Report
from gateway.stages.gathering import Gathering
from gateway.stages.shadow import Shadow
from gateway.store import jobs, journal, webhooks
from gateway.store.companies import Company
from gateway.store.database import Database
from gateway.store.jobs import NewJob
from gateway.store.journal import Event
from o2c.ports import Clock, Decider, DeliveryChannel

T = TypeVar("T")


class Validator(Protocol):
    """Judges a document against the layers of its profile."""

    def validate(self, content: bytes) -> Report:
        """The report; ``skipped`` is never ``valid``."""
        ...


class Beside(Protocol):
    """Does a unit of work with the books (``books.Books``) in a process beside this one."""

    def __call__(self, desk: Desk, unit: Callable[[Any], T]) -> T:
        """The unit's result once it is durable; like ``Database.write`` it may run the unit again."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """One company, one actor, one clock, and the ports."""

    company: Company
    database: Database
    clock: Clock
    decider: Decider
    validator: Validator
    channels: Mapping[str, DeliveryChannel]
    post_event: Callable[[str, str, str, datetime, bytes], int]  # url, secret, id, at, body -> status
    intake: Gathering[Any, Any]  # of orders: see ``receive``
    actor: str = "o2c"
    shadows: Sequence[Shadow] = ()  # rule files that decide beside those in force
    beside: Beside | None = None

    @property
    def company_id(self) -> str:
        """The company's code: the first column of every row this desk touches."""
        return self.company.company_id

    def acting_as(self, actor: str) -> Desk:
        """The same desk with another name in the journal."""
        return replace(self, actor=actor)

    def record(
        self,
        connection: Connection,
        at: datetime,
        events: Sequence[Event],
        work: Sequence[NewJob] = (),
        *,
        fresh: Sequence[str] = (),
    ) -> None:
        """Journal, outgoing events and next jobs: the last statements of every unit of work."""
        journal.append(connection, self.company_id, at, self.actor, events, fresh=fresh)
        calls = webhooks.queue(connection, self.company_id, at, events, self.company.endpoints)
        jobs.enqueue(connection, self.company_id, [*work, *calls])
