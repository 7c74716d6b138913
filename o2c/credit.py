"""Credit: limits of a day, what a group shares, how a customer pays, and until when a person answers.

Amounts are minor units of the company's currency. Limits never add up: a customer may owe as much
as the highest limit in force allows. Pure: same limits, same day, same figure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import ROUND_UP, Decimal
from enum import StrEnum

from o2c.errors import Refused
from o2c.money import Money, round_half_up

# Exposure against no limit at all: more than any table's last row.
NO_LIMIT_PERCENT = Decimal(999_999)
_HUNDREDTHS = Decimal("0.01")
_WITHIN = re.compile(r"([1-9][0-9]{0,3}) (min|h|d)")
_UNITS = {"min": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}


class LimitKind(StrEnum):
    """Who bears the risk, and for how long. A group's limit is shared by all its members."""

    OWN = "own"
    INSURED = "insured"
    TEMPORARY = "temporary"
    GROUP = "group"


@dataclass(frozen=True, slots=True)
class CreditLimit:
    """One dated limit of a customer or, for kind ``group``, of a group.

    In force from ``valid_from`` through ``valid_until`` (None: until further notice). It never
    changes: another limit may replace it.
    """

    limit_id: str
    kind: LimitKind
    amount: Money
    valid_from: date
    valid_until: date | None = None
    customer_id: str | None = None
    group_id: str | None = None
    note: str = ""
    replaces: str | None = None

    def is_in_force(self, day: date) -> bool:
        """Both ends belong to it."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


def check_limit(limit: CreditLimit) -> None:
    """Raises ``Refused('credit-limit')`` for a limit that could mislead whoever relies on it."""
    wrong = _what_is_wrong(limit)
    if wrong is not None:
        words, next_step = wrong
        raise Refused("credit-limit", words, next_step=next_step)


def _what_is_wrong(limit: CreditLimit) -> tuple[str, str] | None:
    if (limit.kind is LimitKind.GROUP) != (limit.group_id is not None):
        return "a group has limits of the kind group, and a customer all others.", "Choose the other kind."
    if limit.kind is LimitKind.TEMPORARY and limit.valid_until is None:
        return "a temporary limit needs its last day.", "Give valid_until."
    if limit.amount.amount < 0:
        return f"a limit of {limit.amount} is below nothing.", "Give an amount of 0 or more."
    if limit.valid_until is not None and limit.valid_until < limit.valid_from and limit.replaces is None:
        return f"{limit.valid_until} is before {limit.valid_from}.", "Give a last day on or after the first."
    return None


def ended(limit: CreditLimit, limit_id: str, last_day: date, note: str) -> CreditLimit:
    """The limit that takes the place of ``limit`` so that ``last_day`` is its last. A day before its
    first takes it back whole. ``Refused('credit-limit')`` if it would run longer than before."""
    if limit.valid_until is not None and last_day > limit.valid_until:
        raise Refused(
            "credit-limit",
            f"limit {limit.limit_id} ends on {limit.valid_until}; ending it cannot make it longer.",
            next_step="Grant a new limit.",
        )
    return CreditLimit(
        limit_id,
        limit.kind,
        limit.amount,
        limit.valid_from,
        last_day,
        limit.customer_id,
        limit.group_id,
        note,
        limit.limit_id,
    )


@dataclass(frozen=True, slots=True)
class LimitsOfDay:
    """A customer's dated limits in force, the highest of each kind; None where there is none."""

    own: int | None = None
    insured: int | None = None
    temporary: int | None = None

    def own_or(self, undated: int) -> int:
        """The own limit: a dated one takes the place of the undated one of the master data."""
        return undated if self.own is None else self.own

    def effective(self, undated: int) -> int:
        """What the customer may owe: the highest of own, insured and temporary."""
        return max(self.own_or(undated), self.insured or 0, self.temporary or 0)


@dataclass(frozen=True, slots=True)
class GroupStanding:
    """A group's exposure (all members, without the order that is judged) and limit (0: it has none)."""

    group_id: str
    exposure: int
    limit: int


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How a customer paid in twelve months. ``days_late`` is summed; paying early counts as 0."""

    paid: int = 0
    late: int = 0
    days_late: int = 0
    broken_promises: int = 0

    @property
    def mean_days_late(self) -> int:
        """Whole days, rounded half up; 0 where nothing was paid."""
        return int(round_half_up(Decimal(self.days_late) / self.paid, 0)) if self.paid else 0

    @property
    def share_late(self) -> Decimal:
        """Percent of the paid invoices that were paid late; 0 where nothing was paid."""
        return _two_decimals(Decimal(self.late * 100) / self.paid) if self.paid else Decimal(0)


def percent_of(exposure: int, limit: int, *, without: Decimal = NO_LIMIT_PERCENT) -> Decimal:
    """Exposure as a share of the limit, rounded up: a hair above the limit counts as above it.
    ``without`` is the answer where there is no limit."""
    percent = Decimal(exposure * 100) / limit if limit else without
    return _two_decimals(min(percent, NO_LIMIT_PERCENT))


def _two_decimals(percent: Decimal) -> Decimal:
    return percent.quantize(_HUNDREDTHS, ROUND_UP)


def answer_by(asked_at: datetime, within: str | None) -> datetime | None:
    """Until when a person should answer: ``"4 h"``, ``"30 min"`` or ``"2 d"`` of calendar time later;
    None where the rule sets no time."""
    read = _WITHIN.fullmatch(within or "")
    return asked_at + int(read[1]) * _UNITS[read[2]] if read else None


def needs_second(amount: int, above: Money | None) -> bool:
    """Whether two persons must approve this amount: it is more than what one may."""
    return above is not None and amount > above.minor


@dataclass(frozen=True, slots=True)
class Lapse:
    """What would have covered an order, had it not run out: words for whoever decides."""

    limits: tuple[CreditLimit, ...] = field(default=())
    approval_until: date | None = None

    def words(self) -> str:
        """``the temporary limit of 5000.00 EUR ended on 2026-03-04``; empty if nothing has lapsed."""
        told = [f"the {one.kind} limit of {one.amount} ended on {one.valid_until}" for one in self.limits]
        if self.approval_until is not None:
            told.append(f"the approval ended on {self.approval_until}")
        return "; ".join(told)
