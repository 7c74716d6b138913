"""What may be charged for paying late, by law and by rule file."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_DOWN, Decimal

import pytest

from o2c.decision import Decision
from o2c.interest import Balance
from o2c.late_charge import (
    Cause,
    ChargeKind,
    Debt,
    Debtor,
    FeeHistory,
    LateCharge,
    charge,
    outstanding,
    standing,
    wait_until,
)
from o2c.law import CountryLaw, DayCount, LateRate, LumpSum, ReminderFee, Validity
from o2c.ledger import OpenItem
from o2c.money import Money

D = Decimal
NO_FEES = FeeHistory()
DUE = date(2026, 3, 31)
FROM = Validity(date(2026, 1, 1), date(2026, 6, 30), "the law of Nowhere", True)
LAW = CountryLaw(
    "NO",
    "NOK",
    DayCount.ACT_365,
    rates=(LateRate(D("12.00"), False, FROM), LateRate(D("8.00"), True, FROM)),
    lump_sums=(LumpSum(Money(D(460), "NOK"), FROM),),
    fees=(ReminderFee(Money(D("37.50"), "NOK"), 2, 14, 10, False, FROM),),
    notice_days=14,
)
NOWHERE = Debtor("NO", False, LAW)
RATES = {"NOK": D("0.0857"), "EUR": D(1), "SEK": D("0.0891")}


def convert(money: Money, currency: str) -> Money | None:
    if money.currency == currency:
        return money
    if money.currency not in RATES or currency not in RATES:
        return None
    exact = money.amount * RATES[money.currency] / RATES[currency]
    return Money(exact.quantize(D("0.01"), ROUND_DOWN), currency)


def debt(
    fee: str = "no", interest: str = "no", lump_sum: str = "no", *, number: str = "A", currency: str = "NOK",
    outcome: str = "L2", charges: tuple[LateCharge, ...] = (), fees: FeeHistory = NO_FEES,
) -> Debt:  # fmt: skip
    actions = {"dunning_fee": fee, "late_interest": interest, "lump_sum": lump_sum}
    decision = Decision("dunning", outcome, "D60/3", "", {}, "sha", "closures", actions)
    item = OpenItem(number, "C-1", "Hotel", "RF18", currency, 100_000, "NOK", 100_000, date(2026, 3, 1), DUE)
    return Debt(item, decision, (Balance(date(2026, 3, 1), 100_000),), charges, fees)


def row(
    kind: ChargeKind, amount: str, cause: Cause = Cause.CLAIMED, name: str = "1", cancels: str | None = None
) -> LateCharge:
    money = Money.parse(f"{amount} NOK")
    return LateCharge(
        name, "A", "C-1", kind, cause, money, DUE, "", "o2c", datetime(2026, 4, 1, tzinfo=UTC), "n", cancels
    )


def said(debts: list[Debt], debtor: Debtor = NOWHERE, overdue: int = 14) -> list[str]:
    found = charge(debts, debtor, DUE + timedelta(overdue), convert)
    claims = [f"{one.invoice_number} {one.kind} {one.amount}" for one in found.claims]
    return claims + [note for notes in found.notes.values() for note in notes]


SWEDEN = Debtor("SE", False, CountryLaw("SE", "SEK", DayCount.ACT_365, (), (), (
    ReminderFee(Money(D(60), "SEK"), None, 0, 0, True, FROM),), None))  # fmt: skip
GERMANY = Debtor("DE", False, CountryLaw("DE", "EUR", DayCount.ACT_365, (), (), (), None))
PERU = Debtor("PE", False, None)
CONSUMER = Debtor("NO", True, LAW)


@pytest.mark.parametrize(
    ("debts", "debtor", "expected"),
    [
        ([debt()], NOWHERE, []),
        ([debt("legal max")], NOWHERE, ["A fee 37.50 NOK"]),
        ([debt("30.00")], NOWHERE, ["A fee 30.00 NOK"]),
        ([debt("40.00")], NOWHERE, ["A fee 37.50 NOK"]),
        ([debt("3.00 EUR")], NOWHERE, ["A fee 35.00 NOK"]),
        ([debt("legal max", currency="EUR")], NOWHERE, ["A fee 3.21 EUR"]),
        ([debt("legal max", currency="USD")], NOWHERE,
         ["no fee: 37.50 NOK cannot be turned into USD without an exchange rate"]),
        ([debt("5.00 USD")], NOWHERE,
         ["no fee: 5.00 USD cannot be turned into NOK without an exchange rate"]),
        ([debt("legal max"), debt("legal max", number="B")], NOWHERE, ["A fee 37.50 NOK"]),
        ([debt("legal max", fees=FeeHistory(2, DUE)), debt("legal max", number="B")], NOWHERE,
         ["B fee 37.50 NOK", "no fee: the law allows 2 for one claim, and so many were charged"]),
        ([debt("legal max")], SWEDEN,
         ["no fee: the law allows one only where it was agreed when the debt arose"]),
        ([debt("legal max")], GERMANY, ["no fee: no legal figure is known for DE on 2026-04-14"]),
        ([debt("5.00")], GERMANY, ["no fee: no legal figure is known for DE on 2026-04-14"]),
        ([debt("legal max", "yes", "yes")], PERU,
         ["no fee: no legal figure is known for PE on 2026-04-14",
          "no interest: no legal rate is known for PE from 2026-04-01 to 2026-04-14",
          "no lump sum: no legal figure is known for PE on 2026-04-14"]),
        ([debt(interest="yes")], NOWHERE, ["A interest 4.60 NOK"]),  # 1000 x 12 % x 14/365 = 4.6027
        ([debt(interest="legal max")], CONSUMER, ["A interest 3.07 NOK"]),  # 1000 x 8 % x 14/365 = 3.0685
        ([debt(interest="6.00 %")], NOWHERE, ["A interest 2.30 NOK"]),
        ([debt(interest="20.00 %")], NOWHERE, ["A interest 4.60 NOK"]),
        ([debt(interest="10 %")], GERMANY,
         ["no interest: no legal rate is known for DE from 2026-04-01 to 2026-04-14"]),
        ([debt(interest="yes", charges=(row(ChargeKind.INTEREST, "4.00"),))], NOWHERE,
         ["A interest 0.60 NOK"]),
        ([debt(interest="yes", charges=(row(ChargeKind.INTEREST, "4.60"),))], NOWHERE, []),
        ([debt(interest="yes", charges=(row(ChargeKind.INTEREST, "9.00"),))], NOWHERE, []),
        ([debt(lump_sum="yes")], NOWHERE, ["A lump_sum 460.00 NOK"]),
        ([debt(lump_sum="yes"), debt(lump_sum="yes", number="B")], NOWHERE,
         ["A lump_sum 460.00 NOK", "B lump_sum 460.00 NOK"]),
        ([debt(lump_sum="yes", charges=(row(ChargeKind.LUMP_SUM, "460.00"),))], NOWHERE, []),
        ([debt(lump_sum="yes")], CONSUMER, ["no lump sum: the law gives none against consumers"]),
    ],
)  # fmt: skip
def test_what_one_letter_claims(debts: list[Debt], debtor: Debtor, expected: list[str]) -> None:
    assert said(debts, debtor) == expected


def test_nothing_is_charged_before_the_day_after_the_due_day() -> None:
    assert said([debt(interest="yes", lump_sum="yes")], overdue=0) == []
    assert said([debt(interest="yes")], overdue=1) == ["A interest 0.33 NOK"]


def test_days_without_a_known_rate_bear_nothing_and_are_named() -> None:
    # Known to the end of June: 91 days x 1000 x 12 %/365 = 29.9178.
    assert said([debt(interest="yes")], overdue=101) == [
        "A interest 29.92 NOK",
        "no interest: no legal rate is known for NO from 2026-07-01 to 2026-07-10",
    ]


@pytest.mark.parametrize(
    ("cause", "expected"),
    [
        (Cause.WAIVED, []),  # let go for ever
        (Cause.DISPUTED, ["A interest 4.60 NOK"]),  # claimed again when the dispute is over
        (Cause.WITHDRAWN, ["A interest 4.60 NOK"]),
    ],
)
def test_what_was_taken_back(cause: Cause, expected: list[str]) -> None:
    rows = (row(ChargeKind.INTEREST, "4.60"), row(ChargeKind.INTEREST, "-4.60", cause, "2", "1"))
    assert said([debt(interest="yes", charges=rows)]) == expected
    assert (outstanding(rows), standing(rows)) == (0, [])


def test_unchecked_figures_are_called_so() -> None:
    doubtful = Validity(date(2026, 1, 1), None, "a newspaper", False)
    law = CountryLaw("XX", "NOK", DayCount.ACT_365, (), (LumpSum(Money(D(1), "NOK"), doubtful),), (), None)
    found = charge([debt(lump_sum="yes")], Debtor("XX", False, law), DUE + timedelta(1), convert)
    assert found.claims[0].words == "lump sum for recovery costs, a newspaper (figure not checked)"


@pytest.mark.parametrize(
    ("case", "overdue", "last", "until"),
    [
        (debt("legal max"), 13, None, "2026-04-14 a fee is not allowed before day 14 in NO"),
        (debt("legal max"), 14, None, None),
        (debt("20.00"), 13, None, "2026-04-14 a fee is not allowed before day 14 in NO"),
        (debt("no"), 1, None, None),
        (debt("legal max", fees=FeeHistory(1, DUE + timedelta(14))), 23, None,
         "2026-04-24 10 days must lie between two fees in NO"),
        (debt("legal max", fees=FeeHistory(1, DUE + timedelta(14))), 24, None, None),
        (debt("legal max", fees=FeeHistory(2, DUE + timedelta(14))), 15, None, None),  # no fee, no wait
        (debt(outcome="collection"), 45, DUE + timedelta(32),
         "2026-05-16 the last letter of 2026-05-02 leaves 14 days to pay in NO"),
        (debt(outcome="collection"), 46, DUE + timedelta(32), None),
        (debt(outcome="collection"), 46, None, None),
    ],
)  # fmt: skip
def test_a_letter_waits_until_the_law_allows_it(
    case: Debt, overdue: int, last: date | None, until: str | None
) -> None:
    found = wait_until(case, NOWHERE, last, DUE + timedelta(overdue))
    assert (f"{found[0]} {found[1]}" if found else None) == until


def test_where_no_law_is_known_nothing_waits() -> None:
    assert wait_until(debt("legal max"), PERU, None, DUE + timedelta(1)) is None
    assert wait_until(debt("legal max"), SWEDEN, None, DUE + timedelta(1)) is None
