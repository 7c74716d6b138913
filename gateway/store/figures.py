"""Rows behind the figures of the month: what happened to the orders of a period."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import Connection, and_, func, select

from gateway.store.schema import decision, invoice, journal, sales_order

_STREAM = "order:"


def _span(first: date, last: date) -> tuple[datetime, datetime]:
    """From the first instant of ``first`` to that of the day after ``last``, UTC."""
    return datetime.combine(first, time(), UTC), datetime.combine(last + timedelta(days=1), time(), UTC)


def order_events(
    connection: Connection, company_id: str, first: date, last: date
) -> dict[str, list[tuple[str, datetime]]]:
    """order id -> (event, instant) in order, for the orders received in the period."""
    start, end = _span(first, last)
    query = (
        select(sales_order.c.order_id, journal.c.event, journal.c.at)
        .join(
            journal,
            and_(
                journal.c.company_id == sales_order.c.company_id,
                journal.c.stream == _STREAM + sales_order.c.order_id,
            ),
        )
        .where(
            sales_order.c.company_id == company_id,
            sales_order.c.received_at >= start,
            sales_order.c.received_at < end,
        )
        .order_by(sales_order.c.order_id, journal.c.seq)
    )
    found: dict[str, list[tuple[str, datetime]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.order_id, []).append((row.event, row.at))
    return found


def human_decisions(connection: Connection, company_id: str, first: date, last: date) -> Counter[str]:
    """How often a person decided (gave a reason), by order."""
    start, end = _span(first, last)
    query = (
        select(decision.c.subject_id, func.count())
        .join(
            sales_order,
            and_(
                sales_order.c.company_id == decision.c.company_id,
                sales_order.c.order_id == decision.c.subject_id,
            ),
        )
        .where(
            decision.c.company_id == company_id,
            decision.c.reason.is_not(None),
            decision.c.line_id.is_(None),
            sales_order.c.received_at >= start,
            sales_order.c.received_at < end,
        )
        .group_by(decision.c.subject_id)
    )
    return Counter({subject: int(count) for subject, count in connection.execute(query)})


def sales(connection: Connection, company_id: str, after: date, until: date) -> int:
    """Gross sales invoiced after one day and until another, company currency, minor units."""
    query = select(func.coalesce(func.sum(invoice.c.base_gross_minor), 0)).where(
        invoice.c.company_id == company_id, invoice.c.issued_on > after, invoice.c.issued_on <= until
    )
    return int(connection.execute(query).scalar_one())
