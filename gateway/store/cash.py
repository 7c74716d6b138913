"""What deciding on cash reads of customers, many at a time."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from gateway.store.bulk import among
from gateway.store.schema import customer, item


def profiles(connection: Connection, company_id: str, names: Iterable[str]) -> dict[str, str]:
    """The customers' profiles as they are stored (JSON: ``o2c.order.Customer``), by id."""
    query = select(customer.c.customer_id, customer.c.profile).where(
        customer.c.company_id == company_id, among(customer.c.customer_id, names)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


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
