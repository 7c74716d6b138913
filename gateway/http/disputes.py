"""Disputes: what a customer questions on an invoice, and our answer."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import acceptable, messages
from gateway.http.fields import Amount, Day, Paging, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.order_views import total
from gateway.http.schema import Sum
from gateway.stages import dispute
from gateway.stages.desk import Desk
from gateway.store import disputes
from o2c.dispute import Dispute, DisputeState, Reason
from o2c.money import Money

blueprint = APIBlueprint("disputes", __name__, tag="Receivables")

REASONS = Literal["price", "quantity", "quality", "not delivered", "returned", "duplicate", "terms", "other"]
STATES = Literal["open", "accepted", "rejected", "settled"]


class DisputeBody(Strict):
    """What is disputed. No amount: all that is open. No day: two weeks to answer in."""

    reason: REASONS
    text: Words | None = Field(None, description="What the customer says.")
    amount: Amount | None = Field(None, description="The disputed part, currency of the invoice.")
    answer_by: Day | None = Field(None, description="The last day for our answer.")


class ResolutionBody(Strict):
    """Our answer. What is accepted is never asked for; credit or write it off."""

    resolution: Literal["accepted", "rejected", "settled"]
    note: Words


class DisputeQuery(Paging):
    """Which disputes."""

    state: STATES | None = Field(None, description="Only those in this state.")


@dataclass(frozen=True, slots=True)
class DisputeView:
    """``state``: open, accepted, rejected or settled; ``late``: nobody has answered by the day."""

    id: str
    invoice: str
    customer_id: str
    amount: Sum
    reason: str
    text: str
    state: str
    answer_by: date
    late: bool
    opened_by: str
    opened_at: datetime
    closed_by: str | None = None
    closed_at: datetime | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class DisputePage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[DisputeView]
    next: str | None = None


def view(one: Dispute, today: date) -> DisputeView:
    """A dispute as it stands on that day."""
    return DisputeView(
        one.dispute_id,
        one.invoice_number,
        one.customer_id,
        total(one.amount.minor, one.amount.currency),
        one.reason,
        one.text,
        one.state,
        one.answer_by,
        one.is_late(today),
        one.opened_by,
        one.opened_at,
        one.closed_by,
        one.closed_at,
        one.note,
    )


def money(asked: Amount | None, pointer: str = "/amount") -> Money | None:
    """An amount of a body as money; ``Refused('request-invalid')``."""
    if asked is None:
        return None
    found = Money(asked.amount, asked.currency)
    acceptable.amount(found, pointer)
    return found


@blueprint.post("/v1/invoices/<number>/disputes")
@operation(
    "receivables:write",
    {
        201: answers(DisputeView, "Open; that part is not reminded of.", Location="Where the dispute is."),
        200: answers(DisputeView, "The same was open before.", Idempotent_Replayed="`true`."),
    },
    reads={JSON: DisputeBody},
)
def create_dispute(desk: Desk, number: str) -> Response:
    """Dispute an invoice or part of it"""
    asked = messages.body(DisputeBody)
    question = dispute.Question(Reason(asked.reason), asked.text or "", money(asked.amount), asked.answer_by)
    made, replayed = dispute.open_dispute(desk, number, question)
    seen = view(made, desk.clock.today())
    if replayed:
        return answer(seen, 200, {"Idempotent-Replayed": "true"})
    return answer(seen, 201, {"Location": f"/v1/disputes/{made.dispute_id}"})


@blueprint.get("/v1/disputes")
@operation("receivables:read", {200: answers(DisputePage, "One page, oldest first.")}, query=DisputeQuery)
def list_disputes(desk: Desk) -> Response:
    """List disputes with their deadlines"""
    asked = messages.query(DisputeQuery)
    with desk.database.read() as connection:
        found = disputes.page(connection, desk.company_id, asked.after, asked.limit + 1, state=asked.state)
    page = [view(one, desk.clock.today()) for one in found[: asked.limit]]
    return answer(DisputePage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.get("/v1/disputes/<dispute_id>")
@operation("receivables:read", {200: answers(DisputeView, "The dispute.")})
def show_dispute(desk: Desk, dispute_id: str) -> Response:
    """Show a dispute"""
    with desk.database.read() as connection:
        found = disputes.find(connection, desk.company_id, dispute_id)
    return answer(view(found, desk.clock.today()))


@blueprint.post("/v1/disputes/<dispute_id>/resolution")
@operation(
    "receivables:write",
    {200: answers(DisputeView, "Closed.")},
    reads={JSON: ResolutionBody},
    conflicts="It is closed already with another answer.",
)
def resolve_dispute(desk: Desk, dispute_id: str) -> Response:
    """Answer a dispute"""
    asked = messages.body(ResolutionBody)
    closed = dispute.close_dispute(desk, dispute_id, DisputeState(asked.resolution), asked.note)
    return answer(view(closed, desk.clock.today()))
