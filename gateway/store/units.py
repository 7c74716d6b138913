"""Stock counts as the database keeps them: integer millionths of the product's unit."""

from __future__ import annotations

from decimal import Decimal

from o2c.errors import Refused

SCALE = 6


def to_count(quantity: Decimal) -> int:
    """Millionths; ``Refused('quantity')`` if it is finer than that."""
    scaled = quantity.scaleb(SCALE)
    if scaled != int(scaled):
        raise Refused("quantity", f"{quantity} has more than {SCALE} decimals.")
    return int(scaled)


def from_count(count: int) -> Decimal:
    """The quantity of that many millionths."""
    return Decimal(count).scaleb(-SCALE)
