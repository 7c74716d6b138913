"""XRechnung and credit notes: valid under the official rules, the same bytes each time."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from formats.ubl.write_invoice import write_invoice
from formats.validation import Validator
from o2c.crediting import credit_note
from o2c.invoice import Invoice, Payment
from o2c.order import AllowanceCharge, VatCategory
from o2c.party import Address, Contact, Identifier, Party
from o2c.xrechnung import as_xrechnung
from tests.formats.ubl.documents import STANDARD, invoice, outside_vat
from tests.formats.ubl.test_write_invoice import in_category, with_everything

D = Decimal
GOLDEN = Path(__file__).parents[2] / "golden" / "ubl"
LEITWEG_ID = "04011000-12345-03"

SELLER = Party(
    name="Hofladen Lindenau GmbH",
    address=Address("DE", "Lindenweg 12", city="Leipzig", postcode="04177"),
    legal_id=Identifier("HRB 123456"),
    vat_id="DE123456788",
    contact=Contact("Frau Sommer", "+49 341 5550100", "rechnung@lindenau.example"),
)
BUYER = Party(
    name="Bezirksamt Beispielstadt",
    address=Address("DE", "Rathausplatz 1", city="Beispielstadt", postcode="12345"),
)


def for_the_authority(made: Invoice, leitweg_id: str | None = LEITWEG_ID) -> Invoice:
    """The invoice as a German seller writes it to a German authority."""
    payment = Payment("RF18539007547034", "DE02120300000000202051", "BYLADEM1001", terms="30 days net")
    return as_xrechnung(replace(made, seller=SELLER, buyer=BUYER, delivery=None, payment=payment), leitweg_id)


def note_over(made: Invoice, **changes: object) -> Invoice:
    """The whole invoice credited."""
    note = credit_note(made, number="CN-2026-0001", issued_on=date(2026, 3, 9), reason="Delivered damaged")
    return replace(note, **changes)  # type: ignore[arg-type]


def part_of(made: Invoice) -> Invoice:
    """Three pieces of the first line credited."""
    return credit_note(
        made, number="CN-2026-0002", issued_on=date(2026, 3, 9), quantities={"1": D(3)}, reason="Three broken"
    )


FREIGHT = (AllowanceCharge(True, D("10.00"), "Freight", "FC", tax=STANDARD),)
DOCUMENTS = {
    "xrechnung-invoice": for_the_authority(invoice(allowance_charges=FREIGHT)),
    "xrechnung-credit-note": note_over(for_the_authority(invoice(allowance_charges=FREIGHT))),
    "peppol-credit-note": part_of(with_everything()),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_bytes_are_the_reviewed_ones(name: str) -> None:
    written, file = write_invoice(DOCUMENTS[name]), GOLDEN / f"{name}.xml"
    if os.environ.get("O2C_REWRITE_GOLDEN"):
        file.write_bytes(written)
    assert written == file.read_bytes()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_layer_finds_it_valid_and_has_nothing_to_say(official: Validator, name: str) -> None:
    report = official.validate(write_invoice(DOCUMENTS[name]))
    assert [(layer.layer, layer.status.value) for layer in report.layers][2:] == [
        (name.partition("-")[0], "valid")
    ]
    assert (report.valid, report.findings) == (True, ())


@pytest.mark.parametrize("category", VatCategory)
def test_each_vat_category_is_valid_on_both_documents(official: Validator, category: VatCategory) -> None:
    made = for_the_authority(in_category(category))
    if category is VatCategory.OUTSIDE_SCOPE:
        made = replace(made, seller=outside_vat(made.seller), buyer=outside_vat(made.buyer))
    elif category in (VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY):
        made = replace(made, buyer=replace(made.buyer, vat_id="DE987654321"))
    if category is VatCategory.INTRA_COMMUNITY:
        made = replace(made, delivery=invoice().delivery)
    for one in (made, note_over(made)):
        assert [str(finding) for finding in official.validate(write_invoice(one)).errors] == []


@pytest.mark.parametrize("category", VatCategory)
def test_a_peppol_credit_note_is_valid_in_each_vat_category(
    official: Validator, category: VatCategory
) -> None:
    for note in (note_over(in_category(category)), part_of(in_category(category))):
        assert [str(finding) for finding in official.validate(write_invoice(note)).errors] == []


def without_contact(**absent: None) -> Invoice:
    made = DOCUMENTS["xrechnung-invoice"]
    return replace(made, seller=replace(made.seller, contact=replace(SELLER.contact, **absent)))


def in_town(party: Party, **absent: None) -> Party:
    return replace(party, address=replace(party.address, **absent))


XR = DOCUMENTS["xrechnung-invoice"]
MISSING = {
    "BR-DE-15": for_the_authority(invoice(), None),
    "BR-DE-2": replace(XR, seller=replace(XR.seller, contact=Contact())),
    "BR-DE-5": without_contact(name=None),
    "BR-DE-6": without_contact(phone=None),
    "BR-DE-7": without_contact(email=None),
    "BR-DE-3": replace(XR, seller=in_town(XR.seller, city=None)),
    "BR-DE-4": replace(XR, seller=in_town(XR.seller, postcode=None)),
    "BR-DE-8": replace(XR, buyer=in_town(XR.buyer, city=None)),
    "BR-DE-9": replace(XR, buyer=in_town(XR.buyer, postcode=None)),
    "BR-DE-23-a": replace(XR, payment=replace(XR.payment, iban=None)),
    "PEPPOL-EN16931-R020": replace(XR, seller=replace(XR.seller, endpoint=None)),
    "PEPPOL-EN16931-R010": replace(XR, buyer=replace(XR.buyer, endpoint=None)),
}


@pytest.mark.parametrize("rule", MISSING)
def test_what_the_cius_demands_and_is_not_known_is_named(official: Validator, rule: str) -> None:
    report = official.validate(write_invoice(MISSING[rule]))
    assert rule in {finding.rule for finding in report.errors}
    assert not report.valid
