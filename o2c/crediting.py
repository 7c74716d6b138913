"""From an invoice to the credit note that takes it back, whole or in part.

Governed by EN 16931-1 (type 381, BG-3). Amounts are positive: that they are owed the other way round
is what the type says. Parts are shared by progress (see ``totals``), so that however an invoice is
credited, its credit notes sum to exactly what it charged. It never credits a piece twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from types import MappingProxyType

from o2c.errors import Refused
from o2c.invoice import Invoice, InvoiceLine, InvoiceType, Payment, VatBreakdown
from o2c.money import document_digits, plain
from o2c.order import AllowanceCharge, Tax
from o2c.totals import Progress, document_totals, shares

# UNTDID 4461: what two partners owe each other is set off, so that nobody need transfer it back.
_CLEARING = "97"


def credit_note(
    invoice: Invoice,
    *,
    number: str,
    issued_on: date,
    quantities: Mapping[str, Decimal] | None = None,
    credited: Mapping[str, Decimal] = MappingProxyType({}),
    reason: str | None = None,
) -> Invoice:
    """The credit note over ``quantities`` of the invoice's lines (by line id); None: all that is left.

    ``credited`` is what earlier credit notes took back of each line. Raises ``Refused``:
    ``credit-invoice`` (it is a credit note itself), ``credit-line``, ``credit-quantity``,
    ``credit-nothing``.
    """
    if invoice.type is InvoiceType.CREDIT_NOTE:
        raise Refused("credit-invoice", f"{invoice.number} is a credit note; credit the invoice it names.")
    after = _after(invoice, quantities, credited)
    digits = document_digits(invoice.currency)
    lines = tuple(_lines(invoice, credited, after, digits))
    if not lines:
        raise Refused("credit-nothing", f"nothing of {invoice.number} is left to credit.")
    goods = Progress(*(_goods(invoice, reached, digits) for reached in (credited, after, _whole(invoice))))
    extras = shares(_taxed(invoice), goods, digits)
    taxes = {line.tax for line in lines} | {extra.tax for extra in extras if extra.tax is not None}
    breakdown = tuple(_breakdown(invoice, credited, after, taxes, digits))
    return replace(
        invoice,
        number=number,
        issued_on=issued_on,
        due_on=issued_on,
        type=InvoiceType.CREDIT_NOTE,
        lines=lines,
        allowance_charges=extras,
        breakdown=breakdown,
        totals=document_totals(lines, extras, breakdown),
        payment=_set_off(invoice),
        note=reason,
        preceding=(invoice.number,),
    )


def _set_off(invoice: Invoice) -> Payment:
    words = f"Credited to invoice {invoice.number}"
    return Payment(invoice.payment.reference, means_code=_CLEARING, terms=words)


def _whole(invoice: Invoice) -> dict[str, Decimal]:
    return {line.line_id: line.quantity.value for line in invoice.lines}


def _after(
    invoice: Invoice, quantities: Mapping[str, Decimal] | None, credited: Mapping[str, Decimal]
) -> dict[str, Decimal]:
    """What is credited of each line once this credit note is issued."""
    whole = _whole(invoice)
    if quantities is None:
        return whole
    for line_id, quantity in quantities.items():
        if line_id not in whole:
            raise Refused("credit-line", f"invoice {invoice.number} has no line {line_id!r}.")
        before = credited.get(line_id, Decimal(0))
        if not 0 < quantity <= whole[line_id] - before:
            told = (
                f"line {line_id} of {invoice.number}: {plain(quantity)} cannot be credited;"
                f" {plain(whole[line_id])} were invoiced and {plain(before)} are credited."
            )
            raise Refused("credit-quantity", told, next_step="Correct the quantity.")
    none = Decimal(0)
    return {line_id: credited.get(line_id, none) + quantities.get(line_id, none) for line_id in whole}


def _lines(
    invoice: Invoice, credited: Mapping[str, Decimal], after: Mapping[str, Decimal], digits: int
) -> Iterator[InvoiceLine]:
    for line in invoice.lines:
        progress = _line_progress(line, credited, after)
        if progress.after > progress.before:
            yield replace(
                line,
                quantity=replace(line.quantity, value=progress.after - progress.before),
                net_amount=progress.share(line.net_amount, digits),
                allowance_charges=shares(line.allowance_charges, progress, digits),
            )


def _line_progress(
    line: InvoiceLine, before: Mapping[str, Decimal], after: Mapping[str, Decimal]
) -> Progress:
    none = Decimal(0)
    return Progress(before.get(line.line_id, none), after.get(line.line_id, none), line.quantity.value)


def _goods(invoice: Invoice, reached: Mapping[str, Decimal], digits: int) -> Decimal:
    """The value of the goods credited so far; their pieces where all are free."""
    if not any(line.net_amount for line in invoice.lines):
        return sum(reached.values(), Decimal(0))
    values = (_line_progress(line, {}, reached).share(line.net_amount, digits) for line in invoice.lines)
    return sum(values, Decimal(0))


def _taxed(invoice: Invoice) -> tuple[AllowanceCharge, ...]:
    """The document's allowances and charges, each with its VAT category."""
    only = invoice.breakdown[0].tax
    return tuple(replace(extra, tax=extra.tax or only) for extra in invoice.allowance_charges)


def _breakdown(
    invoice: Invoice,
    credited: Mapping[str, Decimal],
    after: Mapping[str, Decimal],
    taxes: set[Tax],
    digits: int,
) -> Iterator[VatBreakdown]:
    """BG-23 of the part: also the VAT is shared, or the cents of many parts would not add up."""
    before, until = _taxable(invoice, credited, digits), _taxable(invoice, after, digits)
    for entry in invoice.breakdown:
        if entry.tax in taxes:
            start, end = before[entry.tax], until[entry.tax]
            tax = Progress(start, end, entry.taxable_amount).share(entry.tax_amount, digits)
            yield replace(entry, taxable_amount=end - start, tax_amount=tax)


def _taxable(invoice: Invoice, reached: Mapping[str, Decimal], digits: int) -> dict[Tax, Decimal]:
    """BT-116 of everything credited so far."""
    sums = {entry.tax: Decimal(0) for entry in invoice.breakdown}
    for line in invoice.lines:
        sums[line.tax] += _line_progress(line, {}, reached).share(line.net_amount, digits)
    goods = Progress(Decimal(0), _goods(invoice, reached, digits), _goods(invoice, _whole(invoice), digits))
    for extra in shares(_taxed(invoice), goods, digits):
        if extra.tax is not None:
            sums[extra.tax] += extra.amount if extra.is_charge else -extra.amount
    return sums
