"""Promises to pay."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, exists, insert, select, update

from gateway.store.bulk import among
from gateway.store.rows import chunks
from gateway.store.schema import item, promise, promise_item
from o2c.errors import NotFound
from o2c.money import Money
from o2c.promise import Promise, PromisedItem, PromiseState


def add(connection: Connection, company_id: str, new: Promise) -> None:
    """Insert a promise with the invoices it covers."""
    connection.execute(
        insert(promise),
        {
            "company_id": company_id,
            "promise_id": new.promise_id,
            "customer_id": new.customer_id,
            "amount_minor": new.amount.minor,
            "currency": new.amount.currency,
            "promised_on": new.promised_on,
            "made_by": new.made_by,
            "made_at": new.made_at,
            "state": new.state,
            "note": new.note,
        },
    )
    connection.execute(
        insert(promise_item),
        [
            {
                "company_id": company_id,
                "promise_id": new.promise_id,
                "invoice_number": one.invoice_number,
                "open_minor": one.open,
            }
            for one in new.items
        ],
    )


_on_items = and_(
    promise_item.c.company_id == promise.c.company_id, promise_item.c.promise_id == promise.c.promise_id
)
_WITH_ITEMS = (
    select(promise, promise_item.c.invoice_number, promise_item.c.open_minor)
    .join(promise_item, _on_items)
    .order_by(promise.c.promise_id, promise_item.c.invoice_number)
)


def _gather(connection: Connection, query: Select[Any]) -> list[Promise]:
    rows: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query):
        rows.setdefault(row.promise_id, []).append(row)
    return [_read(several) for several in rows.values()]


def _read(rows: list[Row[Any]]) -> Promise:
    row = rows[0]
    return Promise(
        row.promise_id,
        row.customer_id,
        tuple(PromisedItem(one.invoice_number, one.open_minor) for one in rows),
        Money.from_minor(row.amount_minor, row.currency),
        row.promised_on,
        row.made_by,
        row.made_at,
        PromiseState(row.state),
        row.ended_on,
        row.note,
    )


def find(connection: Connection, company_id: str, promise_id: str) -> Promise:
    """One promise; ``NotFound('promise')``."""
    query = _WITH_ITEMS.where(promise.c.company_id == company_id, promise.c.promise_id == promise_id)
    found = _gather(connection, query)
    if not found:
        raise NotFound("promise", f"there is no promise {promise_id}.", next_step="See: o2c promises list")
    return found[0]


def page(
    connection: Connection, company_id: str, after: str, limit: int, *, state: str | None = None
) -> list[Promise]:
    """Promises by id, after ``after``."""
    ids = select(promise.c.promise_id).where(promise.c.company_id == company_id, promise.c.promise_id > after)
    if state is not None:
        ids = ids.where(promise.c.state == state)
    chosen = ids.order_by(promise.c.promise_id).limit(limit).subquery()
    query = _WITH_ITEMS.where(
        promise.c.company_id == company_id, promise.c.promise_id.in_(select(chosen.c.promise_id))
    )
    return _gather(connection, query)


def about(connection: Connection, company_id: str, numbers: Iterable[str], *states: str) -> list[Promise]:
    """Whole promises in these states that cover one of the invoices."""
    covered = promise_item.alias()
    touches = exists(
        select(1).where(
            covered.c.company_id == promise.c.company_id,
            covered.c.promise_id == promise.c.promise_id,
            among(covered.c.invoice_number, numbers),
        )
    )
    mine = _WITH_ITEMS.where(promise.c.company_id == company_id, promise.c.state.in_(states), touches)
    return _gather(connection, mine)


def of_unpaid(connection: Connection, company_id: str) -> list[Promise]:
    """Running and broken promises that cover an unpaid invoice: one statement for all."""
    covered = promise_item.alias()
    unpaid = exists(
        select(1)
        .select_from(covered)
        .join(
            item,
            and_(
                item.c.company_id == covered.c.company_id,
                item.c.number == covered.c.invoice_number,
                item.c.settled_at.is_(None),
            ),
        )
        .where(covered.c.company_id == promise.c.company_id, covered.c.promise_id == promise.c.promise_id)
    )
    standing = promise.c.state.in_((PromiseState.RUNNING, PromiseState.BROKEN))
    return _gather(connection, _WITH_ITEMS.where(promise.c.company_id == company_id, standing, unpaid))


def end(connection: Connection, company_id: str, ids: Iterable[str], state: PromiseState, on: date) -> None:
    """End promises as ``state``. One that was broken may turn out to have been kept."""
    for some in chunks(sorted(ids)):
        connection.execute(
            update(promise)
            .where(promise.c.company_id == company_id, promise.c.promise_id.in_(some))
            .values(state=state, ended_on=on)
        )
