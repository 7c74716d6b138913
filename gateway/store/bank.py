"""Payments of bank statements in rows. What a payment is allocated to is in ``allocations``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, func, literal_column, select

from gateway.store.bulk import Row as Values
from gateway.store.bulk import Rows, among, insert_rows, update_rows
from gateway.store.rows import pack, unpack
from gateway.store.schema import allocation, payment
from o2c.errors import NotFound
from o2c.statement import TransactionDetails


@dataclass(frozen=True, slots=True)
class StoredPayment:
    """A payment and what became of it. Amounts are minor units of its currency.

    ``state``: applied, unmatched (a person decides), ignored (no receipt), returned, undone.
    ``decision`` and ``rule`` say how it was explained, ``explanation`` (JSON) holds the evidence.
    """

    payment_id: str
    statement_id: str
    account: str
    booked_on: date
    details: TransactionDetails
    state: str
    unallocated: int
    customer_id: str | None = None
    reason: str | None = None
    decision: str = "review"
    rule: str = ""
    explanation: str = "{}"
    discount: int = 0
    write_off: int = 0
    charges: int = 0
    of_payment_id: str | None = None
    part_of_payment_id: str | None = None
    undone_at: datetime | None = None


# --- payments ------------------------------------------------------------------------------------
_COLUMNS = (
    *("company_id", "payment_id", "statement_id", "account", "key", "booked_on", "currency"),
    *("amount_minor", "is_credit", "unallocated_minor", "state", "customer_id", "reason", "body"),
    *(
        "bank_reference",
        "end_to_end_id",
        "transaction_id",
        "decision",
        "rule",
        "explanation",
        "discount_minor",
    ),
    *("write_off_minor", "charges_minor", "of_payment_id", "part_of_payment_id"),
)


def payment_rows(company_id: str, new: Iterable[StoredPayment]) -> Rows:
    """Payments as they are stored."""
    return Rows([_as_row(company_id, one) for one in new])


def add_payments(connection: Connection, rows: Sequence[Values]) -> None:
    """Insert payments in one go."""
    insert_rows(connection, payment, _COLUMNS, rows)


def _as_row(company_id: str, one: StoredPayment) -> Values:
    details = one.details
    return (
        company_id,
        one.payment_id,
        one.statement_id,
        one.account,
        details.key,
        one.booked_on.isoformat(),
        details.amount.currency,
        details.amount.minor,
        details.is_credit,
        one.unallocated,
        one.state,
        one.customer_id,
        one.reason,
        pack(details),
        details.bank_reference,
        details.end_to_end_id,
        details.transaction_id,
        one.decision,
        one.rule,
        one.explanation,
        one.discount,
        one.write_off,
        one.charges,
        one.of_payment_id,
        one.part_of_payment_id,
    )


def stored(row: Row[Any]) -> StoredPayment:
    """A row as a value."""
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
        row.decision or "",
        row.rule or "",
        row.explanation or "{}",
        row.discount_minor,
        row.write_off_minor,
        row.charges_minor,
        row.of_payment_id,
        row.part_of_payment_id,
        row.undone_at,
    )


def _of(company_id: str) -> Select[Any]:
    return select(payment).where(payment.c.company_id == company_id)


def known_keys(connection: Connection, company_id: str, account: str, keys: Iterable[str]) -> set[str]:
    """Which of these payments are already here, those undone aside."""
    query = select(payment.c.key).where(
        payment.c.company_id == company_id,
        payment.c.account == account,
        payment.c.undone_at.is_(None),
        among(payment.c.key, list(keys)),
    )
    return set(connection.execute(query).scalars())


def find(connection: Connection, company_id: str, payment_id: str, *, lock: bool = False) -> StoredPayment:
    """One payment; ``NotFound('payment')``."""
    query = _of(company_id).where(payment.c.payment_id == payment_id)
    row = connection.execute(query.with_for_update() if lock else query).one_or_none()
    if row is None:
        raise NotFound("payment", f"there is no payment {payment_id}.")
    return stored(row)


def change(connection: Connection, company_id: str, changed: Mapping[str, Mapping[str, Any]]) -> None:
    """Change what became of payments, by id; those that change alike go together."""
    alike: dict[tuple[str, ...], list[tuple[Any, ...]]] = {}
    for payment_id, values in changed.items():
        alike.setdefault(tuple(values), []).append((company_id, payment_id, *values.values()))
    for columns, rows in alike.items():
        update_rows(connection, payment, ("company_id", "payment_id"), columns, rows)


def some(connection: Connection, company_id: str, payment_ids: Sequence[str]) -> list[StoredPayment]:
    """These payments by id."""
    if not payment_ids:
        return []
    query = _of(company_id).where(among(payment.c.payment_id, payment_ids))
    return [stored(row) for row in connection.execute(query.order_by(payment.c.payment_id))]


def built_on(connection: Connection, company_id: str, statement_ids: Sequence[str]) -> list[StoredPayment]:
    """Standing payments of other statements that took back or paid back one of these statements'."""
    first = payment.alias()
    query = (
        _of(company_id)
        .join(
            first,
            (first.c.company_id == payment.c.company_id) & (first.c.payment_id == payment.c.of_payment_id),
        )
        .where(
            first.c.statement_id.in_(statement_ids),
            payment.c.statement_id.not_in(statement_ids),
            payment.c.undone_at.is_(None),
        )
    )
    return [stored(row) for row in connection.execute(query.limit(5))]


