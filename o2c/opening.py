"""Opening balances: open items and customers of a former system, as their files say them.

Pure: a record is read into a value or refused with the field and the next step. A million of them
come in one file, so a record is checked by hand, field by field, and what repeats is remembered.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache

from o2c.errors import Fault, Refused
from o2c.ledger import ItemKind
from o2c.money import minor_digits, plain
from o2c.reference import normal

MOST_MINOR = 10**16  # of an item: far below what the columns hold
_NUMBER_LIMIT, _ID_LIMIT, _REFERENCE_LIMIT = 40, 80, 40
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_AMOUNT = re.compile(r"-?(\d{1,16})(?:\.(\d{1,18}))?\Z", re.ASCII)
_CURRENCY = re.compile(r"[A-Z]{3}\Z", re.ASCII)
ITEM_FIELDS = frozenset(
    {"number", "kind", "customer", "issued", "due", "open", "currency", "discount", "reference"}
)
_KINDS = {kind.value: kind.value for kind in ItemKind}


@dataclass(slots=True)
class TakenOver:
    """An open item as it was left by a former system; days as ISO text, ``open`` in minor units, negative
    for a credit note. Made by the million, hence not frozen; nobody changes one."""

    number: str
    kind: str
    customer_id: str
    issued_on: str
    due_on: str
    open: int
    currency: str
    discount_percent: str | None
    discount_until: str | None
    reference: str | None


def read_item(data: object) -> TakenOver:
    """An item of ``{number, kind, customer, issued, due, open, currency, discount, reference}``.

    Raises ``Refused('item-invalid')`` naming the field.
    """
    if not isinstance(data, dict):
        raise _refused("", "type", "a record is a JSON object.")
    get = data.get
    currency = _currency(get("currency"))
    said = get("kind", "invoice")
    kind = _KINDS.get(said) if type(said) is str else None
    if kind is None:
        raise _refused("/kind", "choice", 'must be "invoice" or "credit_note".')
    discount = get("discount")
    percent, until = (None, None) if discount is None else _discount(discount)
    return TakenOver(
        _text(get("number"), "/number", _NUMBER_LIMIT),
        kind,
        _text(get("customer"), "/customer", _ID_LIMIT),
        _day(get("issued"), "/issued"),
        _day(get("due"), "/due"),
        _open(get("open"), currency, kind),
        currency,
        percent,
        until,
        _reference(get("reference")),
    )


def _refused(pointer: str, code: str, words: str) -> Refused:
    told = f"{pointer or '/'}: {words}"
    return Refused(
        "item-invalid",
        told,
        next_step="Mend the record and import the file again; what is here already stays as it is.",
        faults=[Fault(pointer, code, words)],
    )


def _text(value: object, pointer: str, limit: int) -> str:
    if type(value) is not str or not value.strip():
        raise _refused(pointer, "missing", "must be a text that is not empty.")
    if len(value) > limit:
        raise _refused(pointer, "too-long", f"has {len(value)} characters; at most {limit} are kept.")
    if not value.isprintable():
        raise _refused(pointer, "character", "must not hold control characters.")
    return value.strip()


def _currency(value: object) -> str:
    if type(value) is not str or not _CURRENCY.match(value):
        raise _refused("/currency", "currency", "must be an ISO 4217 code such as EUR.")
    return value


@lru_cache(8192)
def _is_day(text: str) -> bool:
    if not _DAY.match(text):
        return False
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _day(value: object, pointer: str) -> str:
    if type(value) is not str or not _is_day(value):
        raise _refused(pointer, "date", "must be a day such as 2026-03-31.")
    return value


def _open(value: object, currency: str, kind: str) -> int:
    """Minor units. A credit note may be written with or without its sign; 0 is an item that is settled."""
    text = format(value, "f") if isinstance(value, Decimal) else str(value) if type(value) is int else value
    found = _AMOUNT.match(text) if type(text) is str else None
    if found is None:
        raise _refused("/open", "number", 'must be an amount such as "5665.37".')
    digits = minor_digits(currency)
    parts = found[2] or ""
    if parts[digits:].strip("0"):
        raise _refused("/open", "number", f"is finer than {currency} is: {digits} decimals.")
    minor = int(found[1] + parts[:digits].ljust(digits, "0"))
    if minor > MOST_MINOR:
        raise _refused("/open", "number", "is beyond all measure.")
    if kind == ItemKind.CREDIT_NOTE:
        return -minor
    if found[0].startswith("-"):
        raise _refused("/open", "number", "of an invoice is above 0; what we owe is a credit_note.")
    return minor


def _discount(value: object) -> tuple[str, str]:
    if not isinstance(value, Mapping):
        raise _refused("/discount", "type", "must be an object with percent and until, or null.")
    percent = value.get("percent")
    if type(percent) not in (str, int, Decimal):
        raise _refused("/discount/percent", "number", "must be more than 0 and less than 100.")
    return _percent(percent), _day(value.get("until"), "/discount/until")


@lru_cache(1024)
def _percent(value: object) -> str:
    text = format(value, "f") if isinstance(value, Decimal) else str(value) if type(value) is int else value
    found = _AMOUNT.match(text) if type(text) is str else None
    if found is None or not 0 < Decimal(found[0]) < 100:
        raise _refused("/discount/percent", "number", "must be more than 0 and less than 100.")
    return plain(Decimal(found[0]))


def _reference(value: object) -> str | None:
    if value is None:
        return None
    if type(value) is not str or not value.isprintable():
        raise _refused("/reference", "type", "must be a text or null.")
    bare = normal(value)
    if len(bare) > _REFERENCE_LIMIT:
        raise _refused("/reference", "too-long", f"has more than {_REFERENCE_LIMIT} signs.")
    return bare or None
