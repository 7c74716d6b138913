"""Late interest by worked examples: each can be followed with pencil and paper."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.interest import Balance, RatePeriod, interest
from o2c.law import DayCount

# what was open from which day on | rate of each stretch | day count | interest, and how it comes about
EXAMPLES = """
one day, the day after due | 03-31 1000.00 | 04-01..04-01 10 | ACT/365 | 0.27 | 0.2740
a whole year | 03-31 1000.00 | 04-01..2027-03-31 10 | ACT/365 | 100.00 | 365/365
a German letter | 03-31 143.75 | 04-01..04-14 10.27 | ACT/365 | 0.57 | 14/365 = 0.5663
a Norwegian letter | 03-31 1437.50 | 04-01..04-14 12 | ACT/365 | 6.62 | 14/365 = 6.6164
the rate changes | 03-31 1000.00 | 06-01..06-30 10; 07-01..07-31 12 | ACT/365 | 18.41 | 8.2192 + 10.1918
both sides of new year | 03-31 1000.00 | 12-31..12-31 10; 2027-01-01..2027-01-01 20 | ACT/365 | 0.82 | sum
paid in part | 03-31 1000.00; 04-10 400.00 | 04-01..04-20 10 | ACT/365 | 3.84 | 10 days on 1000, 10 on 400
money costs its own day | 03-31 1000.00; 04-01 0.00 | 04-01..04-30 10 | ACT/365 | 0.27 | one day
twice on one day, once summed | 03-31 1000.00; 04-10 400.00 | 04-11..04-11 10 | ACT/365 | 0.11 | 0.1096
paid on the due day | 03-01 1000.00; 03-31 0.00 | 04-01..04-30 10 | ACT/365 | 0.00 | nothing was open
a stretch without a rate | 03-31 1000.00 | 04-01..04-10 10; 04-21..04-30 10 | ACT/365 | 5.48 | 20 days
leap year, 365 | 2024-01-31 1000.00 | 2024-02-01..2024-02-29 10 | ACT/365 | 7.95 | 29/365
leap year, its own length | 2024-01-31 1000.00 | 2024-02-01..2024-02-29 10 | ACT/ACT | 7.92 | 29/366
a leap year whole | 2023-12-31 1000.00 | 2024-01-01..2024-12-31 10 | ACT/ACT | 100.00 | 366/366
a leap year whole, 365 | 2023-12-31 1000.00 | 2024-01-01..2024-12-31 10 | ACT/365 | 100.27 | 366/365
into a leap year | 2023-12-21 1000.00 | 2023-12-22..2024-01-10 10 | ACT/ACT | 5.47 | 10/365 + 10/366
a year of twelve months | 03-31 1000.00 | 04-01..2027-03-31 10 | 30E/360 | 100.00 | 360/360
a month of 31 days | 04-30 1000.00 | 05-01..05-31 10 | 30E/360 | 8.33 | 30/360
a February of 28 days | 01-31 1000.00 | 02-01..02-28 10 | 30E/360 | 7.78 | 28/360
the 31st is the 30th | 05-30 1000.00 | 05-31..05-31 10 | 30E/360 | 0.00 | no day
exactly half a cent | 03-31 18.25 | 04-01..04-01 10 | ACT/365 | 0.01 | 0.5 cent
rounded once | 03-31 13.00; 04-01 13.00 | 04-01..04-01 10; 04-02..04-02 10 | ACT/365 | 0.01 | 0.36 + 0.36 cent
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in EXAMPLES.strip().splitlines()]


def day(text: str) -> date:
    return date.fromisoformat(text if len(text) == 10 else f"2026-{text}")


def balances(text: str) -> list[Balance]:
    pairs = [one.split() for one in text.split(";")]
    return [Balance(day(on), int(Decimal(amount) * 100)) for on, amount in pairs]


def rates(text: str) -> list[RatePeriod]:
    found = []
    for one in text.split(";"):
        days, percent = one.split()
        first, last = days.split("..")
        found.append(RatePeriod(day(first), day(last), Decimal(percent)))
    return found


@pytest.mark.parametrize(("what", "owed", "at", "count", "result", "how"), ROWS)
def test_interest(what: str, owed: str, at: str, count: str, result: str, how: str) -> None:
    found = interest(balances(owed), rates(at), "EUR", DayCount(count))
    assert Decimal(found.minor) / 100 == Decimal(result), f"{what}: {how}; {found.words()}"


def test_the_calculation_can_be_read() -> None:
    owed = [Balance(date(2026, 3, 1), 14375), Balance(date(2026, 6, 20), 4375)]
    stretches = [
        RatePeriod(date(2026, 6, 16), date(2026, 6, 30), Decimal("10.27")),
        RatePeriod(date(2026, 7, 1), date(2026, 7, 2), Decimal("10.50")),
    ]
    found = interest(owed, stretches, "EUR", DayCount.ACT_365)
    assert found.words() == (
        "143.75 EUR at 10.27 % from 2026-06-16 to 2026-06-20 (5 days); "
        "43.75 EUR at 10.27 % from 2026-06-21 to 2026-06-30 (10 days); "
        "43.75 EUR at 10.5 % from 2026-07-01 to 2026-07-02 (2 days); ACT/365"
    )


@pytest.mark.parametrize(("currency", "minor"), [("JPY", 274), ("BHD", 274)])
def test_minor_units_are_those_of_the_currency(currency: str, minor: int) -> None:
    stretch = RatePeriod(date(2026, 4, 1), date(2026, 4, 1), Decimal(10))
    found = interest([Balance(date(2026, 3, 31), 1_000_000)], [stretch], currency, DayCount.ACT_365)
    assert found.minor == minor


STEPS = st.lists(st.tuples(st.integers(0, 400), st.integers(0, 10**9)), min_size=1, max_size=6)


@given(STEPS, st.integers(1, 400), st.decimals(0, 30, places=2))
def test_it_is_the_sum_of_its_days(steps: list[tuple[int, int]], length: int, percent: Decimal) -> None:
    start = date(2023, 6, 1)
    owed = [Balance(start + timedelta(after), minor) for after, minor in sorted(dict(steps).items())]
    stretch = RatePeriod(start + timedelta(1), start + timedelta(length), percent)
    found = interest(owed, [stretch], "EUR", DayCount.ACT_ACT)
    exact = Fraction(0)
    for passed in range(1, length + 1):
        today = start + timedelta(passed)
        opened = [one.minor for one in owed if one.on < today]
        leap = today.year % 4 == 0
        exact += Fraction(percent) * (opened[-1] if opened else 0) / 100 / (366 if leap else 365)
    assert found.minor == (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
