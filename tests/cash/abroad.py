"""Payments to the companies of ``houses``: other words in another order, other labels' reasons.

Every kind says what a careful accountant would do; where two answers are possible it is review, or the
payment is not made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from random import Random

from o2c.ledger import OpenItem
from tests.cash.generate import open_item
from tests.cash.houses import HOUSES, House, Words, company, iban
from tests.cash.picks import an_invoice, customer_with, explains, is_near, note_sums, sums, twins, with_note
from tests.cash.rows import Row, closing, paying
from tests.cash.spoken import is_sure, paid_by, say, written
from tests.cash.world import TODAY, Block

Kind = Callable[[Random, Block, Words], Row | None]


def abroad(seed: int, payments: int, items: int) -> Iterator[tuple[Block, list[OpenItem], list[Row]]]:
    """One company, chosen by the seed, its items, and its payments in the order of the statement."""
    rng, house = Random(f"abroad/{seed}"), HOUSES[seed % len(HOUSES)]
    block = company(house, rng, items)
    before = [open_item(item) for item in block.items]
    yield block, before, list(_rows(rng, block, house, payments))


def _rows(rng: Random, block: Block, house: House, count: int) -> Iterator[Row]:
    kinds, weights = [kind for kind, _ in MIX], [weight for _, weight in MIX]
    at = 0
    while at < count:
        row = rng.choices(kinds, weights)[0](rng, block, house.words)
        if row is not None and row.amount > 0:
            row.tx = f"AB{at:07d}"
            at += 1
            yield row


# --- kinds that name an item ----------------------------------------------------------------------
def by_reference(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    if item is None or not item.reference:
        return None
    row = closing("reference", [item])
    row.reference = item.reference if rng.random() < 0.7 else re.sub(r"[^A-Z0-9+<]", "", item.reference)
    return paid_by(row, item.customer, rng) if rng.random() < 0.7 else row


def by_spoken_reference(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    if item is None or not item.reference:
        return None
    row = closing("reference in text", [item])
    text = item.reference
    if text[:2] == "RF" or (len(text) > 20 and text.isdigit()):
        text = " ".join(text[at : at + 4] for at in range(0, len(text), 4))
    return paid_by(say(row, rng, item.customer, words, text), item.customer, rng)


def by_number(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("number", [item])
    return paid_by(say(row, rng, item.customer, words, written(item.number, rng, words)), item.customer, rng)


def by_another_hand(rng: Random, block: Block, words: Words) -> Row | None:
    """Somebody who is not on file pays: the number and the amount are all there is."""
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("number, paid by a stranger", [item])
    row.lines, row.name, row.iban = [f"{words.invoice[0]} {item.number}"], "Privat Person", iban(rng)
    return row


def by_end_to_end(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("end-to-end id", [item])
    row.end_to_end = item.number
    return paid_by(row, item.customer, rng)


def slip(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    if item is None or not is_sure(item.customer, block):
        return None
    places = [at for at, sign in enumerate(item.number) if sign.isdigit()][-4:]
    at = rng.choice(places)
    written = f"{item.number[:at]}{(int(item.number[at]) + rng.randrange(1, 9)) % 10}{item.number[at + 1 :]}"
    hit = next((one for one in block.items if one.number == written), None)
    if hit and (hit.customer is item.customer or abs(hit.gross) == abs(item.open)):
        return None
    if twins(item) or any(is_near(written, one.number) and one is not item for one in item.customer.items):
        return None
    if sums(item.customer, item.open) > 1:
        return None
    row = closing("slip that hits another" if hit else "slip", [item])
    row.lines = [f"{words.invoice[0]} {written}"]
    return paid_by(row, item.customer, rng, sure=True)


# --- kinds that differ ----------------------------------------------------------------------------
def part(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block, at_least=6000)
    if item is None:
        return None
    cash = item.open * rng.choice((25, 30, 50, 60)) // 100
    short = item.open - cash
    if twins(item, cash) or explains(item, -short) or (item.percent and abs(short - item.discount) < 3):
        return None
    row = Row("part", cash, alloc=[(item.number, cash, False)])
    item.open -= cash
    text = f"{rng.choice(words.part)} {item.number}".strip()
    return paid_by(say(row, rng, item.customer, words, text), item.customer, rng)


def rest(rng: Random, block: Block, words: Words) -> Row | None:
    some = [i for i in block.items if 0 < i.open < i.gross and i.currency == "EUR"]
    if not some:
        return None
    item = rng.choice(some)
    row = closing("rest", [item])
    row.lines = [f"{words.rest} {item.number}"]
    return paid_by(row, item.customer, rng)


def too_much(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block, at_least=3000)
    if item is None:
        return None
    over = max(rng.randrange(200, 20000), item.open // 40 + 101)
    if sums(item.customer, over) or sums(item.customer, item.open + over):
        return None
    row = closing("too much", [item])
    row.amount, row.unapplied = row.amount + over, over
    return paid_by(say(row, rng, item.customer, words, item.number), item.customer, rng)


def too_little(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block, at_least=15000)
    if item is None:
        return None
    less = rng.randrange(1, 100)
    row = Row("a little too little", item.open - less, write_off=less)
    row.alloc, item.open = [(item.number, item.open - less, True)], 0
    return paid_by(say(row, rng, item.customer, words, item.number), item.customer, rng)


def discounted(rng: Random, block: Block, words: Words) -> Row | None:
    item = next((i for _ in range(40) if (i := an_invoice(rng, block, at_least=12000)) and i.percent), None)
    if item is None or item.open != item.gross or item.until is None:
        return None
    days, less = (TODAY - item.until).days, item.discount
    if twins(item, item.open - less) or explains(item, -less) or (days > 3 and less <= 100):
        return None
    in_time = days <= 3
    row = Row("discount" if in_time else "discount too late", item.open - less)
    row.alloc = [(item.number, item.open - less, in_time)]
    row.discount = less if in_time else 0
    item.open = 0 if in_time else less
    said = rng.choice((words.discount, f"- {item.percent} %", f"-{item.percent}%", ""))
    return paid_by(say(row, rng, item.customer, words, f"{item.number} {said}".strip()), item.customer, rng)


def charged(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block, at_least=9000)
    if item is None:
        return None
    kept = rng.choice((300, 850, 1000, 2200))
    if twins(item, item.open - kept):
        return None
    row = Row("charges", item.open - kept, alloc=[(item.number, item.open - kept, True)], charged=kept)
    row.charges, item.open = kept, 0
    return paid_by(say(row, rng, item.customer, words, item.number), item.customer, rng)


def abroad_money(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block, currency="USD")
    if item is None:
        return None
    row = closing("foreign currency", [item])
    row.instructed, row.amount = (row.amount, "USD"), row.amount * 915 // 1000
    return paid_by(say(row, rng, item.customer, words, item.number), item.customer, rng)


# --- several --------------------------------------------------------------------------------------
def listed(rng: Random, block: Block, words: Words) -> Row | None:
    found = customer_with(rng, block, 2)
    if found is None:
        return None
    one, mine = found
    some = rng.sample(mine, min(len(mine), rng.randrange(2, 9)))
    row = closing("listed", some)
    line = (
        rng.choice(words.invoice) + " " + rng.choice((", ", " / ", ";", " + ")).join(i.number for i in some)
    )
    row.lines = [line[at : at + 35] for at in range(0, len(line), 35)]
    return paid_by(row, one, rng)


def netted(rng: Random, block: Block, words: Words) -> Row | None:
    found = with_note(rng, block)
    if found is None:
        return None
    one, mine, note = found
    item = max(mine, key=lambda i: i.open)
    if item.open + note.open <= 0 or any(i.open == item.open + note.open for i in mine):
        return None
    is_named = rng.random() < 0.6
    if not is_named and (note_sums(one, note.open) > 1 or item.percent):
        return None
    row = closing("credit note named" if is_named else "credit note not named", [item, note])
    text = f"{item.number} {words.less_credit} {note.number if is_named else ''}".strip()
    return paid_by(say(row, rng, one, words, text), one, rng)


def unlisted(rng: Random, block: Block, words: Words) -> Row | None:
    found = customer_with(rng, block, 2)
    if found is None or not is_sure(found[0], block):
        return None
    one, mine = found
    some = rng.sample(mine, min(len(mine), rng.randrange(2, 4)))
    row = paid_by(Row("not listed", sum(i.open for i in some)), one, rng, sure=True)
    row.lines = [rng.choice(words.several)]
    if sums(one, row.amount) > 1:
        return row.left("review")
    row.alloc = paying("", [(i, i.open) for i in some]).alloc
    for item in some:
        item.open = 0
    return row


def head_office(rng: Random, block: Block, words: Words) -> Row | None:
    head, item = rng.choice(block.customers), an_invoice(rng, block)
    if item is None or item.customer is head or sums(head, item.open):
        return None
    row = closing("head office", [item])
    row.lines = [f"{words.invoice[0]} {item.number}"]
    return paid_by(row, head, rng, sure=True)


# --- the payer alone, and those to leave ----------------------------------------------------------
def amount_alone(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    if item is None or not is_sure(item.customer, block):
        return None
    row = paid_by(Row("payer and amount", item.open), item.customer, rng, sure=True)
    row.lines = [rng.choice(("", words.invoice[0], f"{words.customer[0]} {item.customer.id}"))]
    if twins(item) or sums(item.customer, item.open) > 1:
        return row.left("review")
    row.alloc, item.open = [(item.number, item.open, True)], 0
    return row


def crossed(rng: Random, block: Block, words: Words) -> Row | None:
    """The number of somebody else's item, and an own item of the same amount."""
    mine = an_invoice(rng, block)
    others = [i for i in block.items if mine and i.customer is not mine.customer and i.open == mine.open]
    if mine is None or not others or not is_sure(mine.customer, block):
        return None
    row = paid_by(Row("crossed", mine.open, [rng.choice(others).number]), mine.customer, rng, sure=True)
    return row.left("review")


