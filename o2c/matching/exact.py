"""The first matcher: exact keys and nothing else. ``decide`` replaces it; gone with its last caller.

A key is an ISO 11649 reference that the bank returned, or a full invoice number in the text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from o2c.ledger import Allocation, OpenItem
from o2c.matching.keys import Keys
from o2c.matching.shapes import squeezed
from o2c.money import Money
from o2c.reference import is_rf, normal
from o2c.statement import Entry, TransactionDetails

_GAP = r"[\s\-./_]*"  # what people and banks put into a number, or cut it with
_RF_START = re.compile(r"\bRF\d\d")


class Reason(StrEnum):
    """Why a payment is left to a person."""

    DEBIT = "debit"
    REVERSAL = "reversal"
    BATCH = "batch"
    NO_AMOUNT = "no-amount"
    NO_KEY = "no-key"
    NOT_OPEN = "not-open"
    TWO_CUSTOMERS = "two-customers"
    OTHER_CURRENCY = "other-currency"
    SUM_DIFFERS = "sum-differs"


@dataclass(frozen=True, slots=True)
class Match:
    """A payment explained. ``rule`` reads ``reference-exact``, ``number-partial``, ``number-sum`` ..."""

    key: str
    customer_id: str
    allocations: tuple[Allocation, ...]
    unallocated: Money
    rule: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unmatched:
    """A payment for a person to look at. ``customer_id`` where all candidates have one owner."""

    key: str
    reason: Reason
    words: str
    candidates: tuple[str, ...] = ()
    customer_id: str | None = None


def series_pattern(prefix: str, width: int) -> re.Pattern[str]:
    """The mask of a number series, e.g. ``INV-2026-`` with 4 digits; blanks and dashes may stand anywhere.

    A sequence that has outgrown its width is found where it is written in one piece.
    """
    lead = _GAP.join(re.escape(sign) for sign in squeezed(prefix))
    digits = _GAP.join([r"\d"] * width)
    return re.compile(rf"(?<![^\W_]){lead}{_GAP}(?:\d{{{width + 1},}}|{digits})(?!\d)", re.IGNORECASE)


def keys_of(payment: TransactionDetails, number_pattern: re.Pattern[str]) -> Keys:
    """The keys a payment names. The lines joined with nothing speak only where the text is silent."""
    references = {normal(reference) for reference in payment.references}
    references |= _references_in(payment.text) or _references_in(payment.text_squeezed)
    numbers = _numbers_in(payment.text, number_pattern) or _numbers_in(payment.text_squeezed, number_pattern)
    return Keys(frozenset(filter(None, references)), numbers)


def match(
    entry: Entry,
    payment: TransactionDetails,
    keys: Keys,
    items_by_reference: Mapping[str, OpenItem],
    items_by_number: Mapping[str, OpenItem],
) -> Match | Unmatched:
    """The one explanation of a payment, or why there is none.

    The mappings go by normal reference and by squeezed number, and may hold settled items (open 0).
    """
    refused = _not_a_receipt(entry, payment)
    if refused is not None:
        return refused
    by_reference = [items_by_reference[key] for key in sorted(keys.references & items_by_reference.keys())]
    by_number = [items_by_number[key] for key in sorted(keys.numbers & items_by_number.keys())]
    named = {item.invoice_number: item for item in (*by_reference, *by_number)}
    items = tuple(item for item in named.values() if item.open > 0)
    problem = _no_item(payment, keys, tuple(named.values())) if not items else _problem(payment, items)
    if problem is not None:
        return problem
    rule = "reference" if by_reference else "number"
    complete = keys.numbers <= items_by_number.keys() and len(items) == len(named)
    return _fit(payment, items, rule, complete, _evidence(by_reference, by_number))


def _not_a_receipt(entry: Entry, payment: TransactionDetails) -> Unmatched | None:
    if entry.is_reversal or payment.return_reason:
        return Unmatched(
            payment.key, Reason.REVERSAL, "The bank undoes an earlier payment; find it and undo it."
        )
    if not payment.is_credit:
        return Unmatched(payment.key, Reason.DEBIT, "Money went out; it settles no invoice of ours.")
    if entry.is_unresolved_batch:
        return Unmatched(payment.key, Reason.BATCH, "Several payments in one sum; import their camt.054.")
    if payment.amount.amount <= 0:
        return Unmatched(payment.key, Reason.NO_AMOUNT, "The payment has no amount.")
    return None


def _no_item(payment: TransactionDetails, keys: Keys, settled: Sequence[OpenItem]) -> Unmatched:
    if not settled and not keys.numbers:
        return Unmatched(payment.key, Reason.NO_KEY, "It names no invoice of ours; allocate it by hand.")
    customers = {item.customer_id for item in settled}
    owner = customers.pop() if len(customers) == 1 else None
    numbers = tuple(item.invoice_number for item in settled) or tuple(sorted(keys.numbers))
    words = f"{', '.join(numbers)}: settled or unknown; pay it back or allocate it by hand."
    return Unmatched(payment.key, Reason.NOT_OPEN, words, customer_id=owner)


def _problem(payment: TransactionDetails, items: Sequence[OpenItem]) -> Unmatched | None:
    numbers = tuple(item.invoice_number for item in items)
    if len({item.customer_id for item in items}) > 1:
        words = "It names invoices of several customers; ask the payer which are meant."
        return Unmatched(payment.key, Reason.TWO_CUSTOMERS, words, numbers)
    if {item.currency for item in items} != {payment.amount.currency}:
        words = f"It pays in {payment.amount.currency} for an invoice in another currency."
        return Unmatched(payment.key, Reason.OTHER_CURRENCY, words, numbers, items[0].customer_id)
    return None


def _fit(
    payment: TransactionDetails,
    items: Sequence[OpenItem],
    rule: str,
    complete: bool,
    evidence: tuple[str, ...],
) -> Match | Unmatched:
    """The amount against the items named. A part or too much is clear only where one item is."""
    paid, owed = payment.amount.minor, sum(item.open for item in items)
    if paid != owed and (len(items) > 1 or not complete):
        words = f"The invoices named do not add up to {payment.amount}; allocate it by hand."
        numbers = tuple(item.invoice_number for item in items)
        return Unmatched(payment.key, Reason.SUM_DIFFERS, words, numbers, items[0].customer_id)
    size = "exact" if len(items) == 1 else "sum"
    if paid != owed:
        size = "partial" if paid < owed else "over"
    currency = payment.amount.currency
    allocations = tuple(
        Allocation(item.invoice_number, Money.from_minor(min(item.open, paid), currency)) for item in items
    )
    rest = Money.from_minor(max(paid - owed, 0), currency)
    return Match(payment.key, items[0].customer_id, allocations, rest, f"{rule}-{size}", evidence)


def _evidence(by_reference: Iterable[OpenItem], by_number: Iterable[OpenItem]) -> tuple[str, ...]:
    references = (f"reference {item.reference} is that of {item.invoice_number}" for item in by_reference)
    numbers = (f"number {item.invoice_number} is in the text" for item in by_number)
    return (*references, *numbers)


def _references_in(text: str) -> set[str]:
    """RF references in free text, printed in one piece or in groups."""
    found = set()
    upper = text.upper()
    for start in _RF_START.finditer(upper):
        words = re.findall(r"[A-Z0-9]+", upper[start.start() :])
        # It ends with some word; which one is settled by the check digits and by being one of ours.
        candidates = ("".join(words[:count]) for count in range(1, len(words) + 1))
        found |= {reference for reference in candidates if len(reference) <= 25 and is_rf(reference)}
    return found


def _numbers_in(text: str, pattern: re.Pattern[str]) -> frozenset[str]:
    return frozenset(squeezed(found.group()) for found in pattern.finditer(text))
