"""Names without their clothes; and any hint that money is meant for somebody holds a reminder back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from o2c.ledger import OpenItem
from o2c.matching import bare_name_key, plausible
from o2c.money import Money
from o2c.reference import rf_reference
from o2c.statement import TransactionDetails

TODAY = date(2026, 4, 15)


def item(
    number: str, amount: str = "143.75", owner: str = "C-17", currency: str = "EUR", due: date = TODAY
) -> OpenItem:
    minor = Money(Decimal(amount), currency).minor
    name = {"C-17": "City Hospital AB", "C-18": "Müller & Söhne GmbH"}[owner]
    reference = rf_reference(number)
    return OpenItem(number, owner, name, reference, currency, minor, currency, minor, date(2026, 3, 1), due)


PAID = item("INV-2026-0005", "0.00")


def payment(amount: str, text: str = "", *references: str, **more: object) -> TransactionDetails:
    squeezed_text = "".join(text.split("|"))
    return replace(
        TransactionDetails(
            "P-1", Money.parse(amount), True, references, text.replace("|", " "), squeezed_text
        ),
        **more,  # type: ignore[arg-type]
    )


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
