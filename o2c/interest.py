"""Late payment interest: simple, on what was open each day, at the rate of that day.

Governed by Directive 2011/7/EU art. 2(5) and 3 (simple interest, from the day after the due day) and
its like in other countries. A day bears interest on what was open when it began, so money that comes
in on a day still costs that day. How a day counts in a year no statute says: it is a parameter.
Nothing is rounded on the way; the sum is rounded once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from itertools import zip_longest

from o2c.law import DayCount
from o2c.money import Money, plain, round_half_up

# Years of 360, 365 and 366 days have this denominator in common: parts of it are whole numbers.
_YEAR = 360 * 73 * 61
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class RatePeriod:
    """A yearly rate in percent (``Decimal("10.27")``) from ``first`` to ``last``, both included."""

    first: date
    last: date
    percent: Decimal


@dataclass(frozen=True, slots=True)
class Balance:
    """What is open at the end of a day and until the next balance, in minor units."""

    on: date
    minor: int


@dataclass(frozen=True, slots=True)
class Segment:
    """Days on which balance and rate stay the same: from ``first`` to ``last``, both included."""

    first: date
    last: date
    minor: int
    percent: Decimal

    @property
    def days(self) -> int:
        """Calendar days, first and last included."""
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Interest:
    """What has accrued: minor units of ``currency``, and how it comes about."""

    minor: int
    currency: str
    day_count: DayCount
    segments: tuple[Segment, ...]

    def words(self) -> str:
        """The calculation as a person can follow it: one clause for each segment."""
        told = (
            f"{Money.from_minor(one.minor, self.currency)} at {plain(one.percent)} %"
            f" from {one.first} to {one.last} ({one.days} days)"
            for one in self.segments
        )
        return f"{'; '.join(told)}; {self.day_count}"


def interest(
    balances: Sequence[Balance], rates: Iterable[RatePeriod], currency: str, day_count: DayCount
) -> Interest:
    """Interest for the days of ``rates``, on ``balances`` (oldest first).

    Days on which nothing is open bear none, nor do days that no period covers.
    """
    segments = tuple(segment for period in rates for segment in _segments(balances, period))
    parts = (one.percent * one.minor * _parts(one.first - _DAY, one.last, day_count) for one in segments)
    exact = sum(parts, Decimal(0)) / (_YEAR * 100)  # a tie comes out exactly, so half up is half up
    return Interest(int(round_half_up(exact, 0)), currency, day_count, segments)


def _segments(balances: Sequence[Balance], period: RatePeriod) -> Iterator[Segment]:
    """Cut wherever what is open changes: a payment counts from the day after it."""
    changed = {one.on + _DAY for one in balances}
    starts = sorted({period.first} | {day for day in changed if period.first < day <= period.last})
    for start, following in zip_longest(starts, starts[1:]):
        last = following - _DAY if following else period.last
        minor = _balance_before(balances, start)
        if minor > 0 and start <= last:
            yield Segment(start, last, minor, period.percent)


def _balance_before(balances: Sequence[Balance], day: date) -> int:
    place = bisect_right([one.on for one in balances], day - _DAY)
    return balances[place - 1].minor if place else 0


def _parts(after: date, last: date, day_count: DayCount) -> int:
    """The days after ``after`` up to ``last`` as parts of ``_YEAR``."""
    if day_count is DayCount.ACT_365:
        return (last - after).days * (_YEAR // 365)
    if day_count is DayCount.THIRTY_360:
        return (_thirty(last) - _thirty(after)) * (_YEAR // 360)
    years = range(after.year, last.year + 1)
    return sum(_days_in(year, after, last) * (_YEAR // _length(year)) for year in years)


def _thirty(day: date) -> int:
    return day.year * 360 + day.month * 30 + min(day.day, 30)


def _days_in(year: int, after: date, last: date) -> int:
    begin = max(after, date(year - 1, 12, 31))
    return (min(last, date(year, 12, 31)) - begin).days


def _length(year: int) -> int:
    return (date(year, 12, 31) - date(year - 1, 12, 31)).days
