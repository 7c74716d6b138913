"""The receivables ledger in rows: append-only, every entry sealed by a SHA-256 over its lines.

Balances are sums over lines. The hash of each entry also stands in the journal row that caused
it, so a changed line shows whoever changed it with what rights.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, func, insert, select, update

from formats import canonical
from gateway.ids import new_id
from gateway.store.rows import chunks
from gateway.store.schema import as_stored, company, customer, invoice, ledger_entry, ledger_line, stamp
from o2c.ledger import Account, EntryKind, LedgerEntry, LedgerLine, OpenItem
from o2c.order import Tax, VatCategory


@dataclass(frozen=True, slots=True)
class Posted:
    """An entry with the id and seal it was stored under."""

    entry_id: str
    sha256: str
    entry: LedgerEntry


def seal(company_id: str, entry_id: str, posted_at: str, entry: LedgerEntry) -> str:
    """SHA-256 over everything an entry says; ``posted_at`` as it is stored (see ``stamp``)."""
    return canonical.sha256(canonical.dumps([company_id, entry_id, posted_at, canonical.encode(entry)]))


_ENTRY, _LINE = insert(ledger_entry), insert(ledger_line)


def post(
    connection: Connection, company_id: str, at: datetime, entries: Sequence[LedgerEntry]
) -> list[Posted]:
    """Append entries (each checked to balance when it was made) in two statements for all."""
    posted = []
    for entry in entries:
        entry_id = new_id("led", at)
        posted.append(Posted(entry_id, seal(company_id, entry_id, stamp(at), entry), entry))
    if posted:
        connection.execute(_ENTRY, [_entry_row(company_id, at, one) for one in posted])
        connection.execute(_LINE, [row for one in posted for row in _line_rows(company_id, one)])
    return posted


def _entry_row(company_id: str, at: datetime, one: Posted) -> dict[str, Any]:
    entry = one.entry
    return {
        "company_id": company_id,
        "entry_id": one.entry_id,
        "kind": entry.kind,
        "booked_on": entry.booked_on,
        "currency": entry.currency,
        "base_currency": entry.base_currency,
        "rate": str(entry.rate),
        "document": entry.document,
        "text": entry.text,
        "sha256": one.sha256,
        "posted_at": at,
    }


def _line_rows(company_id: str, one: Posted) -> Iterator[dict[str, Any]]:
    for position, line in enumerate(one.entry.lines, start=1):
        yield {
            "company_id": company_id,
            "entry_id": one.entry_id,
            "position": position,
            "account": line.account,
            "debit": line.debit,
            "credit": line.credit,
            "base_debit": line.base_debit,
            "base_credit": line.base_credit,
            "customer_id": line.customer_id,
            "invoice_number": line.invoice_number,
            "tax_category": line.tax and line.tax.category,
            "tax_rate": line.tax and str(line.tax.rate),
            "tax_base": line.tax_base,
        }


def read_entry(header: Row[Any], lines: Iterable[Row[Any]]) -> LedgerEntry:
    """The entry as it was posted, from its rows in order of position."""
    return LedgerEntry(
        kind=EntryKind(header.kind),
        booked_on=date.fromisoformat(header.booked_on),
        currency=header.currency,
        base_currency=header.base_currency,
        rate=Decimal(header.rate),
        document=header.document,
        text=header.text,
        lines=tuple(_line(row) for row in lines),
    )


def _line(row: Row[Any]) -> LedgerLine:
    return LedgerLine(
        account=Account(row.account),
        debit=row.debit,
        credit=row.credit,
        base_debit=row.base_debit,
        base_credit=row.base_credit,
        customer_id=row.customer_id,
        invoice_number=row.invoice_number,
        tax=Tax(VatCategory(row.tax_category), Decimal(row.tax_rate)) if row.tax_category else None,
        tax_base=row.tax_base,
    )


# --- open items ----------------------------------------------------------------------------------
_on_item = and_(
    ledger_line.c.company_id == invoice.c.company_id,
    ledger_line.c.invoice_number == invoice.c.number,
    ledger_line.c.account == "receivable",
)
_OPEN = (
    select(
        invoice.c.number,
        invoice.c.order_id,
        invoice.c.customer_id,
        customer.c.name,
        invoice.c.reference,
        invoice.c.currency,
        company.c.currency.label("base_currency"),
        invoice.c.issued_on,
        invoice.c.due_on,
        invoice.c.level,
        invoice.c.last_notice_on,
        func.sum(ledger_line.c.debit - ledger_line.c.credit).label("open"),
        func.sum(ledger_line.c.base_debit - ledger_line.c.base_credit).label("base_open"),
    )
    .select_from(invoice)
    .join(ledger_line, _on_item)
    .join(company, company.c.company_id == invoice.c.company_id)
    .join(
        customer,
        and_(customer.c.company_id == invoice.c.company_id, customer.c.customer_id == invoice.c.customer_id),
    )
    .where(invoice.c.company_id == bindparam("of"), invoice.c.settled_at.is_(None))
    .group_by(
        invoice.c.number,
        invoice.c.order_id,
        invoice.c.customer_id,
        customer.c.name,
        invoice.c.reference,
        invoice.c.currency,
        company.c.currency,
        invoice.c.issued_on,
        invoice.c.due_on,
        invoice.c.level,
        invoice.c.last_notice_on,
    )
    .order_by(invoice.c.due_on, invoice.c.number)
)


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An open item with what dunning has done about it."""

    item: OpenItem
    order_id: str
    level: str
    last_notice_on: date | None


