"""What a block of payments is decided on, fetched set by set: each function is asked once a block.

The credit accounts concerned are locked before what they owe is read, so that nothing of it changes
before the block is in the books. Items come as rows, which travel between processes for nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from gateway.stages.desk import Desk
from gateway.store import allocations, bank, cash, companies, invoices, items, payers, postings
from gateway.store.allocations import Standing
from gateway.store.bank import StoredPayment
from gateway.store.bulk import Rows
from gateway.store.ledger import Posted
from o2c.cash import VatShare
from o2c.matching import squeezed
from o2c.money import Money


@dataclass(frozen=True, slots=True)
class Invoiced:
    """Of items that were invoiced here: their orders, and the VAT of those that offer a discount, which
    takes its share along."""

    orders: dict[str, str] = field(default_factory=dict)
    vat: dict[str, list[VatShare]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Beginning:
    """What stays the same: the shapes of item numbers and customer ids."""

    shapes: tuple[list[str], list[str]]
    issues: bool  # are there invoices of this house among the items?


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the payments of a block name, all together."""

    account: str
    payments: list[str]  # their keys
    references: set[str]
    numbers: set[str]
    ibans: set[str]
    customers: set[str]
    names: set[str]


@dataclass(frozen=True, slots=True)
class Named:
    """What is here of it. ``known`` are the keys of payments that came in before, ``people`` all who are
    named, the owners of the items and the holders of the accounts."""

    known: set[str]
    items: Rows
    invoiced: Invoiced
    accounts: Rows
    people: Rows


@dataclass(frozen=True, slots=True)
class Owing:
    """What customers owe, and what the cash policy asks of them."""

    items: Rows
    invoiced: Invoiced
    traits: Rows


@dataclass(frozen=True, slots=True)
class Earlier:
    """Stored payments that a block's returns may mean, with what stands of them and their items; and
    those of which something is left over for a refund."""

    payments: list[StoredPayment] = field(default_factory=list)
    entries: dict[str, list[Posted]] = field(default_factory=dict)
    standing: dict[str, list[Standing]] = field(default_factory=dict)
    items: Rows = field(default_factory=Rows)
    people: Rows = field(default_factory=Rows)
    invoiced: Invoiced = field(default_factory=Invoiced)
    credits: list[StoredPayment] = field(default_factory=list)


def beginning(desk: Desk, connection: Connection) -> Beginning:
    """Asked once for a file."""
    company_id = desk.company_id
    return Beginning(items.shapes(connection, company_id), invoices.any_of(connection, company_id))


def rate(desk: Desk, connection: Connection, currency: str, day: date) -> Decimal:
    """Units of the company's currency for one; ``Refused('exchange-rate-missing')``."""
    return companies.rate_on(connection, desk.company, currency, day)


def traits(desk: Desk, connection: Connection, name: str) -> cash.Traits:
    """What the cash policy asks of one customer."""
    found = cash.traits(connection, desk.company_id, [name])
    return cash.Traits(*found[0][1:]) if found else cash.UNKNOWN


def waiting(desk: Desk, connection: Connection, account: str) -> list[StoredPayment]:
    """Batches of an account whose payments are not known yet."""
    return bank.batches_waiting(connection, desk.company_id, account)


def entries_of(desk: Desk, connection: Connection, payment_id: str) -> list[Posted]:
    """The standing entries of one payment."""
    return postings.of_documents(connection, desk.company_id, [payment_id]).get(payment_id, [])


def named(desk: Desk, connection: Connection, wanted: Wanted, issues: bool) -> Named:
    """What the payments name, its owners locked."""
    company_id = desk.company_id
    found = _locked(desk, connection, wanted.references, wanted.numbers)
    accounts = payers.accounts(connection, company_id, wanted.ibans)
    ids = {items.owner_of(row) for row in found} | {account[1] for account in accounts}
    return Named(
        bank.known_keys(connection, company_id, wanted.account, wanted.payments),
        found,
        _invoiced(desk, connection, found, issues),
        accounts,
        payers.named(connection, company_id, ids, wanted.customers, wanted.names),
    )


def owing(desk: Desk, connection: Connection, names: Collection[str], issues: bool) -> Owing:
    """All that these customers owe, under their lock."""
    company_id = desk.company_id
    payers.lock_rows(connection, company_id, names)
    found = items.open_rows(connection, company_id, names)
    return Owing(
        found,
        _invoiced(desk, connection, found, issues),
        cash.traits(connection, company_id, names),
    )


def earlier(
    desk: Desk,
    connection: Connection,
    account: str,
    marks: Mapping[str, list[str]],
    credited: Collection[str],
    issues: bool,
) -> Earlier:
    """The payments with these marks, and what the ``credited`` customers have left over."""
    company_id = desk.company_id
    found = bank.by_marks(connection, company_id, account, marks)
    ids = [one.payment_id for one in found]
    standing = allocations.of_payments(connection, company_id, ids)
    # What may be given back is open again for the payments that follow.
    numbers = {squeezed(part.number) for parts in standing.values() for part in parts}
    rows = _locked(desk, connection, (), numbers) if numbers else Rows()
    return Earlier(
        found,
        postings.of_documents(connection, company_id, ids) if ids else {},
        standing,
        rows,
        payers.named(connection, company_id, {items.owner_of(row) for row in rows}, (), ()),
        _invoiced(desk, connection, rows, issues),
        bank.with_rest(connection, company_id, credited) if credited else [],
    )


def vat_of(connection: Connection, company_id: str, numbers: Sequence[str]) -> dict[str, list[VatShare]]:
    """The VAT breakdowns of invoices of this house."""
    if not numbers:
        return {}
    return {
        one.invoice.number: [
            VatShare(
                vat.tax,
                Money(vat.taxable_amount, one.invoice.currency).minor,
                Money(vat.tax_amount, one.invoice.currency).minor,
            )
            for vat in one.invoice.breakdown
        ]
        for one in invoices.some(connection, company_id, numbers)
    }


def _locked(
    desk: Desk, connection: Connection, references: Collection[str], numbers: Collection[str]
) -> Rows:
    """The items of these references and numbers as they stand once their owners are locked."""
    if connection.dialect.name != "sqlite":  # whose one lock is held already
        owners = items.owners(connection, desk.company_id, references, numbers)
        payers.lock_rows(connection, desk.company_id, owners)
    return items.rows_by_keys(connection, desk.company_id, references, numbers)


def _invoiced(desk: Desk, connection: Connection, found: Rows, issues: bool) -> Invoiced:
    if not issues or not found:
        return Invoiced()
    orders = items.with_orders(connection, desk.company_id, [items.number_of(row) for row in found])
    offering = [
        number
        for row in found
        if items.discount_of(row) is not None and (number := items.number_of(row)) in orders
    ]
    return Invoiced(orders, vat_of(connection, desk.company_id, offering))
