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

from sqlalchemy import Connection, Row, and_, func, select

from formats import canonical
from gateway.ids import new_id
from gateway.store.bulk import insert_rows
from gateway.store.schema import as_stored, ledger_entry, ledger_line, stamp
from o2c.ledger import Account, EntryKind, LedgerEntry, LedgerLine
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


_ENTRY = (
    *("company_id", "entry_id", "kind", "booked_on", "currency", "base_currency", "rate", "document"),
    *("text", "sha256", "posted_at"),
)
_LINE = (
    *("company_id", "entry_id", "position", "account", "debit", "credit", "base_debit", "base_credit"),
    *("customer_id", "invoice_number", "tax_category", "tax_rate", "tax_base"),
)


def post(
    connection: Connection, company_id: str, at: datetime, entries: Sequence[LedgerEntry]
) -> list[Posted]:
    """Append entries (each checked to balance when it was made) in two statements for all."""
    posted = []
    for entry in entries:
        entry_id = new_id("led", at)
        posted.append(Posted(entry_id, seal(company_id, entry_id, stamp(at), entry), entry))
    now = stamp(at)
    insert_rows(connection, ledger_entry, _ENTRY, [_entry_row(company_id, now, one) for one in posted])
    lines = [row for one in posted for row in _line_rows(company_id, one)]
    insert_rows(connection, ledger_line, _LINE, lines)
    return posted


def _entry_row(company_id: str, posted_at: str, one: Posted) -> tuple[Any, ...]:
    entry = one.entry
    return (
        *(company_id, one.entry_id, entry.kind.value, entry.booked_on.isoformat(), entry.currency),
        *(entry.base_currency, str(entry.rate), entry.document, entry.text, one.sha256, posted_at),
    )


def _line_rows(company_id: str, one: Posted) -> Iterator[tuple[Any, ...]]:
    for position, line in enumerate(one.entry.lines, start=1):
        tax = line.tax
        yield (
            *(company_id, one.entry_id, position, line.account.value, line.debit, line.credit),
            *(line.base_debit, line.base_credit, line.customer_id, line.invoice_number),
            *(tax and tax.category.value, tax and str(tax.rate), line.tax_base),
        )


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
    for some in _pieces(stream.partitions(500)):
        lines = select(ledger_line).where(
            ledger_line.c.company_id == company_id,
            ledger_line.c.entry_id.in_([row.entry_id for row in some]),
        )
        of_entry: dict[str, list[Row[Any]]] = {}
        for line in connection.execute(lines.order_by(ledger_line.c.entry_id, ledger_line.c.position)):
            of_entry.setdefault(line.entry_id, []).append(line)
        for header in some:
            yield header, of_entry.get(header.entry_id, [])


def _pieces(partitions: Iterable[Sequence[Row[Any]]]) -> Iterator[Sequence[Row[Any]]]:
    """Entries whose lines are read together: an opening balance has thousands and stands alone."""
    for several in partitions:
        few = [row for row in several if row.kind != EntryKind.OPENING]
        if len(few) == len(several):
            yield several
        else:
            yield from ([row] for row in several)


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
