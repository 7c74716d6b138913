"""How much of an invoice is in dispute, and what is promised of the rest."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from o2c.dispute import Dispute, DisputeState, Reason, disputable, withheld
from o2c.errors import Refused
from o2c.money import Money
from o2c.promise import Promise, PromisedItem, PromiseState, after_payment, is_broken, promisable

AT = datetime(2026, 4, 1, 9, tzinfo=UTC)


def disputed(state: str, amount: str, answer_by: date = date(2026, 4, 15)) -> Dispute:
    money = Money(Decimal(amount), "EUR")
    return Dispute("d", "A", "C-1", money, Reason.PRICE, "", "x", AT, answer_by, DisputeState(state))


@pytest.mark.parametrize(
    ("disputes", "open_minor", "credited", "result"),
    [
        ([], 14375, 0, 0),
        ([("open", "40")], 14375, 0, 4000),
        ([("open", "40"), ("open", "10")], 14375, 0, 5000),
        ([("open", "40")], 2500, 0, 2500),  # the rest was paid: never more than is open
        ([("open", "40")], 0, 0, 0),
        ([("rejected", "40"), ("settled", "40")], 14375, 0, 0),
        ([("accepted", "40")], 14375, 0, 4000),  # its credit note is still to come
        ([("accepted", "40")], 10375, 4000, 0),  # it has come
        ([("accepted", "40"), ("open", "10")], 11375, 3000, 2000),
        ([("accepted", "40")], 10000, 5000, 0),
    ],
)
def test_what_is_withheld(
    disputes: list[tuple[str, str]], open_minor: int, credited: int, result: int
) -> None:
    assert withheld([disputed(*one) for one in disputes], open_minor, credited) == result


def test_a_dispute_is_late_on_the_day_after() -> None:
    assert not disputed("open", "1").is_late(date(2026, 4, 15))
    assert disputed("open", "1").is_late(date(2026, 4, 16))
    assert not disputed("rejected", "1").is_late(date(2026, 4, 16))


@pytest.mark.parametrize(
    ("asked", "open_minor", "held", "result"),
    [
        (None, 14375, 0, "143.75 EUR"),
        (None, 14375, 4000, "103.75 EUR"),
        ("103.75 EUR", 14375, 4000, "103.75 EUR"),
        ("103.76 EUR", 14375, 4000, "103.76 EUR cannot be disputed: 103.75 EUR of A is open"),
        ("0.00 EUR", 14375, 0, "0.00 EUR cannot be disputed"),
        ("-1.00 EUR", 14375, 0, "-1.00 EUR cannot be disputed"),
        ("0.001 EUR", 14375, 0, "cannot be disputed"),
        ("1.00 NOK", 14375, 0, "A is in EUR, not in NOK"),
        (None, 0, 0, "Nothing is left to dispute"),
    ],
)
def test_what_may_be_disputed(asked: str | None, open_minor: int, held: int, result: str) -> None:
    try:
        told = str(disputable(Money.parse(asked) if asked else None, open_minor, held, "A", "EUR"))
    except Refused as refused:
        told = str(refused).removeprefix("dispute-amount: ")
    assert result in told


def promised(state: str = "running", amount: str = "150") -> Promise:
    items = (PromisedItem("A", 10000), PromisedItem("B", 5000))
    money, by = Money(Decimal(amount), "EUR"), date(2026, 4, 20)
    return Promise("p", "C-1", items, money, by, "x", AT, PromiseState(state))


@pytest.mark.parametrize(
    ("state", "amount", "open_now", "booked", "result"),
    [
        ("running", "150", {}, "2026-04-20", "kept"),
        ("running", "150", {}, "2026-04-21", "broken"),
        ("running", "150", {"B": 1}, "2026-04-20", "running"),
        ("running", "150", {"A": 10000, "B": 5000}, "2026-04-20", "running"),
        ("running", "100", {"B": 5000}, "2026-04-20", "kept"),
        ("broken", "150", {}, "2026-04-20", "kept"),  # the bank's file came late
        ("broken", "150", {}, "2026-04-21", "broken"),
        ("broken", "150", {"A": 1}, "2026-04-20", "broken"),
    ],
)
def test_how_a_promise_stands_after_a_payment(
    state: str, amount: str, open_now: dict[str, int], booked: str, result: str
) -> None:
    assert after_payment(promised(state, amount), open_now, date.fromisoformat(booked)) == result


@pytest.mark.parametrize(
    ("state", "today", "in_sight", "broken"),
    [
        ("running", "2026-04-20", False, False),
        ("running", "2026-04-21", False, True),
        ("running", "2026-04-21", True, False),
        ("kept", "2026-04-21", False, False),
    ],
)
def test_when_a_promise_is_broken(state: str, today: str, in_sight: bool, broken: bool) -> None:
    assert is_broken(promised(state), date.fromisoformat(today), in_sight) is broken


@pytest.mark.parametrize(
    ("asked", "by", "result"),
    [
        (None, "2026-04-01", "150.00 EUR"),
        ("150.00 EUR", "2026-04-20", "150.00 EUR"),
        ("150.01 EUR", "2026-04-20", "promise-amount"),
        ("0.00 EUR", "2026-04-20", "promise-amount"),
        ("1.00 NOK", "2026-04-20", "promise-amount"),
        (None, "2026-03-31", "promise-day"),
    ],
)
def test_what_may_be_promised(asked: str | None, by: str, result: str) -> None:
    money = Money.parse(asked) if asked else None
    try:
        told = str(promisable(money, 15000, "EUR", date.fromisoformat(by), AT.date()))
    except Refused as refused:
        told = refused.code
    assert told == result
