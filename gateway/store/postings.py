"""Ledger entries many at a time: sealed in memory, then appended in two statements for all.

An entry has its id and its seal before it is stored, so that whatever is made of it in the same
transaction (an allocation, an event of the journal) can already name it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import Connection, Row, select

from gateway.ids import new_id
from gateway.store import ledger
from gateway.store.bulk import Row as Values
from gateway.store.bulk import Rows, among, insert_rows
from gateway.store.ledger import Posted
from gateway.store.schema import as_stored, ledger_entry, ledger_line, stamp
from o2c.ledger import EntryKind, LedgerEntry, LedgerLine
from o2c.order import Tax

_ENTRY = (
    *("company_id", "entry_id", "kind", "booked_on", "currency", "base_currency", "rate", "document"),
    *("text", "sha256", "posted_at"),
)
_LINE = (
    *("company_id", "entry_id", "position", "account", "debit", "credit", "base_debit", "base_credit"),
    *("customer_id", "invoice_number", "tax_category", "tax_rate", "tax_base"),
)


def sealed(company_id: str, at: datetime, entries: Iterable[LedgerEntry]) -> list[Posted]:
    """The entries with the ids and seals they will be stored under."""
    posted_at = stamp(at)
    found = []
    for entry in entries:
        entry_id = new_id("led", at)
        found.append(Posted(entry_id, seal(company_id, entry_id, posted_at, entry), entry))
    return found


def rows(company_id: str, at: datetime, posted: Sequence[Posted]) -> tuple[Rows, Rows]:
    """Sealed entries as they are stored, and their lines."""
    posted_at = stamp(at)
    lines = [
        _line_row(company_id, one.entry_id, place, line)
        for one in posted
        for place, line in enumerate(one.entry.lines, start=1)
    ]
    return Rows([_entry_row(company_id, posted_at, one) for one in posted]), Rows(lines)


def append(connection: Connection, entries: Sequence[Values], lines: Sequence[Values]) -> None:
    """Append entries and their lines."""
    insert_rows(connection, ledger_entry, _ENTRY, entries)
    insert_rows(connection, ledger_line, _LINE, lines)


def of_documents(
    connection: Connection, company_id: str, documents: Iterable[str]
) -> dict[str, list[Posted]]:
    """The standing entries of payments, oldest first: what was taken back is left out, and so is what
    took it back."""
    query = select(*as_stored(ledger_entry)).where(
        ledger_entry.c.company_id == company_id, among(ledger_entry.c.document, documents)
    )
    headers = connection.execute(query.order_by(ledger_entry.c.entry_id)).all()
    ids = {row.entry_id for row in headers}
    targets = {row.entry_id: _target(row) for row in headers}
    gone = {name for name, target in targets.items() if target in ids}
    gone |= {targets[name] for name in gone}
    standing = [row for row in headers if row.entry_id not in gone]
    lines = _lines_of(connection, company_id, [row.entry_id for row in standing])
    found: dict[str, list[Posted]] = {}
    for row in standing:
        entry = ledger.read_entry(row, lines.get(row.entry_id, ()))
        found.setdefault(row.document, []).append(Posted(row.entry_id, row.sha256, entry))
    return found


def _lines_of(connection: Connection, company_id: str, ids: Iterable[str]) -> dict[str, list[Any]]:
    query = select(ledger_line).where(
        ledger_line.c.company_id == company_id, among(ledger_line.c.entry_id, ids)
    )
    lines: dict[str, list[Any]] = {}
    for line in connection.execute(query.order_by(ledger_line.c.entry_id, ledger_line.c.position)):
        lines.setdefault(line.entry_id, []).append(line)
    return lines


_MARK = "Takes back "


def takes_back(entry_id: str) -> str:
    """The text of the entry that takes another one back: it names it, which is how it is known."""
    return f"{_MARK}{entry_id}"


def _target(header: Row[Any]) -> str:
    """The entry that this one takes back; empty where it takes none."""
    is_one = header.kind == EntryKind.REVERSAL and header.text.startswith(_MARK)
    return str(header.text).removeprefix(_MARK) if is_one else ""


# --- rows and seals ------------------------------------------------------------------------------
def seal(company_id: str, entry_id: str, posted_at: str, entry: LedgerEntry) -> str:
    """``ledger.seal`` for hot paths: the same canonical JSON, written by hand (a test compares them)."""
    lines = ",".join([_line_json(line) for line in entry.lines])
    words = (
        f'["{company_id}","{entry_id}","{posted_at}",{{"base_currency":"{entry.base_currency}",'
        f'"booked_on":"{entry.booked_on.isoformat()}","currency":"{entry.currency}",'
        f'"document":{quoted(entry.document)},"kind":"{entry.kind.value}","lines":[{lines}],'
        f'"rate":"{entry.rate:f}","text":{quoted(entry.text)}}}]'
    )
    return hashlib.sha256(words.encode()).hexdigest()


def _line_json(line: LedgerLine) -> str:
    who = "" if line.customer_id is None else f'"customer_id":{quoted(line.customer_id)},'
    what = "" if line.invoice_number is None else f',"invoice_number":{quoted(line.invoice_number)}'
    tax = "" if line.tax is None else _tax_json(line.tax)
    base = "" if line.tax_base is None else f',"tax_base":{line.tax_base}'
    return (
        f'{{"account":"{line.account.value}","base_credit":{line.base_credit},'
        f'"base_debit":{line.base_debit},"credit":{line.credit},{who}"debit":{line.debit}'
        f"{what}{tax}{base}}}"
    )


def _tax_json(tax: Tax) -> str:
    return f',"tax":{{"category":"{tax.category.value}","rate":"{tax.rate:f}"}}'


def _entry_row(company_id: str, posted_at: str, one: Posted) -> tuple[Any, ...]:
    entry = one.entry
    return (
        company_id,
        one.entry_id,
        entry.kind.value,
        entry.booked_on.isoformat(),
        entry.currency,
        entry.base_currency,
        str(entry.rate),
        entry.document,
        entry.text,
        one.sha256,
        posted_at,
    )


def _line_row(company_id: str, entry_id: str, position: int, line: LedgerLine) -> tuple[Any, ...]:
    return (
        company_id,
        entry_id,
        position,
        line.account.value,
        line.debit,
        line.credit,
        line.base_debit,
        line.base_credit,
        line.customer_id,
        line.invoice_number,
        line.tax and line.tax.category.value,
        line.tax and str(line.tax.rate),
        line.tax_base,
    )
