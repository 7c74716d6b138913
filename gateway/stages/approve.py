"""Approve: write a verdict down, and let a person decide what was referred or held.

The decision, the reservation and the claim on the credit account commit together. A person's word
is a decision too, with a name and a reason; later events (a hold lifted, goods come in) have orders
judged again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from gateway.stages import shadow
from gateway.stages.desk import Desk
from gateway.stages.judge import STATES, Case, Stockroom, Verdict, credit_facts, decide, fill
from gateway.store import catalogue, companies, customers, orders
from gateway.store.catalogue import StockMove
from gateway.store.customers import CreditAccount, Movement
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from o2c.decision import Decision, by_hand
from o2c.errors import Conflict
from o2c.money import Money
from o2c.order import Customer, OrderPart, PartState

EVENTS = {
    "approved": "OrderApproved",
    "referred": "OrderReferred",
    "held": "OrderHeld",
    "refused": "OrderRefused",
}
_PART_EVENTS = {
    PartState.RESERVED: "StockReserved",
    PartState.BACKORDERED: "LineBackordered",
    PartState.CANCELLED: "LineCancelled",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """An order with its verdict. ``claimed`` is what the credit account already counts for it;
    ``before`` are events to tell first, ``reason`` a person's."""

    stored: StoredOrder
    verdict: Verdict
    claimed: int = 0
    before: tuple[Event, ...] = ()
    reason: str | None = None


def keep(desk: Desk, connection: Connection, judged: Sequence[Judged], *, fresh: bool = False) -> None:
    """Write verdicts down, one statement per table for all of them: claims, decisions, stock,
    journal, next jobs. ``fresh``: the orders are new, so their journals are empty."""
    company_id, now = desk.company_id, desk.clock.now()
    claims = [Movement(j.stored.customer_id, orders=j.verdict.claim - j.claimed) for j in judged]
    customers.move(connection, company_id, claims)
    decided = [
        orders.Decided(j.stored.order_id, line_id, decision, j.reason)
        for j in judged
        for line_id, decision in ((None, j.verdict.credit), *j.verdict.lines)
    ]
    orders.add_decisions(connection, company_id, now, desk.actor, decided)
    shadow.compare(connection, company_id, now, desk.shadows, decided)
    reserve(desk, connection, [part for j in judged for part in j.verdict.parts])
    streams = [order_stream(j.stored.order_id) for j in judged]
    events = [event for j in judged for event in _events(j)]
    work = [_answer_job(j) for j in judged]
    desk.record(connection, now, events, work, fresh=streams if fresh else [])


def _answer_job(judged: Judged) -> NewJob:
    order_id, state = judged.stored.order_id, judged.verdict.state
    return NewJob("answer", f"answer:{order_id}:{state}", {"order": order_id, "state": state})


def _events(judged: Judged) -> list[Event]:
    stream, verdict = order_stream(judged.stored.order_id), judged.verdict
    credit = verdict.credit
    data: dict[str, object] = {"rule": credit.rule, "say": credit.say, "facts": credit.facts}
    if judged.reason is not None:
        data["reason"] = judged.reason
    if credit.alarm is not None:
        data["alarm"] = credit.alarm
    if alarms := {line_id: d.alarm for line_id, d in verdict.lines if d.alarm is not None}:
        data["line_alarms"] = alarms
    name = EVENTS["approved" if verdict.state == "cancelled" else verdict.state]
    told = Event(stream, name, data, rulebook_sha256=credit.rulebook_sha)
    events = [*judged.before, told, *part_events(stream, verdict.parts)]
    if verdict.state == "cancelled":
        events.append(Event(stream, "OrderCancelled", {"reason": "no line can be supplied"}))
    return events


def reserve(desk: Desk, connection: Connection, parts: Sequence[OrderPart]) -> None:
    """Promise the reserved pieces; raises ``Stale`` if somebody was faster."""
    moves = [
        StockMove(part.product_id, part.warehouse, reserve=part.quantity)
        for part in parts
        if part.state is PartState.RESERVED and part.product_id and part.warehouse
    ]
    if moves:
        catalogue.move(connection, desk.company_id, moves)


def part_events(stream: str, parts: Sequence[OrderPart]) -> list[Event]:
    """One event for each fate that some pieces share, with the lines and quantities."""
    events = []
    for state, name in _PART_EVENTS.items():
        lines = [
            {"line": p.line_id, "quantity": p.quantity, "product": p.product_id, "warehouse": p.warehouse}
            for p in parts
            if p.state is state
        ]
        if lines:
            events.append(Event(stream, name, {"lines": lines}))
    return events


