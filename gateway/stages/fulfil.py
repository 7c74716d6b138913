"""Fulfil: goods leave, lines are cancelled, stock comes in.

A shipment takes pieces that were reserved and nothing else, so a cancelled or backordered piece
can never be shipped, and what was not shipped can never be billed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gateway.ids import new_id
from gateway.stages import approve, restock, tell
from gateway.stages.desk import Desk
from gateway.store import catalogue, companies, customers, jobs, orders, referrals
from gateway.store.catalogue import StockMove
from gateway.store.customers import Movement
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from o2c.errors import Conflict, Fault, Refused
from o2c.money import convert, plain
from o2c.order import OrderId, OrderPart, PartState
from o2c.shipment import Shipment, ShipmentLine
from o2c.totals import parts_value


@dataclass(frozen=True, slots=True)
class Despatch:
    """What the warehouse reports. No lines: everything that is reserved has left."""

    external_id: str
    lines: tuple[ShipmentLine, ...] = ()
    shipped_on: date | None = None
    carrier: str | None = None
    tracking_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shipped:
    """The shipment, and whether it was known before."""

    shipment: Shipment
    replayed: bool


def ship(desk: Desk, order_id: str, despatch: Despatch) -> Shipped:
    """Record a shipment and start its billing. The same external id again is the same shipment;
    other contents under it are a ``Conflict('shipment-changed')``."""
    return desk.database.write(lambda connection: _ship(desk, connection, order_id, despatch))


def _ship(desk: Desk, connection: Connection, order_id: str, despatch: Despatch) -> Shipped:
    # The lock comes first: a repeat at the same moment waits and then finds the shipment.
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    for one in orders.shipments_of(connection, desk.company_id, order_id):
        if one.shipment.external_id == despatch.external_id:
            return Shipped(_same(order_id, one.shipment, despatch), True)
    return Shipped(_despatch(desk, connection, stored, despatch), False)


def _same(order_id: str, shipment: Shipment, despatch: Despatch) -> Shipment:
    asked = _per_line(despatch.lines)
    if asked and asked != _per_line(shipment.lines):
        raise Conflict(
            "shipment-changed",
            f"shipment {despatch.external_id} of order {order_id} is known with other lines.",
            next_step="Use a new external_id for a further shipment.",
            faults=[Fault("/lines", "changed", "the lines differ from what was reported first")],
        )
    return shipment


def _per_line(lines: Sequence[ShipmentLine]) -> dict[str, Decimal]:
    """Quantities by order line: a line may leave from several warehouses."""
    quantities: dict[str, Decimal] = {}
    for line in lines:
        quantities[line.line_id] = quantities.get(line.line_id, Decimal(0)) + line.quantity
    return quantities


def _despatch(desk: Desk, connection: Connection, stored: StoredOrder, despatch: Despatch) -> Shipment:
    order_id, now = stored.order_id, desk.clock.now()
    leaving, parts = _take(stored, despatch)
    shipment = Shipment(
        shipment_id=new_id("shp", now),
        order_id=OrderId(order_id),
        external_id=despatch.external_id,
        shipped_on=despatch.shipped_on or desk.clock.today(),
        lines=tuple(ShipmentLine(p.line_id, p.quantity, p.warehouse, p.product_id) for p in leaving),
        carrier=despatch.carrier,
        tracking_id=despatch.tracking_id,
    )
    orders.add_shipment(connection, desk.company_id, shipment, now)
    moves = [
        StockMove(p.product_id, p.warehouse, reserve=-p.quantity, leave=p.quantity)
        for p in leaving
        if p.product_id and p.warehouse
    ]
    if moves:
        catalogue.move(connection, desk.company_id, moves)
    orders.change(connection, desk.company_id, replace(stored, parts=tuple(parts)))
    shipped = Event(
        order_stream(order_id),
        "GoodsShipped",
        {
            "shipment": shipment.shipment_id,
            "lines": [{"line": p.line_id, "quantity": p.quantity, "warehouse": p.warehouse} for p in leaving],
            "carrier": shipment.carrier,
            "tracking": shipment.tracking_id,
        },
    )
    work = [bill_job(shipment), *tell.shipped(desk, connection, stored, shipment)]
    desk.record(connection, now, [shipped], work)
    return shipment


def _take(stored: StoredOrder, despatch: Despatch) -> tuple[list[OrderPart], list[OrderPart]]:
    """The pieces that leave, and the order's parts afterwards."""
    wanted = _per_line(despatch.lines)
    leaving: list[OrderPart] = []
    parts: list[OrderPart] = []
    for part in stored.parts:
        take = _from(part, wanted if despatch.lines else None)
        if take:
            leaving.append(replace(part, state=PartState.SHIPPED, quantity=take))
            parts.append(leaving[-1])
        if rest := part.quantity - take:
            parts.append(replace(part, quantity=rest))
    _refuse_missing(stored, {k: v for k, v in wanted.items() if v})
    if not leaving:
        raise Refused(
            "nothing-to-ship",
            f"order {stored.order_id} ({stored.state}) has no reserved pieces left.",
            next_step="See GET /v1/orders/{id}: only reserved pieces can be shipped.",
        )
    return leaving, parts


