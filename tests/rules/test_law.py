"""The dated law: which figure holds on which day, and what is not known."""

from __future__ import annotations

from datetime import date

import pytest

from o2c.errors import Refused
from o2c.law import CountryLaw, Law
from rules.law import default_law, load_law

LAW = default_law()


def of(code: str) -> CountryLaw:
    found = LAW.of(code)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("country", "day", "whom", "rate", "lump_sum", "fee"),
    [
        # country  day     whom        rate     lump sum      fee
        ("DE", "2025-06-30", "business", "-", "40.00 EUR", "-"),
        ("DE", "2025-07-01", "business", "10.27", "40.00 EUR", "-"),
        ("DE", "2025-12-31", "consumer", "6.27", "-", "-"),
        ("DE", "2026-01-01", "business", "10.27", "40.00 EUR", "-"),
        ("DE", "2026-07-01", "business", "-", "40.00 EUR", "-"),  # the next half-year is not known yet
        ("DE", "2014-07-28", "business", "-", "-", "-"),
        ("AT", "2026-03-01", "business", "-", "40.00 EUR", "-"),
        ("AT", "2026-03-01", "consumer", "4.00", "-", "-"),
        ("PT", "2025-12-31", "business", "10.15", "40.00 EUR", "-"),
        ("PT", "2026-01-01", "business", "-", "40.00 EUR", "-"),
        ("NO", "2025-06-30", "consumer", "12.50", "-", "35.00 NOK"),
        ("NO", "2025-07-01", "business", "-", "-", "35.00 NOK"),
        ("NO", "2026-01-01", "business", "12.00", "460.00 NOK", "37.50 NOK"),
        ("SE", "2026-01-01", "business", "-", "450.00 SEK", "60.00 SEK"),
        ("DK", "2026-01-01", "business", "-", "310.00 DKK", "100.00 DKK"),
        ("FR", "2026-01-01", "business", "-", "40.00 EUR", "-"),  # a member state: the directive's least
    ],
)
def test_the_figure_of_a_day(country: str, day: str, whom: str, rate: str, lump_sum: str, fee: str) -> None:
    law, on, consumer = of(country), date.fromisoformat(day), whom == "consumer"
    found, sum_, cap = (
        law.rate_on(on, consumer=consumer),
        law.lump_sum_on(on, consumer=consumer),
        law.fee_on(on),
    )
    assert (
        str(found.percent) if found else "-",
        str(sum_.amount) if sum_ else "-",
        str(cap.cap) if cap else "-",
    ) == (rate, lump_sum, fee)


def test_a_country_we_know_nothing_of() -> None:
    assert LAW.of("US") is None
    assert LAW.of("ZZ") is None
    assert Law({}, frozenset({"FR"})).of("FR") is None


def test_a_period_is_cut_where_the_rate_turns_and_where_none_is_known() -> None:
    parts = of("NO").segments(date(2025, 6, 1), date(2026, 1, 10), consumer=True)
    assert [(str(p.first), str(p.last), str(p.rate.percent) if p.rate else None) for p in parts] == [
        ("2025-06-01", "2025-06-30", "12.50"),
        ("2025-07-01", "2025-12-31", None),
        ("2026-01-01", "2026-01-10", "12.00"),
    ]
    assert of("NO").segments(date(2026, 1, 2), date(2026, 1, 1), consumer=True) == ()
    [one] = of("NO").segments(date(2026, 1, 1), date(2026, 1, 1), consumer=True)
    assert (one.first, one.last) == (date(2026, 1, 1), date(2026, 1, 1))


def test_how_reminder_fees_are_limited() -> None:
    day = date(2026, 2, 1)
    limits = {code: of(code).fee_on(day) for code in ("NO", "SE", "DK")}
    assert {code: (f.most, f.first_day, f.gap_days, f.if_agreed) for code, f in limits.items() if f} == {
        "NO": (2, 14, 0, False),
        "SE": (None, 0, 0, True),
        "DK": (3, 0, 10, False),
    }
    assert of("NO").notice_days == 14


def test_every_figure_names_its_source() -> None:
    for law in LAW.countries.values():
        for figure in (*law.rates, *law.lump_sums, *law.fees):
            assert figure.validity.source
            assert (
                figure.validity.valid_until is None
                or figure.validity.valid_until >= figure.validity.valid_from
            )


@pytest.mark.parametrize(
    ("entry", "place", "words"),
    [
        ("{amount: x, valid_from: 2026-01-01, source: s}", "line 7, column 18", "a number such as 35.00"),
        ("{amount: 1, valid_from: 2026-13-01, source: s}", "line 7, column 33", "a day such as 2026-01-31"),
        ("{amount: 1, valid_from: 2026-01-01}", "line 7, column 9", "'source' is missing"),
        ("{amont: 1, valid_from: 2026-01-01, source: s}", "line 7, column 10", "did you mean 'amount'?"),
    ],
)
def test_a_mistake_in_the_file_is_named(entry: str, place: str, words: str) -> None:
    head = "members: [DE]\ncountries:\n  - country: DE\n    currency: EUR\n    day_count: ACT/365\n"
    head += "    lump_sums:\n"
    with pytest.raises(Refused) as refused:
        load_law(f"{head}      - {entry}\n".encode(), name="law.yaml")
    assert refused.value.faults[0].pointer == place
    assert words in refused.value.faults[0].message
