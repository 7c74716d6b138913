"""Scarce goods: from elsewhere, announced, come in, and shared out anew; no piece lost or invented."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.stages import fulfil, restock
from gateway.stages.fulfil import Despatch
from gateway.stages.receive import Received
from gateway.store import catalogue, orders, receipts
from gateway.store.receipts import Receipt
from o2c.decision import FactValue
from o2c.errors import Conflict, NotFound
from o2c.order import Delivery, PartState, Product, ProductId
from o2c.shipment import ShipmentLine
from tests.journeys.world import STANDARD, World


def parts(world: World, received: Received) -> list[str]:
    """``line pieces state warehouse`` of an order as it stands, sorted."""
    with world.house.database.read() as connection:
        stored = orders.find(connection, world.company_id, received.stored.order_id)
    return sorted(f"{p.line_id} {int(p.quantity)} {p.state} {p.warehouse or '-'}" for p in stored.parts)


def shelf(world: World, product: str) -> list[str]:
    """``warehouse on hand/reserved``."""
    with world.house.database.read() as connection:
        levels = catalogue.levels(connection, world.company_id, product)
    return [f"{one['warehouse']} {one['on_hand']:.0f}/{one['reserved']:.0f}" for one in levels]


def facts(world: World, received: Received, *names: str) -> list[FactValue]:
    """Facts of the first line's stock decision."""
    with world.house.database.read() as connection:
        made = orders.decisions(connection, world.company_id, received.stored.order_id)
    [decision] = [one for row, one in made if row.policy == "stock" and row.line_id == "1"]
    return [decision.facts[name] for name in names]


def announce(world: World, reference: str, pieces: int, on: str, warehouse: str = "BERGEN") -> None:
    expected = Receipt(reference, "SN-50", warehouse, Decimal(pieces), date.fromisoformat(on))
    restock.announce(world.desk, expected)


# --- the order of policy -------------------------------------------------------------------------
def test_what_another_warehouse_has_whole_comes_from_there(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 6, "OSLO": 3, "BODO": 12}})
    received = world.orders("O-1", ("SN-50", 10, "10"))
    assert parts(world, received) == ["1 10 reserved BODO"]
    assert facts(world, received, "atp_here", "atp_other", "atp_all") == [6, 12, 21]
    assert world.events()[-2:] == ["OrderAnswered AP 5", "NoticeSent order-answer"]
    split = world.orders("O-2", ("SN-50", 10, "10"))
    assert parts(world, split) == ["1 1 reserved BODO", "1 3 reserved OSLO", "1 6 reserved BERGEN"]
    assert world.faults() == []


def test_a_substitute_goes_only_to_those_who_allow_it(world: World) -> None:
    instead = Product(ProductId("SN-50"), "Item SN-50", "C62", STANDARD, substitute_id=ProductId("SN-33"))
    world.given_stock({"SN-50": {"BERGEN": 1}}, **{"SN-50": instead})
    world.given_customer("C-PICKY", substitute_allowed=False, partial_allowed=False)
    world.given_customer("C-EASY", partial_allowed=False)
    picky = world.orders("O-1", ("SN-50", 4, "10"), customer="C-PICKY")
    assert (picky.stored.state, parts(world, picky)) == ("cancelled", ["1 4 cancelled -"])
    easy = world.orders("O-2", ("SN-50", 4, "10"), customer="C-EASY")
    assert parts(world, easy) == ["1 4 reserved BERGEN"]
    assert shelf(world, "SN-33") == ["BERGEN 10/4"]
    assert world.faults() == []


