"""How money that came in, goes back or turns out to be meant for something becomes ledger entries.

Double entry over the accounts of ``ledger``. An item gives up its own base value, what closes it
beside the cash (discount, write-off, charges) is booked at that value, and the difference to what
the bank gave is an exchange gain or loss. A discount takes its share of the invoice's own VAT along
(BG-23) where that is known. It never takes more from an item than is open.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import NamedTuple

from o2c.errors import Broken
from o2c.ledger import Account, EntryKind, LedgerEntry, LedgerLine, sided
from o2c.matching.model import Part
from o2c.money import Money, convert
from o2c.order import Tax


class Owed(NamedTuple):
    """How an item stands: open amounts in minor units of its own and of the company's currency."""

    customer_id: str
    open: int
    base_open: int


class VatShare(NamedTuple):
    """One VAT breakdown of an invoice (BG-23), minor units of its currency."""

    tax: Tax
    taxable: int
    amount: int


class Source(NamedTuple):
    """Where the money comes from: the bank, or where it has been waiting. Minor units."""

    account: Account
    amount: int
    base: int
    customer_id: str | None = None


@dataclass(frozen=True, slots=True)
class Use:
    """What becomes of money, in minor units of ``currency``, which is that of the items.

    ``unapplied`` is kept for ``customer_id``, or for somebody unknown; ``write_off`` is a surplus
    that is too small to keep for anybody.
    """

    currency: str
    parts: tuple[Part, ...] = ()
    unapplied: int = 0
    write_off: int = 0
    customer_id: str | None = None

    @property
    def amount(self) -> int:
        """All the money that is used."""
        return sum(part.amount for part in self.parts) + self.unapplied + self.write_off


@dataclass(frozen=True, slots=True)
class Posting:
    """What every entry of one payment says alike."""

    document: str
    booked_on: date
    base_currency: str
    rate: Decimal = Decimal(1)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Booked:
    """The entries of a payment, and what of it is left over, in minor units of its own currency."""

    entries: tuple[LedgerEntry, ...]
    rest: int


Vat = Mapping[str, Sequence[VatShare]]


def payment_entries(
    posting: Posting, paid: Money, use: Use, owed: Mapping[str, Owed], vat: Vat | None = None
) -> Booked:
    """A payment from the bank, negative where money goes out. ``posting.rate`` is that of the account's
    currency on the booking day.

    Where the items are in another currency, the bank's line carries their amount beside the base
    value of what came in; a rest then has an entry of its own, in the account's currency.
    Raises ``Broken('ledger-payment')`` unless the money is used to the last unit.
    """
    total = use.amount
    if paid.minor * total <= 0 or (use.currency == paid.currency and total != paid.minor):
        raise Broken(
            "ledger-payment", f"payment {posting.document}: {paid} is not what is made of it ({total})."
        )
    if use.currency == paid.currency:
        base = convert(paid.minor, paid.currency, posting.rate, posting.base_currency)
        entry = use_entry(EntryKind.PAYMENT, posting, Source(Account.BANK, paid.minor, base), use, owed, vat)
        return Booked((entry,), use.unapplied)
    rest = share(paid.minor, use.unapplied, total)
    entries: list[LedgerEntry] = []
    if use.parts or use.write_off:
        base = convert(paid.minor - rest, paid.currency, posting.rate, posting.base_currency)
        whole = replace(use, unapplied=0)
        source = Source(Account.BANK, whole.amount, base)
        entries.append(use_entry(EntryKind.PAYMENT, posting, source, whole, owed, vat))
    if rest:
        left = Use(paid.currency, unapplied=rest, customer_id=use.customer_id)
        base = convert(rest, paid.currency, posting.rate, posting.base_currency)
        entries.append(use_entry(EntryKind.PAYMENT, posting, Source(Account.BANK, rest, base), left, owed))
    return Booked(tuple(entries), rest)


def use_entry(
    kind: EntryKind,
    posting: Posting,
    source: Source,
    use: Use,
    owed: Mapping[str, Owed],
    vat: Vat | None = None,
) -> LedgerEntry:
    """One entry: the money leaves its source for items, accounts and small differences."""
    lines = sided(source.account, source.amount, source.base, customer_id=source.customer_id)
    for part in use.parts:
        lines += _part_lines(part, owed[part.number], vat)
    if use.unapplied:
        account = Account.SUSPENSE if use.customer_id is None else Account.ADVANCES
        base = share(source.base, use.unapplied, source.amount)
        lines += sided(account, -use.unapplied, -base, customer_id=use.customer_id)
    if use.write_off:
        base = share(source.base, use.write_off, source.amount)
        lines += sided(Account.PAYMENT_DIFFERENCE, -use.write_off, -base)
    return LedgerEntry(
        kind,
        posting.booked_on,
        use.currency,
        posting.base_currency,
        posting.rate,
        posting.document,
        posting.text,
        _with_fx(lines),
    )


