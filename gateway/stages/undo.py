"""Undo: what became of a payment, a statement or a whole file is taken back by counter-rows.

Nothing is deleted. Undoing a payment opens its items again and lets the money wait for a person;
undoing a statement or a file takes the bank's line back too, and the statement steps aside, so that
it may be imported again. Balances, promises, disputes and holds stand as they did before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from gateway.stages import effects, post
from gateway.stages.batch import APPLIED, IGNORED, RETURNED, UNDONE, UNMATCHED, Batch, Rates
from gateway.stages.desk import Desk
from gateway.stages.reading import BLOCK
from gateway.store import allocations, bank, items, payers, postings, statements
from gateway.store.allocations import RETURN, UNDO, NewAllocation, Standing
from gateway.store.bank import StoredPayment
from gateway.store.journal import Event
from gateway.store.ledger import Posted
from o2c import cash
from o2c.cash import Owed
from o2c.errors import Conflict, NotFound, Refused
from o2c.ledger import Account
from o2c.matching.model import Outcome


@dataclass(frozen=True, slots=True)
class Undone:
    """What was taken back: payments, allocations, and the statements that stepped aside."""

    payments: int
    allocations: int
    statements: tuple[str, ...] = ()


def one(desk: Desk, connection: Connection, found: StoredPayment) -> Undone:
    """Take a payment's allocations back; its money waits for a person.

    ``Conflict`` with ``payment-undone``, ``payment-returned``, ``payment-waits`` and others where there
    is nothing to take back.
    """
    _check_undoable(connection, desk, found)
    return _undo(desk, connection, [found], whole=False)


def undo_statement(desk: Desk, statement_id: str) -> Undone:
    """Take a statement back, the bank's lines too.

    ``NotFound('statement')``, ``Conflict('statement-undone')``.
    """

    def unit(connection: Connection) -> Undone:
        statements.lock_cash(connection, desk.company_id)
        row = statements.statement_row(connection, desk.company_id, statement_id)
        if row.undone_at is not None:
            raise Conflict("statement-undone", f"statement {statement_id} is undone already.")
        return _undo_statements(desk, connection, [statement_id])

    return desk.database.write(unit)


def undo_file(desk: Desk, sha256: str) -> Undone:
    """Take back every statement of a file, in one transaction. ``NotFound('file')``."""

    def unit(connection: Connection) -> Undone:
        statements.lock_cash(connection, desk.company_id)
        rows = statements.statements_of_file(connection, desk.company_id, sha256)
        if not rows:
            raise NotFound("file", f"no statement came in with a file of SHA-256 {sha256}.")
        standing = [row.statement_id for row in rows if row.undone_at is None]
        if not standing:
            raise Conflict("statement-undone", "every statement of this file is undone already.")
        return _undo_statements(desk, connection, standing)

    return desk.database.write(unit)


def _check_undoable(connection: Connection, desk: Desk, found: StoredPayment) -> None:
    words = None
    name = found.payment_id
    if found.undone_at is not None:
        words = ("payment-undone", f"{name} is undone together with its statement.")
    elif found.state == RETURNED:
        by = bank.returns_of(connection, desk.company_id, name)
        words = ("payment-returned", f"{name} was taken back by {', '.join(one.payment_id for one in by)}.")
    elif found.state in (UNMATCHED, IGNORED):
        words = ("payment-waits", f"{name} is {found.state}: nothing was made of it that could be undone.")
    elif found.details.is_credit is False:
        words = ("payment-out", f"{name} is money that went out; undo its statement.")
    if words is not None:
        raise Conflict(*words)
    used = [one for one in bank.returns_of(connection, desk.company_id, name) if one.rule == "refund"]
    if used:
        raise Conflict("payment-refunded", f"what was left of {name} was paid back by {used[0].payment_id}.")


# --- statements ----------------------------------------------------------------------------------
def _undo_statements(desk: Desk, connection: Connection, statement_ids: Sequence[str]) -> Undone:
    now = desk.clock.now()
    _check_nothing_builds_on(desk, connection, statement_ids)
    total = Counter[str]()
    # Last things first: a return in the same file comes before the payment it took back.
    for statement_id in reversed(statement_ids):
        payments = list(bank.of_statements(connection, desk.company_id, [statement_id]))
        for some in _runs(one for one in reversed(payments) if one.undone_at is None):
            done = _undo(desk, connection, some, whole=True)
            total.update(payments=done.payments, allocations=done.allocations)
        statements.step_aside(connection, desk.company_id, statement_id, now)
        data = {"payments": total["payments"]}
        desk.record(connection, now, [Event(f"statement:{statement_id}", "StatementUndone", data)])
    return Undone(total["payments"], total["allocations"], tuple(statement_ids))


def _runs(payments: Iterable[StoredPayment]) -> Iterator[list[StoredPayment]]:
    """The payments in lists of at most ``BLOCK``, cut where one would stand beside what took it back: that
    has to be gone first, or the two would cancel out and nothing of either be undone."""
    some: list[StoredPayment] = []
    originals: set[str] = set()
    for one in payments:
        if one.payment_id in originals or len(some) == BLOCK:
            yield some
            some, originals = [], set()
        some.append(one)
        if one.of_payment_id is not None:
            originals.add(one.of_payment_id)
    if some:
        yield some


def _check_nothing_builds_on(desk: Desk, connection: Connection, statement_ids: Sequence[str]) -> None:
    """A payment that a later statement has taken back or paid back cannot go before that one."""
    for one in bank.built_on(connection, desk.company_id, statement_ids):
        raise Refused(
            "statement-built-on",
            f"payment {one.of_payment_id} of it was taken back by {one.payment_id} of another statement.",
            next_step=f"Undo that first: o2c payments undo --statement {one.statement_id}",
        )


# --- payments ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Material:
    """What is known of the payments to undo."""

    entries: dict[str, list[Posted]]
    standing: dict[str, list[Standing]]
    originals: dict[str, StoredPayment]
    returned: dict[str, list[Standing]]


def _undo(desk: Desk, connection: Connection, payments: Sequence[StoredPayment], *, whole: bool) -> Undone:
    """Take back these payments; ``whole``: with the bank's line."""
    material = _material(desk, connection, payments)
    batch = _batch(desk, connection, material)
    count = 0
    for one in payments:
        count += _take_back(batch, one, material, whole)
    streams = {batch.stream_of(number) for number in batch.owed}
    who = {line.customer_id for posted in batch.posted for line in posted.entry.lines if line.customer_id}
    causes = {one.statement_id for one in payments} | {one.payment_id for one in payments}
    post.book(batch, connection, "undo")
    payers.forget(connection, desk.company_id, _taught(payments, material, batch).elements())
    events = effects.put_back(desk, connection, streams, who, causes)
    desk.record(connection, batch.at, events)
    return Undone(len(payments), count)


