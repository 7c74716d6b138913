"""What a person wants done with a payment, and the second person above the company's amount.

A wish up to the amount is carried out at once. Above it the wish is kept, word for word, and somebody
else carries it out by agreeing to it, or refuses it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import apply, undo
from gateway.stages.apply import Applied, Wish
from gateway.stages.desk import Desk
from gateway.stages.undo import Undone
from gateway.store import bank, companies, requests, statements
from gateway.store.bank import StoredPayment
from gateway.store.journal import Event
from gateway.store.requests import CashRequest, RequestState
from gateway.store.rows import pack, unpack
from o2c.errors import Conflict, Refused
from o2c.money import Money, convert


class Action(StrEnum):
    """What is asked for."""

    APPLY = "apply"
    UNDO = "undo"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a wish: done, or a request that waits for a second person."""

    payment: StoredPayment
    applied: Applied | None = None
    undone: Undone | None = None
    request: CashRequest | None = None

    @property
    def waits(self) -> bool:
        """Is nothing done before a second person agrees?"""
        return self.request is not None and self.request.state is RequestState.OPEN


def wish_of(asked: CashRequest) -> Wish:
    """What a request asks for, as it was said."""
    return unpack(Wish, asked.body)


def ask(
    desk: Desk, payment_id: str, action: Action, wish: Wish | None = None, *, seen: Decimal | None = None
) -> Answer:
    """Do it, or keep it for a second person; the same wish of the same person is kept once.

    ``seen`` is what the person saw waiting, in the payment's currency: ``Conflict('payment-moved')``
    where it is otherwise by now, so that nothing is done twice. Raises what ``apply`` and ``undo`` raise.
    """

    def unit(connection: Connection) -> Answer:
        statements.lock_cash(connection, desk.company_id)
        found = bank.find(connection, desk.company_id, payment_id)
        _check_seen(found, seen)
        worth = _worth(desk, connection, found)
        above = desk.company.profile.four_eyes_above
        if above is None or worth <= above.minor:
            return _done(desk, connection, found, action, wish)
        return _kept(desk, connection, found, action, wish, worth)

    return desk.database.write(unit)


def _check_seen(found: StoredPayment, seen: Decimal | None) -> None:
    currency = found.details.amount.currency
    waiting = Money.from_minor(found.unallocated, currency)
    if seen is not None and seen != waiting.amount:
        raise Conflict(
            "payment-moved",
            f"{waiting} of {found.payment_id} is left by now, not {seen:f} {currency}.",
            next_step="Look at the payment again, and say what is to be done with what is left.",
        )


def _worth(desk: Desk, connection: Connection, found: StoredPayment) -> int:
    """The payment's amount in the company's currency."""
    money = found.details.amount
    rate = companies.rate_on(connection, desk.company, money.currency, found.booked_on)
    return convert(money.minor, money.currency, rate, desk.company.currency)


def _done(
    desk: Desk, connection: Connection, found: StoredPayment, action: Action, wish: Wish | None
) -> Answer:
    if action is Action.UNDO:
        undone = undo.one(desk, connection, found)
        return Answer(bank.find(connection, desk.company_id, found.payment_id), undone=undone)
    applied = apply.apply(desk, connection, found.payment_id, wish or Wish())
    return Answer(applied.payment, applied=applied)


def _kept(
    desk: Desk, connection: Connection, found: StoredPayment, action: Action, wish: Wish | None, worth: int
) -> Answer:
    body = pack(wish or Wish())
    waiting = requests.waiting(connection, desk.company_id, found.payment_id)
    if waiting is not None:
        if (waiting.requested_by, waiting.action, waiting.body) == (desk.actor, action.value, body):
            return Answer(found, request=waiting)
        raise Conflict(
            "request-open",
            f"{waiting.request_id} already asks to {waiting.action} this payment.",
            next_step=f"Decide on it first: o2c payments approve {waiting.request_id}",
        )
    now = desk.clock.now()
    new = CashRequest(
        new_id("csh", now), found.payment_id, action.value, body, worth, desk.actor, now, RequestState.OPEN
    )
    requests.add(connection, desk.company_id, new)
    _tell(desk, connection, found, new, "CashRequested")
    return Answer(found, request=new)


def decide(desk: Desk, request_id: str, *, approve: bool) -> Answer:
    """A second person agrees (then it is done) or does not. ``NotFound('request')``,
    ``Conflict('request-decided')``, ``Refused('four-eyes')`` for the one who asked."""

    def unit(connection: Connection) -> Answer:
        statements.lock_cash(connection, desk.company_id)
        asked = requests.find(connection, desk.company_id, request_id, lock=True)
        state = RequestState.APPROVED if approve else RequestState.REFUSED
        _check_second(desk, asked)
        decided = requests.decide(connection, desk.company_id, asked, state, desk.actor, desk.clock.now())
        found = bank.find(connection, desk.company_id, asked.payment_id)
        _tell(desk, connection, found, decided, "CashApproved" if approve else "CashRefused")
        if not approve:
            return Answer(found, request=decided)
        done = _done(desk, connection, found, Action(asked.action), wish_of(asked))
        return replace(done, request=decided)

    return desk.database.write(unit)


def _check_second(desk: Desk, asked: CashRequest) -> None:
    if asked.state is not RequestState.OPEN:
        raise Conflict("request-decided", f"{asked.request_id} is {asked.state.value} already.")
    if asked.requested_by == desk.actor:
        raise Refused(
            "four-eyes",
            f"{asked.request_id} was asked for by {desk.actor}: somebody else has to agree.",
            next_step="Ask a colleague to approve or refuse it.",
        )


def _tell(desk: Desk, connection: Connection, found: StoredPayment, about: CashRequest, event: str) -> None:
    data: dict[str, Any] = {
        "payment": found.payment_id,
        "request": about.request_id,
        "action": about.action,
        "amount": str(found.details.amount),
    }
    desk.record(connection, desk.clock.now(), [Event(f"statement:{found.statement_id}", event, data)])
