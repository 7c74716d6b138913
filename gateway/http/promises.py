"""Promises to pay: by when a customer says the money will come, and whether it did."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import messages
from gateway.http.disputes import money
from gateway.http.fields import Amount, Day, Id, Paging, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.order_views import total
from gateway.http.problems import named_in_body
from gateway.http.schema import Sum
from gateway.stages import promise
from gateway.stages.desk import Desk
from gateway.stages.promise import Word
from gateway.store import promises
from o2c.promise import Promise

blueprint = APIBlueprint("promises", __name__, tag="Receivables")

STATES = Literal["running", "kept", "broken", "withdrawn"]


class PromiseBody(Strict):
    """What is promised. No amount: all that is open and undisputed."""

    promised_on: Day = Field(description="The last day on which the promise is kept.")
    amount: Amount | None = Field(None, description="Currency of the invoices.")
    note: Words | None = Field(None, description="Who said so, and how.")


class PromisesBody(PromiseBody):
    """The same for several invoices of one customer in one currency."""

    invoices: list[Id] = Field(min_length=1, max_length=1000)


class WithdrawalBody(Strict):
    """Why it does not count any more."""

    reason: Words


class PromiseQuery(Paging):
    """Which promises."""

    state: STATES | None = Field(None, description="Only those in this state.")


@dataclass(frozen=True, slots=True)
class PromiseView:
    """``state``: running, kept, broken or withdrawn."""

    id: str
    customer_id: str
    invoices: list[str]
    amount: Sum
    promised_on: date
    state: str
    made_by: str
    made_at: datetime
    ended_on: date | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class PromisePage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[PromiseView]
    next: str | None = None


def view(one: Promise) -> PromiseView:
    """A promise and how it stands."""
    return PromiseView(
        one.promise_id,
        one.customer_id,
        list(one.numbers),
        total(one.amount.minor, one.amount.currency),
        one.promised_on,
        one.state,
        one.made_by,
        one.made_at,
        one.ended_on,
        one.note,
    )


_MADE = {
    201: answers(PromiseView, "Running; letters wait.", Location="Where the promise is."),
    200: answers(PromiseView, "The same was running before.", Idempotent_Replayed="`true`."),
}
_CONFLICTS = "Another promise is running for one of the invoices."


def _make(desk: Desk, word: Word) -> Response:
    made, replayed = promise.make_promise(desk, word)
    if replayed:
        return answer(view(made), 200, {"Idempotent-Replayed": "true"})
    return answer(view(made), 201, {"Location": f"/v1/promises/{made.promise_id}"})


@blueprint.post("/v1/invoices/<number>/promises")
@operation("receivables:write", _MADE, reads={JSON: PromiseBody}, conflicts=_CONFLICTS)
def create_promise(desk: Desk, number: str) -> Response:
    """Record a promise to pay an invoice"""
    asked = messages.body(PromiseBody)
    return _make(desk, Word((number,), asked.promised_on, money(asked.amount), asked.note))


@blueprint.post("/v1/promises")
@operation("receivables:write", _MADE, reads={JSON: PromisesBody}, conflicts=_CONFLICTS)
def create_promise_for_several(desk: Desk) -> Response:
    """Record a promise to pay several invoices"""
    asked = messages.body(PromisesBody)
    with named_in_body("/invoices"):
        return _make(desk, Word(tuple(asked.invoices), asked.promised_on, money(asked.amount), asked.note))


@blueprint.get("/v1/promises")
@operation("receivables:read", {200: answers(PromisePage, "One page, oldest first.")}, query=PromiseQuery)
def list_promises(desk: Desk) -> Response:
    """List promises to pay"""
    asked = messages.query(PromiseQuery)
    with desk.database.read() as connection:
        found = promises.page(connection, desk.company_id, asked.after, asked.limit + 1, state=asked.state)
    page = [view(one) for one in found[: asked.limit]]
    return answer(PromisePage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.get("/v1/promises/<promise_id>")
@operation("receivables:read", {200: answers(PromiseView, "The promise.")})
def show_promise(desk: Desk, promise_id: str) -> Response:
    """Show a promise to pay"""
    with desk.database.read() as connection:
        return answer(view(promises.find(connection, desk.company_id, promise_id)))


@blueprint.post("/v1/promises/<promise_id>/withdrawal")
@operation(
    "receivables:write",
    {200: answers(PromiseView, "Withdrawn; letters go on.")},
    reads={JSON: WithdrawalBody},
    conflicts="It has ended already.",
)
def withdraw_promise(desk: Desk, promise_id: str) -> Response:
    """Let a promise fall"""
    asked = messages.body(WithdrawalBody)
    return answer(view(promise.withdraw_promise(desk, promise_id, asked.reason)))
