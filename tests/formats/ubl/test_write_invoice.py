"""Invoices as documents: valid under every official rule, the same bytes each time, or refused."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from formats import xml
from formats.ubl.paths import Places
from formats.ubl.terms import TERMS
from formats.ubl.write_invoice import write_invoice
from formats.validation import Validator
from o2c.errors import Refused
from o2c.invoice import Invoice, InvoiceType
from o2c.money import Quantity
from o2c.order import AllowanceCharge, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party
from tests.formats.ubl.documents import BUYER, SELLER, STANDARD, invoice, line, outside_vat

D = Decimal
GOLDEN = Path(__file__).parents[2] / "golden" / "ubl"

EXEMPT = Tax(VatCategory.EXEMPT)
REASONS = {
    VatCategory.STANDARD: None,
    VatCategory.ZERO: None,
    VatCategory.EXEMPT: "Exempt under article 132",
    VatCategory.REVERSE_CHARGE: "Reverse charge",
    VatCategory.INTRA_COMMUNITY: "Intra-community supply",
    VatCategory.EXPORT: "Export outside the EU",
    VatCategory.OUTSIDE_SCOPE: "Not subject to VAT",
}


def in_category(category: VatCategory) -> Invoice:
    tax = Tax(category, D(25) if category is VatCategory.STANDARD else D(0))
    made = invoice([line(1, tax=tax), line(2, tax=tax)], reason=REASONS[category])
    if category is VatCategory.OUTSIDE_SCOPE:
        return replace(made, seller=outside_vat(SELLER), buyer=outside_vat(BUYER))
    return made


def with_everything() -> Invoice:
    """Every field of an invoice in use, with text that XML and typesetters stumble over."""
    rich = replace(
        line(3, quantity="7", price="123.456"),
        net_amount=D("88.42"),
        quantity=Quantity(D("7.0"), "KGM"),
        price_base=D(10),
        gross_price=D("133.456"),
        price_discount=D(10),
        allowance_charges=(
            AllowanceCharge(True, D("5.00"), "Cutting & packing"),
            AllowanceCharge(False, D("3.00"), "5 %", "95", D("60.00"), D(5)),
        ),
        buyer_item_id="B<1>",
        standard_item_id=Identifier("7300010000001", "0160"),
        description="»Fløte« 日本語 Ελληνικά \U0001f9c0\nsecond line",
        properties=(("Størrelse", "½ l"), ('"quoted"', "it's <b>&amp;</b>")),
        accounting_cost="7-1",
        note="keep < 4 °C & > 0 °C",
    )
    extras = (
        AllowanceCharge(True, D("10.00"), "Freight", "FC", tax=STANDARD),
        AllowanceCharge(False, D("8.00"), "Loyalty", "95", D("80.00"), D(10), STANDARD),
    )
    made = invoice([line(1), line(2, tax=EXEMPT), rich], extras, REASONS[VatCategory.EXEMPT])
    return replace(
        made,
        buyer_reference="Ward 7 <kitchen>",
        contract_reference="C&1",
        despatch_reference="D-1",
        accounting_cost="MAFO",
        note="Takk for handelen & velkommen igjen — ]]>",
        preceding=("INV-2025-0999", "INV-2025-0998"),
        payment=replace(made.payment, account_name="Fjordmat AS"),
        buyer=replace(BUYER, trading_name="Sjukhuset", contact=Contact("Eva", "+46 8 1", "eva@example.se")),
    )


def awkward() -> Invoice:
    """A price per 1000 at many decimals and amounts written with too few."""
    screws = replace(line(1, quantity="2500", price="0.01239"), price_base=D(1000), net_amount=D("0.03"))
    made = invoice([screws, replace(line(2), net_amount=D(40))])
    return replace(made, due_on=made.issued_on, payment=replace(made.payment, terms=None))


DOCUMENTS = {f"category-{category}": in_category(category) for category in VatCategory} | {
    "everything": with_everything(),
    "awkward": awkward(),
    "mixed-rates": invoice([line(1), line(2, tax=Tax(VatCategory.STANDARD, D("12.5"))), line(3, tax=EXEMPT)],
                           reason="Exempt"),
    "free-of-charge": invoice([line(1, price="0")]),
    "charge-of-zero": invoice(allowance_charges=(AllowanceCharge(True, D(0), "Freight", tax=STANDARD),)),
}  # fmt: skip


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_is_written_passes_every_official_rule(official: Validator, name: str) -> None:
    report = official.validate(write_invoice(DOCUMENTS[name]))
    assert [str(finding) for finding in report.errors] == []
    assert report.profile == "Peppol BIS Billing 3 invoice"
    assert [(layer.layer, layer.status.value) for layer in report.layers] == [
        ("xsd", "valid"),
        ("en16931", "valid"),
        ("peppol", "valid"),
    ]


@pytest.mark.parametrize("name", ["everything", "awkward", "category-O"])
def test_the_bytes_are_the_reviewed_ones(name: str) -> None:
    written = write_invoice(DOCUMENTS[name])
    file = GOLDEN / f"invoice-{name}.xml"
    if os.environ.get("O2C_REWRITE_GOLDEN"):
        file.write_bytes(written)
    assert written == file.read_bytes()


def test_every_text_comes_back_as_it_went_in() -> None:
    root = xml.parse(write_invoice(with_everything()))
    texts = Counter(element.text for element in root.iter() if not len(element))
    for text in (
        "Ward 7 <kitchen>",
        "Takk for handelen & velkommen igjen — ]]>",
        "»Fløte« 日本語 Ελληνικά \U0001f9c0\nsecond line",
        "it's <b>&amp;</b>",
        '"quoted"',
        "keep < 4 °C & > 0 °C",
    ):
        assert texts[text] == 1


def test_the_terms_stand_where_the_standard_puts_them() -> None:
    root = xml.parse(write_invoice(with_everything()))
    places = Places()
    found = {place.term for place in map(places.of, root.iter()) if place.term}
    assert set(TERMS) - found == {"BT-113", "BT-114", "BT-121", "BT-130"}  # the last is an attribute


def test_prepaid_and_rounding_are_written_when_there_are_any(official: Validator) -> None:
    made = invoice()
    totals = replace(made.totals, prepaid=D("43.00"), rounding=D("0.25"), payable=D("101.00"))
    written = write_invoice(replace(made, totals=totals))
    assert b'<cbc:PrepaidAmount currencyID="EUR">43.00<' in written
    assert official.validate(written).valid


@pytest.mark.parametrize("currency", ["JPY", "KWD"])
def test_amounts_have_two_decimals_in_any_currency(official: Validator, currency: str) -> None:
    written = write_invoice(replace(invoice(), currency=currency))
    assert f'<cbc:PayableAmount currencyID="{currency}">143.75<'.encode() in written
    assert official.validate(written).valid


def test_absent_values_leave_no_empty_element(official: Validator) -> None:
    bare = Party(
        " A ", Address("SE", street="  "), endpoint=Identifier("7300010000001", "0088"), contact=Contact()
    )
    made = replace(invoice(), buyer=bare, delivery=None, delivered_on=None, note="\n")
    written = write_invoice(made)
    assert official.validate(written).valid
    assert b"cac:Delivery" not in written
    assert b"cbc:Note>\n</cac:PaymentTerms>" in written
    assert written.count(b"<cbc:Note>") == 1


def test_a_buyer_has_one_identifier_and_a_seller_all(official: Validator) -> None:
    two = (Identifier("987654325", "0192"), Identifier("7300010000001", "0088"))
    made = replace(invoice(), seller=replace(SELLER, identifiers=two), buyer=replace(BUYER, identifiers=two))
    written = write_invoice(made)
    assert written.count(b"<cac:PartyIdentification>") == 3
    assert official.validate(written).valid


def test_an_allowance_without_category_takes_the_only_one_there_is(official: Validator) -> None:
    extra = AllowanceCharge(False, D("5.00"), "Discount")
    assert official.validate(write_invoice(invoice(allowance_charges=(extra,)))).valid


def test_half_a_percentage_is_left_out(official: Validator) -> None:
    # R041 and R042 want both or neither; the amount is what counts.
    extras = (
        AllowanceCharge(False, D("5.00"), "Discount", percent=D(5), tax=STANDARD),
        AllowanceCharge(False, D("5.00"), "Discount", base_amount=D(100), tax=STANDARD),
    )
    written = write_invoice(invoice(allowance_charges=extras))
    assert b"MultiplierFactorNumeric" not in written
    assert b"BaseAmount" not in written
    assert official.validate(written).valid


def test_equal_invoices_give_equal_bytes() -> None:
    made = invoice()
    longer = tuple(
        replace(each, net_amount=each.net_amount + D("0.0000"), net_price=D("4.00")) for each in made.lines
    )
    shorter = tuple(replace(each, net_price=D(4)) for each in made.lines)
    assert write_invoice(replace(made, lines=longer)) == write_invoice(replace(made, lines=shorter))


REFUSED = {
    "no-lines": replace(invoice(), lines=()),
    "missing": replace(invoice(), number=" "),
    "currency": replace(invoice(), currency='EU"'),
    "amount-digits": invoice([replace(line(), net_amount=D("40.001"))]),
    "number": invoice([replace(line(), net_price=D("NaN"))]),
    "character": invoice([replace(line(), name="bell \x07")]),
    "allowance-tax": invoice(
        [line(1), line(2, tax=EXEMPT)], (AllowanceCharge(True, D("1.00"), "Freight"),), "Exempt"
    ),
}


def test_a_credit_note_that_names_no_invoice_is_refused() -> None:
    with pytest.raises(Refused, match="which invoice it credits"):
        write_invoice(replace(invoice(), type=InvoiceType.CREDIT_NOTE))


@pytest.mark.parametrize("code", REFUSED)
def test_what_cannot_be_written_is_refused(code: str) -> None:
    with pytest.raises(Refused) as caught:
        write_invoice(REFUSED[code])
    assert caught.value.code == code


@pytest.mark.parametrize("amount", ["NaN", "Infinity"])
def test_an_amount_that_is_no_number_is_refused(amount: str) -> None:
    with pytest.raises(Refused) as caught:
        write_invoice(_with_total(amount))
    assert caught.value.code == "amount-digits"


def _with_total(amount: str) -> Invoice:
    made = invoice()
    return replace(made, totals=replace(made.totals, payable=D(amount)))
