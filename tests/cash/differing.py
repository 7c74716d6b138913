"""Kinds that do not fit to the cent: parts, too much, too little, discounts."""

from __future__ import annotations

from random import Random

from tests.cash.picks import an_invoice, explains, twins, with_text
from tests.cash.rows import Row, closing, known_payer, paying, spelled
from tests.cash.world import TODAY, Block, Item


def partial(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block, at_least=5000)
    if item is None:
        return None
    cash = item.open * rng.randrange(20, 80) // 100
    short = item.open - cash
    if twins(item, cash) or (item.percent and abs(short - item.discount) <= 2) or explains(item, -short):
        return None
    row = paying("partial", [(item, cash)])
    row.alloc = [(item.number, cash, False)]
    item.open -= cash
    with_text(
        row,
        rng,
        item.customer,
        rng.choice(("Teilzahlung", "Rate", "", "1. Rate", "a conto")),
        spelled(item.number, rng),
    )
    return known_payer(row, item.customer, rng)


def last_part(rng: Random, block: Block) -> Row | None:
    """The rest of an item that was paid in part."""
    some = [i for i in block.items if 0 < i.open < i.gross and i.currency == "EUR"]
    if not some:
        return None
    item = rng.choice(some)
    row = closing("last instalment", [item])
    with_text(
        row, rng, item.customer, rng.choice(("Rest", "Restzahlung", "2. Rate")), spelled(item.number, rng)
    )
    return known_payer(row, item.customer, rng)


def over(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block, at_least=2000)
    if item is None:
        return None
    more = rng.randrange(150, 30000)
    more = max(more, item.open // 50 + 101)
    if twins(item, item.open + more) or twins(item, more):
        return None
    row = closing("overpaid", [item])
    row.amount += more
    row.unapplied = more
    with_text(row, rng, item.customer, spelled(item.number, rng))
    return known_payer(row, item.customer, rng)


def under(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block, at_least=12000)
    if item is None:
        return None
    less = rng.randrange(1, 100)
    row = Row("a little too little", item.open - less)
    row.alloc, row.write_off = [(item.number, item.open - less, True)], less
    item.open = 0
    with_text(row, rng, item.customer, spelled(item.number, rng))
    return known_payer(row, item.customer, rng)


def discount(rng: Random, block: Block) -> Row | None:
    return _discounted(rng, block, "discount in time", -60, 0)


def discount_grace(rng: Random, block: Block) -> Row | None:
    return _discounted(rng, block, "discount in grace", 1, 3)


def discount_late(rng: Random, block: Block) -> Row | None:
    return _discounted(rng, block, "discount too late", 4, 60)


def _offers(rng: Random, block: Block, earliest: int, latest: int) -> Item | None:
    for _ in range(60):
        item = an_invoice(rng, block, at_least=6000)
        if (
            item
            and item.until
            and item.open == item.gross
            and earliest <= (TODAY - item.until).days <= latest
        ):
            return item
    return None


def _discounted(rng: Random, block: Block, kind: str, earliest: int, latest: int) -> Row | None:
    item = _offers(rng, block, earliest, latest)
    if item is None:
        return None
    less = item.discount
    if twins(item, item.open - less) or explains(item, -less):
        return None
    if latest > 3 and less <= 100 and less * 100 <= item.open:
        return None
    row = Row(kind, item.open - less)
    row.alloc = [(item.number, item.open - less, latest <= 3)]
    row.discount = less if latest <= 3 else 0
    item.open = 0 if latest <= 3 else less
    with_text(row, rng, item.customer, spelled(item.number, rng), rng.choice(("abzgl. Skonto", "-2%", "")))
    return known_payer(row, item.customer, rng)


def discount_several(rng: Random, block: Block) -> Row | None:
    for _ in range(80):
        one = rng.choice(block.customers)
        mine = [i for i in one.items if i.open > 6000 and i.open == i.gross and i.currency == "EUR"]
        offers = [i for i in mine if i.until and i.until >= TODAY]
        if not offers or len(mine) < 2:
            continue
        some = [*offers[:3], *[i for i in mine if not i.percent][:1]]
        notes = [i for i in one.items if i.open < 0 and i.currency == "EUR"][:1] if rng.random() < 0.3 else []
        paid = [(i, i.open - (i.discount if i.percent else 0)) for i in some] + [(n, n.open) for n in notes]
        if len(paid) < 2 or sum(cash for _, cash in paid) <= 0:
            continue
        row = paying("discount with credit note" if notes else "discount on several", paid)
        row.discount = sum(i.discount for i in some if i.percent)
        for item, _ in paid:
            item.open = 0
        row.lines = [" ".join(i.number for i, _ in paid)]
        return known_payer(row, one, rng)
    return None