def _items(connection: Connection, company_id: str, query: Select[Any]) -> list[OpenInvoice]:
    return [
        OpenInvoice(
            OpenItem(
                invoice_number=row.number,
                customer_id=row.customer_id,
                customer_name=row.name,
                reference=row.reference,
                currency=row.currency,
                open=int(row.open),
                base_currency=row.base_currency,
                base_open=int(row.base_open),
                issued_on=row.issued_on,
                due_on=row.due_on,
            ),
            row.order_id,
            row.level,
            row.last_notice_on,
        )
        for row in connection.execute(query, {"of": company_id})
    ]


def open_items(
    connection: Connection, company_id: str, customer_ids: Iterable[str] | None = None
) -> list[OpenInvoice]:
    """Open items of the company, or of the named customers, oldest due first."""
    if customer_ids is None:
        return _items(connection, company_id, _OPEN)
    found: list[OpenInvoice] = []
    for some in chunks(sorted(set(customer_ids))):
        found += _items(connection, company_id, _OPEN.where(invoice.c.customer_id.in_(some)))
    return found


def open_items_by_key(
    connection: Connection, company_id: str, references: Iterable[str], numbers: Iterable[str]
) -> list[OpenInvoice]:
    """Open items that carry one of the payment references or numbers: a few queries for a whole file."""
    found: dict[str, OpenInvoice] = {}
    for column, keys in ((invoice.c.reference, references), (invoice.c.number, numbers)):
        for some in chunks(sorted(set(keys))):
            for one in _items(connection, company_id, _OPEN.where(column.in_(some))):
                found[one.item.invoice_number] = one
    return list(found.values())


def settle(connection: Connection, company_id: str, numbers: Iterable[str], at: datetime) -> None:
    """Mark invoices whose receivable is now zero."""
    for some in chunks(sorted(numbers)):
        connection.execute(
            update(invoice)
            .where(invoice.c.company_id == company_id, invoice.c.number.in_(some))
            .values(settled_at=at)
        )


# --- sums for reports and proofs -----------------------------------------------------------------
def balances(connection: Connection, company_id: str, before: date) -> Mapping[str, int]:
    """Base balance (debit positive) per account of all entries booked before that day."""
    query = (
        select(ledger_line.c.account, func.sum(ledger_line.c.base_debit - ledger_line.c.base_credit))
        .join(
            ledger_entry,
            and_(
                ledger_entry.c.company_id == ledger_line.c.company_id,
                ledger_entry.c.entry_id == ledger_line.c.entry_id,
            ),
        )
        .where(ledger_line.c.company_id == company_id, ledger_entry.c.booked_on < before)
        .group_by(ledger_line.c.account)
    )
    return {account: int(total) for account, total in connection.execute(query)}


def customer_balances(
    connection: Connection, company_id: str, accounts: Sequence[str], before: date = date.max
) -> Mapping[tuple[str, str], int]:
    """Base balance per (customer, account) of all entries booked before that day (of all, without)."""
    query = (
        select(
            ledger_line.c.customer_id,
            ledger_line.c.account,
            func.sum(ledger_line.c.base_debit - ledger_line.c.base_credit),
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
            ledger_line.c.customer_id.is_not(None),
            ledger_line.c.account.in_(accounts),
            ledger_entry.c.booked_on < before,
        )
        .group_by(ledger_line.c.customer_id, ledger_line.c.account)
    )
    return {(row[0], row[1]): int(row[2]) for row in connection.execute(query)}


def raw_entries(
    connection: Connection,
    company_id: str,
    first: date | None = None,
    last: date | None = None,
    *,
    by_kind: bool = False,
) -> Iterator[tuple[Row[Any], list[Row[Any]]]]:
    """Rows of entries and their lines as stored, in (booked_on, entry_id) order, or by kind first."""
    headers = select(*as_stored(ledger_entry)).where(ledger_entry.c.company_id == company_id)
    if first is not None:
        headers = headers.where(ledger_entry.c.booked_on >= first)
    if last is not None:
        headers = headers.where(ledger_entry.c.booked_on <= last)
    first_by = [ledger_entry.c.kind] if by_kind else []
    headers = headers.order_by(*first_by, ledger_entry.c.booked_on, ledger_entry.c.entry_id)
    stream = connection.execute(headers.execution_options(yield_per=500))
    for some in stream.partitions(500):
        lines = select(ledger_line).where(
            ledger_line.c.company_id == company_id,
            ledger_line.c.entry_id.in_([row.entry_id for row in some]),
        )
        of_entry: dict[str, list[Row[Any]]] = {}
        for line in connection.execute(lines.order_by(ledger_line.c.entry_id, ledger_line.c.position)):
            of_entry.setdefault(line.entry_id, []).append(line)
        for header in some:
            yield header, of_entry.get(header.entry_id, [])


def entries(
    connection: Connection, company_id: str, first: date | None = None, last: date | None = None
) -> Iterator[tuple[Row[Any], LedgerEntry]]:
    """Entries with their lines, streamed in (booked_on, entry_id) order."""
    for header, lines in raw_entries(connection, company_id, first, last):
        yield header, read_entry(header, lines)


def customers_moved(connection: Connection, company_id: str, first: date, last: date) -> set[tuple[str, str]]:
    """(customer, account) pairs with a line in the period."""
    query = (
        select(ledger_line.c.customer_id, ledger_line.c.account)
        .distinct()
        .join(
            ledger_entry,
            and_(
                ledger_entry.c.company_id == ledger_line.c.company_id,
                ledger_entry.c.entry_id == ledger_line.c.entry_id,
            ),
        )
        .where(
            ledger_line.c.company_id == company_id,
            ledger_line.c.customer_id.is_not(None),
            ledger_entry.c.booked_on >= first,
            ledger_entry.c.booked_on <= last,
        )
    )
    return {(row.customer_id, row.account) for row in connection.execute(query)}
