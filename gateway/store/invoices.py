"""Issued invoices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from gateway.store.rows import chunks, pack, unpack
from gateway.store.schema import invoice, ledger_line
from o2c.errors import NotFound
from o2c.invoice import Invoice


@dataclass(frozen=True, slots=True)
class IssuedInvoice:
    """An invoice as issued: the value, its bytes' SHA-256 and where it belongs."""

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


def find(connection: Connection, company_id: str, number: str) -> IssuedInvoice:
    """One invoice; ``NotFound('invoice')``."""
    row = connection.execute(
        select(invoice).where(invoice.c.company_id == company_id, invoice.c.number == number)
    ).one_or_none()
    if row is None:
        raise NotFound("invoice", f"there is no invoice {number}.")
    return _issued(row)


def some(connection: Connection, company_id: str, numbers: Iterable[str]) -> list[IssuedInvoice]:
    """These invoices by number; ``NotFound('invoice')`` if one is missing. One statement for 900."""
    wanted = sorted(set(numbers))
    found: dict[str, IssuedInvoice] = {}
    for several in chunks(wanted):
        query = select(invoice).where(invoice.c.company_id == company_id, invoice.c.number.in_(several))
        found |= {row.number: _issued(row) for row in connection.execute(query)}
    missing = [number for number in wanted if number not in found]
    if missing:
        raise NotFound("invoice", f"there is no invoice {', '.join(missing)}.")
    return [found[number] for number in wanted]


def orders_of(connection: Connection, company_id: str, numbers: Iterable[str]) -> dict[str, str]:
    """The order of each of the invoices: one statement for 900."""
    found: dict[str, str] = {}
    for several in chunks(sorted(set(numbers))):
        query = select(invoice.c.number, invoice.c.order_id).where(
            invoice.c.company_id == company_id, invoice.c.number.in_(several)
        )
        found |= {row.number: row.order_id for row in connection.execute(query)}
    return found


def page(
    connection: Connection, company_id: str, after: int, limit: int, *, order_id: str | None = None
) -> list[IssuedInvoice]:
    """Invoices by their place in the series, after ``after``."""
    query = select(invoice).where(invoice.c.company_id == company_id, invoice.c.sequence > after)
    if order_id is not None:
        query = query.where(invoice.c.order_id == order_id)
    return [_issued(row) for row in connection.execute(query.order_by(invoice.c.sequence).limit(limit))]


def of_order(connection: Connection, company_id: str, order_id: str) -> list[IssuedInvoice]:
    """The invoices of one order, first one first."""
    query = select(invoice).where(invoice.c.company_id == company_id, invoice.c.order_id == order_id)
    return [_issued(row) for row in connection.execute(query.order_by(invoice.c.sequence))]


_OPEN_AMOUNT = select(func.coalesce(func.sum(ledger_line.c.debit - ledger_line.c.credit), 0)).where(
    and_(
        ledger_line.c.company_id == bindparam("of"),
        ledger_line.c.invoice_number == bindparam("number"),
        ledger_line.c.account == "receivable",
    )
)


def open_amount(connection: Connection, company_id: str, number: str) -> int:
    """What is still to be paid, minor units of the invoice's currency: a sum over ledger lines."""
    return int(connection.execute(_OPEN_AMOUNT, {"of": company_id, "number": number}).scalar_one())


_LEVEL = (
    update(invoice)
    .where(invoice.c.company_id == bindparam("of"), invoice.c.number == bindparam("id"))
    .values(level=bindparam("level_"), last_notice_on=bindparam("on"))
)


def reach_level(
    connection: Connection, company_id: str, reached: Iterable[tuple[str, str]], on: date
) -> None:
    """Store (number, dunning level) and the day of the notice."""
    rows = [{"of": company_id, "id": number, "level_": level, "on": on} for number, level in reached]
    if rows:
        connection.execute(_LEVEL, rows)


def restore_levels(
    connection: Connection, company_id: str, before: Mapping[str, tuple[str, date | None]]
) -> None:
    """Take back what a letter that never left has raised: level and day of the last notice, by number."""
    rows = [
        {"of": company_id, "id": number, "level_": level, "on": on} for number, (level, on) in before.items()
    ]
    if rows:
        connection.execute(_LEVEL, rows)


def open_amounts(connection: Connection, company_id: str, numbers: Sequence[str]) -> dict[str, int]:
    """What is open on each of the invoices, minor units of its currency: one query for a page."""
    query = (
        select(ledger_line.c.invoice_number, func.sum(ledger_line.c.debit - ledger_line.c.credit))
        .where(
            ledger_line.c.company_id == company_id,
            ledger_line.c.invoice_number.in_(numbers),
            ledger_line.c.account == "receivable",
        )
        .group_by(ledger_line.c.invoice_number)
    )
    return {number: int(total) for number, total in connection.execute(query)}
