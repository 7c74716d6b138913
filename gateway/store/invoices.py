"""Issued invoices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select

from gateway.store.rows import chunks, pack, unpack
from gateway.store.schema import invoice, item
from o2c.errors import NotFound
from o2c.invoice import Invoice


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """An invoice as issued: the value, its bytes' SHA-256 and where it belongs; and how its item stands."""

    invoice: Invoice
    series: str
    sequence: int
    order_id: str
    shipment_id: str
    customer_id: str
    gross: int
    base_gross: int
    report: str
    document_sha256: str
    message_id: str
    level: str = "none"
    last_notice_on: date | None = None
    settled_at: datetime | None = None


_INSERT = insert(invoice)


def add(connection: Connection, company_id: str, new: IssuedInvoice, at: datetime) -> None:
    """Insert; number, sequence, reference and shipment are each unique in the company."""
    connection.execute(
        _INSERT,
        {
            "company_id": company_id,
            "number": new.invoice.number,
            "series": new.series,
            "sequence": new.sequence,
            "order_id": new.order_id,
            "shipment_id": new.shipment_id,
            "customer_id": new.customer_id,
            "reference": new.invoice.payment.reference,
            "issued_on": new.invoice.issued_on,
            "due_on": new.invoice.due_on,
            "currency": new.invoice.currency,
            "gross_minor": new.gross,
            "base_gross_minor": new.base_gross,
            "body": pack(new.invoice),
            "report": new.report,
            "document_sha256": new.document_sha256,
            "message_id": new.message_id,
            "created_at": at,
        },
    )


_ISSUED = select(invoice, item.c.level, item.c.last_notice_on, item.c.settled_at).join(
    item, and_(item.c.company_id == invoice.c.company_id, item.c.number == invoice.c.number)
)


def _issued(row: Row[Any]) -> IssuedInvoice:
    return IssuedInvoice(
        unpack(Invoice, row.body),
        row.series,
        row.sequence,
        row.order_id,
        row.shipment_id,
        row.customer_id,
        row.gross_minor,
        row.base_gross_minor,
        row.report,
        row.document_sha256,
        row.message_id,
        row.level,
        row.last_notice_on,
        row.settled_at,
    )


def any_of(connection: Connection, company_id: str) -> bool:
    """Has the company invoiced anything here yet?"""
    query = select(invoice.c.number).where(invoice.c.company_id == company_id).limit(1)
    return connection.execute(query).first() is not None


def find(connection: Connection, company_id: str, number: str) -> IssuedInvoice:
    """One invoice; ``NotFound('invoice')``."""
    row = connection.execute(
        _ISSUED.where(invoice.c.company_id == company_id, invoice.c.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound("invoice", f"there is no invoice {number}.")
    return _issued(row)


def some(connection: Connection, company_id: str, numbers: Iterable[str]) -> list[IssuedInvoice]:
    """These invoices by number; ``NotFound('invoice')`` if one is missing. One statement for 900."""
    wanted = sorted(set(numbers))
    found: dict[str, IssuedInvoice] = {}
    for several in chunks(wanted):
        query = _ISSUED.where(invoice.c.company_id == company_id, invoice.c.number.in_(several))
        found |= {row.number: _issued(row) for row in connection.execute(query)}
    missing = [number for number in wanted if number not in found]
    if missing:
        raise NotFound("invoice", f"there is no invoice {', '.join(missing)}.")
    return [found[number] for number in wanted]


def page(
    connection: Connection, company_id: str, after: int, limit: int, *, order_id: str | None = None
) -> list[IssuedInvoice]:
    """Invoices by their place in the series, after ``after``."""
    query = _ISSUED.where(invoice.c.company_id == company_id, invoice.c.sequence > after)
    if order_id is not None:
        query = query.where(invoice.c.order_id == order_id)
    return [_issued(row) for row in connection.execute(query.order_by(invoice.c.sequence).limit(limit))]


def of_order(connection: Connection, company_id: str, order_id: str) -> list[IssuedInvoice]:
    """The invoices of one order, first one first."""
    query = _ISSUED.where(invoice.c.company_id == company_id, invoice.c.order_id == order_id)
    return [_issued(row) for row in connection.execute(query.order_by(invoice.c.sequence))]
