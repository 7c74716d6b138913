"""What happens to an order after it is in: a person decides, lines are cancelled, goods leave."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.clock import machine_time
from gateway.http import acceptable, messages
from gateway.http.fields import Amount, Day, ExternalId, Id, Number, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.order_views import OrderWhole, whole
from gateway.ids import new_id
from gateway.stages import fulfil
from gateway.stages.approve import Approval, resolve_order
from gateway.stages.desk import Desk
from gateway.stages.fulfil import Despatch
from gateway.store import jobs, orders
from gateway.store.orders import StoredShipment
from o2c.errors import Conflict, Fault, Refused
from o2c.money import Money
from o2c.shipment import Shipment, ShipmentLine

blueprint = APIBlueprint("fulfilment", __name__, tag="Fulfilment")


class ApprovalBody(Strict):
    """A person's word. Limit and date stay with the customer."""

    decision: Literal["approve", "refuse"]
    reason: Words
    credit_limit: Amount | None = Field(None, description="The customer's new limit, currency of the books.")
    valid_until: Day | None = Field(None, description="Until then its orders need no such decision.")


class CancellationBody(Strict):
    """Which lines, and why. No lines: the whole order, as far as it has not left."""

    lines: list[Id] = Field([], max_length=10_000)
    reason: Words


class ShipmentLineBody(Strict):
    """Pieces of one order line that left."""

    line_id: Id
    quantity: Number


class ShipmentBody(Strict):
    """What left. No lines: everything that is reserved. ``external_id`` makes it happen once only."""

    external_id: ExternalId
    lines: list[ShipmentLineBody] = Field([], max_length=10_000)
    shipped_on: Day | None = Field(None, description="By default today.")
    carrier: Annotated[Id | None, Field()] = None
    tracking_id: Annotated[ExternalId | None, Field()] = None


@dataclass(frozen=True, slots=True)
class ShipmentView:
    """``billing``: ``due``, ``done`` with the invoice's number, or ``stopped`` with what is wrong."""

    shipment: Shipment
    billing: str
    invoice_number: str | None = None
    findings: list[Mapping[str, str]] | None = None


@dataclass(frozen=True, slots=True)
class Shipments:
    """The shipments of an order, first one first."""

    items: list[ShipmentView]


def shipment_view(stored: StoredShipment) -> ShipmentView:
    """A shipment and how its billing stands."""
    findings = json.loads(stored.findings) if stored.findings else None
    return ShipmentView(stored.shipment, stored.billing, stored.invoice_number, findings)


def _show(desk: Desk, order_id: str, status: int = 200) -> Response:
    with desk.database.read() as connection:
        stored = orders.find(connection, desk.company_id, order_id)
        return answer(whole(desk, connection, stored), status)


@blueprint.post("/v1/orders/<order_id>/approval")
@operation(
    "approvals:write",
    {
        200: answers(OrderWhole, "Decided."),
        202: answers(OrderWhole, "Approved by one; the amount takes a second person, and the order waits."),
    },
    reads={JSON: ApprovalBody},
    conflicts="The order does not wait for a person, or not for this one.",
)
def decide_order(desk: Desk, order_id: str) -> Response:
    """Approve or refuse a referred or held order"""
    asked = messages.body(ApprovalBody)
    limit = _limit(desk, asked.credit_limit)
    approval = Approval(asked.decision == "approve", asked.reason, limit, asked.valid_until)
    done = resolve_order(desk, order_id, approval)
    return _show(desk, order_id, 200 if done else 202)


def _limit(desk: Desk, amount: Amount | None) -> Money | None:
    if amount is None:
        return None
    limit = Money(amount.amount, amount.currency)
    faults = list(acceptable.limit_faults(limit, desk.company.currency, "/credit_limit"))
    if faults:
        raise Refused("request-invalid", f"{faults[0].pointer}: {faults[0].message}", faults=faults)
    return limit


