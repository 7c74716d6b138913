"""Settle: a bank file is read and proved whole, then posted in one transaction.

Any doubt about the file and nothing of it is kept. Every credit is booked; what explains itself by
an exact key settles invoices, the rest waits for a person and holds reminders back meanwhile.
Set-based: a file costs a few statements, not a few per line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from formats import canonical
from formats.camt import camt053
from gateway.ids import new_id
from gateway.stages import owed
from gateway.stages.desk import Desk
from gateway.store import archive, bank, companies, customers, ledger, orders
from gateway.store.archive import Document
from gateway.store.bank import NewAllocation, StoredPayment
from gateway.store.customers import Movement
from gateway.store.database import is_duplicate
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, customer_stream, order_stream
from gateway.store.ledger import OpenInvoice, Posted
from o2c import ledger as books
from o2c.errors import Conflict, Fault, Refused
from o2c.ledger import LedgerEntry
from o2c.matching import Keys, Match, Unmatched, keys_of, match, series_pattern, squeezed
from o2c.posting import payment_entry
from o2c.reference import normal
from o2c.statement import Entry, EntryStatus, Statement, TransactionDetails


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one statement. ``duplicate``: it was here before and posted nothing now."""

    statement_id: str
    account: str
    bank_statement_id: str
    duplicate: bool
    lines: int
    applied: int
    unmatched: int
    ignored: int
    warnings: tuple[str, ...]


def import_statements(desk: Desk, content: bytes, limit: int = 200_000_000) -> list[Imported]:
    """Read, prove and post a camt.053 file. Raises ``Refused`` with the reader's code (nothing is
    posted), or ``Conflict('statement-changed')`` for a known statement with other content."""
    accounts = [account.account for account in desk.company.bank_accounts]
    read = camt053.read(content, accounts, limit=limit)
    file = Document("statement", "application/xml", content)

    for one in read:
        _check_currency(desk, one)

    def unit(connection: Connection) -> list[Imported]:
        sha256 = archive.keep(connection, desk.company_id, desk.clock.now(), file)
        return [_import(desk, connection, one, sha256) for one in read]

    try:
        return desk.database.write(unit)
    except IntegrityError as error:
        if not _is_repeat(error):
            raise
    return desk.database.write(unit)  # the same came in at the same moment; now it is known


def _is_repeat(error: IntegrityError) -> bool:
    statement = "statement.company_id, statement.account, statement.bank_statement_id"
    return is_duplicate(error, "uq_statement_natural_key", statement) or is_duplicate(
        error, "uq_payment_natural_key", "payment.company_id, payment.account, payment.key"
    )


def _check_currency(desk: Desk, read: Statement) -> None:
    kept = next(a.currency for a in desk.company.bank_accounts if a.account == read.account)
    if kept != read.currency:
        raise Refused(
            "currency",
            f"statement {read.statement_id} is in {read.currency}; the account is kept in {kept}.",
            next_step="Correct the account's currency in the company's settings, or ask the bank.",
        )


def _import(desk: Desk, connection: Connection, read: Statement, document_sha256: str) -> Imported:
    content_sha256 = canonical.sha256(canonical.dumps(canonical.encode(read)))
    known = bank.find_statement(connection, desk.company_id, read)
    if known is not None:
        if known.content_sha256 != content_sha256:
            raise Conflict(
                "statement-changed",
                f"statement {read.statement_id} of this account was imported with other content.",
                next_step="Ask the bank which of the two files is right; nothing of this one was posted.",
                faults=[
                    Fault("/Document/BkToCstmrStmt/Stmt/Id", "changed", f"imported as {known.statement_id}")
                ],
            )
        return Imported(known.statement_id, read.account, read.statement_id, True, 0, 0, 0, 0, read.warnings)
    now = desk.clock.now()
    statement_id = new_id("stm", now)
    bank.add_statement(
        connection,
        desk.company_id,
        statement_id,
        read,
        content_sha256=content_sha256,
        document_sha256=document_sha256,
        at=now,
    )
    batch = _match(desk, connection, statement_id, read)
    _post(desk, connection, batch, now)
    counts = {
        state: sum(1 for p in batch.payments if p.state == state)
        for state in ("applied", "unmatched", "ignored")
    }
    summary = Event(
        f"statement:{statement_id}",
        "StatementImported",
        {
            "account": read.account,
            "statement": read.statement_id,
            "closing": read.closing and str(read.closing),
            **counts,
        },
        document_sha256=document_sha256,
    )
    desk.record(connection, now, [summary, *batch.events], batch.work, fresh=[f"statement:{statement_id}"])
    return Imported(
        statement_id,
        read.account,
        read.statement_id,
        False,
        len(batch.payments),
        warnings=read.warnings,
        **counts,
    )


