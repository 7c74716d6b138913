"""From a shipment to its invoice: what left is billed, at the order's prices.

Governed by EN 16931-1 (BG-25 lines, BG-13 delivery, BG-16 payment); the arithmetic is in ``totals``.
Pure: the same order and shipment always give the same invoice. It never bills a piece that did not
leave, and never bills one twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType

from o2c.errors import Refused
from o2c.invoice import Invoice, InvoiceLine, InvoiceType, Payment
from o2c.money import Quantity, document_digits, plain
from o2c.order import AllowanceCharge, Order, OrderLine, Product, Tax
from o2c.party import Identifier, Party
from o2c.shipment import ShipmentLine
from o2c.stock import resolve
from o2c.totals import (
    Progress,
    document_progress,
    document_totals,
    extra_name,
    known_tax,
    line_net,
    shares,
    vat_breakdown,
)


def build_invoice(
    *,
    order: Order,
    shipped: Sequence[ShipmentLine],
    seller: Party,
    buyer: Party,
    number: str,
    reference: str,
    issued_on: date,
    terms_days: int,
    products: Mapping[str, Product],
    delivered_on: date | None = None,
    despatch_reference: str | None = None,
    iban: str | None = None,
    bic: str | None = None,
    account_name: str | None = None,
    billed: Mapping[str, Decimal] = MappingProxyType({}),
) -> Invoice:
    """The invoice for what one shipment carried, priced by the order.

    ``products`` by product id names what was sent; ``billed`` is the quantity of each order line
    (by line id) that earlier invoices carried. ``number`` and ``reference`` may be stand-ins of the
    same shape: see ``numbered``. Raises ``Refused``: ``shipment-line``, ``shipment-quantity``,
    ``product-unknown``, ``vat-category-missing``, ``vat-category-mixed``, ``vat-rate``, ``price``.
    """
    before = dict(billed)
    lines = _lines(order, shipped, products, before)
    extras = _document_extras(order, lines, document_progress(order, billed, before))
    breakdown = vat_breakdown(lines, extras, order.currency)
    return Invoice(
        number=number,
        issued_on=issued_on,
        due_on=issued_on + timedelta(days=terms_days),
        type=InvoiceType.INVOICE,
        currency=order.currency,
        seller=seller,
        buyer=buyer,
        lines=lines,
        breakdown=breakdown,
        totals=document_totals(lines, extras, breakdown),
        payment=Payment(reference, iban, bic, terms=f"{terms_days} days net", account_name=account_name),
        allowance_charges=extras,
        delivery=order.delivery,
        delivered_on=delivered_on,
        order_reference=order.document_id,
        buyer_reference=order.buyer_reference,
        contract_reference=order.contract_id,
        despatch_reference=despatch_reference,
        accounting_cost=order.accounting_cost,
    )


def numbered(draft: Invoice, number: str, reference: str) -> Invoice:
    """A validated draft under its real number (BT-1) and payment reference (BT-83)."""
    return replace(draft, number=number, payment=replace(draft.payment, reference=reference))


def _lines(
    order: Order,
    shipped: Sequence[ShipmentLine],
    products: Mapping[str, Product],
    before: dict[str, Decimal],
) -> tuple[InvoiceLine, ...]:
    """One invoice line per order line and product; ``before`` is moved on by what they carry."""
    ordered = {line.line_id: line for line in order.lines}
    lines: list[InvoiceLine] = []
    for (line_id, product_id), quantity in _carried(shipped).items():
        if line_id not in ordered:
            raise Refused("shipment-line", f"order {order.document_id} has no line {line_id!r}.")
        line, start = ordered[line_id], before.get(line_id, Decimal(0))
        progress = _line_progress(line, start, quantity)
        before[line_id] = progress.after
        product = _product(line, product_id, products)
        lines.append(_invoice_line(str(len(lines) + 1), line, product, progress, order.currency))
    return tuple(lines)


def _product(line: OrderLine, product_id: str | None, products: Mapping[str, Product]) -> Product | None:
    """What was sent: the product the shipment names, else the one the line means."""
    if product_id is None:
        return resolve(line, products.values())
    if product_id not in products:
        raise Refused(
            "product-unknown",
            f"line {line.line_id}: the shipment names product {product_id!r}, which does not exist.",
            next_step="Import the product or correct the shipment.",
        )
    return products[product_id]


def _carried(shipped: Sequence[ShipmentLine]) -> dict[tuple[str, str | None], Decimal]:
    """Quantities by order line and product: warehouses do not matter on an invoice."""
    carried: dict[tuple[str, str | None], Decimal] = {}
    for part in shipped:
        key = (part.line_id, part.product_id)
        carried[key] = carried.get(key, Decimal(0)) + part.quantity
    return carried


def _line_progress(line: OrderLine, start: Decimal, quantity: Decimal) -> Progress:
    if quantity <= 0 or start + quantity > line.quantity.value:
        raise Refused(
            "shipment-quantity",
            f"line {line.line_id}: {plain(quantity)} cannot ship; {plain(line.quantity.value)} were"
            f" ordered and {plain(start)} are billed.",
            next_step="Correct the quantity of the shipment.",
        )
    return Progress(start, start + quantity, line.quantity.value)


def _invoice_line(
    number: str, line: OrderLine, product: Product | None, progress: Progress, currency: str
) -> InvoiceLine:
    quantity = progress.after - progress.before
    extras = shares(line.allowance_charges, progress, document_digits(currency))
    own = product is None or resolve(line, (product,)) is not None
    return InvoiceLine(
        line_id=number,
        name=line.name if own or product is None else product.name,
        quantity=Quantity(quantity, line.quantity.unit),
        net_price=line.net_price,
        net_amount=line_net(line, quantity, currency, extras),
        tax=_line_tax(line, product),
        price_base=line.price_base,
        price_discount=line.price_discount,
        gross_price=line.gross_price,
        allowance_charges=extras,
        seller_item_id=line.seller_item_id if product is None else product.product_id,
        buyer_item_id=line.buyer_item_id,
        standard_item_id=_standard_id(line, product, own),
        description=line.description if own else None,
        properties=line.properties if own or product is None else product.properties,
        order_line_id=line.line_id,
        accounting_cost=line.accounting_cost,
    )


def _standard_id(line: OrderLine, product: Product | None, own: bool) -> Identifier | None:
    if own:
        return line.standard_item_id
    return product.standard_id if product else None


def _line_tax(line: OrderLine, product: Product | None) -> Tax:
    tax = line.tax or (product.tax if product else None)
    return known_tax(tax, f"line {line.line_id} ({line.name})")


def _document_extras(
    order: Order, lines: tuple[InvoiceLine, ...], progress: Progress
) -> tuple[AllowanceCharge, ...]:
    """The document's allowances and charges (BG-20, BG-21), each with a VAT category."""
    shared = shares(order.allowance_charges, progress, document_digits(order.currency))
    taxes = {line.tax for line in lines}
    only = next(iter(taxes)) if len(taxes) == 1 else None
    return tuple(replace(extra, tax=known_tax(extra.tax or only, extra_name(extra))) for extra in shared)
