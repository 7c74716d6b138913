"""The plain values of a camt message: element paths, amounts, dates, account numbers.

Governed by ISO 20022 (ActiveOrHistoricCurrencyAndAmount, DateAndDateTimeChoice). Everything is
read by local name, so that one path serves every version. An amount is never guessed: what is
not a plain positive decimal of the currency's own digits is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeAlias

from lxml import etree

from o2c.errors import Fault, Refused
from o2c.money import Money, minor_digits

Values: TypeAlias = Mapping[str, list[str]]  # "RmtInf/Ustrd" -> the texts, in document order

_AMOUNT = re.compile(r"0*([0-9]{0,15})(?:\.([0-9]{0,18}))?")
_PLAIN = re.compile(r"[0-9]{1,15}\.[0-9]{2}").fullmatch
_CURRENCY = re.compile(r"[A-Z]{3}")
ASK_BANK = "Ask the bank for a corrected file; nothing of this one was posted."
_LONGEST = 60  # characters of an amount, zeros in front included
_HOLDERS = frozenset({"Amt", "Sum"})


def refused(code: str, place: str, message: str, next_step: str) -> Refused:
    """A refusal that names the place inside the file (an XPath without prefixes)."""
    text = f"{place}: {message}"
    return Refused(code, text, next_step=next_step, faults=(Fault(place, code, message),))


def at_line(refusal: Refused, element: etree._Element | None) -> Refused:
    """The same refusal with the line of the element it is about."""
    line: Any = None if element is None else element.sourceline
    if not line:
        return refusal
    message = f"line {line}, {refusal.message}"
    faults = tuple(replace(fault, line=int(line)) for fault in refusal.faults)
    return Refused(refusal.code, message, next_step=refusal.next_step, faults=faults)


@lru_cache(maxsize=1024)
def local_name(tag: str) -> str:
    """``{urn:...}Ntry`` -> ``Ntry``."""
    return tag.rpartition("}")[2]


def drop(element: etree._Element) -> None:
    """Frees what was read. The element itself stays: the parser still hangs its tail on it."""
    element.clear()
    previous = element.getprevious()
    if previous is not None and previous.tag == element.tag:
        element.getparent().remove(previous)  # type: ignore[union-attr]  # it has a sibling


def values(element: etree._Element) -> dict[str, list[str]]:
    """Every text below ``element`` by its path of local names; ``@Ccy`` beside an amount."""
    found: dict[str, list[str]] = {}
    _collect(element, "", found)
    return found


def _collect(element: etree._Element, prefix: str, found: dict[str, list[str]]) -> None:
    for child in element:
        name = local_name(str(child.tag))
        path = prefix + name
        if len(child):
            _collect(child, path + "/", found)
            continue
        text = child.text
        text = text.strip() if text else ""
        if path in found:
            found[path].append(text)
        else:
            found[path] = [text]
        if name in _HOLDERS:
            found.setdefault(path + "@Ccy", []).append(child.get("Ccy", ""))


def first(found: Values, *paths: str) -> str | None:
    """The first non-empty text at the first of ``paths`` that has one."""
    for path in paths:
        texts = found.get(path)
        if texts is not None:
            for text in texts:
                if text:
                    return text
    return None


def parse_money(text: str, currency: str, place: str) -> Money:
    """Exact money of ``currency``: positive, no exponent, no more digits than ISO 4217 gives it.

    Raises ``Refused`` with code ``amount`` or, for a currency that is none, ``currency``.
    """
    found = exact(text, currency)
    if found is None:
        raise inexact(text, currency, place)
    return found[0]


def inexact(text: str, currency: str, place: str) -> Refused:
    """Why ``exact`` found no money."""
    if _digits(currency) is None:
        message = f"the currency {currency!r} is not an ISO 4217 code."
        return refused("currency", place, message, ASK_BANK)
    return refused(
        "amount",
        place,
        f"{text[:40]!r} is not an exact amount of {currency}: plain digits, "
        f"no sign, no exponent, at most 15 before and {minor_digits(currency)} after the point.",
        ASK_BANK,
    )


def exact(text: str, currency: str) -> tuple[Money, int] | None:
    """The money and its minor units, or None where the text is no exact amount; see ``parse_money``."""
    return _exact(text, currency) if len(text) <= _LONGEST and len(currency) == 3 else None


@lru_cache(maxsize=8192)  # an amount stands in the entry and again in its details
def _exact(text: str, currency: str) -> tuple[Money, int] | None:
    digits = _digits(currency)
    if digits is None:
        return None
    if digits == 2 and _PLAIN(text):  # how nearly every bank writes it
        return Money(Decimal(text), currency), int(text[:-3] + text[-2:])
    match = _AMOUNT.fullmatch(text)
    whole, fraction = (match[1], (match[2] or "").rstrip("0")) if match else ("", "")
    if match is None or not any(c.isdigit() for c in text) or len(fraction) > digits:
        return None
    minor = int((whole or "0") + fraction.ljust(digits, "0"))
    return Money.from_minor(minor, currency), minor


def _digits(currency: str) -> int | None:
    return minor_digits(currency) if _CURRENCY.fullmatch(currency) else None


def money_at(found: Values, path: str, place: str) -> Money | None:
    """The amount at ``path`` with its ``Ccy``, or None where the file has none."""
    texts = found.get(path)
    if not texts:
        return None
    return parse_money(texts[0], found[path + "@Ccy"][0], f"{place}/{path}")


def is_credit_code(code: str | None, place: str, default: bool | None = None) -> bool:
    """``CdtDbtInd``: True for CRDT. The sign of money comes from here alone."""
    if code == "CRDT":
        return True
    if code == "DBIT":
        return False
    if not code and default is not None:
        return default
    raise refused("malformed", place, f"CdtDbtInd is {code or None!r}, it must be CRDT or DBIT.", ASK_BANK)


def date_at(found: Values, place: str, *paths: str) -> date | None:
    """The first date at ``paths``; a date-time counts with the bank's own local day."""
    return day_of(first(found, *paths) or "", place)


def day_of(text: str, place: str) -> date | None:
    """``2026-03-02`` or a date-time of that day; None where there is no text."""
    if not text:
        return None
    try:
        return _day(text[:10])
    except ValueError:
        raise refused("malformed", place, f"{text!r} is not a date.", ASK_BANK) from None


_day = lru_cache(maxsize=512)(date.fromisoformat)


def compact(account: str) -> str:
    """An account number as it is compared: without blanks, upper case."""
    return "".join(account.split()).upper()


def masked(account: str) -> str:
    """An account number that may be shown in a message or a log: ``NL26...0891``."""
    return f"{account[:4]}...{account[-4:]}" if len(account) > 12 else f"...{account[-2:]}"
