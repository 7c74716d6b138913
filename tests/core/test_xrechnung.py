"""What XRechnung asks beyond Peppol is put in where it is known, and nothing is invented."""

from __future__ import annotations

from dataclasses import replace

import pytest

from o2c.invoice import Payment
from o2c.order import InvoiceProfile
from o2c.party import Contact, Identifier
from o2c.xrechnung import as_xrechnung, buyer_reference
from tests.formats.ubl.documents import invoice

ID, OTHER = "04011000-12345-03", "11002002-98765-14"

# the order says | the customer's | BT-10
REFERENCES = [
    (None, ID, ID),
    (OTHER, ID, OTHER),
    ("Ward 7", ID, ID),
    ("Ward 7", None, "Ward 7"),
    ("  ", ID, ID),
    (None, None, None),
    (" ", None, None),
]


@pytest.mark.parametrize(("ordered", "known", "expected"), REFERENCES)
def test_the_leitweg_id_of_the_order_wins_and_a_mere_reference_does_not(
    ordered: str | None, known: str | None, expected: str | None
) -> None:
    assert buyer_reference(ordered, known) == expected


def test_electronic_addresses_fall_back_to_what_reaches_the_party() -> None:
    made = invoice()
    mail = Contact("Amt", None, "rechnung@amt.example")
    bare = replace(
        made,
        seller=replace(made.seller, endpoint=None),
        buyer=replace(made.buyer, endpoint=None, contact=mail),
    )
    with_id, without = as_xrechnung(bare, ID), as_xrechnung(bare, None)
    assert with_id.profile is InvoiceProfile.XRECHNUNG
    assert with_id.seller.endpoint == Identifier("kari@fjordmat.example", "EM")
    assert with_id.buyer.endpoint == Identifier(ID, "0204")
    assert without.buyer.endpoint == Identifier("rechnung@amt.example", "EM")
    nobody = as_xrechnung(replace(bare, buyer=replace(bare.buyer, contact=Contact())), None)
    assert nobody.buyer.endpoint is None
    assert as_xrechnung(made, ID).buyer.endpoint == made.buyer.endpoint


@pytest.mark.parametrize(
    ("currency", "account", "code"),
    [
        ("EUR", "DE02120300000000202051", "58"),
        ("SEK", "DE02120300000000202051", "30"),
        ("EUR", "1234567", "30"),
        ("EUR", None, "30"),
    ],
)
def test_euros_to_an_iban_travel_by_sepa(currency: str, account: str | None, code: str) -> None:
    made = replace(invoice(), currency=currency, payment=Payment("RF18539007547034", account))
    assert as_xrechnung(made, ID).payment == Payment("RF18539007547034", account, means_code=code)
