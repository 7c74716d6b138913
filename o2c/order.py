"""A customer's order, every line kept as received.

The fields follow Peppol BIS Order (transaction T01) and the EN 16931 terms that an
invoice will need later. Amounts are in the order's currency; percentages are percent
(25 means 25 %). Nothing here is rounded: the order says what the buyer said.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from o2c.money import Money, Quantity
from o2c.party import Address, Contact, Identifier, Party

CompanyId = NewType("CompanyId", str)
CustomerId = NewType("CustomerId", str)
OrderId = NewType("OrderId", str)
ProductId = NewType("ProductId", str)


class VatCategory(StrEnum):
    """UNCL 5305 subset of EN 16931 (BT-118, BT-151)."""

    STANDARD = "S"
    ZERO = "Z"
    EXEMPT = "E"
    REVERSE_CHARGE = "AE"
    INTRA_COMMUNITY = "K"
    EXPORT = "G"
    OUTSIDE_SCOPE = "O"


class InvoiceProfile(StrEnum):
    """What an invoice must be for its buyer: the specification it follows (BT-24)."""

    PEPPOL = "peppol"  # Peppol BIS Billing 3
    XRECHNUNG = "xrechnung"  # the German CIUS, for public buyers


@dataclass(frozen=True, slots=True)
class Tax:
    """VAT category and rate in percent (BT-151/152). Outside the scope of VAT (O) has no rate."""

    category: VatCategory
    rate: Decimal = Decimal(0)


@dataclass(frozen=True, slots=True)
class AllowanceCharge:
    """A deduction or surcharge, on a line (BG-27/28) or on the document (BG-20/21).

    ``tax`` is meant for the document level; where it is absent the only VAT category of the
    lines is used, and with several the order cannot be billed.
    """

    is_charge: bool
    amount: Decimal
    reason: str | None = None
    reason_code: str | None = None
    base_amount: Decimal | None = None
    percent: Decimal | None = None
    tax: Tax | None = None


@dataclass(frozen=True, slots=True)
class Delivery:
    """Where and when the goods should go (BG-13, BG-15)."""

    party_name: str | None = None
    address: Address | None = None
    location_id: Identifier | None = None
    contact: Contact = field(default_factory=Contact)
    earliest_on: date | None = None
    latest_on: date | None = None


@dataclass(frozen=True, slots=True)
class OrderLine:
    """One line as received. ``net_price`` is for ``price_base`` units (BT-146, BT-149)."""

    line_id: str
    name: str
    quantity: Quantity
    net_price: Decimal
    price_base: Decimal = Decimal(1)
    price_discount: Decimal | None = None  # BT-147
    gross_price: Decimal | None = None  # BT-148
    tax: Tax | None = None
    seller_item_id: str | None = None  # BT-155
    buyer_item_id: str | None = None  # BT-156
    standard_item_id: Identifier | None = None  # BT-157
    description: str | None = None
    properties: tuple[tuple[str, str], ...] = ()  # BG-32
    allowance_charges: tuple[AllowanceCharge, ...] = ()
    partial_delivery: bool | None = None
    substitute_allowed: bool | None = None
    accounting_cost: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """An order from one source. ``(company, source, external_id)`` names it for ever."""

    source: str
    external_id: str
    document_id: str  # the buyer's own order number, BT-13
    ordered_on: date
    currency: str
    buyer: Party
    lines: tuple[OrderLine, ...]
    customer_id: str | None = None
    seller: Party | None = None
    invoicee: Party | None = None  # who receives the invoice if not the buyer
    delivery: Delivery = field(default_factory=Delivery)
    allowance_charges: tuple[AllowanceCharge, ...] = ()
    buyer_reference: str | None = None  # BT-10
    accounting_cost: str | None = None  # BT-19
    contract_id: str | None = None  # BT-12
    note: str | None = None
    valid_until: date | None = None
    stated_payable: Decimal | None = None  # what the sender says it comes to
    profile: InvoiceProfile | None = None  # of its invoices; None: as the customer wants them


class PartState(StrEnum):
    """Every ordered piece is in exactly one of these states."""

    RESERVED = "reserved"
    BACKORDERED = "backordered"
    CANCELLED = "cancelled"
    SHIPPED = "shipped"


@dataclass(frozen=True, slots=True)
class OrderPart:
    """Some pieces of one order line that share a fate. The parts of a line always add up to it."""

    line_id: str
    state: PartState
    quantity: Decimal
    warehouse: str | None = None
    product_id: str | None = None  # the product promised; differs from the line's on substitution
    reason: str | None = None


def quantity_in(parts: Iterable[OrderPart], line_id: str, *states: PartState) -> Decimal:
    """Pieces of a line that are in one of ``states``."""
    return sum((p.quantity for p in parts if p.line_id == line_id and p.state in states), Decimal(0))


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer as the seller knows it: how to bill, reach and trust it.

    Credit figures are minor units of the company's currency. ``channel`` is one of
    ``folder``, ``mail``; ``approval_until`` is the last day of a credit approval. ``credit_limit`` is
    the undated own limit; members of one ``group_id`` share a group's limit. From ``review_on`` on
    its credit is due for review. ``priority`` (high, normal, low) ranks it where goods are scarce.
    ``grace_days``: so many days after the due day nothing is said yet.
    """

    customer_id: CustomerId
    party: Party
    terms_days: int = 30
    channel: str = "folder"
    email: str | None = None
    language: str = "en"
    risk_class: str = "B"
    credit_limit: Money | None = None
    approval_until: date | None = None
    refused_before: bool = False
    consumer: bool = False
    dunning_block: bool = False
    grace_days: int = 0
    split_allowed: bool = True
    partial_allowed: bool = True
    substitute_allowed: bool = True
    group_id: str | None = None
    review_on: date | None = None
    priority: str = "normal"
    profile: InvoiceProfile = InvoiceProfile.PEPPOL
    leitweg_id: str | None = None  # BT-10 where the order names none
    ibans: tuple[str, ...] = ()  # accounts it is known to pay from, without blanks


@dataclass(frozen=True, slots=True)
class Product:
    """What the company sells. ``properties`` tell variants of one name apart."""

    product_id: ProductId
    name: str
    unit: str = "C62"
    tax: Tax | None = None
    standard_id: Identifier | None = None
    properties: tuple[tuple[str, str], ...] = ()
    substitute_id: ProductId | None = None
    stocked: bool = True