def _from(part: OrderPart, wanted: dict[str, Decimal] | None) -> Decimal:
    """How much of a reserved part leaves; ``wanted`` is used up on the way (None: all of it)."""
    if part.state is not PartState.RESERVED:
        return Decimal(0)
    if wanted is None:
        return part.quantity
    take = min(part.quantity, wanted.get(part.line_id, Decimal(0)))
    if take:
        wanted[part.line_id] -= take
    return take


def _refuse_missing(stored: StoredOrder, missing: dict[str, Decimal]) -> None:
    if missing:
        faults = [
            Fault("/lines", "not-reserved", f"line {line}: {plain(quantity)} more than is reserved")
            for line, quantity in missing.items()
        ]
        raise Refused(
            "not-reserved",
            f"order {stored.order_id}: " + "; ".join(fault.message for fault in faults) + ".",
            next_step="Ship at most what is reserved; see the order's parts.",
            faults=faults,
        )


def bill_job(shipment: Shipment, again: str = "") -> NewJob:
    """Bill a shipment; ``again`` tells a later try apart from the first."""
    payload = {"shipment": shipment.shipment_id, "order": shipment.order_id}
    return NewJob("bill", f"bill:{shipment.shipment_id}{again}", payload)


def cancel(desk: Desk, order_id: str, line_ids: Sequence[str], reason: str) -> None:
    """Cancel lines (all, if none are named) as far as they have not been shipped. Reserved pieces
    go back to the shelf, and from there to orders that wait; a cancelled piece can never be shipped or
    invoiced."""
    desk.database.write(lambda connection: _cancel(desk, connection, order_id, line_ids, reason))


