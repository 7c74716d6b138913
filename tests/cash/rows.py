"""One labelled payment, and the pieces payments are written with: spellings, names, traps."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from random import Random

from tests.cash.world import Customer, Item

Alloc = tuple[str, int, bool]  # number, cash in minor units, closes


@dataclass(slots=True)
class Row:
    """A payment as the bank tells it, and the truth about it. Amounts are minor units."""

    kind: str
    amount: int
    lines: list[str] = field(default_factory=list)
    reference: str = ""
    end_to_end: str = ""
    name: str = ""
    iban: str = ""
    postcode: str = ""
    payer: str = ""
    is_credit: bool = True
    instructed: tuple[int, str] | None = None
    charges: int = 0
    return_reason: str = ""
    is_batch: bool = False
    tx: str = ""
    decision: str = "match"
    alloc: list[Alloc] = field(default_factory=list)
    discount: int = 0
    write_off: int = 0
    charged: int = 0
    unapplied: int = 0
    of: str = ""

    def left(self, decision: str) -> Row:
        """The same, to be left alone."""
        self.decision, self.alloc = decision, []
        self.discount = self.write_off = self.charged = self.unapplied = 0
        return self


def paying(kind: str, parts: list[tuple[Item, int]], **more: int) -> Row:
    """A match that brings so much cash to each item; what is left open decides whether it closes."""
    row = Row(kind, sum(cash for _, cash in parts))
    row.alloc = [(item.number, cash, True) for item, cash in parts]
    for name, value in more.items():
        setattr(row, name, value)
    return row


def closing(kind: str, items: list[Item]) -> Row:
    """A match that closes every item with cash, and does so."""
    row = paying(kind, [(item, item.open) for item in items])
    for item in items:
        item.open = 0
    return row


def ascii_name(name: str, rng: Random) -> str:
    """As a bank prints it: upper case, German letters in two, the others bare."""
    text = name
    for letter, two in (
        ("ä", "ae"),
        ("ö", "oe"),
        ("ü", "ue"),
        ("ß", "ss"),
        ("ø", "oe"),
        ("å", "aa"),
        ("Ø", "Oe"),
    ):
        text = text.replace(letter, two if rng.random() < 0.8 or letter in "ßø" else letter)
    text = text.replace("Æ", "AE").replace("æ", "ae").replace("Å", "AA").replace("Ø", "OE")
    plain = "".join(s for s in unicodedata.normalize("NFKD", text) if not unicodedata.combining(s))
    return plain.upper() if rng.random() < 0.7 else plain


def as_paid(customer: Customer, rng: Random, *, keep_form: bool = False) -> str:
    """The payer's name: often exact, else transliterated, cut at 35 or 70, or without its legal form."""
    name = customer.name
    dice = rng.random()
    if dice < 0.35:
        return name[:70]
    if dice < 0.7 or keep_form:
        return ascii_name(name, rng)[:70]
    if dice < 0.85:
        return ascii_name(name, rng)[:35].strip()
    return re.sub(r" (GmbH( & Co\. KG)?|AG|KG|AB|AS|A/S|Oy|Ltd|e\.K\.|OHG|SA)$", "", name)


def known_payer(row: Row, customer: Customer, rng: Random) -> Row:
    """Who pays, as far as a bank tells it: mostly the account too."""
    row.name = as_paid(customer, rng)
    if rng.random() < 0.85:
        row.iban = customer.ibans[0]
    if rng.random() < 0.5 or not row.iban:
        row.postcode = customer.postcode
    return row


def noise(rng: Random, customer: Customer) -> str:
    """Digits that are no invoice: customer number, dates, telephone, order, amount."""
    return rng.choice(
        (
            "",
            "",
            f"KdNr {customer.id}",
            f"Kd.Nr. {customer.id[1:]}",
            f"vom {rng.randrange(1, 29):02d}.{rng.randrange(1, 7):02d}.2026",
            "2026-05-14",
            f"Tel. 0221 {rng.randrange(10000, 99999)}",
            f"Bestellung {rng.randrange(4500000, 4599999)}",
            f"Auftrag {rng.randrange(1000, 99999)}",
            "Danke",
            "SVWZ+",
            f"{rng.randrange(1, 31):02d}{rng.randrange(1, 13):02d}2026",
            f"EUR {rng.randrange(100, 9999)},{rng.randrange(100):02d}",
        )
    )


def spelled(number: str, rng: Random) -> str:
    """A whole number in one of the ways people and banks write it."""
    squeezed = re.sub(r"[^A-Za-z0-9]", "", number)
    return rng.choice(
        (
            number,
            number,
            number.lower(),
            squeezed,
            number.replace("-", " ").replace("/", " "),
            number.replace("-", "/").replace("/", "-"),
            f"Rg.Nr.{number}",
            f"Rechnung {number}",
            f"RNr:{squeezed}",
            f"Invoice no. {number}",
            f"{number}.",
            f"({number})",
            number.replace("-", "_"),
            number.replace("-", " - "),
        )
    )


def slipped(number: str, rng: Random) -> str:
    """The number with one slip in its running digits."""
    at = rng.choice([place for place, sign in enumerate(number) if sign.isdigit()][-5:])
    kind = rng.randrange(5)
    if kind == 0:
        return number[:at] + str((int(number[at]) + rng.randrange(1, 10)) % 10) + number[at + 1 :]
    if kind == 1:
        swap = next(
            (i for i in range(at, at - 4, -1) if number[i] != number[i - 1] and number[i - 1].isdigit()), 0
        )
        return number[: swap - 1] + number[swap] + number[swap - 1] + number[swap + 1 :] if swap else number
    if kind == 2:
        return number[:at] + number[at + 1 :]
    if kind == 3:
        return number[:at] + rng.choice("0123456789") + number[at:]
    return re.sub("0", "O", number) if "0" in number else number.replace("1", "l")


def cut(text: str, rng: Random) -> list[str]:
    """Lines of a bank that cuts where it likes, blanks at the ends lost."""
    at = rng.randrange(1, max(len(text) - 1, 2))
    return [text[:at].strip(), text[at:].strip()]
