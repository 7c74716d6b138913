"""Restock: goods are announced and come in, and what there is goes to the orders that wait.

Goods that come in go to those who wait, oldest first, and take nothing from anybody. A re-allocation
run shares out anew, by rank, what has not left yet. Both work on one product at a time, on all its
orders at once: a fixed number of statements, however many wait.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import approve
from gateway.stages.desk import Desk
from gateway.store import catalogue, customers, orders, receipts
from gateway.store.catalogue import StockMove
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, order_stream, product_stream
from gateway.store.orders import StoredOrder
from gateway.store.receipts import Receipt
from gateway.store.units import to_count
from o2c.errors import Conflict
from o2c.money import plain
from o2c.order import Customer, OrderPart, PartState
from o2c.stock import Shelf, Wish, reshared, share_out

_SCARCE = "Given to orders of a higher rank"


# --- goods on their way --------------------------------------------------------------------------
def announce(desk: Desk, new: Receipt) -> bool:
    """Goods are expected. The same reference again changes what was announced, as long as nothing came
    in; True if it is new. ``NotFound('product')``, ``Conflict('receipt-state')``."""
    return desk.database.write(lambda connection: _announce(desk, connection, new))


def _announce(desk: Desk, connection: Connection, new: Receipt) -> bool:
    now = desk.clock.now()
    catalogue.find(connection, desk.company_id, new.product_id)
    known = receipts.find(connection, desk.company_id, new.reference, lock=True)
    if known is not None and _says(known) == _says(new):
        return False
    if known is None:
        receipts.add(connection, desk.company_id, new, now)
    else:
        _must_be_open(known)
        receipts.change(
            connection,
            desk.company_id,
            new.reference,
            product_id=new.product_id,
            warehouse=new.warehouse,
            quantity=to_count(new.quantity),
            expected_on=new.expected_on,
        )
    data = _about(new) | {"quantity": plain(new.quantity), "expected_on": new.expected_on}
    desk.record(connection, now, [Event(product_stream(new.product_id), "ReceiptAnnounced", data)])
    return known is None


def _says(receipt: Receipt) -> tuple[object, ...]:
    return receipt.product_id, receipt.warehouse, receipt.quantity, receipt.expected_on


def _must_be_open(known: Receipt) -> None:
    if known.state != "announced":
        raise Conflict(
            "receipt-state",
            f"receipt {known.reference} is {known.state}.",
            next_step="Use a new reference for further goods.",
        )


def _about(receipt: Receipt) -> dict[str, object]:
    return {"receipt": receipt.reference, "warehouse": receipt.warehouse}


def arrive(desk: Desk, reference: str, quantity: Decimal | None = None) -> Receipt:
    """Announced goods came in: all of them, or ``quantity``, which closes the receipt too. The same
    again changes nothing. ``NotFound('receipt')``, ``Conflict('receipt-state')``."""

    def unit(connection: Connection) -> Receipt:
        now = desk.clock.now()
        known = receipts.get(connection, desk.company_id, reference, lock=True)
        came = known.quantity if quantity is None else quantity
        if known.state == "received" and known.received == came:
            return known
        _must_be_open(known)
        receipts.change(connection, desk.company_id, reference, received=to_count(came), received_at=now)
        catalogue.receive(connection, desk.company_id, known.product_id, known.warehouse, came)
        data = _about(known) | {"quantity": plain(came), "announced": plain(known.quantity)}
        event = Event(product_stream(known.product_id), "GoodsReceived", data)
        desk.record(connection, now, [event], [refill_job(known.product_id, now)])
        return replace(known, received=came, received_at=now)

    return desk.database.write(unit)


def call_off(desk: Desk, reference: str, reason: str) -> Receipt:
    """Announced goods will not come. ``NotFound('receipt')``, ``Conflict('receipt-state')``."""

    def unit(connection: Connection) -> Receipt:
        now = desk.clock.now()
        known = receipts.get(connection, desk.company_id, reference, lock=True)
        _must_be_open(known)
        receipts.change(connection, desk.company_id, reference, cancelled_at=now)
        data = _about(known) | {"reason": reason}
        desk.record(connection, now, [Event(product_stream(known.product_id), "ReceiptCancelled", data)])
        return replace(known, cancelled_at=now)

    return desk.database.write(unit)


# --- who gets it ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Shared:
    """One order line in a sharing: pieces it wants and has not got shipped, held before and after."""

    order_id: str
    line_id: str
    customer_id: str
    product_id: str
    priority: str
    wanted: Decimal
    before: Decimal
    after: Decimal


@dataclass(frozen=True, slots=True)
class _Changed:
    """An order whose pieces of the product change: what it holds now by (line, warehouse)."""

    stored: StoredOrder
    parts: tuple[OrderPart, ...]
    gained: tuple[OrderPart, ...]
    lost: tuple[OrderPart, ...]
    moves: tuple[StockMove, ...]


def refill_job(product_id: str, at: datetime) -> NewJob:
    """Promise what is free of a product to the orders that wait for it."""
    return NewJob("refill", f"refill:{product_id}:{new_id('in', at)}", {"product": product_id})


def refill(desk: Desk, connection: Connection, product_id: str) -> None:
    """Promise goods that have come in to the orders that wait, the oldest first. Idempotent."""
    waiting = orders.sharing(connection, desk.company_id, product_id, waiting_only=True)
    if not waiting:
        return
    # What a line holds is not shared again, and nobody's rank counts: first come, first served.
    wishes = [
        replace(wish, wanted=wish.wanted - _sum(wish.held), held=(), priority="normal", ordered_on=date.min)
        for wish in _all_wishes(desk, connection, waiting, product_id)
        if wish.wanted > _sum(wish.held)
    ]
    given = share_out(catalogue.shelves_of(connection, desk.company_id, product_id), wishes)
    changed = []
    for stored in waiting:
        now_held = {
            line_id: (*shelves, *given[stored.order_id, line_id])
            for line_id, shelves in _held(stored, product_id).items()
            if (stored.order_id, line_id) in given
        }
        changed.append(_changed(stored, product_id, now_held))
    _write(desk, connection, [one for one in changed if one.gained])


def reallocate(desk: Desk, product_id: str, *, dry_run: bool = False) -> list[Shared]:
    """Share out a product anew among all who want it, by rank; the lines, highest rank first.

    Pieces that have left stay where they are. With ``dry_run`` nothing is written.
    ``NotFound('product')``.
    """
    if dry_run:
        with desk.database.read() as connection:
            return _reallocate(desk, connection, product_id, dry_run=True)
    return desk.database.write(lambda connection: _reallocate(desk, connection, product_id))


def scarce(desk: Desk) -> list[str]:
    """The products that some order waits for."""
    with desk.database.read() as connection:
        return orders.scarce_products(connection, desk.company_id)


def _reallocate(
    desk: Desk, connection: Connection, product_id: str, *, dry_run: bool = False
) -> list[Shared]:
    catalogue.find(connection, desk.company_id, product_id)
    found = orders.sharing(connection, desk.company_id, product_id, lock=not dry_run)
    wishes = _all_wishes(desk, connection, found, product_id)
    given = share_out(catalogue.shelves_of(connection, desk.company_id, product_id), wishes)
    owners = {stored.order_id: stored for stored in found}
    told = [_told(wish, owners[wish.order_id], product_id, given) for wish in sorted(wishes, key=_rank)]
    if not dry_run:
        changed = [
            _changed(stored, product_id, {line: given[stored.order_id, line] for line in lines})
            for stored in found
            if (lines := _held(stored, product_id))
        ]
        _write_anew(desk, connection, product_id, [one for one in changed if one.moves])
    return told


def _rank(wish: Wish) -> tuple[object, ...]:
    return wish.rank


def _told(
    wish: Wish, stored: StoredOrder, product_id: str, given: Mapping[tuple[str, str], Sequence[Shelf]]
) -> Shared:
    return Shared(
        wish.order_id,
        wish.line_id,
        stored.customer_id,
        product_id,
        wish.priority,
        wish.wanted,
        _sum(wish.held),
        _sum(given[wish.order_id, wish.line_id]),
    )


def _sum(shelves: Sequence[Shelf]) -> Decimal:
    return sum((shelf.available for shelf in shelves), Decimal(0))


def _all_wishes(
    desk: Desk, connection: Connection, found: Sequence[StoredOrder], product_id: str
) -> list[Wish]:
    buyers: dict[str, Customer] = {
        who.customer_id: who
        for who in customers.named(connection, desk.company_id, {one.customer_id for one in found})
    }
    return [wish for stored in found for wish in _wishes(stored, product_id, buyers[stored.customer_id])]


def _wishes(stored: StoredOrder, product_id: str, who: Customer) -> Iterator[Wish]:
    lines = {line.line_id: line for line in stored.order.lines}
    for line_id, held in _held(stored, product_id).items():
        said = lines[line_id].partial_delivery
        waiting = _pieces(stored, product_id, PartState.BACKORDERED).get(line_id, Decimal(0))
        yield Wish(
            stored.order_id,
            line_id,
            _sum(held) + waiting,
            held,
            who.priority,
            stored.order.ordered_on,
            whole=not (who.partial_allowed if said is None else said),
            one_parcel=not who.split_allowed or said is False,
        )


def _pieces(stored: StoredOrder, product_id: str, state: PartState) -> dict[str, Decimal]:
    """Pieces of the product in one state, by line."""
    found: defaultdict[str, Decimal] = defaultdict(Decimal)
    for part in stored.parts:
        if part.product_id == product_id and part.state is state:
            found[part.line_id] += part.quantity
    return dict(found)


def _held(stored: StoredOrder, product_id: str) -> dict[str, tuple[Shelf, ...]]:
    """What each line that holds or waits for the product has on a shelf of it, by line."""
    found: defaultdict[str, defaultdict[str, Decimal]] = defaultdict(lambda: defaultdict(Decimal))
    for part in stored.parts:
        if part.product_id != product_id:
            continue
        if part.state is PartState.BACKORDERED:
            found[part.line_id]  # it waits and may hold nothing
        elif part.state is PartState.RESERVED and part.warehouse is not None:
            found[part.line_id][part.warehouse] += part.quantity
    return {
        line_id: tuple(Shelf(warehouse, pieces) for warehouse, pieces in places.items())
        for line_id, places in found.items()
    }


def _changed(stored: StoredOrder, product_id: str, given: Mapping[str, Sequence[Shelf]]) -> _Changed:
    """What an order's lines hold of the product from now on, beside what they held."""
    merged = {line_id: _merged(shelves) for line_id, shelves in given.items()}
    held = _held(stored, product_id)
    gained: list[OrderPart] = []
    lost: list[OrderPart] = []
    moves: list[StockMove] = []
    for line_id, shelves in merged.items():
        before = {shelf.warehouse: shelf.available for shelf in held[line_id]}
        after = {shelf.warehouse: shelf.available for shelf in shelves}
        for place in sorted(before.keys() | after.keys()):
            more = after.get(place, Decimal(0)) - before.get(place, Decimal(0))
            if more:
                moves.append(StockMove(product_id, place, reserve=more))
            if more > 0:
                gained.append(OrderPart(line_id, PartState.RESERVED, more, place, product_id))
        less = sum(before.values(), Decimal(0)) - sum(after.values(), Decimal(0))
        if less > 0:
            lost.append(OrderPart(line_id, PartState.BACKORDERED, less, None, product_id, _SCARCE))
    parts = reshared(stored.parts, product_id, merged, _SCARCE)
    return _Changed(stored, parts, tuple(gained), tuple(lost), tuple(moves))