# --- a person decides ----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Approval:
    """A controller's word on a referred or held order. Limit and date, where given, stay with the
    customer, so that its next orders go straight through."""

    approve: bool
    reason: str
    credit_limit: Money | None = None
    valid_until: date | None = None


def resolve_order(desk: Desk, order_id: str, approval: Approval) -> None:
    """Approve or refuse an order that waits for a person. ``Conflict('order-state')`` if it does not."""
    desk.database.write(lambda connection: _resolve(desk, connection, order_id, approval))


def _resolve(desk: Desk, connection: Connection, order_id: str, approval: Approval) -> None:
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    if stored.state not in ("referred", "held"):
        raise Conflict(
            "order-state",
            f"order {order_id} is {stored.state}; only a referred or held order can be decided.",
        )
    room = Stockroom(catalogue.available(connection, desk.company_id, stored.order.lines))
    case, account = _take_up(desk, connection, stored, room)
    who = _remember(account.customer, approval)
    if who != account.customer:
        customers.save(connection, desk.company_id, who, desk.clock.now())
    credit = _by_hand(desk, account, case, approval)
    verdict = fill(desk, case, who, room, Verdict(STATES[credit.outcome], credit))
    _store(desk, connection, stored, verdict, approval.reason)


def _take_up(
    desk: Desk, connection: Connection, stored: StoredOrder, room: Stockroom
) -> tuple[Case, CreditAccount]:
    """A waiting order as a case again, and its customer's account, locked."""
    today = desk.clock.today()
    rate = companies.rate_on(connection, desk.company, stored.order.currency, today)
    accounts = customers.accounts(connection, desk.company_id, today, [stored.customer_id])
    return Case.of(desk, stored.order, rate, room.available), accounts[stored.customer_id]


def _remember(who: Customer, approval: Approval) -> Customer:
    if not approval.approve:
        return replace(who, refused_before=True, approval_until=None)
    return replace(
        who,
        refused_before=False,
        credit_limit=approval.credit_limit or who.credit_limit,
        approval_until=approval.valid_until or who.approval_until,
    )


def _by_hand(desk: Desk, account: CreditAccount, case: Case, approval: Approval) -> Decision:
    """The person's decision, on the facts that the rules had before them."""
    ruled = desk.decider.decide("credit", credit_facts(desk, account, case.claim))
    return by_hand(ruled, "approve" if approval.approve else "reject", desk.actor)


def _store(
    desk: Desk, connection: Connection, stored: StoredOrder, verdict: Verdict, reason: str | None = None
) -> None:
    changed = replace(
        stored, state=verdict.state, parts=verdict.parts, claimed=verdict.claim, decided_at=desk.clock.now()
    )
    orders.change(connection, desk.company_id, changed)
    keep(desk, connection, [Judged(changed, verdict, stored.claimed, reason=reason)])


# --- later on ------------------------------------------------------------------------------------
def reconsider(desk: Desk, connection: Connection, order_id: str) -> None:
    """Decide a held order again, now that its customer's hold is lifted. Idempotent."""
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    if stored.state != "held":
        return
    room = Stockroom(catalogue.available(connection, desk.company_id, stored.order.lines))
    case, account = _take_up(desk, connection, stored, room)
    verdict = decide(desk, connection, case, account, room)
    if verdict.state != "held":
        _store(desk, connection, stored, verdict)


def refill(desk: Desk, connection: Connection, order_id: str) -> None:
    """Promise goods that have come in to an order that waits for them. Idempotent."""
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    room = Stockroom(catalogue.available(connection, desk.company_id, stored.order.lines))
    promised: list[OrderPart] = []
    parts = [part for part in stored.parts if part.state is not PartState.BACKORDERED]
    for part in stored.parts:
        if part.state is PartState.BACKORDERED:
            given = _promise(part, room)
            room.take(given)
            promised += given
            rest = part.quantity - sum((g.quantity for g in given), Decimal(0))
            parts += given + ([replace(part, quantity=rest)] if rest else [])
    if promised:
        reserve(desk, connection, promised)
        orders.change(connection, desk.company_id, replace(stored, parts=tuple(parts)))
        desk.record(connection, desk.clock.now(), part_events(order_stream(order_id), promised))


def _promise(part: OrderPart, room: Stockroom) -> list[OrderPart]:
    """What of a backordered part the shelves can give now."""
    given: list[OrderPart] = []
    left = part.quantity
    for shelf in room.free(part.product_id):
        quantity = min(left, shelf.available)
        if quantity > 0:
            where = shelf.warehouse
            given.append(
                replace(part, state=PartState.RESERVED, quantity=quantity, warehouse=where, reason=None)
            )
            left -= quantity
    return given
