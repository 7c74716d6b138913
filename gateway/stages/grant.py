"""Grant: dated credit limits are given and ended, each with a name and a reason.

A limit is a row that never changes. Orders that are held are judged again when a limit that is in
force may carry them; orders that went through before stay as they were decided.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages import approve
from gateway.stages.desk import Desk
from gateway.store import behaviour, customers, limits, orders
from gateway.store.journal import Event, customer_stream, group_stream
from o2c.credit import CreditLimit, LimitKind, check_limit, ended
from o2c.errors import NotFound
from o2c.money import Money


@dataclass(frozen=True, slots=True)
class Grant:
    """A limit that somebody wants to give: to a customer, or to a group (kind ``group``)."""

    kind: LimitKind
    amount: Money
    note: str
    valid_from: date | None = None  # by default today
    valid_until: date | None = None
    customer_id: str | None = None
    group_id: str | None = None


def grant_limit(desk: Desk, wanted: Grant) -> CreditLimit:
    """Give a limit. ``Refused('credit-limit')`` if it makes no sense, ``NotFound`` for its holder."""
    now = desk.clock.now()
    new = CreditLimit(
        new_id("lim", now),
        wanted.kind,
        wanted.amount,
        wanted.valid_from or desk.clock.today(),
        wanted.valid_until,
        wanted.customer_id,
        wanted.group_id,
        wanted.note,
    )
    check_limit(new)
    desk.database.write(lambda connection: _keep(desk, connection, new, "CreditLimitGranted"))
    return new


def end_limit(desk: Desk, limit_id: str, last_day: date, note: str) -> CreditLimit:
    """Make ``last_day`` the last day of a limit; a day before its first takes it back whole.
    ``NotFound``, ``Conflict('credit-limit-replaced')`` or ``Refused('credit-limit')``."""
    new_limit_id = new_id("lim", desk.clock.now())

    def unit(connection: Connection) -> CreditLimit:
        known = limits.find(connection, desk.company_id, limit_id, desk.company.currency)
        _lock_holder(desk, connection, known)
        # Two persons at once: the second looks again once it has the lock.
        known = limits.find(connection, desk.company_id, limit_id, desk.company.currency)
        new = ended(known, new_limit_id, last_day, note)
        _keep(desk, connection, new, "CreditLimitEnded")
        return new

    return desk.database.write(unit)


def _lock_holder(desk: Desk, connection: Connection, limit: CreditLimit) -> list[str]:
    """The customers whom a limit concerns; whoever changes it or decides by it waits for the other."""
    if limit.group_id is not None:
        members = [row.customer_id for row in limits.members(connection, desk.company_id, limit.group_id)]
        limits.standings(connection, desk.company_id, desk.clock.today(), [limit.group_id])
        return members
    name = limit.customer_id or ""
    if not customers.lock(connection, desk.company_id, [name]):
        raise NotFound("customer", f"there is no customer {name}.")
    return [name]


def _keep(desk: Desk, connection: Connection, new: CreditLimit, event: str) -> None:
    now, today = desk.clock.now(), desk.clock.today()
    concerned = _lock_holder(desk, connection, new)
    limits.add(connection, desk.company_id, new, desk.actor, now)
    stream = group_stream(new.group_id) if new.group_id else customer_stream(new.customer_id or "")
    data = {
        "limit": new.limit_id,
        "kind": new.kind,
        "amount": str(new.amount),
        "minor": new.amount.minor,
        "valid_from": new.valid_from,
        "valid_until": new.valid_until,
        "reason": new.note,
        "replaces": new.replaces,
    }
    held = []
    if event == "CreditLimitGranted" and new.is_in_force(today):
        held = orders.of_customer(connection, desk.company_id, concerned, "held")
    work = [approve.reconsider_job(order_id, new.limit_id) for order_id in held]
    desk.record(connection, now, [Event(stream, event, data)], work)


def refresh_behaviour(desk: Desk, connection: Connection) -> None:
    """Reckon how each customer paid in the last twelve months, as of today. Idempotent."""
    behaviour.refresh(connection, desk.company_id, desk.clock.today())