@dataclass(slots=True)
class _Batch:
    """One statement on its way into the books, in document order."""

    stream: str
    payments: list[StoredPayment] = field(default_factory=list)
    matches: list[tuple[StoredPayment, Match]] = field(default_factory=list)
    entries: list[LedgerEntry] = field(default_factory=list)
    open: dict[str, OpenInvoice] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    movements: list[Movement] = field(default_factory=list)
    work: list[NewJob] = field(default_factory=list)
    rates: dict[tuple[str, date], Decimal] = field(default_factory=dict)


def _pairs(read: Statement) -> Iterable[tuple[Entry, TransactionDetails]]:
    for entry in read.entries:
        if entry.status is EntryStatus.BOOKED:
            for details in entry.details:
                yield entry, details


def _match(desk: Desk, connection: Connection, statement_id: str, read: Statement) -> _Batch:
    """Decide every new payment on the open items as the payments before it left them."""
    batch = _Batch(f"statement:{statement_id}")
    known = bank.known_keys(connection, desk.company_id, read.account, [d.key for _, d in _pairs(read)])
    pattern = series_pattern(desk.company.profile.series, desk.company.profile.number_width)
    new = [
        (entry, details, keys_of(details, pattern))
        for entry, details in _pairs(read)
        if details.key not in known
    ]
    batch.open = _open_items(desk, connection, [keys for _, _, keys in new])
    by_reference = {normal(one.item.reference): number for number, one in batch.open.items()}
    by_number = {squeezed(number): number for number in batch.open}
    for entry, details, keys in new:
        result = match(
            entry,
            details,
            keys,
            {key: batch.open[number].item for key, number in by_reference.items() if key in keys.references},
            {key: batch.open[number].item for key, number in by_number.items() if key in keys.numbers},
        )
        _take(desk, connection, batch, statement_id, read, entry, details, result)
    return batch


def _open_items(desk: Desk, connection: Connection, keys: Sequence[Keys]) -> dict[str, OpenInvoice]:
    prefix = squeezed(desk.company.profile.series)
    digits = {number[len(prefix) :] for one in keys for number in one.numbers}
    numbers = [desk.company.number(int(text)) for text in digits if re.fullmatch(r"\d+", text)]
    references = [reference for one in keys for reference in one.references]
    found = ledger.open_items_by_key(connection, desk.company_id, references, numbers)
    # Two files at the same moment must not settle one invoice twice: lock the accounts, look again.
    locked = customers.lock(connection, desk.company_id, {one.item.customer_id for one in found})
    found = ledger.open_items_by_key(connection, desk.company_id, references, numbers)
    return {one.item.invoice_number: one for one in found if one.item.customer_id in locked}


def _take(
    desk: Desk,
    connection: Connection,
    batch: _Batch,
    statement_id: str,
    read: Statement,
    entry: Entry,
    details: TransactionDetails,
    result: Match | Unmatched,
) -> None:
    matched = isinstance(result, Match)
    state = (
        "applied" if matched else "unmatched" if details.is_credit and not entry.is_reversal else "ignored"
    )
    rest = result.unallocated.minor if isinstance(result, Match) else details.amount.minor
    payment = StoredPayment(
        new_id("pay", desk.clock.now()),
        statement_id,
        read.account,
        entry.booked_on,
        details,
        state,
        rest if state != "ignored" else 0,
        result.customer_id,
        None if isinstance(result, Match) else result.reason,
    )
    batch.payments.append(payment)
    data: dict[str, Any] = {
        "amount": str(details.amount),
        "from": details.counterparty,
        "payment": payment.payment_id,
        "booked_on": entry.booked_on,
    }
    if state == "ignored":
        batch.events.append(Event(batch.stream, "EntryBooked", data | {"direction": "not a receipt"}))
        return
    allocations = result.allocations if isinstance(result, Match) else ()
    booked = payment_entry(
        document=payment.payment_id,
        amount=details.amount,
        booked_on=entry.booked_on,
        allocations=allocations,
        items={a.invoice_number: batch.open[a.invoice_number].item for a in allocations},
        customer_id=result.customer_id if isinstance(result, Match) else None,
        base_currency=desk.company.currency,
        rate=_rate(desk, connection, batch, details.amount.currency, entry.booked_on),
        text=details.text or details.counterparty or "",
    )
    batch.entries.append(booked)
    if isinstance(result, Match):
        _apply(batch, payment, result, booked, data)
    else:
        batch.events.append(Event(batch.stream, "EntryBooked", data))
        batch.events.append(
            Event(
                batch.stream,
                "PaymentUnmatched",
                {"payment": payment.payment_id, "reason": result.reason, "words": result.words},
            )
        )


