"""Credit: dated limits of customers and groups, reviews that are due, and what waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from formats import canonical
from gateway.http import acceptable, messages
from gateway.http.fields import Amount, Day, Query, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.order_views import total
from gateway.http.schema import Sum
from gateway.stages.desk import Desk
from gateway.stages.grant import Grant, end_limit, grant_limit
from gateway.store import customers, limits, referrals
from gateway.store.referrals import FirstApproval, Referral
from o2c.credit import CreditLimit, LimitKind
from o2c.errors import Refused
from o2c.money import Money
from o2c.order import Customer

blueprint = APIBlueprint("credit", __name__, tag="Credit")


class GroupLimitBody(Strict):
    """A limit that the members of a group share. Limits never add up: the highest in force counts."""

    amount: Amount = Field(description="Currency of the books.")
    valid_from: Day | None = Field(None, description="By default today.")
    valid_until: Day | None = Field(None, description="Its last day; by default until further notice.")
    note: Words


class LimitBody(GroupLimitBody):
    """A limit of one customer. A temporary one needs its last day."""

    kind: Literal["own", "insured", "temporary"]


class EndBody(Strict):
    """The last day of a limit: today or later, or a day before its first to take it back whole."""

    last_day: Day
    note: Words


@dataclass(frozen=True, slots=True)
class LimitView:
    """One dated limit. ``replaces``: the limit whose place it took with an earlier end."""

    id: str
    kind: LimitKind
    amount: Sum
    valid_from: date
    in_force: bool
    note: str
    valid_until: date | None = None
    customer_id: str | None = None
    group_id: str | None = None
    replaces: str | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that stand, past and future ones too, first day first."""

    items: list[LimitView]


@dataclass(frozen=True, slots=True)
class Member:
    """A customer of a group and what it owes."""

    customer_id: str
    name: str
    exposure: Sum


@dataclass(frozen=True, slots=True)
class Group:
    """A group of customers: together they owe ``exposure``; ``limit`` is the one in force."""

    group_id: str
    exposure: Sum
    members: list[Member]
    limits: list[LimitView]
    limit: Sum | None = None


@dataclass(frozen=True, slots=True)
class Reviews:
    """Customers whose credit review is due, the longest due first."""

    items: list[Customer]


class QueueQuery(Query):
    """Which of the waiting orders."""

    queue: str | None = Field(None, min_length=1, max_length=200, description="Only those of this queue.")
    limit: int = Field(500, ge=1, le=500)


@dataclass(frozen=True, slots=True)
class FirstWord:
    """What the first of two persons said."""

    by: str
    at: datetime
    reason: str
    credit_limit: Sum | None = None
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """An order that waits for a person. ``late``: the answer should have been there ``answer_by``.
    ``first_approval``: one person has approved, a second one must."""

    order_id: str
    customer_id: str
    state: str
    reason: str
    amount: Sum
    asked_at: datetime
    late: bool
    queue: str | None = None
    answer_by: datetime | None = None
    first_approval: FirstWord | None = None


@dataclass(frozen=True, slots=True)
class Questions:
    """The nearest deadline first; those without one last."""

    items: list[Question]


# --- limits --------------------------------------------------------------------------------------
def limit_view(desk: Desk, one: CreditLimit) -> LimitView:
    """A limit as the API shows it."""
    return LimitView(
        one.limit_id,
        one.kind,
        total(one.amount.minor, one.amount.currency),
        one.valid_from,
        one.is_in_force(desk.clock.today()),
        one.note,
        one.valid_until,
        one.customer_id,
        one.group_id,
        one.replaces,
    )


def amount_of(desk: Desk, asked: Amount) -> Money:
    """The amount of a limit; ``Refused('request-invalid')`` if it is none in the books' currency."""
    amount = Money(asked.amount, asked.currency)
    faults = list(acceptable.limit_faults(amount, desk.company.currency, "/amount"))
    if faults:
        raise Refused("request-invalid", f"{faults[0].pointer}: {faults[0].message}", faults=faults)
    return amount


@blueprint.post("/v1/customers/<customer_id>/limits")
@operation("approvals:write", {201: answers(LimitView, "Granted.")}, reads={JSON: LimitBody})
def grant_customer_limit(desk: Desk, customer_id: str) -> Response:
    """Grant a customer a dated credit limit

    Orders that are held are decided again where it is in force today."""
    asked = messages.body(LimitBody)
    wanted = Grant(
        LimitKind(asked.kind),
        amount_of(desk, asked.amount),
        asked.note,
        asked.valid_from,
        asked.valid_until,
        customer_id=customer_id,
    )
    return answer(limit_view(desk, grant_limit(desk, wanted)), 201)


