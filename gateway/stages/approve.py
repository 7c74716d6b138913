"""Decide: credit first, then stock per line, by the company's rule files.

The decision, the reservation and the claim on the credit account commit together. The rules say
what; this stage gathers the figures and carries it out. A person may decide what was referred or
held; that is a decision too, with a name and a reason.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import ROUND_UP, Decimal

from sqlalchemy import Connection

from gateway.stages.desk import Desk
from gateway.store import catalogue, companies, customers, ledger, orders
from gateway.store.catalogue import Available, StockMove
from gateway.store.customers import CreditAccount, Movement
from gateway.store.jobs import NewJob
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from o2c.decision import Decision, FactValue
from o2c.errors import Conflict
from o2c.money import Money, convert
from o2c.order import Customer, Order, OrderLine, OrderPart, PartState, Product
from o2c.stock import Shelf, allocate, less, resolve, stock_facts
from o2c.totals import order_value, parts_value

STATES = {"approve": "approved", "refer": "referred", "hold": "held", "reject": "refused"}
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
# Exposure against no limit at all: more than any table's last row.
_NO_LIMIT_PERCENT = Decimal(999_999)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one order. ``claim``: its part of the open orders, base minor units."""

    state: str
    credit: Decision
    lines: tuple[tuple[str, Decision], ...] = ()
    parts: tuple[OrderPart, ...] = ()
    claim: int = 0


def decide(
    desk: Desk,
    connection: Connection,
    order: Order,
    account: CreditAccount,
    available: Available,
    rate: Decimal,
) -> Verdict:
    """Judge an order on fresh figures; reserves nothing yet."""
    facts = credit_facts(desk, account, convert_value(desk, order, rate))
    credit = desk.decider.decide("credit", facts)
    state = STATES[credit.outcome]
    if state == "held" and account.first_due_on is not None:
        credit = replace(credit, say=f"{credit.say}: {_overdue_items(desk, connection, account)}")
    return fill(desk, order, account.customer, available, rate, Verdict(state, credit))


def convert_value(desk: Desk, order: Order, rate: Decimal) -> int:
    """The order's gross value in the company's currency, minor units."""
    return convert(order_value(order).rounded().minor, order.currency, rate, desk.company.currency)


def credit_facts(desk: Desk, account: CreditAccount, this_order: int) -> dict[str, FactValue]:
    """Exposure = open invoices + open orders + this order - unallocated cash, in company currency."""
    who, currency, today = account.customer, desk.company.currency, desk.clock.today()

    def amount(minor: int) -> Decimal:
        return Money.from_minor(minor, currency).amount

    limit = who.credit_limit.minor if who.credit_limit else 0
    # Rounded up: a hair above the limit counts as above it.
    percent = Decimal(account.exposure * 100) / limit if limit else _NO_LIMIT_PERCENT
    return {
        "first_order": not account.ordered_before,
        "earlier_refused": who.refused_before,
        "approval_valid": who.approval_until is not None and who.approval_until >= today,
        "on_hold": account.held,
        "risk_class": who.risk_class,
        "this_order": amount(this_order),
        "exposure": amount(account.exposure),
        "credit_limit": amount(limit),
        "exposure_percent": min(percent, _NO_LIMIT_PERCENT).quantize(Decimal("0.01"), ROUND_UP),
        "overdue_days": (today - account.first_due_on).days if account.first_due_on else 0,
        "overdue_amount": amount(account.overdue),
    }


def _overdue_items(desk: Desk, connection: Connection, account: CreditAccount) -> str:
    today = desk.clock.today()
    items = ledger.open_items(connection, desk.company_id, [account.customer.customer_id])
    return ", ".join(
        f"{one.item.invoice_number} ({Money.from_minor(one.item.open, one.item.currency)},"
        f" due {one.item.due_on})"
        for one in items
        if one.item.due_on < today
    )


