"""Invoice arithmetic: from priced lines to document totals, and the shares of a partial delivery.

Governed by EN 16931-1 (BR-CO-10 .. BR-CO-17, BR-DEC-*, and the -08/-09 rule of each VAT category).
Amounts are rounded once, at the BT they appear in; never on the way. It never repairs an order:
what cannot be billed is ``Refused``.

Several shipments. A line is billed for the quantity that left, so a cancelled piece costs nothing.
Allowances and charges given as amounts are shared by progress: a line's by quantity, the document's
by the value of the goods. Each invoice takes ``rounded(amount x progress after) - rounded(amount x
progress before)``. These differences telescope: whatever the split, the invoices of a complete order
sum to exactly the ordered amount, the last one needs no special case, and nobody pays the whole freight
or gets the whole discount for goods that never came.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from types import MappingProxyType

from o2c.errors import Refused
from o2c.invoice import DocumentTotals, InvoiceLine, VatBreakdown
from o2c.money import Money, document_digits, plain, round_half_up
from o2c.order import AllowanceCharge, Order, OrderLine, OrderPart, Product, Tax, VatCategory

# BT-120 and BT-121 by category; S and Z must not carry a reason (BR-S-10, BR-Z-10).
_EXEMPTIONS: dict[VatCategory, tuple[str, str | None]] = {
    VatCategory.EXEMPT: ("Exempt from VAT", None),
    VatCategory.REVERSE_CHARGE: ("Reverse charge: VAT is owed by the buyer", "VATEX-EU-AE"),
    VatCategory.INTRA_COMMUNITY: ("Intra-Community supply of goods", "VATEX-EU-IC"),
    VatCategory.EXPORT: ("Export of goods outside the EU", "VATEX-EU-G"),
    VatCategory.OUTSIDE_SCOPE: ("Not subject to VAT", "VATEX-EU-O"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How much of something is billed before and after this invoice, and what the whole is."""

    before: Decimal
    after: Decimal
    whole: Decimal

    def share(self, amount: Decimal, digits: int) -> Decimal:
        """This invoice's part of ``amount``; all of it where there is nothing to share by."""
        if not self.whole:
            return round_half_up(amount, digits)
        return self._until(self.after, amount, digits) - self._until(self.before, amount, digits)

    def _until(self, point: Decimal, amount: Decimal, digits: int) -> Decimal:
        # At the end it is the amount itself, free of the last digit a division may cost; before it,
        # multiplied first and divided once, so that an exact half stays one.
        part = amount if point == self.whole else amount * point / self.whole
        return round_half_up(part, digits)


def line_net(
    line: OrderLine,
    quantity: Decimal,
    currency: str,
    allowance_charges: Iterable[AllowanceCharge] | None = None,
) -> Decimal:
    """BT-131 in ``currency``: price x quantity + charges - allowances, rounded once.

    The line's own allowances and charges are used whole unless the shares of a part are given.
    """
    extras = line.allowance_charges if allowance_charges is None else allowance_charges
    return round_half_up(_goods(line, quantity) + _net_of(extras), document_digits(currency))


def vat_breakdown(
    lines: Iterable[InvoiceLine], allowance_charges: Iterable[AllowanceCharge], currency: str
) -> tuple[VatBreakdown, ...]:
    """BG-23: one entry per VAT category and rate, in first-seen order (BR-CO-17, BR-CO-18).

    Raises ``Refused('vat-category-mixed')`` where category O meets another (BR-O-11 .. BR-O-14).
    """
    taxable: dict[Tax, Decimal] = {}
    for line in lines:
        taxable[line.tax] = taxable.get(line.tax, Decimal(0)) + line.net_amount
    for extra in allowance_charges:
        tax = known_tax(extra.tax, extra_name(extra))
        taxable[tax] = taxable.get(tax, Decimal(0)) + _net_of((extra,))
    if len(taxable) > 1 and any(tax.category is VatCategory.OUTSIDE_SCOPE for tax in taxable):
        raise Refused(
            "vat-category-mixed",
            "VAT category O (outside the scope of VAT) is mixed with another category (BR-O-11).",
            next_step="Order the items that are outside the scope of VAT separately.",
        )
    return tuple(_breakdown(tax, amount, document_digits(currency)) for tax, amount in taxable.items())


def document_totals(
    lines: Iterable[InvoiceLine],
    allowance_charges: Iterable[AllowanceCharge],
    breakdown: Iterable[VatBreakdown],
    prepaid: Decimal = Decimal(0),
    rounding: Decimal = Decimal(0),
) -> DocumentTotals:
    """BG-22 from amounts that are already rounded (BR-CO-10 .. BR-CO-16)."""
    extras = tuple(allowance_charges)
    line_total = sum((line.net_amount for line in lines), Decimal(0))
    allowances = sum((extra.amount for extra in extras if not extra.is_charge), Decimal(0))
    charges = sum((extra.amount for extra in extras if extra.is_charge), Decimal(0))
    exclusive = line_total - allowances + charges
    tax = sum((entry.tax_amount for entry in breakdown), Decimal(0))
    inclusive = exclusive + tax
    return DocumentTotals(
        line_net=line_total,
        allowances=allowances,
        charges=charges,
        tax_exclusive=exclusive,
        tax=tax,
        tax_inclusive=inclusive,
        prepaid=prepaid,
        rounding=rounding,
        payable=inclusive - prepaid + rounding,
    )


