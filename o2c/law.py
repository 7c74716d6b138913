"""What the law of a country says about late payment: dated figures, looked up by day.

Rates, lump sums and reminder fees change by the half-year, so each figure carries the day it holds
from and the text it comes from. A figure that is not there is not known: whoever asks says so and
charges nothing. This is data for a calculation, not advice; ``checked`` tells whether a person has
compared the figure with its source. Pure: no file, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import TypeVar

from o2c.money import Money

EU = "EU"


class DayCount(StrEnum):
    """How many days make a year of interest (ISDA 2006, 4.16)."""

    ACT_365 = "ACT/365"
    ACT_ACT = "ACT/ACT"
    THIRTY_360 = "30E/360"


@dataclass(frozen=True, slots=True)
class Validity:
    """From when to when a figure holds, both days included, and which text says so."""

    valid_from: date
    valid_until: date | None
    source: str
    checked: bool

    def holds(self, day: date) -> bool:
        """Whether the figure holds on ``day``."""
        return self.valid_from <= day and (self.valid_until is None or day <= self.valid_until)


@dataclass(frozen=True, slots=True)
class LateRate:
    """Statutory late interest, simple, in percent a year (``10.27`` means 10.27 %)."""

    percent: Decimal
    consumer: bool
    validity: Validity


@dataclass(frozen=True, slots=True)
class LumpSum:
    """The fixed sum for recovery costs, between businesses only, once per invoice."""

    amount: Money
    validity: Validity


@dataclass(frozen=True, slots=True)
class ReminderFee:
    """What one reminder may cost at most, and when. ``most`` is the greatest number of fees per claim.

    ``first_day`` is the first day after the due date that a fee-bearing reminder may go out,
    ``gap_days`` what must lie between two. ``if_agreed``: only where it was agreed when the debt arose.
    """

    cap: Money
    most: int | None
    first_day: int
    gap_days: int
    if_agreed: bool
    validity: Validity


@dataclass(frozen=True, slots=True)
class RateSegment:
    """One stretch of an interest period, both days included; ``rate`` is None where none is known."""

    first: date
    last: date
    rate: LateRate | None


@dataclass(frozen=True, slots=True)
class CountryLaw:
    """One country's figures, each list in order of ``valid_from``. ``currency`` is that of its amounts.

    ``notice_days``: how long the last letter must leave for paying before a collector is called in.
    """

    country: str
    currency: str
    day_count: DayCount
    rates: tuple[LateRate, ...]
    lump_sums: tuple[LumpSum, ...]
    fees: tuple[ReminderFee, ...]
    notice_days: int | None

    def rate_on(self, day: date, *, consumer: bool) -> LateRate | None:
        """The statutory rate of that day; None where no figure is known."""
        return _on(day, [rate for rate in self.rates if rate.consumer is consumer])

    def segments(self, first: date, last: date, *, consumer: bool) -> tuple[RateSegment, ...]:
        """The days ``first`` .. ``last`` (both included), cut where the rate changes or is not known."""
        rates = [rate for rate in self.rates if rate.consumer is consumer]
        one_day = timedelta(days=1)
        ends = {rate.validity.valid_until + one_day for rate in rates if rate.validity.valid_until}
        turns = sorted({rate.validity.valid_from for rate in rates} | ends)
        starts = [first, *(day for day in turns if first < day <= last)] if first <= last else []
        stops = [*(day - one_day for day in starts[1:]), last]
        return tuple(
            RateSegment(start, stop, _on(start, rates)) for start, stop in zip(starts, stops, strict=False)
        )

    def lump_sum_on(self, day: date, *, consumer: bool) -> LumpSum | None:
        """The fixed sum of that day; None from a consumer, and where no figure is known."""
        return None if consumer else _on(day, self.lump_sums)

    def fee_on(self, day: date) -> ReminderFee | None:
        """The reminder fee of that day, also called its cap; None where no figure is known."""
        return _on(day, self.fees)


@dataclass(frozen=True, slots=True)
class Law:
    """Every country we have figures of. ``members`` are the states of the European Union."""

    countries: Mapping[str, CountryLaw]
    members: frozenset[str]

    def of(self, country: str) -> CountryLaw | None:
        """That country's law; a member state we have no figures of has the directive's; else None."""
        own = self.countries.get(country)
        return own or (self.countries.get(EU) if country in self.members else None)


_Figure = TypeVar("_Figure", LateRate, LumpSum, ReminderFee)


def _on(day: date, figures: Sequence[_Figure]) -> _Figure | None:
    holding = [figure for figure in figures if figure.validity.holds(day)]
    return newest(holding)


def newest(figures: Iterable[_Figure]) -> _Figure | None:
    """The figure that holds from the latest day; None of none."""
    return max(figures, key=lambda figure: figure.validity.valid_from, default=None)
