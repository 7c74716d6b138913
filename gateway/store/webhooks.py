"""Standard Webhooks going out: one delivery row per event and endpoint, with an id that stays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.ids import new_id
from gateway.store.jobs import NewJob
from gateway.store.journal import Event
from gateway.store.rows import pack
from gateway.store.schema import webhook_delivery, webhook_endpoint
from o2c.errors import NotFound


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a company wants to hear of events; ``events`` are names or ``*``."""

    endpoint_id: str
    url: str
    secret: str
    events: tuple[str, ...]

    def wants(self, event: str) -> bool:
        """Is this event one of those subscribed to?"""
        return "*" in self.events or event in self.events


def add(connection: Connection, company_id: str, new: Endpoint, at: datetime) -> None:
    """Insert an endpoint."""
    connection.execute(
        insert(webhook_endpoint),
        {
            "company_id": company_id,
            "endpoint_id": new.endpoint_id,
            "url": new.url,
            "secret": new.secret,
            "events": " ".join(new.events),
            "created_at": at,
        },
    )


def disable(connection: Connection, company_id: str, endpoint_id: str, at: datetime) -> None:
    """Stop sending to an endpoint; ``NotFound('webhook')``."""
    changed = connection.execute(
        update(webhook_endpoint)
        .where(webhook_endpoint.c.company_id == company_id, webhook_endpoint.c.endpoint_id == endpoint_id)
        .values(disabled_at=at)
    )
    if changed.rowcount == 0:
        raise NotFound("webhook", f"there is no webhook endpoint {endpoint_id}.")


def active(connection: Connection, company_id: str) -> tuple[Endpoint, ...]:
    """The company's endpoints that are not disabled."""
    query = select(webhook_endpoint).where(
        webhook_endpoint.c.company_id == company_id, webhook_endpoint.c.disabled_at.is_(None)
    )
    rows = connection.execute(query.order_by(webhook_endpoint.c.endpoint_id))
    return tuple(Endpoint(r.endpoint_id, r.url, r.secret, tuple(r.events.split())) for r in rows)


def queue(
    connection: Connection,
    company_id: str,
    at: datetime,
    events: Sequence[Event],
    endpoints: Sequence[Endpoint],
) -> list[NewJob]:
    """One delivery row for each event and endpoint that wants it; the jobs that will post them."""
    rows = [
        {
            "company_id": company_id,
            "delivery_id": new_id("evt", at),
            "endpoint_id": endpoint.endpoint_id,
            "event": happened.event,
            "body": pack(
                {
                    "type": happened.event,
                    "timestamp": at,
                    "data": {"company": company_id, "subject": happened.stream, **happened.data},
                }
            ),
            "state": "queued",
            "created_at": at,
        }
        for happened in events
        for endpoint in endpoints
        if endpoint.wants(happened.event)
    ]
    if rows:
        connection.execute(insert(webhook_delivery), rows)
    return [NewJob("webhook", f"webhook:{r['delivery_id']}", {"delivery": r["delivery_id"]}) for r in rows]


def find(connection: Connection, company_id: str, delivery_id: str) -> Row[Any]:
    """A delivery with its endpoint's address and secret; ``NotFound('webhook-delivery')``."""
    row = connection.execute(
        select(
            webhook_delivery,
            webhook_endpoint.c.url,
            webhook_endpoint.c.secret,
            webhook_endpoint.c.disabled_at,
        )
        .join(
            webhook_endpoint,
            (webhook_endpoint.c.company_id == webhook_delivery.c.company_id)
            & (webhook_endpoint.c.endpoint_id == webhook_delivery.c.endpoint_id),
        )
        .where(webhook_delivery.c.company_id == company_id, webhook_delivery.c.delivery_id == delivery_id)
    ).one_or_none()
    if row is None:
        raise NotFound("webhook-delivery", f"there is no webhook delivery {delivery_id}.")
    return row


def page(connection: Connection, company_id: str, after: str, limit: int) -> list[Row[Any]]:
    """The delivery log by id, after ``after``."""
    query = select(webhook_delivery).where(
        webhook_delivery.c.company_id == company_id, webhook_delivery.c.delivery_id > after
    )
    return list(connection.execute(query.order_by(webhook_delivery.c.delivery_id).limit(limit)))


def record(connection: Connection, company_id: str, delivery_id: str, **values: Any) -> None:
    """Store the result of a try."""
    connection.execute(
        update(webhook_delivery)
        .where(webhook_delivery.c.company_id == company_id, webhook_delivery.c.delivery_id == delivery_id)
        .values(attempts=webhook_delivery.c.attempts + 1, **values)
    )


def requeue(connection: Connection, company_id: str, delivery_id: str) -> None:
    """A delivery waits for another try."""
    connection.execute(
        update(webhook_delivery)
        .where(webhook_delivery.c.company_id == company_id, webhook_delivery.c.delivery_id == delivery_id)
        .values(state="queued")
    )
