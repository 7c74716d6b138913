"""A bank statement as ISO 20022 camt.053 means it: ``Stmt`` > ``Ntry`` > ``TxDtls``.

A camt.052 report (``Rpt``) and a camt.054 notification (``Ntfctn``) read into the same values; only a
statement is ever posted. A payment is a ``TransactionDetails``; an entry without details is its own
payment. Amounts are positive, the direction is ``is_credit`` (CdtDbtInd), and ``is_reversal`` says
"undo" (RvslInd).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from o2c.money import Money


class MessageKind(StrEnum):
    """Which message it came in. A report is not yet booked, a notification details what is booked."""

    REPORT = "report"  # camt.052
    STATEMENT = "statement"  # camt.053
    NOTIFICATION = "notification"  # camt.054


class EntryStatus(StrEnum):
    """``Ntry/Sts``. Only booked entries are ever posted."""

    BOOKED = "BOOK"
    PENDING = "PDNG"
    INFORMATION = "INFO"


@dataclass(frozen=True, slots=True)
class Charge:
    """``Chrgs/Rcrd``: what a bank took (or gave back). ``is_included``: already in the booked amount."""

    amount: Money
    is_credit: bool = False
    is_included: bool | None = None


@dataclass(frozen=True, slots=True)
class ReferredDocument:
    """``RmtInf/Strd/RfrdDocInf`` with ``RfrdDocAmt``: a document the payer lists, and his amount for it."""

    number: str
    amount: Money | None = None


@dataclass(frozen=True, slots=True)
class TransactionDetails:
    """``TxDtls``: one payment.

    ``key`` tells it apart within the account for ever (AcctSvcrRef, else a hash of its fields).
    ``references`` are the structured creditor references; ``text`` the unstructured lines joined
    with a space and ``text_squeezed`` the same joined with nothing, for banks cut mid-token.
    """

    key: str
    amount: Money
    is_credit: bool
    references: tuple[str, ...] = ()
    text: str = ""
    text_squeezed: str = ""
    end_to_end_id: str | None = None
    counterparty: str | None = None
    counterparty_iban: str | None = None
    counterparty_postcode: str | None = None
    instructed: Money | None = None
    return_reason: str | None = None
    bank_reference: str | None = None  # Refs/AcctSvcrRef of the TxDtls, else of its entry
    transaction_id: str | None = None  # Refs/TxId
    mandate_id: str | None = None  # Refs/MndtId
    payer: str | None = None  # Dbtr/Nm where an UltmtDbtr is the counterparty: who really paid
    charges: tuple[Charge, ...] = ()
    documents: tuple[ReferredDocument, ...] = ()
    bank_code: str | None = None  # BkTxCd, e.g. "PMNT/RDDT/UPDD"


@dataclass(frozen=True, slots=True)
class Entry:
    """``Ntry``. ``position`` counts from 1 within the statement.

    Signed by direction, ``details`` add up to ``amount``; where ``withheld`` is set, less that. ``doubt``
    says why the bank's details could not be believed: they are then one payment, for a person to look at.
    """

    position: int
    amount: Money
    is_credit: bool
    status: EntryStatus
    booked_on: date
    details: tuple[TransactionDetails, ...]
    value_on: date | None = None
    is_reversal: bool = False
    is_unresolved_batch: bool = False  # several payments, no details: waits for its camt.054
    text: str = ""
    reference: str | None = None  # NtryRef
    bank_reference: str | None = None  # AcctSvcrRef
    is_batch: bool = False  # the bank says so (Btch); many a batch goes without
    announced: int | None = None  # Btch/NbOfTxs: how many payments the bank says there are
    transactions: int = 0  # how many TxDtls there were
    charges: tuple[Charge, ...] = ()  # Chrgs of the entry itself, as the bank states them
    withheld: Money | None = None  # what the bank kept of several details together, as its Chrgs say
    doubt: str | None = None


@dataclass(frozen=True, slots=True)
class Statement:
    """One ``Stmt`` of one account, proved: opening + booked entries = closing.

    A bank uses an ``Id`` again in a later year: with ``sequence`` and ``dated_on`` it names one statement.
    """

    statement_id: str
    account: str  # IBAN or Othr/Id, as configured
    currency: str
    entries: tuple[Entry, ...]
    opening: Money | None
    closing: Money | None
    sequence: int | None = None
    from_on: date | None = None
    to_on: date | None = None
    warnings: tuple[str, ...] = ()
    kind: MessageKind = MessageKind.STATEMENT
    dated_on: date | None = None  # the day of the closing balance, else of the statement itself
