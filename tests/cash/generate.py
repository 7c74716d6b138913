"""Blocks of customers and items with the labelled payments about them, in the order of the statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from random import Random

from o2c.ledger import Discount, ItemKind, OpenItem
from o2c.matching import Known
from o2c.money import Money
from o2c.reference import normal
from o2c.statement import Charge, Entry, EntryStatus, TransactionDetails
from tests.cash import unnumbered
from tests.cash.kinds import MIX
from tests.cash.rows import Row
from tests.cash.world import TODAY, Block, Item, blocks

_KINDS = [kind for kind, _ in MIX]
_WEIGHTS = [weight for _, weight in MIX]


def generated(
    seed: int, payments: int, items: int, *, before: Callable[[Item], None] | None = None
) -> Iterator[tuple[Block, list[OpenItem], list[Row]]]:
    """Each block, its items as they are before the first payment (unless ``before`` is told of each
    instead), and its payments."""
    customers = max(items // 10, 20)
    done = seen = 0
    for block in blocks(seed, items):
        seen += len(block.customers)
        at_first = [open_item(item) for item in block.items] if before is None else []
        if before is not None:
            for item in block.items:
                before(item)
        upto = payments * seen // customers
        yield block, at_first, list(_rows(Random(f"{seed}/rows/{block.at}"), block, done, upto))
        done = upto


def _rows(rng: Random, block: Block, first: int, end: int) -> Iterator[Row]:
    """The returns come last, so that what they open again confuses no label."""
    at, owners = first, {item.number: item.customer for item in block.items}
    while at < end:
        is_late = (end - at) * 100 <= end - first and block.debited
        row = (unnumbered.returned if is_late else rng.choices(_KINDS, _WEIGHTS)[0])(rng, block)
        if row is None or row.amount <= 0:
            continue
        row.tx = f"TX{at:08d}"
        if row.kind == "direct debit":
            block.debited.append((row.tx, row.end_to_end, row.amount, owners[row.alloc[0][0]]))
        at += 1
        yield row


def open_item(item: Item) -> OpenItem:
    """As the matcher is given it."""
    discount = Discount(item.percent, item.until) if item.percent and item.until else None
    kind = ItemKind.CREDIT_NOTE if item.is_credit else ItemKind.INVOICE
    return OpenItem(
        item.number,
        item.customer.id,
        item.customer.name,
        normal(item.reference),
        item.currency,
        item.open,
        "EUR",
        item.open,
        item.issued,
        item.due,
        item.gross,
        kind,
        discount,
    )


def known(block: Block) -> list[Known]:
    return [Known(one.id, one.name, one.postcode) for one in block.customers]


def accounts(block: Block) -> list[tuple[str, str, int, bool]]:
    return [(iban, one.id, 0, True) for one in block.customers for iban in one.ibans]


def details(row: Row) -> TransactionDetails:
    """As the reader gives it."""
    charges = (Charge(Money.from_minor(row.charges, "EUR"), is_included=True),) if row.charges else ()
    return TransactionDetails(
        row.tx,
        Money.from_minor(row.amount, "EUR"),
        row.is_credit,
        (row.reference,) if row.reference else (),
        " ".join(line for line in row.lines if line),
        "".join(row.lines),
        row.end_to_end or None,
        row.name or None,
        row.iban or None,
        row.postcode or None,
        Money.from_minor(*row.instructed) if row.instructed else None,
        row.return_reason or None,
        row.tx,
        payer=row.payer or None,
        charges=charges,
    )


def entry(row: Row, payment: TransactionDetails, on: date = TODAY) -> Entry:
    return Entry(
        1, payment.amount, row.is_credit, EntryStatus.BOOKED, on, (payment,), is_unresolved_batch=row.is_batch
    )
