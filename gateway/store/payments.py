"""Payments as people look at them: page by page, and the queue of those that wait for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, literal, select, tuple_

from gateway.store.bulk import among
from gateway.store.schema import cash_request, payment


def page(
    connection: Connection,
    company_id: str,
    after: str,
    limit: int,
    *,
    state: str | None = None,
    decision: str | None = None,
    statement_ids: Sequence[str] | None = None,
) -> list[Row[Any]]:
    """Payments by id, after ``after``, as they are stored. A state or a decision leaves out what is
    undone, unless that is the state."""
    query = select(payment).where(payment.c.company_id == company_id, payment.c.payment_id > after)
    if statement_ids is not None:
        query = query.where(payment.c.statement_id.in_(statement_ids))
    if state is not None:
        query = query.where(payment.c.state == state)
    if decision is not None:
        query = query.where(payment.c.decision == decision)
    if state != "undone" and (state or decision):
        query = query.where(payment.c.undone_at.is_(None))
    return list(connection.execute(query.order_by(payment.c.payment_id).limit(limit)))


# --- the queue -----------------------------------------------------------------------------------
def queue(
    connection: Connection, company_id: str, after: str, limit: int, *, largest_in: str | None = None
) -> list[Row[Any]]:
    """What waits for a person, as it is stored: the oldest booking day first; or, with a currency, the
    largest amounts first, those in that currency before all others, currency by currency.

    ``after`` is the id of a payment, which need not wait any more: its place is by what never changes.
    """
    place = _by_size(largest_in) if largest_in else (payment.c.booked_on, payment.c.payment_id)
    query = select(payment).where(
        payment.c.company_id == company_id,
        payment.c.state == "unmatched",
        payment.c.undone_at.is_(None),
    )
    if after:
        query = query.where(tuple_(*place) > _place_of(company_id, after, place))
    return list(connection.execute(query.order_by(*place).limit(limit)))


def _by_size(own: str) -> tuple[ColumnElement[Any], ...]:
    other = case((payment.c.currency == own, literal(0)), else_=literal(1))
    return other, payment.c.currency, -payment.c.amount_minor, payment.c.payment_id


def _place_of(company_id: str, payment_id: str, place: Sequence[ColumnElement[Any]]) -> Any:
    query: Select[Any] = select(*place).where(
        payment.c.company_id == company_id, payment.c.payment_id == payment_id
    )
    return query.scalar_subquery()


def asked_about(connection: Connection, company_id: str, payment_ids: Sequence[str]) -> dict[str, str]:
    """The open request about each of these payments, by the payment's id."""
    query = select(cash_request.c.payment_id, cash_request.c.request_id).where(
        cash_request.c.company_id == company_id,
        cash_request.c.state == "open",
        among(cash_request.c.payment_id, list(payment_ids)),
    )
    return {row.payment_id: row.request_id for row in connection.execute(query)}
