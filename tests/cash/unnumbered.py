"""Kinds that name nothing, or nothing open, and those that must be left alone."""

from __future__ import annotations

from random import Random

from tests.cash.picks import an_invoice, is_near, sums, told_apart, with_note, with_text
from tests.cash.rows import Row, ascii_name, known_payer, spelled
from tests.cash.world import Block, Customer


def amount_only(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = known_payer(Row("payer and amount", item.open), item.customer, rng)
    row.iban = item.customer.ibans[0]
    row.lines = [rng.choice(("", "Rechnung", "Danke", f"KdNr {item.customer.id}"))]
    return told_apart(row, item)


def name_and_postcode(rng: Random, block: Block) -> Row | None:
    item = an_invoice(rng, block)
    if item is None:
        return None
    row = known_payer(Row("name and postcode", item.open), item.customer, rng)
    row.iban, row.postcode = (
        f"DE{rng.randrange(10, 99)}{rng.randrange(10**17, 10**18)}",
        item.customer.postcode,
    )
    if rng.random() < 0.15 and row.name.count(" ") == 1:
        row.name = ", ".join(reversed(row.name.split()))
    return told_apart(row, item)


def namesakes(rng: Random, block: Block) -> Row | None:
    """Two customers of one name, no postcode, no account on file: nobody can tell."""
    seen: dict[str, Customer] = {}
    for one in block.customers:
        if one.name in seen and rng.random() < 0.3:
            mine = [i for i in one.items if i.open > 0 and i.currency == "EUR"]
            if mine:
                row = Row("namesakes", rng.choice(mine).open, name=ascii_name(one.name, rng)[:70])
                return row.left("review")
        seen[one.name] = one
    return None


def returned(rng: Random, block: Block) -> Row | None:
    """A direct debit of this statement comes back."""
    if not block.debited:
        return None
    tx, end_to_end_id, amount, customer = block.debited.pop(rng.randrange(len(block.debited)))
    row = Row("return", amount, is_credit=False, return_reason="AC04", end_to_end=end_to_end_id, of=tx)
    return known_payer(row, customer, rng).left("return")


def duplicate(rng: Random, block: Block) -> Row | None:
    """Paid again: the item is settled, though an item of this amount may be open."""
    some = [i for i in block.items if i.open == 0 and i.gross > 0 and i.currency == "EUR"]
    if not some:
        return None
    item = rng.choice(some)
    row = Row("settled only", item.gross)
    if rng.random() < 0.3 and item.reference:
        row.reference = item.reference
    else:
        with_text(row, rng, item.customer, spelled(item.number, rng))
    return known_payer(row, item.customer, rng).left("unapplied")


def ghost(rng: Random, block: Block) -> Row | None:
    """A number of ours that is in no file any more; often with the amount of an open item."""
    number = rng.choice(block.ghosts)
    item = an_invoice(rng, block)
    if item is None or any(is_near(number, i.number) for i in item.customer.items if i.open):
        return None
    row = Row("settled, not on file", item.open if rng.random() < 0.5 else rng.randrange(1000, 900000))
    row.lines = [number]
    known_payer(row, item.customer, rng)
    row.iban = item.customer.ibans[0]
    return row.left("unapplied")


def prepayment(rng: Random, block: Block) -> Row | None:
    one = rng.choice(block.customers)
    row = known_payer(Row("prepayment", rng.randrange(10000, 500000)), one, rng)
    row.iban = one.ibans[0]
    if sums(one, row.amount):
        return None
    words = rng.choice(("Vorauszahlung Auftrag", "Anzahlung Bestellung", "Order"))
    row.lines = [f"{words} {rng.randrange(1000, 99999)}"]
    return row.left("unapplied")


def unrelated(rng: Random, block: Block) -> Row | None:
    amount = (
        item.open
        if (item := an_invoice(rng, block)) is not None and rng.random() < 0.5
        else rng.randrange(100, 10**6)
    )
    name, text = rng.choice(
        (
            ("FINANZAMT KOELN-SUED", f"ERSTATTUNG UMS.ST STNR {rng.randrange(10**9, 10**10)} 05.26"),
            ("SPARKASSE", "ZINSEN 01.04.2026-30.06.2026"),
            ("AOK RHEINLAND", f"ERSTATTUNG U1 BETR {rng.randrange(10**7, 10**8)}"),
            ("Erika Mustermann", "Miete Juni"),
            (
                "VERSICHERUNG AG",
                f"SCHADEN {rng.randrange(10**6, 10**7)}/26 KFZ K-AB {rng.randrange(1000, 9999)}",
            ),
            ("PAYPAL EUROPE", f"{rng.randrange(10**12, 10**13)} PP.{rng.randrange(1000, 9999)}.PP"),
        )
    )
    iban = f"DE{rng.randrange(10, 99)}{rng.randrange(10**17, 10**18)}"
    return Row("unrelated", amount, [text], name=name, iban=iban).left("unrelated")


def stranger(rng: Random, block: Block) -> Row | None:
    """An open amount from somebody unknown, without a number."""
    item = an_invoice(rng, block)
    if item is None:
        return None
    name = rng.choice(("Anna Beispiel", "Kanzlei Dr. Unbekannt", "Inkasso Treu GmbH"))
    return Row("amount alone", item.open, ["Rechnung"], name=name, iban="DE00123456789012345678").left(
        "review"
    )


def money_out(rng: Random, block: Block) -> Row | None:
    row = Row("money out", rng.randrange(1000, 10**6), ["Gehalt Juni"], name="Mitarbeiter", is_credit=False)
    return row.left("unrelated")


def refund(rng: Random, block: Block) -> Row | None:
    found = with_note(rng, block)
    if found is None:
        return None
    one, _, note = found
    row = Row(
        "refund", -note.open, [f"Auszahlung {note.number}"], name=one.name, iban=one.ibans[0], is_credit=False
    )
    row.alloc = [(note.number, note.open, True)]
    note.open = 0
    return row


def batch(rng: Random, block: Block) -> Row | None:
    return Row("batch", rng.randrange(10000, 10**7), is_batch=True).left("review")
