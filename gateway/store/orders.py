"""Orders and their shipments, each an aggregate in one row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, bindparam, insert, or_, select, tuple_, update

from gateway.ids import new_id
from gateway.store.rows import chunks, pack, unpack, unpack_all
from gateway.store.schema import decision, sales_order, shipment
from o2c.decision import Decision
from o2c.errors import NotFound
from o2c.order import Order, OrderPart, PartState
from o2c.shipment import Shipment


@dataclass(frozen=True, slots=True)
class StoredOrder:
    """An order with its state. ``claimed`` is its part of the customer's open orders (minor units)."""

    order_id: str
    customer_id: str
    state: str
    order: Order
    parts: tuple[OrderPart, ...]
    value: int
    claimed: int
    document_sha256: str
    received_at: datetime
    idempotency_key: str | None
    decided_at: datetime | None


def _stored(row: Row[Any]) -> StoredOrder:
    return StoredOrder(
        row.order_id,
        row.customer_id,
        row.state,
        unpack(Order, row.body),
        unpack_all(OrderPart, row.parts),
        row.value_minor,
        row.claimed_minor,
        row.document_sha256,
        row.received_at,
        row.idempotency_key,
        row.decided_at,
    )


_INSERT = insert(sales_order)


def add(connection: Connection, company_id: str, new: Sequence[StoredOrder]) -> None:
    """Insert orders; natural keys and idempotency keys are unique in the company."""
    connection.execute(_INSERT, [_row(company_id, one) for one in new])


def _row(company_id: str, new: StoredOrder) -> dict[str, Any]:
    return {
        "company_id": company_id,
        "order_id": new.order_id,
        "source": new.order.source,
        "external_id": new.order.external_id,
        "idempotency_key": new.idempotency_key,
        "customer_id": new.customer_id,
        "state": new.state,
        "currency": new.order.currency,
        "body": pack(new.order),
        "parts": pack(new.parts),
        "document_sha256": new.document_sha256,
        "value_minor": new.value,
        "claimed_minor": new.claimed,
        "has_backorder": _has_backorder(new.parts),
        "received_at": new.received_at,
        "decided_at": new.decided_at,
    }


def _has_backorder(parts: Sequence[OrderPart]) -> bool:
    return any(part.state is PartState.BACKORDERED for part in parts)


_BY_ID = select(sales_order).where(
    sales_order.c.company_id == bindparam("of"), sales_order.c.order_id == bindparam("id")
)


_BY_ID_LOCKED = _BY_ID.with_for_update()


def find(connection: Connection, company_id: str, order_id: str, *, lock: bool = False) -> StoredOrder:
    """One order; ``NotFound('order')``. With ``lock`` nobody else changes it before we commit."""
    query = _BY_ID_LOCKED if lock else _BY_ID
    row = connection.execute(query, {"of": company_id, "id": order_id}).one_or_none()
    if row is None:
        raise NotFound("order", f"there is no order {order_id}.")
    return _stored(row)


def some(connection: Connection, company_id: str, order_ids: Iterable[str]) -> dict[str, StoredOrder]:
    """These orders by id: one statement for 900."""
    found: dict[str, StoredOrder] = {}
    for several in chunks(sorted(set(order_ids))):
        query = select(sales_order).where(
            sales_order.c.company_id == company_id, sales_order.c.order_id.in_(several)
        )
        found |= {row.order_id: _stored(row) for row in connection.execute(query)}
    return found


def find_by_keys(
    connection: Connection, company_id: str, source: str, external_id: str, idempotency_key: str | None
) -> StoredOrder | None:
    """The order that a repeated request means: by its idempotency key, else by its natural key."""
    mine = select(sales_order).where(sales_order.c.company_id == company_id)
    row = None
    if idempotency_key is not None:
        row = connection.execute(mine.where(sales_order.c.idempotency_key == idempotency_key)).one_or_none()
    row = (
        row
        or connection.execute(
            mine.where(sales_order.c.source == source, sales_order.c.external_id == external_id)
        ).one_or_none()
    )
    return None if row is None else _stored(row)


def known_among(
    connection: Connection, company_id: str, pairs: Sequence[tuple[str, str]], keys: Sequence[str]
) -> tuple[set[tuple[str, str]], set[str]]:
    """Which of these (source, external id) pairs and idempotency keys are here already."""
    known: set[tuple[str, str]] = set()
    used: set[str] = set()
    mine = select(sales_order.c.source, sales_order.c.external_id, sales_order.c.idempotency_key).where(
        sales_order.c.company_id == company_id
    )
    natural = tuple_(sales_order.c.source, sales_order.c.external_id)
    for some in chunks(pairs, 400):
        known |= {(row.source, row.external_id) for row in connection.execute(mine.where(natural.in_(some)))}
    for more in chunks(keys):
        found = connection.execute(mine.where(sales_order.c.idempotency_key.in_(more)))
        used |= {row.idempotency_key for row in found}
    return known, used


