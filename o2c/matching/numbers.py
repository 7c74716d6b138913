"""Weak signs of a number: the bare running number, and a number with one slip of the finger.

Neither means anything alone: they choose among the items of a known payer that the amount already fits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate

from o2c.matching.shapes import lookalike, squeezed
from o2c.statement import TransactionDetails

_DATES = re.compile(
    r"(?<!\d)(?=\d)(?:\d{1,2}[./-]\d{1,2}[./-](?:\d{4}|\d{2})|(?:19|20)\d\d[./-]\d{1,2}(?:[./-]\d{1,2})?|\d{1,2}\.\d{1,2}\."
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])|(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d|\d{1,2}/(?:19|20)\d\d)(?!\d)"
)
_CURRENCY = r"(?:EUR|USD|CHF|NOK|SEK|DKK|GBP|€|\$)"
_AMOUNTS = re.compile(rf"{_CURRENCY}\s*\d[\d.,']*|(?<!\d)\d[\d.,']*[.,]\d\d(?!\d)(?:\s*{_CURRENCY})?")
_MONEY = re.compile(rf"[.,]\d\d|%|{_CURRENCY}")  # what no amount is without
_ROUND_AMOUNTS = re.compile(rf"(?<!\d)\d[\d.,]*+\s*+(?:{_CURRENCY}|%)")
_NUMBER_WORD = r"[A-Z]*[\s.\-:#]*(?:NR|NO|NUMMER|NUMBER|ID)?[\s.:#\-]*"
_FOREIGN = re.compile(
    r"(?:KD|K\.?NR|KUND|CUST|CLIENT|DEBITOR|DEB\b|MITGLIED|PLZ|BLZ|KTO|KONTO|ACC|BESTELL|AUFTR|ORDER|PO\b|LIEFERSCHEIN"
    rf"|LS\b|VERTRAG|CONTRACT|MANDA?T|STEUER|STNR|UST|VAT|TAX){_NUMBER_WORD}[A-Z]{{0,5}}[\s\-/]?\d[\d/\-]*"
)
_PHONE = re.compile(rf"(?:TEL|FON|PHONE|MOBIL|FAX){_NUMBER_WORD}[\d+][\d/\-]*(?:\s\d+)?")
_IBAN = re.compile(r"\b[A-Z]{2}\d\d(?:\s?[A-Z0-9]{2,4}){3,}")
_RUN = re.compile(r"(?<![^\W_])(?<!\d[.,/-])0*\d{2,14}(?![^\W_])(?![.,]\d)")
_INVOICE_WORD = re.compile(
    r"(?:RECHNUNG\w*|RECHN|RG|RE|RNR|INVOICES?|INV|FAKTURA?|FAKT|FACTURE|FATTURA|BILL|BELEG)"
    r"[\s.\-]*(?:NR|NO|NUMMER|NUMBER|NUM)?[\s.:#\-]*0*(\d{1,14})(?![^\W_])(?![.,/]\d)"
)
_DIGITS = re.compile(r"\d+")
_WORDS = re.compile(r"[0-9A-Z]+")
_NO_SIGN = re.compile(r"[^0-9A-Z]")


def bare_numbers(payment: TransactionDetails) -> tuple[frozenset[str], frozenset[str]]:
    """(every run of digits that may be a running number, those an invoice word stands before).

    Dates, amounts, telephone, account, order and customer numbers are left out; zeros in front too.
    """
    texts = [payment.text.upper()]
    if payment.end_to_end_id and payment.end_to_end_id != "NOTPROVIDED":
        texts.append(payment.end_to_end_id.upper())
    text = clean(" ; ".join(texts))
    said = invoice_numbers(text)
    runs = frozenset(hit[0].lstrip("0") for hit in _RUN.finditer(text) if not _is_year(hit[0]))
    return frozenset(run for run in runs if len(run) >= 3) | said, said


def clean(text: str) -> str:
    """``text`` (upper case) without what is certainly no invoice number."""
    if not _DIGITS.search(text):
        return text
    for noise in (_DATES, _IBAN):
        text = noise.sub(" ; ", text)
    for noise in (_AMOUNTS, _ROUND_AMOUNTS) if _MONEY.search(text) else ():
        text = noise.sub(" ; ", text)
    for noise in (_FOREIGN, _PHONE):
        text = noise.sub(" ; ", text)
    return text


def invoice_numbers(text: str) -> frozenset[str]:
    """The runs of digits in ``text`` (upper case) that a word for invoice stands before."""
    return frozenset(hit[1] for hit in _INVOICE_WORD.finditer(text))


def _is_year(run: str) -> bool:
    return len(run) == 4 and run[:2] in ("19", "20")


@lru_cache(maxsize=8192)
def running_numbers(number: str) -> frozenset[str]:
    """What stands for a number without its prefix: its last run of digits, and all its digits; no zeros."""
    runs = _DIGITS.findall(number)
    return frozenset({runs[-1].lstrip("0"), "".join(runs).lstrip("0")} - {""}) if runs else frozenset()


@lru_cache(maxsize=8192)
def folded(text: str) -> str:
    """Letters and digits only, in upper case, lookalike letters read as digits."""
    return _NO_SIGN.sub("", lookalike(text))


def is_slip(one: str, other: str) -> bool:
    """At most one sign exchanged, left out, put in, or two neighbours swapped. Both folded."""
    if one == other:
        return True
    longer, shorter = (one, other) if len(one) >= len(other) else (other, one)
    gap = len(longer) - len(shorter)
    if gap > 1:
        return False
    at = 0
    while at < len(shorter) and longer[at] == shorter[at]:
        at += 1
    if gap:
        return longer[at + 1 :] == shorter[at:]
    if longer[at + 1 :] == shorter[at + 1 :]:
        return True
    swapped = longer[at : at + 2] == shorter[at : at + 2][::-1]
    return swapped and longer[at + 2 :] == shorter[at + 2 :]


@dataclass(frozen=True, slots=True)
class Folded:
    """A text without its gaps, and the places where a gap was."""

    text: str
    gaps: frozenset[int]

    @classmethod
    def of(cls, text: str) -> Folded:
        words = _WORDS.findall(lookalike(text))
        return cls("".join(words), frozenset(accumulate(map(len, words))))

    def splits_digits(self, at: int) -> bool:
        """Whether a window that begins or ends here cuts a run of digits."""
        text = self.text
        return 0 < at < len(text) and at not in self.gaps and text[at - 1].isdigit() and text[at].isdigit()


def slips_in(texts: Iterable[Folded], number: str) -> bool:
    """Whether the number, or one slip of it, stands in one of the texts.

    One half of a number with one slip is always right, but where the slip is the swap at its middle:
    so the first half is looked for without its last sign.
    """
    key = folded(number)
    size = len(key)
    if size < 6:
        return False
    middle = size // 2
    first, second = key[: middle - 1], key[middle:]
    for one in texts:
        text = one.text
        at = text.find(first)
        while at >= 0:
            if any(_is_near(one, at, at + length, key) for length in (size, size - 1, size + 1)):
                return True
            at = text.find(first, at + 1)
        at = text.find(second)
        while at >= 0:
            end = at + size - middle
            if any(_is_near(one, end - length, end, key) for length in (size, size - 1, size + 1)):
                return True
            at = text.find(second, at + 1)
    return False


def _is_near(one: Folded, begin: int, end: int, key: str) -> bool:
    if begin < 0 or not is_slip(one.text[begin:end], key):
        return False
    return not one.splits_digits(begin) and not one.splits_digits(end)


def texts_of(payment: TransactionDetails) -> tuple[Folded, ...]:
    """The texts in which a slip is looked for."""
    texts = [payment.text, *payment.references]
    if payment.text_squeezed:
        texts.append(payment.text_squeezed)
    if payment.end_to_end_id and payment.end_to_end_id != "NOTPROVIDED":
        texts.append(payment.end_to_end_id)
    return tuple(Folded.of(text) for text in dict.fromkeys(texts) if text)


def same_number(raw: str, number: str) -> bool:
    """Whether a number as written is this item's, but for one slip."""
    return is_slip(folded(raw), folded(squeezed(number)))
