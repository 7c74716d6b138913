"""What money means beyond the books: for promises, disputes and holds, and how that is taken back.

Whatever ends because money came in is told with how it stood before and with the cause (a statement
or a payment), on the stream where it happened. Taking the cause back puts exactly that right again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import owed
from gateway.stages.desk import Desk
from gateway.stages.promise import Paid
from gateway.store import customers, orders, promises, undoing
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, customer_stream
from o2c.promise import Promise, PromiseState

_PROMISES = ("PromiseKept", "PromiseBroken")
_PROMISED = ("promise", "invoices", "amount", "promised_on")
_ENDED = (
    *(*_PROMISES, "PromiseResumed", "PromiseWithdrawn", "DisputeClosed", "DisputeReopened"),
    *("CreditReleased", "CreditHeld", "AccountFlagged"),
)


def after_payments(
    desk: Desk, connection: Connection, paid: Sequence[Paid], paying: set[str], cause: str
) -> tuple[list[Event], list[NewJob]]:
    """What the block's money ends: promises, disputes, holds of the customers who are ``paying``.
    Counted on the balances just written."""
    if not paid:
        return [], []
    numbers = [one.number for one in paid]
    states = (PromiseState.RUNNING, PromiseState.BROKEN)
    before = {one.promise_id: one for one in promises.about(connection, desk.company_id, numbers, *states)}
    events = [_marked(event, cause, before) for event in owed.after_payments(desk, connection, paid)]
    released, work = _lift_holds(desk, connection, paying, cause)
    return events + released, work


def _marked(event: Event, cause: str, before: dict[str, Promise]) -> Event:
    """The event with its cause and with how the promise stood."""
    data: dict[str, Any] = {**event.data, "cause": cause}
    known = before.get(str(event.data.get("promise")))
    if known is not None:
        data["before"] = {"state": known.state.value, "ended_on": known.ended_on, "note": known.note}
    return replace(event, data=data)


def _lift_holds(
    desk: Desk, connection: Connection, paying: set[str], cause: str
) -> tuple[list[Event], list[NewJob]]:
    """Payment lifts the hold by itself, and the orders that it stopped are decided again."""
    free = customers.held_without_overdue(connection, desk.company_id, paying, desk.clock.today())
    if not free:
        return [], []
    rows = customers.rows(connection, desk.company_id, free)
    customers.mark(connection, desk.company_id, free, flagged_at=None, held_at=None)
    events, work = [], []
    for name in free:
        row = rows[name]
        before = {"flagged_at": _text(row.flagged_at), "held_at": _text(row.held_at)}
        data = {"reason": "nothing is overdue", "cause": cause, "before": before}
        events.append(Event(customer_stream(name), "CreditReleased", data))
    for order_id in orders.of_customer(connection, desk.company_id, free, "held"):
        stamp = new_id("paid", desk.clock.now())
        work.append(NewJob("reconsider", f"reconsider:{order_id}:{stamp}", {"order": order_id}))
    return events, work


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


# --- and back ------------------------------------------------------------------------------------
def put_back(
    desk: Desk, connection: Connection, streams: Iterable[str], who: Iterable[str], causes: set[str]
) -> list[Event]:
    """Promises, disputes and holds that ``causes`` ended stand again as before, where nothing else has
    changed them since. Called once the balances are back; ``streams`` are those of the items."""
    names = set(who)
    every = {customer_stream(name) for name in names} | set(streams)
    told = undoing.told(connection, desk.company_id, every, _ENDED)
    last = {_subject(stream, data): (stream, event, data) for stream, event, data in told}
    overdue = undoing.overdue_customers(connection, desk.company_id, names, desk.clock.today())
    events: list[Event] = []
    for stream, event, data in last.values():
        if data.get("cause") not in causes:
            continue
        if event in _PROMISES:
            events += _promise_again(desk, connection, stream, data)
        elif event == "DisputeClosed":
            events += _dispute_again(desk, connection, stream, data)
        elif event == "CreditReleased" and stream.removeprefix("customer:") in overdue:
            events += _hold_again(desk, connection, stream, data)
    return events


def _subject(stream: str, data: Mapping[str, Any]) -> str:
    """What an event is about: a promise, a dispute, or the credit of a customer."""
    return str(data.get("promise") or data.get("dispute") or stream)


def _hold_again(desk: Desk, connection: Connection, stream: str, data: Mapping[str, Any]) -> Iterator[Event]:
    before = {key: at and datetime.fromisoformat(at) for key, at in data["before"].items()}
    customers.mark(connection, desk.company_id, [stream.removeprefix("customer:")], **before)
    event = "CreditHeld" if before["held_at"] else "AccountFlagged"
    yield Event(stream, event, {"invoices": [], "reason": "the money that released it was taken back"})


def _promise_again(
    desk: Desk, connection: Connection, stream: str, data: Mapping[str, Any]
) -> Iterator[Event]:
    before = data["before"]
    ended = before["ended_on"] and date.fromisoformat(before["ended_on"])
    undoing.restore_promise(connection, desk.company_id, data["promise"], before["state"], ended)
    yield Event(stream, "PromiseResumed", {key: data[key] for key in _PROMISED})


def _dispute_again(
    desk: Desk, connection: Connection, stream: str, data: Mapping[str, Any]
) -> Iterator[Event]:
    undoing.reopen_dispute(connection, desk.company_id, data["dispute"])
    yield Event(stream, "DisputeReopened", {key: data[key] for key in ("dispute", "number", "amount")})