def page(
    connection: Connection, company_id: str, after: str, limit: int, *, state: str | None = None
) -> list[StoredOrder]:
    """Orders, oldest first, after the id ``after``."""
    query = select(sales_order).where(sales_order.c.company_id == company_id, sales_order.c.order_id > after)
    if state is not None:
        query = query.where(sales_order.c.state == state)
    return [_stored(row) for row in connection.execute(query.order_by(sales_order.c.order_id).limit(limit))]


def _holds_product(product_id: str) -> ColumnElement[bool]:
    # Parts are canonical JSON: this finds every order that has pieces of the product, and few others.
    return sales_order.c.parts.contains(f'"product_id":{pack(product_id)}', autoescape=True)


def pieces_waiting(connection: Connection, company_id: str, product_ids: Sequence[str]) -> dict[str, Decimal]:
    """Backordered pieces by product, of the orders that wait for one of these."""
    found: dict[str, Decimal] = dict.fromkeys(product_ids, Decimal(0))
    for some in chunks(product_ids, 100):
        query = select(sales_order.c.parts).where(
            sales_order.c.company_id == company_id,
            sales_order.c.has_backorder,
            or_(*map(_holds_product, some)),
        )
        for row in connection.execute(query):
            for part in unpack_all(OrderPart, row.parts):
                if part.state is PartState.BACKORDERED and part.product_id in found:
                    found[part.product_id] += part.quantity
    return found


def sharing(
    connection: Connection, company_id: str, product_id: str, *, waiting_only: bool = False, lock: bool = True
) -> list[StoredOrder]:
    """Orders that hold or wait for pieces of a product, locked, the one that came in first first.

    There is no index for it: all approved orders of the company are looked through.
    """
    mine = select(sales_order).where(
        sales_order.c.company_id == company_id,
        sales_order.c.state == "approved",
        _holds_product(product_id),
    )
    if waiting_only:
        mine = mine.where(sales_order.c.has_backorder)
    query = mine.order_by(sales_order.c.order_id)
    found = map(_stored, connection.execute(query.with_for_update() if lock else query))
    return [stored for stored in found if any(_shares(part, product_id) for part in stored.parts)]


def _shares(part: OrderPart, product_id: str) -> bool:
    return part.product_id == product_id and part.state in (PartState.RESERVED, PartState.BACKORDERED)


def scarce_products(connection: Connection, company_id: str) -> list[str]:
    """Products that some order waits for, by id."""
    query = select(sales_order.c.parts).where(
        sales_order.c.company_id == company_id, sales_order.c.has_backorder
    )
    return sorted(
        {
            part.product_id
            for row in connection.execute(query)
            for part in unpack_all(OrderPart, row.parts)
            if part.state is PartState.BACKORDERED and part.product_id is not None
        }
    )


def of_customer(
    connection: Connection, company_id: str, customer_ids: Sequence[str], state: str
) -> list[str]:
    """Ids of the customers' orders in one state."""
    query = select(sales_order.c.order_id).where(
        sales_order.c.company_id == company_id,
        sales_order.c.customer_id.in_(customer_ids),
        sales_order.c.state == state,
    )
    return list(connection.execute(query.order_by(sales_order.c.received_at)).scalars())


_UPDATE = (
    update(sales_order)
    .where(sales_order.c.company_id == bindparam("of"), sales_order.c.order_id == bindparam("id"))
    .values(
        state=bindparam("state_"),
        parts=bindparam("parts_"),
        claimed_minor=bindparam("claimed"),
        has_backorder=bindparam("backorder"),
        decided_at=bindparam("decided"),
    )
)


def change(connection: Connection, company_id: str, *changed: StoredOrder) -> None:
    """Store the new state, parts and claim of orders, in one statement."""
    rows = [
        {
            "of": company_id,
            "id": now_is.order_id,
            "state_": now_is.state,
            "parts_": pack(now_is.parts),
            "claimed": now_is.claimed,
            "backorder": _has_backorder(now_is.parts),
            "decided": now_is.decided_at,
        }
        for now_is in changed
    ]
    if rows:
        connection.execute(_UPDATE, rows)


_RELEASE = (
    update(sales_order)
    .where(sales_order.c.company_id == bindparam("of"), sales_order.c.order_id == bindparam("id"))
    .values(claimed_minor=bindparam("claimed"))
)


def release_claim(connection: Connection, company_id: str, order_id: str, claimed: int) -> None:
    """Store what is left of an order's claim once part of it is invoiced."""
    connection.execute(_RELEASE, {"of": company_id, "id": order_id, "claimed": claimed})