def twice(rng: Random, block: Block, words: Words) -> Row | None:
    some = [i for i in block.items if i.open == 0 and i.gross > 0 and i.currency == "EUR"]
    if not some:
        return None
    item = rng.choice(some)
    row = Row("paid twice", item.gross)
    if item.reference and rng.random() < 0.4:
        row.reference = item.reference
    else:
        say(row, rng, item.customer, words, item.number)
    return paid_by(row, item.customer, rng).left("unapplied")


def long_gone(rng: Random, block: Block, words: Words) -> Row | None:
    """The number of an item on no file any more, with the amount of one that is open."""
    number, item = rng.choice(block.ghosts), an_invoice(rng, block)
    if item is None or any(is_near(number, one.number) for one in item.customer.items):
        return None
    row = Row("no longer on file", item.open, [f"{words.invoice[0]} {number}"])
    return paid_by(row, item.customer, rng, sure=True).left("unapplied")


def on_account(rng: Random, block: Block, words: Words) -> Row | None:
    one = rng.choice(block.customers)
    row = Row("on account", rng.randrange(10000, 900000))
    if sums(one, row.amount) or any(i.open - i.discount == row.amount for i in one.items if i.percent):
        return None
    row.lines = [rng.choice((words.prepaid, f"{words.prepaid} {rng.randrange(10**5, 10**6)}", "a conto"))]
    return paid_by(row, one, rng, sure=True).left("unapplied")


