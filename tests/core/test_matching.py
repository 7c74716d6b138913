"""Payments find their invoices by exact keys, or go to a person."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from o2c.ledger import OpenItem
from o2c.matching import (
    Keys,
    Match,
    Unmatched,
    bare_name_key,
    keys_of,
    match,
    plausible,
    series_pattern,
    squeezed,
)
from o2c.money import Money
from o2c.reference import rf_reference
from o2c.statement import Entry, EntryStatus, TransactionDetails

SERIES = series_pattern("INV-2026-", 4)
TODAY = date(2026, 4, 15)


def item(
    number: str, amount: str = "143.75", owner: str = "C-17", currency: str = "EUR", due: date = TODAY
) -> OpenItem:
    minor = Money(Decimal(amount), currency).minor
    name = {"C-17": "City Hospital AB", "C-18": "Müller & Söhne GmbH"}[owner]
    reference = rf_reference(number)
    return OpenItem(number, owner, name, reference, currency, minor, currency, minor, date(2026, 3, 1), due)


ONE, TWO = item("INV-2026-0001"), item("INV-2026-0002", "100.00")
THREE = item("INV-2026-0003", "50.00", owner="C-18")
KRONER = item("INV-2026-0004", currency="NOK")
PAID = item("INV-2026-0005", "0.00")
BOOK = (ONE, TWO, THREE, KRONER, PAID)
RF1, RF2, RF5 = ONE.reference, TWO.reference, PAID.reference


def payment(amount: str, text: str = "", *references: str, **more: object) -> TransactionDetails:
    squeezed_text = "".join(text.split("|"))
    return replace(
        TransactionDetails(
            "P-1", Money.parse(amount), True, references, text.replace("|", " "), squeezed_text
        ),
        **more,  # type: ignore[arg-type]
    )


def decide(paid: TransactionDetails, **entry_facts: bool) -> Match | Unmatched:
    entry = Entry(1, paid.amount, paid.is_credit, EntryStatus.BOOKED, TODAY, (paid,), **entry_facts)  # type: ignore[arg-type]
    by_number = {squeezed(one.invoice_number): one for one in BOOK}
    return match(entry, paid, keys_of(paid, SERIES), {one.reference: one for one in BOOK}, by_number)


def told(result: Match | Unmatched) -> str:
    if isinstance(result, Unmatched):
        return f"{result.reason} {','.join(result.candidates) or '-'} {result.customer_id or '-'}"
    parts = " ".join(f"{a.invoice_number[-4:]}={a.amount.amount}" for a in result.allocations)
    return f"{result.rule} {parts} rest {result.unallocated.amount} {result.customer_id}"


@pytest.mark.parametrize(
    ("amount", "text", "references", "expected"),
    [
        ("143.75 EUR", "", (RF1,), "reference-exact 0001=143.75 rest 0.00 C-17"),
        ("143.75 EUR", "", ("rf" + RF1[2:4] + " " + RF1[4:],), "reference-exact 0001=143.75 rest 0.00 C-17"),
        (
            "143.75 EUR",
            f"thanks {RF1[:4]} {RF1[4:8]} {RF1[8:]} bye",
            (),
            "reference-exact 0001=143.75 rest 0.00 C-17",
        ),
        ("143.75 EUR", "invoice INV-2026-0001", (), "number-exact 0001=143.75 rest 0.00 C-17"),
        ("143.75 EUR", "inv 2026 00 01", (), "number-exact 0001=143.75 rest 0.00 C-17"),
        ("143.75 EUR", "for INV-20|26-0001", (), "number-exact 0001=143.75 rest 0.00 C-17"),
        ("143.75 EUR", "INV-2026-0001", (RF1,), "reference-exact 0001=143.75 rest 0.00 C-17"),
        ("100.00 EUR", "", (RF1,), "reference-partial 0001=100.00 rest 0.00 C-17"),
        ("150.00 EUR", "INV20260001", (), "number-over 0001=143.75 rest 6.25 C-17"),
        (
            "243.75 EUR",
            "INV-2026-0001, INV-2026-0002",
            (),
            "number-sum 0001=143.75 0002=100.00 rest 0.00 C-17",
        ),
        ("243.75 EUR", "", (RF2, RF1), "reference-sum 0001=143.75 0002=100.00 rest 0.00 C-17"),
        ("143.75 EUR", "INV-2026-0001 and INV-2026-0005", (), "number-exact 0001=143.75 rest 0.00 C-17"),
        ("143.75 EUR", "INV-2026-0001 5 pieces", (), "number-exact 0001=143.75 rest 0.00 C-17"),
        ("200.00 EUR", "INV-2026-0001, INV-2026-0002", (), "sum-differs INV-2026-0001,INV-2026-0002 C-17"),
        ("143.75 EUR", "INV-2026-0002", (RF1,), "sum-differs INV-2026-0001,INV-2026-0002 C-17"),
        ("200.00 EUR", "INV-2026-0001, INV-2026-0005", (), "sum-differs INV-2026-0001 C-17"),
        ("100.00 EUR", "INV-2026-0001, INV-2026-0099", (), "sum-differs INV-2026-0001 C-17"),
        ("193.75 EUR", "INV-2026-0001 INV-2026-0003", (), "two-customers INV-2026-0001,INV-2026-0003 -"),
        ("143.75 EUR", "INV-2026-0004", (), "other-currency INV-2026-0004 C-17"),
        ("143.75 EUR", "", (RF5,), "not-open - C-17"),
        ("143.75 EUR", "INV-2026-0099", (), "not-open - -"),
        ("143.75 EUR", "City Hospital, thank you", (), "no-key - -"),
        ("143.75 EUR", "XINV-2026-0001", (), "no-key - -"),
        ("143.75 EUR", "INV-2026-001", (), "no-key - -"),
        ("0.00 EUR", "INV-2026-0001", (), "no-amount - -"),
    ],
)
def test_a_payment_and_what_it_names(
    amount: str, text: str, references: tuple[str, ...], expected: str
) -> None:
    assert told(decide(payment(amount, text, *references))) == expected


def test_money_that_did_not_come_in_is_never_matched() -> None:
    paid = payment("143.75 EUR", "", RF1)
    assert told(decide(replace(paid, is_credit=False))) == "debit - -"
    assert told(decide(replace(paid, return_reason="AC04"))) == "reversal - -"
    assert told(decide(paid, is_reversal=True)) == "reversal - -"
    assert told(decide(paid, is_unresolved_batch=True)) == "batch - -"


def test_a_match_tells_its_evidence() -> None:
    result = decide(payment("143.75 EUR", "INV-2026-0001", RF1))
    assert isinstance(result, Match)
    assert result.evidence == (
        f"reference {RF1} is that of INV-2026-0001",
        "number INV-2026-0001 is in the text",
    )


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("INV-2026-0001", {"INV20260001"}),
        ("inv.2026/0001;INV_2026_0002", {"INV20260001", "INV20260002"}),
        ("INV-2026-12345", {"INV202612345"}),
        ("INV-2026-12|345", {"INV202612345"}),
        ("INV-2026-0001|2 boxes", {"INV20260001"}),
        ("INV-2025-0001", set()),
        ("", set()),
    ],
)
def test_numbers_are_found_by_the_mask_of_the_series(text: str, numbers: set[str]) -> None:
    assert keys_of(payment("1.00 EUR", text), SERIES) == Keys(frozenset(), frozenset(numbers))


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Müller & Söhne GmbH", "MUELLER SOEHNE", True),
        ("Müller & Söhne GmbH & Co. KG", "Muller Sohne", True),
        ("Bjørn Ærlig A/S", "BJORN AERLIG AS", True),
        ("Straße e.V.", "STRASSE", True),
        ("City Hospital AB", "City Hospital 345433", False),
        ("Müller", "Möller", False),
    ],
)
def test_names_are_compared_without_their_clothes(one: str, other: str, same: bool) -> None:
    assert (bare_name_key(one) == bare_name_key(other)) is same


OVERDUE = date(2026, 4, 1)
MINE = (
    item("INV-2026-0001", due=OVERDUE),
    item("INV-2026-0002", "100.00", due=OVERDUE),
    item("INV-7", "7.00"),
)


@pytest.mark.parametrize(
    ("amount", "text", "payer", "hints"),
    [
        ("143.75 EUR", "", "", ("143.75 EUR is open on INV-2026-0001",)),
        ("250.75 EUR", "", "", ("250.75 EUR is the sum of all open items",)),
        ("243.75 EUR", "", "", ("243.75 EUR is the sum of all overdue items",)),
        ("1.00 EUR", "", "CITY HOSPITAL", ("the payer is called City Hospital AB",)),
        ("1.00 EUR", "INV-2O26-0O01 City Hosptial", "", ("the text nearly names INV-2026-0001",)),
        ("143.75 NOK", "", "", ()),
        ("1.00 EUR", "thank you", "Somebody", ()),
        ("1.00 EUR", "room 7", "", ()),
        ("1.00 EUR", "", "AB", ()),
    ],
)
def test_any_hint_that_money_is_meant_holds_a_reminder_back(
    amount: str, text: str, payer: str, hints: tuple[str, ...]
) -> None:
    assert plausible(payment(amount, text, counterparty=payer), MINE, TODAY) == hints


def test_money_that_went_out_is_no_hint_and_settled_items_need_none() -> None:
    paid = payment("143.75 EUR", counterparty="City Hospital")
    assert plausible(replace(paid, is_credit=False), MINE, TODAY) == ()
    assert plausible(paid, [PAID], TODAY) == ()
