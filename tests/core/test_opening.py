"""Opening items are read exactly, or refused with the field that is wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from o2c.errors import Refused
from o2c.opening import TakenOver, read_item

GOOD: dict[str, Any] = {
    "number": "RE-2025-0001",
    "kind": "invoice",
    "customer": "C-1",
    "issued": "2025-11-03",
    "due": "2025-12-03",
    "open": "5665.37",
    "currency": "EUR",
    "discount": {"percent": "2", "until": "2025-11-13"},
    "reference": "RF18 5390 0754 7034",
}
# field | what it says, as JSON | pointer and code of the refusal
REFUSED = """
number    | ""                                 | /number missing
number    | null                               | /number missing
number    | 17                                 | /number missing
number    | "RE-1\\u0007"                      | /number character
number    | "RE-00000000000000000000000000000000000001" | /number too-long
kind      | "refund"                           | /kind choice
kind      | []                                 | /kind choice
customer  | "  "                               | /customer missing
issued    | "2025-02-29"                       | /issued date
issued    | "20251103"                         | /issued date
due       | null                               | /due date
due       | "2025-12-03T00:00"                 | /due date
open      | "5.665,37"                         | /open number
open      | "1e3"                              | /open number
open      | "NaN"                              | /open number
open      | "-5665.37"                         | /open number
open      | "5665.375"                         | /open number
open      | "99999999999999999"                | /open number
open      | null                               | /open number
open      | true                               | /open number
currency  | "Euro"                             | /currency currency
currency  | "eur"                              | /currency currency
discount  | 2                                  | /discount type
discount  | {"percent": "2"}                   | /discount/until date
discount  | {"percent": "0", "until": "2025-11-13"}   | /discount/percent number
discount  | {"percent": "100", "until": "2025-11-13"} | /discount/percent number
discount  | {"percent": [2], "until": "2025-11-13"}   | /discount/percent number
reference | 17                                 | /reference type
reference | "12345678901234567890123456789012345678901" | /reference too-long
"""
ROWS = [tuple(cell.strip() for cell in line.split(" | ")) for line in REFUSED.strip().splitlines()]


def test_an_item_is_read_as_it_will_be_kept() -> None:
    assert read_item(GOOD) == TakenOver(
        "RE-2025-0001", "invoice", "C-1", "2025-11-03", "2025-12-03", 566537, "EUR",
        "2", "2025-11-13", "RF18539007547034",
    )  # fmt: skip


def test_what_may_be_absent() -> None:
    short = {name: value for name, value in GOOD.items() if name not in ("kind", "discount", "reference")}
    read = read_item(short)
    assert (read.kind, read.discount_percent, read.reference) == ("invoice", None, None)


@pytest.mark.parametrize(
    ("open_", "currency", "kind", "minor"),
    [
        ("5665.37", "EUR", "invoice", 566537),
        ("5665.3700", "EUR", "invoice", 566537),
        ("5665", "JPY", "invoice", 5665),
        ("1.234", "BHD", "invoice", 1234),
        (Decimal("5.5"), "EUR", "invoice", 550),  # a JSON number, its digits kept
        (7, "EUR", "invoice", 700),
        ("43.75", "EUR", "credit_note", -4375),
        ("-43.75", "EUR", "credit_note", -4375),
    ],
)
def test_amounts_are_exact(open_: object, currency: str, kind: str, minor: int) -> None:
    assert read_item(GOOD | {"open": open_, "currency": currency, "kind": kind}).open == minor


@pytest.mark.parametrize(("name", "said", "expected"), ROWS)
def test_what_is_wrong_is_named(name: str, said: str, expected: str) -> None:
    with pytest.raises(Refused) as refused:
        read_item(GOOD | {name: json.loads(said)})
    [fault] = refused.value.faults
    assert f"{fault.pointer} {fault.code}" == expected
    assert refused.value.next_step


def test_a_record_is_an_object() -> None:
    with pytest.raises(Refused, match="JSON object"):
        read_item(["RE-1"])
