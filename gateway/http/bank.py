"""Bank files in, and what became of each payment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from apiflask import APIBlueprint
from flask import Response, request

from gateway.http import messages
from gateway.http.fields import Paging
from gateway.http.messages import XML, answer
from gateway.http.operation import BINARY, answers, door, operation
from gateway.http.order_views import total
from gateway.http.schema import Sum
from gateway.stages.desk import Desk
from gateway.stages.settle import Imported, import_statements
from gateway.store import bank
from gateway.store.bank import StoredPayment

blueprint = APIBlueprint("bank", __name__, tag="Bank")


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What became of each statement of a bank file."""

    items: list[Imported]


@dataclass(frozen=True, slots=True)
class PaymentView:
    """``state``: applied, unmatched (a person decides; ``reason`` says why) or ignored (no receipt)."""

    payment_id: str
    statement_id: str
    account: str
    booked_on: date
    amount: Sum
    is_credit: bool
    unallocated: Sum
    state: str
    customer_id: str | None = None
    reason: str | None = None
    counterparty: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[PaymentView]
    next: str | None = None


@blueprint.post("/v1/bank-files")
@operation(
    "bank:write",
    {
        201: answers(ImportedFile, "Read, proved and posted."),
        200: answers(ImportedFile, "Every statement of it was here before.", Idempotent_Replayed="`true`."),
    },
    reads={XML: BINARY},
    conflicts="A statement was imported before with other content; nothing of this file was posted.",
)
def import_bank_file(desk: Desk) -> Response:
    """Import a bank statement file (camt.053)

    The file is posted whole or not at all."""
    messages.media_type(XML)
    limit = door().house.settings.bank_file_limit
    request.max_content_length = limit
    imported = import_statements(desk, request.get_data(), limit)
    if imported and all(one.duplicate for one in imported):
        return answer(ImportedFile(imported), 200, {"Idempotent-Replayed": "true"})
    return answer(ImportedFile(imported), 201)


def _view(stored: StoredPayment) -> PaymentView:
    details = stored.details
    return PaymentView(
        stored.payment_id,
        stored.statement_id,
        stored.account,
        stored.booked_on,
        Sum(format(details.amount.amount, "f"), details.amount.currency),
        details.is_credit,
        total(stored.unallocated, details.amount.currency),
        stored.state,
        stored.customer_id,
        stored.reason,
        details.counterparty,
        details.text,
    )


@blueprint.get("/v1/payments")
@operation("bank:read", {200: answers(PaymentPage, "One page, oldest first.")}, query=Paging)
def list_payments(desk: Desk) -> Response:
    """List payments"""
    asked = messages.query(Paging)
    with desk.database.read() as connection:
        found = bank.page(connection, desk.company_id, asked.after, asked.limit + 1)
    page = [_view(bank.stored(one)) for one in found[: asked.limit]]
    return answer(PaymentPage(page, page[-1].payment_id if len(found) > asked.limit else None))