def return_entry(posting: Posting, currency: str, source: Source, charges: int) -> LedgerEntry:
    """What the bank takes beside the money it takes back: its charges, in minor units."""
    lines = sided(source.account, -charges, -source.base)
    lines += sided(Account.BANK_CHARGES, charges, source.base)
    return LedgerEntry(
        EntryKind.PAYMENT,
        posting.booked_on,
        currency,
        posting.base_currency,
        posting.rate,
        posting.document,
        posting.text,
        tuple(lines),
    )


def undone(entry: LedgerEntry, document: str, booked_on: date, text: str) -> LedgerEntry:
    """The entry taken back by its mirror, in the name of ``document``."""
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
    return replace(
        entry, kind=EntryKind.REVERSAL, booked_on=booked_on, document=document, text=text, lines=lines
    )


def moved_items(entries: Iterable[LedgerEntry]) -> list[tuple[str, str, int, int]]:
    """(item, customer, change of the open amount, the same in base currency) of each receivable line."""
    return [
        (line.invoice_number, line.customer_id, line.amount, line.base_amount)
        for entry in entries
        for line in entry.lines
        if line.account is Account.RECEIVABLE
        and line.invoice_number is not None
        and line.customer_id is not None
    ]


def moved_cash(entries: Iterable[LedgerEntry]) -> list[tuple[str, int]]:
    """(customer, change of his cash on account in base currency) of each line on advances."""
    return [
        (line.customer_id, -line.base_amount)
        for entry in entries
        for line in entry.lines
        if line.account is Account.ADVANCES and line.customer_id is not None
    ]


def relieved(open_: int, base_open: int, part: int, what: str) -> int:
    """Base value that ``part`` of an open amount takes along; the closing part takes all that is left.
    Both are negative for a credit note."""
    if part == open_ and part:
        return base_open
    if not (0 < part < open_ or open_ < part < 0):
        raise Broken("ledger-allocation", f"{what}: {part} cannot be taken from {open_} (minor units).")
    return share(base_open, part, open_)


def share(amount: int, part: int, whole: int) -> int:
    """``amount * part / whole``, rounded half away from zero."""
    if part == whole:
        return amount
    top, bottom = amount * part, whole
    if bottom < 0:
        top, bottom = -top, -bottom
    size = (2 * abs(top) + bottom) // (2 * bottom)
    return size if top >= 0 else -size


def _part_lines(part: Part, item: Owed, vat: Vat | None) -> list[LedgerLine]:
    beside = part.discount + part.write_off + part.charges
    gone = part.amount + beside
    base = relieved(item.open, item.base_open, gone, part.number)
    lines = sided(Account.RECEIVABLE, -gone, -base, customer_id=item.customer_id, invoice_number=part.number)
    if not beside:
        return lines
    if part.discount:
        lines += _discount_lines(
            part.discount, share(base, part.discount, gone), (vat or {}).get(part.number, ())
        )
    for account, minor in (
        (Account.PAYMENT_DIFFERENCE, part.write_off),
        (Account.BANK_CHARGES, part.charges),
    ):
        lines += sided(account, minor, share(base, minor, gone))
    return lines


def _discount_lines(discount: int, base: int, vat: Sequence[VatShare]) -> list[LedgerLine]:
    """The discount net and the VAT it takes along, by the shares of the invoice's own breakdown."""
    whole = sum(one.taxable + one.amount for one in vat)
    if not whole:
        return sided(Account.CASH_DISCOUNT, discount, base)
    lines: list[LedgerLine] = []
    left, base_left = discount, base
    for place, one in enumerate(vat, start=1):
        gross = one.taxable + one.amount
        minor = left if place == len(vat) else share(discount, gross, whole)
        worth = base_left if place == len(vat) else share(base, gross, whole)
        left, base_left = left - minor, base_left - worth
        tax = share(minor, one.amount, gross) if gross else 0
        tax_base = share(worth, tax, minor) if minor else 0
        net, net_base = minor - tax, worth - tax_base
        lines += sided(Account.CASH_DISCOUNT, net, net_base, tax=one.tax, tax_base=abs(net))
        lines += sided(Account.VAT_OUTPUT, tax, tax_base, tax=one.tax, tax_base=abs(net))
    return lines


def _with_fx(lines: Sequence[LedgerLine]) -> tuple[LedgerLine, ...]:
    """The lines with the base currency balanced by an exchange gain or loss."""
    off = sum(line.base_amount for line in lines)
    if not off:
        return tuple(lines)
    return (*lines, *sided(Account.FX_GAIN if off > 0 else Account.FX_LOSS, 0, -off))
