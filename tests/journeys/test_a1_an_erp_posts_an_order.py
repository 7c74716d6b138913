"""A1: official Peppol orders come in, are decided, shipped and invoiced; repeats change nothing.
A1 over HTTP, with its status codes and problems, is in ``tests/gateway/http``."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from formats import canonical
from formats.saft import check
from formats.ubl.read_order import read_order
from formats.validation import Validator
from gateway.stages import bill, receive, report
from gateway.stages.receive import Incoming
from gateway.store import customers, orders
from gateway.store.archive import Document, fetch
from o2c.errors import Conflict, Refused
from o2c.order import Customer, CustomerId, Product, ProductId, Tax, VatCategory
from tests.journeys.world import STANDARD, World

SAUCES = {
    "SN-33": Product(ProductId("SN-33"), "Brown sauce", "NAR", STANDARD),
    "SN-34": Product(ProductId("SN-34"), "White sauce", "NAR", STANDARD),
    "SN-35": Product(ProductId("SN-35"), "Pepper sauce", "NAR", STANDARD, substitute_id=ProductId("SN-36")),
    "SN-36": Product(ProductId("SN-36"), "Pepper sauce, large bags", "NAR", STANDARD),
}


def uc(shared: Path, number: int) -> bytes:
    """An official order of the ordering use cases."""
    return (shared / "orders" / f"UC{number}_Order.xml").read_bytes()


def given_sauces(world: World, **pieces: int) -> None:
    """Stock by product, e.g. ``SN_33=10``."""
    levels = {name.replace("_", "-"): {"BERGEN": count} for name, count in pieces.items()}
    world.given_stock(levels, **SAUCES)


def test_uc1_is_received_decided_shipped_and_invoiced_at_143_75(world: World, shared: Path) -> None:
    given_sauces(world, SN_33=10, SN_34=5, SN_35=15)
    received = world.orders_xml(uc(shared, 1), "key-1")
    world.ships(received.stored.order_id)
    assert world.events() == [
        "OrderReceived 143.75 EUR",
        "OrderApproved C40",
        "StockReserved",
        "OrderAnswered AP 5 5 5",
        "NoticeSent order-answer",
        "AnswerSent",
        "GoodsShipped",
        "InvoiceIssued INV-00001 143.75 EUR",
        "NoticeSent shipped",
        "InvoiceSent INV-00001",
    ]
    issued = world.invoice("INV-00001")
    totals = issued.invoice.totals
    assert (totals.tax_exclusive, totals.tax, totals.payable) == (
        Decimal("115.00"),
        Decimal("28.75"),
        Decimal("143.75"),
    )
    assert issued.invoice.order_reference == "1"  # no buyer reference, so the order number fills BT-13
    assert world.faults() == []


def test_the_archived_invoice_has_no_error_in_any_layer(
    world: World, shared: Path, rules_cache: Path
) -> None:
    given_sauces(world, SN_33=10, SN_34=5, SN_35=15)
    world.ships(world.orders_xml(uc(shared, 1)).stored.order_id)
    issued = world.invoice("INV-00001")
    with world.house.database.read() as connection:
        content = fetch(connection, world.company_id, issued.document_sha256).content
    report = Validator(rules_cache).validate(content)
    assert report.valid
    assert [(layer.layer, layer.status, layer.release) for layer in report.layers] == [
        ("xsd", "valid", "OASIS UBL 2.1"),
        ("en16931", "valid", "1.3.16"),
        ("peppol", "valid", "3.0.21"),
    ]
    assert list(report.errors) == []
    assert f"<cbc:PaymentID>{issued.invoice.payment.reference}</cbc:PaymentID>".encode() in content


def test_the_same_order_again_is_the_same_order_and_tells_nobody_twice(world: World, shared: Path) -> None:
    given_sauces(world, SN_33=10, SN_34=5, SN_35=15)
    first = world.orders_xml(uc(shared, 1), "key-1")
    mails = len(world.mails)
    world.events()
    again = world.orders_xml(uc(shared, 1), "key-1")
    assert (again.replayed, again.stored.order_id) == (True, first.stored.order_id)
    assert world.events() == []
    assert len(world.mails) == mails
    with pytest.raises(Conflict) as conflict:
        world.orders_xml(uc(shared, 1).replace(b">10</cbc:Quantity>", b">11</cbc:Quantity>"), "key-1")
    assert [fault.pointer for fault in conflict.value.faults] == ["/lines/0/quantity/value"]


def test_a_line_without_quantity_is_refused_and_named(world: World, shared: Path) -> None:
    bad = uc(shared, 1).replace(
        b'<cbc:Quantity unitCode="NAR" unitCodeListID="UNECERec20">5</cbc:Quantity>', b""
    )
    with pytest.raises(Refused) as refused:
        world.orders_xml(bad)
    assert [fault.pointer for fault in refused.value.faults] == [
        "/Order/cac:OrderLine[2]/cac:LineItem/cbc:Quantity"
    ]
    assert world.events() == []


def test_the_same_order_as_json_gives_the_same_invoice(world: World, shared: Path) -> None:
    given_sauces(world, SN_33=20, SN_34=10, SN_35=30)
    world.ships(world.orders_xml(uc(shared, 1)).stored.order_id)
    order = replace(read_order(uc(shared, 1), "api"), external_id="json-1")
    raw = canonical.dumps(canonical.encode(order))
    received = receive.receive_order(
        world.desk, Incoming(order, Document("order", "application/json", raw), None)
    )
    world.run()
    world.ships(received.stored.order_id, "D-1")
    one, other = world.invoice("INV-00001").invoice, world.invoice("INV-00002").invoice
    assert replace(other, number=one.number, payment=one.payment) == one


@pytest.mark.parametrize(
    ("number", "pieces", "answer"),
    [
        (1, {"SN_33": 10, "SN_34": 0, "SN_35": 0, "SN_36": 15}, "OrderAnswered CA 5 7 3"),
        (2, {"4545423": 10, "64534543": 50}, "OrderAnswered CA 5 5"),
        (3, {"T-1": 0}, "OrderAnswered RE"),
        (4, {"SN_33": 30}, "OrderAnswered CA 3"),
    ],
)
def test_the_answer_is_that_of_the_official_example(
    world: World, shared: Path, number: int, pieces: dict[str, int], answer: str
) -> None:
    tax = {4: Tax(VatCategory.STANDARD, Decimal(10))}.get(number, STANDARD)
    products = {
        "4545423": Product(
            ProductId("4545423"), "Item 1", "NAR", tax, properties=(("Color", "Red"), ("Size", "43"))
        ),
        "64534543": Product(
            ProductId("64534543"), "Item 2", "NAR", tax, properties=(("Color", "Yellow"), ("Size", "36"))
        ),
        "T-1": Product(ProductId("T-1"), "Translation", "DAY", Tax(VatCategory.OUTSIDE_SCOPE)),
    } | (SAUCES if number == 1 else {})
    world.given_stock(
        {name.replace("_", "-"): {"BERGEN": count} for name, count in pieces.items()}, **products
    )
    order = read_order(uc(shared, number), "peppol")
    world.given_customer("H-1", party=order.buyer, split_allowed=True)
    received = world.orders_xml(uc(shared, number))
    assert answer in world.events()
    if answer.endswith("RE"):
        assert received.stored.state == "cancelled"
        with pytest.raises(Refused, match="no reserved pieces"):
            world.ships(received.stored.order_id)


def test_an_invoice_without_the_buyers_endpoint_stops_before_its_number(world: World) -> None:
    nobody = replace(world.given_customer().party, endpoint=None)
    world.given_customer("C-17", party=nobody)
    world.ships(world.orders("O-1", ("SN-33", 1, "4"), customer="C-17").stored.order_id)
    with world.house.database.read() as connection:
        (stopped,) = orders.unbilled(connection, world.company_id)
    assert stopped.billing == "stopped"
    assert "PEPPOL-EN16931-R010" in (stopped.findings or "")
    assert "customer C-17 (Fjord Hotel AS)" in (stopped.findings or "")
    world.ships(world.orders("O-2", ("SN-33", 1, "4")).stored.order_id)
    assert world.invoice("INV-00001").order_id != stopped.shipment.order_id

    world.given_customer("C-17")
    assert bill.bill_again(world.desk, "C-17") == 1
    world.run()
    assert world.invoice("INV-00002").order_id == stopped.shipment.order_id
    assert world.faults() == []


def test_an_unknown_buyer_becomes_a_customer_with_what_the_order_says(world: World, shared: Path) -> None:
    given_sauces(world, SN_33=10, SN_34=5, SN_35=15)
    received = world.orders_xml(uc(shared, 1))
    world.ships(received.stored.order_id)
    today = world.clock.today()
    _, chunks = report.saft(world.desk, today, today)
    assert check.check(b"".join(chunks)) == ()
    with world.house.database.read() as connection:
        who = customers.find(connection, world.company_id, received.stored.customer_id)
    assert isinstance(who, Customer)
    assert (who.party.trading_name, who.customer_id) == (
        "City Hospital",
        CustomerId(received.stored.customer_id),
    )
