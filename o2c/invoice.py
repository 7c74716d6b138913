"""The invoice as EN 16931-1 means it, before any syntax.

Every amount is already rounded to the decimals of its BT; ``totals`` is the only place that
computes them. The number and the payment reference are given last, so a draft carries
stand-ins of the same shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum

from o2c.money import Quantity
from o2c.order import AllowanceCharge, Delivery, InvoiceProfile, Tax, VatCategory
from o2c.party import Identifier, Party


class InvoiceType(StrEnum):
    """UNTDID 1001 (BT-3)."""

    INVOICE = "380"
    CREDIT_NOTE = "381"
    CORRECTED = "384"


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """BG-25. ``net_amount`` is BT-131; line allowances and charges are already inside it."""

    line_id: str
    name: str
    quantity: Quantity
    net_price: Decimal
    net_amount: Decimal
    tax: Tax
    price_base: Decimal = Decimal(1)
    price_discount: Decimal | None = None
    gross_price: Decimal | None = None
    allowance_charges: tuple[AllowanceCharge, ...] = ()
    seller_item_id: str | None = None
    buyer_item_id: str | None = None
    standard_item_id: Identifier | None = None
    description: str | None = None
    properties: tuple[tuple[str, str], ...] = ()
    order_line_id: str | None = None  # BT-132
    accounting_cost: str | None = None  # BT-133
    note: str | None = None  # BT-127


@dataclass(frozen=True, slots=True)
class VatBreakdown:
    """BG-23: one per VAT category and rate."""

    tax: Tax
    taxable_amount: Decimal  # BT-116
    tax_amount: Decimal  # BT-117
    exemption_reason: str | None = None  # BT-120
    exemption_code: str | None = None  # BT-121


@dataclass(frozen=True, slots=True)
class DocumentTotals:
    """BG-22, all in the invoice currency."""

    line_net: Decimal  # BT-106
    allowances: Decimal  # BT-107
    charges: Decimal  # BT-108
    tax_exclusive: Decimal  # BT-109
    tax: Decimal  # BT-110
    tax_inclusive: Decimal  # BT-112
    prepaid: Decimal  # BT-113
    rounding: Decimal  # BT-114
    payable: Decimal  # BT-115


@dataclass(frozen=True, slots=True)
class Payment:
    """BG-16: how to pay. ``reference`` is BT-83 (ISO 11649 RF, KID, QRR ...)."""

    reference: str
    iban: str | None = None
    bic: str | None = None
    means_code: str = "30"  # UNTDID 4461: credit transfer; 58 = SEPA
    terms: str | None = None  # BT-20
    account_name: str | None = None


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice, ready to be written. Amounts in ``currency`` (BT-5)."""

    number: str  # BT-1
    issued_on: date  # BT-2
    due_on: date  # BT-9
    type: InvoiceType
    currency: str
    seller: Party
    buyer: Party
    lines: tuple[InvoiceLine, ...]
    breakdown: tuple[VatBreakdown, ...]
    totals: DocumentTotals
    payment: Payment
    allowance_charges: tuple[AllowanceCharge, ...] = ()
    delivery: Delivery | None = None
    delivered_on: date | None = None  # BT-72
    order_reference: str | None = None  # BT-13
    buyer_reference: str | None = None  # BT-10
    contract_reference: str | None = None  # BT-12
    despatch_reference: str | None = None  # BT-16
    accounting_cost: str | None = None  # BT-19
    note: str | None = None  # BT-22
    preceding: tuple[str, ...] = ()  # BG-3
    profile: InvoiceProfile = InvoiceProfile.PEPPOL  # BT-24


def categories(lines: tuple[InvoiceLine, ...]) -> frozenset[VatCategory]:
    """The VAT categories used on the lines."""
    return frozenset(line.tax.category for line in lines)
