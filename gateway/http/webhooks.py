"""Webhooks: who is told of which events, and the log of what was told (Standard Webhooks)."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy import Row

from gateway.http import messages
from gateway.http.fields import Paging, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import Answer, answers, door, operation
from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.stages.publish import publish_again
from gateway.store import webhooks
from gateway.store.webhooks import Endpoint
from o2c.errors import Fault, Refused
from o2c.process import EVENTS

blueprint = APIBlueprint("webhooks", __name__, tag="Webhooks")
ALL = "*"


class WebhookBody(Strict):
    """Where to post, and which events (``*`` for all)."""

    url: Words
    events: list[str] = Field([ALL], min_length=1, max_length=100)


@dataclass(frozen=True, slots=True)
class WebhookView:
    """An endpoint. ``secret`` is shown once, when it is made."""

    id: str
    url: str
    events: Sequence[str]
    secret: str | None = None


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The endpoints in use."""

    items: list[WebhookView]


@dataclass(frozen=True, slots=True)
class WebhookDeliveryView:
    """One event to one endpoint. ``delivery_id`` is its webhook-id; ``state``: queued, delivered, failed."""

    delivery_id: str
    endpoint_id: str
    event: str
    state: str
    attempts: int
    body: str
    created_at: datetime
    delivered_at: datetime | None = None
    last_status: int | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class WebhookDeliveryPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[WebhookDeliveryView]
    next: str | None = None


@blueprint.post("/v1/webhooks")
@operation(
    "webhooks:admin", {201: answers(WebhookView, "In use; keep the secret.")}, reads={JSON: WebhookBody}
)
def create_webhook(desk: Desk) -> Response:
    """Subscribe to events

    Posts are signed (HMAC-SHA256, Standard Webhooks) with the secret shown here, once."""
    asked = messages.body(WebhookBody)
    _check(asked)
    now = desk.clock.now()
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    endpoint = Endpoint(new_id("whk", now), asked.url, secret, tuple(dict.fromkeys(asked.events)))
    desk.database.write(lambda connection: webhooks.add(connection, desk.company_id, endpoint, now))
    door().house.forget(desk.company_id)
    return answer(WebhookView(endpoint.endpoint_id, endpoint.url, endpoint.events, secret), 201)


def _check(asked: WebhookBody) -> None:
    faults = [
        Fault(f"/events/{place}", "choice", f"must be * or one of {', '.join(EVENTS)}.")
        for place, event in enumerate(asked.events)
        if event != ALL and event not in EVENTS
    ]
    if not _is_web_address(asked.url):
        faults.insert(0, Fault("/url", "webhook-address", "must be a full http:// or https:// address."))
    if faults:
        raise Refused("request-invalid", f"{faults[0].pointer}: {faults[0].message}", faults=faults)


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, an IPv6 address that is none
        return False
    return parts.scheme in ("http", "https") and named and url.isprintable()


@blueprint.get("/v1/webhooks")
@operation("webhooks:admin", {200: answers(Webhooks, "Those in use.")})
def list_webhooks(desk: Desk) -> Response:
    """List webhook endpoints"""
    with desk.database.read() as connection:
        found = webhooks.active(connection, desk.company_id)
    return answer(Webhooks([WebhookView(one.endpoint_id, one.url, one.events) for one in found]))


@blueprint.delete("/v1/webhooks/<endpoint_id>")
@operation("webhooks:admin", {204: Answer("Nothing is sent there any more.")})
def delete_webhook(desk: Desk, endpoint_id: str) -> Response:
    """End a subscription"""
    now = desk.clock.now()
    desk.database.write(lambda connection: webhooks.disable(connection, desk.company_id, endpoint_id, now))
    door().house.forget(desk.company_id)
    return Response(status=204)


def _view(row: Row[Any]) -> WebhookDeliveryView:
    names = WebhookDeliveryView.__dataclass_fields__
    return WebhookDeliveryView(**{name: getattr(row, name) for name in names})


@blueprint.get("/v1/webhook-deliveries")
@operation("webhooks:admin", {200: answers(WebhookDeliveryPage, "One page, oldest first.")}, query=Paging)
def list_webhook_deliveries(desk: Desk) -> Response:
    """Read the delivery log"""
    asked = messages.query(Paging)
    with desk.database.read() as connection:
        found = webhooks.page(connection, desk.company_id, asked.after, asked.limit + 1)
    page = [_view(row) for row in found[: asked.limit]]
    return answer(WebhookDeliveryPage(page, page[-1].delivery_id if len(found) > asked.limit else None))


@blueprint.post("/v1/webhook-deliveries/<delivery_id>/send-again")
@operation("webhooks:admin", {202: answers(WebhookDeliveryView, "It is being sent again under the same id.")})
def send_webhook_again(desk: Desk, delivery_id: str) -> Response:
    """Send a logged event again"""
    publish_again(desk, delivery_id)
    with desk.database.read() as connection:
        return answer(_view(webhooks.find(connection, desk.company_id, delivery_id)), 202)
