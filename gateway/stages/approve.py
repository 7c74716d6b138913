"""Approve: write a verdict down, and let a person decide what was referred or held.

The decision, the reservation and the claim on the credit account commit together. A person's word
is a decision too, with a name and a reason; above an amount it takes two of them. Later events (a
hold lifted, a limit granted) have orders judged again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from sqlalchemy import Connection

from gateway.stages import shadow, tell
from gateway.stages.desk import Desk
from gateway.stages.judge import STATES, Case, Stockroom, Verdict, credit_facts, decide, fill
from gateway.store import catalogue, companies, customers, orders, referrals
from gateway.store.catalogue import StockMove
from gateway.store.customers import CreditAccount, Movement
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from gateway.store.referrals import FirstApproval, Referral
from o2c.credit import answer_by, needs_second
from o2c.decision import Decision, by_hand
from o2c.errors import Conflict
from o2c.money import Money
from o2c.order import Customer, OrderPart, PartState

_QUEUE_LIMIT = 200
WAITING = frozenset({"referred", "held"})
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
    ``value``: what the order is worth, company currency. ``before`` are events to tell first,
    ``reason`` a person's."""

    stored: StoredOrder
    verdict: Verdict
    claimed: int = 0
    before: tuple[Event, ...] = ()
    reason: str | None = None
    value: int = 0


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
    asked = [_question(j, now) for j in judged if j.verdict.state in WAITING]
    (referrals.add if fresh else referrals.ask)(connection, company_id, asked)
    reserve(desk, connection, [part for j in judged for part in j.verdict.parts])
    streams = [order_stream(j.stored.order_id) for j in judged]
    events = [event for j in judged for event in _events(j)]
    work = [_answer_job(j) for j in judged]
    work += tell.sales(desk, connection, [(j.stored, words) for j in judged if (words := _for_sales(j))])
    desk.record(connection, now, events, work, fresh=streams if fresh else [])


def _question(judged: Judged, now: datetime) -> Referral:
    made, stored = judged.verdict.credit, judged.stored
    return Referral(
        stored.order_id,
        stored.customer_id,
        judged.verdict.state,
        # Rows that fire together may name several queues; the column keeps so many characters.
        made.actions.get("queue", "")[:_QUEUE_LIMIT] or None,
        made.say or f"decided {made.outcome} by rule {made.rule or 'otherwise'}",
        judged.value,
        now,
        answer_by(now, made.actions.get("answer_within")),
    )


def _for_sales(judged: Judged) -> list[str]:
    """What sales is to be told of an order: each decision whose rule says so, in words."""
    made = [(None, judged.verdict.credit), *judged.verdict.lines]
    names = {line.line_id: line for line in judged.stored.order.lines}
    return [
        f"- {line_id} {names[line_id].quantity} {names[line_id].name}: {one.say or one.outcome}"
        if line_id is not None
        else f"The order is {judged.verdict.state}: {one.say or one.outcome}"
        for line_id, one in made
        if "sales" in one.actions.get("notify", "")
    ]


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


def resolve_order(desk: Desk, order_id: str, approval: Approval) -> bool:
    """Approve or refuse an order that waits for a person. False if a second person must approve it too:
    then this word is kept, and the order goes on waiting.

    ``Conflict('order-state')`` if it does not wait, ``Conflict('second-person')`` if the same person
    approves twice, ``Conflict('approval-differs')`` if the two do not mean the same limit.
    """
    return desk.database.write(lambda connection: _resolve(desk, connection, order_id, approval))


def _resolve(desk: Desk, connection: Connection, order_id: str, approval: Approval) -> bool:
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    if stored.state not in WAITING:
        raise Conflict(
            "order-state",
            f"order {order_id} is {stored.state}; only a referred or held order can be decided.",
        )
    room = Stockroom(catalogue.available(connection, desk.company_id, stored.order.lines))
    case, account = _take_up(desk, connection, stored, room)
    if approval.approve and _takes_two(desk, case, approval):
        both = _second(desk, connection, stored, approval)
        if both is None:
            return False
        approval = both
    who = _remember(account.customer, approval)
    if who != account.customer:
        customers.save(connection, desk.company_id, who, desk.clock.now())
    credit = _by_hand(desk, account, case, approval)
    verdict = fill(desk, case, who, room, Verdict(STATES[credit.outcome], credit))
    _store(desk, connection, stored, case, verdict, approval.reason)
    return True


