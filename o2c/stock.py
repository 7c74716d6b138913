"""What becomes of an order line: product, availability and allocation.

The rules decide the outcome (allocate, split, partial, backorder, cancel, substitute); this module
carries it out on figures. The parts of a line always add up to it, and no shelf ever gives more
than it holds. It never decides for itself and never guesses a product.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
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
) -> dict[str, FactValue]:
    """The facts of the stock policy for one line; the first shelf is the ship-from warehouse.

    What the buyer says on the line about partial delivery outranks what is agreed in general.
    """
    said = line.partial_delivery
    return {
        "product_known": product is not None,
        "stocked": product is None or product.stocked,
        "ordered": line.quantity.value,
        "atp_here": _available(shelves[:1]),
        "atp_all": _available(shelves),
        "substitute_atp": _available(substitute_shelves),
        "split_allowed": customer.split_allowed and said is not False,
        "partial_allowed": customer.partial_allowed if said is None else said,
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
    """The parts of a line after the rules spoke; shelves come in order of preference.

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
    if outcome not in ("allocate", "split", "partial", "substitute"):
        raise Broken("stock-outcome", f"line {line.line_id}: nobody knows how to {outcome!r} stock.")
    if product is not None and not product.stocked:
        return (OrderPart(line.line_id, PartState.RESERVED, ordered, None, product_id),)
    if outcome == "substitute":
        taken = _take(line, substitute_shelves, product.substitute_id if product else None)
    else:
        taken = _take(line, shelves[:1] if outcome == "allocate" else shelves, product_id)
    rest = ordered - sum((part.quantity for part in taken), Decimal(0))
    state = PartState.CANCELLED if actions.get("rest") == "cancel" else PartState.BACKORDERED
    missing = (OrderPart(line.line_id, state, rest, None, product_id, reason),) if rest else ()
    return taken + missing


def less(shelves: Sequence[Shelf], product_id: str, parts: Iterable[OrderPart]) -> tuple[Shelf, ...]:
    """The shelves of a product once ``parts`` have reserved from them (several lines, one product)."""
    taken: dict[str | None, Decimal] = {}
    for part in parts:
        if part.state is PartState.RESERVED and part.product_id == product_id:
            taken[part.warehouse] = taken.get(part.warehouse, Decimal(0)) + part.quantity
    return tuple(Shelf(s.warehouse, s.available - taken.get(s.warehouse, Decimal(0))) for s in shelves)


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
