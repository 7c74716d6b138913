"""The seller's answer to an order: accepted, changed or rejected, per line.

Peppol BIS Order Response (transaction T76): UNCL 4343 subset for the document,
UNCL 1229 subset for the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType

from o2c.errors import Broken
from o2c.money import Quantity
from o2c.order import Order, OrderLine, OrderPart, PartState, Product, quantity_in
from o2c.stock import check_parts


class ResponseCode(StrEnum):
    """``OrderResponseCode``."""

    ACCEPTED = "AP"
    CONDITIONAL = "CA"
    REJECTED = "RE"


class LineStatus(StrEnum):
    """``LineStatusCode``."""

    CHANGED = "3"
    ACCEPTED = "5"
    REJECTED = "7"


@dataclass(frozen=True, slots=True)
class LineAnswer:
    """What becomes of one order line. ``quantity`` is what is promised where it differs."""

    line_id: str
    status: LineStatus
    name: str
    item: Product | None = None  # the product we understood the line to mean
    quantity: Decimal | None = None
    substitute: Product | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class OrderAnswer:
    """The whole answer. A rejected order carries no lines."""

    code: ResponseCode
    lines: tuple[LineAnswer, ...] = ()
    note: str | None = None


def answer(
    order: Order,
    parts: Iterable[OrderPart],
    products: Mapping[str, Product | None],
    substitutes: Mapping[str, Product] = MappingProxyType({}),
) -> OrderAnswer:
    """The answer that follows from what became of every line.

    ``products`` gives the product each line means, by line id; ``substitutes`` those promised
    instead, by product id. Raises ``Broken('parts-sum')`` unless the parts add up to the order.
    """
    fates = tuple(parts)
    check_parts(order, fates)
    lines = tuple(_line(line, fates, products.get(line.line_id), substitutes) for line in order.lines)
    statuses = {line.status for line in lines}
    if statuses == {LineStatus.REJECTED}:
        return OrderAnswer(ResponseCode.REJECTED, note=_why(fates) or "No line of the order can be supplied.")
    if statuses != {LineStatus.ACCEPTED}:
        return OrderAnswer(ResponseCode.CONDITIONAL, lines, "Accepted with changes, see the lines.")
    if not all(_identified(line, products.get(line.line_id)) for line in order.lines):
        return OrderAnswer(ResponseCode.CONDITIONAL, lines, "Accepted; the lines name our item identifiers.")
    return OrderAnswer(ResponseCode.ACCEPTED, lines)


def _line(
    line: OrderLine, fates: Iterable[OrderPart], item: Product | None, substitutes: Mapping[str, Product]
) -> LineAnswer:
    parts = [part for part in fates if part.line_id == line.line_id]
    kept = [part for part in parts if part.state is not PartState.CANCELLED]
    if not kept:
        return LineAnswer(line.line_id, LineStatus.REJECTED, line.name, item, note=_why(parts))
    promised = sum((part.quantity for part in kept), Decimal(0))
    substitute = _substitute(kept, item, substitutes)
    notes = _notes(line, parts, substitute)
    return LineAnswer(
        line.line_id,
        LineStatus.CHANGED if notes else LineStatus.ACCEPTED,
        line.name,
        item,
        # Backordered pieces stay promised; only cancelled ones lessen the quantity.
        promised if promised != line.quantity.value else None,
        substitute,
        " ".join(notes) or None,
    )


def _notes(line: OrderLine, parts: Iterable[OrderPart], substitute: Product | None) -> list[str]:
    """What differs from the order, one sentence each; empty means nothing."""
    notes = [f"Substituted by {substitute.product_id} {substitute.name}."] if substitute else []
    for state, words in ((PartState.BACKORDERED, "follow later"), (PartState.CANCELLED, "are cancelled")):
        quantity = quantity_in(parts, line.line_id, state)
        if quantity:
            notes.append(f"{Quantity(quantity, line.quantity.unit)} {words}.")
    return notes


def _substitute(
    kept: Iterable[OrderPart], item: Product | None, substitutes: Mapping[str, Product]
) -> Product | None:
    for part in kept:
        if item is not None and part.product_id not in (None, item.product_id):
            if part.product_id not in substitutes:
                raise Broken("substitute-unknown", f"line {part.line_id}: no product {part.product_id}.")
            return substitutes[part.product_id]
    return None


def _identified(line: OrderLine, item: Product | None) -> bool:
    """Whether the order already names the item as we do, so that there is nothing to tell."""
    if item is None:
        return True
    return line.seller_item_id == item.product_id or (
        line.seller_item_id is None and line.standard_item_id is not None
    )


def _why(parts: Iterable[OrderPart]) -> str | None:
    return " ".join(dict.fromkeys(part.reason for part in parts if part.reason)) or None