_DECISION = insert(decision)


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision about a subject (an order, or an invoice for dunning) or one of its lines. A person
    who decides gives a ``reason``; so does the law, where it does not let happen what the rules said."""

    subject_id: str
    line_id: str | None
    decision: Decision
    reason: str | None = None


def add_decisions(
    connection: Connection, company_id: str, at: datetime, actor: str, decided: Sequence[Decided]
) -> None:
    """Keep decisions as evidence, in one statement."""
    rows = [
        {
            "company_id": company_id,
            "decision_id": new_id("dec", at),
            "subject_id": one.subject_id,
            "line_id": one.line_id,
            "policy": one.decision.policy,
            "outcome": one.decision.outcome,
            "rule": one.decision.rule,
            "rulebook_sha256": one.decision.rulebook_sha,
            "body": pack(one.decision),
            "actor": actor,
            "reason": one.reason,
            "decided_at": at,
        }
        for one in decided
    ]
    if rows:
        connection.execute(_DECISION, rows)


def decisions(connection: Connection, company_id: str, subject_id: str) -> list[tuple[Row[Any], Decision]]:
    """Every decision about a subject, in the order they were made."""
    query = select(decision).where(decision.c.company_id == company_id, decision.c.subject_id == subject_id)
    rows = connection.execute(query.order_by(decision.c.decided_at, decision.c.decision_id))
    return [(row, unpack(Decision, row.body)) for row in rows]


# --- shipments -----------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class StoredShipment:
    """A shipment and how its billing stands: due, stopped (with findings) or done."""

    shipment: Shipment
    billing: str
    findings: str | None
    invoice_number: str | None


def add_shipment(connection: Connection, company_id: str, new: Shipment, at: datetime) -> None:
    """Insert; (order, external id) is unique."""
    connection.execute(
        insert(shipment),
        {
            "company_id": company_id,
            "shipment_id": new.shipment_id,
            "order_id": new.order_id,
            "external_id": new.external_id,
            "body": pack(new),
            "shipped_on": new.shipped_on,
            "billing": "due",
            "created_at": at,
        },
    )


def _stored_shipment(row: Row[Any]) -> StoredShipment:
    return StoredShipment(unpack(Shipment, row.body), row.billing, row.findings, row.invoice_number)


_SHIPMENT = select(shipment).where(
    shipment.c.company_id == bindparam("of"), shipment.c.shipment_id == bindparam("id")
)
_SHIPMENT_LOCKED = _SHIPMENT.with_for_update()
_SHIPMENTS = (
    select(shipment)
    .where(shipment.c.company_id == bindparam("of"), shipment.c.order_id == bindparam("order"))
    .order_by(shipment.c.shipment_id)
)
_BILL = (
    update(shipment)
    .where(shipment.c.company_id == bindparam("of"), shipment.c.shipment_id == bindparam("id"))
    .values(billing=bindparam("how"), findings=bindparam("words"), invoice_number=bindparam("number"))
)


def find_shipment(
    connection: Connection, company_id: str, shipment_id: str, *, lock: bool = False
) -> StoredShipment:
    """One shipment; ``NotFound('shipment')``."""
    query = _SHIPMENT_LOCKED if lock else _SHIPMENT
    row = connection.execute(query, {"of": company_id, "id": shipment_id}).one_or_none()
    if row is None:
        raise NotFound("shipment", f"there is no shipment {shipment_id}.")
    return _stored_shipment(row)


def shipments_of(connection: Connection, company_id: str, order_id: str) -> list[StoredShipment]:
    """The shipments of an order, first one first."""
    return [
        _stored_shipment(r) for r in connection.execute(_SHIPMENTS, {"of": company_id, "order": order_id})
    ]


def unbilled(connection: Connection, company_id: str, billing: str | None = None) -> list[StoredShipment]:
    """Shipments without an invoice: what has left the house and is not yet asked for."""
    query = select(shipment).where(shipment.c.company_id == company_id, shipment.c.billing != "done")
    if billing is not None:
        query = query.where(shipment.c.billing == billing)
    return [_stored_shipment(row) for row in connection.execute(query.order_by(shipment.c.created_at))]


def bill_shipment(
    connection: Connection,
    company_id: str,
    shipment_id: str,
    *,
    billing: str,
    findings: str | None = None,
    invoice_number: str | None = None,
) -> None:
    """Store how the billing of a shipment ended."""
    result = {"how": billing, "words": findings, "number": invoice_number}
    connection.execute(_BILL, {"of": company_id, "id": shipment_id, **result})


def customers_of(connection: Connection, company_id: str, order_ids: Sequence[str]) -> dict[str, str]:
    """order id -> customer id."""
    query = select(sales_order.c.order_id, sales_order.c.customer_id).where(
        sales_order.c.company_id == company_id, sales_order.c.order_id.in_(order_ids)
    )
    return {row.order_id: row.customer_id for row in connection.execute(query)}


_LATEST_CREDIT = (
    select(decision)
    .where(
        decision.c.company_id == bindparam("of"),
        decision.c.subject_id == bindparam("id"),
        decision.c.policy == "credit",
    )
    .order_by(decision.c.decided_at.desc(), decision.c.decision_id.desc())
    .limit(1)
)


def latest_credit(connection: Connection, company_id: str, order_id: str) -> Row[Any] | None:
    """The standing credit decision as stored: a person's word comes after the rules'."""
    return connection.execute(_LATEST_CREDIT, {"of": company_id, "id": order_id}).one_or_none()
