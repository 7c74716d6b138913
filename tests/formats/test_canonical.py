"""Our JSON: nothing lost on the way out and back, and every fault of the way in told with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from formats import canonical
from formats.characters import illegal_character
from formats.ubl.read_order import read_order
from o2c.answer import LineAnswer, LineStatus, OrderAnswer, ResponseCode
from o2c.decision import Decision, Unmet
from o2c.errors import Refused
from o2c.invoice import Invoice
from o2c.money import Money, Quantity
from o2c.order import AllowanceCharge, Customer, CustomerId, Order, OrderId, OrderLine, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party
from o2c.shipment import Shipment, ShipmentLine
from o2c.statement import Entry, EntryStatus, Statement, TransactionDetails
from tests.formats.ubl.documents import BUYER, ORDER, invoice

D = Decimal
ORDERED = read_order(ORDER.encode(), "peppol")
MONEY = Money(D("12.50"), "EUR")
ENTRY = Entry(1, MONEY, True, EntryStatus.BOOKED, date(2026, 3, 2), (TransactionDetails("k", MONEY, True),))
VALUES = (
    ORDERED,
    invoice(),
    Customer(CustomerId("C-17"), BUYER, credit_limit=MONEY, approval_until=date(2026, 4, 1)),
    OrderAnswer(ResponseCode.CONDITIONAL, (LineAnswer("1", LineStatus.CHANGED, "x", quantity=D("0.10")),)),
    Shipment("S", OrderId("O"), "E", date(2026, 3, 2), (ShipmentLine("1", D(3)),)),
    Statement("1", "NO93", "EUR", (), None, None),
    Statement("1", "NO93", "EUR", (ENTRY,), MONEY, replace(MONEY, amount=D(25)), warnings=("cut",)),
    Decision(
        "credit", "approve", None, "because", {"open": D("105.0"), "days": 3, "block": False, "text": "105"},
        "sha", "closures", why_not=(Unmet("C1", ("days > 14 (is 3)",)),),
    ),
)  # fmt: skip


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_value_comes_back_as_it_went(value: Any) -> None:
    text = canonical.dumps(canonical.encode(value))
    assert canonical.decode(type(value), json.loads(text)) == value
    assert canonical.dumps(canonical.encode(canonical.decode(type(value), json.loads(text)))) == text


@pytest.mark.parametrize("name", ["UC1", "UC2", "UC3", "UC4"])
def test_a_sample_order_comes_back_as_it_went(shared: Path, name: str) -> None:
    order = read_order((shared / "orders" / f"{name}_Order.xml").read_bytes(), "peppol")
    assert canonical.decode(Order, json.loads(canonical.dumps(canonical.encode(order)))) == order


def test_what_is_absent_is_left_out() -> None:
    party = Party("A", Address("SE"), contact=Contact(email="a@b.example"))
    assert canonical.encode(party) == {
        "name": "A",
        "address": {"country": "SE"},
        "contact": {"email": "a@b.example"},
    }
    assert canonical.encode(Party("A", Address("SE"))) == {"name": "A", "address": {"country": "SE"}}
    assert canonical.encode(
        OrderLine("1", "x", Quantity(D("1E+1"), "C62"), D("0.00"), tax=Tax(VatCategory.ZERO))
    ) == {
        "line_id": "1",
        "name": "x",
        "quantity": {"value": "10", "unit": "C62"},
        "net_price": "0.00",
        "price_base": "1",
        "tax": {"category": "Z", "rate": "0"},
    }


def test_an_empty_list_that_must_be_there_stays() -> None:
    assert canonical.encode(replace(ORDERED, lines=()))["lines"] == []


def test_the_text_is_one_and_the_same() -> None:
    assert canonical.dumps({"b": "Ø", "a": [1, True, None]}) == '{"a":[1,true,null],"b":"Ø"}'.encode()
    assert canonical.sha256(b"") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    with pytest.raises(ValueError, match="JSON"):
        canonical.dumps(float("nan"))


def changed(**fields: object) -> dict[str, Any]:
    data: dict[str, Any] = canonical.encode(ORDERED)
    return data | fields


LINE = canonical.encode(ORDERED)["lines"][0]

# data | place of each fault | its code | words of the first message
BROKEN: tuple[tuple[Any, list[str], list[str], str], ...] = (
    (changed(ordered_on="2.3.2026"), ["/ordered_on"], ["date"], '"2026-03-01"'),
    (changed(ordered_on="20260302"), ["/ordered_on"], ["date"], "20260302"),
    (changed(ordered_on=20260302), ["/ordered_on"], ["date"], "20260302"),
    (changed(currency=5), ["/currency"], ["type"], "must be text, not a number"),
    (changed(currency=None), ["/currency"], ["missing"], "is missing"),
    (changed(curency="EUR"), ["/curency"], ["unknown"], "did you mean 'currency'?"),
    (changed(zzz=1), ["/zzz"], ["unknown"], "known are "),
    (changed(**{"a/b~c": 1}), ["/a~1b~0c"], ["unknown"], "is not a field here"),
    (changed(note="bell \x07"), ["/note"], ["character"], "U+0007"),
    (changed(note="\ud800"), ["/note"], ["character"], "U+D800"),
    (changed(stated_payable=12.5), ["/stated_payable"], ["number"], 'text such as "12.50"'),
    (changed(stated_payable="12,50"), ["/stated_payable"], ["number"], "12,50"),
    (changed(stated_payable="1e3"), ["/stated_payable"], ["number"], "exponent"),
    (changed(stated_payable="NaN"), ["/stated_payable"], ["number"], "NaN"),
    (changed(stated_payable=D("NaN")), ["/stated_payable"], ["type"], "number as text"),
    (changed(stated_payable=True), ["/stated_payable"], ["type"], "a truth value"),
    (changed(stated_payable="9" * 29), ["/stated_payable"], ["number"], "28 digits"),
    (changed(stated_payable=10**30), ["/stated_payable"], ["number"], "28 digits"),
    (changed(lines={}), ["/lines"], ["type"], "must be a list, not an object"),
    (changed(lines=["x"]), ["/lines/0"], ["type"], "must be an object, not text"),
    (changed(lines=[LINE | {"tax": {"category": "X"}}]), ["/lines/0/tax/category"], ["choice"], "S, Z, E"),
    (changed(lines=[LINE | {"tax": {"category": []}}]), ["/lines/0/tax/category"], ["choice"], "not []"),
    (changed(lines=[LINE | {"properties": [["a"]]}]), ["/lines/0/properties/0"], ["type"], "list of 2"),
    (changed(lines=[LINE | {"partial_delivery": 1}]), ["/lines/0/partial_delivery"], ["type"], "or false"),
    (
        changed(lines=[LINE, {"line_id": "2", "quantity": {"value": 1.5}}], buyer=[]),
        ["/lines/1/quantity/value", "/lines/1/quantity/unit", "/lines/1/name", "/lines/1/net_price",
         "/buyer"],
        ["number", "missing", "missing", "missing", "type"],
        "must be text",
    ),
    ([], [""], ["type"], "must be an object, not a list"),
)  # fmt: skip


@pytest.mark.parametrize(("data", "places", "codes", "words"), BROKEN)
def test_every_fault_is_told_with_its_place(
    data: Any, places: list[str], codes: list[str], words: str
) -> None:
    with pytest.raises(Refused) as caught:
        canonical.decode(Order, data, "/orders/7", code="order-invalid")
    found = {(fault.pointer, fault.code) for fault in caught.value.faults}
    assert found == {(f"/orders/7{place}", code) for place, code in zip(places, codes, strict=True)}
    assert words in next(f.message for f in caught.value.faults if f.pointer == f"/orders/7{places[0]}")


def test_the_caller_names_the_refusal() -> None:
    with pytest.raises(Refused) as caught:
        canonical.decode(Shipment, {"shipment_id": 1}, code="shipment-invalid")
    assert caught.value.code == "shipment-invalid"
    assert "(and 4 more)" in caught.value.message


def test_an_instant_needs_its_zone() -> None:
    kind: Any = datetime
    assert canonical.decode(kind, "2026-03-02T10:00:00+00:00") == datetime(2026, 3, 2, 10, tzinfo=UTC)
    with pytest.raises(Refused):
        canonical.decode(kind, "2026-03-02T10:00:00")


def test_numbers_may_come_as_text_integers_or_decimals() -> None:
    for value in ("12", 12, D(12)):
        assert canonical.decode(Quantity, {"value": value, "unit": "C62"}) == Quantity(D(12), "C62")


@given(st.decimals(allow_nan=False, allow_infinity=False, places=6, max_value=10**12, min_value=-(10**12)))
def test_no_digit_of_a_decimal_is_lost(value: Decimal) -> None:
    again = canonical.decode(Money, json.loads(canonical.dumps(canonical.encode(Money(value, "EUR")))))
    assert (again.amount, str(again.amount.as_tuple())) == (value, str(value.as_tuple()))


@given(st.text(), st.lists(st.tuples(st.text(), st.text())))
def test_any_text_either_comes_back_or_is_refused(name: str, properties: list[tuple[str, str]]) -> None:
    line = OrderLine("1", name, Quantity(D(1), "C62"), D(1), properties=tuple(properties))
    data = canonical.encode(line)
    if any(map(illegal_character, (name, *chain.from_iterable(properties)))):
        with pytest.raises(Refused, match="no business document can carry"):
            canonical.decode(OrderLine, data)
    else:
        assert canonical.decode(OrderLine, json.loads(canonical.dumps(data))) == line


@pytest.mark.parametrize(
    ("a", "b", "found"),
    [
        ({"x": 1}, {"x": 1}, []),
        ({"x": 1}, {"x": 2}, ["/x"]),
        ({"x": 1}, {}, ["/x"]),
        ({"x": 1}, {"x": True}, ["/x"]),
        ({"x": None}, {}, ["/x"]),
        ([1, 2], [1, 2, 3], [""]),
        ({"b": [{"c": 1}, {"c": 2}], "a~/": 0}, {"b": [{"c": 1}, {"c": 3}], "a~/": 1}, ["/a~0~1", "/b/1/c"]),
        ("x", "y", [""]),
    ],
)
def test_differences_name_the_fields(a: object, b: object, found: list[str]) -> None:
    assert canonical.differences(a, b) == found


def test_a_changed_order_names_the_field_that_changed() -> None:
    lines = (replace(ORDERED.lines[0], quantity=Quantity(D(11), "C62")), ORDERED.lines[1])
    pointers = canonical.differences(
        canonical.encode(ORDERED), canonical.encode(replace(ORDERED, lines=lines))
    )
    assert pointers == ["/lines/0/quantity/value"]


def test_an_invoice_is_data_too() -> None:
    data = canonical.encode(invoice(allowance_charges=(AllowanceCharge(True, D("1.00"), "Freight"),)))
    assert data["payment"]["reference"] == "RF18539007547034"
    assert data["allowance_charges"] == [{"is_charge": True, "amount": "1.00", "reason": "Freight"}]
    assert canonical.decode(Invoice, data).seller.identifiers == (Identifier("987654325", "0192"),)
