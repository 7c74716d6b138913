"""Peppol orders as the business means them, and what is said about broken ones."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from formats.ubl.read_order import read_order
from formats.validation import Validator
from o2c.errors import Refused
from o2c.money import Quantity
from o2c.order import AllowanceCharge, Delivery, Order, OrderLine, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party
from tests.formats.ubl.documents import ORDER

D = Decimal
GLN = Identifier("7300010000001", "0088")
ORG = Identifier("987654325", "0192")
HOSPITAL = Party(
    name="City Hospital 345433",
    address=Address("SE", city="Eurocity"),
    trading_name="City Hospital",
    identifiers=(GLN,),
    legal_id=GLN,
    endpoint=GLN,
    contact=Contact("Martin Foggerty", "+46555785488", "martin.foggerty@cityhospital.se"),
)
TOURISTS = Delivery(
    party_name="Hospital Tourist Department",
    address=Address("SE", "Lower street 5", "Reception", city="Stockholm", postcode="11120"),
    contact=Contact("John", "+465558877523", "john@cityhospital.se"),
    earliest_on=date(2013, 7, 15),
    latest_on=date(2013, 7, 16),
)
BERGEN = Address("NO", "Harbour street", "Dock 45", "Gate 34", "Bergen", "5005", "Region West")
S25 = Tax(VatCategory.STANDARD, D(25))


def sample(shared: Path, name: str) -> Order:
    return read_order((shared / "orders" / f"{name}_Order.xml").read_bytes(), "peppol")


def sauce(line_id: str, name: str, quantity: str, price: str, number: str, gtin: str) -> OrderLine:
    return OrderLine(
        line_id=line_id,
        name=name,
        quantity=Quantity(D(quantity), "NAR"),
        net_price=D(price),
        tax=S25,
        seller_item_id=number,
        standard_item_id=Identifier(gtin, "0160"),
        description="1x12 pack sauce bags",
        accounting_cost="MAFO-1",
    )


def test_use_case_1_the_hospital_orders_sauces(shared: Path) -> None:
    assert sample(shared, "UC1") == Order(
        source="peppol",
        external_id="0088:7300010000001/0192:987654325/1",
        document_id="1",
        ordered_on=date(2013, 7, 1),
        currency="EUR",
        buyer=HOSPITAL,
        lines=(
            sauce("1", "Brown sauce", "10", "4", "SN-33", "05704066204093"),
            sauce("2", "White sauce", "5", "6", "SN-34", "08722700575887"),
            sauce("3", "Pepper sauce", "15", "3", "SN-35", "08722700577584"),
        ),
        seller=Party("The Supplier AB", BERGEN, identifiers=(ORG,), endpoint=ORG),
        delivery=TOURISTS,
        accounting_cost="MAFO",
        contract_id="C1",
        valid_until=date(2013, 7, 30),
        stated_payable=D("143.75"),
    )


def test_use_case_2_names_items_by_their_properties(shared: Path) -> None:
    order = sample(shared, "UC2")
    assert [(line.name, line.properties) for line in order.lines] == [
        ("Item 1", (("Color", "Red"), ("Size", "43"))),
        ("Item 2", (("Color", "Yellow"), ("Size", "36"))),
    ]
    assert [(line.quantity, line.net_price, line.tax) for line in order.lines] == [
        (Quantity(D(10), "NAR"), D(40), S25),
        (Quantity(D(50), "NAR"), D(6), S25),
    ]
    assert (order.lines[0].seller_item_id, order.lines[0].standard_item_id) == (None, None)
    assert order.seller is not None
    assert (order.seller.endpoint, order.stated_payable, order.buyer) == (GLN, D("875.00"), HOSPITAL)


def test_use_case_3_a_service_without_a_vat_category(shared: Path) -> None:
    order = sample(shared, "UC3")
    assert order.lines == (
        OrderLine(
            line_id="1",
            name="Translation",
            quantity=Quantity(D(1), "DAY"),
            net_price=D(400),
            description="Translation service Swedish - Spanish",
            accounting_cost="MAFO-1",
        ),
    )
    assert (order.document_id, order.stated_payable) == ("5", D(400))
    assert order.seller == Party("Translation Services AS", BERGEN, identifiers=(ORG,), endpoint=ORG)


def test_use_case_4_has_an_invoicee_allowances_and_a_discounted_price(shared: Path) -> None:
    order = sample(shared, "UC4")
    assert order.external_id == "0007:5541277710/0192:987654325/5"
    assert order.buyer.vat_id == "SE554127771101"
    assert order.buyer.address == Address(
        "SE", "Main street 4", "Back door", city="Eurocity", postcode="11155", region="Region A"
    )
    assert order.invoicee == Party(
        name="Swedish Hospitals AB",
        address=Address(
            "NO", "High Street 23", "First floor", city="Trondheim", postcode="7005", region="Region M"
        ),
        trading_name="Swedish Hospitals",
        identifiers=(GLN,),
        legal_id=Identifier("5544332215"),
        endpoint=Identifier("5544332215", "0007"),
    )
    assert order.allowance_charges == (
        AllowanceCharge(True, D(10), "Freight cost"),
        AllowanceCharge(False, D(10), "Agreed discount"),
    )
    (line,) = order.lines
    assert (line.net_price, line.price_discount, line.gross_price, line.price_base) == (
        D(1),
        D(1),
        D(2),
        D(1),
    )
    assert (line.partial_delivery, line.note) == (True, "This free text note can be used....")
    assert line.properties == (("GRIP", "Left-handed"), ("Purpose", "Snow"))
    assert line.tax == Tax(VatCategory.STANDARD, D(10))
    assert order.seller is not None
    assert order.seller.contact == Contact("Öystein", "+47555444333", "oystein@codliveroil.no")
    assert (order.note, order.delivery.party_name) == (
        "Notes regarding the order",
        "Hospital Stock management",
    )
    assert order.stated_payable == D(55)


@pytest.mark.parametrize("name", ["UC1", "UC2", "UC3", "UC4"])
def test_the_sample_orders_pass_the_official_rules(official: Validator, shared: Path, name: str) -> None:
    report = official.validate((shared / "orders" / f"{name}_Order.xml").read_bytes())
    assert (report.profile, report.valid, report.findings) == ("Peppol BIS Order (T01)", True, ())


def test_the_official_order_example_is_read_with_all_its_amounts(shared: Path) -> None:
    example = shared / "conformance/OpenPEPPOL/poacc-upgrade-3/rules/examples/Order_Example.xml"
    order = read_order(example.read_bytes(), "peppol")
    assert (order.buyer_reference, order.currency, order.stated_payable) == ("9000012345", "NOK", D(6363))
    assert order.allowance_charges[1] == AllowanceCharge(
        False, D("652.50"), "Discount", "95", D("6525.00"), D(10), Tax(VatCategory.STANDARD, D(25))
    )
    assert [len(line.allowance_charges) for line in order.lines] == [2, 0]
    assert order.lines[0].buyer_item_id == "123456"
    assert order.lines[0].note == "Freetext note on line 1"
    assert order.delivery.location_id == GLN


def test_prefixes_and_entities_of_the_sender_do_not_matter() -> None:
    order = read_order(ORDER.encode(), "peppol")
    assert (order.buyer_reference, order.note, order.lines[0].note) == (
        "Ward 7 & kitchen",
        "Ring twice",
        "Cold",
    )
    assert (order.lines[0].net_price, order.lines[0].price_base) == (D(400), D(100))
    assert order.lines[1].allowance_charges == (AllowanceCharge(False, D("1.50"), "Promised"),)
    assert order.lines[1].partial_delivery is False


def test_an_order_number_is_unique_only_with_its_buyer() -> None:
    other = ORDER.replace('schemeID="0088">7300010000001', 'schemeID="0088">7300010000018')
    first, second = (read_order(text.encode(), "peppol").external_id for text in (ORDER, other))
    seller = "0192:987654325"
    assert (first, second) == (f"0088:7300010000001/{seller}/4711", f"0088:7300010000018/{seller}/4711")


FIRST = "/Order/cac:OrderLine[1]/cac:LineItem"
SECOND = "/Order/cac:OrderLine[2]/cac:LineItem"
BASE = f"{FIRST}/cac:Price/cbc:BaseQuantity"
TAX = f"{FIRST}/cac:Item/cac:ClassifiedTaxCategory"
COUNTRY = "/Order/cac:BuyerCustomerParty/cac:Party/cac:PostalAddress/cac:Country/cbc:IdentificationCode"
QUANTITY = '<b:Quantity unitCode="KGM">2.5</b:Quantity>'
PRICE = '<a:Price><b:PriceAmount currencyID="SEK">6</b:PriceAmount></a:Price>'

# text taken out of the order | text put in | place of the fault | code | words of the message
BROKEN = (
    (QUANTITY, "", f"{SECOND}/cbc:Quantity", "missing", "line 2 (White sauce): the quantity is missing"),
    (">2.5<", ">some<", f"{SECOND}/cbc:Quantity", "number", "line 2 (White sauce): the quantity"),
    (">2.5<", ">2e5<", f"{SECOND}/cbc:Quantity", "number", "without exponent"),
    (">2.5<", f">{'9' * 29}<", f"{SECOND}/cbc:Quantity", "number", "more than 28 digits"),
    (">2.5<", ">-2.5<", f"{SECOND}/cbc:Quantity", "number", "must not be negative"),
    (' unitCode="KGM"', "", f"{SECOND}/cbc:Quantity/@unitCode", "missing", "the unit"),
    (PRICE, "", f"{SECOND}/cac:Price/cbc:PriceAmount", "missing", "line 2 (White sauce): the price is"),
    (">6<", ">-6<", f"{SECOND}/cac:Price/cbc:PriceAmount", "number", "must not be negative"),
    ('SEK">6', 'EUR">6', f"{SECOND}/cac:Price/cbc:PriceAmount/@currencyID", "currency", "is in EUR"),
    ("<b:Name>White sauce</b:Name>", "", f"{SECOND}/cac:Item/cbc:Name", "missing", "line 2: the item name"),
    ("<b:ID>2</b:ID>", "<b:ID>1</b:ID>", f"{SECOND}/cbc:ID", "duplicate", "used twice"),
    ("<b:ID>2</b:ID>", "", f"{SECOND}/cbc:ID", "missing", "line at position 2 (White sauce)"),
    (">false</b:Part", ">no</b:Part", f"{SECOND}/cbc:PartialDeliveryIndicator", "choice", "not 'no'"),
    (
        ">false</b:Char",
        ">-</b:Char",
        f"{SECOND}/cac:AllowanceCharge/cbc:ChargeIndicator",
        "choice",
        "not '-'",
    ),
    (">1.50<", "><", f"{SECOND}/cac:AllowanceCharge/cbc:Amount", "missing", "the amount of the allowance"),
    (">100</b:Base", ">0</b:Base", BASE, "number", "above zero"),
    (
        '<b:BaseQuantity unitCode="C62"',
        '<b:BaseQuantity unitCode="KGM"',
        f"{BASE}/@unitCode",
        "unit",
        "per KGM",
    ),
    ("<b:ID>S</b:ID>", "<b:ID>X</b:ID>", f"{TAX}/cbc:ID", "choice", "not 'X'"),
    ("<b:Percent>25</b:Percent>", "", f"{TAX}/cbc:Percent", "missing", "VAT rate"),
    ("2026-02-20", "2026-02-30", "/Order/cbc:IssueDate", "date", "2026-02-30"),
    ("2026-02-20", "20260220", "/Order/cbc:IssueDate", "date", "20260220"),
    ("<b:IssueDate>2026-02-20</b:IssueDate>", "", "/Order/cbc:IssueDate", "missing", "issue date"),
    ("<b:ID>4711</b:ID>", "<b:ID>  </b:ID>", "/Order/cbc:ID", "missing", "the order number"),
    (">SEK<", "><", "/Order/cbc:DocumentCurrencyCode", "missing", "the currency"),
    (">SE<", "><", COUNTRY, "missing", "the buyer: the country"),
)


@pytest.mark.parametrize(("before", "after", "place", "code", "words"), BROKEN)
def test_a_broken_order_is_refused_with_the_place(
    before: str, after: str, place: str, code: str, words: str
) -> None:
    assert before in ORDER
    with pytest.raises(Refused) as caught:
        read_order(ORDER.replace(before, after).encode(), "peppol")
    assert caught.value.code == "order-invalid"
    assert [(fault.pointer, fault.code) for fault in caught.value.faults] == [(place, code)]
    assert words in caught.value.faults[0].message


def test_all_problems_are_told_at_once() -> None:
    text = ORDER
    for before, after in ((">2.5<", ">x<"), ("<b:Name>Brown sauce</b:Name>", ""), ("2026-02-20", "soon")):
        text = text.replace(before, after)
    with pytest.raises(Refused) as caught:
        read_order(text.encode(), "peppol")
    assert sorted(fault.code for fault in caught.value.faults) == ["date", "missing", "number"]
    assert "(and 2 more)" in caught.value.message


def test_an_order_without_lines_or_buyer_is_refused() -> None:
    empty = '<Order xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>'
    with pytest.raises(Refused) as caught:
        read_order(empty.encode(), "peppol")
    assert {"/Order/cac:OrderLine", "/Order/cac:BuyerCustomerParty/cac:Party", "/Order/cbc:ID"} <= {
        fault.pointer for fault in caught.value.faults
    }


@pytest.mark.parametrize(
    "root",
    [
        '<Order xmlns="urn:example:other"/>',
        '<Invoice xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"/>',
        "<Order/>",
    ],
)
def test_another_message_is_told_apart(root: str) -> None:
    with pytest.raises(Refused) as caught:
        read_order(root.encode(), "peppol")
    assert caught.value.code == "message"
    assert "no UBL 2 Order" in caught.value.message