def _cancel(desk: Desk, connection: Connection, order_id: str, line_ids: Sequence[str], reason: str) -> None:
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    unknown = set(line_ids) - {line.line_id for line in stored.order.lines}
    if unknown:
        raise Refused("order-line", f"order {order_id} has no line {', '.join(sorted(unknown))}.")
    gone = [p for p in _parts_or_lines(stored) if _cancellable(p, line_ids)]
    if not gone:
        raise Conflict("order-state", f"order {order_id} has nothing left that could be cancelled.")
    cancelled = [replace(p, state=PartState.CANCELLED, reason=reason) for p in gone]
    parts = tuple(p for p in _parts_or_lines(stored) if not _cancellable(p, line_ids)) + tuple(cancelled)
    over = all(p.state is PartState.CANCELLED for p in parts)
    if not stored.parts and not over:
        # A decision would fill every line of the order anew, the cancelled ones too.
        raise Conflict(
            "order-state",
            f"order {order_id} is {stored.state}: single lines can be cancelled once it is decided.",
            next_step="Decide the order first, or cancel it whole.",
        )
    claim = claim_of(desk, connection, stored, parts, _unbilled(desk, connection, order_id))
    customers.move(connection, desk.company_id, [Movement(stored.customer_id, orders=claim - stored.claimed)])
    approve.reserve(desk, connection, [replace(p, quantity=-p.quantity) for p in gone])
    if over:
        referrals.close(connection, desk.company_id, [order_id])
    changed = replace(stored, parts=parts, claimed=claim, state="cancelled" if over else stored.state)
    orders.change(connection, desk.company_id, changed)
    stream = order_stream(order_id)
    events = approve.part_events(stream, cancelled)
    if over:
        events.append(Event(stream, "OrderCancelled", {"reason": reason}))
    now = desk.clock.now()
    work = [NewJob("answer", f"answer:{order_id}:{new_id('cancel', now)}", {"order": order_id})]
    back = {p.product_id for p in gone if p.state is PartState.RESERVED and p.product_id and p.warehouse}
    work += [restock.refill_job(product_id, now) for product_id in sorted(back)]
    desk.record(connection, now, events, work)


def _unbilled(desk: Desk, connection: Connection, order_id: str) -> list[ShipmentLine]:
    known = orders.shipments_of(connection, desk.company_id, order_id)
    return [line for one in known if one.billing != "done" for line in one.shipment.lines]


def _parts_or_lines(stored: StoredOrder) -> tuple[OrderPart, ...]:
    """The parts; an order that was never filled has each line waiting whole."""
    return stored.parts or tuple(
        OrderPart(line.line_id, PartState.BACKORDERED, line.quantity.value) for line in stored.order.lines
    )


def _cancellable(part: OrderPart, line_ids: Sequence[str]) -> bool:
    named = not line_ids or part.line_id in line_ids
    return named and part.state in (PartState.RESERVED, PartState.BACKORDERED)


def claim_of(
    desk: Desk,
    connection: Connection,
    stored: StoredOrder,
    parts: Sequence[OrderPart],
    unbilled: Sequence[ShipmentLine] = (),
) -> int:
    """What of the claim is still needed: ordered or shipped (``unbilled``), and not invoiced yet.
    Company currency, minor units; never more than the order has claimed."""
    waiting = [p for p in parts if p.state in (PartState.RESERVED, PartState.BACKORDERED)]
    waiting += [OrderPart(s.line_id, PartState.SHIPPED, s.quantity) for s in unbilled]
    if not stored.claimed or not waiting:
        return 0
    value = parts_value(stored.order, waiting).rounded().minor
    rate = companies.rate_on(connection, desk.company, stored.order.currency, desk.clock.today())
    return min(stored.claimed, convert(value, stored.order.currency, rate, desk.company.currency))


def count_stock(
    desk: Desk,
    product_id: str,
    warehouse: str,
    on_hand: Decimal,
    *,
    rank: int = 0,
    next_receipt_on: date | None = None,
) -> None:
    """Set what is on hand and promise it to the orders that wait, oldest first.

    Less than what is already promised is ``Conflict('stock-promised')``.
    """

    def unit(connection: Connection) -> None:
        catalogue.find(connection, desk.company_id, product_id)
        catalogue.count(
            connection,
            desk.company_id,
            product_id,
            warehouse,
            on_hand,
            rank=rank,
            next_receipt_on=next_receipt_on,
        )
        jobs.enqueue(connection, desk.company_id, [restock.refill_job(product_id, desk.clock.now())])

    try:
        desk.database.write(unit)
    except IntegrityError as error:
        if "never_oversold" not in str(error.orig):
            raise
        raise Conflict(
            "stock-promised",
            f"{product_id} in {warehouse}: more is promised than {plain(on_hand)}.",
            next_step="Cancel order lines first, or count again.",
        ) from error
