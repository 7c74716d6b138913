"""How a customer of ``houses`` pays and writes: accounts, names, and the words around a number."""

from __future__ import annotations

import re
from datetime import timedelta
from random import Random

from tests.cash.houses import Words
from tests.cash.rows import Row, ascii_name
from tests.cash.world import TODAY, Block, Customer


def paid_by(row: Row, one: Customer, rng: Random, *, sure: bool = False) -> Row:
    """The account where there is one, the name as banks give it, sometimes the postcode."""
    row.name = rng.choice((one.name, ascii_name(one.name, rng), ascii_name(one.name, rng)[:35].strip()))
    if one.ibans and (sure or rng.random() < 0.8):
        row.iban = rng.choice(one.ibans)
    elif sure or rng.random() < 0.6:
        row.postcode = one.postcode
    return row


def is_sure(one: Customer, block: Block) -> bool:
    """Whether account, or name and postcode, are this customer's alone."""
    if one.ibans:
        return sum(bool(set(one.ibans) & set(other.ibans)) for other in block.customers) == 1
    return sum(other.name == one.name for other in block.customers) == 1


def _noise(rng: Random, one: Customer, words: Words) -> str:
    day = TODAY - timedelta(days=rng.randrange(3, 90))
    return rng.choice(
        (
            "",
            "",
            f"{rng.choice(words.customer)} {one.id}",
            day.strftime(words.dates),
            f"{day:%d.%m.%Y}",
            f"{day:%Y/%m}",
            f"Ref {rng.randrange(10**5, 10**6)}A",
            "Tlf " + " ".join(str(rng.randrange(10, 99)) for _ in range(4)),
            f"PO {rng.randrange(4500000000, 4600000000)}",
            rng.choice(words.thanks),
        )
    )


def written(number: str, rng: Random, words: Words) -> str:
    word = rng.choice(words.invoice)
    style = rng.randrange(6)
    if style == 0:
        number = re.sub(r"[-/. ]", " ", number)
    elif style == 1:
        number = re.sub(r"[-/. ]", "", number) if not number[0].isdigit() else number
    elif style == 2:
        number = number.lower()
    return f"{word}{rng.choice((' ', ': ', ' '))}{number}".strip()


def say(row: Row, rng: Random, one: Customer, words: Words, text: str) -> Row:
    """Words before and behind, upper case now and then, in lines of 35 or of 140 signs."""
    parts = [part for part in (_noise(rng, one, words), text, _noise(rng, one, words)) if part]
    line = rng.choice((" ", ", ", " ")).join(parts)
    if rng.random() < 0.25:
        line = line.upper()
    width = rng.choice((35, 35, 140))
    row.lines = [line[at : at + width] for at in range(0, len(line), width)]
    return row
