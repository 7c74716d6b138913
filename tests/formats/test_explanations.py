"""Explanations: in three languages, for the rules people meet most, and where in our data to look."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from formats.explanations import LANGUAGES, explained, explanation
from formats.findings import Finding, Severity
from formats.ubl.origin import Source, origin
from formats.ubl.terms import TERMS
from o2c.invoice import Invoice
from o2c.xrechnung import as_xrechnung
from tests.formats.ubl.documents import invoice, line
from tests.official.sets import program

OWN = {"O2C-LEITWEG-ID", "BR-CO-25"}  # the second is in the standard, and in no rule set for UBL


def test_every_explained_rule_is_an_official_one(shared: Path) -> None:
    official = {
        rule
        for name in ("cen", "peppol", "xrechnung")
        for rule in program(shared / "conformance", name).asserts
    }
    assert len(explained()) >= 200
    assert explained() - official - OWN == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_explanation_says_what_it_means_and_what_to_do(language: str) -> None:
    for rule in sorted(explained()):
        told = explanation(rule, language, seller="Selger AS", buyer="Kunde AG", line="line 2")
        assert told is not None
        for text in (told.meaning, told.advice):
            assert re.fullmatch(r"[A-ZÄÖÜÅØÆ][^{}]+[.]", text), (rule, language, text)


def test_the_languages_differ_and_an_unknown_one_is_english() -> None:
    def meaning(language: str) -> str:
        told = explanation("BR-S-08", language)
        assert told is not None
        return told.meaning

    assert len({meaning(language) for language in LANGUAGES}) == 3
    assert meaning("fr") == meaning("en")
    assert explanation("SE-R-999") is None
    assert explanation("BR-S-99") is None


# rule | says in English
ADVICE = """
    BR-DE-15   | Ask Kunde AG for its Leitweg-ID
    BR-AE-03   | Add the VAT numbers of both Selger AS and Kunde AG.
    BR-O-02    | Take the VAT numbers out
    BR-E-08    | sum of the lines, charges and allowances of this rate
    BR-AG-05   | Give a rate of 0 or more.
    BR-22      | Give the quantity of line 2.
"""


@pytest.mark.parametrize("row", ADVICE.strip().splitlines())
def test_the_advice_names_who_is_meant(row: str) -> None:
    rule, words = (cell.strip() for cell in row.split("|"))
    told = explanation(rule, "en", seller="Selger AS", buyer="Kunde AG", line="line 2")
    assert told is not None
    assert words in told.advice


# path (below the root) | term | where in our data
PLACES = """
    cac:InvoiceLine[2]/cbc:InvoicedQuantity/@unitCode         |        | order line 20: quantity.unit
    cac:InvoiceLine[2]/cac:Price/cbc:PriceAmount              |        | order line 20: net_price
    cac:InvoiceLine[1]/cac:Item/cbc:Name                      |        | order line 10: name
    cac:InvoiceLine[2]                                        | BT-131 | order line 20: net_price
    cac:InvoiceLine[2]                                        |        | order line 20
    cac:InvoiceLine[9]                                        |        | none
    cac:AccountingCustomerParty/cac:Party                     | BT-49  | customer C-17: party.endpoint
    cac:AccountingCustomerParty/cac:Party/cbc:EndpointID      |        | customer C-17: party.endpoint
    cac:AccountingSupplierParty/cac:Party                     | BT-34  | company NO1: endpoint
    cac:AccountingSupplierParty/cac:Party                     | BT-42  | company NO1: contact.phone
    cac:PaymentMeans                                          | BT-84  | company NO1: bank account
    cbc:BuyerReference                                        |        | order ord_1: buyer_reference
                                                              | BT-13  | order ord_1: document_id
    cac:LegalMonetaryTotal/cbc:PayableAmount                  |        | none
    cac:TaxTotal/cac:TaxSubtotal                              |        | none
"""


def two_lines() -> Invoice:
    lines = [line(1), line(2)]
    numbered = tuple(replace(one, order_line_id=f"{place}0") for place, one in enumerate(lines, 1))
    return replace(invoice(lines), lines=numbered)


@pytest.mark.parametrize("row", PLACES.strip("\n").splitlines())
def test_a_finding_leads_to_its_place_in_our_data(row: str) -> None:
    path, term, expected = (cell.strip() for cell in row.split("|"))
    found = Finding("peppol", "X", Severity.ERROR, f"/Invoice/{path}", "no", term=term or None)
    place = origin(found, Source(two_lines(), "ord_1", "C-17", "NO1"))
    assert str(place or "none") == expected


def test_the_buyer_reference_of_an_xrechnung_is_the_customers_leitweg_id() -> None:
    found = Finding("xrechnung", "BR-DE-15", Severity.ERROR, "/Invoice", "no", term="BT-10")
    source = Source(as_xrechnung(invoice(), None), "ord_1", "C-17", "DE1")
    assert str(origin(found, source)) == "customer C-17: leitweg_id"


def test_every_term_that_an_explanation_names_has_a_name_or_is_known_to_have_none() -> None:
    terms = {told.term for rule in explained() if (told := explanation(rule)) and told.term}
    nameless = {"BT-6", "BT-7", "BT-32", "BT-73", "BT-77", "BT-78", "BT-89", "BT-111", "BT-122"}
    assert terms - TERMS.keys() == nameless | {"BT-134", "BT-135"}
