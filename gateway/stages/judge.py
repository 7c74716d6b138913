"""Judge one order: credit first, then stock per line, on the figures of this moment.

The rules say what; this module gathers the figures and works out what follows. It reads, and writes
nothing: ``approve`` writes the verdict down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from sqlalchemy import Connection

from gateway.stages.desk import Desk
from gateway.store import items, limits
from gateway.store.catalogue import Available
from gateway.store.customers import CreditAccount
from o2c import credit
from o2c.country import known_country
from o2c.credit import Lapse
from o2c.decision import Decision, FactValue
from o2c.errors import Refused
from o2c.money import Money, convert
from o2c.order import Customer, Order, OrderLine, OrderPart, PartState, Product
from o2c.stock import NOTHING_INBOUND, Inbound, Shelf, allocate, less, stock_facts
from o2c.totals import order_value, parts_value

STATES = {"approve": "approved", "refer": "referred", "hold": "held", "reject": "refused"}
# Minor units: nine thousand such orders of one customer still fit the database's integers.
_LARGEST_VALUE = 10**15


@dataclass(frozen=True, slots=True)
class Case:
    """An order with its gross value, and that value in the company's currency (minor units)."""

    order: Order
    value: Money
    rate: Decimal
    claim: int

    @classmethod
    def of(cls, desk: Desk, order: Order, rate: Decimal, available: Available) -> Case:
        """``rate`` is units of the company's currency for one of the order's; a line without VAT is
        valued with that of the product it means. ``Refused('order-value')`` beyond all measure."""
        value = order_value(order, products_of(order, available)).rounded()
        if abs(value.minor) > _LARGEST_VALUE:
            raise Refused(
                "order-value",
                f"the order comes to {value}, which is more than we keep books for.",
                next_step="Check prices and quantities.",
            )
        return cls(order, value, rate, convert(value.minor, value.currency, rate, desk.company.currency))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was decided about one order. ``claim``: its part of the open orders, base minor units."""

    state: str
    credit: Decision
    lines: tuple[tuple[str, Decision], ...] = ()
    parts: tuple[OrderPart, ...] = ()
    claim: int = 0


class Stockroom:
    """What is free, as the orders judged so far in this unit of work have left it."""

    def __init__(self, available: Available) -> None:
        self.available = available
        self._shelves = dict(available.shelves)
        self._inbound = dict(available.inbound)

    def free(self, product_id: str | None) -> tuple[Shelf, ...]:
        """The shelves of a product, ship-from order first."""
        return self._shelves.get(product_id or "", ())

    def inbound(self, product_id: str | None) -> Inbound:
        """What is announced of a product, and promised of it already."""
        return self._inbound.get(product_id or "", NOTHING_INBOUND)

    def take(self, parts: Iterable[OrderPart]) -> None:
        """Reserve these parts from what is free; what is backordered waits for what is announced."""
        given = tuple(parts)
        for part in given:
            if part.state is PartState.BACKORDERED and part.product_id in self._inbound:
                self._inbound[part.product_id] = self._inbound[part.product_id].less(part.quantity)
        for product_id in {part.product_id for part in given if part.state is PartState.RESERVED}:
            if product_id in self._shelves:
                self._shelves[product_id] = less(self._shelves[product_id], product_id, given)


def decide(
    desk: Desk, connection: Connection, case: Case, account: CreditAccount, room: Stockroom
) -> Verdict:
    """Judge an order on fresh figures; what it gets is taken from the stockroom."""
    made = desk.decider.decide("credit", credit_facts(desk, account, case.claim))
    state = STATES[made.outcome]
    if state in ("held", "referred"):
        more = _what_would_help(desk, connection, account, case, state)
        made = replace(made, say=f"{made.say}: {more}") if more else made
    return fill(desk, case, account.customer, room, Verdict(state, made))


def _what_would_help(
    desk: Desk, connection: Connection, account: CreditAccount, case: Case, state: str
) -> str:
    """What to settle first, and which limit or approval has run out that would have carried the order."""
    overdue = state == "held" and account.first_due_on is not None
    told = [_overdue_items(desk, connection, account)] if overdue else []
    told.append(_lapse(desk, connection, account, account.exposure + case.claim).words())
    return "; ".join(words for words in told if words)


def _lapse(desk: Desk, connection: Connection, account: CreditAccount, exposure: int) -> Lapse:
    who, today = account.customer, desk.clock.today()
    if exposure <= account.limits.effective(_undated(who)):
        ended = who.approval_until if who.approval_until and who.approval_until < today else None
        return Lapse(approval_until=ended)
    found = limits.lapsed(
        connection, desk.company_id, who.customer_id, today, exposure, desk.company.currency
    )
    return Lapse((found,) if found else ())


def _undated(who: Customer) -> int:
    return who.credit_limit.minor if who.credit_limit else 0


def credit_facts(desk: Desk, account: CreditAccount, this_order: int) -> dict[str, FactValue]:
    """Exposure = open invoices + open orders + this order - unallocated cash, in company currency."""
    who, currency, today = account.customer, desk.company.currency, desk.clock.today()

    def amount(minor: int) -> Decimal:
        return Money.from_minor(minor, currency).amount

    exposure, paid = account.exposure + this_order, account.behaviour
    limit = account.limits.effective(_undated(who))
    group = account.group.exposure + this_order if account.group else 0
    group_limit = account.group.limit if account.group else 0
    return {
        "first_order": not account.ordered_before,
        "earlier_refused": who.refused_before,
        "approval_valid": who.approval_until is not None and who.approval_until >= today,
        "approval_lapsed": who.approval_until is not None and who.approval_until < today,
        "review_due": who.review_on is not None and who.review_on <= today,
        "on_hold": account.held,
        "risk_class": who.risk_class,
        "country": known_country(who.party.address.country),
        "this_order": amount(this_order),
        "exposure": amount(exposure),
        "credit_limit": amount(limit),
        "own_limit": amount(account.limits.own_or(_undated(who))),
        "insured_limit": amount(account.limits.insured or 0),
        "temporary_limit": amount(account.limits.temporary or 0),
        "exposure_percent": credit.percent_of(exposure, limit),
        "group_limit": amount(group_limit),
        "group_exposure": amount(group),
        # No limit of a group is no limit at all: none of it is used.
        "group_exposure_percent": credit.percent_of(group, group_limit, without=Decimal(0)),
        "overdue_days": (today - account.first_due_on).days if account.first_due_on else 0,
        "overdue_amount": amount(account.overdue),
        "paid_invoices": paid.paid,
        "mean_days_late": paid.mean_days_late,
        "share_paid_late": paid.share_late,
        "broken_promises": paid.broken_promises,
    }


def _overdue_items(desk: Desk, connection: Connection, account: CreditAccount) -> str:
    today = desk.clock.today()
    found = items.open_items(connection, desk.company_id, [account.customer.customer_id])
    return ", ".join(
        f"{one.item.invoice_number} ({Money.from_minor(one.item.open, one.item.currency)},"
        f" due {one.item.due_on})"
        for one in found
        if one.item.due_on < today and one.item.open > 0
    )


def fill(desk: Desk, case: Case, customer: Customer, room: Stockroom, verdict: Verdict) -> Verdict:
    """Decide and allocate every line of an approved order."""
    if verdict.state != "approved":
        return verdict
    order = case.order
    decided: list[tuple[str, Decision]] = []
    parts: list[OrderPart] = []
    for line in order.lines:
        decision, given = _fill_line(desk, line, order.delivery.latest_on, customer, room)
        room.take(given)
        decided.append((line.line_id, decision))
        parts += given
    kept = [part for part in parts if part.state is not PartState.CANCELLED]
    claim = case.claim if len(kept) == len(parts) else _value_of(desk, case, kept, room.available)
    state = "approved" if kept else "cancelled"
    return replace(verdict, state=state, lines=tuple(decided), parts=tuple(parts), claim=claim)


def _value_of(desk: Desk, case: Case, parts: Iterable[OrderPart], available: Available) -> int:
    value = parts_value(case.order, parts, products_of(case.order, available)).rounded()
    return convert(value.minor, value.currency, case.rate, desk.company.currency)


def products_of(order: Order, available: Available) -> dict[str, Product | None]:
    """What each line means, by line id."""
    return {line.line_id: available.meant_by(line) for line in order.lines}


def _fill_line(
    desk: Desk, line: OrderLine, wanted_by: date | None, customer: Customer, room: Stockroom
) -> tuple[Decision, tuple[OrderPart, ...]]:
    item = room.available.meant_by(line)
    shelves = room.free(item.product_id if item else None)
    substitutes = room.free(item.substitute_id if item else None)
    inbound = room.inbound(item.product_id if item else None)
    facts = stock_facts(
        line,
        item,
        customer,
        shelves,
        substitutes,
        _days_to_receipt(desk, room, item, inbound),
        inbound.free(wanted_by),
    )
    decision = desk.decider.decide("stock", facts)
    outcome, reason = decision.outcome, decision.say or None
    return decision, allocate(line, outcome, decision.actions, shelves, substitutes, item, reason)


def _days_to_receipt(desk: Desk, room: Stockroom, item: Product | None, inbound: Inbound) -> int | None:
    """Days until goods come that nobody waits for yet: as announced, or as the stock count says."""
    counted = room.available.next_receipt_on.get(item.product_id) if item else None
    known = [day for day in (counted, inbound.next_free_on) if day is not None]
    return max((min(known) - desk.clock.today()).days, 0) if known else None
