"""What deciding on cash reads of customers, many at a time."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, select

from formats import canonical
from gateway.store.bulk import Rows, among
from gateway.store.schema import customer, item


class Traits(NamedTuple):
    """What the cash policy asks of a customer. ``country`` is as the master data have it."""

    consumer: bool
    risk_class: str
    country: str


UNKNOWN = Traits(False, "B", "")


def traits(connection: Connection, company_id: str, names: Iterable[str]) -> Rows:
    """Rows of these customers: the id, then the traits. The profile is taken as it is stored: it was
    checked when it came in, and tens of thousands are asked for at once."""
    query = select(customer.c.customer_id, customer.c.profile).where(
        customer.c.company_id == company_id, among(customer.c.customer_id, names)
    )
    return Rows((row[0], *_traits(canonical.loads(row[1]))) for row in connection.execute(query))


def _traits(profile: dict[str, Any]) -> Traits:
    return Traits(
        profile.get("consumer", UNKNOWN.consumer),
        profile.get("risk_class", UNKNOWN.risk_class),
        profile["party"]["address"].get("country", UNKNOWN.country),
    )


def on_account(connection: Connection, company_id: str, names: Iterable[str]) -> dict[str, int]:
    """Unallocated cash of the customers, minor units of the company's currency."""
    query = select(customer.c.customer_id, customer.c.unallocated_minor).where(
        customer.c.company_id == company_id, among(customer.c.customer_id, names)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


def currencies(connection: Connection, company_id: str, numbers: Iterable[str]) -> dict[str, str]:
    """The currency of each of the items."""
    query = select(item.c.number, item.c.currency).where(
        item.c.company_id == company_id, among(item.c.number, numbers)
    )
    return {row[0]: row[1] for row in connection.execute(query)}