def fill(
    desk: Desk, order: Order, customer: Customer, available: Available, rate: Decimal, verdict: Verdict
) -> Verdict:
    """Decide and allocate every line of an approved order."""
    if verdict.state != "approved":
        return verdict
    decided: list[tuple[str, Decision]] = []
    parts: list[OrderPart] = []
    for line in order.lines:
        decision, given = _fill_line(desk, line, customer, available, parts)
        decided.append((line.line_id, decision))
        parts += given
    kept = tuple(part for part in parts if part.state is not PartState.CANCELLED)
    value = parts_value(order, kept, products_of(order, available)).rounded().minor
    claim = convert(value, order.currency, rate, desk.company.currency)
    state = "approved" if kept else "cancelled"
    return replace(verdict, state=state, lines=tuple(decided), parts=tuple(parts), claim=claim)


def products_of(order: Order, available: Available) -> dict[str, Product | None]:
    """What each line means, by line id."""
    return {line.line_id: resolve(line, available.products) for line in order.lines}


def _fill_line(
    desk: Desk, line: OrderLine, customer: Customer, available: Available, taken: Sequence[OrderPart]
) -> tuple[Decision, tuple[OrderPart, ...]]:
    item = resolve(line, available.products)
    shelves = _free(available, item.product_id if item else None, taken)
    substitutes = _free(available, item.substitute_id if item else None, taken)
    receipt = available.next_receipt_on.get(item.product_id) if item else None
    days = (receipt - desk.clock.today()).days if receipt else None
    decision = desk.decider.decide(
        "stock",
        stock_facts(line, item, customer, shelves, substitutes, max(days, 0) if days is not None else None),
    )
    parts = allocate(
        line, decision.outcome, decision.actions, shelves, substitutes, item, decision.say or None
    )
    return decision, parts


def _free(available: Available, product_id: str | None, taken: Sequence[OrderPart]) -> tuple[Shelf, ...]:
    return less(available.shelves.get(product_id, ()), product_id, taken) if product_id else ()


def keep(
    desk: Desk,
    connection: Connection,
    stored: StoredOrder,
    verdict: Verdict,
    claimed: int,
    *,
    before: Sequence[Event] = (),
    fresh: bool = False,
    actor_reason: str | None = None,
) -> None:
    """Write down a verdict: decisions, stock, the part of the claim not needed, journal, next job."""
    company_id, now, stream = desk.company_id, desk.clock.now(), order_stream(stored.order_id)
    if verdict.claim != claimed:
        customers.move(connection, company_id, [Movement(stored.customer_id, orders=verdict.claim - claimed)])
    made: list[tuple[str, str | None, Decision]] = [(stored.order_id, None, verdict.credit)]
    made += [(stored.order_id, line_id, decision) for line_id, decision in verdict.lines]
    orders.add_decisions(connection, company_id, now, desk.actor, made, actor_reason)
    reserve(desk, connection, verdict.parts)
    events = [*before, _credit_event(stream, verdict, actor_reason), *part_events(stream, verdict.parts)]
    if verdict.state == "cancelled":
        events.append(Event(stream, "OrderCancelled", {"reason": "no line can be supplied"}))
    work = NewJob("answer", f"answer:{stored.order_id}:{verdict.state}", {"order": stored.order_id})
    desk.record(connection, now, events, [work], fresh=[stream] if fresh else [])


def reserve(desk: Desk, connection: Connection, parts: Sequence[OrderPart]) -> None:
    """Promise the reserved pieces; raises ``Stale`` if somebody was faster."""
    moves = [
        StockMove(part.product_id, part.warehouse, reserve=part.quantity)
        for part in parts
        if part.state is PartState.RESERVED and part.product_id and part.warehouse
    ]
    if moves:
        catalogue.move(connection, desk.company_id, moves)


def _credit_event(stream: str, verdict: Verdict, reason: str | None) -> Event:
    credit = verdict.credit
    state = "approved" if verdict.state == "cancelled" else verdict.state
    data: dict[str, object] = {"rule": credit.rule, "say": credit.say, "facts": credit.facts}
    if reason is not None:
        data["reason"] = reason
    if credit.alarm is not None:
        data["alarm"] = credit.alarm
    return Event(stream, EVENTS[state], data, rulebook_sha256=credit.rulebook_sha)


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
    rate = companies.rate_on(connection, desk.company, stored.order.currency, desk.clock.today())
    claimed = convert_value(desk, stored.order, rate) if approval.approve else 0
    account = _claim_again(desk, connection, stored, claimed)
    who = _remember(account.customer, approval)
    if who != account.customer:
        customers.save(connection, desk.company_id, who, desk.clock.now())
    credit = _by_hand(desk, account, claimed, approval)
    verdict = Verdict(STATES[credit.outcome], credit)
    available = catalogue.available(connection, desk.company_id, stored.order.lines)
    verdict = fill(desk, stored.order, who, available, rate, verdict)
    _store(desk, connection, stored, verdict, claimed, approval.reason)


