"""What people want done with payments above the company's amount, and the second person's word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import messages
from gateway.http.fields import Paging
from gateway.http.messages import answer
from gateway.http.operation import answers, operation
from gateway.http.payment_views import CashDone, CashRequestView, request_view
from gateway.http.payments import done
from gateway.stages import foureyes
from gateway.stages.desk import Desk
from gateway.store import requests

blueprint = APIBlueprint("cash_requests", __name__, tag="Bank")

_CONFLICTS = "It is decided already, or the payment is no longer as it was."


class RequestQuery(Paging):
    """Which requests."""

    state: Literal["open", "approved", "refused"] | None = Field(
        None, description="Only those in this state."
    )


@dataclass(frozen=True, slots=True)
class RequestPage:
    """One page. `next` is the `after` of the page that follows; absent on the last one."""

    items: list[CashRequestView]
    next: str | None = None


@blueprint.get("/v1/cash-requests")
@operation("bank:read", {200: answers(RequestPage, "One page, oldest first.")}, query=RequestQuery)
def list_cash_requests(desk: Desk) -> Response:
    """List what takes a second person"""
    asked = messages.query(RequestQuery)
    with desk.database.read() as connection:
        found = requests.page(connection, desk.company_id, asked.after, asked.limit + 1, state=asked.state)
    page = [request_view(one, desk.company.currency) for one in found[: asked.limit]]
    return answer(RequestPage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.get("/v1/cash-requests/<request_id>")
@operation("bank:read", {200: answers(CashRequestView, "The request.")})
def show_cash_request(desk: Desk, request_id: str) -> Response:
    """Show a request"""
    with desk.database.read() as connection:
        found = requests.find(connection, desk.company_id, request_id)
    return answer(request_view(found, desk.company.currency))


@blueprint.post("/v1/cash-requests/<request_id>/approve")
@operation("approvals:write", {200: answers(CashDone, "Agreed, and done.")}, conflicts=_CONFLICTS)
def approve_cash_request(desk: Desk, request_id: str) -> Response:
    """Agree to what somebody else wants done

    The one who asked cannot agree."""
    return done(desk, foureyes.decide(desk, request_id, approve=True))


@blueprint.post("/v1/cash-requests/<request_id>/refuse")
@operation("approvals:write", {200: answers(CashDone, "Nothing is done.")}, conflicts=_CONFLICTS)
def refuse_cash_request(desk: Desk, request_id: str) -> Response:
    """Do not agree to what somebody else wants done"""
    return done(desk, foureyes.decide(desk, request_id, approve=False))