# --- goods on their way --------------------------------------------------------------------------
def test_announced_goods_are_promised_once_and_come_to_the_oldest_first(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 0}})
    announce(world, "PO-7-1", 5, "2026-03-21")
    announce(world, "PO-7-2", 6, "2026-03-28")
    assert world.events() == [
        "ReceiptAnnounced PO-7-1 5 on 2026-03-21",
        "ReceiptAnnounced PO-7-2 6 on 2026-03-28",
    ]
    first = world.orders("O-1", ("SN-50", 4, "10"))
    second = world.orders("O-2", ("SN-50", 5, "10"))
    third = world.orders("O-3", ("SN-50", 3, "10"))
    assert facts(world, first, "inbound", "next_receipt_days") == [11, 20]
    assert facts(world, second, "inbound", "next_receipt_days") == [7, 20]
    assert facts(world, third, "inbound", "next_receipt_days") == [2, 27], "one piece of the second is left"
    assert [one.stored.state for one in (first, second, third)] == ["approved", "approved", "cancelled"]

    world.events()
    restock.arrive(world.desk, "PO-7-1")
    world.run()
    assert world.events() == ["GoodsReceived PO-7-1 5", "StockReserved", "StockReserved"]
    assert parts(world, first) == ["1 4 reserved BERGEN"]
    assert parts(world, second) == ["1 1 reserved BERGEN", "1 4 backordered -"]
    assert restock.arrive(world.desk, "PO-7-1").received == 5, "the same again is the same receipt"
    with pytest.raises(Conflict, match="PO-7-1 is received"):
        restock.arrive(world.desk, "PO-7-1", Decimal(4))
    assert world.events() == []

    restock.arrive(world.desk, "PO-7-2", Decimal(3))
    world.run()
    assert parts(world, second) == ["1 1 backordered -", "1 4 reserved BERGEN"]
    assert shelf(world, "SN-50") == ["BERGEN 8/8"]
    assert world.faults() == []


def test_what_comes_after_the_wanted_day_does_not_count(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 0}})
    announce(world, "A-1", 3, "2026-03-15")
    announce(world, "A-2", 9, "2026-03-25")
    in_time = world.orders("O-1", ("SN-50", 4, "10"), delivery=Delivery(latest_on=date(2026, 3, 20)))
    assert facts(world, in_time, "inbound") == [3]
    assert in_time.stored.state == "cancelled"
    whenever = world.orders("O-2", ("SN-50", 4, "10"))
    assert facts(world, whenever, "inbound") == [12]
    assert parts(world, whenever) == ["1 4 backordered -"]


def test_a_receipt_can_change_until_it_comes_or_is_called_off(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 0}})
    announce(world, "A-1", 3, "2026-03-15")
    announce(world, "A-1", 3, "2026-03-15")
    announce(world, "A-1", 4, "2026-03-18", "OSLO")
    restock.call_off(world.desk, "A-1", "the supplier went out of business")
    assert world.events() == [
        "ReceiptAnnounced A-1 3 on 2026-03-15",
        "ReceiptAnnounced A-1 4 on 2026-03-18",
        "ReceiptCancelled A-1",
    ]
    with pytest.raises(Conflict, match="A-1 is cancelled"):
        announce(world, "A-1", 5, "2026-03-18")
    with pytest.raises(Conflict, match="A-1 is cancelled"):
        restock.arrive(world.desk, "A-1")
    with pytest.raises(NotFound, match="no receipt A-2"):
        restock.arrive(world.desk, "A-2")
    with pytest.raises(NotFound, match="no product SN-NONE"):
        restock.announce(world.desk, Receipt("A-3", "SN-NONE", "OSLO", Decimal(1), date(2026, 3, 2)))
    with world.house.database.read() as connection:
        [known] = receipts.page(connection, world.company_id, "", 10)
    assert (known.state, known.warehouse, known.quantity) == ("cancelled", "OSLO", 4)
    assert world.faults() == []


def test_goods_that_were_not_expected_there_open_a_shelf(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 2}})
    announce(world, "A-1", 3, "2026-03-15", "TROMSO")
    restock.arrive(world.desk, "A-1")
    assert shelf(world, "SN-50") == ["BERGEN 2/0", "TROMSO 3/0"]


def test_what_one_order_gives_back_goes_to_the_next_that_waits(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 5}})
    holding = world.orders("O-1", ("SN-50", 4, "10"))
    waiting = world.orders("O-2", ("SN-50", 3, "10"))
    assert parts(world, waiting) == ["1 1 reserved BERGEN", "1 2 backordered -"]
    fulfil.cancel(world.desk, holding.stored.order_id, [], "not needed")
    world.run()
    assert parts(world, waiting) == ["1 3 reserved BERGEN"]
    assert world.faults() == []


