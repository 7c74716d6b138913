"""A promise to pay: invoices, an amount and a day. Until that day letters wait.

It is kept when the money was booked by that day, and broken otherwise. A bank file that comes in
later may still show that it was kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from o2c.errors import Refused
from o2c.money import Money


class PromiseState(StrEnum):
    """``running`` until it has ended as one of the others."""

    RUNNING = "running"
    KEPT = "kept"
    BROKEN = "broken"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class PromisedItem:
    """An invoice that a promise covers, and what was open on it when it was given, minor units."""

    invoice_number: str
    open: int


@dataclass(frozen=True, slots=True)
class Promise:
    """One promise of one customer. ``promised_on`` is the last day on which it is kept."""

    promise_id: str
    customer_id: str
    items: tuple[PromisedItem, ...]
    amount: Money
    promised_on: date
    made_by: str
    made_at: datetime
    state: PromiseState = PromiseState.RUNNING
    ended_on: date | None = None
    note: str | None = None

    @property
    def numbers(self) -> tuple[str, ...]:
        """The invoices it covers."""
        return tuple(item.invoice_number for item in self.items)


def promisable(asked: Money | None, open_minor: int, currency: str, promised_on: date, today: date) -> Money:
    """What is promised: the amount asked for, or all that is open and undisputed.

    Raises ``Refused('promise-amount')`` or ``Refused('promise-day')``.
    """
    most = Money.from_minor(open_minor, currency)
    amount = asked or most
    if amount.currency != currency:
        raise Refused("promise-amount", f"these invoices are in {currency}, not in {amount.currency}.")
    if amount.amount <= 0 or amount != amount.rounded() or amount.amount > most.amount:
        raise Refused(
            "promise-amount",
            f"{amount} cannot be promised: {most} is open and undisputed on these invoices.",
            next_step=f"Give an amount of up to {most}." if open_minor > 0 else "Nothing is left to pay.",
        )
    if promised_on < today:
        raise Refused("promise-day", f"{promised_on} has passed.", next_step=f"Name {today} or a later day.")
    return amount


def after_payment(promise: Promise, open_now: Mapping[str, int], booked_on: date) -> PromiseState:
    """How a promise stands once money that was booked on that day has been applied.

    ``open_now`` has what is open on its invoices; one that is missing is settled.
    """
    paid = sum(item.open - open_now.get(item.invoice_number, 0) for item in promise.items)
    if paid < promise.amount.minor:
        return promise.state
    return PromiseState.KEPT if booked_on <= promise.promised_on else PromiseState.BROKEN


def is_broken(promise: Promise, today: date, money_in_sight: bool) -> bool:
    """Has the day passed without the money, and without any that may be it?"""
    return promise.state is PromiseState.RUNNING and promise.promised_on < today and not money_in_sight
