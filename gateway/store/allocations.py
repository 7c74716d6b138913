"""What payments were allocated to: append-only; what is taken back is a row with the opposite signs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, select

from gateway.store.bulk import Row as Values
from gateway.store.bulk import Rows, among, insert_rows
from gateway.store.schema import allocation, stamp

UNDO, RETURN = "undo", "return"  # the rules of counter-rows: taken back by us, or by the bank


@dataclass(frozen=True, slots=True)
class NewAllocation:
    """Part of a payment that settles (part of) an item, in minor units of the item's currency.
    ``evidence`` is JSON."""

    payment_id: str
    number: str
    entry_id: str
    amount: int
    rule: str
    evidence: str
    discount: int = 0
    write_off: int = 0
    charges: int = 0
    closes: bool = False


_COLUMNS = (
    *("company_id", "payment_id", "invoice_number", "entry_id", "amount_minor", "rule", "evidence"),
    *("allocated_at", "discount_minor", "write_off_minor", "charges_minor", "closes"),
)


def rows(company_id: str, new: Iterable[NewAllocation], at: datetime) -> Rows:
    """Allocations as they are stored."""
    when = stamp(at)
    return Rows(
        [
            (
                company_id,
                one.payment_id,
                one.number,
                one.entry_id,
                one.amount,
                one.rule,
                one.evidence,
                when,
                one.discount,
                one.write_off,
                one.charges,
                one.closes,
            )
            for one in new
        ]
    )


def add(connection: Connection, new: Sequence[Values]) -> None:
    """Append allocations in one go."""
    insert_rows(connection, allocation, _COLUMNS, new)


@dataclass(slots=True)
class Standing:
    """What a payment's rows on one item come to."""

    number: str
    amount: int = 0
    discount: int = 0
    write_off: int = 0
    charges: int = 0
    closes: bool = False
    rule: str = ""
    evidence: str = "[]"

    def take(self, row: Row[Any]) -> None:
        """Count one more row."""
        self.amount += row.amount_minor
        self.discount += row.discount_minor
        self.write_off += row.write_off_minor
        self.charges += row.charges_minor
        if row.rule not in (UNDO, RETURN):
            self.closes, self.rule, self.evidence = bool(row.closes), row.rule, row.evidence

    @property
    def is_something(self) -> bool:
        """Is anything left of it?"""
        return bool(self.amount or self.discount or self.write_off or self.charges)


def of_payments(
    connection: Connection, company_id: str, payment_ids: Sequence[str]
) -> dict[str, list[Standing]]:
    """What stands of each payment, by item in the order it was allocated. What the bank has taken back
    still shows: it was so decided."""
    return _sums(connection, company_id, payment_ids, allocation.c.rule != RETURN)


def taken_back(
    connection: Connection, company_id: str, payment_ids: Sequence[str]
) -> dict[str, list[Standing]]:
    """What the bank has taken back of each payment, with negative amounts."""
    return _sums(connection, company_id, payment_ids, allocation.c.rule == RETURN)


def _sums(
    connection: Connection, company_id: str, payment_ids: Sequence[str], which: ColumnElement[bool]
) -> dict[str, list[Standing]]:
    if not payment_ids:
        return {}
    query = select(allocation).where(
        allocation.c.company_id == company_id, among(allocation.c.payment_id, payment_ids), which
    )
    order = (allocation.c.payment_id, allocation.c.allocated_at, allocation.c.entry_id)
    sums: dict[str, dict[str, Standing]] = {}
    for row in connection.execute(query.order_by(*order, allocation.c.invoice_number)):
        mine = sums.setdefault(row.payment_id, {})
        mine.setdefault(row.invoice_number, Standing(row.invoice_number)).take(row)
    return {name: [one for one in by_number.values() if one.is_something] for name, by_number in sums.items()}


def rows_of(connection: Connection, company_id: str, payment_id: str) -> list[Row[Any]]:
    """Every row of one payment, counter-rows too, as they were written."""
    query = select(allocation).where(
        allocation.c.company_id == company_id, allocation.c.payment_id == payment_id
    )
    order = (allocation.c.allocated_at, allocation.c.entry_id, allocation.c.invoice_number)
    return list(connection.execute(query.order_by(*order)))
