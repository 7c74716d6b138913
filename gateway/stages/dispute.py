"""Disputes: a customer questions an invoice or part of it; somebody must answer by a day.

What is disputed is not reminded of and bears neither fee nor interest; the rest goes on. Opening and
closing lock the customer's account, so that no payment and no reminder crosses them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import charge, tell
from gateway.stages.desk import Desk
from gateway.stages.promise import Paid
from gateway.store import customers, disputes, items
from gateway.store.items import OpenInvoice
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, item_stream
from o2c.dispute import RESOLUTIONS, Dispute, DisputeState, Reason, disputable, withheld
from o2c.errors import Conflict, Refused
from o2c.late_charge import Cause
from o2c.money import Money

ANSWER_DAYS = 14  # to answer a dispute in, where nobody says otherwise


@dataclass(frozen=True, slots=True)
class Question:
    """What a customer disputes. Without ``amount`` all that is open; without ``answer_by`` two weeks."""

    reason: Reason
    text: str = ""
    amount: Money | None = None
    answer_by: date | None = None


def open_dispute(desk: Desk, number: str, asked: Question) -> tuple[Dispute, bool]:
    """Open a dispute; True beside it if the same one is open already and nothing was done.

    ``NotFound('invoice')``, ``Refused('dispute-amount')``, ``Refused('dispute-day')``.
    """
    return desk.database.write(lambda connection: _open(desk, connection, number, asked))


def _open(desk: Desk, connection: Connection, number: str, asked: Question) -> tuple[Dispute, bool]:
    owner = items.find(connection, desk.company_id, number).item.customer_id
    customers.lock(connection, desk.company_id, [owner])
    about = items.find(connection, desk.company_id, number)
    known = disputes.of_invoices(connection, desk.company_id, [number])
    same = _same(known, asked)
    if same is not None:
        return same, True
    new = _new(desk, connection, about, asked, known)
    disputes.add(connection, desk.company_id, new)
    data = {
        "dispute": new.dispute_id,
        "number": number,
        "amount": str(new.amount),
        "reason": new.reason,
        "text": new.text,
        "answer_by": new.answer_by,
    }
    events = [Event(item_stream(about.order_id, owner), "DisputeOpened", data)]
    left = about.item.open
    if _withheld(desk, connection, [*known, new], left) == left:
        events += charge.cancel_all(
            desk, connection, [number], Cause.DISPUTED, "the whole invoice is disputed"
        )
    desk.record(connection, desk.clock.now(), events)
    return new, False


def _same(known: Sequence[Dispute], asked: Question) -> Dispute | None:
    """A request that was sent twice is one dispute."""
    for one in known:
        said = (one.reason, one.text) == (asked.reason, asked.text)
        if one.state is DisputeState.OPEN and said and asked.amount in (None, one.amount):
            return one
    return None


def _new(
    desk: Desk, connection: Connection, about: OpenInvoice, asked: Question, known: Sequence[Dispute]
) -> Dispute:
    number, currency, left = about.item.invoice_number, about.item.currency, about.item.open
    amount = disputable(asked.amount, left, _withheld(desk, connection, known, left), number, currency)
    now, today = desk.clock.now(), desk.clock.today()
    answer_by = asked.answer_by or today + timedelta(days=ANSWER_DAYS)
    if answer_by < today:
        told = f"{answer_by} has passed; nobody can answer by then."
        raise Refused("dispute-day", told, next_step=f"Name {today} or a later day.")
    return Dispute(
        new_id("dsp", now),
        number,
        about.item.customer_id,
        amount,
        asked.reason,
        asked.text,
        desk.actor,
        now,
        answer_by,
    )


def _withheld(desk: Desk, connection: Connection, known: Sequence[Dispute], left: int) -> int:
    by_invoice = {one.invoice_number: known for one in known}
    credited = disputes.credited_since(connection, desk.company_id, by_invoice)
    return withheld(known, left, sum(credited.values()))


def close_dispute(desk: Desk, dispute_id: str, resolution: DisputeState, note: str) -> Dispute:
    """Answer a dispute: ``accepted`` (the amount is never asked for; credit or write it off),
    ``rejected`` or ``settled`` (it is asked for again).

    ``NotFound('dispute')``, ``Conflict('dispute-state')`` if it is closed otherwise.
    """
    if resolution not in RESOLUTIONS:
        raise Refused("dispute-resolution", f"a dispute cannot be closed as {resolution}.")

    def unit(connection: Connection) -> Dispute:
        found = disputes.find(connection, desk.company_id, dispute_id)
        customers.lock(connection, desk.company_id, [found.customer_id])
        found = disputes.find(connection, desk.company_id, dispute_id)
        if found.state is resolution:
            return found
        if found.state is not DisputeState.OPEN:
            told = f"dispute {dispute_id} is {found.state} already."
            raise Conflict("dispute-state", told, next_step="Open a new one if it goes on.")
        desk.record(connection, desk.clock.now(), _close(desk, connection, [found], resolution, note))
        return disputes.find(connection, desk.company_id, dispute_id)

    return desk.database.write(unit)


def _close(
    desk: Desk, connection: Connection, found: Sequence[Dispute], state: DisputeState, note: str
) -> list[Event]:
    ids = [one.dispute_id for one in found]
    now = desk.clock.now()
    closed = set(disputes.close(connection, desk.company_id, ids, state, desk.actor, now, note))
    order_of = items.orders_of(connection, desk.company_id, [one.invoice_number for one in found])
    return [
        Event(
            item_stream(order_of[one.invoice_number], one.customer_id),
            "DisputeClosed",
            {
                "dispute": one.dispute_id,
                "number": one.invoice_number,
                "amount": str(one.amount),
                "resolution": state,
                "note": note,
            },
        )
        for one in found
        if one.dispute_id in closed
    ]


def after_payments(desk: Desk, connection: Connection, paid: Sequence[Paid]) -> list[Event]:
    """Money that settles an invoice settles its disputes."""
    settled = [one.number for one in paid if one.open == 0]
    known = disputes.of_invoices(connection, desk.company_id, settled)
    still_open = [one for one in known if one.state is DisputeState.OPEN]
    if not still_open:
        return []
    return _close(desk, connection, still_open, DisputeState.SETTLED, "the invoice is paid")


def tell_of_late(desk: Desk, connection: Connection) -> tuple[list[Event], list[NewJob]]:
    """Tell the finance desk once of every dispute that should have been answered by now."""
    late = disputes.late_and_untold(connection, desk.company_id, desk.clock.today())
    if not late:
        return [], []
    disputes.told(connection, desk.company_id, [one.dispute_id for one in late], desk.clock.now())
    order_of = items.orders_of(connection, desk.company_id, [one.invoice_number for one in late])
    events = [
        Event(
            item_stream(order_of[one.invoice_number], one.customer_id),
            "DisputeLate",
            {"dispute": one.dispute_id, "number": one.invoice_number, "answer_by": one.answer_by},
        )
        for one in late
    ]
    lines = [
        f"{one.dispute_id}: {one.invoice_number}, customer {one.customer_id}, {one.amount} ({one.reason}), "
        f"answer was due on {one.answer_by}"
        for one in late
    ]
    words = "\n".join(["These disputes have not been answered in time:", *lines])
    subject = f"{len(late)} unanswered dispute{'s' if len(late) > 1 else ''}"
    return events, tell.finance_desk(desk, connection, "dispute-late", subject, words)
