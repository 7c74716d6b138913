"""Bank statements, payments, and what was allocated to which invoice."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select

from gateway.store.rows import chunks, pack, unpack
from gateway.store.schema import allocation, payment, statement
from o2c.money import Money
from o2c.statement import Statement, TransactionDetails


@dataclass(frozen=True, slots=True)
class StoredPayment:
    """A payment and what became of it: applied, unmatched (a person decides) or ignored (not ours)."""

    payment_id: str
    statement_id: str
    account: str
    booked_on: date
    details: TransactionDetails
    state: str
    unallocated: int
    customer_id: str | None = None
    reason: str | None = None


def find_statement(connection: Connection, company_id: str, read: Statement) -> Row[Any] | None:
    """The stored statement of the same account, bank's id and period, if any."""
    return connection.execute(
        select(statement).where(
            statement.c.company_id == company_id,
            statement.c.account == read.account,
            statement.c.bank_statement_id == read.statement_id,
            statement.c.from_on.is_not_distinct_from(read.from_on),
            statement.c.to_on.is_not_distinct_from(read.to_on),
        )
    ).first()


def known_keys(connection: Connection, company_id: str, account: str, keys: Iterable[str]) -> set[str]:
    """Which of these payments are already here."""
    known: set[str] = set()
    for some in chunks(keys):
        query = select(payment.c.key).where(
            payment.c.company_id == company_id, payment.c.account == account, payment.c.key.in_(some)
        )
        known |= set(connection.execute(query).scalars())
    return known


def add_statement(
    connection: Connection,
    company_id: str,
    statement_id: str,
    read: Statement,
    *,
    content_sha256: str,
    document_sha256: str,
    at: datetime,
) -> None:
    """Insert one statement."""
    connection.execute(
        insert(statement),
        {
            "company_id": company_id,
            "statement_id": statement_id,
            "account": read.account,
            "bank_statement_id": read.statement_id,
            "content_sha256": content_sha256,
            "document_sha256": document_sha256,
            "from_on": read.from_on,
            "to_on": read.to_on,
            "opening_minor": read.opening and read.opening.minor,
            "closing_minor": read.closing and read.closing.minor,
            "currency": read.currency,
            "warnings": pack(read.warnings),
            "imported_at": at,
        },
    )


def add_payments(connection: Connection, company_id: str, new: Sequence[StoredPayment]) -> None:
    """Insert payments, all in one statement."""
    if new:
        connection.execute(
            insert(payment),
            [
                {
                    "company_id": company_id,
                    "payment_id": one.payment_id,
                    "statement_id": one.statement_id,
                    "account": one.account,
                    "key": one.details.key,
                    "booked_on": one.booked_on,
                    "currency": one.details.amount.currency,
                    "amount_minor": one.details.amount.minor,
                    "is_credit": one.details.is_credit,
                    "unallocated_minor": one.unallocated,
                    "state": one.state,
                    "customer_id": one.customer_id,
                    "reason": one.reason,
                    "body": pack(one.details),
                }
                for one in new
            ],
        )


@dataclass(frozen=True, slots=True)
class NewAllocation:
    """Part of a payment that settles (part of) an invoice."""

    payment_id: str
    invoice_number: str
    entry_id: str
    amount: Money
    rule: str
    evidence: tuple[str, ...]


def add_allocations(
    connection: Connection, company_id: str, new: Sequence[NewAllocation], at: datetime
) -> None:
    """Insert allocations, all in one statement."""
    if new:
        connection.execute(
            insert(allocation),
            [
                {
                    "company_id": company_id,
                    "payment_id": one.payment_id,
                    "invoice_number": one.invoice_number,
                    "entry_id": one.entry_id,
                    "amount_minor": one.amount.minor,
                    "rule": one.rule,
                    "evidence": pack(one.evidence),
                    "allocated_at": at,
                }
                for one in new
            ],
        )


def _stored(row: Row[Any]) -> StoredPayment:
    return StoredPayment(
        row.payment_id,
        row.statement_id,
        row.account,
        row.booked_on,
        unpack(TransactionDetails, row.body),
        row.state,
        row.unallocated_minor,
        row.customer_id,
        row.reason,
    )


def unmatched(connection: Connection, company_id: str) -> list[StoredPayment]:
    """Money that is in the bank and waits for a person."""
    query = select(payment).where(payment.c.company_id == company_id, payment.c.state == "unmatched")
    return [
        _stored(row) for row in connection.execute(query.order_by(payment.c.booked_on, payment.c.payment_id))
    ]


def page(connection: Connection, company_id: str, after: str, limit: int) -> list[StoredPayment]:
    """Payments by id, after ``after``."""
    query = select(payment).where(payment.c.company_id == company_id, payment.c.payment_id > after)
    return [_stored(row) for row in connection.execute(query.order_by(payment.c.payment_id).limit(limit))]


def of_invoice(connection: Connection, company_id: str, number: str) -> list[Row[Any]]:
    """Allocations to one invoice with the payment's booking day."""
    query = (
        select(allocation, payment.c.booked_on)
        .join(
            payment,
            (payment.c.company_id == allocation.c.company_id)
            & (payment.c.payment_id == allocation.c.payment_id),
        )
        .where(allocation.c.company_id == company_id, allocation.c.invoice_number == number)
        .order_by(allocation.c.allocated_at)
    )
    return list(connection.execute(query))


def counts(connection: Connection, company_id: str) -> dict[str, int]:
    """Payments per state."""
    query = (
        select(payment.c.state, func.count())
        .where(payment.c.company_id == company_id, payment.c.is_credit)
        .group_by(payment.c.state)
    )
    return {state: int(count) for state, count in connection.execute(query)}
