"""The anchor of the intake bench: bare Flask and the same rows by SQLAlchemy Core, nothing else.

No rules, no keys, no totals, no hash: each request parses its JSON and commits, once, what our
gateway writes for such an order: the document, the order, four decisions, three journal rows, the
job, and the two updates.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from typing import Any

from flask import Flask, request
from sqlalchemy import bindparam, create_engine, event, insert, update

from gateway.store.schema import (
    archive,
    customer,
    decision,
    job,
    journal,
    metadata,
    product,
    sales_order,
    stock,
)
from tests.bench.trade import ITEMS

_NOW = datetime(2026, 3, 1, tzinfo=UTC)
_TAKE = (
    update(stock)
    .where(
        stock.c.company_id == "NO1", stock.c.product_id == bindparam("item"), stock.c.warehouse == "BERGEN"
    )
    .values(reserved=stock.c.reserved + 2_000_000)
)
_CLAIM = (
    update(customer)
    .where(customer.c.company_id == "NO1", customer.c.customer_id == "C-1")
    .values(open_orders_minor=customer.c.open_orders_minor + 7875)
)


def bare_app(database_url: str) -> Flask:
    """The bare application on its own database of the same kind and settings."""
    engine = create_engine(database_url)
    if engine.dialect.name == "sqlite":
        _like_ours(engine)
    metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(
            insert(customer),
            {"company_id": "NO1", "customer_id": "C-1", "name": "x", "profile": "{}", "created_at": _NOW},
        )
        for item in ITEMS:
            row = {"company_id": "NO1", "product_id": item}
            connection.execute(insert(product), {**row, "name_key": item, "profile": "{}"})
            connection.execute(insert(stock), {**row, "warehouse": "BERGEN", "on_hand": 10**15})
    app = Flask("bare")

    @app.post("/v1/orders")
    def accept() -> tuple[dict[str, str], int]:
        order_id = uuid.uuid4().hex
        raw = request.get_data()
        with engine.begin() as connection:
            _insert(connection, order_id, json.loads(raw), raw)
        return {"order_id": order_id}, 201

    return app


def _like_ours(engine: Any) -> None:
    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: Any) -> None:
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")


def _insert(connection: Any, order_id: str, order: dict[str, Any], raw: bytes) -> None:
    own = {"company_id": "NO1"}
    body = raw.decode()
    connection.execute(_CLAIM)
    connection.execute(
        insert(archive),
        {
            **own,
            "sha256": order_id,
            "kind": "order",
            "media_type": "application/json",
            "content": raw,
            "stored_at": _NOW,
            "seal": order_id,
        },
    )
    connection.execute(
        insert(sales_order),
        {
            **own,
            "order_id": order_id,
            "source": "api",
            "external_id": order["external_id"],
            "customer_id": "C-1",
            "state": "approved",
            "currency": "EUR",
            "body": body,
            "parts": body,
            "document_sha256": order_id,
            "value_minor": 7875,
            "claimed_minor": 7875,
            "has_backorder": False,
            "received_at": _NOW,
            "decided_at": _NOW,
        },
    )
    connection.execute(
        insert(decision),
        [
            {
                **own,
                "decision_id": f"{order_id}-{place}",
                "subject_id": order_id,
                "line_id": str(place),
                "policy": "stock",
                "outcome": "allocate",
                "rule": "S10/3",
                "rulebook_sha256": order_id,
                "body": body,
                "actor": "bench",
                "decided_at": _NOW,
            }
            for place in range(4)
        ],
    )
    connection.execute(_TAKE, [{"item": item} for item in ITEMS])
    connection.execute(
        insert(journal),
        [
            {
                **own,
                "stream": f"order:{order_id}",
                "seq": seq,
                "at": _NOW,
                "event": "OrderReceived",
                "actor": "bench",
                "data": "{}",
                "previous": order_id,
                "sha256": order_id,
            }
            for seq in (1, 2, 3)
        ],
    )
    connection.execute(
        insert(job),
        {**own, "job_id": order_id, "kind": "answer", "key": order_id, "payload": "{}", "run_at": _NOW},
    )