def order_value(order: Order, products: Mapping[str, Product | None] = MappingProxyType({})) -> Money:
    """What the order comes to with VAT: the figure for a credit decision, not for a bill.

    ``products`` by line id lends its VAT where a line has none. What has no VAT category at all
    counts without VAT, because a credit decision must not fail for it.
    """
    return _value(order, {line.line_id: line.quantity.value for line in order.lines}, products)


def parts_value(
    order: Order,
    parts: Iterable[OrderPart],
    products: Mapping[str, Product | None] = MappingProxyType({}),
) -> Money:
    """What the pieces in ``parts`` come to with VAT and their share of allowances and charges."""
    quantities: dict[str, Decimal] = {}
    for part in parts:
        quantities[part.line_id] = quantities.get(part.line_id, Decimal(0)) + part.quantity
    return _value(order, quantities, products)


def known_tax(tax: Tax | None, where: str) -> Tax:
    """A VAT category with a rate that fits it (BR-S-05, BR-Z-05, BR-E-05 and their like).

    Raises ``Refused``: ``vat-category-missing`` or ``vat-rate``, naming ``where``.
    """
    if tax is None:
        raise Refused(
            "vat-category-missing",
            f"BT-151/BT-95 VAT category is missing: {where} has none.",
            next_step="Give it a VAT category and rate, or give the product one, then bill again.",
        )
    if (tax.rate > 0) != (tax.category is VatCategory.STANDARD) or tax.rate < 0:
        raise Refused(
            "vat-rate",
            f"{where}: VAT category {tax.category} cannot have the rate {plain(tax.rate)} %.",
            next_step="Use S with a rate above 0, or one of Z, E, AE, K, G, O with 0.",
        )
    return tax


def document_progress(order: Order, before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> Progress:
    """Progress of the whole order by the value of its goods, or by pieces where all are free."""
    whole = {line.line_id: line.quantity.value for line in order.lines}
    if not _order_goods(order, whole):
        sums = (sum(quantities.values(), Decimal(0)) for quantities in (before, after, whole))
        return Progress(*sums)
    return Progress(*(_order_goods(order, quantities) for quantities in (before, after, whole)))


def _order_goods(order: Order, quantities: Mapping[str, Decimal]) -> Decimal:
    goods = (_goods(line, quantities.get(line.line_id, Decimal(0))) for line in order.lines)
    return sum(goods, Decimal(0))


def _goods(line: OrderLine, quantity: Decimal) -> Decimal:
    if line.net_price < 0 or line.price_base <= 0:  # BR-27; BT-149 must be above zero
        raise Refused(
            "price",
            f"line {line.line_id} ({line.name}): a price of {line.net_price} for {line.price_base}"
            " cannot be billed (BR-27).",
            next_step="Order with a price of at least 0 for a base quantity above 0.",
        )
    return line.net_price * quantity / line.price_base


def shares(extras: Iterable[AllowanceCharge], progress: Progress, digits: int) -> tuple[AllowanceCharge, ...]:
    """The allowances and charges of one invoice out of those of the whole."""
    shared = (_share(extra, progress, digits) for extra in extras)
    return tuple(extra for extra in shared if extra.amount)  # a share of nothing is not printed


def _share(extra: AllowanceCharge, progress: Progress, digits: int) -> AllowanceCharge:
    amount = progress.share(extra.amount, digits)
    if progress.before == 0 and progress.after == progress.whole:
        base = None if extra.base_amount is None else round_half_up(extra.base_amount, digits)
        return replace(extra, amount=amount, base_amount=base)
    # A share is an amount of its own: base x percent would no longer give it (PEPPOL-EN16931-R040).
    return replace(extra, amount=amount, base_amount=None, percent=None)


def _net_of(extras: Iterable[AllowanceCharge]) -> Decimal:
    """Charges minus allowances."""
    return sum((extra.amount if extra.is_charge else -extra.amount for extra in extras), Decimal(0))


def extra_name(extra: AllowanceCharge) -> str:
    """What to call a document allowance or charge in a message."""
    kind = "charge" if extra.is_charge else "allowance"
    return f"the document {kind} {extra.reason or extra.reason_code or plain(extra.amount)!r}"


def _breakdown(tax: Tax, taxable: Decimal, digits: int) -> VatBreakdown:
    reason, code = _EXEMPTIONS.get(tax.category, (None, None))
    return VatBreakdown(tax, taxable, round_half_up(taxable * tax.rate / 100, digits), reason, code)


def _value(order: Order, quantities: Mapping[str, Decimal], products: Mapping[str, Product | None]) -> Money:
    """Gross value of some pieces of an order; unknown VAT counts as none."""
    digits, taxable = document_digits(order.currency), dict[Tax | None, Decimal]()
    for line in order.lines:
        quantity = quantities.get(line.line_id, Decimal(0))
        if not quantity:
            continue
        product = products.get(line.line_id)
        tax = line.tax or (product.tax if product else None)
        progress = Progress(Decimal(0), quantity, line.quantity.value)
        extras = shares(line.allowance_charges, progress, digits)
        taxable[tax] = taxable.get(tax, Decimal(0)) + line_net(line, quantity, order.currency, extras)
    only = next(iter(taxable)) if len(taxable) == 1 else None
    for extra in shares(order.allowance_charges, document_progress(order, {}, quantities), digits):
        tax = extra.tax or only
        taxable[tax] = taxable.get(tax, Decimal(0)) + _net_of((extra,))
    vat = sum((round_half_up(n * t.rate / 100, digits) for t, n in taxable.items() if t), Decimal(0))
    return Money(sum(taxable.values(), Decimal(0)) + vat, order.currency)
