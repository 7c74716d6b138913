"""How invoices become ledger entries; what payments become is in ``cash``.

Double entry over the accounts of ``ledger``; VAT follows the invoice's own breakdown (BG-23).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from o2c.invoice import Invoice, InvoiceType
from o2c.ledger import Account, EntryKind, LedgerEntry, LedgerLine, sided
from o2c.money import Money, convert
from o2c.order import VatCategory

# Where sales are booked; every category not named here is exempt or zero-rated.
_SALES = {
    VatCategory.STANDARD: Account.SALES_TAXABLE,
    VatCategory.INTRA_COMMUNITY: Account.SALES_EXPORT,
    VatCategory.EXPORT: Account.SALES_EXPORT,
}


def invoice_entry(
    invoice: Invoice, *, customer_id: str, base_currency: str, rate: Decimal = Decimal(1)
) -> LedgerEntry:
    """Receivable against sales and VAT, one pair of lines per VAT category and rate.

    Each line is converted once. What the conversions leave over goes on the largest sales line,
    where nobody is owed it, or on the rounding account where that line could not carry it.
    A credit note (381) is the same with sides swapped.
    """
    sign = -1 if invoice.type is InvoiceType.CREDIT_NOTE else 1
    currency = invoice.currency

    def minor(amount: Decimal) -> int:
        return sign * Money(amount, currency).minor

    def base(amount: int) -> int:
        return convert(amount, currency, rate, base_currency)

    owed = minor(invoice.totals.payable)
    earned: list[LedgerLine] = []
    for entry in invoice.breakdown:
        taxable, tax = minor(entry.taxable_amount), minor(entry.tax_amount)
        earned += sided(
            _SALES.get(entry.tax.category, Account.SALES_EXEMPT),
            -taxable,
            -base(taxable),
            tax=entry.tax,
            tax_base=abs(taxable),
        )
        earned += sided(Account.VAT_OUTPUT, -tax, -base(tax), tax=entry.tax, tax_base=abs(taxable))
    receivable = sided(
        Account.RECEIVABLE, owed, base(owed), customer_id=customer_id, invoice_number=invoice.number
    )
    return LedgerEntry(
        EntryKind.CREDIT_NOTE if sign < 0 else EntryKind.INVOICE,
        invoice.issued_on,
        currency,
        base_currency,
        rate,
        invoice.number,
        f"Invoice {invoice.number}" if sign > 0 else f"Credit note {invoice.number}",
        _level([*receivable, *earned]),
    )


def _level(lines: Sequence[LedgerLine]) -> tuple[LedgerLine, ...]:
    """The lines with the base currency balanced: see ``invoice_entry``."""
    off = sum(line.base_amount for line in lines)
    sales = [line for line in lines if line.tax and line.account is not Account.VAT_OUTPUT]
    if not off:
        return tuple(lines)
    largest = max(sales, key=lambda line: abs(line.base_amount), default=None)
    if largest is None or abs(off) >= abs(largest.base_amount):
        return (*lines, *sided(Account.ROUNDING, 0, -off))
    side = "base_debit" if largest.base_debit else "base_credit"
    moved = -off if side == "base_debit" else off
    mended = replace(largest, **{side: getattr(largest, side) + moved})
    return tuple(mended if line is largest else line for line in lines)
