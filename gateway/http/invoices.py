"""Invoices as issued: their figures, their exact bytes, and how their delivery stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field
from sqlalchemy import Connection, Row

from gateway.http import messages
from gateway.http.fields import Id, Query
from gateway.http.messages import JSON, XML, answer
from gateway.http.operation import BINARY, Answer, answers, operation
from gateway.http.order_views import total
from gateway.http.schema import Sum
from gateway.stages.desk import Desk
from gateway.stages.send import send_again
from gateway.store import archive, invoices, items, outbox
from gateway.store.invoices import IssuedInvoice
from o2c.errors import Conflict
from o2c.invoice import Invoice

blueprint = APIBlueprint("invoices", __name__, tag="Invoices")


class InvoiceQuery(Query):
    """Which invoices; ``after`` is the ``next`` of the page before."""

    limit: int = Field(50, ge=1, le=500)
    after: int = Field(0, ge=0, le=2**53)
    order_id: Annotated[Id | None, Field(description="Only those of this order.")] = None


@dataclass(frozen=True, slots=True)
class InvoiceSummary:
    """``open`` is what is still to be paid; ``level`` is the dunning level reached."""

    number: str
    order_id: str
    shipment_id: str
    customer_id: str
    issued_on: date
    due_on: date
    gross: Sum
    open: Sum
    reference: str
    level: str
    document_sha256: str
    message_id: str
    settled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class DeliveryView:
    """A message on its way: ``state`` is queued, sent, failed or withdrawn."""

    message_id: str
    kind: str
    channel: str
    recipient: str
    state: str
    attempts: int
    created_at: datetime
    sent_at: datetime | None = None
    evidence: str | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class InvoiceWhole(InvoiceSummary):
    """With its content, its deliveries, and the validation report of every layer."""

    deliveries: Sequence[DeliveryView] = ()
    report: Mapping[str, Any] | None = None
    invoice: Invoice | None = None


@dataclass(frozen=True, slots=True)
class InvoicePage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[InvoiceSummary]
    next: int | None = None


def _common(issued: IssuedInvoice, unpaid: int) -> dict[str, Any]:
    invoice = issued.invoice
    return {
        "number": invoice.number,
        "order_id": issued.order_id,
        "shipment_id": issued.shipment_id,
        "customer_id": issued.customer_id,
        "issued_on": invoice.issued_on,
        "due_on": invoice.due_on,
        "gross": total(issued.gross, invoice.currency),
        "open": total(unpaid, invoice.currency),
        "reference": invoice.payment.reference,
        "level": issued.level,
        "document_sha256": issued.document_sha256,
        "message_id": issued.message_id,
        "settled_at": issued.settled_at,
    }


def _delivery(row: Row[Any]) -> DeliveryView:
    return DeliveryView(**{name: getattr(row, name) for name in DeliveryView.__dataclass_fields__})


@blueprint.get("/v1/invoices")
@operation("invoices:read", {200: answers(InvoicePage, "One page, by number.")}, query=InvoiceQuery)
def list_invoices(desk: Desk) -> Response:
    """List invoices"""
    asked = messages.query(InvoiceQuery)
    with desk.database.read() as connection:
        found = invoices.page(
            connection, desk.company_id, asked.after, asked.limit + 1, order_id=asked.order_id
        )
        page = found[: asked.limit]
        unpaid = items.open_amounts(connection, desk.company_id, [one.invoice.number for one in page])
    listed = [InvoiceSummary(**_common(one, unpaid.get(one.invoice.number, 0))) for one in page]
    return answer(InvoicePage(listed, page[-1].sequence if len(found) > asked.limit else None))


@blueprint.get("/v1/invoices/<number>")
@operation(
    "invoices:read",
    {200: Answer("The invoice; as XML its archived bytes.", {JSON: InvoiceWhole, XML: BINARY})},
)
def show_invoice(desk: Desk, number: str) -> Response:
    """Show an invoice

    `Accept: application/xml` gives the exact archived document."""
    with desk.database.read() as connection:
        issued = invoices.find(connection, desk.company_id, number)
        if messages.wants_xml():
            return _document(desk, connection, issued)
        unpaid = items.open_amount(connection, desk.company_id, number)
        sends = outbox.deliveries_of(connection, desk.company_id, [number])
    return answer(
        InvoiceWhole(
            **_common(issued, unpaid),
            deliveries=[_delivery(row) for row in sends if row.kind == "invoice"],
            report=json.loads(issued.report),
            invoice=issued.invoice,
        )
    )


@blueprint.get("/v1/invoices/<number>/document")
@operation("invoices:read", {200: Answer("The exact archived document.", {XML: BINARY})})
def show_invoice_document(desk: Desk, number: str) -> Response:
    """Fetch an invoice's document"""
    with desk.database.read() as connection:
        return _document(desk, connection, invoices.find(connection, desk.company_id, number))


def _document(desk: Desk, connection: Connection, issued: IssuedInvoice) -> Response:
    kept = archive.fetch(connection, desk.company_id, issued.document_sha256)
    return messages.document(kept.content, kept.media_type)


@blueprint.post("/v1/messages/<message_id>/send-again")
@operation(
    "shipments:write",
    {202: answers(DeliveryView, "It is being sent again under the same message id.")},
    conflicts="The message has not failed.",
)
def send_message_again(desk: Desk, message_id: str) -> Response:
    """Send a failed message again"""
    with desk.database.read() as connection:
        row = outbox.find_delivery(connection, desk.company_id, message_id)
    if row.state != "failed":
        told = f"message {message_id} is {row.state}; only a failed one is sent again."
        raise Conflict("message-state", told, next_step="See its deliveries at the invoice.")
    send_again(desk, message_id)
    with desk.database.read() as connection:
        return answer(_delivery(outbox.find_delivery(connection, desk.company_id, message_id)), 202)
