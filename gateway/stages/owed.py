"""What is owed and what has been said about it: everything the daily run reads, in a fixed number of
statements, and what a payment means for promises and disputes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from sqlalchemy import Connection

from gateway.stages import dispute, promise
from gateway.stages.desk import Desk
from gateway.store import bank, blocks, charges, customers, disputes, items, promises
from gateway.store.bank import StoredPayment
from gateway.store.blocks import Block
from gateway.store.items import OpenInvoice
from gateway.store.journal import Event
from o2c.dispute import Dispute, withheld
from o2c.dunning import Receivable
from o2c.late_charge import FeeHistory, LateCharge
from o2c.promise import Promise, PromiseState

Paid = promise.Paid  # what ``settle`` tells us
One = TypeVar("One")


@dataclass(frozen=True, slots=True)
class Picture:
    """Open invoices, promises and blocks by customer; the rest goes by invoice."""

    accounts: Mapping[str, Any]
    items: Mapping[str, Sequence[OpenInvoice]]
    waiting: Sequence[StoredPayment]
    disputes: Mapping[str, Sequence[Dispute]]
    credited: Mapping[str, int]
    promises: Mapping[str, Sequence[Promise]]
    blocks: Mapping[str, Sequence[Block]]
    charges: Mapping[str, Sequence[LateCharge]]
    fees: Mapping[str, FeeHistory]

    def receivables(self, customer_id: str, today: date, broken: frozenset[str]) -> list[Receivable]:
        """What a customer owes. ``broken`` are the promises that have turned out to be."""
        mine = [one for one in self.blocks.get(customer_id, ()) if one.holds(today)]
        given = self.promises.get(customer_id, ())
        return [self._receivable(one, mine, given, broken) for one in self.items.get(customer_id, ())]

    def _receivable(
        self, one: OpenInvoice, mine: Sequence[Block], given: Sequence[Promise], broken: frozenset[str]
    ) -> Receivable:
        number = one.item.invoice_number
        about = [promise for promise in given if number in promise.numbers]
        running = [p for p in about if p.state is PromiseState.RUNNING and p.promise_id not in broken]
        held = withheld(self.disputes.get(number, ()), one.item.open, self.credited.get(number, 0))
        return Receivable(
            one.item,
            one.order_id,
            one.level,
            one.last_notice_on,
            promise_on=max((p.promised_on for p in running), default=None),
            withheld=held,
            promise_broken=any(p.state is PromiseState.BROKEN or p.promise_id in broken for p in about),
            blocked=any(block.invoice_number in (None, number) for block in mine),
            notices_sent=self.fees.get(number, FeeHistory()).count,
        )


def look(connection: Connection, company_id: str, today: date, *, lock: bool) -> Picture:
    """The picture of one company. With ``lock`` the accounts are held, so that cash coming in at the
    same moment is either seen here or waits."""
    found = _claims(connection, company_id)
    owing = {one.item.customer_id for one in found}
    if lock:
        accounts = customers.lock(connection, company_id, owing)
        found = _claims(connection, company_id)
    else:
        accounts = customers.rows(connection, company_id, owing)
    ours = [one for one in found if one.item.customer_id in accounts]
    withholding = disputes.withholding(connection, company_id)
    return Picture(
        accounts,
        _grouped(ours, lambda one: one.item.customer_id),
        bank.unmatched(connection, company_id),
        withholding,
        disputes.credited_since(connection, company_id, withholding),
        _grouped(promises.of_unpaid(connection, company_id), lambda one: one.customer_id),
        _grouped(blocks.standing(connection, company_id, today), lambda one: one.customer_id),
        charges.of_unpaid(connection, company_id),
        charges.fees_of_unpaid(connection, company_id),
    )


def _claims(connection: Connection, company_id: str) -> list[OpenInvoice]:
    """What is owed to us: nobody is reminded of a credit note."""
    return [one for one in items.open_items(connection, company_id) if one.item.open > 0]


def _grouped(several: Iterable[One], name: Callable[[One], str]) -> dict[str, list[One]]:
    found: dict[str, list[One]] = {}
    for one in several:
        found.setdefault(name(one), []).append(one)
    return found


def after_payments(desk: Desk, connection: Connection, paid: Iterable[Paid]) -> list[Event]:
    """What money that was applied means for promises and disputes: a statement or two for a whole file."""
    known = list(paid)
    events = promise.after_payments(desk, connection, known)
    return events + dispute.after_payments(desk, connection, known)
