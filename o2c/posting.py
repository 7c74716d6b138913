"""How invoices and payments become ledger entries.

Double entry over the accounts of ``ledger``; VAT follows the invoice's own breakdown (BG-23), and
exchange differences are realised when an item is settled. It never books what does not balance, and
never takes more from an item than is open.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

from o2c.errors import Broken
from o2c.invoice import Invoice, InvoiceType
from o2c.ledger import Account, Allocation, EntryKind, LedgerEntry, LedgerLine, OpenItem, Unapplied, sided
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


def open_item(invoice: Invoice, entry: LedgerEntry, customer_name: str) -> OpenItem:
    """The item that an invoice's own entry opens."""
    (line,) = (line for line in entry.lines if line.account is Account.RECEIVABLE)
    if line.customer_id is None:
        raise Broken("ledger-customer", f"invoice {invoice.number} is booked on no customer.")
    return OpenItem(
        invoice.number,
        line.customer_id,
        customer_name,
        invoice.payment.reference,
        entry.currency,
        line.amount,
        entry.base_currency,
        line.base_amount,
        invoice.issued_on,
        invoice.due_on,
    )


def payment_entry(
    *,
    document: str,
    amount: Money,
    booked_on: date,
    allocations: Sequence[Allocation],
    items: Mapping[str, OpenItem],
    customer_id: str | None,
    base_currency: str,
    rate: Decimal = Decimal(1),
    text: str = "",
) -> LedgerEntry:
    """Bank against receivables; what is not allocated goes to advances or, payer unknown, to suspense.

    ``document`` is the payment's key, ``rate`` that of its booking day, ``items`` the open items by
    invoice number. Each invoice gives up its own base value; the difference is exchange gain or loss.
    """
    currency, paid = amount.currency, amount.minor
    settled = _settled(allocations, items, currency)
    rest = paid + sum(line.amount for line in settled)
    if paid <= 0 or rest < 0:
        raise Broken("ledger-payment", f"payment {document}: {amount} does not cover its allocations.")
    received = convert(paid, currency, rate, base_currency)
    rest_account = Account.SUSPENSE if customer_id is None else Account.ADVANCES
    lines = [
        *sided(Account.BANK, paid, received),
        *settled,
        *sided(rest_account, -rest, -convert(rest, currency, rate, base_currency), customer_id=customer_id),
    ]
    return LedgerEntry(
        EntryKind.PAYMENT, booked_on, currency, base_currency, rate, document, text, _with_fx(lines)
    )


def allocation_entry(
    *,
    unapplied: Unapplied,
    booked_on: date,
    allocations: Sequence[Allocation],
    items: Mapping[str, OpenItem],
    text: str = "",
) -> LedgerEntry:
    """Moves money from advances or suspense to the invoices it turned out to be meant for."""
    settled = _settled(allocations, items, unapplied.currency)
    moved = -sum(line.amount for line in settled)
    base = _relieved(unapplied.open, unapplied.base_open, moved, unapplied.document)
    lines = [*sided(unapplied.account, moved, base, customer_id=unapplied.customer_id), *settled]
    return LedgerEntry(
        EntryKind.ALLOCATION,
        booked_on,
        unapplied.currency,
        unapplied.base_currency,
        unapplied.rate,
        unapplied.document,
        text,
        _with_fx(lines),
    )


def reverse(entry: LedgerEntry, booked_on: date, text: str = "") -> LedgerEntry:
    """The entry undone: the same lines with their sides swapped."""
    lines = tuple(
        replace(
            line,
            debit=line.credit,
            credit=line.debit,
            base_debit=line.base_credit,
            base_credit=line.base_debit,
        )
        for line in entry.lines
    )
    words = text or f"Reversal of {entry.kind} {entry.document}"
    return replace(entry, kind=EntryKind.REVERSAL, booked_on=booked_on, text=words, lines=lines)


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


def _with_fx(lines: Sequence[LedgerLine]) -> tuple[LedgerLine, ...]:
    """The lines with the base currency balanced by an exchange gain or loss."""
    off = sum(line.base_amount for line in lines)
    return (*lines, *sided(Account.FX_GAIN if off > 0 else Account.FX_LOSS, 0, -off))


def _settled(
    allocations: Sequence[Allocation], items: Mapping[str, OpenItem], currency: str
) -> list[LedgerLine]:
    """One receivable line per allocation, relieved of the item's own base value."""
    if len({one.invoice_number for one in allocations}) != len(allocations):
        raise Broken("ledger-allocation", "an invoice is named twice in one payment.")
    lines: list[LedgerLine] = []
    for one in allocations:
        item = items[one.invoice_number]
        if {one.amount.currency, item.currency} != {currency}:
            raise Broken("ledger-allocation", f"{one.amount} cannot settle {item.currency} in {currency}.")
        part = one.amount.minor
        base = _relieved(item.open, item.base_open, part, item.invoice_number)
        lines += sided(
            Account.RECEIVABLE,
            -part,
            -base,
            customer_id=item.customer_id,
            invoice_number=item.invoice_number,
        )
    return lines


def _relieved(open_: int, base_open: int, part: int, what: str) -> int:
    """Base value that ``part`` of an open amount takes along; the closing part takes all that is left."""
    if not 0 < part <= open_:
        raise Broken("ledger-allocation", f"{what}: {part} cannot be taken from {open_} (minor units).")
    return base_open if part == open_ else (2 * base_open * part + open_) // (2 * open_)
