"""Prove the evidence: every stored byte, journal row and ledger line, and every derived figure.

Reads everything and changes nothing. Each finding names the record. It needs no trust in the
database's own triggers: it recomputes the hashes and the sums.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, func, select

from formats import canonical
from gateway.stages import balances, rederived, witness
from gateway.stages.desk import Desk
from gateway.store import archive as documents
from gateway.store import journal as chain
from gateway.store import ledger
from gateway.store.rows import unpack_all
from gateway.store.schema import (
    archive,
    as_stored,
    customer,
    decision,
    invoice,
    item,
    journal,
    number_series,
    referral,
    rule_file,
    rule_proposal,
    rulebook,
    sales_order,
    stock,
)
from o2c.errors import O2CError
from o2c.ledger import LedgerEntry
from o2c.order import OrderPart, PartState

# Events that name ledger entries.
_SEALING = (
    *("InvoiceIssued", "EntryBooked", "OpenItemsTakenOver", "PaymentAllocated", "PaymentUndone"),
    *("PaymentReturned", "BatchDetailed"),
)


@dataclass(frozen=True, slots=True)
class Checked:
    """How many records of one kind were proved, and what is wrong with them."""

    what: str
    records: int
    wrong: tuple[str, ...]


def verify(desk: Desk) -> Iterator[Checked]:
    """Every proof in turn, on one snapshot, so that a progress line can follow it."""
    with desk.database.read() as connection:
        yield from proofs(connection, desk.company_id)


def proofs(connection: Connection, company_id: str) -> Iterator[Checked]:
    """The proofs of one company on one connection."""
    every = (_documents, _journal, _witnesses, _rules, _decisions, _ledger, _numbers, _receivables)
    for proof in (*every, _accounts, _waiting, _stock):
        yield proof(connection, company_id)


def _documents(connection: Connection, company_id: str) -> Checked:
    wrong, count = [], 0
    query = select(*as_stored(archive)).where(archive.c.company_id == company_id)
    for row in connection.execute(query.execution_options(yield_per=200)):
        count += 1
        name = f"document {row.sha256} ({row.kind})"
        if canonical.sha256(row.content) != row.sha256:
            wrong.append(f"{name}: its bytes do not match its hash")
        if documents.seal(company_id, row.sha256, row.kind, row.media_type, row.stored_at) != row.seal:
            wrong.append(f"{name}: what is said about it does not match its seal")
    wrong += _missing_documents(connection, company_id)
    return Checked("documents", count, tuple(wrong))


def _missing_documents(connection: Connection, company_id: str) -> list[str]:
    kept = select(archive.c.sha256).where(archive.c.company_id == company_id)
    query = select(journal.c.stream, journal.c.seq, journal.c.document_sha256).where(
        journal.c.company_id == company_id,
        journal.c.document_sha256.is_not(None),
        journal.c.document_sha256.not_in(kept),
    )
    return [
        f"document {row.document_sha256}: named by journal {row.stream} #{row.seq} and not in the archive"
        for row in connection.execute(query)
    ]


def _journal(connection: Connection, company_id: str) -> Checked:
    query = select(*as_stored(journal)).where(journal.c.company_id == company_id)
    query = query.order_by(journal.c.stream, journal.c.seq)
    count = 0

    def rows() -> Iterator[RowMapping]:
        nonlocal count
        for row in connection.execute(query.execution_options(yield_per=1000)).mappings():
            count += 1
            yield row

    wrong = tuple(chain.breaks(rows()))
    return Checked("journal rows", count, wrong)


def _witnesses(connection: Connection, company_id: str) -> Checked:
    count, wrong = witness.check(connection, company_id)
    return Checked("rows with their events", count, tuple(wrong))


def _rules(connection: Connection, company_id: str) -> Checked:
    """The bytes of every rule file; a history without a gap; each decision made by a file that was in
    force; and each proposal where its history says it is."""
    wrong, count = [], 0
    files = select(rule_file.c.sha256, rule_file.c.content).where(rule_file.c.company_id == company_id)
    for row in connection.execute(files.execution_options(yield_per=200)):
        count += 1
        if canonical.sha256(row.content) != row.sha256:
            wrong.append(f"rule file {row.sha256}: its bytes do not match its hash")
    query = select(*as_stored(rulebook)).where(rulebook.c.company_id == company_id)
    history = connection.execute(query.order_by(rulebook.c.policy, rulebook.c.number)).all()
    wrong += _history_breaks(history)
    known = {(row.policy, row.sha256) for row in history}
    used = select(decision.c.policy, decision.c.rulebook_sha256).where(decision.c.company_id == company_id)
    for policy, sha256 in sorted({tuple(row) for row in connection.execute(used.distinct())} - known):
        wrong.append(f"rule file {sha256}: decided {policy} and was never in force")
    return Checked("rule files", count, (*wrong, *_proposal_breaks(connection, company_id, history)))


def _history_breaks(history: Sequence[Row[Any]]) -> Iterator[str]:
    last: dict[str, int] = {}
    for row in history:
        if row.number != last.get(row.policy, 0) + 1:
            yield f"rules {row.policy} #{row.number}: the row before it is missing"
        last[row.policy] = row.number
    for row in history:
        if row.withdrawn_at is not None and row.proposal_id is None:
            yield f"rules {row.policy} #{row.number}: called off, and nobody can have done that"


def _proposal_breaks(connection: Connection, company_id: str, history: Sequence[Row[Any]]) -> Iterator[str]:
    rows = {row.proposal_id: row for row in history if row.proposal_id is not None}
    query = select(*as_stored(rule_proposal)).where(rule_proposal.c.company_id == company_id)
    found = {row.proposal_id: row for row in connection.execute(query)}
    for row in found.values():
        made = rows.get(row.proposal_id)
        if row.state != _state(row, made):
            yield f"proposal {row.proposal_id}: it is not {row.state}"
        if made is not None and (made.policy, made.sha256) != (row.policy, row.sha256):
            yield f"proposal {row.proposal_id}: another file was activated in its name"
    for row in rows.values():
        if row.proposal_id not in found:
            yield f"rules {row.policy} #{row.number}: there is no proposal {row.proposal_id}"


def _state(row: Row[Any], made: Row[Any] | None) -> str:
    """The state that a proposal must be in by what else is stored of it."""
    if made is not None:
        return "scheduled" if made.withdrawn_at is None else "withdrawn"
    if row.closed_by is not None:
        return "rejected" if row.state == "rejected" else "withdrawn"  # which of them, the journal says
    if row.shadow_from is not None:
        return "shadow"
    return "approved" if row.approver is not None else "proposed"


def _decisions(connection: Connection, company_id: str) -> Checked:
    count, wrong = rederived.check(connection, company_id)
    return Checked("decisions", count, tuple(wrong))


def _ledger(connection: Connection, company_id: str) -> Checked:
    """Entries against their own seal and against the seal in the journal."""
    sealed = _seals(connection, company_id)
    wrong, count = [], 0
    for header, entry in _entries(connection, company_id):
        count += 1
        name = f"ledger entry {header.entry_id} ({header.kind} {header.document})"
        if isinstance(entry, str):
            wrong.append(f"{name}: {entry}")
        elif ledger.seal(company_id, header.entry_id, header.posted_at, entry) != header.sha256:
            wrong.append(f"{name}: its lines do not match its hash")
        if sealed.pop(header.entry_id, None) != header.sha256:
            wrong.append(f"{name}: its hash is not the one in the journal")
    wrong += [f"ledger entry {entry_id}: is in the journal and not in the ledger" for entry_id in sealed]
    return Checked("ledger entries", count, tuple(wrong))


def _entries(connection: Connection, company_id: str) -> Iterator[tuple[Row[Any], LedgerEntry | str]]:
    for header, lines in ledger.raw_entries(connection, company_id):
        try:
            entry: LedgerEntry | str = ledger.read_entry(header, lines)
        except (O2CError, ValueError, TypeError, ArithmeticError) as error:  # it no longer reads
            entry = str(error)
        positions = [line.position for line in lines]
        if positions != list(range(1, len(lines) + 1)):
            entry = f"its lines have the positions {positions}"
        yield header, entry


def _seals(connection: Connection, company_id: str) -> dict[str, str]:
    query = select(journal.c.data).where(
        journal.c.company_id == company_id,
        journal.c.event.in_(_SEALING),
    )
    seals: dict[str, str] = {}
    for (data,) in connection.execute(query.execution_options(yield_per=1000)):
        try:
            seals |= json.loads(data).get("ledger", {})
        except (ValueError, TypeError, AttributeError):  # reported as a broken journal row
            continue
    return seals


def _numbers(connection: Connection, company_id: str) -> Checked:
    """Numbers 1..n of every series, no gap and no double; where a former system began it, from the number
    on that follows its last one."""
    wrong, count = [], 0
    for series, last in connection.execute(
        select(number_series.c.series, number_series.c.last).where(number_series.c.company_id == company_id)
    ):
        found = connection.execute(
            select(func.count(), func.min(invoice.c.sequence), func.max(invoice.c.sequence)).where(
                invoice.c.company_id == company_id, invoice.c.series == series
            )
        ).one()
        count += found[0]
        count_, first, highest = found[0], found[1] or last + 1, found[2] or last
        begun = first == 1 or _taken_over(connection, company_id, series, first - 1)
        if (count_, highest) != (last - first + 1, last) or not begun:
            wrong.append(
                f"series {series}: {found[0]} invoices from {found[1]} to {found[2]}, counter at {last}"
            )
    return Checked("invoice numbers", count, tuple(wrong))


def _taken_over(connection: Connection, company_id: str, series: str, place: int) -> bool:
    """Is there an item of a former system with this number, whatever its width?"""
    width = len(str(place))
    names = [f"{series}-{place:0{more}d}" for more in range(width, width + 18)]
    query = select(item.c.number).where(
        item.c.company_id == company_id, item.c.number.in_(names), item.c.order_id.is_(None)
    )
    return connection.execute(query).first() is not None


def _receivables(connection: Connection, company_id: str) -> Checked:
    count, wrong = balances.check(connection, company_id)
    return Checked("receivable items", count, tuple(wrong))


def _accounts(connection: Connection, company_id: str) -> Checked:
    """The figures of each credit account against orders, ledger and payments."""
    claims = (
        select(sales_order.c.customer_id, func.sum(sales_order.c.claimed_minor))
        .where(sales_order.c.company_id == company_id)
        .group_by(sales_order.c.customer_id)
    )
    orders = {name: int(total) for name, total in connection.execute(claims)}
    items = ledger.customer_balances(connection, company_id, ["receivable", "advances"])
    wrong, count = [], 0
    query = select(customer).where(customer.c.company_id == company_id).order_by(customer.c.customer_id)
    for row in connection.execute(query):
        count += 1
        name = row.customer_id
        true = (orders.get(name, 0), items.get((name, "receivable"), 0), -items.get((name, "advances"), 0))
        kept = (row.open_orders_minor, row.open_invoices_minor, row.unallocated_minor)
        if true != kept:
            wrong.append(
                f"customer {name}: open orders, invoices, unallocated are {true}, the account says {kept}"
            )
    return Checked("credit accounts", count, tuple(wrong))


def _waiting(connection: Connection, company_id: str) -> Checked:
    """The list of what waits for a person against the orders that do."""
    query = select(sales_order.c.order_id, sales_order.c.state).where(
        sales_order.c.company_id == company_id, sales_order.c.state.in_(("referred", "held"))
    )
    orders = {row.order_id: row.state for row in connection.execute(query)}
    listed = {
        row.order_id: row.state
        for row in connection.execute(select(referral).where(referral.c.company_id == company_id))
    }
    wrong = [
        f"order {name}: it is {orders.get(name, 'decided')} and listed as {listed.get(name, 'not waiting')}"
        for name in sorted(orders.keys() | listed.keys())
        if orders.get(name) != listed.get(name)
    ]
    return Checked("orders that wait", len(orders), tuple(wrong))


def _parts(text: str) -> tuple[OrderPart, ...]:
    try:
        return unpack_all(OrderPart, text)
    except (O2CError, ValueError, TypeError):  # reported with the order's events
        return ()


def _stock(connection: Connection, company_id: str) -> Checked:
    """What is reserved against the parts of the orders."""
    promised: defaultdict[tuple[str, str], int] = defaultdict(int)
    query = select(sales_order.c.order_id, sales_order.c.parts).where(sales_order.c.company_id == company_id)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        for part in _parts(row.parts):
            if part.state is PartState.RESERVED and part.product_id and part.warehouse:
                promised[part.product_id, part.warehouse] += int(part.quantity.scaleb(6))
    wrong, count = [], 0
    for row in connection.execute(select(stock).where(stock.c.company_id == company_id)):
        count += 1
        if row.reserved != promised[row.product_id, row.warehouse]:
            wrong.append(
                f"stock of {row.product_id} in {row.warehouse}: reserved is not what orders were promised"
            )
    return Checked("stock", count, tuple(wrong))