def unmatched(connection: Connection, company_id: str) -> list[StoredPayment]:
    """Money that is in the bank and waits for a person."""
    query = _of(company_id).where(payment.c.state == "unmatched", payment.c.undone_at.is_(None))
    query = query.order_by(payment.c.booked_on, payment.c.payment_id)
    return [stored(row) for row in connection.execute(query)]


def row(connection: Connection, company_id: str, payment_id: str) -> Row[Any]:
    """One payment as it is stored; ``NotFound('payment')``."""
    query = _of(company_id).where(payment.c.payment_id == payment_id)
    found = connection.execute(query).one_or_none()
    if found is None:
        raise NotFound("payment", f"there is no payment {payment_id}.")
    return found


def rows_of_statements(
    connection: Connection, company_id: str, statement_ids: Sequence[str]
) -> Iterator[Row[Any]]:
    """The payments of some statements in document order, as they are stored, streamed."""
    query = _of(company_id).where(payment.c.statement_id.in_(statement_ids))
    query = query.order_by(payment.c.statement_id, payment.c.payment_id)
    yield from connection.execute(query.execution_options(yield_per=1000))


def of_statements(
    connection: Connection, company_id: str, statement_ids: Sequence[str]
) -> Iterator[StoredPayment]:
    """The same as values."""
    for one in rows_of_statements(connection, company_id, statement_ids):
        yield stored(one)


def returns_of(connection: Connection, company_id: str, payment_id: str) -> list[StoredPayment]:
    """The standing payments that took this one back."""
    query = _of(company_id).where(payment.c.of_payment_id == payment_id, payment.c.undone_at.is_(None))
    return [stored(row) for row in connection.execute(query)]


def by_marks(
    connection: Connection, company_id: str, account: str, marks: Mapping[str, Iterable[str]]
) -> list[StoredPayment]:
    """Standing payments of an account by their marks.

    A mark is a ``bank_reference``, an ``end_to_end_id`` or a ``transaction_id``.
    """
    found: dict[str, StoredPayment] = {}
    for name, values in marks.items():
        wanted = sorted(set(values))
        if wanted:
            query = _of(company_id).where(
                payment.c.account == account,
                payment.c.undone_at.is_(None),
                among(payment.c[name], wanted),
            )
            found |= {row.payment_id: stored(row) for row in connection.execute(query)}
    return list(found.values())


def with_rest(connection: Connection, company_id: str, names: Iterable[str]) -> list[StoredPayment]:
    """Standing payments of these customers of which something is left over, oldest first."""
    query = _of(company_id).where(
        payment.c.unallocated_minor > literal_column("0"),  # no bound value: the index says 0
        among(payment.c.customer_id, names),
        payment.c.undone_at.is_(None),
    )
    rows = connection.execute(query).all()  # an order asked of SQLite would make it read all payments
    return [stored(row) for row in sorted(rows, key=lambda row: str(row.payment_id))]


def batches_waiting(connection: Connection, company_id: str, account: str) -> list[StoredPayment]:
    """Batches whose payments are not known yet."""
    query = _of(company_id).where(
        payment.c.account == account,
        payment.c.state == "unmatched",
        payment.c.reason == "batch",
        payment.c.undone_at.is_(None),
    )
    return [stored(row) for row in connection.execute(query.order_by(payment.c.payment_id))]


def transaction_marks(connection: Connection, company_id: str, ids: Sequence[str]) -> dict[str, str]:
    """The bank's reference (AcctSvcrRef) of some payments, by our id."""
    query = select(payment.c.payment_id, payment.c.bank_reference).where(
        payment.c.company_id == company_id, among(payment.c.payment_id, list(ids))
    )
    return {row.payment_id: row.bank_reference for row in connection.execute(query)}


def of_invoice(connection: Connection, company_id: str, number: str) -> list[Row[Any]]:
    """Allocations to one item with the payment's booking day."""
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
        .where(payment.c.company_id == company_id, payment.c.is_credit, payment.c.undone_at.is_(None))
        .group_by(payment.c.state)
    )
    return {state: int(count) for state, count in connection.execute(query)}