def _material(desk: Desk, connection: Connection, payments: Sequence[StoredPayment]) -> _Material:
    ids = [one.payment_id for one in payments]
    before = [one.of_payment_id for one in payments if one.of_payment_id is not None]
    originals = {one.payment_id: one for one in bank.some(connection, desk.company_id, before)}
    return _Material(
        # Each by itself: seen together, a return and what it took back leave nothing standing.
        postings.of_documents(connection, desk.company_id, before)
        | postings.of_documents(connection, desk.company_id, ids),
        allocations.of_payments(connection, desk.company_id, ids),
        originals,
        allocations.taken_back(connection, desk.company_id, before),
    )


def _batch(desk: Desk, connection: Connection, material: _Material) -> Batch:
    """The items concerned, as they stand under the lock of their customers."""
    entries = [one.entry for several in material.entries.values() for one in several]
    moved = cash.moved_items(entries)
    payers.lock_rows(connection, desk.company_id, {who for _, who, _, _ in moved})
    numbers = {number for number, _, _, _ in moved}
    now = items.some(connection, desk.company_id, numbers) if numbers else []
    batch = Batch(desk, desk.clock.now(), Rates.here(desk, connection))
    batch.owed = {
        one.item.invoice_number: Owed(one.item.customer_id, one.item.open, one.item.base_open) for one in now
    }
    batch.orders = {one.item.invoice_number: one.order_id for one in now if one.order_id}
    return batch


