"""Payments: what became of each and why, what waits for a person, and what a person makes of it."""

from __future__ import annotations

from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import messages, payment_views
from gateway.http.fields import ExternalId, Id, Number, Paging, Strict
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.payment_views import CashDone, PaymentPage, PaymentWhole
from gateway.http.problems import named_in_body
from gateway.http.rules import Language
from gateway.stages import foureyes, shown
from gateway.stages.apply import Share, Wish
from gateway.stages.desk import Desk
from gateway.stages.foureyes import Action, Answer
from gateway.store import bank, payments

blueprint = APIBlueprint("payments", __name__, tag="Bank")

STATES = Literal["applied", "unmatched", "ignored", "returned", "undone"]
DECISIONS = Literal["match", "review", "unapplied", "unrelated", "return"]
_DONE = answers(CashDone, "Done.")
_KEPT = answers(
    CashDone,
    "Above the company's amount: nothing is done before a second person agrees.",
    Location="Where the request is.",
)


class PaymentQuery(Paging):
    """Which payments. A state or a decision leaves out what is undone."""

    state: STATES | None = None
    decision: DECISIONS | None = None
    statement: Id | None = Field(None, description="Only those of this statement, by our id.")
    file: Id | None = Field(None, description="Only those of the bank file with this SHA-256.")


class QueueQuery(Paging):
    """In which order."""

    order: Literal["oldest", "largest"] = Field(
        "oldest", description="`largest`: currency by currency, that of the books first."
    )


class ShareBody(Strict):
    """So much for an item."""

    item: ExternalId = Field(description="The number of the invoice, credit note or other open item.")
    amount: Number | None = Field(None, description="By default as much as is open and there.")


class ApplyBody(Strict):
    """What the money is for; amounts in the payment's currency. A credit note adds to what there is."""

    shares: list[ShareBody] = Field([], max_length=1_000)
    write_off: Number | None = Field(None, description="Closes the last item, or drops a surplus.")
    discount: Number | None = Field(None, description="Discount given on the last item.")
    on_account: Id | None = Field(None, description="The customer who keeps what is left over.")
    unallocated: Number | None = Field(
        None, description="What you saw waiting: if it is otherwise by now, nothing is done."
    )


@blueprint.get("/v1/payments")
@operation("bank:read", {200: answers(PaymentPage, "One page, oldest first.")}, query=PaymentQuery)
def list_payments(desk: Desk) -> Response:
    """List payments"""
    asked = messages.query(PaymentQuery)
    with desk.database.read() as connection:
        ids = [asked.statement] if asked.statement else None
        if asked.file:
            with named_in_body("file"):
                ids = [
                    one
                    for one in shown.of_file(connection, desk.company_id, asked.file)
                    if ids is None or one in ids
                ]
        kinds = {"state": asked.state, "decision": asked.decision}
        found = payments.page(
            connection, desk.company_id, asked.after, asked.limit + 1, statement_ids=ids, **kinds
        )
        page = payment_views.views(desk, connection, found[: asked.limit])
    return answer(PaymentPage(page, page[-1].payment_id if len(found) > asked.limit else None))


@blueprint.get("/v1/match-queue")
@operation("bank:read", {200: answers(PaymentPage, "One page, in the order asked for.")}, query=QueueQuery)
def list_match_queue(desk: Desk) -> Response:
    """List the payments that wait for a person

    Each with its suggestions, the best first. By default the oldest booking day comes first."""
    asked = messages.query(QueueQuery)
    largest_in = desk.company.currency if asked.order == "largest" else None
    with desk.database.read() as connection:
        found = payments.queue(
            connection, desk.company_id, asked.after, asked.limit + 1, largest_in=largest_in
        )
        page = payment_views.views(desk, connection, found[: asked.limit])
    return answer(PaymentPage(page, page[-1].payment_id if len(found) > asked.limit else None))


@blueprint.get("/v1/payments/<payment_id>")
@operation("bank:read", {200: answers(PaymentWhole, "What became of it, and why.")}, query=Language)
def explain_payment(desk: Desk, payment_id: str) -> Response:
    """Explain a payment"""
    told = shown.explain(desk, payment_id, messages.query(Language).language)
    with desk.database.read() as connection:
        asked = payments.asked_about(connection, desk.company_id, [payment_id])
    return answer(payment_views.whole(told, asked.get(payment_id)))


def done(desk: Desk, made: Answer) -> Response:
    """What came of a wish."""
    with desk.database.read() as connection:
        row = bank.row(connection, desk.company_id, made.payment.payment_id)
        [seen] = payment_views.views(desk, connection, [row])
    if made.request is None:
        return answer(CashDone(seen))
    told = CashDone(seen, payment_views.request_view(made.request, desk.company.currency))
    if made.waits:
        return answer(told, 202, {"Location": f"/v1/cash-requests/{made.request.request_id}"})
    return answer(told)


@blueprint.post("/v1/payments/<payment_id>/apply")
@operation(
    "bank:write",
    {200: _DONE, 202: _KEPT},
    reads={JSON: ApplyBody},
    conflicts="No money of it waits, less or more than you saw, or a request about it is open.",
)
def apply_payment(desk: Desk, payment_id: str) -> Response:
    """Say what a payment is for

    It may be split among items, and closed by a write-off or a discount. Send `unallocated` as you saw
    it: then a repeat does nothing twice."""
    asked = messages.body(ApplyBody)
    shares = tuple(Share(one.item, one.amount) for one in asked.shares)
    wish = Wish(shares, asked.write_off, asked.discount, asked.on_account)
    with desk.database.read() as connection:
        bank.row(connection, desk.company_id, payment_id)  # a payment that is not there is a 404
    with named_in_body(""):
        made = foureyes.ask(desk, payment_id, Action.APPLY, wish, seen=asked.unallocated)
    return done(desk, made)


@blueprint.post("/v1/payments/<payment_id>/undo")
@operation(
    "bank:write",
    {200: _DONE, 202: _KEPT},
    conflicts="Nothing was made of it that could be undone, or a request about it is open.",
)
def undo_payment(desk: Desk, payment_id: str) -> Response:
    """Take back what was made of a payment

    Its items are open again, and its money waits for a person."""
    return done(desk, foureyes.ask(desk, payment_id, Action.UNDO))
