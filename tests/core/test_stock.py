"""Allocation of order lines and resolution of products."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.errors import Broken
from o2c.money import Quantity
from o2c.order import Customer, CustomerId, Order, OrderLine, OrderPart, PartState, Product, ProductId
from o2c.party import Address, Identifier, Party
from o2c.stock import NEVER, Shelf, allocate, check_parts, less, resolve, stock_facts

D = Decimal
BUYER = Party("City Hospital", Address("SE"))
CUSTOMER = Customer(CustomerId("C-17"), BUYER)
LINE = OrderLine("1", "Brown sauce", Quantity(D(10), "NAR"), D(4), seller_item_id="SN-33")
SAUCE = Product(ProductId("SN-33"), "Brown sauce", substitute_id=ProductId("SN-36"))
SERVICE = Product(ProductId("TR"), "Translation", stocked=False)


def shelves(*available: str) -> tuple[Shelf, ...]:
    return tuple(Shelf(f"W{number}", D(text)) for number, text in enumerate(available, 1))


def told(parts: tuple[OrderPart, ...]) -> list[str]:
    return [f"{p.quantity} {p.state} {p.warehouse or '-'} {p.product_id}" for p in parts]


@pytest.mark.parametrize(
    ("outcome", "actions", "here", "substitute", "expected"),
    [
        ("allocate", {}, ("12", "5"), (), ["10 reserved W1 SN-33"]),
        ("allocate", {}, ("6", "5"), (), ["6 reserved W1 SN-33", "4 backordered - SN-33"]),
        ("split", {}, ("6", "5"), (), ["6 reserved W1 SN-33", "4 reserved W2 SN-33"]),
        (
            "partial",
            {},
            ("6", "3"),
            (),
            ["6 reserved W1 SN-33", "3 reserved W2 SN-33", "1 backordered - SN-33"],
        ),
        ("partial", {"rest": "cancel"}, ("6",), (), ["6 reserved W1 SN-33", "4 cancelled - SN-33"]),
        ("partial", {}, ("0", "-2"), (), ["10 backordered - SN-33"]),
        ("backorder", {}, ("6",), (), ["10 backordered - SN-33"]),
        ("cancel", {}, ("6",), (), ["10 cancelled - SN-33"]),
        ("substitute", {}, ("0",), ("15",), ["10 reserved W1 SN-36"]),
        ("substitute", {"rest": "cancel"}, ("0",), ("7",), ["7 reserved W1 SN-36", "3 cancelled - SN-33"]),
    ],
)
def test_an_outcome_becomes_parts(
    outcome: str,
    actions: dict[str, str],
    here: tuple[str, ...],
    substitute: tuple[str, ...],
    expected: list[str],
) -> None:
    assert told(allocate(LINE, outcome, actions, shelves(*here), shelves(*substitute), SAUCE)) == expected


def test_a_service_is_reserved_without_a_warehouse() -> None:
    assert told(allocate(LINE, "allocate", {}, (), (), SERVICE)) == ["10 reserved - TR"]


def test_the_reason_goes_on_what_is_not_reserved() -> None:
    parts = allocate(LINE, "partial", {"rest": "cancel"}, shelves("6"), (), SAUCE, "Sold out")
    assert [part.reason for part in parts] == [None, "Sold out"]


def test_an_unknown_outcome_is_our_fault() -> None:
    with pytest.raises(Broken, match="conjure"):
        allocate(LINE, "conjure", {}, shelves("10"), (), SAUCE)


QUANTITIES = st.decimals("-5", "20", places=2)


@given(
    st.decimals("0.01", "30", places=2),
    st.sampled_from(["allocate", "split", "partial", "backorder", "cancel", "substitute"]),
    st.sampled_from([{}, {"rest": "cancel"}]),
    st.lists(QUANTITIES, max_size=4),
    st.lists(QUANTITIES, max_size=3),
)
def test_parts_add_up_and_no_shelf_gives_more_than_it_holds(
    ordered: Decimal, outcome: str, actions: dict[str, str], here: list[Decimal], other: list[Decimal]
) -> None:
    line = replace(LINE, quantity=Quantity(ordered, "NAR"))
    own, instead = shelves(*map(str, here)), shelves(*map(str, other))
    parts = allocate(line, outcome, actions, own, instead, SAUCE)
    check_parts(Order("erp", "1", "1", date(2026, 3, 1), "EUR", BUYER, (line,)), parts)
    assert all(part.quantity > 0 for part in parts)
    for before, product_id in ((own, "SN-33"), (instead, "SN-36")):
        for shelf, after in zip(before, less(before, product_id, parts), strict=True):
            assert after.available >= min(shelf.available, D(0))


def test_two_lines_of_one_product_share_its_shelf() -> None:
    first = allocate(LINE, "split", {}, shelves("12"), (), SAUCE)
    rest = less(shelves("12"), "SN-33", first)
    assert told(allocate(replace(LINE, line_id="2"), "partial", {}, rest, (), SAUCE)) == [
        "2 reserved W1 SN-33",
        "8 backordered - SN-33",
    ]


@pytest.mark.parametrize("quantities", [("9",), ("9", "2")])
def test_pieces_lost_or_invented_are_our_fault(quantities: tuple[str, ...]) -> None:
    order = Order("erp", "1", "77", date(2026, 3, 1), "EUR", BUYER, (LINE,))
    with pytest.raises(Broken, match="order 77, line 1"):
        check_parts(order, [OrderPart("1", PartState.RESERVED, D(quantity)) for quantity in quantities])


def test_the_facts_of_a_line() -> None:
    assert stock_facts(LINE, SAUCE, CUSTOMER, shelves("6", "3", "-1"), shelves("15"), 7) == {
        "product_known": True,
        "stocked": True,
        "ordered": D(10),
        "atp_here": D(6),
        "atp_all": D(9),
        "substitute_atp": D(15),
        "split_allowed": True,
        "partial_allowed": True,
        "next_receipt_days": 7,
    }


@pytest.mark.parametrize(
    ("said", "agreed", "partial_allowed", "split_allowed"),
    [
        (None, True, True, True),
        (None, False, False, True),
        (False, True, False, False),
        (True, False, True, True),
    ],
)
def test_the_line_outranks_the_agreement(
    said: bool | None, agreed: bool, partial_allowed: bool, split_allowed: bool
) -> None:
    facts = stock_facts(
        replace(LINE, partial_delivery=said), None, replace(CUSTOMER, partial_allowed=agreed), ()
    )
    assert (facts["partial_allowed"], facts["split_allowed"]) == (partial_allowed, split_allowed)
    assert (facts["product_known"], facts["atp_here"], facts["next_receipt_days"]) == (False, D(0), NEVER)


GTIN = Identifier("05704066204093", "0160")
RED = Product(ProductId("4545423"), "Item 1", properties=(("Size", "43"), ("Color", "Red")))
BLUE = Product(ProductId("4545424"), "Item 1", properties=(("Size", "43"), ("Color", "Blue")))
CODED = Product(ProductId("SN-33"), "Brown sauce", standard_id=Identifier("5704066204093", "0160"))
TWIN = replace(CODED, product_id=ProductId("SN-34"))
BARE = OrderLine("1", "item  1", Quantity(D(1), "C62"), D(1), properties=(("color", "red"), ("Size", "43")))


@pytest.mark.parametrize(
    ("seller_id", "standard", "catalogue", "found"),
    [
        ("SN-33", None, (CODED, RED), "SN-33"),
        ("SN-33", GTIN, (CODED, TWIN), "SN-33"),
        ("old", GTIN, (CODED, RED), "SN-33"),
        (None, GTIN, (CODED, RED), "SN-33"),
        (None, GTIN, (CODED, TWIN), None),
        ("SN-33", Identifier("999", "0160"), (CODED,), None),
        (None, Identifier("5704066204093", "0088"), (CODED,), None),
        (None, Identifier("5704066204093"), (CODED,), "SN-33"),
        ("old", None, (RED,), None),
        (None, None, (RED, BLUE), "4545423"),
        (None, None, (RED, replace(RED, product_id=ProductId("2"))), None),
        (None, None, (BLUE,), None),
    ],
)
def test_a_product_is_found_or_it_is_not_but_never_guessed(
    seller_id: str | None, standard: Identifier | None, catalogue: tuple[Product, ...], found: str | None
) -> None:
    product = resolve(replace(BARE, seller_item_id=seller_id, standard_item_id=standard), catalogue)
    assert (product.product_id if product else None) == found
