"""Kinds for several items: listed or not, with credit notes, for subsidiaries and branches."""

from __future__ import annotations

from random import Random

from tests.cash.picks import an_invoice, customer_with, note_sums, sums, with_note
from tests.cash.rows import Row, closing, known_payer
from tests.cash.world import Block


def listed(rng: Random, block: Block) -> Row | None:
    found = customer_with(rng, block, 2)
    if found is None:
        return None
    customer, mine = found
    some = rng.sample(mine, min(len(mine), rng.randrange(2, 7)))
    row = closing("several listed", some)
    joint = rng.choice((", ", " ", " + ", "/ ", "; ", " und "))
    text = joint.join(i.number for i in some)
    row.lines = [text[at : at + 35] for at in range(0, len(text), 35)]
    return known_payer(row, customer, rng)


def listed_short(rng: Random, block: Block) -> Row | None:
    """INV-2026-001234, 1250, 1301: the prefix once."""
    found = customer_with(rng, block, 3)
    if found is None:
        return None
    customer, mine = found
    some = [i for i in mine if i.number.startswith("INV")][:4]
    if len(some) < 2:
        return None
    row = closing("several, prefix once", some)
    row.lines = [rng.choice((", ", " / ", " + ")).join([some[0].number, *(i.number[-6:] for i in some[1:])])]
    return known_payer(row, customer, rng)


def unlisted(rng: Random, block: Block) -> Row | None:
    found = customer_with(rng, block, 2)
    if found is None:
        return None
    customer, mine = found
    some = rng.sample(mine, min(len(mine), rng.randrange(2, 5)))
    amount = sum(i.open for i in some)
    row = known_payer(Row("several unlisted", amount), customer, rng)
    row.iban = customer.ibans[0]
    row.lines = [rng.choice(("", "Sammelzahlung", "diverse Rechnungen", f"KdNr {customer.id}"))]
    if sums(customer, amount) > 1 or any(i.open == amount for i in mine):
        return row.left("review")
    row.alloc = [(i.number, i.open, True) for i in some]
    for item in some:
        item.open = 0
    return row


def everything(rng: Random, block: Block) -> Row | None:
    found = customer_with(rng, block, 2)
    if found is None:
        return None
    customer, _ = found
    mine = [i for i in customer.open_items() if i.currency == "EUR"]
    amount = sum(i.open for i in mine)
    if amount <= 0 or sums(customer, amount) > 1 or len(mine) < 2:
        return None
    row = closing("all that is open", mine)
    row.lines = ["Kontoausgleich"]
    known_payer(row, customer, rng)
    row.iban = customer.ibans[0]
    return row


def credit_listed(rng: Random, block: Block) -> Row | None:
    found = with_note(rng, block)
    if found is None:
        return None
    one, mine, note = found
    some = mine[: rng.randrange(1, 4)]
    if sum(i.open for i in some) + note.open <= 0:
        return None
    equal = any(i.open == -note.open for i in some)
    row = closing("credit note equal to an invoice" if equal else "credit note listed", [*some, note])
    row.lines = [" ".join(i.number for i in some), f"abzgl. GS {note.number}"]
    return known_payer(row, one, rng)


def credit_equal(rng: Random, block: Block) -> Row | None:
    """A credit note as large as one of the invoices; all named, or none (then nobody can tell)."""
    for _ in range(200):
        found = with_note(rng, block)
        if found is None:
            return None
        one, mine, note = found
        equal = next((i for i in mine if i.open == -note.open), None)
        others = [i for i in mine if i is not equal]
        if equal is None or not others:
            continue
        if rng.random() < 0.6:
            row = closing("credit note equal to an invoice", [equal, others[0], note])
            row.lines = [f"{equal.number} {others[0].number} {note.number}"]
            return known_payer(row, one, rng)
        row = known_payer(Row("credit note equal, unnamed", others[0].open), one, rng)
        row.iban = one.ibans[0]
        return row.left("review")
    return None


def credit_unlisted(rng: Random, block: Block) -> Row | None:
    found = with_note(rng, block)
    if found is None:
        return None
    one, mine, note = found
    item = max(mine, key=lambda i: i.open)
    amount = item.open + note.open
    if amount <= 0 or any(i.open == amount for i in mine) or [n.open for n in one.items].count(note.open) > 1:
        return None
    if (item.percent and abs(item.discount + note.open) <= 2) or note_sums(one, note.open) > 1:
        return None
    row = closing("credit note unlisted", [item, note])
    row.lines = [f"Rechnung {item.number} abzgl. Gutschrift"]
    return known_payer(row, one, rng)


def parent(rng: Random, block: Block) -> Row | None:
    """Another customer pays, naming the items of a subsidiary (or of three branches)."""
    head = rng.choice(block.customers)
    count = rng.choice((1, 1, 1, 3))
    some = [
        item
        for _ in range(count)
        if (item := an_invoice(rng, block)) is not None and item.customer is not head
    ]
    if len({i.number for i in some}) != count:
        return None
    amount = sum(i.open for i in some)
    row = known_payer(Row("head office" if count > 1 else "parent pays", amount), head, rng)
    row.lines = [" ".join(i.number for i in some)]
    if any(i.open == amount and i.currency == "EUR" for i in head.items):
        row.kind = "conflict"
        return row.left("review")
    row.alloc = [(i.number, i.open, True) for i in some]
    for item in some:
        item.open = 0
    return row


def conflict(rng: Random, block: Block) -> Row | None:
    """The number of another customer, and an own item of this amount that no slip leads to."""
    mine = an_invoice(rng, block)
    others = [i for i in block.items if mine and i.customer is not mine.customer and i.open == mine.open]
    if mine is None or not others:
        return None
    row = known_payer(Row("conflict", mine.open), mine.customer, rng)
    row.iban = mine.customer.ibans[0]
    row.lines = [rng.choice(others).number]
    return row.left("review")
