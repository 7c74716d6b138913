"""Promises to pay: letters wait until the day; then the promise was kept, or it was broken."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.store import customers, disputes, items, promises
from gateway.store.items import OpenInvoice
from gateway.store.journal import Event, customer_stream
from o2c.dispute import Dispute, withheld
from o2c.errors import Conflict, Refused
from o2c.money import Money
from o2c.promise import Promise, PromisedItem, PromiseState, after_payment, promisable

_ENDED = {
    PromiseState.KEPT: "PromiseKept",
    PromiseState.BROKEN: "PromiseBroken",
    PromiseState.WITHDRAWN: "PromiseWithdrawn",
}


@dataclass(frozen=True, slots=True)
class Word:
    """What a customer promises: these invoices by that day. Without ``amount`` all that is open."""

    numbers: tuple[str, ...]
    promised_on: date
    amount: Money | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Paid:
    """Money that was applied: what is open on the invoice now, and the day of the bank's booking."""

    number: str
    open: int
    booked_on: date


def make_promise(desk: Desk, word: Word) -> tuple[Promise, bool]:
    """Record a promise; True beside it if the same one is running already and nothing was done.

    ``NotFound('invoice')``; ``Refused`` with ``promise-customers``, ``promise-currencies``,
    ``promise-amount``, ``promise-day``; ``Conflict('promise-running')`` where another one runs.
    """
    if not word.numbers:
        raise Refused("promise-invoices", "a promise is about at least one invoice.")
    return desk.database.write(lambda connection: _make(desk, connection, word))


def _make(desk: Desk, connection: Connection, word: Word) -> tuple[Promise, bool]:
    numbers = sorted(set(word.numbers))
    about = items.some(connection, desk.company_id, numbers)
    customer_id, currency = _one_account(about)
    customers.lock(connection, desk.company_id, [customer_id])
    running = promises.about(connection, desk.company_id, numbers, PromiseState.RUNNING)
    for one in running:
        same = (list(one.numbers), one.promised_on) == (numbers, word.promised_on)
        if same and word.amount in (None, one.amount):
            return one, True
        told = f"{one.promise_id} of {one.amount} by {one.promised_on} is running for these invoices."
        raise Conflict("promise-running", told, next_step="Withdraw it first.")
    open_now = items.open_amounts(connection, desk.company_id, numbers)
    amount = promisable(
        word.amount, _undisputed(desk, connection, open_now), currency, word.promised_on, desk.clock.today()
    )
    now = desk.clock.now()
    promised = tuple(PromisedItem(number, open_now.get(number, 0)) for number in numbers)
    new = Promise(
        new_id("prm", now),
        customer_id,
        promised,
        amount,
        word.promised_on,
        desk.actor,
        now,
        note=word.note,
    )
    promises.add(connection, desk.company_id, new)
    desk.record(connection, now, [_event(desk, new, "PromiseMade", [one.order_id for one in about])])
    return new, False


def _one_account(about: Sequence[OpenInvoice]) -> tuple[str, str]:
    owners = {one.item.customer_id for one in about}
    currencies = {one.item.currency for one in about}
    if len(owners) > 1:
        told = f"these invoices belong to {', '.join(sorted(owners))}."
        raise Refused("promise-customers", told, next_step="Record one promise for each customer.")
    if len(currencies) > 1:
        told = f"these invoices are in {', '.join(sorted(currencies))}."
        raise Refused("promise-currencies", told, next_step="Record one promise for each currency.")
    return owners.pop(), currencies.pop()


def _undisputed(desk: Desk, connection: Connection, open_now: dict[str, int]) -> int:
    known: dict[str, list[Dispute]] = {}
    for one in disputes.of_invoices(connection, desk.company_id, open_now):
        known.setdefault(one.invoice_number, []).append(one)
    credited = disputes.credited_since(connection, desk.company_id, known)
    return sum(
        minor - withheld(known.get(number, ()), minor, credited.get(number, 0))
        for number, minor in open_now.items()
    )


def withdraw_promise(desk: Desk, promise_id: str, note: str) -> Promise:
    """Let a promise fall; letters go on. ``NotFound('promise')``, ``Conflict('promise-state')``."""

    def unit(connection: Connection) -> Promise:
        found = promises.find(connection, desk.company_id, promise_id)
        customers.lock(connection, desk.company_id, [found.customer_id])
        found = promises.find(connection, desk.company_id, promise_id)
        if found.state is PromiseState.WITHDRAWN:
            return found
        if found.state is not PromiseState.RUNNING:
            told = f"promise {promise_id} is {found.state} already."
            raise Conflict("promise-state", told, next_step="Only a running promise can be withdrawn.")
        events = end(desk, connection, [found], PromiseState.WITHDRAWN, note)
        desk.record(connection, desk.clock.now(), events)
        return promises.find(connection, desk.company_id, promise_id)

    return desk.database.write(unit)


def end(
    desk: Desk, connection: Connection, ended: Sequence[Promise], state: PromiseState, note: str | None = None
) -> list[Event]:
    """End promises; returns their events."""
    if not ended:
        return []
    ids = [one.promise_id for one in ended]
    promises.end(connection, desk.company_id, ids, state, desk.clock.today())
    numbers = {number for one in ended for number in one.numbers}
    order_of = items.orders_of(connection, desk.company_id, numbers)
    return [
        _event(desk, one, _ENDED[state], [order_of[number] for number in one.numbers], note) for one in ended
    ]


def _event(
    desk: Desk, one: Promise, name: str, orders: Iterable[str | None], note: str | None = None
) -> Event:
    data = {
        "promise": one.promise_id,
        "invoices": list(one.numbers),
        "amount": str(one.amount),
        "promised_on": one.promised_on,
    }
    more = {"note": note} if note else {}
    concerned = tuple(filter(None, dict.fromkeys(orders)))
    return Event(customer_stream(one.customer_id), name, data | more, orders=concerned)


def after_payments(desk: Desk, connection: Connection, paid: Sequence[Paid]) -> list[Event]:
    """Promises that this money keeps, or shows to have been broken: it came too late.

    A promise that was called broken before the bank's file came in is put right.
    """
    booked = {one.number: one.booked_on for one in sorted(paid, key=lambda one: one.booked_on)}
    states = (PromiseState.RUNNING, PromiseState.BROKEN)
    known = promises.about(connection, desk.company_id, booked, *states)
    if not known:
        return []
    numbers = sorted({number for one in known for number in one.numbers})
    open_now = items.open_amounts(connection, desk.company_id, numbers)
    ended: dict[PromiseState, list[Promise]] = {PromiseState.KEPT: [], PromiseState.BROKEN: []}
    for one in known:
        last = max(booked[number] for number in one.numbers if number in booked)
        state = after_payment(one, open_now, last)
        if state is not one.state:
            ended[state].append(one)
    return [event for state, several in ended.items() for event in end(desk, connection, several, state)]
