"""Remind: once a day, what is due to be said to whom, and nothing to those who have paid.

Runs on open items only and derives everything again, so running it twice on a day says nothing
twice. The credit accounts concerned are locked first: cash coming in at the same moment is either
seen here or waits until the letter is written, and then withdraws it (see ``send``). The number of
statements does not grow with the invoices, up to 900 of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import charge, dispute, plan, promise, shadow, tell
from gateway.stages.bill import buyer_of
from gateway.stages.desk import Desk
from gateway.stages.plan import Case, Ruling
from gateway.store import charges, customers, invoices, items, jobs, orders, outbox
from gateway.store.invoices import IssuedInvoice
from gateway.store.jobs import Job, NewJob
from gateway.store.journal import Event, customer_stream, item_stream
from gateway.store.orders import Decided, StoredOrder
from gateway.store.outbox import Delivery, Notice
from gateway.store.rows import chunks
from o2c import dunning, letter
from o2c.dunning import Letter, ReviewPoint
from o2c.late_charge import LateCharge
from o2c.letter import Circumstances, Written
from o2c.promise import PromiseState

DISPUTED = "disputed"  # the line of a decision about the disputed part of an invoice


@dataclass(slots=True)
class _Run:
    """What one day's run will write."""

    today: date
    reviews: Mapping[str, Sequence[ReviewPoint]]
    buyers: Mapping[str, str]
    events: list[Event] = field(default_factory=list)
    work: list[NewJob] = field(default_factory=list)
    levels: list[tuple[str, str]] = field(default_factory=list)
    flag: set[str] = field(default_factory=set)
    hold: set[str] = field(default_factory=set)
    decided: list[Decided] = field(default_factory=list)  # what is kept: where a rule spoke
    judged: list[Decided] = field(default_factory=list)  # every decision of the day
    claims: list[LateCharge] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    deliveries: list[Delivery] = field(default_factory=list)


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
    cases = plan.of_today(desk, connection, lock=True)
    reviews, buyers = _reviews(desk, connection, cases)
    run = _Run(desk.clock.today(), reviews, buyers)
    broken = [one for case in cases for one in case.broken]
    run.events += promise.end(desk, connection, broken, PromiseState.BROKEN)
    events, work = dispute.tell_of_late(desk, connection)
    run.events += events
    run.work += work
    for case in cases:
        _carry_out(desk, run, case)
    _write(desk, connection, run)
    return len(run.notices)


def written(desk: Desk, case: Case, due: Letter, claims: Sequence[LateCharge]) -> Written:
    """The words of the letter with everything that is claimed, ``claims`` among it."""
    said = {
        number: [*case.charges.get(number, ()), *(one for one in claims if one.invoice_number == number)]
        for number in plan.listed(due)
    }
    party = case.customer.party
    account = desk.company.account_in(due.items[0].currency)
    about = Circumstances(
        desk.company.name,
        party.contact.name or party.name,
        desk.clock.today(),
        account.account if account else None,
        case.pay_by(desk.clock.today()),
    )
    return letter.write(due, said, case.customer.language, about)


def _carry_out(desk: Desk, run: _Run, case: Case) -> None:
    for ruling in case.rulings:
        _keep(run, case, ruling)
    for ruling in case.speaking:
        if ruling.decision.actions.get("review") == "yes":
            _review(run, ruling)
    if case.letter is not None:
        _account_events(run, case, case.letter)
        _post(desk, run, case, case.letter)


def _post(desk: Desk, run: _Run, case: Case, due: Letter) -> None:
    """The letter with its claims, on its way."""
    notice_id = new_id("ntc", desk.clock.now())
    claims = charge.made(desk, case.charged.claims, case.customer.customer_id, notice_id, run.today)
    order_of = {one.receivable.item.invoice_number: one.receivable.order_id for one in case.speaking}
    run.claims += claims
    run.events += [charge.event(one, order_of[one.invoice_number]) for one in claims]
    words = written(desk, case, due, claims)
    raised = [one.receivable for one in case.speaking]
    before = {one.item.invoice_number: (one.level, one.last_notice_on) for one in raised}
    notice, message = tell.reminder(desk, case.customer, due, notice_id, words, before)
    run.notices.append(notice)
    run.deliveries.append(message)
    run.work.append(tell.send_job(message.message_id))


def _keep(run: _Run, case: Case, ruling: Ruling) -> None:
    """The decision as evidence, and the level that is reached."""
    decision, number = ruling.decision, ruling.receivable.item.invoice_number
    part = DISPUTED if ruling.receivable.disputed else None
    run.judged.append(Decided(number, part, decision, case.reason(ruling)))
    if decision.rule is not None or decision.alarm is not None:
        run.decided.append(run.judged[-1])
    if ruling.speaks and case.letter is not None:
        run.levels.append((number, ruling.outcome))