def nothing_of_ours(rng: Random, block: Block, words: Words) -> Row | None:
    item = an_invoice(rng, block)
    amount = item.open if item and rng.random() < 0.4 else rng.randrange(500, 10**6)
    text = rng.choice(
        (
            f"Skatteoppgjør {rng.randrange(10**8, 10**9)}",
            f"Payout {rng.randrange(10**9, 10**10)} {TODAY:%Y%m%d}",
            f"VISA {rng.randrange(10**3, 10**4)} {rng.randrange(10**5, 10**6)}",
            f"Remboursement {TODAY:%d%m%Y}",
            f"Miete {TODAY:%m/%Y}",
        )
    )
    row = Row("nothing of ours", amount, [text], name=rng.choice(("Skatteetaten", "Stripe", "Kommune Oslo")))
    row.iban = iban(rng)
    return row.left("unrelated")


def paid_back(rng: Random, block: Block, words: Words) -> Row | None:
    found = with_note(rng, block)
    if found is None:
        return None
    one, _, note = found
    row = Row("refund", -note.open, [f"Refund {note.number}"], name=one.name, is_credit=False)
    row.alloc, note.open = [(note.number, note.open, True)], 0
    return row


MIX: tuple[tuple[Kind, int], ...] = (
    (by_reference, 90),
    (by_spoken_reference, 40),
    (by_number, 140),
    (by_another_hand, 15),
    (by_end_to_end, 20),
    (slip, 40),
    (part, 40),
    (rest, 15),
    (too_much, 25),
    (too_little, 20),
    (discounted, 50),
    (charged, 15),
    (abroad_money, 8),
    (listed, 60),
    (netted, 25),
    (unlisted, 40),
    (head_office, 20),
    (amount_alone, 60),
    (crossed, 10),
    (twice, 25),
    (long_gone, 12),
    (on_account, 20),
    (nothing_of_ours, 30),
    (paid_back, 3),
)
