"""Customers: their master data, and their credit account."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from apiflask import APIBlueprint
from flask import Response

from formats import canonical
from gateway.http import acceptable, messages
from gateway.http.fields import Paging
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.order_views import OverdueItem, total
from gateway.http.schema import Sum
from gateway.stages.bill import bill_again
from gateway.stages.desk import Desk
from gateway.store import customers, items
from o2c import leitweg
from o2c.credit import GroupStanding
from o2c.order import Customer

blueprint = APIBlueprint("customers", __name__, tag="Customers")


@dataclass(frozen=True, slots=True)
class CustomerSaved(Customer):
    """As stored. ``warnings`` say what looks wrong and was taken all the same."""

    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class CustomerPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[Customer]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class GroupAccount:
    """What the customer's group owes together; ``limit``: the one in force, if it has one."""

    group_id: str
    exposure: Sum
    limit: Sum | None = None


@dataclass(frozen=True, slots=True)
class Habits:
    """How the customer paid in the last twelve months, as of today's run."""

    paid_invoices: int
    mean_days_late: int
    share_paid_late: Decimal
    broken_promises: int


@dataclass(frozen=True, slots=True)
class Account:
    """The credit account, in the currency of the books. Exposure = open invoices + open orders
    - unallocated cash. ``credit_limit`` is the undated own limit; ``effective_limit`` the highest in
    force of own, insured and temporary."""

    customer_id: str
    open_invoices: Sum
    open_orders: Sum
    unallocated: Sum
    exposure: Sum
    overdue: list[OverdueItem]
    held: bool
    effective_limit: Sum
    habits: Habits
    credit_limit: Sum | None = None
    insured_limit: Sum | None = None
    temporary_limit: Sum | None = None
    group: GroupAccount | None = None
    approval_until: date | None = None
    held_at: datetime | None = None
    flagged_at: datetime | None = None


@blueprint.put("/v1/customers/<customer_id>")
@operation(
    "customers:write",
    {200: answers(CustomerSaved, "Replaced."), 201: answers(CustomerSaved, "New.")},
    reads={JSON: Customer},
)
def put_customer(desk: Desk, customer_id: str) -> Response:
    """Create or replace a customer

    What is not sent falls back to its default. Billings that stopped for this customer are tried again."""
    data = messages.named_by_path("customer_id", customer_id)
    who = canonical.decode(Customer, data, code="customer-invalid")
    acceptable.customer(who, desk.company.currency)
    now = desk.clock.now()
    new = desk.database.write(lambda connection: customers.save(connection, desk.company_id, who, now))
    if not new:
        bill_again(desk, customer_id)
    doubt = leitweg.doubt(who.leitweg_id) if who.leitweg_id else None
    warnings = {"warnings": [doubt]} if doubt else {}
    return answer(canonical.encode(who) | warnings, 201 if new else 200)


@blueprint.get("/v1/customers/<customer_id>")
@operation("customers:read", {200: answers(Customer, "The customer.")})
def show_customer(desk: Desk, customer_id: str) -> Response:
    """Show a customer"""
    with desk.database.read() as connection:
        return answer(canonical.encode(customers.find(connection, desk.company_id, customer_id)))


@blueprint.get("/v1/customers")
@operation("customers:read", {200: answers(CustomerPage, "One page, by id.")}, query=Paging)
def list_customers(desk: Desk) -> Response:
    """List customers"""
    asked = messages.query(Paging)
    with desk.database.read() as connection:
        found = customers.page(connection, desk.company_id, asked.after, asked.limit + 1)
    page = found[: asked.limit]
    more = page[-1].customer_id if len(found) > asked.limit else None
    return answer(_page([canonical.encode(one) for one in page], more))


def _page(items: list[Any], more: str | None) -> dict[str, Any]:
    return {"items": items} | ({"next": more} if more else {})


@blueprint.get("/v1/customers/<customer_id>/account")
@operation("customers:read", {200: answers(Account, "As it stands now.")})
def show_account(desk: Desk, customer_id: str) -> Response:
    """Show a customer's credit account"""
    with desk.database.read() as connection:
        row = customers.account_row(connection, desk.company_id, customer_id)
        who = customers.find(connection, desk.company_id, customer_id)
        found = [one.item for one in items.open_items(connection, desk.company_id, [customer_id])]
        figures = customers.figures(connection, desk.company_id, customer_id, desk.clock.today())
    today, currency = desk.clock.today(), desk.company.currency
    invoices, orders, cash = row.open_invoices_minor, row.open_orders_minor, row.unallocated_minor
    limit = who.credit_limit
    return answer(
        Account(
            customer_id,
            total(invoices, currency),
            total(orders, currency),
            total(cash, currency),
            total(invoices + orders - cash, currency),
            [
                OverdueItem(item.invoice_number, total(item.open, item.currency), item.due_on)
                for item in found
                if item.due_on < today and item.open > 0
            ],
            row.held_at is not None,
            total(figures.limits.effective(limit.minor if limit else 0), currency),
            Habits(
                figures.behaviour.paid,
                figures.behaviour.mean_days_late,
                figures.behaviour.share_late,
                figures.behaviour.broken_promises,
            ),
            Sum(format(limit.amount, "f"), limit.currency) if limit else None,
            _sum(figures.limits.insured, currency),
            _sum(figures.limits.temporary, currency),
            _group(figures.group, currency),
            who.approval_until,
            row.held_at,
            row.flagged_at,
        )
    )


def _sum(minor: int | None, currency: str) -> Sum | None:
    return None if minor is None else total(minor, currency)


def _group(standing: GroupStanding | None, currency: str) -> GroupAccount | None:
    if standing is None:
        return None
    limit = total(standing.limit, currency) if standing.limit else None
    return GroupAccount(standing.group_id, total(standing.exposure, currency), limit)
