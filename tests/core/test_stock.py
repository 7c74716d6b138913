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
from o2c.stock import (
    NEVER,
    Inbound,
    Shelf,
    Wish,
    allocate,
    check_parts,
    less,
    reshared,
    resolve,
    share_out,
    stock_facts,
)

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


NEAREST = {"order_of_warehouses": "nearest first"}
FULLEST = {"order_of_warehouses": "fullest first"}
FEWEST = {"order_of_warehouses": "fewest parcels first"}


@pytest.mark.parametrize(
    ("outcome", "actions", "here", "substitute", "expected"),
    [
        ("allocate", {}, ("12", "5"), (), ["10 reserved W1 SN-33"]),
        ("allocate", {}, ("6", "5"), (), ["6 reserved W1 SN-33", "4 backordered - SN-33"]),
        ("elsewhere", {}, ("6", "9", "10", "12"), (), ["10 reserved W3 SN-33"]),
        ("elsewhere", {}, ("9", "3", "8"), (), ["8 reserved W3 SN-33", "2 backordered - SN-33"]),
        ("elsewhere", {}, (), (), ["10 backordered - SN-33"]),
        ("split", {}, ("6", "5"), (), ["6 reserved W1 SN-33", "4 reserved W2 SN-33"]),
        (
            "split",
            NEAREST,
            ("3", "2", "8"),
            (),
            ["3 reserved W1 SN-33", "2 reserved W2 SN-33", "5 reserved W3 SN-33"],
        ),
        ("split", FULLEST, ("3", "2", "8"), (), ["8 reserved W3 SN-33", "2 reserved W1 SN-33"]),
        ("split", FULLEST, ("3", "15", "12"), (), ["10 reserved W2 SN-33"]),
        ("split", FEWEST, ("3", "12", "15"), (), ["10 reserved W2 SN-33"]),
        ("split", FEWEST, ("3", "2", "8"), (), ["8 reserved W3 SN-33", "2 reserved W1 SN-33"]),
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
    st.sampled_from(["allocate", "elsewhere", "split", "partial", "backorder", "cancel", "substitute"]),
    st.sampled_from([{}, {"rest": "cancel"}, NEAREST, FULLEST, FEWEST]),
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
    assert stock_facts(LINE, SAUCE, CUSTOMER, shelves("6", "3", "-1"), shelves("15"), 7, D(4)) == {
        "product_known": True,
        "stocked": True,
        "ordered": D(10),
        "atp_here": D(6),
        "atp_other": D(3),
        "atp_all": D(9),
        "inbound": D(4),
        "substitute_atp": D(15),
        "split_allowed": True,
        "partial_allowed": True,
        "substitute_allowed": True,
        "next_receipt_days": 7,
    }


@pytest.mark.parametrize(
    ("said", "agreed", "allowed"),
    [(None, True, True), (None, False, False), (False, True, False), (True, False, True)],
)
def test_the_line_outranks_the_agreement_on_substitutes(
    said: bool | None, agreed: bool, allowed: bool
) -> None:
    line, who = replace(LINE, substitute_allowed=said), replace(CUSTOMER, substitute_allowed=agreed)
    assert stock_facts(line, SAUCE, who, ())["substitute_allowed"] is allowed


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


# --- goods on their way --------------------------------------------------------------------------
MARCH = [date(2026, 3, day) for day in range(1, 29)]
COMING = ((MARCH[9], D(6)), (MARCH[4], D(4)))  # 4 on the 5th, 6 on the 10th


@pytest.mark.parametrize(
    ("promised", "by", "free", "next_free_on"),
    [
        # promised  wanted by   free    next free on
        ("0",       None,       "10",   MARCH[4]),
        ("0",       MARCH[8],   "4",    MARCH[4]),
        ("0",       MARCH[4],   "4",    MARCH[4]),
        ("0",       MARCH[3],   "0",    MARCH[4]),
        ("3.5",     MARCH[8],   "0.5",  MARCH[4]),
        ("4",       None,       "6",    MARCH[9]),
        ("9",       MARCH[8],   "0",    MARCH[9]),
        ("10",      None,       "0",    None),
        ("12",      None,       "0",    None),
    ],
)  # fmt: skip
def test_what_is_announced_goes_to_older_backorders_first(
    promised: str, by: date | None, free: str, next_free_on: date | None
) -> None:
    inbound = Inbound(COMING, D(promised))
    assert (inbound.free(by), inbound.next_free_on) == (D(free), next_free_on)


def test_a_line_that_waits_takes_its_part_of_what_is_announced() -> None:
    assert Inbound(COMING).less(D(7)).free() == D(3)


# --- sharing out ---------------------------------------------------------------------------------
def wish(text: str) -> Wish:
    """``order wanted [W1:held ...] [high|low] [whole] [parcel] [day]``."""
    order_id, wanted, *more = text.split()
    held = tuple(Shelf(*_place(word)) for word in more if ":" in word)
    return Wish(
        order_id,
        "1",
        D(wanted),
        held,
        next((word for word in more if word in ("high", "low")), "normal"),
        next((MARCH[int(word) - 1] for word in more if word.isdigit()), MARCH[0]),
        whole="whole" in more,
        one_parcel="parcel" in more,
    )


def _place(word: str) -> tuple[str, Decimal]:
    warehouse, _, pieces = word.partition(":")
    return warehouse, D(pieces)


@pytest.mark.parametrize(
    ("free", "wishes", "expected"),
    [
        # what is free         who wants it                                what each gets
        (("W1:5",),            ["a 3", "b 3"],                             ["a W1:3", "b W1:2"]),
        (("W1:5",),            ["b 3", "a 3"],                             ["a W1:3", "b W1:2"]),
        (("W1:5",),            ["a 3 2", "b 3 1"],                         ["b W1:3", "a W1:2"]),
        (("W1:5",),            ["a 3 low", "b 3", "c 3 high 9"],           ["c W1:3", "b W1:2", "a"]),
        ((),                   ["a 5 W1:5 low", "b 4 high"],               ["b W1:4", "a W1:1"]),
        (("W1:2", "W2:9"),     ["a 9"],                                    ["a W1:2 W2:7"]),
        (("W1:2", "W2:9"),     ["a 9 W2:1"],                               ["a W2:9"]),
        (("W1:2", "W2:9"),     ["a 9 parcel"],                             ["a W2:9"]),
        (("W1:2", "W2:5"),     ["a 9 parcel"],                             ["a W2:5"]),
        (("W1:2", "W2:5"),     ["a 9 whole", "b 6"],                       ["a", "b W1:2 W2:4"]),
        (("W1:4", "W2:5"),     ["a 9 whole"],                              ["a W1:4 W2:5"]),
        (("W1:4", "W2:5"),     ["a 9 whole parcel", "b 1"],                ["a", "b W1:1"]),
        ((),                   ["a 9 whole W1:3", "b 2"],                  ["a", "b W1:2"]),
        (("W1:-2",),           ["a 3"],                                    ["a"]),
        ((),                   [],                                         []),
    ],
)  # fmt: skip
def test_what_is_scarce_is_shared_by_rank(
    free: tuple[str, ...], wishes: list[str], expected: list[str]
) -> None:
    asked = [wish(text) for text in wishes]
    given = share_out([Shelf(*_place(word)) for word in free], asked)
    ranked = sorted(asked, key=lambda one: one.rank)
    assert [
        " ".join([one.order_id, *(f"{s.warehouse}:{s.available}" for s in given[one.order_id, "1"])])
        for one in ranked
    ] == expected


PIECES = st.decimals("0", "20", places=2)
HELD = st.dictionaries(st.sampled_from(["W1", "W2", "W3"]), st.decimals("0.01", "9", places=2), max_size=2)


@given(
    st.lists(PIECES, max_size=3),
    st.lists(
        st.tuples(PIECES, HELD, st.sampled_from(["high", "normal", "low"]), st.booleans(), st.booleans()),
        max_size=6,
    ),
)
def test_no_piece_is_invented_and_nobody_gets_more_than_was_wanted(
    free: list[Decimal], asked: list[tuple[Decimal, dict[str, Decimal], str, bool, bool]]
) -> None:
    on_hand = [Shelf(f"W{place}", pieces) for place, pieces in enumerate(free, 1)]
    wishes = [
        Wish(
            f"o{place}",
            "1",
            more + sum(held.values(), D(0)),
            tuple(Shelf(*pair) for pair in held.items()),
            priority,
            whole=whole,
            one_parcel=parcel,
        )
        for place, (more, held, priority, whole, parcel) in enumerate(asked)
    ]
    given = share_out(on_hand, wishes)
    before: dict[str, Decimal] = {}
    for shelf in (*on_hand, *(shelf for one in wishes for shelf in one.held)):
        before[shelf.warehouse] = before.get(shelf.warehouse, D(0)) + shelf.available
    for got in given.values():
        for shelf in got:
            assert shelf.available > 0
            before[shelf.warehouse] -= shelf.available
    assert all(left >= 0 for left in before.values())
    for one in wishes:
        got = given[one.order_id, "1"]
        total = sum((shelf.available for shelf in got), D(0))
        assert total <= one.wanted
        assert not one.whole or total in (D(0), one.wanted)
        assert not one.one_parcel or len(got) <= 1


def test_a_share_changes_only_what_has_not_left() -> None:
    reserved, waiting = PartState.RESERVED, PartState.BACKORDERED
    shipped, off = PartState.SHIPPED, PartState.CANCELLED
    parts = (
        OrderPart("1", shipped, D(2), "W1", "SN-33"),
        OrderPart("1", off, D(1), None, "SN-33", "not needed"),
        OrderPart("1", reserved, D(4), "W1", "SN-33"),
        OrderPart("1", waiting, D(3), None, "SN-33", "Out of stock"),
        OrderPart("1", reserved, D(1), "W1", "SN-36"),
        OrderPart("2", reserved, D(5), "W1", "SN-33"),
    )
    after = reshared(parts, "SN-33", {"1": [Shelf("W2", D(5))], "2": []}, "Given away")
    assert sorted(told(after)) == [
        "1 cancelled - SN-33",
        "1 reserved W1 SN-36",
        "2 backordered - SN-33",
        "2 shipped W1 SN-33",
        "5 backordered - SN-33",
        "5 reserved W2 SN-33",
    ]
    assert {part.line_id: part.reason for part in after if part.state is waiting} == {
        "1": "Out of stock",
        "2": "Given away",
    }
    for line_id in ("1", "2"):
        assert sum(p.quantity for p in parts if p.line_id == line_id) == sum(
            p.quantity for p in after if p.line_id == line_id
        )
