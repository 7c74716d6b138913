"""A camt.054 details what a statement has booked in one sum: the batch becomes its payments.

It posts no money of its own. A batch that waits is found by AcctSvcrRef or NtryRef and by its amount;
the suspense it lay in is taken back and each payment is decided as if the statement had named it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gateway.stages import lookup, match, post, reading
from gateway.stages.batch import IGNORED, Batch, Origin
from gateway.stages.match import Run
from gateway.store import postings
from gateway.store.bank import StoredPayment
from gateway.store.journal import Event
from o2c import cash
from o2c.statement import Entry, EntryStatus, Statement

SPLIT = "split"  # the reason of a batch that has become its payments


def take(run: Run, read: Statement) -> list[str]:
    """Detail every batch that waits for this notification; what was done, in words."""
    waiting = run.books.ask(lookup.waiting, read.account)()
    words = []
    for entry in read.entries:
        if entry.status is EntryStatus.BOOKED and not entry.is_unresolved_batch:
            batch = _batch_of(entry, waiting)
            if batch is not None:
                waiting.remove(batch)
                _split(run, batch, entry)
                words.append(
                    f"{_name(entry)}: the batch of {entry.amount} is now {len(entry.details)} payments."
                )
    return words or ["Nothing to enrich: no batch of this account waits for these details."]


def _name(entry: Entry) -> str:
    return entry.bank_reference or entry.reference or f"entry {entry.position}"


def _batch_of(entry: Entry, waiting: Sequence[StoredPayment]) -> StoredPayment | None:
    """The one batch with the entry's reference and amount."""
    marks = {entry.bank_reference, entry.reference} - {None}
    fitting = [
        one
        for one in waiting
        if one.details.amount == entry.amount
        and one.details.is_credit == entry.is_credit
        and {one.details.bank_reference, one.details.end_to_end_id} & marks
    ]
    return fitting[0] if len(fitting) == 1 else None


def _split(run: Run, batch: StoredPayment, entry: Entry) -> None:
    """The sum leaves suspense, and its payments come in its place, as of the day it was booked."""
    desk = run.desk
    entries = run.books.ask(lookup.entries_of, batch.payment_id)()
    work = Batch(desk, desk.clock.now(), run.rates)
    undone = [
        cash.undone(one.entry, batch.payment_id, batch.booked_on, postings.takes_back(one.entry_id))
        for one in entries
    ]
    posted = work.entered(batch, undone)
    work.changed[batch.payment_id] = {"state": IGNORED, "unallocated_minor": 0, "reason": SPLIT}
    data = {
        "payment": batch.payment_id,
        "payments": len(entry.details),
        "ledger": {one.entry_id: one.sha256 for one in posted},
    }
    work.events.append(Event(f"statement:{batch.statement_id}", "BatchDetailed", data))
    run.books.tell(post.write, post.bundled(work), batch.statement_id)
    origin = Origin(batch.statement_id, batch.account, batch.payment_id)
    booked = replace(entry, booked_on=batch.booked_on)
    match.take(run, origin, reading.in_blocks(booked, run.shapes))
