"""A3: other warehouse, split, backorder, cancel and tell; a cancelled line can never be invoiced."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from gateway.stages import fulfil
from gateway.stages.fulfil import Despatch
from gateway.store import catalogue, orders
from o2c.errors import Conflict, Refused
from o2c.order import OrderPart, PartState
from o2c.shipment import ShipmentLine
from tests.journeys.world import World


def parts(world: World, order_id: str) -> list[tuple[str, str, int, str | None]]:
    """(line, state, pieces, warehouse) of an order as it stands."""
    with world.house.database.read() as connection:
        stored = orders.find(connection, world.company_id, order_id)
    return [(p.line_id, p.state.value, int(p.quantity), p.warehouse) for p in stored.parts]


def reserved(world: World, product: str) -> list[int]:
    """Reserved pieces per warehouse."""
    with world.house.database.read() as connection:
        levels = catalogue.levels(connection, world.company_id, product)
    return [int(Decimal(str(level["reserved"]))) for level in levels]


def test_ten_wanted_six_and_three_there(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 6, "OSLO": 3}})
    received = world.orders("O-1", ("SN-50", 10, "10"))
    assert world.events() == [
        "OrderReceived 125.00 EUR",
        "OrderApproved C40",
        "StockReserved",
        "LineBackordered",
        "OrderAnswered CA 3",
        "NoticeSent order-answer",
    ]
    order_id = received.stored.order_id
    assert parts(world, order_id) == [
        ("1", "reserved", 6, "BERGEN"),
        ("1", "reserved", 3, "OSLO"),
        ("1", "backordered", 1, None),
    ]
    world.ships(order_id)
    assert world.invoice("INV-00001").invoice.totals.payable == Decimal("112.50")

    fulfil.count_stock(world.desk, "SN-50", "OSLO", Decimal(5), rank=1)
    world.run()
    assert ("1", "reserved", 1, "OSLO") in parts(world, order_id)
    world.ships(order_id, "D-2")
    assert world.invoice("INV-00002").invoice.totals.payable == Decimal("12.50")
    assert world.faults() == []


def test_total_loss_is_answered_told_and_never_invoiced(world: World) -> None:
    world.given_stock({"SN-50": {"BERGEN": 0}})
    received = world.orders("O-1", ("SN-50", 10, "10"))
    assert world.events() == [
        "OrderReceived 125.00 EUR",
        "OrderApproved C40",
        "LineCancelled",
        "OrderCancelled",
        "OrderAnswered RE",
        "NoticeSent order-answer",
    ]
    with pytest.raises(Refused, match="no reserved pieces"):
        world.ships(received.stored.order_id)
    assert reserved(world, "SN-50") == [0]
    assert world.faults() == []


def test_a_cancelled_line_goes_back_to_the_shelf_and_is_not_billed(world: World) -> None:
    received = world.orders("O-1", ("SN-33", 10, "10"), ("SN-34", 5, "10"))
    order_id = received.stored.order_id
    fulfil.cancel(world.desk, order_id, ["2"], "customer changed its mind")
    world.run()
    assert reserved(world, "SN-34") == [0]
    with pytest.raises(Refused, match="line 2: 5 more than is reserved"):
        fulfil.ship(world.desk, order_id, Despatch("D-1", (ShipmentLine("2", Decimal(5)),)))
    world.ships(order_id)
    assert [line.order_line_id for line in world.invoice("INV-00001").invoice.lines] == ["1"]
    with pytest.raises(Conflict, match="nothing left that could be cancelled"):
        fulfil.cancel(world.desk, order_id, [], "too late")
    assert world.faults() == []


def test_the_same_shipment_twice_is_one_shipment_and_one_invoice(world: World) -> None:
    order_id = world.orders("O-1", ("SN-33", 10, "10")).stored.order_id
    despatch = Despatch("D-1", (ShipmentLine("1", Decimal(4)),))
    first = fulfil.ship(world.desk, order_id, despatch)
    again = fulfil.ship(world.desk, order_id, despatch)
    assert (first.replayed, again.replayed) == (False, True)
    assert first.shipment == again.shipment
    with pytest.raises(Conflict, match="known with other lines"):
        fulfil.ship(world.desk, order_id, replace(despatch, lines=(ShipmentLine("1", Decimal(5)),)))
    world.run()
    world.ships(order_id, "D-2")
    assert world.invoice("INV-00001").invoice.totals.payable == Decimal("50.00")
    assert world.invoice("INV-00002").invoice.totals.payable == Decimal("75.00")
    assert world.faults() == []


def test_stock_cannot_be_counted_below_what_is_promised(world: World) -> None:
    world.orders("O-1", ("SN-33", 8, "10"))
    with pytest.raises(Conflict, match="more is promised than 7"):
        fulfil.count_stock(world.desk, "SN-33", "BERGEN", Decimal(7))


def test_five_hundred_lines_in_are_five_hundred_lines_placed(world: World) -> None:
    world.given_stock({f"P-{n}": {"BERGEN": n % 3, "OSLO": n % 2} for n in range(100)})
    lines = [(f"P-{n % 100}", 1 + n % 4, "1") for n in range(500)]
    received = world.orders("O-1", *lines)
    ordered = {str(place): pieces for place, (_, pieces, _) in enumerate(lines, start=1)}
    placed: dict[str, Decimal] = {}
    fates: list[OrderPart] = list(received.stored.parts)
    for part in fates:
        placed[part.line_id] = placed.get(part.line_id, Decimal(0)) + part.quantity
    assert placed == {line: Decimal(pieces) for line, pieces in ordered.items()}
    assert {part.state for part in fates} == {PartState.RESERVED, PartState.BACKORDERED, PartState.CANCELLED}
    assert world.faults() == []
