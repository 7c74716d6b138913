"""Enrol: customers from files, stored in groups; who is here already and says nothing new is left alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from gateway.stages.desk import Desk
from gateway.store import customers
from o2c.order import Customer


@dataclass(frozen=True, slots=True)
class Named:
    """A customer to store. ``in_part``: only name, postcode and accounts are said, and of a customer who
    is here the rest stays."""

    customer: Customer
    in_part: bool = False

    @property
    def customer_id(self) -> str:
        """Its id."""
        return self.customer.customer_id


def save_customers(desk: Desk, several: Sequence[Named]) -> list[str]:
    """Store customers in one transaction; ``created``, ``updated`` or ``known`` for each."""
    return desk.database.write(lambda connection: _save(desk, connection, several))


def _save(desk: Desk, connection: Connection, several: Sequence[Named]) -> list[str]:
    here = customers.profiles(connection, desk.company_id, (one.customer_id for one in several))
    results: list[str] = []
    changed: dict[str, Customer] = {}
    for one in several:
        before = here.get(one.customer_id)
        after = _merged(before, one.customer) if one.in_part and before is not None else one.customer
        results.append("created" if before is None else "known" if before == after else "updated")
        here[one.customer_id] = after
        if before != after:
            changed[one.customer_id] = after
    customers.save_all(connection, desk.company_id, changed.values(), desk.clock.now())
    return results


def _merged(before: Customer, who: Customer) -> Customer:
    address = replace(before.party.address, postcode=who.party.address.postcode)
    party = replace(before.party, name=who.party.name, address=address)
    return replace(before, party=party, ibans=who.ibans)
