"""The order response, on the four Peppol use cases and in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from o2c.answer import OrderAnswer, ResponseCode, answer
from o2c.errors import Broken
from o2c.money import Quantity
from o2c.order import Order, OrderLine, OrderPart, PartState, Product, ProductId
from o2c.party import Address, Identifier, Party
from o2c.stock import Shelf, allocate, resolve

D = Decimal
PEPPER = Product(ProductId("SN-36"), "Pepper sauce")
SAUCES = (
    Product(ProductId("SN-33"), "Brown sauce"),
    Product(ProductId("SN-34"), "White sauce"),
    Product(ProductId("SN-35"), "Pepper sauce", substitute_id=ProductId("SN-36")),
)


def order(*lines: OrderLine) -> Order:
    return Order("erp", "1", "1", date(2013, 7, 1), "EUR", Party("City Hospital", Address("SE")), lines)


def line(line_id: str, name: str, quantity: str, item: str | None = None) -> OrderLine:
    return OrderLine(line_id, name, Quantity(D(quantity), "NAR"), D(1), seller_item_id=item)


def summary(reply: OrderAnswer) -> str:
    return f"{reply.code} {[int(one.status) for one in reply.lines]}"


UC1 = order(
    line("1", "Brown sauce", "10", "SN-33"),
    line("2", "White sauce", "5", "SN-34"),
    line("3", "Pepper sauce", "15", "SN-35"),
)


def test_use_case_1_one_line_stays_one_goes_one_is_substituted() -> None:
    products = {one.line_id: resolve(one, (*SAUCES, PEPPER)) for one in UC1.lines}
    here = {"1": ("allocate", "10"), "2": ("cancel", "0"), "3": ("substitute", "0")}
    parts = [
        part
        for one in UC1.lines
        for part in allocate(
            one,
            here[one.line_id][0],
            {},
            [Shelf("W1", D(here[one.line_id][1]))],
            [Shelf("W1", D(15))],
            products[one.line_id],
            "Sold out.",
        )
    ]
    reply = answer(UC1, parts, products, {"SN-36": PEPPER})
    assert summary(reply) == "CA [5, 7, 3]"
    assert [one.note for one in reply.lines] == [None, "Sold out.", "Substituted by SN-36 Pepper sauce."]
    assert (reply.lines[2].substitute, reply.lines[2].item) == (PEPPER, SAUCES[2])


def test_use_case_2_items_known_by_name_only_come_back_with_our_identifiers() -> None:
    named = order(line("1", "Item 1", "10"), line("2", "Item 2", "50"))
    products = {"1": Product(ProductId("4545423"), "Item 1"), "2": Product(ProductId("64534543"), "Item 2")}
    reply = answer(named, reserved(named), products)
    assert summary(reply) == "CA [5, 5]"
    assert [one.item.product_id for one in reply.lines if one.item] == ["4545423", "64534543"]


def test_use_case_3_nothing_can_be_supplied() -> None:
    translation = order(line("1", "Translation", "1"))
    gone = [OrderPart("1", PartState.CANCELLED, D(1), reason="No translator is available.")]
    assert answer(translation, gone, {}) == OrderAnswer(
        ResponseCode.REJECTED, note="No translator is available."
    )


@pytest.mark.parametrize(
    ("rest", "quantity", "note"),
    [
        (PartState.BACKORDERED, None, "20 NAR follow later."),
        (PartState.CANCELLED, D(30), "20 NAR are cancelled."),
    ],
)
def test_use_case_4_a_part_is_there(rest: PartState, quantity: Decimal | None, note: str) -> None:
    shovels = order(line("1", "Snow shovel", "50", "SN-33"))
    parts = [OrderPart("1", PartState.RESERVED, D(30), "W1", "SN-33"), OrderPart("1", rest, D(20))]
    reply = answer(shovels, parts, {"1": Product(ProductId("SN-33"), "Snow shovel")})
    assert summary(reply) == "CA [3]"
    assert (reply.lines[0].quantity, reply.lines[0].note) == (quantity, note)


def test_an_order_as_we_would_have_written_it_is_accepted() -> None:
    products: dict[str, Product | None] = {
        one.line_id: product for one, product in zip(UC1.lines, SAUCES, strict=True)
    }
    assert summary(answer(UC1, reserved(UC1), products)) == "AP [5, 5, 5]"


@pytest.mark.parametrize(
    ("seller_id", "standard", "code"),
    [("SN-33", None, "AP"), (None, Identifier("123", "0160"), "AP"), ("OLD-1", Identifier("123"), "CA")],
)
def test_an_identifier_is_told_only_where_the_order_lacks_it(
    seller_id: str | None, standard: Identifier | None, code: str
) -> None:
    one = replace(line("1", "Brown sauce", "1"), seller_item_id=seller_id, standard_item_id=standard)
    assert answer(order(one), reserved(order(one)), {"1": SAUCES[0]}).code == code


def test_a_substitute_nobody_knows_is_our_fault() -> None:
    parts = [OrderPart("1", PartState.RESERVED, D(1), "W1", "SN-99")]
    with pytest.raises(Broken, match="SN-99"):
        answer(order(line("1", "Brown sauce", "1", "SN-33")), parts, {"1": SAUCES[0]})


def test_a_lost_piece_is_our_fault() -> None:
    with pytest.raises(Broken, match="parts-sum"):
        answer(UC1, reserved(UC1)[1:], {})


def reserved(an_order: Order) -> list[OrderPart]:
    return [OrderPart(one.line_id, PartState.RESERVED, one.quantity.value) for one in an_order.lines]
