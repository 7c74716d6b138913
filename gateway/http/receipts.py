"""Goods on their way in, and the sharing out of what is scarce."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import acceptable, messages
from gateway.http.fields import Day, Id, Number, Paging, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.stages import restock
from gateway.stages.desk import Desk
from gateway.stages.restock import Shared
from gateway.store import receipts
from gateway.store.receipts import Receipt
from o2c.errors import Fault, Refused

blueprint = APIBlueprint("receipts", __name__, tag="Products")


class ReceiptBody(Strict):
    """Goods that are expected: so many pieces of one product in one warehouse."""

    reference: Annotated[Id, Field(pattern=r"^[^/]+$")] = Field(
        description="Yours, without a slash; sent again it changes what was announced."
    )
    product_id: Id
    warehouse: Id
    quantity: Number
    expected_on: Day


class ArrivalBody(Strict):
    """What came in. No quantity: all that was announced."""

    quantity: Number | None = None


class CallOffBody(Strict):
    """Why the goods will not come."""

    reason: Words


class ReceiptQuery(Paging):
    """Which receipts."""

    product_id: Id | None = Field(None, description="Only of this product.")
    open: bool = Field(False, description="Only those that have not come yet.")


class RunBody(Strict):
    """With ``dry_run`` nothing is changed: the answer is what would be."""

    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class ReceiptView:
    """``state``: announced, received or cancelled. ``received`` is what came in."""

    reference: str
    product_id: str
    warehouse: str
    quantity: Decimal
    expected_on: date
    state: str
    received: Decimal | None = None
    received_at: datetime | None = None
    cancelled_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ReceiptPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[ReceiptView]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Sharing:
    """Every order line that wants the product, highest rank first, with its pieces before and after."""

    items: list[Shared]


def receipt_view(one: Receipt) -> ReceiptView:
    """A receipt as the API shows it."""
    return ReceiptView(
        one.reference,
        one.product_id,
        one.warehouse,
        one.quantity,
        one.expected_on,
        one.state,
        one.received,
        one.received_at,
        one.cancelled_at,
    )


def _check(quantity: Decimal) -> None:
    if not 0 < quantity <= acceptable.MOST:
        fault = Fault("/quantity", "number", "must be above 0 and not beyond all measure.")
        raise Refused("request-invalid", f"{fault.pointer}: {fault.message}", faults=[fault])


@blueprint.post("/v1/receipts")
@operation(
    "products:write",
    {
        201: answers(ReceiptView, "Announced.", Location="Where the receipt is."),
        200: answers(ReceiptView, "Announced before; it says now what was sent."),
    },
    reads={JSON: ReceiptBody},
    conflicts="It has come in or was called off, so it cannot change any more.",
)
def announce_receipt(desk: Desk) -> Response:
    """Announce goods that are expected

    The stock rules count on them: a line may wait for pieces that no older backorder waits for."""
    asked = messages.body(ReceiptBody)
    _check(asked.quantity)
    expected = Receipt(asked.reference, asked.product_id, asked.warehouse, asked.quantity, asked.expected_on)
    new = restock.announce(desk, expected)
    with desk.database.read() as connection:
        seen = receipt_view(receipts.get(connection, desk.company_id, asked.reference))
    if not new:
        return answer(seen, 200)
    return answer(seen, 201, {"Location": f"/v1/receipts/{asked.reference}"})


@blueprint.get("/v1/receipts")
@operation("products:read", {200: answers(ReceiptPage, "One page, by reference.")}, query=ReceiptQuery)
def list_receipts(desk: Desk) -> Response:
    """List announced goods"""
    asked = messages.query(ReceiptQuery)
    with desk.database.read() as connection:
        found = receipts.page(
            connection,
            desk.company_id,
            asked.after,
            asked.limit + 1,
            product_id=asked.product_id,
            open_only=asked.open,
        )
    page = [receipt_view(one) for one in found[: asked.limit]]
    return answer(ReceiptPage(page, page[-1].reference if len(found) > asked.limit else None))


@blueprint.get("/v1/receipts/<reference>")
@operation("products:read", {200: answers(ReceiptView, "The receipt.")})
def show_receipt(desk: Desk, reference: str) -> Response:
    """Show announced goods"""
    with desk.database.read() as connection:
        return answer(receipt_view(receipts.get(connection, desk.company_id, reference)))


@blueprint.post("/v1/receipts/<reference>/arrival")
@operation(
    "products:write",
    {200: answers(ReceiptView, "On the shelf, and promised to the orders that wait, oldest first.")},
    reads={JSON: ArrivalBody},
    conflicts="It came in with another quantity, or was called off.",
)
def receive_goods(desk: Desk, reference: str) -> Response:
    """Book announced goods in

    What came in closes the receipt, be it less or more than was announced."""
    asked = messages.body(ArrivalBody)
    if asked.quantity is not None:
        _check(asked.quantity)
    return answer(receipt_view(restock.arrive(desk, reference, asked.quantity)))


@blueprint.post("/v1/receipts/<reference>/cancellation")
@operation(
    "products:write",
    {200: answers(ReceiptView, "Nobody counts on it any more.")},
    reads={JSON: CallOffBody},
    conflicts="It has come in, or was called off before.",
)
def call_receipt_off(desk: Desk, reference: str) -> Response:
    """Call announced goods off"""
    return answer(receipt_view(restock.call_off(desk, reference, messages.body(CallOffBody).reason)))


@blueprint.post("/v1/products/<product_id>/reallocation")
@operation(
    "products:write",
    {200: answers(Sharing, "Highest rank first.")},
    reads={JSON: RunBody},
)
def reallocate_product(desk: Desk, product_id: str) -> Response:
    """Share out a scarce product anew

    By the customer's priority, then by the day of the order. What has been shipped stays."""
    asked = messages.body(RunBody)
    return answer(Sharing(restock.reallocate(desk, product_id, dry_run=asked.dry_run)))
