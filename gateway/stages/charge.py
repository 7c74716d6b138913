"""Late charges: what a letter claims beside the open amount, and what is taken back.

Claims are rows beside the ledger, never in it; nothing here touches balances or exposure.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from decimal import ROUND_DOWN, Decimal

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.store import charges, companies, customers, items
from gateway.store.journal import Event, item_stream
from o2c.errors import Conflict, Refused
from o2c.late_charge import Cause, Claim, Debtor, LateCharge, standing
from o2c.money import Money, minor_digits
from o2c.order import Customer
from rules.law import default_law


class Exchange:
    """Turns amounts of the law into the currency of an invoice by the company's rates of one day; one
    look-up for each currency."""

    def __init__(self, desk: Desk, connection: Connection, day: date) -> None:
        self._desk = desk
        self._connection = connection
        self._day = day
        self._rates: dict[str, Decimal | None] = {}

    def __call__(self, money: Money, currency: str) -> Money | None:
        """Rounded down: a legal maximum must not be exceeded by a rounding. None without a rate."""
        if money.currency == currency:
            return money
        given, wanted = self._rate(money.currency), self._rate(currency)
        if given is None or wanted is None:
            return None
        exact = money.amount * given / wanted
        return Money(exact.quantize(Decimal(1).scaleb(-minor_digits(currency)), ROUND_DOWN), currency)

    def _rate(self, currency: str) -> Decimal | None:
        if currency not in self._rates:
            try:
                rate = companies.rate_on(self._connection, self._desk.company, currency, self._day)
            except Refused:  # no rate for that day: said with what is not charged
                rate = None
            self._rates[currency] = rate
        return self._rates[currency]


def debtor_of(customer: Customer) -> Debtor:
    """Whose law it is: that of the customer's country."""
    country = customer.party.address.country
    return Debtor(country, customer.consumer, default_law().of(country))


def made(
    desk: Desk, claims: Sequence[Claim], customer_id: str, notice_id: str, today: date
) -> list[LateCharge]:
    """The rows of a letter's claims: not stored yet."""
    now = desk.clock.now()
    return [
        LateCharge(
            new_id("chg", now),
            one.invoice_number,
            customer_id,
            one.kind,
            Cause.CLAIMED,
            one.amount,
            today,
            one.words,
            desk.actor,
            now,
            notice_id,
        )
        for one in claims
    ]


def event(one: LateCharge, order_id: str | None) -> Event:
    """What the journal says of a row."""
    data = {
        "charge": one.charge_id,
        "number": one.invoice_number,
        "kind": one.kind,
        "amount": str(one.amount),
        "words": one.words,
    }
    stream = item_stream(order_id, one.customer_id)
    if one.cause is Cause.CLAIMED:
        return Event(stream, "LateChargeClaimed", data | {"letter": one.notice_id})
    return Event(stream, "LateChargeCancelled", data | {"cancels": one.cancels, "cause": one.cause})


def waive(desk: Desk, charge_id: str, reason: str) -> LateCharge:
    """Let a claim go, for ever; returns the row that cancels it.

    ``NotFound('late-charge')``, ``Conflict('late-charge-state')`` where there is nothing to let go.
    """

    def unit(connection: Connection) -> LateCharge:
        found = charges.find(connection, desk.company_id, charge_id)
        customers.lock(connection, desk.company_id, [found.customer_id])
        rows = charges.of_invoices(connection, desk.company_id, [found.invoice_number])
        if found not in standing(rows[found.invoice_number]):
            told = f"{charge_id} is no claim that stands."
            raise Conflict("late-charge-state", told, next_step="See: o2c dunning charges list")
        [row], events = _cancelled(desk, connection, [found], Cause.WAIVED, reason)
        desk.record(connection, desk.clock.now(), events)
        return row

    return desk.database.write(unit)


def cancel_all(
    desk: Desk, connection: Connection, numbers: Iterable[str], cause: Cause, words: str
) -> list[Event]:
    """Take back every claim that stands on these invoices."""
    known = charges.of_invoices(connection, desk.company_id, numbers)
    found = [one for rows in known.values() for one in standing(rows)]
    return _cancelled(desk, connection, found, cause, words)[1]


def cancel_letter(desk: Desk, connection: Connection, notice_id: str, words: str) -> list[Event]:
    """A letter that never left claims nothing."""
    claimed = charges.of_letter(connection, desk.company_id, notice_id)
    if not claimed:
        return []
    known = charges.of_invoices(connection, desk.company_id, {one.invoice_number for one in claimed})
    found = [one for rows in known.values() for one in standing(rows) if one.notice_id == notice_id]
    return _cancelled(desk, connection, found, Cause.WITHDRAWN, words)[1]


def _cancelled(
    desk: Desk, connection: Connection, found: Sequence[LateCharge], cause: Cause, words: str
) -> tuple[list[LateCharge], list[Event]]:
    if not found:
        return [], []
    now = desk.clock.now()
    rows = [
        replace(
            one,
            charge_id=new_id("chg", now),
            cause=cause,
            amount=-one.amount,
            charged_on=desk.clock.today(),
            words=words,
            actor=desk.actor,
            made_at=now,
            notice_id=None,
            cancels=one.charge_id,
        )
        for one in found
    ]
    charges.add(connection, desk.company_id, rows)
    order_of = items.orders_of(connection, desk.company_id, [one.invoice_number for one in rows])
    return rows, [event(one, order_of[one.invoice_number]) for one in rows]
