"""Job rows: the truth about work to be done. The queue only carries their ids and may lose them.

A job commits with the state change that causes it. A worker takes a lease, runs an idempotent
handler, and the handler's own transaction marks the job done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, bindparam, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite

from gateway.clock import machine_time
from gateway.ids import new_id
from gateway.store.rows import pack
from gateway.store.schema import job

LEASE = timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class NewJob:
    """``key`` makes it unique in the company: the same key again is the same job."""

    kind: str
    key: str
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A leased job."""

    company_id: str
    job_id: str
    kind: str
    payload: Mapping[str, Any]
    attempts: int


def enqueue(connection: Connection, company_id: str, jobs: Sequence[NewJob]) -> None:
    """Write job rows; their ids reach the queue after the commit (``Database.on_job``).

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
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    connection.execute(dialect.insert(job).on_conflict_do_nothing(), rows)
    connection.info.setdefault("jobs", []).extend((company_id, row["job_id"]) for row in rows)


_FREE = and_(
    job.c.done_at.is_(None),
    job.c.parked_at.is_(None),
    or_(job.c.lease_until.is_(None), job.c.lease_until < bindparam("now")),
)
_LEASE = (
    update(job)
    .where(job.c.company_id == bindparam("of"), job.c.job_id == bindparam("id"), _FREE)
    .values(lease_until=bindparam("until"), attempts=job.c.attempts + 1)
    .returning(job.c.kind, job.c.payload, job.c.attempts)
)
_DONE = (
    update(job)
    .where(job.c.company_id == bindparam("of"), job.c.job_id == bindparam("id"))
    .values(done_at=bindparam("now"), lease_until=None, last_error=None)
)


def lease(connection: Connection, company_id: str, job_id: str, now: datetime) -> Job | None:
    """Take the job, or None if it is done, parked or in other hands."""
    row = connection.execute(
        _LEASE, {"of": company_id, "id": job_id, "now": now, "until": now + LEASE}
    ).one_or_none()
    if row is None:
        return None
    return Job(company_id, job_id, row.kind, json.loads(row.payload), row.attempts)


def done(connection: Connection, leased: Job) -> None:
    """Mark it done, in the transaction that did the work."""
    connection.execute(_DONE, {"of": leased.company_id, "id": leased.job_id, "now": machine_time()})


def retry(connection: Connection, leased: Job, run_at: datetime, error: str) -> None:
    """Give the lease back until ``run_at``."""
    _update(connection, leased, run_at=run_at, lease_until=None, last_error=error)


def park(connection: Connection, leased: Job, now: datetime, error: str) -> None:
    """Stop trying; people see it and ``release`` it."""
    _update(connection, leased, parked_at=now, lease_until=None, last_error=error)


def release(connection: Connection, company_id: str, job_id: str, now: datetime) -> bool:
    """Take a parked job up again. False if there is none of that id."""
    result = connection.execute(
        update(job)
        .where(job.c.company_id == company_id, job.c.job_id == job_id, job.c.parked_at.is_not(None))
        .values(parked_at=None, run_at=now, attempts=0)
    )
    connection.info.setdefault("jobs", []).append((company_id, job_id))
    return result.rowcount == 1


def due(connection: Connection, now: datetime, limit: int = 1000) -> list[tuple[str, str]]:
    """(company, job) ids whose time has come and that nobody holds, oldest first."""
    query = (
        select(job.c.company_id, job.c.job_id)
        .where(_FREE, job.c.run_at <= bindparam("now"))
        .order_by(job.c.run_at, job.c.job_id)
        .limit(limit)
    )
    return [(row.company_id, row.job_id) for row in connection.execute(query, {"now": now})]


def _update(connection: Connection, leased: Job, **values: Any) -> None:
    connection.execute(
        update(job)
        .where(job.c.company_id == leased.company_id, job.c.job_id == leased.job_id)
        .values(**values)
    )


def waiting(connection: Connection, company_id: str, limit: int = 200) -> list[dict[str, Any]]:
    """Jobs that are not done, parked ones first."""
    query = (
        select(job.c.job_id, job.c.kind, job.c.run_at, job.c.attempts, job.c.last_error, job.c.parked_at)
        .where(job.c.company_id == company_id, job.c.done_at.is_(None))
        .order_by(job.c.parked_at.is_(None), job.c.run_at)
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
