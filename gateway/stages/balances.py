"""The balance that each receivable item carries, proved against the ledger's own lines.

Part of ``audit``: reads everything, changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, Row, Text, and_, case, func, select, type_coerce

from gateway.store import items
from gateway.store.schema import invoice, item, journal, ledger_entry, ledger_line
from o2c.ledger import EntryKind
from o2c.matching import squeezed

_OPENING = (EntryKind.INVOICE, EntryKind.CREDIT_NOTE, EntryKind.OPENING)  # they open an item


def check(connection: Connection, company_id: str) -> tuple[int, list[str]]:
    """How many items were proved, and one sentence for each that is not what the ledger says."""
    found = list(_items(connection, company_id))
    proofs = (_unknown, _invoices, _ordered, _taken_over)
    more = [words for proof in proofs for words in proof(connection, company_id)]
    return len(found), [*filter(None, found), *more]


def _taken_over(connection: Connection, company_id: str) -> Iterator[str]:
    """What a former system's items said when they came against what they say now."""
    query = select(journal.c.data).where(
        journal.c.company_id == company_id, journal.c.event == "OpenItemsTakenOver"
    )
    for (data,) in connection.execute(query).all():
        try:
            sealed: dict[str, str] = json.loads(data)["contents"]
        except (ValueError, TypeError, KeyError):  # reported as a broken journal row
            continue
        for entry_id, sha256 in sealed.items():
            if items.contents(connection, company_id, entry_id) != sha256:
                yield f"ledger entry {entry_id}: the items that it opened are not as they were taken over"


def _unknown(connection: Connection, company_id: str) -> Iterator[str]:
    """No receivable is booked on an item that is not there."""
    line = ledger_line.c
    mine = and_(item.c.company_id == line.company_id, item.c.number == line.invoice_number)
    named = (line.company_id == company_id, line.account == "receivable", line.invoice_number.is_not(None))
    query = select(line.invoice_number).outerjoin(item, mine).where(*named, item.c.number.is_(None))
    for number in connection.execute(query.distinct()).scalars():
        yield f"item {number}: the ledger has booked on it, and there is none"


def _invoices(connection: Connection, company_id: str) -> Iterator[str]:
    """Every invoice opened an item of its own amount."""
    mine = and_(item.c.company_id == invoice.c.company_id, item.c.number == invoice.c.number)
    of, its = invoice.c, item.c
    query = select(
        *(of.number, of.customer_id, of.order_id, of.gross_minor, of.currency, of.reference),
        *(type_coerce(of.issued_on, Text), type_coerce(of.due_on, Text)),
        *(its.customer_id, its.order_id, its.gross_minor, its.currency, its.reference),
        *(type_coerce(its.issued_on, Text), type_coerce(its.due_on, Text)),
    ).outerjoin(item, mine)
    for number, *said in connection.execute(query.where(of.company_id == company_id)):
        if said[:7] != said[7:]:
            yield f"invoice {number}: its item is not of the same customer, order, amount and days"


def _ordered(connection: Connection, company_id: str) -> Iterator[str]:
    """An item that comes from an order here has its invoice here."""
    mine = and_(invoice.c.company_id == item.c.company_id, invoice.c.number == item.c.number)
    named = (item.c.company_id == company_id, item.c.order_id.is_not(None), invoice.c.number.is_(None))
    for number in connection.execute(select(item.c.number).outerjoin(invoice, mine).where(*named)).scalars():
        yield f"item {number}: it names an order, and there is no invoice of that number"


def _items(connection: Connection, company_id: str) -> Iterator[str | None]:
    """The balance that each item carries against the ledger's lines: what opened it, what is left of it
    in both currencies, and whether it is settled. Of each item what is wrong with it, or None."""
    line = ledger_line.c
    opened = and_(ledger_entry.c.kind.in_(_OPENING), line.account == "receivable")
    sums = (
        select(
            line.invoice_number,
            func.min(line.customer_id).label("first_customer"),
            func.max(line.customer_id).label("last_customer"),
            func.max(type_coerce(ledger_entry.c.posted_at, Text)).label("moved_at"),
            func.sum(case((opened, line.debit - line.credit), else_=0)).label("gross"),
            func.sum(line.debit - line.credit).label("left"),
            func.sum(line.base_debit - line.base_credit).label("base_left"),
        )
        .join(
            ledger_entry,
            and_(ledger_entry.c.company_id == line.company_id, ledger_entry.c.entry_id == line.entry_id),
        )
        .where(line.company_id == company_id, line.account == "receivable")
        .group_by(line.invoice_number)
        .subquery()
    )
    query = select(
        *(item.c.number, item.c.number_key, item.c.customer_id, item.c.gross_minor),
        *(item.c.open_minor, item.c.base_open_minor),
        type_coerce(item.c.settled_at, Text).label("settled_at"),
        *(
            sums.c.first_customer,
            sums.c.last_customer,
            sums.c.gross,
            sums.c.left,
            sums.c.base_left,
            sums.c.moved_at,
        ),
    ).outerjoin_from(item, sums, sums.c.invoice_number == item.c.number)
    query = query.where(item.c.company_id == company_id)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        yield next(_breaks(row), None)


def _breaks(row: Row[Any]) -> Iterator[str]:
    name = f"item {row.number}"
    true = (int(row.gross or 0), int(row.left or 0), int(row.base_left or 0))
    kept = (row.gross_minor, row.open_minor, row.base_open_minor)
    if true != kept:
        yield f"{name}: gross, open, open in the books' currency are {true} by the ledger, it says {kept}"
    closed_at = None if true[1] else row.moved_at or row.settled_at
    if row.settled_at != closed_at:
        yield f"{name}: settled_at is {row.settled_at}, by the ledger {closed_at}"
    if row.number_key != squeezed(row.number):
        yield f"{name}: it is looked up by {row.number_key}, which is not its number"
    if row.gross is not None and {row.first_customer, row.last_customer} != {row.customer_id}:
        yield f"{name}: it is {row.customer_id}'s, and the ledger has booked it on somebody else"