@blueprint.get("/v1/customers/<customer_id>/limits")
@operation("customers:read", {200: answers(Limits, "First day first.")})
def list_customer_limits(desk: Desk, customer_id: str) -> Response:
    """List a customer's dated credit limits"""
    with desk.database.read() as connection:
        customers.find(connection, desk.company_id, customer_id)
        found = limits.standing(connection, desk.company_id, desk.company.currency, customer_id=customer_id)
    return answer(Limits([limit_view(desk, one) for one in found]))


@blueprint.post("/v1/groups/<group_id>/limits")
@operation("approvals:write", {201: answers(LimitView, "Granted.")}, reads={JSON: GroupLimitBody})
def grant_group_limit(desk: Desk, group_id: str) -> Response:
    """Grant a group of customers a dated credit limit"""
    asked = messages.body(GroupLimitBody)
    wanted = Grant(
        LimitKind.GROUP,
        amount_of(desk, asked.amount),
        asked.note,
        asked.valid_from,
        asked.valid_until,
        group_id=group_id,
    )
    return answer(limit_view(desk, grant_limit(desk, wanted)), 201)


@blueprint.get("/v1/groups/<group_id>")
@operation("customers:read", {200: answers(Group, "As it stands now.")})
def show_group(desk: Desk, group_id: str) -> Response:
    """Show a group of customers, what they owe together and their limits"""
    return answer(group_view(desk, group_id))


def group_view(desk: Desk, group_id: str) -> Group:
    """A group as it stands; ``NotFound('group')``."""
    currency, today = desk.company.currency, desk.clock.today()
    with desk.database.read() as connection:
        members = limits.members(connection, desk.company_id, group_id)
        standing = limits.standings(connection, desk.company_id, today, [group_id], lock=False).get(group_id)
        dated = limits.standing(connection, desk.company_id, currency, group_id=group_id)
    return Group(
        group_id,
        total(standing.exposure if standing else 0, currency),
        [
            Member(
                row.customer_id,
                row.name,
                total(row.open_invoices_minor + row.open_orders_minor - row.unallocated_minor, currency),
            )
            for row in members
        ],
        [limit_view(desk, one) for one in dated],
        total(standing.limit, currency) if standing and standing.limit else None,
    )


@blueprint.post("/v1/limits/<limit_id>/end")
@operation(
    "approvals:write",
    {200: answers(LimitView, "The limit that took its place.")},
    reads={JSON: EndBody},
    conflicts="It was ended or replaced already.",
)
def end_credit_limit(desk: Desk, limit_id: str) -> Response:
    """End a dated credit limit

    What it was stays on record: a limit with the new last day takes its place."""
    asked = messages.body(EndBody)
    return answer(limit_view(desk, end_limit(desk, limit_id, asked.last_day, asked.note)))


@blueprint.get("/v1/credit-reviews")
@operation("customers:read", {200: answers(Reviews, "The longest due first, 500 at most.")})
def list_reviews(desk: Desk) -> Response:
    """List customers whose credit review is due

    A review is done by sending the customer with its next `review_on`."""
    with desk.database.read() as connection:
        found = customers.due_for_review(connection, desk.company_id, desk.clock.today())
    return answer({"items": [canonical.encode(one) for one in found]})


# --- what waits ----------------------------------------------------------------------------------
@blueprint.get("/v1/approvals")
@operation("orders:read", {200: answers(Questions, "The nearest deadline first.")}, query=QueueQuery)
def list_approvals(desk: Desk) -> Response:
    """List orders that wait for a person"""
    asked = messages.query(QueueQuery)
    return answer(Questions(questions(desk, asked.queue, asked.limit)))


def questions(desk: Desk, queue: str | None, limit: int) -> list[Question]:
    """What waits, as the API shows it."""
    with desk.database.read() as connection:
        waiting = referrals.waiting(connection, desk.company_id, queue=queue, limit=limit)
    now = desk.clock.now()
    return [_question(desk, one, now) for one in waiting]


def _question(desk: Desk, one: Referral, now: datetime) -> Question:
    return Question(
        one.order_id,
        one.customer_id,
        one.state,
        one.reason,
        total(one.amount, desk.company.currency),
        one.asked_at,
        one.is_late(now),
        one.queue,
        one.answer_by,
        _first(one.first_approval) if one.first_approval else None,
    )


def _first(said: FirstApproval) -> FirstWord:
    limit = said.credit_limit
    shown: Any = total(limit.minor, limit.currency) if limit else None
    return FirstWord(said.by, said.at, said.reason, shown, said.valid_until)