def _reviews(
    desk: Desk, connection: Connection, cases: Sequence[Case]
) -> tuple[dict[str, Sequence[ReviewPoint]], dict[str, str]]:
    """What could keep the invoices from being paid that are due for a look, and who buys them: three
    statements for all."""
    due = {
        one.receivable.item.invoice_number: case
        for case in cases
        for one in case.speaking
        if one.decision.actions.get("review") == "yes"
    }
    ours = [n for case in cases for n in _invoiced_here(case) if n in due]
    issued = invoices.some(connection, desk.company_id, ours)
    stored = orders.some(connection, desk.company_id, [one.order_id for one in issued])
    sends: dict[str, list[Any]] = {}
    for several in chunks(sorted(due)):
        for send in outbox.deliveries_of(connection, desk.company_id, several):
            sends.setdefault(send.subject_id, []).append(send)
    # Of what was taken over there is no document here to search: its customer is all we know.
    points: dict[str, Sequence[ReviewPoint]] = dict.fromkeys(due, ())
    buyers = {number: case.customer.party.name for number, case in due.items()}
    for one in issued:
        number, order = one.invoice.number, stored[one.order_id]
        points[number] = _points(one, order, due[number], sends.get(number, []))
        buyers[number] = buyer_of(order, due[number].customer).name
    return points, buyers


def _invoiced_here(case: Case) -> list[str]:
    return [r.item.invoice_number for r in (one.receivable for one in case.speaking) if r.order_id]


def _points(
    issued: IssuedInvoice, stored: StoredOrder, case: Case, sends: Sequence[Any]
) -> Sequence[ReviewPoint]:
    return dunning.review(
        stored.order,
        issued.invoice,
        case.customer,
        delivered=any(send.state == "sent" for send in sends),
        bounced=any(send.state == "failed" for send in sends),
    )


def _review(run: _Run, ruling: Ruling) -> None:
    """The flag before the due date is also a review: would anything keep this invoice from being paid?"""
    item, decision = ruling.receivable.item, ruling.decision
    number = item.invoice_number
    stream = item_stream(ruling.receivable.order_id, item.customer_id)
    flagged = {"number": number, "rule": decision.rule, "due_on": item.due_on}
    run.events.append(Event(stream, "InvoiceFlagged", flagged, rulebook_sha256=decision.rulebook_sha))
    reviewed = {
        "number": number,
        "buyer": run.buyers[number],
        "findings": tell.review_words(run.reviews[number]),
    }
    run.events.append(Event(stream, "InvoiceReviewed", reviewed))


def _account_events(run: _Run, case: Case, due: Letter) -> None:
    """Flag the account and hold its credit where the deciding rules say so, once."""
    numbers = set(plan.listed(due))
    parts = [one.receivable for one in case.rulings]
    orders_of = dict.fromkeys(r.order_id for r in parts if r.item.invoice_number in numbers)
    concerned = tuple(filter(None, orders_of))
    decisions = [one.decision for one in case.speaking]
    data = {"invoices": sorted(numbers), "level": due.level}
    sha256 = decisions[0].rulebook_sha
    name = case.customer.customer_id
    stream = customer_stream(name)
    flags = any(d.actions.get("flag") == "account" for d in decisions)
    if flags and case.account.flagged_at is None:
        run.flag.add(name)
        run.events.append(Event(stream, "AccountFlagged", data, rulebook_sha256=sha256, orders=concerned))
    holds = any(d.actions.get("credit") in ("hold new orders", "block") for d in decisions)
    if holds and case.account.held_at is None:
        run.hold.add(name)
        run.events.append(Event(stream, "CreditHeld", data, rulebook_sha256=sha256, orders=concerned))


def _write(desk: Desk, connection: Connection, run: _Run) -> None:
    now = desk.clock.now()
    items.reach_level(connection, desk.company_id, run.levels, run.today)
    customers.mark(connection, desk.company_id, run.flag, flagged_at=now)
    customers.mark(connection, desk.company_id, run.hold, held_at=now)
    orders.add_decisions(connection, desk.company_id, now, desk.actor, run.decided)
    shadow.compare(connection, desk.company_id, now, desk.shadows, run.judged)
    charges.add(connection, desk.company_id, run.claims)
    outbox.add_notices(connection, desk.company_id, now, run.notices)
    outbox.add_deliveries(connection, desk.company_id, now, run.deliveries)
    desk.record(connection, now, run.events, run.work)
