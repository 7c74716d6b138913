"""Orders: put in, looked at, and what is known about each.

An order comes as our JSON (the fields of ``o2c.order.Order``) or as Peppol BIS Order. The same order
again is answered with 200 and ``Idempotent-Replayed: true``; under the same key with another body it
is refused and the differing fields named. What the caller left to us (the day, the buyer's master
data) never counts as a difference.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response, request
from pydantic import Field

from formats import canonical
from formats.ubl.read_order import read_order
from gateway.http import acceptable, messages, problems
from gateway.http.fields import EXTERNAL_LIMIT, Paging
from gateway.http.messages import JSON, XML, answer
from gateway.http.operation import BINARY, Answer, answers, operation
from gateway.http.order_views import OrderPage, OrderView, OrderWhole, fresh_view, summary, view, whole
from gateway.stages import judge
from gateway.stages.answer import PEPPOL, answer_of
from gateway.stages.approve import WAITING
from gateway.stages.desk import Desk
from gateway.stages.receive import Incoming, Received, receive_order
from gateway.store import archive, catalogue, journal, orders, outbox
from gateway.store.archive import Document
from o2c.answer import OrderAnswer
from o2c.decision import FactValue
from o2c.errors import Conflict, Fault, NotFound, O2CError, Refused
from o2c.order import Order

blueprint = APIBlueprint("orders", __name__, tag="Orders")

STATES = Literal["approved", "referred", "held", "refused", "cancelled"]
API = "api"  # the source of an order that names none


class OrderQuery(Paging):
    """Which orders."""

    state: STATES | None = Field(None, description="Only orders in this state.")


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One row of the journal. ``sha256`` seals it and ``previous`` chains it within its stream."""

    entry_no: int
    at: datetime
    event: str
    actor: str
    stream: str
    seq: int
    data: Mapping[str, Any]
    previous: str
    sha256: str
    rulebook_sha256: str | None = None
    document_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Everything that happened to an order, oldest first."""

    items: list[TimelineEvent]


@dataclass(frozen=True, slots=True)
class DecisionView:
    """A decision whole: the deciding rule, the figures, and why the other rules did not fire."""

    id: str
    policy: str
    outcome: str
    say: str
    facts: Mapping[str, FactValue]
    why_not: list[Mapping[str, Any]]
    rulebook_sha256: str
    engine: str
    actor: str
    decided_at: datetime
    line_id: str | None = None
    rule: str | None = None
    reason: str | None = None
    alarm: str | None = None


@dataclass(frozen=True, slots=True)
class Decisions:
    """The decisions about an order and its lines, in the order they were made."""

    items: list[DecisionView]


_REPLAYED = "`true`: it was here before and nothing was done."
_WRITTEN = {
    201: answers(OrderView, "Stored and decided; durable.", Location="Where the order is."),
    200: answers(OrderView, "The same order was here before.", Idempotent_Replayed=_REPLAYED),
}


@blueprint.post("/v1/orders")
@operation(
    "orders:write",
    _WRITTEN,
    reads={JSON: Order, XML: BINARY},
    headers={"Idempotency-Key": "Names this request: sent again with it, it is answered, not repeated."},
    conflicts="Received before under this key with another body: the differing fields are in `errors`.",
)
def create_order(desk: Desk) -> Response:
    """Put in an order

    JSON, or a Peppol BIS Order as XML. With `customer_id` the buyer may be left out."""
    key = _idempotency_key()
    content = request.get_data()
    if messages.media_type(JSON, XML) == XML:
        order = read_order(content, PEPPOL)
        acceptable.order(order)
        received = receive_order(desk, Incoming(order, Document("order", XML, content), key))
    else:
        received = receive(desk, read_json(desk, content, key))
    return written(desk, received)


def _idempotency_key() -> str | None:
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not 0 < len(key) <= EXTERNAL_LIMIT or not key.isascii() or not key.isprintable():
        told = f"must be 1 to {EXTERNAL_LIMIT} printable ASCII characters."
        fault = Fault("Idempotency-Key", "character", told)
        raise Refused("request-invalid", f"the Idempotency-Key {told}", faults=[fault])
    return key


@dataclass(frozen=True, slots=True)
class Sent:
    """An order as sent in JSON, on its way in. ``undated``: the day is ours, not the caller's."""

    incoming: Incoming
    undated: bool


# Stands for the buyer until the stage, which loads the customer anyway, puts in what we know of it.
_STAND_IN = {"name": "(the customer)", "address": {"country": "ZZ"}}


def read_json(desk: Desk, content: bytes, key: str | None = None) -> Sent:
    """The order that a JSON object describes; what the caller left to us is filled in."""
    data = messages.json_object(content)
    undated = data.get("ordered_on") is None
    buyer_known = data.get("buyer") is None and data.get("customer_id") is not None
    if data.get("source") is None:
        data["source"] = API
    if data.get("document_id") is None and "external_id" in data:
        data["document_id"] = data["external_id"]
    if undated:
        data["ordered_on"] = desk.clock.today().isoformat()
    if buyer_known:
        data["buyer"] = _STAND_IN
    order = canonical.decode(Order, data)
    acceptable.order(order)
    return Sent(Incoming(order, Document("order", JSON, content), key, buyer_known), undated)


def receive(desk: Desk, sent: Sent) -> Received:
    """Store an order; a repeat on another day that names no day is the same order."""
    try:
        return receive_order(desk, sent.incoming)
    except Conflict as conflict:
        known = same_but_for_the_day(desk, sent, conflict)
        if known is None:
            raise
        return known


