"""What people want done with payments above the company's amount: each waits for a second person."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.store.schema import cash_request
from o2c.errors import NotFound


class RequestState(StrEnum):
    """``open`` until a second person has decided."""

    OPEN = "open"
    APPROVED = "approved"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class CashRequest:
    """A wish that waits. ``body`` is the wish as JSON, ``amount`` minor units of company currency."""

    request_id: str
    payment_id: str
    action: str
    body: str
    amount: int
    requested_by: str
    requested_at: datetime
    state: RequestState
    decided_by: str | None = None
    decided_at: datetime | None = None


def add(connection: Connection, company_id: str, new: CashRequest) -> None:
    """Keep a wish."""
    connection.execute(
        insert(cash_request),
        {
            "company_id": company_id,
            "request_id": new.request_id,
            "payment_id": new.payment_id,
            "action": new.action,
            "body": new.body,
            "amount_minor": new.amount,
            "requested_by": new.requested_by,
            "requested_at": new.requested_at,
            "state": new.state.value,
        },
    )


def find(connection: Connection, company_id: str, request_id: str, *, lock: bool = False) -> CashRequest:
    """One wish; ``NotFound('request')``."""
    query = select(cash_request).where(
        cash_request.c.company_id == company_id, cash_request.c.request_id == request_id
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound(
            "request", f"there is no request {request_id}.", next_step="See: o2c payments requests"
        )
    return _read(row)


def waiting(connection: Connection, company_id: str, payment_id: str) -> CashRequest | None:
    """The open wish about a payment, if any."""
    query = select(cash_request).where(
        cash_request.c.company_id == company_id,
        cash_request.c.payment_id == payment_id,
        cash_request.c.state == RequestState.OPEN,
    )
    row = connection.execute(query).first()
    return None if row is None else _read(row)


def page(
    connection: Connection, company_id: str, after: str, limit: int, *, state: str | None = None
) -> list[CashRequest]:
    """Wishes by id, after ``after``."""
    query = select(cash_request).where(
        cash_request.c.company_id == company_id, cash_request.c.request_id > after
    )
    if state is not None:
        query = query.where(cash_request.c.state == state)
    rows = connection.execute(query.order_by(cash_request.c.request_id).limit(limit))
    return [_read(row) for row in rows]


def decide(
    connection: Connection, company_id: str, asked: CashRequest, state: RequestState, by: str, at: datetime
) -> CashRequest:
    """The second person's word."""
    mine = (cash_request.c.company_id == company_id) & (cash_request.c.request_id == asked.request_id)
    values = {"state": state.value, "decided_by": by, "decided_at": at}
    connection.execute(update(cash_request).where(mine).values(**values))
    return replace(asked, state=state, decided_by=by, decided_at=at)


def _read(row: Row[Any]) -> CashRequest:
    return CashRequest(
        row.request_id,
        row.payment_id,
        row.action,
        row.body,
        row.amount_minor,
        row.requested_by,
        row.requested_at,
        RequestState(row.state),
        row.decided_by,
        row.decided_at,
    )