def _take_back(batch: Batch, one: StoredPayment, material: _Material, whole: bool) -> int:
    """One payment: its entries mirrored, its allocations countered, what it had undone restored."""
    entries = material.entries.get(one.payment_id, [])
    day = max(one.booked_on, batch.desk.clock.today())
    mirrored = [
        cash.undone(each.entry, one.payment_id, day, postings.takes_back(each.entry_id)) for each in entries
    ]
    posted = batch.entered(one, mirrored)
    if not whole:
        posted += batch.entered(one, post.suspended(batch, one))
    _counter(batch, one.payment_id, material.standing.get(one.payment_id, ()), posted, UNDO)
    if one.of_payment_id is not None:
        _restore(batch, one, material, posted)
    batch.changed[one.payment_id] = _values(one, whole)
    _tell(batch, one, material, posted)
    return len(material.standing.get(one.payment_id, ()))


def _values(one: StoredPayment, whole: bool) -> dict[str, object]:
    if whole:
        return {"state": UNDONE, "unallocated_minor": 0}
    return {
        "state": UNMATCHED,
        "unallocated_minor": one.details.amount.minor,
        "customer_id": None,
        "reason": "undone",
        "decision": Outcome.REVIEW.value,
        "discount_minor": 0,
        "write_off_minor": 0,
        "charges_minor": 0,
    }


def _counter(
    batch: Batch, payment_id: str, standing: Iterable[Standing], posted: Sequence[Posted], rule: str
) -> None:
    batch.allocated += [
        NewAllocation(
            payment_id,
            part.number,
            posted[0].entry_id,
            -part.amount,
            rule,
            "[]",
            -part.discount,
            -part.write_off,
            -part.charges,
        )
        for part in standing
    ]


def _restore(batch: Batch, one: StoredPayment, material: _Material, posted: Sequence[Posted]) -> None:
    """What this payment had taken back or paid back stands again."""
    original = material.originals[str(one.of_payment_id)]
    if one.decision != Outcome.RETURN:  # it had paid back what was left over
        left = batch.changed.get(original.payment_id, {}).get("unallocated_minor", original.unallocated)
        batch.changed[original.payment_id] = {"unallocated_minor": left + one.details.amount.minor}
        return
    _counter(batch, original.payment_id, material.returned.get(original.payment_id, ()), posted, RETURN)
    left, waits = _left_of(original, material.entries.get(original.payment_id, ()))
    state = UNMATCHED if waits else APPLIED if material.entries.get(original.payment_id) else IGNORED
    batch.changed[original.payment_id] = {"state": state, "unallocated_minor": left}


def _left_of(payment: StoredPayment, entries: Iterable[Posted]) -> tuple[int, bool]:
    """What lies on account or in suspense of a payment's own entries; True if it is suspense."""
    lines = [
        line
        for one in entries
        if one.entry.currency == payment.details.amount.currency
        for line in one.entry.lines
        if line.account in (Account.ADVANCES, Account.SUSPENSE)
    ]
    waits = sum(line.amount for line in lines if line.account is Account.SUSPENSE) != 0
    return -sum(line.amount for line in lines), waits


def _tell(batch: Batch, one: StoredPayment, material: _Material, posted: Sequence[Posted]) -> None:
    parts = material.standing.get(one.payment_id, ())
    linked = [order for part in parts if (order := batch.orders.get(part.number))]
    data = {
        "payment": one.payment_id,
        "items": [part.number for part in parts],
        "ledger": {each.entry_id: each.sha256 for each in posted},
    }
    stream = f"statement:{one.statement_id}"
    batch.events.append(Event(stream, "PaymentUndone", data, orders=tuple(dict.fromkeys(linked))))


def _taught(payments: Iterable[StoredPayment], material: _Material, batch: Batch) -> Counter[tuple[str, str]]:
    """Which payer accounts these payments had taught, and how often."""
    taught = Counter[tuple[str, str]]()
    for one in payments:
        if one.details.counterparty_iban and one.details.is_credit:
            parts = material.standing.get(one.payment_id, ())
            owners = {batch.owed[part.number].customer_id for part in parts}
            taught.update((one.details.counterparty_iban, name) for name in owners)
    return taught
