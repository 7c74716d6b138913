"""Goods that left a warehouse (BG-13), and what of an order they carried."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2c.order import OrderId


@dataclass(frozen=True, slots=True)
class ShipmentLine:
    """Pieces of one order line in one shipment, and the product actually sent."""

    line_id: str
    quantity: Decimal
    warehouse: str | None = None
    product_id: str | None = None


@dataclass(frozen=True, slots=True)
class Shipment:
    """One despatch. ``external_id`` is the caller's; the same id twice is the same shipment."""

    shipment_id: str
    order_id: OrderId
    external_id: str
    shipped_on: date
    lines: tuple[ShipmentLine, ...]
    carrier: str | None = None
    tracking_id: str | None = None
