"""Limits of a day, payment behaviour, shares of a limit, and deadlines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from o2c.credit import (
    Behaviour,
    CreditLimit,
    Lapse,
    LimitKind,
    LimitsOfDay,
    answer_by,
    check_limit,
    ended,
    needs_second,
    percent_of,
)
from o2c.errors import Refused
from o2c.money import Money

TEMPORARY = CreditLimit(
    "lim_1",
    LimitKind.TEMPORARY,
    Money(Decimal(5000), "EUR"),
    date(2026, 3, 2),
    date(2026, 3, 4),
    customer_id="C-1",
)


@pytest.mark.parametrize(
    ("day", "in_force"),
    [("2026-03-01", False), ("2026-03-02", True), ("2026-03-04", True), ("2026-03-05", False)],
)
def test_a_limit_is_in_force_through_its_last_day(day: str, in_force: bool) -> None:
    assert TEMPORARY.is_in_force(date.fromisoformat(day)) is in_force


def test_a_limit_without_a_last_day_goes_on() -> None:
    own = replace(TEMPORARY, kind=LimitKind.OWN, valid_until=None)
    assert own.is_in_force(date(2099, 1, 1))


@pytest.mark.parametrize(
    ("undated", "own", "insured", "temporary", "effective"),
    [
        # undated  own   insured  temporary  effective: the highest, never a sum
        (0,        None, None,    None,      0),
        (1000,     None, None,    None,      1000),
        (1000,     None, 3000,    2000,      3000),
        (1000,     None, 3000,    5000,      5000),
        (1000,     400,  None,    None,      400),   # a dated own limit takes the undated one's place
        (1000,     0,    None,    None,      0),
        (1000,     400,  None,    500,       500),
    ],
)  # fmt: skip
def test_limits_do_not_add_up(
    undated: int, own: int | None, insured: int | None, temporary: int | None, effective: int
) -> None:
    assert LimitsOfDay(own, insured, temporary).effective(undated) == effective


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"kind": LimitKind.GROUP}, "a group has limits of the kind group"),
        ({"customer_id": None, "group_id": "G-1"}, "a group has limits of the kind group"),
        ({"valid_until": None}, "a temporary limit needs its last day"),
        ({"amount": Money(Decimal(-1), "EUR")}, "below nothing"),
        ({"valid_until": date(2026, 3, 1)}, "2026-03-01 is before 2026-03-02"),
    ],
)
def test_a_limit_that_would_mislead_is_refused(changes: dict[str, object], words: str) -> None:
    check_limit(TEMPORARY)
    with pytest.raises(Refused, match=words):
        check_limit(replace(TEMPORARY, **changes))  # type: ignore[arg-type]


def test_ending_a_limit_makes_another_that_replaces_it() -> None:
    new = ended(TEMPORARY, "lim_2", date(2026, 3, 3), "paid at last")
    assert new == replace(
        TEMPORARY, limit_id="lim_2", valid_until=date(2026, 3, 3), note="paid at last", replaces="lim_1"
    )
    taken_back = ended(TEMPORARY, "lim_2", date(2026, 3, 1), "a mistake")
    assert not any(taken_back.is_in_force(date(2026, 3, day)) for day in range(1, 6))
    with pytest.raises(Refused, match="cannot make it longer"):
        ended(TEMPORARY, "lim_2", date(2026, 3, 5), "longer")


@pytest.mark.parametrize(
    ("exposure", "limit", "percent"),
    [
        (500, 1000, "50.00"),
        (1000, 1000, "100.00"),
        (100_000_001, 100_000_000, "100.01"),  # a hair above the limit is above it
        (1, 0, "999999.00"),
        (10**15, 1, "999999.00"),
        (-500, 1000, "-50.00"),
    ],
)
def test_a_share_of_the_limit_is_rounded_up(exposure: int, limit: int, percent: str) -> None:
    assert percent_of(exposure, limit) == Decimal(percent)


def test_where_no_limit_is_no_limit_nothing_of_it_is_used() -> None:
    assert percent_of(5000, 0, without=Decimal(0)) == Decimal(0)


@pytest.mark.parametrize(
    ("behaviour", "mean", "share"),
    [
        (Behaviour(), 0, "0"),
        (Behaviour(paid=4), 0, "0"),
        (Behaviour(paid=4, late=1, days_late=2), 1, "25"),  # half a day is rounded up
        (Behaviour(paid=3, late=1, days_late=4), 1, "33.34"),
        (Behaviour(paid=2, late=2, days_late=61), 31, "100"),
    ],
)
def test_how_a_customer_pays(behaviour: Behaviour, mean: int, share: str) -> None:
    assert (behaviour.mean_days_late, behaviour.share_late) == (mean, Decimal(share))


@pytest.mark.parametrize(
    ("within", "by"),
    [
        ("30 min", datetime(2026, 3, 1, 9, 30, tzinfo=UTC)),
        ("4 h", datetime(2026, 3, 1, 13, tzinfo=UTC)),
        ("2 d", datetime(2026, 3, 3, 9, tzinfo=UTC)),
        (None, None),
        ("soon", None),
    ],
)
def test_a_deadline_is_calendar_time_from_the_question(within: str | None, by: datetime | None) -> None:
    assert answer_by(datetime(2026, 3, 1, 9, tzinfo=UTC), within) == by


@pytest.mark.parametrize(("amount", "two"), [(99_999, False), (100_000, False), (100_001, True)])
def test_more_than_one_may_approve_takes_two(amount: int, two: bool) -> None:
    assert needs_second(amount, Money(Decimal(1000), "EUR")) is two
    assert not needs_second(amount, None)


def test_what_has_lapsed_is_said_with_its_last_day() -> None:
    assert Lapse().words() == ""
    assert Lapse((TEMPORARY,)).words() == "the temporary limit of 5000.00 EUR ended on 2026-03-04"
    assert Lapse(approval_until=date(2026, 2, 28)).words() == "the approval ended on 2026-02-28"
