"""A4: a German authority gets a valid XRechnung; without a Leitweg-ID no number is spent, and wrong
check digits are said and not refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from formats import xml
from formats.findings import Severity
from formats.validation import Validator
from gateway.http.order_views import fresh_view
from gateway.stages.bill import bill_again
from gateway.stages.receive import Received
from gateway.store.companies import BankAccount, Company, Profile
from gateway.store.schema import shipment
from o2c.order import Customer, InvoiceProfile
from o2c.party import Address, Contact, Identifier, Party
from tests.journeys.world import World

SELLER = Party(
    "Hofladen Lindenau GmbH",
    Address("DE", street="Lindenweg 12", city="Leipzig", postcode="04177"),
    legal_id=Identifier("HRB 123456"),
    vat_id="DE123456788",
    contact=Contact("Frau Sommer", "+49 341 5550100", "rechnung@lindenau.example"),
)
AUTHORITY = Party(
    "Bezirksamt Beispielstadt",
    Address("DE", street="Rathausplatz 1", city="Beispielstadt", postcode="12345"),
    contact=Contact("Einkauf", None, "einkauf@beispielstadt.example"),
)
GOOD = "04011000-12345-03"
DOUBTFUL = ["04011000-12345-34", "99000000-01944-98", "99000000-05676-98"]  # authorities do use such IDs


@pytest.fixture
def germany(world: World) -> World:
    """A German seller, and an authority that wants XRechnung; nobody has asked for its Leitweg-ID."""
    account = BankAccount("DE02120300000000202051", "EUR", "BYLADEM1001")
    company = Company("DE1", SELLER.name, "DE", "EUR", Profile(SELLER), (account,))
    world.house.add_company(company)
    mine = replace(world, company_id="DE1")
    authority(mine, None)
    mine.given_stock({"SN-33": {"LEIPZIG": 100}})
    return mine


def authority(world: World, leitweg_id: str | None, **changes: Any) -> Customer:
    wanted = {"party": AUTHORITY, "profile": InvoiceProfile.XRECHNUNG, "leitweg_id": leitweg_id}
    return world.given_customer("AMT-1", **(wanted | changes))


def delivered(world: World, external_id: str = "O-1", **order: Any) -> Received:
    """An order of the authority, received and shipped."""
    received = world.orders(external_id, ("SN-33", 10, "11.50"), customer="AMT-1", **order)
    world.ships(received.stored.order_id, f"D-{external_id}")
    return received


def stopped_by(world: World, received: Received) -> list[dict[str, str]]:
    """What keeps the order's shipment from being billed."""
    with world.house.database.read() as connection:
        query = select(shipment.c.findings).where(shipment.c.order_id == received.stored.order_id)
        return list(json.loads(connection.execute(query).scalar_one()))


def test_without_a_leitweg_id_billing_stops_before_a_number_and_names_the_order(germany: World) -> None:
    received = delivered(germany)
    assert germany.events() == [
        "OrderReceived 143.75 EUR",
        "OrderApproved C40",
        "StockReserved",
        "OrderAnswered AP 5",
        "NoticeSent order-answer",
        "GoodsShipped",
        "BillingStopped BR-DE-15",
        "NoticeSent shipped",
    ]
    (finding,) = stopped_by(germany, received)
    assert finding["rule"] == "BR-DE-15"
    assert f"order {received.stored.order_id}" in finding["message"]
    assert "Ask Bezirksamt Beispielstadt for its Leitweg-ID" in finding["fix"]
    assert finding["where"] == "customer AMT-1: leitweg_id"

    authority(germany, GOOD)
    assert bill_again(germany.desk, "AMT-1") == 1
    germany.run()
    assert germany.events() == ["InvoiceIssued INV-00001 143.75 EUR", "InvoiceSent INV-00001"]
    assert germany.faults() == []


def test_the_invoice_is_a_valid_xrechnung_in_every_layer(germany: World) -> None:
    authority(germany, GOOD)
    delivered(germany)
    issued = germany.invoice("INV-00001")
    report = json.loads(issued.report)
    assert (report["valid"], report["findings"]) == (True, [])
    assert [layer["layer"] for layer in report["layers"]] == ["xsd", "en16931", "xrechnung"]
    (sent,) = germany.sent_files()
    judged = germany.house.validator.validate(sent.read_bytes())
    assert (judged.profile, judged.valid, judged.findings) == ("XRechnung 3.0 invoice", True, ())
    assert said(sent.read_bytes()) == {
        "BuyerReference": GOOD,
        "PaymentMeansCode": "58",
        "EndpointID": "rechnung@lindenau.example EM, 04011000-12345-03 0204",
    }


def said(content: bytes) -> dict[str, str]:
    """What an authority looks at first."""
    found: dict[str, list[str]] = {"BuyerReference": [], "PaymentMeansCode": [], "EndpointID": []}
    for name, values in found.items():
        for element in xml.parse(content).iter(f"{{*}}{name}"):
            values.append(" ".join(filter(None, [element.text, element.get("schemeID")])))
    return {name: ", ".join(values) for name, values in found.items()}


def test_without_the_official_rules_an_unfit_xrechnung_stops_all_the_same(
    germany: World, tmp_path: Path
) -> None:
    germany.house.validator = Validator(tmp_path / "nothing fetched")
    received = delivered(germany)
    assert [one["rule"] for one in stopped_by(germany, received)] == ["BR-DE-15"]


def test_the_leitweg_id_of_the_order_goes_before_the_customers(germany: World) -> None:
    authority(germany, GOOD)
    delivered(germany, buyer_reference="11002002-98765-14")
    assert germany.invoice("INV-00001").invoice.buyer_reference == "11002002-98765-14"


def test_an_order_may_ask_for_xrechnung_where_the_customer_does_not(germany: World) -> None:
    peppol = Identifier("DE123456788", "9930")
    authority(germany, None, profile=InvoiceProfile.PEPPOL, party=replace(AUTHORITY, endpoint=peppol))
    delivered(germany, buyer_reference=GOOD, profile=InvoiceProfile.XRECHNUNG)
    assert json.loads(germany.invoice("INV-00001").report)["profile"] == "XRechnung 3.0 invoice"


@pytest.mark.parametrize("doubtful", DOUBTFUL)
def test_wrong_check_digits_are_said_and_never_refused(germany: World, doubtful: str) -> None:
    received = delivered(germany, buyer_reference=doubtful, profile=InvoiceProfile.XRECHNUNG)
    (warning,) = fresh_view(germany.desk, received).warnings or []
    assert f"the check digits of Leitweg-ID {doubtful} do not fit" in warning
    issued = germany.invoice("INV-00001")
    (finding,) = json.loads(issued.report)["findings"]
    assert (finding["rule"], finding["severity"]) == ("O2C-LEITWEG-ID", Severity.WARNING)
    assert issued.invoice.buyer_reference == doubtful


def test_the_review_before_the_due_date_says_it_again(germany: World) -> None:
    authority(germany, DOUBTFUL[0])
    delivered(germany)
    germany.events()
    germany.turns_to("2026-03-15")
    assert "InvoiceReviewed INV-00001 1 findings" in germany.events()


def test_what_else_the_cius_demands_is_named_in_our_own_settings(germany: World) -> None:
    authority(germany, GOOD, party=replace(AUTHORITY, address=Address("DE", street="Rathausplatz 1")))
    received = delivered(germany)
    assert [(one["rule"], one["where"]) for one in stopped_by(germany, received)] == [
        ("BR-DE-8", "customer AMT-1: party.address.city"),
        ("BR-DE-9", "customer AMT-1: party.address.postcode"),
    ]
