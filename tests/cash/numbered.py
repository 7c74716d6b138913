"""Kinds that name one item: by reference, by number in many spellings, with a slip, by bare number."""

from __future__ import annotations

import re
from random import Random

from tests.cash.picks import an_invoice, explained_by, is_near, payment_id, twins, with_text
from tests.cash.rows import Row, closing, cut, known_payer, slipped, spelled
from tests.cash.world import Block


def reference(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None or not item.reference:
        return None
    row = closing("reference", [item])
    row.reference = (
        item.reference if rng.random() < 0.6 else re.sub(r"[^A-Z0-9]", "", payment_id(item.reference))
    )
    if rng.random() < 0.6:
        known_payer(row, item.customer, rng)
    return row


def reference_in_text(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None or not item.reference:
        return None
    row = closing("reference in text", [item])
    text = item.reference
    if text.startswith("RF") or text.isdigit():
        text = " ".join(text[at : at + 4] for at in range(0, len(text), 4)) if text.startswith("RF") else text
    row.lines = [
        f"{rng.choice(('', 'Ref.', 'KID', 'Betaling'))} {text} {rng.choice(('', 'takk', 'merci'))}".strip()
    ]
    return known_payer(row, item.customer, rng) if rng.random() < 0.7 else row


def number(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("number", [item])
    with_text(row, rng, item.customer, spelled(item.number, rng))
    return known_payer(row, item.customer, rng) if rng.random() < 0.8 else row


def number_cut(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("number cut", [item])
    row.lines = cut(f"Rechnung {item.number} danke", rng)
    return known_payer(row, item.customer, rng)


def number_padded(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("zeros left out", [item])
    bare = re.sub(r"(?<=[-/E])0+", "", item.number)
    with_text(row, rng, item.customer, bare)
    return known_payer(row, item.customer, rng)


def end_to_end(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("end-to-end id", [item])
    row.end_to_end = item.number if rng.random() < 0.6 else re.sub(r"\W", "", item.number)
    return known_payer(row, item.customer, rng)


def slip(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    written = slipped(item.number, rng)
    if written == item.number:
        return None
    hit = next((i for i in block.items if i.number == written), None)
    row = known_payer(Row("slip", item.open), item.customer, rng)
    row.iban = item.customer.ibans[0]
    with_text(row, rng, item.customer, written)
    close = [i for i in twins(item) if is_near(written, i.number)]
    if (close and "O" not in written) or (hit and explained_by(hit, item)):
        return row.left("review")
    row.kind = "slip that hits another" if hit and hit.open else "slip that hits a settled" if hit else "slip"
    row.alloc = [(item.number, item.open, True)]
    item.open = 0
    return row


def slip_hit(rng: Random, block: Block) -> Row | None:
    """A slip chosen so that it hits another item."""
    by_number = {item.number: item for item in block.items}
    for _ in range(40):
        item = an_invoice(rng, block)
        if item is None:
            return None
        for _ in range(6):
            written = slipped(item.number, rng)
            hit = by_number.get(written)
            if hit is None or hit.customer is item.customer or hit.open == item.open or twins(item):
                continue
            row = known_payer(Row("slip that hits another", item.open), item.customer, rng)
            row.kind = row.kind if hit.open else "slip that hits a settled"
            row.iban = item.customer.ibans[0]
            with_text(row, rng, item.customer, written)
            row.alloc = [(item.number, item.open, True)]
            item.open = 0
            return row
    return None


def bare(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = closing("bare number", [item])
    digits = re.findall(r"\d+", item.number)[-1]
    text = rng.choice(
        (digits, digits.lstrip("0"), f"Rechnung {digits.lstrip('0')}", f"RG {digits}", f"Nr. {digits}")
    )
    row.lines = [f"{text} {rng.choice(('', 'danke', 'KdNr ' + item.customer.id))}".strip()]
    known_payer(row, item.customer, rng)
    row.iban = item.customer.ibans[0]
    return row


def direct_debit(rng: Random, block: Block) -> Row | None:
    row = end_to_end(rng, block)
    if row is not None:
        row.kind = "direct debit"
        row.lines = ["SEPA-Basislastschrift"]
    return row


def foreign(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block, currency="USD")
    if item is None:
        return None
    row = closing("foreign currency", [item])
    row.instructed = (row.amount, "USD")
    row.amount = row.amount * rng.randrange(880, 950) // 1000
    with_text(row, rng, item.customer, spelled(item.number, rng))
    return known_payer(row, item.customer, rng)


def charges(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block, at_least=8000)
    if item is None:
        return None
    kept = rng.choice((500, 750, 1250, 1500, 2500))
    if twins(item, item.open - kept):
        return None
    row = Row("bank charges", item.open - kept)
    row.alloc, row.charged = [(item.number, item.open - kept, True)], kept
    if rng.random() < 0.7:
        row.charges = kept
    else:
        row.instructed = (item.open, "EUR")
    item.open = 0
    with_text(row, rng, item.customer, spelled(item.number, rng))
    return known_payer(row, item.customer, rng)