def same_but_for_the_day(desk: Desk, sent: Sent, conflict: Conflict) -> Received | None:
    """The stored order, if nothing but the day that we filled in differs from it."""
    if not sent.undated or [fault.pointer for fault in conflict.faults] != ["/ordered_on"]:
        return None
    order = sent.incoming.order
    with desk.database.read() as connection:
        stored = orders.find_by_keys(
            connection, desk.company_id, order.source, order.external_id, sent.incoming.idempotency_key
        )
    return None if stored is None else Received(stored, True)


def forgiven(desk: Desk, sent: Sent, result: Received | Exception) -> Received | O2CError:
    """The result of one order of many, with every error explained; what ``receive`` forgives one by
    one is forgiven here too."""
    if isinstance(result, Conflict):
        return same_but_for_the_day(desk, sent, result) or result
    return problems.explained(result) if isinstance(result, Exception) else result


def written(desk: Desk, received: Received) -> Response:
    """201 with the order's place, or 200 for a repeat."""
    if not received.replayed:
        seen = fresh_view(desk, received)
        return answer(seen, 201, {"Location": f"/v1/orders/{seen.id}"})
    with desk.database.read() as connection:
        return answer(view(desk, connection, received.stored), 200, {"Idempotent-Replayed": "true"})


@blueprint.get("/v1/orders")
@operation("orders:read", {200: answers(OrderPage, "One page, oldest first.")}, query=OrderQuery)
def list_orders(desk: Desk) -> Response:
    """List orders"""
    asked = messages.query(OrderQuery)
    with desk.database.read() as connection:
        found = orders.page(connection, desk.company_id, asked.after, asked.limit + 1, state=asked.state)
    page = [summary(stored) for stored in found[: asked.limit]]
    return answer(OrderPage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.get("/v1/orders/<order_id>")
@operation("orders:read", {200: answers(OrderWhole, "The order with what became of it.")})
def show_order(desk: Desk, order_id: str) -> Response:
    """Show an order"""
    with desk.database.read() as connection:
        return answer(whole(desk, connection, orders.find(connection, desk.company_id, order_id)))


@blueprint.get("/v1/orders/<order_id>/timeline")
@operation("orders:read", {200: answers(Timeline, "Oldest first.")})
def show_timeline(desk: Desk, order_id: str) -> Response:
    """Show an order's timeline

    The journal rows with their hashes: evidence by itself."""
    with desk.database.read() as connection:
        orders.find(connection, desk.company_id, order_id)
        rows = journal.timeline(connection, desk.company_id, order_id)
    return answer(Timeline([_event(row) for row in rows]))


def _event(row: Any) -> TimelineEvent:
    values = {name: row[name] for name in TimelineEvent.__dataclass_fields__}
    return TimelineEvent(**values | {"data": json.loads(row["data"])})


@blueprint.get("/v1/orders/<order_id>/decisions")
@operation("orders:read", {200: answers(Decisions, "In the order they were made.")})
def show_decisions(desk: Desk, order_id: str) -> Response:
    """Show an order's decisions"""
    with desk.database.read() as connection:
        orders.find(connection, desk.company_id, order_id)
        made = orders.decisions(connection, desk.company_id, order_id)
    return answer(
        Decisions(
            [
                DecisionView(
                    id=row.decision_id,
                    policy=one.policy,
                    outcome=one.outcome,
                    say=one.say,
                    facts=one.facts,
                    why_not=[{"rule": each.rule, "conditions": each.conditions} for each in one.why_not],
                    rulebook_sha256=one.rulebook_sha,
                    engine=one.engine,
                    actor=row.actor,
                    decided_at=row.decided_at,
                    line_id=row.line_id,
                    rule=one.rule,
                    reason=row.reason,
                    alarm=one.alarm,
                )
                for row, one in made
            ]
        )
    )


@blueprint.get("/v1/orders/<order_id>/answer")
@operation(
    "orders:read",
    {200: Answer("The answer: JSON as it stands now, XML as it was sent.", {JSON: OrderAnswer, XML: BINARY})},
    conflicts="The order still waits for a person or for payment.",
)
def show_answer(desk: Desk, order_id: str) -> Response:
    """Show the answer to an order

    `Accept: application/xml` gives the archived Peppol Order Response of an order that came as one."""
    with desk.database.read() as connection:
        stored = orders.find(connection, desk.company_id, order_id)
        if stored.state in WAITING:
            told = f"order {order_id} is {stored.state} and not answered yet."
            raise Conflict("order-state", told, next_step="POST /v1/orders/{id}/approval decides it.")
        if messages.wants_xml():
            return messages.document(_sent_answer(desk, connection, order_id), XML)
        available = catalogue.available(connection, desk.company_id, stored.order.lines)
        return answer(answer_of(stored, judge.products_of(stored.order, available), available.products))


def _sent_answer(desk: Desk, connection: Any, order_id: str) -> bytes:
    sent = outbox.deliveries_of(connection, desk.company_id, [order_id])
    documents = [row.document_sha256 for row in sent if row.kind == "answer" and row.document_sha256]
    if not documents:
        told = f"order {order_id} has no Order Response: it came as JSON, or is not answered yet."
        raise NotFound("answer", told, next_step="Ask for application/json.")
    return archive.fetch(connection, desk.company_id, documents[-1]).content