def _claim_again(desk: Desk, connection: Connection, stored: StoredOrder, minor: int) -> CreditAccount:
    account = customers.claim(
        connection, desk.company_id, minor, desk.clock.today(), customer_id=stored.customer_id, keys=()
    )
    assert account is not None, "an order's customer cannot vanish"
    return account


def _remember(who: Customer, approval: Approval) -> Customer:
    if not approval.approve:
        return replace(who, refused_before=True, approval_until=None)
    return replace(
        who,
        refused_before=False,
        credit_limit=approval.credit_limit or who.credit_limit,
        approval_until=approval.valid_until or who.approval_until,
    )


def _by_hand(desk: Desk, account: CreditAccount, claimed: int, approval: Approval) -> Decision:
    """The person's decision, on the facts that the rules had before them."""
    ruled = desk.decider.decide("credit", credit_facts(desk, account, claimed))
    outcome = "approve" if approval.approve else "reject"
    return replace(ruled, outcome=outcome, rule=None, say=f"Decided by {desk.actor}", actions={})


def _store(
    desk: Desk,
    connection: Connection,
    stored: StoredOrder,
    verdict: Verdict,
    claimed: int,
    reason: str | None = None,
    before: Sequence[Event] = (),
) -> None:
    changed = replace(
        stored, state=verdict.state, parts=verdict.parts, claimed=verdict.claim, decided_at=desk.clock.now()
    )
    orders.change(connection, desk.company_id, changed)
    keep(desk, connection, changed, verdict, claimed, actor_reason=reason, before=before)


# --- later on ------------------------------------------------------------------------------------
def reconsider(desk: Desk, connection: Connection, order_id: str) -> None:
    """Decide a held order again, now that its customer's hold is lifted. Idempotent."""
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    if stored.state != "held":
        return
    rate = companies.rate_on(connection, desk.company, stored.order.currency, desk.clock.today())
    claimed = convert_value(desk, stored.order, rate)
    account = _claim_again(desk, connection, stored, claimed)
    available = catalogue.available(connection, desk.company_id, stored.order.lines)
    verdict = decide(desk, connection, stored.order, account, available, rate)
    if verdict.state == "held":
        customers.move(connection, desk.company_id, [Movement(stored.customer_id, orders=-claimed)])
        return
    _store(desk, connection, stored, verdict, claimed)


def refill(desk: Desk, connection: Connection, order_id: str) -> None:
    """Promise goods that have come in to an order that waits for them. Idempotent."""
    stored = orders.find(connection, desk.company_id, order_id, lock=True)
    waiting = [part for part in stored.parts if part.state is PartState.BACKORDERED]
    available = catalogue.available(connection, desk.company_id, stored.order.lines)
    taken: list[OrderPart] = []
    parts = [part for part in stored.parts if part.state is not PartState.BACKORDERED]
    for part in waiting:
        given = _promise(part, available, taken)
        taken += given
        rest = part.quantity - sum((g.quantity for g in given), Decimal(0))
        parts += given + ([replace(part, quantity=rest)] if rest else [])
    if not taken:
        return
    reserve(desk, connection, taken)
    orders.change(connection, desk.company_id, replace(stored, parts=tuple(parts)))
    desk.record(connection, desk.clock.now(), part_events(order_stream(order_id), taken))


def _promise(part: OrderPart, available: Available, taken: Sequence[OrderPart]) -> list[OrderPart]:
    given: list[OrderPart] = []
    left = part.quantity
    for shelf in _free(available, part.product_id, taken):
        quantity = min(left, shelf.available)
        if quantity > 0:
            given.append(
                replace(
                    part, state=PartState.RESERVED, quantity=quantity, warehouse=shelf.warehouse, reason=None
                )
            )
            left -= quantity
    return given
