"""Remind: once a day, what is due to be said to whom, and nothing to those who have paid.

Runs on open items only and derives everything again, so running it twice on a day says nothing
twice. The credit accounts concerned are locked first: cash coming in at the same moment is either
seen here or waits until the letter is written, and then withdraws it (see ``send``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import Connection

from gateway.stages import shadow, tell
from gateway.stages.bill import buyer_of
from gateway.stages.desk import Desk
from gateway.store import bank, customers, invoices, jobs, ledger, orders, outbox
from gateway.store.bank import StoredPayment
from gateway.store.jobs import Job, NewJob
from gateway.store.journal import Event, customer_stream, order_stream
from gateway.store.ledger import OpenInvoice
from gateway.store.orders import Decided
from gateway.store.rows import unpack
from o2c import dunning
from o2c.decision import Decision
from o2c.dunning import Letter, Receivable
from o2c.matching import plausible
from o2c.order import Customer

_SPEAKS = frozenset({"L0", "L1", "L2", "L3", "collection"})


@dataclass(slots=True)
class _Run:
    """What one day's run will write."""

    today: date
    events: list[Event] = field(default_factory=list)
    work: list[NewJob] = field(default_factory=list)
    levels: list[tuple[str, str]] = field(default_factory=list)
    flag: set[str] = field(default_factory=set)
    hold: set[str] = field(default_factory=set)
    decided: list[Decided] = field(default_factory=list)  # what is kept: where a rule spoke
    judged: list[Decided] = field(default_factory=list)  # every decision of the day


def remind_job(day: date) -> NewJob:
    """The daily run: one for each company and day."""
    return NewJob("remind", f"remind:{day}", {"day": day})


def remind(desk: Desk, job: Job) -> None:
    """Job handler: the reminders of today."""

    def unit(connection: Connection) -> None:
        run_reminders(desk, connection)
        jobs.done(connection, job)

    desk.database.write(unit)


def run_reminders(desk: Desk, connection: Connection) -> int:
    """Decide every open item on the dunning policy and write what follows; returns the letters."""
    run = _Run(desk.clock.today())
    owing = {one.item.customer_id for one in ledger.open_items(connection, desk.company_id)}
    accounts = customers.lock(connection, desk.company_id, owing)
    items = ledger.open_items(connection, desk.company_id, owing)
    waiting = bank.unmatched(connection, desk.company_id)
    letters = 0
    for name in sorted(accounts):
        row = accounts[name]
        mine = [one for one in items if one.item.customer_id == name]
        letters += _remind(desk, connection, run, unpack(Customer, row.profile), row, mine, waiting)
    _write(desk, connection, run)
    return letters


def _remind(
    desk: Desk,
    connection: Connection,
    run: _Run,
    customer: Customer,
    account: object,
    mine: Sequence[OpenInvoice],
    waiting: Sequence[StoredPayment],
) -> int:
    in_sight = any(plausible(p.details, [one.item for one in mine], run.today) for p in waiting)
    decided: list[tuple[Receivable, Decision]] = []
    for one in mine:
        receivable = Receivable(one.item, one.order_id, one.level, one.last_notice_on)
        facts = dunning.facts(receivable, customer, run.today, money_in_sight=in_sight)
        decision = desk.decider.decide("dunning", facts)
        decided.append((receivable, decision))
        run.judged.append(Decided(one.item.invoice_number, None, decision))
        if decision.rule is not None or decision.alarm is not None:
            run.decided.append(run.judged[-1])
    letters = dunning.letters(decided)
    speaking = [(r, d) for r, d in decided if d.outcome in _SPEAKS]
    run.levels += [(r.item.invoice_number, d.outcome) for r, d in speaking]
    for receivable, decision in speaking:
        if decision.actions.get("review") == "yes":
            _review(desk, connection, run, receivable, customer, decision)
    for letter in letters:
        _account_events(run, account, letter, [d for _, d in speaking], [r for r, _ in decided])
        run.work.append(tell.reminded(desk, connection, customer, letter))
    return len(letters)


def _review(
    desk: Desk,
    connection: Connection,
    run: _Run,
    receivable: Receivable,
    customer: Customer,
    decision: Decision,
) -> None:
    """The flag before the due date is also a review: would anything keep this invoice from being paid?"""
    number = receivable.item.invoice_number
    issued = invoices.find(connection, desk.company_id, number)
    stored = orders.find(connection, desk.company_id, receivable.order_id)
    sends = outbox.deliveries_of(connection, desk.company_id, [number])
    points = dunning.review(
        stored.order,
        issued.invoice,
        customer,
        delivered=any(send.state == "sent" for send in sends),
        bounced=any(send.state == "failed" for send in sends),
    )
    stream = order_stream(receivable.order_id)
    flagged = {"number": number, "rule": decision.rule, "due_on": receivable.item.due_on}
    run.events.append(Event(stream, "InvoiceFlagged", flagged, rulebook_sha256=decision.rulebook_sha))
    reviewed = {
        "number": number,
        "buyer": buyer_of(stored, customer).name,
        "findings": tell.review_words(points),
    }
    run.events.append(Event(stream, "InvoiceReviewed", reviewed))


def _account_events(
    run: _Run,
    account: object,
    letter: Letter,
    decisions: Sequence[Decision],
    receivables: Sequence[Receivable],
) -> None:
    """Flag the account and hold its credit where the deciding rules say so, once."""
    numbers = {item.invoice_number for item in letter.items}
    concerned = tuple(dict.fromkeys(r.order_id for r in receivables if r.item.invoice_number in numbers))
    data = {"invoices": sorted(numbers), "level": letter.level}
    sha256 = decisions[0].rulebook_sha
    name = letter.customer_id
    stream = customer_stream(name)
    if any(d.actions.get("flag") == "account" for d in decisions) and not _is_set(account, "flagged_at"):
        run.flag.add(name)
        run.events.append(Event(stream, "AccountFlagged", data, rulebook_sha256=sha256, orders=concerned))
    holds = any(d.actions.get("credit") in ("hold new orders", "block") for d in decisions)
    if holds and not _is_set(account, "held_at"):
        run.hold.add(name)
        run.events.append(Event(stream, "CreditHeld", data, rulebook_sha256=sha256, orders=concerned))


def _is_set(account: object, column: str) -> bool:
    return getattr(account, column) is not None


def _write(desk: Desk, connection: Connection, run: _Run) -> None:
    now = desk.clock.now()
    invoices.reach_level(connection, desk.company_id, run.levels, run.today)
    customers.mark(connection, desk.company_id, run.flag, flagged_at=now)
    customers.mark(connection, desk.company_id, run.hold, held_at=now)
    orders.add_decisions(connection, desk.company_id, now, desk.actor, run.decided)
    shadow.compare(connection, desk.company_id, now, desk.shadows, run.judged)
    desk.record(connection, now, run.events, run.work)
