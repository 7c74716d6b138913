"""What every kind picks from a block: items, customers, and the sums and slips that decide a label."""

from __future__ import annotations

import re
from random import Random

from tests.cash.rows import Row, noise
from tests.cash.world import Block, Customer, Item


def an_invoice(rng: Random, block: Block, *, currency: str = "EUR", at_least: int = 0) -> Item | None:
    for _ in range(30):
        item = rng.choice(block.items)
        if item.open > at_least and item.currency == currency:
            return item
    return None


def customer_with(rng: Random, block: Block, fewest: int) -> tuple[Customer, list[Item]] | None:
    """A customer with at least so many open EUR invoices, and these."""
    for _ in range(60):
        one = rng.choice(block.customers)
        mine = [i for i in one.items if i.open > 0 and i.currency == "EUR"]
        if len(mine) >= fewest:
            return one, mine
    return None


def twins(item: Item, amount: int | None = None) -> list[Item]:
    wanted = item.open if amount is None else amount
    return [
        i for i in item.customer.items if i.open == wanted and i is not item and i.currency == item.currency
    ]


def sums(customer: Customer, wanted: int, currency: str = "EUR") -> int:
    """How many sets of the customer's open items make the amount."""
    counts = {0: 1}
    for item in customer.items:
        if item.open and item.currency == currency:
            for total, many in list(counts.items()):
                counts[total + item.open] = counts.get(total + item.open, 0) + many
    return counts.get(wanted, 0) - (wanted == 0)


def with_text(row: Row, rng: Random, customer: Customer, *words: str) -> Row:
    line = " ".join(word for word in (noise(rng, customer), *words, noise(rng, customer)) if word)
    row.lines = [line[at : at + 140] for at in range(0, len(line), 140)]
    return row


def is_near(one: str, other: str) -> bool:
    """Whether the two are at most one slip apart: edit distance with swaps, letters O and l read."""
    a, b = (re.sub(r"\W", "", text).replace("O", "0").replace("l", "1") for text in (one, other))
    rows = [list(range(len(b) + 1))]
    for i, left in enumerate(a, 1):
        row = [i]
        for j, right in enumerate(b, 1):
            best = min(rows[-1][j] + 1, row[-1] + 1, rows[-1][j - 1] + (left != right))
            if i > 1 and j > 1 and left == b[j - 2] and a[i - 2] == right:
                best = min(best, rows[-2][j - 2] + 1)
            row.append(best)
        rows.append(row)
    return rows[-1][-1] <= 1


def note_sums(one: Customer, amount: int) -> int:
    return sums(Customer("", "", "", [], [i for i in one.items if i.open < 0]), amount)


def with_note(rng: Random, block: Block) -> tuple[Customer, list[Item], Item] | None:
    for _ in range(60):
        one = rng.choice(block.customers)
        note = next((i for i in one.items if i.open < 0 and i.currency == "EUR"), None)
        mine = [i for i in one.items if i.open > 0 and i.currency == "EUR"]
        if note and mine:
            return one, mine, note
    return None


def explains(item: Item, credit: int) -> bool:
    """Whether the customer's credit notes make this amount."""
    notes = Customer("", "", "", [], [i for i in item.customer.items if i.open < 0])
    return sums(notes, credit) > 0


def explained_by(hit: Item, item: Item) -> bool:
    """Whether the item a slip hit explains the payment as well as the one that was meant."""
    return hit.open == item.open or (hit.customer is item.customer and hit.gross == item.open)


def payment_id(text: str) -> str:
    found = re.match(r"\+71<(\d+)", text)
    return found[1] if found else text


def credit_pair(item: Item) -> bool:
    notes = [i for i in item.customer.items if i.open < 0]
    return bool(notes) and sums(item.customer, item.open, item.currency) > 1


def told_apart(row: Row, item: Item) -> Row:
    if twins(item) or credit_pair(item):
        row.kind = "twins"
        return row.left("review")
    row.alloc = [(item.number, item.open, True)]
    item.open = 0
    return row
