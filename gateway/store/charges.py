"""Late charges: what letters have claimed, and what was taken back. Append-only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select

from gateway.store.rows import chunks
from gateway.store.schema import item, late_charge, ledger_entry, ledger_line, notice_item
from o2c.errors import NotFound
from o2c.interest import Balance
from o2c.late_charge import Cause, ChargeKind, FeeHistory, LateCharge
from o2c.money import Money


def add(connection: Connection, company_id: str, new: Sequence[LateCharge]) -> None:
    """Insert rows, all in one statement."""
    if new:
        connection.execute(insert(late_charge), [_row(company_id, one) for one in new])


def _row(company_id: str, one: LateCharge) -> dict[str, Any]:
    return {
        "company_id": company_id,
        "charge_id": one.charge_id,
        "invoice_number": one.invoice_number,
        "customer_id": one.customer_id,
        "kind": one.kind,
        "cause": one.cause,
        "amount_minor": one.amount.minor,
        "currency": one.amount.currency,
        "charged_on": one.charged_on,
        "notice_id": one.notice_id,
        "cancels": one.cancels,
        "words": one.words,
        "actor": one.actor,
        "made_at": one.made_at,
    }


def _read(row: Row[Any]) -> LateCharge:
    return LateCharge(
        row.charge_id,
        row.invoice_number,
        row.customer_id,
        ChargeKind(row.kind),
        Cause(row.cause),
        Money.from_minor(row.amount_minor, row.currency),
        row.charged_on,
        row.words,
        row.actor,
        row.made_at,
        row.notice_id,
        row.cancels,
    )


def find(connection: Connection, company_id: str, charge_id: str) -> LateCharge:
    """One row; ``NotFound('late-charge')``."""
    query = select(late_charge).where(
        late_charge.c.company_id == company_id, late_charge.c.charge_id == charge_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            "late-charge", f"there is no late charge {charge_id}.", next_step="See: o2c dunning charges list"
        )
    return _read(row)


def page(
    connection: Connection, company_id: str, after: str, limit: int, *, number: str | None = None
) -> list[LateCharge]:
    """Rows by id, after ``after``, of all invoices or of one."""
    query = select(late_charge).where(late_charge.c.company_id == company_id, late_charge.c.charge_id > after)
    if number is not None:
        query = query.where(late_charge.c.invoice_number == number)
    return [_read(row) for row in connection.execute(query.order_by(late_charge.c.charge_id).limit(limit))]


def of_invoices(
    connection: Connection, company_id: str, numbers: Iterable[str]
) -> dict[str, list[LateCharge]]:
    """The rows of these invoices, oldest first: one statement for 900 of them."""
    found: dict[str, list[LateCharge]] = {}
    for some in chunks(sorted(set(numbers))):
        query = select(late_charge).where(
            late_charge.c.company_id == company_id, late_charge.c.invoice_number.in_(some)
        )
        _gather(connection, query, found)
    return found


def of_unpaid(connection: Connection, company_id: str) -> dict[str, list[LateCharge]]:
    """The rows of every unpaid invoice: one statement."""
    unpaid = and_(
        item.c.company_id == late_charge.c.company_id,
        item.c.number == late_charge.c.invoice_number,
        item.c.settled_at.is_(None),
    )
    found: dict[str, list[LateCharge]] = {}
    query = select(late_charge).join(item, unpaid).where(late_charge.c.company_id == company_id)
    _gather(connection, query, found)
    return found


def _gather(connection: Connection, query: Select[Any], found: dict[str, list[LateCharge]]) -> None:
    for row in connection.execute(query.order_by(late_charge.c.charge_id)):
        found.setdefault(row.invoice_number, []).append(_read(row))


def fees_of_unpaid(connection: Connection, company_id: str) -> dict[str, FeeHistory]:
    """How many letters with a fee have listed each unpaid invoice, and when the last one did: one
    statement. A letter that never left does not count."""
    withdrawn = late_charge.alias()
    query = (
        select(notice_item.c.invoice_number, func.count(), func.max(late_charge.c.charged_on))
        .select_from(late_charge)
        .join(
            notice_item,
            and_(
                notice_item.c.company_id == late_charge.c.company_id,
                notice_item.c.notice_id == late_charge.c.notice_id,
            ),
        )
        .join(
            item,
            and_(
                item.c.company_id == notice_item.c.company_id,
                item.c.number == notice_item.c.invoice_number,
                item.c.settled_at.is_(None),
            ),
        )
        .outerjoin(
            withdrawn,
            and_(
                withdrawn.c.company_id == late_charge.c.company_id,
                withdrawn.c.cancels == late_charge.c.charge_id,
                withdrawn.c.cause == Cause.WITHDRAWN,
            ),
        )
        .where(
            late_charge.c.company_id == company_id,
            late_charge.c.kind == ChargeKind.FEE,
            late_charge.c.cause == Cause.CLAIMED,
            withdrawn.c.charge_id.is_(None),
        )
        .group_by(notice_item.c.invoice_number)
    )
    return {number: FeeHistory(int(count), last) for number, count, last in connection.execute(query)}


def of_letter(connection: Connection, company_id: str, notice_id: str) -> list[LateCharge]:
    """What one letter claims."""
    query = select(late_charge).where(
        late_charge.c.company_id == company_id, late_charge.c.notice_id == notice_id
    )
    return [_read(row) for row in connection.execute(query.order_by(late_charge.c.charge_id))]


def balances(
    connection: Connection, company_id: str, numbers: Iterable[str]
) -> dict[str, tuple[Balance, ...]]:
    """What was open on each invoice at the end of every day something was booked on it, oldest first:
    one statement for 900 of them."""
    moved: dict[str, list[tuple[Any, int]]] = {}
    for some in chunks(sorted(set(numbers))):
        query = (
            select(
                ledger_line.c.invoice_number,
                ledger_entry.c.booked_on,
                func.sum(ledger_line.c.debit - ledger_line.c.credit),
            )
            .join(
                ledger_entry,
                and_(
                    ledger_entry.c.company_id == ledger_line.c.company_id,
                    ledger_entry.c.entry_id == ledger_line.c.entry_id,
                ),
            )
            .where(
                ledger_line.c.company_id == company_id,
                ledger_line.c.invoice_number.in_(some),
                ledger_line.c.account == "receivable",
            )
            .group_by(ledger_line.c.invoice_number, ledger_entry.c.booked_on)
            .order_by(ledger_line.c.invoice_number, ledger_entry.c.booked_on)
        )
        for number, day, minor in connection.execute(query):
            moved.setdefault(number, []).append((day, int(minor)))
    return {number: _running(steps) for number, steps in moved.items()}


def _running(steps: Sequence[tuple[Any, int]]) -> tuple[Balance, ...]:
    total, found = 0, []
    for day, minor in steps:
        total += minor
        found.append(Balance(day, total))
    return tuple(found)
