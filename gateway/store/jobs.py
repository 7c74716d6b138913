"""Job rows: the truth about work to be done. The queue only carries their ids and may lose them.

A job commits with the state change that causes it. A worker takes a lease, runs an idempotent
handler, and the handler's own transaction marks the job done. Whoever has lost the lease meanwhile
can change nothing any more: ``done``, ``retry`` and ``park`` raise ``LeaseLost``, which takes the
late worker's whole transaction back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Update, and_, bindparam, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.clock import machine_time
from gateway.ids import new_id
from gateway.store.rows import pack
from gateway.store.schema import job


class LeaseLost(Exception):
    """The lease ran out and another worker holds or has finished the job."""


@dataclass(frozen=True, slots=True)
class NewJob:
    """``key`` makes it unique in the company: the same key again is the same job."""

    kind: str
    key: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job. ``until`` is the end of the lease and tells its holder from every other."""

    company_id: str
    job_id: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int
    until: datetime


_ENQUEUE = {
    "sqlite": sqlite.insert(job).on_conflict_do_nothing().returning(job.c.job_id),
    "postgresql": postgresql.insert(job).on_conflict_do_nothing().returning(job.c.job_id),
}


def enqueue(connection: Connection, company_id: str, jobs: Sequence[NewJob]) -> None:
    """Write job rows; the ids of the new ones reach the queue after the commit (``Database.on_job``).

    They are due at once by the machine's clock, whatever a sandbox company's clock shows.
    """
    if not jobs:
        return
    at = machine_time()
    rows = [
        {
            "company_id": company_id,
            "job_id": new_id("job", at),
            "kind": new.kind,
            "key": new.key,
            "payload": pack(new.payload),
            "run_at": at,
        }
        for new in jobs
    ]
    written = connection.execute(_ENQUEUE[connection.dialect.name], rows).scalars()
    connection.info.setdefault("jobs", []).extend((company_id, job_id) for job_id in written)


_FREE = and_(
    job.c.done_at.is_(None),
    job.c.parked_at.is_(None),
    job.c.run_at <= bindparam("now"),  # an id that comes twice must not shorten the wait
    or_(job.c.lease_until.is_(None), job.c.lease_until < bindparam("now")),
)
_LEASE = (
    update(job)
    .where(job.c.company_id == bindparam("of"), job.c.job_id == bindparam("id"), _FREE)
    .values(lease_until=bindparam("until"), attempts=job.c.attempts + 1)
    .returning(job.c.kind, job.c.payload, job.c.attempts)
)
_MINE = and_(
    job.c.company_id == bindparam("of"),
    job.c.job_id == bindparam("id"),
    job.c.lease_until == bindparam("held"),
)
_DONE = update(job).where(_MINE).values(done_at=bindparam("now"), lease_until=None, last_error=None)
_RETRY = (
    update(job).where(_MINE).values(run_at=bindparam("at"), lease_until=None, last_error=bindparam("why"))
)
_PARK = (
    update(job).where(_MINE).values(parked_at=bindparam("at"), lease_until=None, last_error=bindparam("why"))
)


def lease(
    connection: Connection, company_id: str, job_id: str, now: datetime, length: timedelta
) -> Job | None:
    """Take the job for so long, or None if it is done, parked, not yet due or in other hands."""
    until = now + length
    row = connection.execute(
        _LEASE, {"of": company_id, "id": job_id, "now": now, "until": until}
    ).one_or_none()
    if row is None:
        return None
    return Job(company_id, job_id, row.kind, json.loads(row.payload), row.attempts, until)


def done(connection: Connection, leased: Job) -> None:
    """Mark it done, in the transaction that did the work; ``LeaseLost``."""
    _change(connection, leased, _DONE, now=machine_time())


def retry(connection: Connection, leased: Job, run_at: datetime, error: str) -> None:
    """Give the lease back until ``run_at``; ``LeaseLost``."""
    _change(connection, leased, _RETRY, at=run_at, why=error)


def park(connection: Connection, leased: Job, now: datetime, error: str) -> None:
    """Stop trying; people see it and ``release`` it. ``LeaseLost``."""
    _change(connection, leased, _PARK, at=now, why=error)


def release(connection: Connection, company_id: str, job_id: str, now: datetime) -> bool:
    """Take a parked job up again. False if there is none of that id."""
    result = connection.execute(
        update(job)
        .where(job.c.company_id == company_id, job.c.job_id == job_id, job.c.parked_at.is_not(None))
        .values(parked_at=None, run_at=now, attempts=0)
    )
    if result.rowcount == 0:
        return False
    connection.info.setdefault("jobs", []).append((company_id, job_id))
    return True


def due(connection: Connection, now: datetime, limit: int = 1000) -> list[tuple[str, str]]:
    """(company, job) ids whose time has come and that nobody holds, oldest first."""
    query = (
        select(job.c.company_id, job.c.job_id).where(_FREE).order_by(job.c.run_at, job.c.job_id).limit(limit)
    )
    return [(row.company_id, row.job_id) for row in connection.execute(query, {"now": now})]


def _change(connection: Connection, leased: Job, statement: Update, **values: Any) -> None:
    mine = {"of": leased.company_id, "id": leased.job_id, "held": leased.until}
    if connection.execute(statement, mine | values).rowcount == 0:
        raise LeaseLost(leased.job_id)


def waiting(connection: Connection, company_id: str, limit: int = 200) -> list[dict[str, Any]]:
    """Jobs that are not done, parked ones first."""
    query = (
        select(job.c.job_id, job.c.kind, job.c.run_at, job.c.attempts, job.c.last_error, job.c.parked_at)
        .where(job.c.company_id == company_id, job.c.done_at.is_(None))
        .order_by(job.c.parked_at.is_(None), job.c.run_at)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


@dataclass(frozen=True, slots=True)
class Backlog:
    """Work of the whole installation: due and not begun or not finished, since when, and parked."""

    due: int
    parked: int
    oldest: datetime | None


def backlog(connection: Connection, now: datetime) -> Backlog:
    """What waits now, of every company."""
    is_due = and_(job.c.done_at.is_(None), job.c.parked_at.is_(None), job.c.run_at <= now)
    due, oldest = connection.execute(select(func.count(), func.min(job.c.run_at)).where(is_due)).one()
    parked = select(func.count()).where(job.c.done_at.is_(None), job.c.parked_at.is_not(None))
    return Backlog(due, connection.execute(parked).scalar_one(), oldest)
