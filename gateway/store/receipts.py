"""Announced goods: what is expected where and when, and what came in of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from gateway.store.rows import chunks
from gateway.store.schema import stock_receipt
from gateway.store.units import from_count, to_count
from o2c.errors import NotFound


@dataclass(frozen=True, slots=True)
class Receipt:
    """Goods on their way into one warehouse. ``reference`` is the caller's and names it for ever."""

    reference: str
    product_id: str
    warehouse: str
    quantity: Decimal
    expected_on: date
    received: Decimal | None = None
    received_at: datetime | None = None
    cancelled_at: datetime | None = None

    @property
    def state(self) -> str:
        """announced, received or cancelled."""
        return "received" if self.received_at else "cancelled" if self.cancelled_at else "announced"


_IS_OPEN = and_(stock_receipt.c.received_at.is_(None), stock_receipt.c.cancelled_at.is_(None))


def _receipt(row: Row[Any]) -> Receipt:
    return Receipt(
        row.reference,
        row.product_id,
        row.warehouse,
        from_count(row.quantity),
        row.expected_on,
        None if row.received is None else from_count(row.received),
        row.received_at,
        row.cancelled_at,
    )


def find(connection: Connection, company_id: str, reference: str, *, lock: bool = False) -> Receipt | None:
    """One receipt, if it is known. With ``lock`` nobody else books it before we commit."""
    query = select(stock_receipt).where(
        stock_receipt.c.company_id == company_id, stock_receipt.c.reference == reference
    )
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    return None if row is None else _receipt(row)


def get(connection: Connection, company_id: str, reference: str, *, lock: bool = False) -> Receipt:
    """One receipt; ``NotFound('receipt')``."""
    found = find(connection, company_id, reference, lock=lock)
    if found is None:
        raise NotFound("receipt", f"there is no receipt {reference}.", next_step="POST /v1/receipts")
    return found


def add(connection: Connection, company_id: str, new: Receipt, at: datetime) -> None:
    """Insert; the reference is unique."""
    connection.execute(
        insert(stock_receipt),
        {
            "company_id": company_id,
            "reference": new.reference,
            "product_id": new.product_id,
            "warehouse": new.warehouse,
            "quantity": to_count(new.quantity),
            "expected_on": new.expected_on,
            "created_at": at,
        },
    )


def change(connection: Connection, company_id: str, reference: str, **values: Any) -> None:
    """Set columns of one receipt; quantities are counts."""
    connection.execute(
        update(stock_receipt)
        .where(stock_receipt.c.company_id == company_id, stock_receipt.c.reference == reference)
        .values(**values)
    )


def page(
    connection: Connection,
    company_id: str,
    after: str,
    limit: int,
    *,
    product_id: str | None = None,
    open_only: bool = False,
) -> list[Receipt]:
    """Receipts in order of their reference, after ``after``."""
    query = select(stock_receipt).where(
        stock_receipt.c.company_id == company_id, stock_receipt.c.reference > after
    )
    if product_id is not None:
        query = query.where(stock_receipt.c.product_id == product_id)
    if open_only:
        query = query.where(_IS_OPEN)
    rows = connection.execute(query.order_by(stock_receipt.c.reference).limit(limit))
    return [_receipt(row) for row in rows]


def announced(
    connection: Connection, company_id: str, product_ids: Iterable[str]
) -> dict[str, tuple[tuple[date, Decimal], ...]]:
    """(expected day, pieces) of what has not come in yet, by product."""
    found: defaultdict[str, list[tuple[date, Decimal]]] = defaultdict(list)
    for some in chunks(sorted(set(product_ids))):
        query = select(stock_receipt).where(
            stock_receipt.c.company_id == company_id, stock_receipt.c.product_id.in_(some), _IS_OPEN
        )
        for row in connection.execute(query.order_by(stock_receipt.c.expected_on)):
            found[row.product_id].append((row.expected_on, from_count(row.quantity)))
    return {product_id: tuple(days) for product_id, days in found.items()}
