"""The receivables sub-ledger: double entry, append-only, in two currencies at once.

Every line carries integer minor units of the entry's currency and of the company's (base) currency,
and an entry balances in both or is never made. A correction is a reversing entry; balances are sums
over lines, never stored. What becomes which entry is in ``posting``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from o2c.errors import Broken
from o2c.order import Tax


class Account(StrEnum):
    """Roles; the company's settings map each to a number of its chart of accounts."""

    RECEIVABLE = "receivable"
    BANK = "bank"
    VAT_OUTPUT = "vat_output"
    SALES_TAXABLE = "sales_taxable"
    SALES_EXEMPT = "sales_exempt"
    SALES_EXPORT = "sales_export"
    ROUNDING = "rounding"
    ADVANCES = "advances"  # unallocated cash of a known customer
    SUSPENSE = "suspense"  # money of an unknown payer
    FX_GAIN = "fx_gain"
    FX_LOSS = "fx_loss"
    REMINDER_FEE = "reminder_fee"
    INTEREST = "interest"
    BAD_DEBT = "bad_debt"
    CASH_DISCOUNT = "cash_discount"
    BANK_CHARGES = "bank_charges"
    PAYMENT_DIFFERENCE = "payment_difference"  # small rests that are written off
    OPENING = "opening"  # the other side of what was taken over


class EntryKind(StrEnum):
    """What made the entry."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"
    PAYMENT = "payment"
    ALLOCATION = "allocation"
    REVERSAL = "reversal"
    OPENING = "opening"  # items taken over from a former system


@dataclass(frozen=True, slots=True)
class LedgerLine:
    """One side of one account. A pure exchange difference has no amount in the entry's currency."""

    account: Account
    debit: int
    credit: int
    base_debit: int
    base_credit: int
    customer_id: str | None = None
    invoice_number: str | None = None
    tax: Tax | None = None
    tax_base: int | None = None  # what the tax is reckoned on, minor units of the entry's currency

    def __post_init__(self) -> None:
        sides = (self.debit or self.base_debit, self.credit or self.base_credit)
        amounts = (self.debit, self.credit, self.base_debit, self.base_credit)
        if min(amounts) < 0 or (sides[0] > 0) == (sides[1] > 0):
            raise Broken("ledger-line", f"a line on {self.account} needs exactly one side: {amounts}.")

    @property
    def amount(self) -> int:
        """Debit minus credit, minor units of the entry's currency."""
        return self.debit - self.credit

    @property
    def base_amount(self) -> int:
        """Debit minus credit, minor units of the company's currency."""
        return self.base_debit - self.base_credit


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One posting. ``rate`` is units of ``base_currency`` for one of ``currency``.

    Raises ``Broken('ledger-unbalanced')`` unless debits equal credits in both currencies.
    """

    kind: EntryKind
    booked_on: date
    currency: str
    base_currency: str
    rate: Decimal
    document: str  # invoice number or payment key
    text: str
    lines: tuple[LedgerLine, ...]

    def __post_init__(self) -> None:
        off = (sum(line.amount for line in self.lines), sum(line.base_amount for line in self.lines))
        if off != (0, 0):
            raise Broken(
                "ledger-unbalanced",
                f"{self.kind} {self.document}: off by {off[0]} {self.currency} and {off[1]}"
                f" {self.base_currency} (minor units).",
            )


class ItemKind(StrEnum):
    """What an item is: money owed to us, or owed by us."""

    INVOICE = "invoice"
    CREDIT_NOTE = "credit_note"


@dataclass(frozen=True, slots=True)
class Discount:
    """Cash discount: ``percent`` (2 means 2 %) off the gross where it is paid by ``until``."""

    percent: Decimal
    until: date


class OpenItem(NamedTuple):
    """What is still owed on one invoice, in minor units of both currencies.

    The open amounts of a credit note are negative: it is we who owe. ``gross`` is the amount it
    began with, which discounts are reckoned on.
    """

    invoice_number: str
    customer_id: str
    customer_name: str
    reference: str
    currency: str
    open: int
    base_currency: str
    base_open: int
    issued_on: date
    due_on: date
    gross: int = 0
    kind: ItemKind = ItemKind.INVOICE
    discount: Discount | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """Debit minus credit in minor units of the document's and of the company's currency."""

    amount: int
    base_amount: int


def after(item: OpenItem, entry: LedgerEntry) -> OpenItem:
    """The item once a later entry is booked."""
    moved = balance([entry], Account.RECEIVABLE, entry.currency, invoice_number=item.invoice_number)
    return item._replace(open=item.open + moved.amount, base_open=item.base_open + moved.base_amount)


def balance(
    entries: Iterable[LedgerEntry],
    account: Account,
    currency: str,
    *,
    customer_id: str | None = None,
    invoice_number: str | None = None,
) -> Balance:
    """Balance of an account in one document currency, of all or of one customer or invoice."""
    lines = [
        line
        for entry in entries
        for line in entry.lines
        if line.account is account
        and entry.currency == currency
        and customer_id in (None, line.customer_id)
        and invoice_number in (None, line.invoice_number)
    ]
    return Balance(sum(line.amount for line in lines), sum(line.base_amount for line in lines))


def trial_balance(entries: Iterable[LedgerEntry]) -> dict[Account, int]:
    """Every account's balance in the company's minor units; together they are always 0."""
    sums: dict[Account, int] = {}
    for entry in entries:
        for line in entry.lines:
            sums[line.account] = sums.get(line.account, 0) + line.base_amount
    return sums


def sided(
    account: Account,
    amount: int,
    base_amount: int,
    *,
    customer_id: str | None = None,
    invoice_number: str | None = None,
    tax: Tax | None = None,
    tax_base: int | None = None,
) -> list[LedgerLine]:
    """A line from signed amounts (debit positive); none where there is nothing to book."""
    if not amount and not base_amount:
        return []
    return [
        LedgerLine(
            account,
            max(amount, 0),
            max(-amount, 0),
            max(base_amount, 0),
            max(-base_amount, 0),
            customer_id,
            invoice_number,
            tax,
            tax_base,
        )
    ]
