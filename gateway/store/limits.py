"""Dated credit limits and the groups that share one. Append-only: what a limit was stays readable.

A limit stands until another row ``replaces`` it. A group's exposure is the sum over its members, so
no row carries it; ``standings`` takes the group's lock first and adds up in a statement of its own,
because a statement that waited for a lock still sees the sums of before.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import aliased

from gateway.store.rows import chunks
from gateway.store.schema import credit_limit, customer, customer_group
from o2c.credit import CreditLimit, GroupStanding, LimitKind
from o2c.errors import Conflict, NotFound
from o2c.money import Money

_GROUP = {
    "sqlite": sqlite.insert(customer_group).on_conflict_do_nothing(),
    "postgresql": postgresql.insert(customer_group).on_conflict_do_nothing(),
}


def open_groups(connection: Connection, company_id: str, names: Iterable[str], at: datetime) -> None:
    """Make sure that these groups have their row, which is what their members' orders lock."""
    rows = [{"company_id": company_id, "group_id": name, "created_at": at} for name in sorted(set(names))]
    if rows:
        connection.execute(_GROUP[connection.dialect.name], rows)


def add(connection: Connection, company_id: str, new: CreditLimit, by: str, at: datetime) -> None:
    """Insert; a limit is replaced once at most (unique)."""
    connection.execute(
        insert(credit_limit),
        {
            "company_id": company_id,
            "limit_id": new.limit_id,
            "customer_id": new.customer_id,
            "group_id": new.group_id,
            "kind": new.kind.value,
            "amount_minor": new.amount.minor,
            "valid_from": new.valid_from,
            "valid_until": new.valid_until,
            "note": new.note,
            "granted_by": by,
            "granted_at": at,
            "replaces": new.replaces,
        },
    )


_later = aliased(credit_limit)
_STANDS = ~(
    select(_later.c.limit_id)
    .where(_later.c.company_id == credit_limit.c.company_id, _later.c.replaces == credit_limit.c.limit_id)
    .exists()
)


def find(connection: Connection, company_id: str, limit_id: str, currency: str) -> CreditLimit:
    """One limit that stands; ``NotFound('credit-limit')``, ``Conflict('credit-limit-replaced')``."""
    query = select(credit_limit, _STANDS.label("stands")).where(
        credit_limit.c.company_id == company_id, credit_limit.c.limit_id == limit_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("credit-limit", f"there is no credit limit {limit_id}.")
    if not row.stands:
        raise Conflict(
            "credit-limit-replaced",
            f"credit limit {limit_id} was ended or replaced already.",
            next_step="Look at the limits that stand, and use the id of the one that took its place.",
        )
    return _limit(row, currency)


def _limit(row: Row[Any], currency: str) -> CreditLimit:
    return CreditLimit(
        row.limit_id,
        LimitKind(row.kind),
        Money.from_minor(row.amount_minor, currency),
        row.valid_from,
        row.valid_until,
        row.customer_id,
        row.group_id,
        row.note,
        row.replaces,
    )


def standing(
    connection: Connection,
    company_id: str,
    currency: str,
    *,
    customer_id: str | None = None,
    group_id: str | None = None,
) -> list[CreditLimit]:
    """The limits of a customer or group that stand (past and future ones too), first day first."""
    holder = (
        credit_limit.c.group_id == group_id if group_id else credit_limit.c.customer_id == (customer_id or "")
    )
    query = select(credit_limit).where(credit_limit.c.company_id == company_id, holder, _STANDS)
    rows = connection.execute(query.order_by(credit_limit.c.valid_from, credit_limit.c.limit_id))
    return [_limit(row, currency) for row in rows]


def lapsed(
    connection: Connection, company_id: str, customer_id: str, today: date, at_least: int, currency: str
) -> CreditLimit | None:
    """The limit that ran out last of those that would have covered ``at_least`` minor units."""
    query = (
        select(credit_limit)
        .where(
            credit_limit.c.company_id == company_id,
            credit_limit.c.customer_id == customer_id,
            credit_limit.c.valid_until < today,
            credit_limit.c.valid_from <= credit_limit.c.valid_until,  # not one that was taken back
            credit_limit.c.amount_minor >= at_least,
            _STANDS,
        )
        .order_by(credit_limit.c.valid_until.desc(), credit_limit.c.limit_id.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return None if row is None else _limit(row, currency)


# --- groups --------------------------------------------------------------------------------------
_LOCK_GROUPS = (
    select(customer_group.c.group_id)
    .where(
        customer_group.c.company_id == bindparam("of"),
        customer_group.c.group_id.in_(bindparam("ids", expanding=True)),
    )
    .order_by(customer_group.c.group_id)
    .with_for_update()
)
_in_force = and_(
    credit_limit.c.company_id == customer.c.company_id,
    credit_limit.c.group_id == customer.c.group_id,
    credit_limit.c.valid_from <= bindparam("today"),
    or_(credit_limit.c.valid_until.is_(None), credit_limit.c.valid_until >= bindparam("today")),
    _STANDS,
)
_SUM_GROUPS = (
    select(
        customer.c.group_id,
        func.sum(
            customer.c.open_invoices_minor + customer.c.open_orders_minor - customer.c.unallocated_minor
        ).label("exposure"),
        select(func.max(credit_limit.c.amount_minor))
        .where(_in_force)
        .correlate(customer)
        .scalar_subquery()
        .label("amount"),
    )
    .where(
        customer.c.company_id == bindparam("of"),
        customer.c.group_id.in_(bindparam("ids", expanding=True)),
    )
    .group_by(customer.c.company_id, customer.c.group_id)
)


def standings(
    connection: Connection, company_id: str, today: date, names: Iterable[str], *, lock: bool = True
) -> dict[str, GroupStanding]:
    """Exposure and limit of groups. With ``lock`` no member's order is decided until we commit.

    The caller holds its customers' rows already: accounts first, groups after them, in order of
    their ids, so that none waits in a ring.
    """
    found: dict[str, GroupStanding] = {}
    for some in chunks(sorted(set(names))):
        named: dict[str, Any] = {"of": company_id, "ids": list(some)}
        if lock and connection.dialect.name != "sqlite":  # SQLite has one writer
            connection.execute(_LOCK_GROUPS, named)
        for row in connection.execute(_SUM_GROUPS, named | {"today": today}):
            found[row.group_id] = GroupStanding(row.group_id, int(row.exposure), int(row.amount or 0))
    return found


def members(connection: Connection, company_id: str, group_id: str) -> Sequence[Row[Any]]:
    """The customers of a group by id, with the figures of their accounts; ``NotFound('group')``."""
    known = select(customer_group.c.group_id).where(
        customer_group.c.company_id == company_id, customer_group.c.group_id == group_id
    )
    if connection.execute(known).one_or_none() is None:
        raise NotFound(
            "group",
            f"there is no customer group {group_id}.",
            next_step="A group begins with a customer that has its group_id.",
        )
    query = (
        select(customer)
        .where(customer.c.company_id == company_id, customer.c.group_id == group_id)
        .order_by(customer.c.customer_id)
    )
    return connection.execute(query).all()
