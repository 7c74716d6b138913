"""Fees and rates of a dunning file against the law of the countries its rows can match."""

from __future__ import annotations

from datetime import date

import pytest

from o2c.errors import Fault, Refused
from rules.rulebook import load

NEWEST = None
Y2025 = date(2025, 12, 31)


def faults(fee: str, rate: str, when: str, on: date | None = NEWEST, currency: str = "") -> list[Fault]:
    text = "policy: dunning\n" + (f"currency: {currency}\n" if currency else "")
    text += "strictest_first: [stop, wait, collection, L3, L2, L1, L0]\notherwise: wait\nrules:\n"
    text += f"  - {{id: D1, when: {{{when}}}, then: L1, dunning_fee: {fee}, late_interest: {rate}}}\n"
    try:
        load(text.encode(), name="x", on=on)
    except Refused as refused:
        return list(refused.faults)
    return []


NO, SE, DK = 'country: "NO"', "country: SE", "country: DK"


@pytest.mark.parametrize(
    ("fee", "rate", "when", "on", "words"),
    [
        # what the law allows, or says nothing about
        ("no", "no", "", NEWEST, ""),
        ("legal max", "legal max", NO, NEWEST, ""),
        ("37.50 NOK", "12 %", NO, NEWEST, ""),
        ("60 SEK", "no", SE, NEWEST, ""),
        ("500.00 EUR", "no", "country: DE", NEWEST, ""),  # no cap in figures
        ("99.00 NOK", "no", "country: DE", NEWEST, ""),
        ("no", "10.27 %", "country: DE, consumer: no", NEWEST, ""),
        # a cent more
        (
            "37.51 NOK",
            "no",
            NO,
            NEWEST,
            "37.51 NOK is above the 37.50 NOK that the law of NO allows since 2026-01-01",
        ),
        ("36.00 NOK", "no", NO, Y2025, "above the 35.00 NOK that the law of NO allows since 2025-01-01"),
        ("100.01 DKK", "no", DK, NEWEST, "above the 100.00 DKK that the law of DK allows since 2013-03-01"),
        # no country: every country with that currency
        ("61 SEK", "no", "", NEWEST, "above the 60.00 SEK that the law of SE"),
        ("61 SEK", "no", "country: not SE", NEWEST, ""),
        # the rate, by whom the row can match
        (
            "no",
            "12.01 %",
            NO,
            NEWEST,
            "12.01 % is above the 12 % for businesses that the law of NO allows since",
        ),
        ("no", "10.27 %", "country: DE", NEWEST, "above the 6.27 % for consumers that the law of DE"),
        ("no", "6.28 %", "country: DE, consumer: yes", NEWEST, "above the 6.27 % for consumers"),
        ("no", "10.28 %", "country: 'DE, AT', consumer: no", NEWEST, "for businesses that the law of DE"),
        ("no", "4.01 %", "consumer: yes", NEWEST, "above the 4 % for consumers that the law of AT"),
        # an amount in no currency
        ("35.00", "no", NO, NEWEST, "write one such as '35.00 NOK', or 'currency:' at the top"),
    ],
)
def test_what_may_be_charged(fee: str, rate: str, when: str, on: date | None, words: str) -> None:
    found = faults(fee, rate, when, on)
    if not words:
        assert found == []
    else:
        assert len(found) == 1
        assert words in found[0].message


def test_the_message_names_source_and_place() -> None:
    [fault] = faults("40.00", "no", NO, currency="NOK")
    assert (fault.pointer, fault.code) == ("line 6, column 60", "above-legal-cap")
    assert fault.message == (
        "dunning_fee 40.00 NOK is above the 37.50 NOK that the law of NO allows since 2026-01-01"
        " (inkassoforskriften - a twentieth of 750); write 'legal max' or at most 37.50,"
        " or part the row by country."
    )