@blueprint.post("/v1/orders/<order_id>/cancellation")
@operation(
    "orders:write",
    {200: answers(OrderWhole, "Cancelled as far as nothing has left.")},
    reads={JSON: CancellationBody},
    conflicts="Nothing is left that could be cancelled.",
)
def cancel_lines(desk: Desk, order_id: str) -> Response:
    """Cancel lines of an order"""
    asked = messages.body(CancellationBody)
    fulfil.cancel(desk, order_id, asked.lines, asked.reason)
    return _show(desk, order_id)


@blueprint.post("/v1/orders/<order_id>/shipments")
@operation(
    "shipments:write",
    {
        201: answers(ShipmentView, "Recorded; its invoice is on the way.", Location="Where the shipment is."),
        200: answers(ShipmentView, "Known before.", Idempotent_Replayed="`true`: nothing was done."),
    },
    reads={JSON: ShipmentBody},
    conflicts="Known with other lines.",
)
def create_shipment(desk: Desk, order_id: str) -> Response:
    """Record goods that left"""
    asked = messages.body(ShipmentBody)
    lines = tuple(ShipmentLine(line.line_id, line.quantity) for line in asked.lines)
    _check_quantities(lines)
    despatch = Despatch(asked.external_id, lines, asked.shipped_on, asked.carrier, asked.tracking_id)
    shipped = fulfil.ship(desk, order_id, despatch)
    shipment_id = shipped.shipment.shipment_id
    if shipped.replayed:
        with desk.database.read() as connection:
            seen = shipment_view(orders.find_shipment(connection, desk.company_id, shipment_id))
        return answer(seen, 200, {"Idempotent-Replayed": "true"})
    seen = ShipmentView(shipped.shipment, "due")
    return answer(seen, 201, {"Location": f"/v1/shipments/{shipment_id}"})


def _check_quantities(lines: tuple[ShipmentLine, ...]) -> None:
    faults = [
        Fault(f"/lines/{place}/quantity", "number", "must be above 0 and not beyond all measure.")
        for place, line in enumerate(lines)
        if not 0 < line.quantity <= acceptable.MOST
    ]
    if faults:
        raise Refused("request-invalid", f"{faults[0].pointer}: {faults[0].message}", faults=faults)


@blueprint.get("/v1/orders/<order_id>/shipments")
@operation("orders:read", {200: answers(Shipments, "First one first.")})
def list_shipments(desk: Desk, order_id: str) -> Response:
    """List an order's shipments and their billing"""
    with desk.database.read() as connection:
        orders.find(connection, desk.company_id, order_id)
        known = orders.shipments_of(connection, desk.company_id, order_id)
    return answer(Shipments([shipment_view(one) for one in known]))


@blueprint.get("/v1/shipments/<shipment_id>")
@operation("orders:read", {200: answers(ShipmentView, "The shipment.")})
def show_shipment(desk: Desk, shipment_id: str) -> Response:
    """Show a shipment and its billing"""
    with desk.database.read() as connection:
        return answer(shipment_view(orders.find_shipment(connection, desk.company_id, shipment_id)))


@blueprint.post("/v1/shipments/<shipment_id>/billing")
@operation(
    "shipments:write",
    {202: answers(ShipmentView, "It is being tried again.", Location="Where to see how it ended.")},
    conflicts="Its billing has not stopped.",
)
def bill_shipment_again(desk: Desk, shipment_id: str) -> Response:
    """Try a stopped billing again"""

    def unit(connection: Any) -> StoredShipment:
        stored = orders.find_shipment(connection, desk.company_id, shipment_id, lock=True)
        if stored.billing != "stopped":
            told = f"the billing of shipment {shipment_id} is {stored.billing}."
            raise Conflict("shipment-state", told, next_step="Only a stopped billing is tried again.")
        again = f":{new_id('again', machine_time())}"
        jobs.enqueue(connection, desk.company_id, [fulfil.bill_job(stored.shipment, again)])
        return stored

    stored = desk.database.write(unit)
    return answer(shipment_view(stored), 202, {"Location": f"/v1/shipments/{shipment_id}"})