def _takes_two(desk: Desk, case: Case, approval: Approval) -> bool:
    """The order, or the limit that it would leave with the customer, is more than one person may say."""
    limit = approval.credit_limit.minor if approval.credit_limit else 0
    return needs_second(max(case.claim, limit), desk.company.profile.four_eyes_above)


def _second(desk: Desk, connection: Connection, stored: StoredOrder, approval: Approval) -> Approval | None:
    """What both persons approve; None if this one is the first, whose word is kept."""
    asked = referrals.find(connection, desk.company_id, stored.order_id)
    first = asked.first_approval if asked else None
    now = desk.clock.now()
    if first is None:
        said = FirstApproval(desk.actor, now, approval.reason, approval.credit_limit, approval.valid_until)
        referrals.record_first(connection, desk.company_id, stored.order_id, said)
        data = {"reason": approval.reason, "limit": approval.credit_limit and str(approval.credit_limit)}
        told = data | {"valid_until": approval.valid_until}
        desk.record(connection, now, [Event(order_stream(stored.order_id), "ApprovalRecorded", told)])
        return None
    if first.by == desk.actor:
        raise Conflict(
            "second-person",
            f"{first.by} has approved order {stored.order_id} already; this amount takes two persons.",
            next_step="Another person must approve it.",
        )
    if _differs(approval.credit_limit, first.credit_limit) or _differs(
        approval.valid_until, first.valid_until
    ):
        raise Conflict(
            "approval-differs",
            f"{first.by} approved order {stored.order_id} with another limit or date.",
            next_step="Say the same, or leave limit and date out to approve what was said first.",
        )
    reason = f"{first.reason} ({first.by}); {approval.reason}"
    return replace(approval, reason=reason, credit_limit=first.credit_limit, valid_until=first.valid_until)


def _differs(now: object, before: object) -> bool:
    return now is not None and now != before


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
    desk: Desk,
    connection: Connection,
    stored: StoredOrder,
    case: Case,
    verdict: Verdict,
    reason: str | None = None,
) -> None:
    changed = replace(
        stored, state=verdict.state, parts=verdict.parts, claimed=verdict.claim, decided_at=desk.clock.now()
    )
    orders.change(connection, desk.company_id, changed)
    if verdict.state not in WAITING:
        referrals.close(connection, desk.company_id, [stored.order_id])
    keep(desk, connection, [Judged(changed, verdict, stored.claimed, reason=reason, value=case.claim)])


# --- later on ------------------------------------------------------------------------------------
def reconsider_job(order_id: str, cause: str) -> NewJob:
    """Decide a held order again, for a cause that names itself once."""
    return NewJob("reconsider", f"reconsider:{order_id}:{cause}", {"order": order_id})


def reconsider(desk: Desk, connection: Connection, order_id: str) -> None:
    """Decide a held order again, now that its customer's hold is lifted or a limit is higher. Idempotent."""
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    if stored.state != "held":
        return
    room = Stockroom(catalogue.available(connection, desk.company_id, stored.order.lines))
    case, account = _take_up(desk, connection, stored, room)
    verdict = decide(desk, connection, case, account, room)
    if verdict.state != "held":
        _store(desk, connection, stored, case, verdict)


# --- deadlines -----------------------------------------------------------------------------------
def late_job(nearest: datetime) -> NewJob:
    """Tell of answers that are late; one job for each deadline that passes first."""
    return NewJob("referrals", f"referrals:{nearest:%Y%m%dT%H%M%S%f}", {})


def tell_of_late_answers(desk: Desk, connection: Connection) -> None:
    """Tell the finance desk, once each, of orders whose answer should have been there. Idempotent."""
    now = desk.clock.now()
    late = referrals.overdue(connection, desk.company_id, now)
    if not late:
        return
    referrals.mark_late(connection, desk.company_id, [one.order_id for one in late], now)
    events = [
        Event(
            order_stream(one.order_id),
            "ReferralLate",
            {"queue": one.queue, "answer_by": one.answer_by, "waits": _span(now - one.asked_at)},
        )
        for one in late
    ]
    desk.record(connection, now, events, tell.late(desk, connection, late))


def _span(time: timedelta) -> str:
    hours, rest = divmod(int(time.total_seconds()), 3600)
    return f"{hours} h {rest // 60} min"
