"""What one payment names: references, numbers, customers, accounts and names, found without any data.

Keys are what the items of a block of payments are fetched by, and what ``decide`` begins with.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from o2c.matching.found import Found, numbers_in
from o2c.matching.names import lookup_keys
from o2c.matching.shapes import Shapes, squeezed
from o2c.reference import is_checked, is_rf, normal
from o2c.statement import TransactionDetails


class Keys(NamedTuple):
    """What one payment names. Items, customers and accounts of a block are fetched by these."""

    references: frozenset[str]
    numbers: frozenset[str]
    customers: frozenset[str] = frozenset()
    ibans: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    found: tuple[Found, ...] = ()


_NONE: frozenset[str] = frozenset()
_RF_START = re.compile(r"\bRF\d\d(?=[\sA-Z0-9])")
_WORD = re.compile(r"[A-Z0-9]+")
_OGM = re.compile(r"(?<![\d/])(\d{3}/\d{4}/\d{5})(?![\d/])")
_FIK = re.compile(r"\+?7[15]<\d{15,16}")
_DIGITS = re.compile(r"(?<![\w.,])(?<!\d[-/])\d[\d ]{4,}\d(?![\w])(?![.,]\d)")
_CUSTOMER_WORD = re.compile(  # every way begins with its own letter: so the search skips all others
    r"(?:KD\.?|K(?<!\wK)\.?(?=NR)|KUND\w*|CUST\w*|CLIENT|DEBITOR\w*|DEB\.?|MITGLIED\w*)[\s.\-]*(?:NR|NO|NUMMER|NUMBER|ID)?\.?[\s:.#]*"
    r"([A-Z]{0,4}[\s\-]?\d[\d\-]*)"
)


def keys_of(payment: TransactionDetails, shapes: Shapes) -> Keys:
    """Everything a payment names. Pure, and asked once for each payment."""
    text = payment.text.upper()
    whole = payment.text_squeezed.upper()
    found = numbers_in(payment, text, whole, shapes)
    customers = _customers(text, shapes)
    iban = payment.counterparty_iban
    return Keys(
        _references(payment, text, whole),
        frozenset([one.number for one in found]),
        customers,
        frozenset((iban,)) if iban else _NONE,
        _names(payment),
        found,
    )


def _names(payment: TransactionDetails) -> frozenset[str]:
    if payment.counterparty is None:
        return frozenset(lookup_keys(payment.payer)) if payment.payer else _NONE
    if payment.payer is None or payment.payer == payment.counterparty:
        return frozenset(lookup_keys(payment.counterparty))
    return frozenset((*lookup_keys(payment.counterparty), *lookup_keys(payment.payer)))


def _references(payment: TransactionDetails, text: str, whole: str) -> frozenset[str]:
    found = {normal(reference) for reference in payment.references}
    end_to_end = payment.end_to_end_id
    if end_to_end and end_to_end != "NOTPROVIDED" and is_checked(key := normal(end_to_end)):
        found.add(key)
    if text:
        found.update(_in_text(text))
        if whole != text and len(whole) > 24:
            found.update(_in_text(whole))
    found.discard("")
    return frozenset(found)


def _in_text(text: str) -> Iterator[str]:
    if "RF" in text:
        yield from _rf_in(text)
    if "/" in text:
        yield from (normal(hit[1]) for hit in _OGM.finditer(text))
    if "<" in text:
        yield from (normal(hit[0]) for hit in _FIK.finditer(text))
    for hit in _DIGITS.finditer(text):
        yield from _checked_runs(hit[0])


def _checked_runs(run: str) -> Iterator[str]:
    """Every piece, and all pieces together, that a check digit agrees to. Fewer than 6 digits say nothing."""
    pieces = run.split()
    for one in pieces if len(pieces) == 1 else [*pieces, "".join(pieces)]:
        if 6 <= len(one) <= 27 and is_checked(key := one.lstrip("0") or one):
            yield key


def _rf_in(text: str) -> Iterator[str]:
    """RF references in free text, printed in one piece or in groups."""
    for start in _RF_START.finditer(text):
        joined = ""
        # It ends with some word; which one is settled by the check digits and by being one of ours.
        for word in _WORD.findall(text[start.start() : start.start() + 60]):
            joined += word
            if len(joined) > 25:
                break
            if is_rf(joined):
                yield joined


def _customers(text: str, shapes: Shapes) -> frozenset[str]:
    found = {squeezed(hit[0]) for hit in shapes.customers.finditer(text)} if shapes.customers else set()
    if text and ("K" in text or "C" in text or "DEB" in text or "MITGL" in text):
        found.update(squeezed(hit[1]) for hit in _CUSTOMER_WORD.finditer(text))
    return frozenset(found) if found else _NONE