# --- the re-allocation run -----------------------------------------------------------------------
@pytest.fixture
def scarce(world: World) -> World:
    """Eight pieces: two orders of ordinary customers hold them all, two of them have left already."""
    world.given_customer("C-LOW", priority="low")
    world.given_customer("C-HIGH", priority="high")
    world.given_stock({"SN-50": {"BERGEN": 5, "OSLO": 3}})
    return world


def test_what_is_scarce_goes_by_rank_and_what_has_left_stays(scarce: World) -> None:
    low = scarce.orders("O-1", ("SN-50", 5, "10"), customer="C-LOW")
    normal = scarce.orders("O-2", ("SN-50", 3, "10"))
    high = scarce.orders("O-3", ("SN-50", 4, "10"), customer="C-HIGH")
    assert high.stored.state == "cancelled", "nothing is in sight"
    announce(scarce, "A-1", 4, "2026-03-08")
    high = scarce.orders("O-4", ("SN-50", 4, "10"), customer="C-HIGH")
    fulfil.ship(scarce.desk, low.stored.order_id, Despatch("D-1", (ShipmentLine("1", Decimal(2)),)))
    scarce.run()
    assert parts(scarce, low) == ["1 2 shipped BERGEN", "1 3 reserved BERGEN"]
    scarce.events()

    foreseen = restock.reallocate(scarce.desk, "SN-50", dry_run=True)
    assert scarce.events() == []
    assert [(one.priority, one.wanted, one.before, one.after) for one in foreseen] == [
        ("high", 4, 0, 4),
        ("normal", 3, 3, 2),
        ("low", 3, 3, 0),
    ]
    assert restock.reallocate(scarce.desk, "SN-50") == foreseen
    scarce.run()
    assert scarce.events() == [
        "LineBackordered",
        "LineBackordered",
        "StockReserved",
        "StockReallocated +2 -2",
        "OrderAnswered CA 3",
        "OrderAnswered CA 3",
        "OrderAnswered AP 5",
        *["NoticeSent order-answer"] * 3,
    ]
    assert parts(scarce, high) == ["1 1 reserved OSLO", "1 3 reserved BERGEN"]
    assert parts(scarce, normal) == ["1 1 backordered -", "1 2 reserved OSLO"]
    assert parts(scarce, low) == ["1 2 shipped BERGEN", "1 3 backordered -"]
    assert shelf(scarce, "SN-50") == ["BERGEN 3/3", "OSLO 3/3"]
    again = restock.reallocate(scarce.desk, "SN-50")
    assert [(one.before, one.after) for one in again] == [(4, 4), (2, 2), (0, 0)]
    assert scarce.events() == [], "shared out once, shared out"
    assert scarce.faults() == []


def test_pieces_go_to_nobody_who_cannot_use_them(scarce: World) -> None:
    """C-ALL takes all ten or nothing: the eight that are there are not set aside for it."""
    scarce.given_customer("C-ALL", priority="high", partial_allowed=False)
    announce(scarce, "A-1", 4, "2026-03-08")
    whole = scarce.orders("O-1", ("SN-50", 10, "10"), customer="C-ALL")
    assert parts(scarce, whole) == ["1 10 backordered -"]
    first = scarce.orders("O-2", ("SN-50", 7, "10"))
    told = restock.reallocate(scarce.desk, "SN-50")
    assert [(one.customer_id, one.before, one.after) for one in told] == [("C-ALL", 0, 0), ("C-1", 7, 7)]
    restock.arrive(scarce.desk, "A-1")
    scarce.run()
    assert restock.scarce(scarce.desk) == ["SN-50"]
    told = restock.reallocate(scarce.desk, "SN-50")
    assert [(one.customer_id, one.after) for one in told] == [("C-ALL", 10), ("C-1", 2)]
    states = [PartState.RESERVED, PartState.BACKORDERED]
    with scarce.house.database.read() as connection:
        stored = orders.find(connection, scarce.company_id, first.stored.order_id)
    assert sum(part.quantity for part in stored.parts if part.state in states) == 7
    assert scarce.faults() == []


def test_a_run_on_a_product_nobody_knows_is_refused(world: World) -> None:
    with pytest.raises(NotFound, match="no product SN-NONE"):
        restock.reallocate(world.desk, "SN-NONE")
    assert restock.reallocate(world.desk, "SN-33") == []