def _merged(shelves: Sequence[Shelf]) -> tuple[Shelf, ...]:
    """One shelf per warehouse."""
    sums: dict[str, Decimal] = {}
    for shelf in shelves:
        sums[shelf.warehouse] = sums.get(shelf.warehouse, Decimal(0)) + shelf.available
    return tuple(Shelf(warehouse, pieces) for warehouse, pieces in sums.items())


def _write(
    desk: Desk,
    connection: Connection,
    changed: Sequence[_Changed],
    more: Sequence[Event] = (),
    work: Sequence[NewJob] = (),
) -> None:
    """Orders, shelves and journal, one statement for each. ``Stale`` if somebody was faster."""
    if not changed:
        return
    catalogue.move(connection, desk.company_id, [move for one in changed for move in one.moves])
    orders.change(connection, desk.company_id, *(replace(one.stored, parts=one.parts) for one in changed))
    events = [
        event
        for one in changed
        for event in approve.part_events(order_stream(one.stored.order_id), (*one.gained, *one.lost))
    ]
    desk.record(connection, desk.clock.now(), [*events, *more], work)


def _write_anew(desk: Desk, connection: Connection, product_id: str, changed: Sequence[_Changed]) -> None:
    """A re-allocation run: each order's gains and losses on its timeline, and its buyer is told."""
    now = desk.clock.now()
    names = [one.stored.order_id for one in changed]
    summary = Event(
        product_stream(product_id),
        "StockReallocated",
        {
            "gains": [_line(one.stored, part) for one in changed for part in one.gained],
            "losses": [_line(one.stored, part) for one in changed for part in one.lost],
        },
        orders=tuple(names),
    )
    work = [NewJob("answer", f"answer:{name}:{new_id('share', now)}", {"order": name}) for name in names]
    _write(desk, connection, changed, [summary], work)


def _line(stored: StoredOrder, part: OrderPart) -> dict[str, object]:
    return {
        "order": stored.order_id,
        "line": part.line_id,
        "quantity": part.quantity,
        "warehouse": part.warehouse,
    }