def _rate(desk: Desk, connection: Connection, batch: _Batch, currency: str, day: date) -> Decimal:
    """One look-up for each currency and day of the statement."""
    if (currency, day) not in batch.rates:
        batch.rates[currency, day] = companies.rate_on(connection, desk.company, currency, day)
    return batch.rates[currency, day]


def _apply(
    batch: _Batch, payment: StoredPayment, result: Match, booked: LedgerEntry, data: dict[str, Any]
) -> None:
    """Carry a match out on the open items in memory and note what it moves."""
    concerned = {one.invoice_number: batch.open[one.invoice_number] for one in result.allocations}
    batch.matches.append((payment, result))
    linked = tuple(dict.fromkeys(one.order_id for one in concerned.values()))
    batch.events.append(Event(batch.stream, "EntryBooked", data, orders=linked))
    for allocation in result.allocations:
        before = concerned[allocation.invoice_number]
        item = books.after(before.item, booked)
        batch.open[allocation.invoice_number] = replace(before, item=item)
        stream = order_stream(before.order_id)
        about = {"number": item.invoice_number, "payment": payment.payment_id}
        batch.events.append(
            Event(
                stream,
                "PaymentApplied",
                about | {"amount": str(allocation.amount), "rule": result.rule, "evidence": result.evidence},
            )
        )
        if item.open == 0:
            batch.events.append(Event(stream, "InvoicePaid", about))
        batch.movements.append(Movement(item.customer_id, invoices=item.base_open - before.item.base_open))
    advance = sum(-line.base_amount for line in booked.lines if line.account is books.Account.ADVANCES)
    batch.movements.append(Movement(result.customer_id, cash=advance))


def _post(desk: Desk, connection: Connection, batch: _Batch, now: datetime) -> None:
    posted = ledger.post(connection, desk.company_id, now, batch.entries)
    _seal(batch, posted)
    bank.add_payments(connection, desk.company_id, batch.payments)
    entry_of = {one.entry.document: one.entry_id for one in posted}
    bank.add_allocations(
        connection,
        desk.company_id,
        [
            NewAllocation(
                payment.payment_id,
                allocation.invoice_number,
                entry_of[payment.payment_id],
                allocation.amount,
                found.rule,
                found.evidence,
            )
            for payment, found in batch.matches
            for allocation in found.allocations
        ],
        now,
    )
    paid = [number for number, one in batch.open.items() if one.item.open == 0]
    ledger.settle(connection, desk.company_id, paid, now)
    customers.move(connection, desk.company_id, batch.movements)
    # What it means for promises and disputes; counted on the balances just written.
    batch.events += owed.after_payments(desk, connection, _paid(batch))
    _lift_holds(desk, connection, batch, {found.customer_id for _, found in batch.matches})


def _paid(batch: _Batch) -> list[owed.Paid]:
    """What was applied to each invoice, and how it stands now."""
    return [
        owed.Paid(a.invoice_number, batch.open[a.invoice_number].item.open, payment.booked_on)
        for payment, found in batch.matches
        for a in found.allocations
    ]


def _seal(batch: _Batch, posted: Sequence[Posted]) -> None:
    """Put each ledger entry's hash into the journal row of its payment."""
    seals = {one.entry.document: {one.entry_id: one.sha256} for one in posted}
    batch.events = [
        replace(event, data={**event.data, "ledger": seals[event.data["payment"]]})
        if event.event == "EntryBooked" and event.data["payment"] in seals
        else event
        for event in batch.events
    ]


def _lift_holds(desk: Desk, connection: Connection, batch: _Batch, paying: set[str]) -> None:
    """Payment lifts the hold by itself, and the orders that it stopped are decided again."""
    if not paying:
        return
    free = customers.held_without_overdue(connection, desk.company_id, paying, desk.clock.today())
    if not free:
        return
    customers.mark(connection, desk.company_id, free, flagged_at=None, held_at=None)
    for name in free:
        batch.events.append(Event(customer_stream(name), "CreditReleased", {"reason": "nothing is overdue"}))
    for order_id in orders.of_customer(connection, desk.company_id, free, "held"):
        stamp = new_id("paid", desk.clock.now())
        batch.work.append(NewJob("reconsider", f"reconsider:{order_id}:{stamp}", {"order": order_id}))
