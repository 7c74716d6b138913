"""Orders that wait for a person: in which queue, until when, and what one of two persons has said.

A work list, one row per waiting order. The evidence is in decisions and journal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from gateway.store.rows import chunks, pack, unpack
from gateway.store.schema import referral
from o2c.money import Money


@dataclass(frozen=True, slots=True)
class FirstApproval:
    """The word of the first of two persons. Limit and date are what it would leave with the customer."""

    by: str
    at: datetime
    reason: str
    credit_limit: Money | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Referral:
    """One waiting order. ``amount`` is its value, company currency, minor units."""

    order_id: str
    customer_id: str
    state: str
    queue: str | None
    reason: str
    amount: int
    asked_at: datetime
    answer_by: datetime | None = None
    late_at: datetime | None = None
    first_approval: FirstApproval | None = None

    def is_late(self, now: datetime) -> bool:
        """Whether the answer should have been there."""
        return self.answer_by is not None and self.answer_by < now


def ask(connection: Connection, company_id: str, asked: Sequence[Referral]) -> None:
    """These orders wait from now on; what was asked about them before is forgotten."""
    if not asked:
        return
    close(connection, company_id, [one.order_id for one in asked])
    add(connection, company_id, asked)


def add(connection: Connection, company_id: str, asked: Sequence[Referral]) -> None:
    """Insert orders that nobody was asked about before."""
    rows = [
        {
            "company_id": company_id,
            "order_id": one.order_id,
            "customer_id": one.customer_id,
            "state": one.state,
            "queue": one.queue,
            "reason": one.reason,
            "amount_minor": one.amount,
            "asked_at": one.asked_at,
            "answer_by": one.answer_by,
        }
        for one in asked
    ]
    if rows:
        connection.execute(insert(referral), rows)


def close(connection: Connection, company_id: str, order_ids: Sequence[str]) -> None:
    """These orders are answered."""
    for some in chunks(order_ids):
        connection.execute(
            delete(referral).where(referral.c.company_id == company_id, referral.c.order_id.in_(some))
        )


def _referral(row: Row[Any]) -> Referral:
    return Referral(
        row.order_id,
        row.customer_id,
        row.state,
        row.queue,
        row.reason,
        row.amount_minor,
        row.asked_at,
        row.answer_by,
        row.late_at,
        unpack(FirstApproval, row.first_approval) if row.first_approval else None,
    )


def waiting(
    connection: Connection, company_id: str, *, queue: str | None = None, limit: int = 500
) -> list[Referral]:
    """What waits, the nearest deadline first and what has none last."""
    query = select(referral).where(referral.c.company_id == company_id)
    if queue is not None:
        query = query.where(referral.c.queue == queue)
    query = query.order_by(
        referral.c.answer_by.is_(None), referral.c.answer_by, referral.c.asked_at, referral.c.order_id
    )
    return [_referral(row) for row in connection.execute(query.limit(limit))]


def find(connection: Connection, company_id: str, order_id: str) -> Referral | None:
    """What is asked about one order, if it waits."""
    query = select(referral).where(referral.c.company_id == company_id, referral.c.order_id == order_id)
    row = connection.execute(query).one_or_none()
    return None if row is None else _referral(row)


def record_first(connection: Connection, company_id: str, order_id: str, said: FirstApproval) -> None:
    """Keep the word of the first of two persons."""
    connection.execute(
        update(referral)
        .where(referral.c.company_id == company_id, referral.c.order_id == order_id)
        .values(first_approval=pack(said))
    )


def deadlines(connection: Connection) -> dict[str, datetime]:
    """The nearest deadline that nobody was told of, by company: of the whole installation, for the sweep."""
    query = (
        select(referral.c.company_id, func.min(referral.c.answer_by).label("nearest"))
        .where(referral.c.late_at.is_(None), referral.c.answer_by.is_not(None))
        .group_by(referral.c.company_id)
    )
    return {row.company_id: row.nearest for row in connection.execute(query)}


def overdue(connection: Connection, company_id: str, now: datetime) -> list[Referral]:
    """Whose deadline has passed with nobody told, locked, by order id."""
    query = (
        select(referral)
        .where(referral.c.company_id == company_id, referral.c.late_at.is_(None), referral.c.answer_by < now)
        .order_by(referral.c.order_id)
        .with_for_update()
    )
    return [_referral(row) for row in connection.execute(query)]


def mark_late(connection: Connection, company_id: str, order_ids: Sequence[str], at: datetime) -> None:
    """The desk was told."""
    for some in chunks(order_ids):
        connection.execute(
            update(referral)
            .where(referral.c.company_id == company_id, referral.c.order_id.in_(some))
            .values(late_at=at)
        )
