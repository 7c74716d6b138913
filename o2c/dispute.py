"""A dispute: the customer says that an invoice, or part of it, is not owed.

Only the disputed part is left alone: reminders, fees and interest go on for the rest. A part that we
have accepted is not asked for either; it waits for its credit note or write-off.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from o2c.errors import Refused
from o2c.money import Money


class Reason(StrEnum):
    """Why the customer does not want to pay."""

    PRICE = "price"
    QUANTITY = "quantity"
    QUALITY = "quality"
    NOT_DELIVERED = "not delivered"
    RETURNED = "returned"
    DUPLICATE = "duplicate"
    TERMS = "terms"
    OTHER = "other"


class DisputeState(StrEnum):
    """``open`` until it is closed as one of the others. ``settled``: paid or agreed, nothing is left."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    SETTLED = "settled"


RESOLUTIONS = (DisputeState.ACCEPTED, DisputeState.REJECTED, DisputeState.SETTLED)


@dataclass(frozen=True, slots=True)
class Dispute:
    """One dispute about one invoice. ``answer_by`` is the last day on which we should have answered."""

    dispute_id: str
    invoice_number: str
    customer_id: str
    amount: Money
    reason: Reason
    text: str
    opened_by: str
    opened_at: datetime
    answer_by: date
    state: DisputeState = DisputeState.OPEN
    closed_by: str | None = None
    closed_at: datetime | None = None
    note: str | None = None

    def is_late(self, today: date) -> bool:
        """Has the day of our answer passed without one?"""
        return self.state is DisputeState.OPEN and self.answer_by < today


def disputable(
    asked: Money | None, open_minor: int, withheld_minor: int, number: str, currency: str
) -> Money:
    """What may be disputed: the amount asked for, or all that is open and not disputed yet.

    Raises ``Refused('dispute-amount')`` for another currency, nothing, or more than there is.
    """
    left = open_minor - withheld_minor
    amount = asked or Money.from_minor(left, currency)
    if amount.currency != currency:
        raise Refused("dispute-amount", f"{number} is in {currency}, not in {amount.currency}.")
    rest = Money.from_minor(left, currency)
    if amount.amount <= 0 or amount != amount.rounded() or amount.amount > rest.amount:
        disputed = Money.from_minor(withheld_minor, currency)
        known = f", {disputed} is disputed already" if withheld_minor else ""
        raise Refused(
            "dispute-amount",
            f"{amount} cannot be disputed: {rest} of {number} is open and undisputed{known}.",
            next_step=f"Give an amount of up to {rest}." if left > 0 else "Nothing is left to dispute.",
        )
    return amount


def withheld(disputes: Iterable[Dispute], open_minor: int, credited_minor: int = 0) -> int:
    """How much of an invoice must not be asked for now, minor units.

    ``credited_minor`` is what was credited or written off since disputes were accepted; never more
    than is open.
    """
    standing = list(disputes)
    disputed = sum(one.amount.minor for one in standing if one.state is DisputeState.OPEN)
    accepted = sum(one.amount.minor for one in standing if one.state is DisputeState.ACCEPTED)
    return min(disputed + max(accepted - credited_minor, 0), max(open_minor, 0))
