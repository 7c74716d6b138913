"""A block of payments on its way into the books: what is decided gathers here before it is written.

Items move in memory as each payment is taken, so that the next one finds them as they are now.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from gateway.stages.desk import Desk
from gateway.store import companies, postings
from gateway.store.allocations import NewAllocation
from gateway.store.bank import StoredPayment
from gateway.store.journal import Event, customer_stream, order_stream
from gateway.store.ledger import Posted
from o2c.cash import Owed, Posting, VatShare
from o2c.decision import Decision
from o2c.ledger import Account, LedgerEntry, OpenItem
from o2c.matching.model import Part
from o2c.money import Money, convert

APPLIED, UNMATCHED, IGNORED, RETURNED, UNDONE = "applied", "unmatched", "ignored", "returned", "undone"


@dataclass(frozen=True, slots=True)
class Origin:
    """Where payments come from: our id of the statement, its account, and the batch they are part of."""

    statement_id: str
    account: str
    part_of: str | None = None

    @property
    def stream(self) -> str:
        """The stream of the statement's events."""
        return f"statement:{self.statement_id}"


@dataclass(slots=True)
class Rates:
    """Exchange rates, looked up once for each currency and day. ``look`` gives units of the company's
    currency for one, or raises ``Refused('exchange-rate-missing')``."""

    look: Callable[[str, date], Decimal]
    _known: dict[tuple[str, date], Decimal] = field(default_factory=dict)

    @classmethod
    def here(cls, desk: Desk, connection: Connection) -> Rates:
        """Looked up on a connection."""
        return cls(lambda currency, day: companies.rate_on(connection, desk.company, currency, day))

    def on(self, currency: str, day: date) -> Decimal:
        """The rate of a currency on a day."""
        rate = self._known.get((currency, day))
        if rate is None:
            rate = self._known[currency, day] = self.look(currency, day)
        return rate


class Standing(dict[str, Owed]):
    """How each item stands. What has not moved yet is asked of ``item``."""

    def __init__(self, item: Callable[[str], OpenItem]) -> None:
        super().__init__()
        self._item = item

    def __missing__(self, number: str) -> Owed:
        one = self._item(number)
        owed = self[number] = Owed(one.customer_id, one.open, one.base_open)
        return owed


@dataclass(slots=True)
class Batch:
    """Payments on their way into the books. ``owed`` is how each item stands now; ``orders`` whose it is."""

    desk: Desk
    at: datetime
    rates: Rates
    owed: dict[str, Owed] = field(default_factory=dict)
    orders: dict[str, str] = field(default_factory=dict)
    vat: dict[str, list[VatShare]] = field(default_factory=dict)
    payments: list[StoredPayment] = field(default_factory=list)
    place: dict[str, int] = field(default_factory=dict)  # payment -> its place in ``payments``
    posted: list[Posted] = field(default_factory=list)
    of_payment: dict[str, list[Posted]] = field(default_factory=dict)
    allocated: list[NewAllocation] = field(default_factory=list)
    given: dict[str, Sequence[Part]] = field(default_factory=dict)  # what a payment of these gave its items
    changed: dict[str, dict[str, Any]] = field(default_factory=dict)  # stored payments that become others
    events: list[Event] = field(default_factory=list)
    decided: list[tuple[str, Decision]] = field(default_factory=list)
    learned: list[tuple[str, str]] = field(default_factory=list)
    applied_on: dict[str, date] = field(default_factory=dict)  # items that were paid on, and the last day

    def entered(self, payment: StoredPayment, entries: Iterable[LedgerEntry]) -> list[Posted]:
        """The entries, sealed, in the name of the payment; items and credit accounts move with them."""
        posted = postings.sealed(self.desk.company_id, self.at, entries)
        self.posted += posted
        if posted:
            self.of_payment.setdefault(payment.payment_id, []).extend(posted)
        for one in posted:
            self.moved(one.entry)
        return posted

    def moved(self, entry: LedgerEntry) -> None:
        """The items as an entry leaves them."""
        for line in entry.lines:
            number = line.invoice_number
            if line.account is Account.RECEIVABLE and number is not None:
                known = self.owed[number]
                self.owed[number] = Owed(
                    known.customer_id, known.open + line.amount, known.base_open + line.base_amount
                )

    def posting(self, document: str, day: date, currency: str, text: str = "") -> Posting:
        """What the entries of one payment say alike."""
        return Posting(document, day, self.desk.company.currency, self.rates.on(currency, day), text)

    def in_base(self, money: Money, day: date) -> int:
        """Money in minor units of the company's currency, at the rate of the day."""
        base = self.desk.company.currency
        return convert(money.minor, money.currency, self.rates.on(money.currency, day), base)

    def as_left(self, stored: StoredPayment) -> StoredPayment:
        """A stored payment as this block leaves it."""
        changed = self.changed.get(stored.payment_id)
        if changed is None:
            return stored
        state, rest = changed.get("state", stored.state), changed.get("unallocated_minor", stored.unallocated)
        return replace(stored, state=state, unallocated=rest)

    def stream_of(self, number: str) -> str:
        """Where the events of an item belong: its order's timeline, else its customer's."""
        order = self.orders.get(number)
        return order_stream(order) if order else customer_stream(self.owed[number].customer_id)
