"""Disputes about invoices."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, func, insert, select, update

from gateway.store.bulk import among
from gateway.store.rows import chunks
from gateway.store.schema import dispute, item, ledger_entry, ledger_line
from o2c.dispute import Dispute, DisputeState, Reason
from o2c.errors import NotFound
from o2c.ledger import EntryKind
from o2c.money import Money

_WITHHOLDING = (DisputeState.OPEN, DisputeState.ACCEPTED)
_IS_PAYMENT = (
    *(EntryKind.INVOICE, EntryKind.OPENING),
    *(EntryKind.PAYMENT, EntryKind.ALLOCATION, EntryKind.REVERSAL),
)


def add(connection: Connection, company_id: str, new: Dispute) -> None:
    """Insert one dispute."""
    connection.execute(
        insert(dispute),
        {
            "company_id": company_id,
            "dispute_id": new.dispute_id,
            "invoice_number": new.invoice_number,
            "customer_id": new.customer_id,
            "amount_minor": new.amount.minor,
            "currency": new.amount.currency,
            "reason": new.reason,
            "text": new.text,
            "opened_by": new.opened_by,
            "opened_at": new.opened_at,
            "answer_by": new.answer_by,
            "state": new.state,
        },
    )


def _read(row: Row[Any]) -> Dispute:
    return Dispute(
        row.dispute_id,
        row.invoice_number,
        row.customer_id,
        Money.from_minor(row.amount_minor, row.currency),
        Reason(row.reason),
        row.text,
        row.opened_by,
        row.opened_at,
        row.answer_by,
        DisputeState(row.state),
        row.closed_by,
        row.closed_at,
        row.note,
    )


def find(connection: Connection, company_id: str, dispute_id: str) -> Dispute:
    """One dispute; ``NotFound('dispute')``."""
    query = select(dispute).where(dispute.c.company_id == company_id, dispute.c.dispute_id == dispute_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("dispute", f"there is no dispute {dispute_id}.", next_step="See: o2c disputes list")
    return _read(row)


def of_invoices(connection: Connection, company_id: str, numbers: Iterable[str]) -> list[Dispute]:
    """Every dispute about these invoices, oldest first."""
    query = select(dispute).where(
        dispute.c.company_id == company_id, among(dispute.c.invoice_number, numbers)
    )
    return [_read(row) for row in connection.execute(query.order_by(dispute.c.dispute_id))]


def page(
    connection: Connection,
    company_id: str,
    after: str,
    limit: int,
    *,
    state: str | None = None,
    late_on: date | None = None,
) -> list[Dispute]:
    """Disputes by id, after ``after``; with ``late_on`` those open ones that should be answered by then."""
    query = select(dispute).where(dispute.c.company_id == company_id, dispute.c.dispute_id > after)
    if state is not None:
        query = query.where(dispute.c.state == state)
    if late_on is not None:
        query = query.where(dispute.c.state == DisputeState.OPEN, dispute.c.answer_by < late_on)
    return [_read(row) for row in connection.execute(query.order_by(dispute.c.dispute_id).limit(limit))]


_OF_UNPAID = (
    select(dispute)
    .join(
        item,
        and_(
            item.c.company_id == dispute.c.company_id,
            item.c.number == dispute.c.invoice_number,
            item.c.settled_at.is_(None),
        ),
    )
    .where(dispute.c.state.in_(_WITHHOLDING))
    .order_by(dispute.c.dispute_id)
)


def withholding(connection: Connection, company_id: str) -> dict[str, list[Dispute]]:
    """The disputes that keep money of unpaid invoices from being asked for, by invoice: one statement."""
    return _by_invoice(connection, _OF_UNPAID.where(dispute.c.company_id == company_id))


def _by_invoice(connection: Connection, query: Select[Any]) -> dict[str, list[Dispute]]:
    found: dict[str, list[Dispute]] = {}
    for row in connection.execute(query):
        found.setdefault(row.invoice_number, []).append(_read(row))
    return found


def credited_since(
    connection: Connection, company_id: str, disputes: Mapping[str, Sequence[Dispute]]
) -> dict[str, int]:
    """What was credited or written off on each invoice since its first dispute was accepted, minor
    units: money paid does not count. No statement where nothing was accepted."""
    since = {
        number: min(at)
        for number, several in disputes.items()
        if (at := [one.closed_at for one in several if one.state is DisputeState.ACCEPTED and one.closed_at])
    }
    credited: dict[str, int] = {}
    for some in chunks(sorted(since)):
        query = (
            select(
                ledger_line.c.invoice_number,
                ledger_entry.c.posted_at,
                func.sum(ledger_line.c.credit - ledger_line.c.debit).label("minor"),
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
                ledger_entry.c.kind.not_in(_IS_PAYMENT),
            )
            .group_by(ledger_line.c.invoice_number, ledger_entry.c.posted_at)
        )
        for row in connection.execute(query):
            if row.posted_at >= since[row.invoice_number]:
                credited[row.invoice_number] = credited.get(row.invoice_number, 0) + int(row.minor)
    return credited


def close(
    connection: Connection,
    company_id: str,
    ids: Sequence[str],
    state: DisputeState,
    by: str,
    at: datetime,
    note: str | None,
) -> list[str]:
    """Close those that are open; returns which were."""
    closed: list[str] = []
    for some in chunks(ids):
        statement = (
            update(dispute)
            .where(
                dispute.c.company_id == company_id,
                dispute.c.dispute_id.in_(some),
                dispute.c.state == DisputeState.OPEN,
            )
            .values(state=state, closed_by=by, closed_at=at, note=note)
            .returning(dispute.c.dispute_id)
        )
        closed += connection.execute(statement).scalars()
    return sorted(closed)


def late_and_untold(connection: Connection, company_id: str, today: date) -> list[Dispute]:
    """Open disputes whose day of answer has passed and of which finance was not told yet."""
    query = select(dispute).where(
        dispute.c.company_id == company_id,
        dispute.c.state == DisputeState.OPEN,
        dispute.c.answer_by < today,
        dispute.c.late_told_at.is_(None),
    )
    return [_read(row) for row in connection.execute(query.order_by(dispute.c.dispute_id))]


def told(connection: Connection, company_id: str, ids: Iterable[str], at: datetime) -> None:
    """Finance was told that these are late."""
    for some in chunks(ids):
        connection.execute(
            update(dispute)
            .where(dispute.c.company_id == company_id, dispute.c.dispute_id.in_(some))
            .values(late_told_at=at)
        )
