"""What becomes of an order line: product, availability and allocation.

The rules decide the outcome (allocate, elsewhere, split, partial, backorder, substitute, cancel);
this module carries it out on figures. The parts of a line always add up to it, and no shelf ever
gives more than it holds. It never decides for itself and never guesses a product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2c.decision import FactValue
from o2c.errors import Broken
from o2c.order import Customer, Order, OrderLine, OrderPart, PartState, Product
from o2c.party import Identifier

NEVER = 9999  # days: "no receipt is announced"


@dataclass(frozen=True, slots=True)
class Shelf:
    """What one warehouse can promise of one product: stock less what is reserved already."""

    warehouse: str
    available: Decimal


@dataclass(frozen=True, slots=True)
class Inbound:
    """Announced goods of one product, and the pieces of them that older backorders wait for."""

    announced: tuple[tuple[date, Decimal], ...] = ()  # expected day, pieces
    promised: Decimal = Decimal(0)

    def free(self, by: date | None = None) -> Decimal:
        """Announced pieces, expected ``by`` a day or at all, that nobody waits for yet."""
        coming = sum((pieces for day, pieces in self.announced if by is None or day <= by), Decimal(0))
        return max(coming - self.promised, Decimal(0))

    @property
    def next_free_on(self) -> date | None:
        """The day of the first receipt that is not wholly spoken for."""
        left = self.promised
        for day, pieces in sorted(self.announced):
            if pieces > left:
                return day
            left -= pieces
        return None

    def less(self, pieces: Decimal) -> Inbound:
        """The same once another line waits for so many pieces."""
        return Inbound(self.announced, self.promised + pieces)


NOTHING_INBOUND = Inbound()


def resolve(line: OrderLine, products: Iterable[Product]) -> Product | None:
    """The one product a line means: by the seller's id, else the standard id, else name and properties.

    An identifier that names another product is a contradiction, and two candidates are a question
    for a person: both give None. The name speaks only where the order has no identifier at all.
    """
    if line.seller_item_id is None and line.standard_item_id is None:
        return _only(p for p in products if _description(p) == _description(line))
    known = tuple(products)
    named = _only(p for p in known if p.product_id == line.seller_item_id)
    if named is None:
        return _only(p for p in known if _same_standard(p.standard_id, line.standard_item_id))
    both_known = named.standard_id is not None and line.standard_item_id is not None
    return None if both_known and not _same_standard(named.standard_id, line.standard_item_id) else named


def stock_facts(
    line: OrderLine,
    product: Product | None,
    customer: Customer,
    shelves: Sequence[Shelf],
    substitute_shelves: Sequence[Shelf] = (),
    next_receipt_days: int | None = None,
    inbound: Decimal = Decimal(0),
) -> dict[str, FactValue]:
    """The facts of the stock policy for one line; the first shelf is the ship-from warehouse.

    What the buyer says on the line about partial delivery and substitutes outranks what is agreed
    in general. ``inbound``: announced pieces that nobody waits for yet.
    """
    said, instead = line.partial_delivery, line.substitute_allowed
    return {
        "product_known": product is not None,
        "stocked": product is None or product.stocked,
        "ordered": line.quantity.value,
        "atp_here": _available(shelves[:1]),
        "atp_other": max((_available([shelf]) for shelf in shelves[1:]), default=Decimal(0)),
        "atp_all": _available(shelves),
        "inbound": inbound,
        "substitute_atp": _available(substitute_shelves),
        "split_allowed": customer.split_allowed and said is not False,
        "partial_allowed": customer.partial_allowed if said is None else said,
        "substitute_allowed": customer.substitute_allowed if instead is None else instead,
        "next_receipt_days": NEVER if next_receipt_days is None else next_receipt_days,
    }


def allocate(
    line: OrderLine,
    outcome: str,
    actions: Mapping[str, str],
    shelves: Sequence[Shelf],
    substitute_shelves: Sequence[Shelf] = (),
    product: Product | None = None,
    reason: str | None = None,
) -> tuple[OrderPart, ...]:
    """The parts of a line after the rules spoke; shelves come in ship-from order, which
    ``actions['order_of_warehouses']`` may change. ``elsewhere`` is whole from one other warehouse.

    What the shelves do not hold is backordered, or cancelled where ``actions['rest']`` is
    ``cancel``. ``reason`` goes on the parts that are not reserved. Raises ``Broken`` for an
    outcome nobody taught us.
    """
    product_id = product.product_id if product else None
    ordered = line.quantity.value
    if outcome == "cancel":
        return (OrderPart(line.line_id, PartState.CANCELLED, ordered, None, product_id, reason),)
    if outcome == "backorder":
        return (OrderPart(line.line_id, PartState.BACKORDERED, ordered, None, product_id, reason),)
    if outcome not in ("allocate", "elsewhere", "split", "partial", "substitute"):
        raise Broken("stock-outcome", f"line {line.line_id}: nobody knows how to {outcome!r} stock.")
    if product is not None and not product.stocked:
        return (OrderPart(line.line_id, PartState.RESERVED, ordered, None, product_id),)
    if outcome == "substitute":
        taken = _take(line, substitute_shelves, product.substitute_id if product else None)
    else:
        chosen = _chosen(outcome, actions.get("order_of_warehouses"), shelves, ordered)
        taken = _take(line, chosen, product_id)
    rest = ordered - sum((part.quantity for part in taken), Decimal(0))
    state = PartState.CANCELLED if actions.get("rest") == "cancel" else PartState.BACKORDERED
    missing = (OrderPart(line.line_id, state, rest, None, product_id, reason),) if rest else ()
    return taken + missing


def _chosen(outcome: str, way: str | None, shelves: Sequence[Shelf], ordered: Decimal) -> Sequence[Shelf]:
    """The shelves to take from, first one first."""
    if outcome == "allocate":
        return shelves[:1]
    fullest = sorted(shelves, key=lambda shelf: -shelf.available)  # stable: else ship-from order
    if outcome == "elsewhere":
        others = [shelf for shelf in shelves[1:] if shelf.available >= ordered]
        return others[:1] or [shelf for shelf in fullest if shelf is not shelves[0]][:1]
    if way == "fewest parcels first":
        # One shelf that holds all is one parcel; else the fullest first needs the fewest.
        return [shelf for shelf in shelves if shelf.available >= ordered][:1] or fullest
    return fullest if way == "fullest first" else shelves


def less(shelves: Sequence[Shelf], product_id: str, parts: Iterable[OrderPart]) -> tuple[Shelf, ...]:
    """The shelves of a product once ``parts`` have reserved from them (several lines, one product)."""
    taken: dict[str | None, Decimal] = {}
    for part in parts:
        if part.state is PartState.RESERVED and part.product_id == product_id:
            taken[part.warehouse] = taken.get(part.warehouse, Decimal(0)) + part.quantity
    return tuple(Shelf(s.warehouse, s.available - taken.get(s.warehouse, Decimal(0))) for s in shelves)


PRIORITIES = ("high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Wish:
    """What one order line still is to get of a product. ``held`` is promised to it already, by
    warehouse. ``whole``: all of it or nothing. ``one_parcel``: from one warehouse only."""

    order_id: str
    line_id: str
    wanted: Decimal
    held: tuple[Shelf, ...] = ()
    priority: str = "normal"
    ordered_on: date = date.min
    whole: bool = False
    one_parcel: bool = False

    @property
    def rank(self) -> tuple[int, date, str, str]:
        """Who comes first: priority, then the day of the order, then the order that came in first."""
        return PRIORITIES.index(self.priority), self.ordered_on, self.order_id, self.line_id


def share_out(free: Sequence[Shelf], wishes: Iterable[Wish]) -> dict[tuple[str, str], tuple[Shelf, ...]]:
    """What each line gets, by (order, line): free pieces and all that is held, shared anew by rank.

    A line keeps what it holds where it can, so that no piece moves without need. No shelf gives more
    than it holds, and nobody gets more than was wanted.
    """
    asked = sorted(wishes, key=lambda wish: wish.rank)
    pool = {shelf.warehouse: shelf.available for shelf in free}
    for wish in asked:
        for shelf in wish.held:
            pool[shelf.warehouse] = pool.get(shelf.warehouse, Decimal(0)) + shelf.available
    return {(wish.order_id, wish.line_id): _give(wish, pool) for wish in asked}


def _give(wish: Wish, pool: dict[str, Decimal]) -> tuple[Shelf, ...]:
    """Take from the pool what the wish gets."""
    own = [shelf.warehouse for shelf in wish.held]
    places = [*dict.fromkeys(own), *(place for place in pool if place not in own)]
    if wish.one_parcel:
        # One shelf that holds all, else the fullest one; `max` keeps the first of equals.
        places = [max(places, key=lambda place: min(pool[place], wish.wanted))] if places else []
    given, left = [], wish.wanted
    for place in places:
        quantity = min(left, pool[place])
        if quantity > 0:
            given.append(Shelf(place, quantity))
            left -= quantity
    if wish.whole and left:
        return ()
    for shelf in given:
        pool[shelf.warehouse] -= shelf.available
    return tuple(given)


def reshared(
    parts: Sequence[OrderPart], product_id: str, given: Mapping[str, Sequence[Shelf]], reason: str
) -> tuple[OrderPart, ...]:
    """An order's parts once its lines hold what they were ``given`` of a product, by line id.

    Pieces that have left or were cancelled, other products and other lines stay as they are; what a
    line lost waits, with the ``reason``. The parts of a line add up to the same as before.
    """
    kept = [part for part in parts if not _in_question(part, product_id, given)]
    asked = [part for part in parts if _in_question(part, product_id, given)]
    anew: list[OrderPart] = []
    for line_id, shelves in given.items():
        mine = [part for part in asked if part.line_id == line_id]
        anew += (
            OrderPart(line_id, PartState.RESERVED, shelf.available, shelf.warehouse, product_id)
            for shelf in shelves
        )
        rest = sum((p.quantity for p in mine), Decimal(0)) - sum((s.available for s in shelves), Decimal(0))
        if rest:
            waited = [part.reason for part in mine if part.state is PartState.BACKORDERED]
            why = waited[0] if waited else reason
            anew.append(OrderPart(line_id, PartState.BACKORDERED, rest, None, product_id, why))
    return (*kept, *anew)


def _in_question(part: OrderPart, product_id: str, lines: Mapping[str, object]) -> bool:
    """Pieces of the product that have not left, and can therefore still be shared."""
    shareable = part.state is PartState.BACKORDERED or (
        part.state is PartState.RESERVED and part.warehouse is not None
    )
    return shareable and part.product_id == product_id and part.line_id in lines


def check_parts(order: Order, parts: Iterable[OrderPart]) -> None:
    """Raises ``Broken('parts-sum')`` unless the parts of every line add up to it, and to nothing else."""
    left = {line.line_id: line.quantity.value for line in order.lines}
    for part in parts:
        left[part.line_id] = left.get(part.line_id, Decimal(0)) - part.quantity
    for line_id, rest in left.items():
        if rest:
            raise Broken("parts-sum", f"order {order.document_id}, line {line_id}: parts are off by {rest}.")


def _take(line: OrderLine, shelves: Sequence[Shelf], product_id: str | None) -> tuple[OrderPart, ...]:
    left, parts = line.quantity.value, []
    for shelf in shelves:
        quantity = min(left, shelf.available)
        if quantity > 0:
            parts.append(OrderPart(line.line_id, PartState.RESERVED, quantity, shelf.warehouse, product_id))
            left -= quantity
    return tuple(parts)


def _available(shelves: Sequence[Shelf]) -> Decimal:
    return sum((max(shelf.available, Decimal(0)) for shelf in shelves), Decimal(0))


def _only(candidates: Iterable[Product]) -> Product | None:
    found = tuple(candidates)
    return found[0] if len(found) == 1 else None


def _description(thing: OrderLine | Product) -> tuple[str, frozenset[tuple[str, str]]]:
    properties = frozenset((_plain(name), _plain(value)) for name, value in thing.properties)
    return _plain(thing.name), properties


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


def _same_standard(one: Identifier | None, other: Identifier | None) -> bool:
    if one is None or other is None:
        return False
    schemes_agree = one.scheme == other.scheme or None in (one.scheme, other.scheme)
    return schemes_agree and _gtin(one.value) == _gtin(other.value)


def _gtin(value: str) -> str:
    # A GTIN of 8, 12 or 13 digits is the GTIN-14 without its leading zeros (GS1).
    return value.lstrip("0") if value.isdigit() else value
