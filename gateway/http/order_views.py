"""An order as the API shows it: a summary, with its decision, and whole."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from gateway.http.schema import Sum
from gateway.stages.desk import Desk
from gateway.stages.receive import Received
from gateway.store import invoices, items, journal, orders
from gateway.store.orders import StoredOrder
from gateway.store.rows import unpack
from o2c import leitweg
from o2c.decision import Decision, FactValue
from o2c.money import Money
from o2c.order import InvoiceProfile, Order, OrderPart
from o2c.process import OrderFacts, order_status


@dataclass(frozen=True, slots=True)
class CreditDecision:
    """The standing credit decision: outcome, deciding rule (none: `otherwise` spoke), and its figures."""

    outcome: str
    say: str
    facts: Mapping[str, FactValue]
    rulebook_sha256: str
    decided_by: str
    rule: str | None = None


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """An invoice to settle before the order goes on."""

    number: str
    open: Sum
    due_on: date


@dataclass(frozen=True, slots=True)
class OrderSummary:
    """``state`` is the verdict: approved, referred, held, refused or cancelled. ``value`` is gross."""

    id: str
    state: str
    source: str
    external_id: str
    document_id: str
    customer_id: str
    ordered_on: date
    value: Sum
    parts: list[OrderPart]
    received_at: datetime
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderView(OrderSummary):
    """``status`` is derived from the order's documents; ``answer`` is the code (AP, CA, RE) the buyer
    was told, absent until then; ``settle_first`` says what a held order waits for; ``warnings`` say what
    looks wrong and was taken all the same."""

    status: str = ""
    decision: CreditDecision | None = None
    settle_first: list[OverdueItem] | None = None
    answer: str | None = None
    warnings: list[str] | None = None


@dataclass(frozen=True, slots=True)
class OrderWhole(OrderView):
    """The order as received, and the invoices made from it."""

    order: Order | None = None
    invoices: list[str] | None = None
    document_sha256: str | None = None


@dataclass(frozen=True, slots=True)
class OrderPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[OrderSummary]
    next: str | None = None


def total(minor: int, currency: str) -> Sum:
    """Minor units as an amount."""
    return Sum(format(Money.from_minor(minor, currency).amount, "f"), currency)


def _common(stored: StoredOrder) -> dict[str, Any]:
    order = stored.order
    return {
        "id": stored.order_id,
        "state": stored.state,
        "source": order.source,
        "external_id": order.external_id,
        "document_id": order.document_id,
        "customer_id": stored.customer_id,
        "ordered_on": order.ordered_on,
        "value": total(stored.value, order.currency),
        "parts": stored.parts,
        "received_at": stored.received_at,
        "decided_at": stored.decided_at,
    }


def summary(stored: StoredOrder) -> OrderSummary:
    """What a list shows."""
    return OrderSummary(**_common(stored))


def view(desk: Desk, connection: Connection, stored: StoredOrder) -> OrderView:
    """An order with its decision."""
    return OrderView(**_common(stored), **_standing(desk, connection, stored))


def fresh_view(desk: Desk, received: Received) -> OrderView:
    """An order that has just been stored: no shipment, no answer, and only a held one needs a look."""
    stored, made = received.stored, received.credit
    overdue = None
    if stored.state == "held":
        with desk.database.read() as connection:
            overdue = _overdue(desk, connection, stored)
    return OrderView(
        **_common(stored),
        status=order_status(_facts(stored)),
        decision=_decision(made, desk.actor) if made else None,
        settle_first=overdue,
        warnings=_warnings(stored),
    )


def whole(desk: Desk, connection: Connection, stored: StoredOrder) -> OrderWhole:
    """Everything but the timeline."""
    issued = invoices.of_order(connection, desk.company_id, stored.order_id)
    return OrderWhole(
        **_common(stored),
        **_standing(desk, connection, stored),
        order=stored.order,
        invoices=[one.invoice.number for one in issued],
        document_sha256=stored.document_sha256,
    )


def _standing(desk: Desk, connection: Connection, stored: StoredOrder) -> dict[str, Any]:
    return {
        "status": order_status(_facts(stored, *_billed(desk, connection, stored.order_id))),
        "decision": _credit(desk, connection, stored.order_id),
        "settle_first": _overdue(desk, connection, stored) if stored.state == "held" else None,
        "answer": _told(desk, connection, stored.order_id),
        "warnings": _warnings(stored),
    }


def _warnings(stored: StoredOrder) -> list[str] | None:
    """A buyer reference that is built as a Leitweg-ID with wrong check digits is taken, and said."""
    reference = stored.order.buyer_reference or ""
    doubt = leitweg.doubt(reference) if leitweg.looks_like_one(reference) else None
    asked = stored.order.profile is InvoiceProfile.XRECHNUNG or stored.order.buyer.address.country == "DE"
    return [doubt] if doubt and asked else None


_CREDIT = {"approved": "approve", "referred": "refer", "held": "hold", "refused": "reject"}


def _facts(stored: StoredOrder, invoiced: Decimal = Decimal(0), unpaid: int = 0) -> OrderFacts:
    credit = _CREDIT.get(stored.state)
    return OrderFacts(credit, stored.state == "cancelled", stored.parts, invoiced, unpaid)


def _billed(desk: Desk, connection: Connection, order_id: str) -> tuple[Decimal, int]:
    """(pieces on invoices, minor units unpaid on them)."""
    invoiced, unpaid = Decimal(0), 0
    for one in orders.shipments_of(connection, desk.company_id, order_id):
        if one.billing == "done":
            invoiced += sum((line.quantity for line in one.shipment.lines), Decimal(0))
            unpaid += items.open_amount(connection, desk.company_id, one.invoice_number or "")
    return invoiced, unpaid


def _credit(desk: Desk, connection: Connection, order_id: str) -> CreditDecision | None:
    row = orders.latest_credit(connection, desk.company_id, order_id)
    return None if row is None else _decision(unpack(Decision, row.body), row.actor)


def _decision(made: Decision, by: str) -> CreditDecision:
    return CreditDecision(made.outcome, made.say, made.facts, made.rulebook_sha, by, made.rule)


def _overdue(desk: Desk, connection: Connection, stored: StoredOrder) -> list[OverdueItem]:
    today = desk.clock.today()
    found = [one.item for one in items.open_items(connection, desk.company_id, [stored.customer_id])]
    return [
        OverdueItem(item.invoice_number, total(item.open, item.currency), item.due_on)
        for item in found
        if item.due_on < today and item.open > 0
    ]


def _told(desk: Desk, connection: Connection, order_id: str) -> str | None:
    data = journal.latest(connection, desk.company_id, journal.order_stream(order_id), "OrderAnswered")
    code: str | None = data and json.loads(data)["code"]
    return code
