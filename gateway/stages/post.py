"""Post: what was decided about a block of payments goes into the books, in a few statements for all.

Each payment adds its entries, allocations and moves to a ``Batch`` in memory; what that comes to is a
``Bundle``, and ``write`` appends it, here or in another process.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import effects, tolerance
from gateway.stages.batch import APPLIED, IGNORED, UNMATCHED, Batch, Origin
from gateway.stages.desk import Desk
from gateway.stages.promise import Paid
from gateway.store import allocations, bank, customers, items, journal, payers, postings
from gateway.store.allocations import NewAllocation
from gateway.store.bank import StoredPayment
from gateway.store.bulk import Rows
from gateway.store.customers import Movement
from gateway.store.journal import Event
from gateway.store.ledger import Posted
from gateway.store.rows import pack
from o2c import cash
from o2c.cash import Use
from o2c.decision import Decision
from o2c.ledger import LedgerEntry
from o2c.matching.model import Answer, Evidence, Outcome, Part, Suggestion
from o2c.money import Money
from o2c.statement import Entry, TransactionDetails


# --- one payment ---------------------------------------------------------------------------------
def payment_of(
    batch: Batch, origin: Origin, entry: Entry, details: TransactionDetails, answer: Answer
) -> StoredPayment:
    """A payment as it is stored, given what was decided about it."""
    state = _state(details, answer)
    return StoredPayment(
        new_id("pay", batch.at),
        origin.statement_id,
        origin.account,
        entry.booked_on,
        details,
        state,
        details.amount.minor if state == UNMATCHED and details.is_credit else 0,
        answer.customer_id if state == APPLIED else None,
        answer.reason,
        answer.outcome.value,
        answer.rule[:40],
        explanation(answer),
        sum(part.discount for part in answer.parts),
        sum(part.write_off for part in answer.parts) + abs(answer.write_off),
        sum(part.charges for part in answer.parts),
        part_of_payment_id=origin.part_of,
    )


def _state(details: TransactionDetails, answer: Answer) -> str:
    kept = answer.outcome is Outcome.UNAPPLIED and answer.customer_id is not None
    if answer.outcome is Outcome.MATCH or kept:
        return APPLIED
    return UNMATCHED if details.is_credit or answer.outcome is Outcome.REVIEW else IGNORED


def explanation(answer: Answer) -> str:
    """Evidence, words and suggestions as JSON."""
    data: dict[str, Any] = {}
    if answer.evidence:
        data["evidence"] = _evidence(answer.evidence)
    if answer.words:
        data["words"] = answer.words
    if answer.suggestions:
        data["suggestions"] = [_suggestion(one) for one in answer.suggestions]
    return pack(data)


def _evidence(evidence: Sequence[Evidence]) -> list[dict[str, str]]:
    return [{"field": one.field, "words": one.words} for one in evidence]


def _suggestion(one: Suggestion) -> dict[str, Any]:
    return {
        "customer": one.customer_id,
        "score": one.score,
        "parts": [[part.number, part.amount, part.closes] for part in one.parts],
        "evidence": _evidence(one.evidence),
    }


def take(batch: Batch, payment: StoredPayment, answer: Answer) -> None:
    """Carry a decision out: entries, allocations, events. What is no receipt is only told."""
    if payment.state == IGNORED:
        told(batch, payment, [], ())
        noted(batch, payment)
        return
    if payment.state == UNMATCHED:
        take_unmatched(batch, payment, answer.words)
        return
    use = _use(payment, answer)
    details = payment.details
    posting = batch.posting(
        payment.payment_id,
        payment.booked_on,
        details.amount.currency,
        details.text or details.counterparty or "",
    )
    paid = details.amount if details.is_credit else -details.amount
    booked = cash.payment_entries(posting, paid, use, batch.owed, batch.vat)
    posted = batch.entered(payment, booked.entries)
    if payment.unallocated != booked.rest:
        payment = replace(payment, unallocated=booked.rest)
    settled = allocate(batch, payment, use.parts, posted[0].entry_id, answer.rule, answer.evidence)
    told(batch, payment, posted, use.parts, settled)
    noted(batch, payment)


def take_unmatched(batch: Batch, payment: StoredPayment, words: str) -> None:
    """A person has to look: money that came in lies in suspense meanwhile; what went out is not booked."""
    posted = []
    if payment.details.is_credit:
        entries = suspended(batch, payment)
        posted = batch.entered(payment, entries)
    told(batch, payment, posted, ())
    noted(batch, payment)
    about = {"payment": payment.payment_id, "reason": payment.reason, "words": words}
    batch.events.append(Event(_stream(payment), "PaymentUnmatched", about))


def suspended(batch: Batch, payment: StoredPayment) -> tuple[LedgerEntry, ...]:
    """The money waits: bank against suspense."""
    money = payment.details.amount
    words = payment.details.text or payment.details.counterparty or ""
    posting = batch.posting(payment.payment_id, payment.booked_on, money.currency, words)
    use = Use(money.currency, unapplied=money.minor)
    return cash.payment_entries(posting, money, use, batch.owed).entries


def noted(batch: Batch, payment: StoredPayment) -> None:
    batch.place[payment.payment_id] = len(batch.payments)
    batch.payments.append(payment)


def _stream(payment: StoredPayment) -> str:
    return f"statement:{payment.statement_id}"


def _use(payment: StoredPayment, answer: Answer) -> Use:
    paid = payment.details.amount
    if answer.outcome is not Outcome.MATCH:
        return Use(paid.currency, unapplied=paid.minor, customer_id=answer.customer_id)
    currency = answer.currency or paid.currency
    return Use(currency, answer.parts, answer.unapplied, answer.write_off, answer.customer_id)


def allocate(
    batch: Batch,
    payment: StoredPayment,
    parts: Sequence[Part],
    entry_id: str,
    rule: str,
    evidence: Sequence[Evidence],
) -> list[str]:
    """Note what each item got; the items that are settled by it."""
    if not parts:
        return []
    words = pack(_evidence(evidence))
    batch.given[payment.payment_id] = parts
    settled = []
    for part in parts:
        batch.allocated.append(
            NewAllocation(
                payment.payment_id,
                part.number,
                entry_id,
                part.amount,
                rule[:40],
                words,
                part.discount,
                part.write_off,
                part.charges,
                part.closes,
            )
        )
        batch.applied_on[part.number] = payment.booked_on
        if batch.owed[part.number].open == 0:
            settled.append(part.number)
    return settled


# --- what is said of it --------------------------------------------------------------------------
def told(
    batch: Batch,
    payment: StoredPayment,
    posted: Sequence[Posted],
    parts: Sequence[Part],
    settled: Sequence[str] = (),
) -> None:
    """The bank's entry is in the books: one event, with the seal of each ledger entry. What was applied
    to an order's invoice stands on the order's own timeline as well."""
    details = payment.details
    data: dict[str, Any] = {
        "amount": str(details.amount),
        "from": details.counterparty,
        "payment": payment.payment_id,
        "booked_on": payment.booked_on.isoformat(),
        "decision": payment.decision,
        "rule": payment.rule,
    }
    if payment.state == IGNORED:
        data["direction"] = "not a receipt"
    if posted:
        data["ledger"] = {one.entry_id: one.sha256 for one in posted}
    linked = [order for part in parts if (order := batch.orders.get(part.number))]
    currency = posted[0].entry.currency if posted else ""
    taken_over = [part for part in parts if not batch.orders.get(part.number)]
    if taken_over:
        data["applied"] = [[part.number, amount(part.amount, currency)] for part in taken_over]
        paid = [part.number for part in taken_over if part.number in settled]
        data |= {"paid": paid} if paid else {}
    batch.events.append(Event(_stream(payment), "EntryBooked", data, orders=tuple(dict.fromkeys(linked))))
    for part in parts:
        if batch.orders.get(part.number):
            _applied(batch, payment, part, currency, part.number in settled)


def _applied(batch: Batch, payment: StoredPayment, part: Part, currency: str, settled: bool) -> None:
    about = {"number": part.number, "payment": payment.payment_id}
    money = str(Money.from_minor(part.amount, currency))
    stream = batch.stream_of(part.number)
    batch.events.append(Event(stream, "PaymentApplied", about | {"amount": money, "rule": payment.rule}))
    if settled:
        batch.events.append(Event(stream, "InvoicePaid", about))


def applied_by_hand(
    batch: Batch, payment: StoredPayment, parts: Sequence[Part], currency: str, posted: Sequence[Posted]
) -> None:
    """The same after the day of the import: the statement tells who did it, and each item hears of it."""
    data = {
        "payment": payment.payment_id,
        "rule": payment.rule,
        "left": amount(payment.unallocated, payment.details.amount.currency),
        "ledger": {one.entry_id: one.sha256 for one in posted},
    }
    batch.events.append(Event(_stream(payment), "PaymentAllocated", data))
    for part in parts:
        _applied(batch, payment, part, currency, batch.owed[part.number].open == 0)


def amount(minor: int, currency: str) -> str:
    """Minor units as plain text: ``12.34``."""
    return format(Money.from_minor(minor, currency).amount, "f")


# --- all of it -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Bundle:
    """Everything that is written of a block of payments, as plain as it is stored: it may travel to
    another process."""

    at: datetime
    payments: Rows
    entries: Rows
    lines: Rows
    changed: dict[str, dict[str, Any]]
    allocations: Rows
    moved: Rows  # item, change of what is open, the same in company currency
    movements: list[Movement]
    learned: list[tuple[str, str]]
    decided: list[tuple[str, Decision]]
    paid: list[Paid]
    paying: set[str]
    events: Rows


def bundled(batch: Batch) -> Bundle:
    """What the batch comes to."""
    company_id, entries = batch.desk.company_id, [one.entry for one in batch.posted]
    moved = cash.moved_items(entries)
    return Bundle(
        batch.at,
        bank.payment_rows(company_id, batch.payments),
        *postings.rows(company_id, batch.at, batch.posted),
        batch.changed,
        allocations.rows(company_id, batch.allocated, batch.at),
        Rows((number, change, base) for number, _, change, base in moved),
        [Movement(who, invoices=base) for _, who, _, base in moved]
        + [Movement(who, cash=base) for who, base in cash.moved_cash(entries)],
        batch.learned,
        batch.decided,
        [Paid(number, batch.owed[number].open, day) for number, day in batch.applied_on.items()],
        {batch.owed[number].customer_id for number in batch.applied_on},
        journal.plain(batch.events),
    )


def write(desk: Desk, connection: Connection, block: Bundle, cause: str) -> None:
    """Append everything, in two sets of statements whatever the size. ``cause`` (a statement, a payment)
    marks what follows for promises and holds, so that an undo finds it again."""
    company_id = desk.company_id
    postings.append(connection, block.entries, block.lines)
    bank.add_payments(connection, block.payments)
    bank.change(connection, company_id, block.changed)
    allocations.add(connection, block.allocations)
    items.move(connection, company_id, block.moved, block.at)
    customers.move(connection, company_id, block.movements)
    payers.learn(connection, company_id, block.learned)
    tolerance.keep(desk, connection, block.decided)
    events, work = effects.after_payments(desk, connection, block.paid, block.paying, cause)
    desk.record(connection, block.at, [*(Event(*row) for row in block.events), *events], work)


def book(batch: Batch, connection: Connection, cause: str) -> None:
    """Append a batch here and now."""
    write(batch.desk, connection, bundled(batch), cause)
