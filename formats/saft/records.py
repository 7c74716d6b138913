"""What a SAF-T Norway Financial file is made of, before any XML.

Governed by the Norwegian SAF-T Financial schema 1.30 and 1.40. Amounts are integer minor units
(øre) of the company's currency; a balance is signed, debit positive; a line has a debit or a
credit, never a negative amount (F14). Totals and balances come in as values: the transactions
are only ever streamed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum

from o2c.party import Address


class Version(StrEnum):
    """``AuditFileVersion``: 1.40 is required for periods that start in 2027 or later."""

    V1_30 = "1.30"
    V1_40 = "1.40"


@dataclass(frozen=True, slots=True)
class Contact:
    """``ContactPerson``. The official stand-in for an unstructured name is ``NotUsed`` as first name."""

    last_name: str
    first_name: str = "NotUsed"
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """``Header``. The selection is by posting date, both days included, at most one year (F10).

    A fiscal year is named after the calendar year in which it starts.
    """

    registration_number: str
    company_name: str
    contact: Contact
    created_on: date
    selection_start: date
    selection_end: date
    software_company: str
    software_id: str
    software_version: str
    version: Version = Version.V1_40
    currency: str = "NOK"
    address: Address | None = None
    vat_number: str | None = None  # e.g. 999999999MVA
    comment: str | None = None
    other_criteria: tuple[str, ...] = ()
    user_id: str | None = None
    fiscal_year_start_month: int = 1


@dataclass(frozen=True, slots=True)
class GlAccount:
    """``Account``. Lines of a sub-ledger account name their customer; lines of a tax account bear no tax."""

    account_id: str
    description: str
    grouping_category: str
    grouping_code: str
    opening_minor: int = 0
    closing_minor: int = 0
    is_subledger: bool = False
    is_tax: bool = False


@dataclass(frozen=True, slots=True)
class AccountBalance:
    """``BalanceAccount``: what one customer owed on one account at both ends of the selection."""

    account_id: str
    opening_minor: int
    closing_minor: int


@dataclass(frozen=True, slots=True)
class CustomerBalance:
    """``Customer``. Only customers with a movement or a balance belong into the file (F11)."""

    customer_id: str
    name: str
    balances: tuple[AccountBalance, ...]
    address: Address | None = None
    registration_number: str | None = None
    payment_days: int | None = None


@dataclass(frozen=True, slots=True)
class TaxCode:
    """``TaxCodeDetails``: our code and the authority's. ``rate`` in percent, None where none applies."""

    code: str
    description: str
    standard_code: str
    rate: Decimal | None = None
    country: str = "NO"


@dataclass(frozen=True, slots=True)
class Journal:
    """``Journal``. ``type`` is GL, AR, AP or A (assortment)."""

    journal_id: str
    description: str
    type: str = "AR"


@dataclass(frozen=True, slots=True)
class LineTax:
    """``TaxInformation`` of a base line (F08); it lies on the side of its line."""

    code: str
    base_minor: int
    amount_minor: int
    rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """``Line``. ``currency_minor`` is the document's amount in minor units of ``currency``;
    ``exchange_rate`` is units of the company's currency for one of it."""

    record_id: str
    account_id: str
    description: str
    debit_minor: int = 0
    credit_minor: int = 0
    customer_id: str | None = None
    tax: LineTax | None = None
    reference_number: str | None = None  # invoice number
    cid: str | None = None  # KID or other payment reference
    due_on: date | None = None
    cross_reference: str | None = None  # what it settles
    currency: str | None = None
    currency_minor: int | None = None
    exchange_rate: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """``Transaction``: one voucher, balanced (F02). A credit note is one with its sides swapped."""

    transaction_id: str
    journal_id: str
    on: date
    entered_on: date
    posted_on: date
    description: str
    lines: tuple[Line, ...]
    voucher_type: str | None = None
    voucher_description: str | None = None
    modified_on: date | None = None


@dataclass(frozen=True, slots=True)
class Totals:
    """What precedes the entries: transactions (not lines) and both sums, minor units."""

    transactions: int
    debit_minor: int
    credit_minor: int


@dataclass(frozen=True, slots=True)
class AuditFile:
    """Everything but the transactions. ``totals`` are those of this very file (F01)."""

    header: Header
    accounts: tuple[GlAccount, ...]
    customers: tuple[CustomerBalance, ...]
    tax_codes: tuple[TaxCode, ...]
    journals: tuple[Journal, ...]
    totals: Totals
    grouping_pairs: frozenset[tuple[str, str]] = field(default_factory=frozenset)  # the full official list
