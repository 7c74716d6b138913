"""What is put right again where money is taken back: promises and disputes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, select, update

from gateway.store.bulk import among
from gateway.store.schema import dispute, item, journal, promise


def told(
    connection: Connection, company_id: str, streams: Iterable[str], events: Sequence[str]
) -> list[tuple[str, str, Mapping[str, Any]]]:
    """(stream, event, data) of such events on some streams, in the order they happened."""
    query = select(journal.c.stream, journal.c.event, journal.c.data).where(
        journal.c.company_id == company_id,
        among(journal.c.stream, streams),
        journal.c.event.in_(events),
    )
    rows = connection.execute(query.order_by(journal.c.entry_no))
    return [(row.stream, row.event, json.loads(row.data)) for row in rows]


def overdue_customers(connection: Connection, company_id: str, names: Iterable[str], today: date) -> set[str]:
    """Those of the customers who owe something that is overdue."""
    query = select(item.c.customer_id).distinct()
    query = query.where(
        item.c.company_id == company_id,
        among(item.c.customer_id, names),
        item.c.settled_at.is_(None),
        item.c.open_minor > 0,
        item.c.due_on < today,
    )
    return set(connection.execute(query).scalars())


def restore_promise(
    connection: Connection, company_id: str, promise_id: str, state: str, ended_on: date | None
) -> None:
    """The promise stands as it did."""
    mine = (promise.c.company_id == company_id) & (promise.c.promise_id == promise_id)
    connection.execute(update(promise).where(mine).values(state=state, ended_on=ended_on))


def reopen_dispute(connection: Connection, company_id: str, dispute_id: str) -> None:
    """The dispute is open again."""
    mine = (dispute.c.company_id == company_id) & (dispute.c.dispute_id == dispute_id)
    nothing = {"state": "open", "closed_by": None, "closed_at": None, "note": None}
    connection.execute(update(dispute).where(mine).values(**nothing))
