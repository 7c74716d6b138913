"""Take over: the open items of a former system, in pieces of thousands.

Each piece is one transaction: its items, one ledger entry for each currency (receivables against the
opening balance), the customers' exposure, and one journal event that seals the entries. A record stands
or falls alone; one that is here already changes nothing, and one that is here otherwise is refused.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.store import companies, customers, items, ledger, payers
from gateway.store import numbers as series
from gateway.store.customers import Movement
from gateway.store.database import is_duplicate
from gateway.store.journal import Event
from o2c.errors import Fault, Refused
from o2c.ledger import Account, EntryKind, LedgerEntry, LedgerLine, sided
from o2c.money import Money, convert
from o2c.opening import TakenOver

# field of the file | what is kept of an item that is here
_COMPARED = {
    "kind": "kind",
    "customer": "customer_id",
    "currency": "currency",
    "open": "gross_minor",
    "issued": "issued_on",
    "due": "due_on",
    "reference": "reference",
    "discount/percent": "discount_percent",
    "discount/until": "discount_until",
}


_MOST_DIGITS = 18


@dataclass(slots=True)
class Books:
    """What an import remembers from one piece to the next: customers that are here, and rates."""

    desk: Desk
    customers: set[str] = field(default_factory=set)
    rates: dict[tuple[str, str], Decimal] = field(default_factory=dict)

    def rate(self, connection: Connection, currency: str, day: str) -> Decimal:
        """The rate of that day: one look-up for each currency and day.

        0 where there is none: what is owed stands in its own currency and is worth nothing in ours until
        it is paid, when all of it is an exchange gain. It is told, and nothing of the file is lost.
        """
        found = self.rates.get((currency, day))
        if found is None:
            try:
                found = companies.rate_on(connection, self.desk.company, currency, date.fromisoformat(day))
            except Refused:
                found = Decimal(0)
            self.rates[currency, day] = found
        return found


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of a piece: how many are new, how many were known, and why the others were refused, by
    their place in the piece. ``unvalued`` counts, by currency, the new ones without a rate of their day."""

    new: int
    known: int
    refused: Mapping[int, Refused]
    unvalued: Counter[str]


def take_over(books: Books, piece: Sequence[TakenOver]) -> Taken:
    """Store a piece in one transaction."""
    unit = partial(_take_over, books, piece=piece)
    try:
        return books.desk.database.write(unit)
    except IntegrityError as error:
        if not is_duplicate(error, "pk_item", "item.company_id, item.number"):
            raise
    return books.desk.database.write(unit)  # somebody took the same over at the same moment


def _take_over(books: Books, connection: Connection, piece: Sequence[TakenOver]) -> Taken:
    desk = books.desk
    refused: dict[int, Refused] = {}
    here = items.as_kept(connection, desk.company_id, (one.number for one in piece))
    _meet(books, connection, {one.customer_id for one in piece})
    clash = _go_on(desk, connection, [one.number for one in piece if one.number not in here])
    new: dict[str, tuple[TakenOver, int]] = {}
    known, unvalued = 0, Counter[str]()
    for place, one in enumerate(piece):
        kept = here.get(one.number) or _as_kept(new, one.number)
        if kept is not None:
            if changed := _differing(one, kept):
                refused[place] = _changed(one, changed)
            else:
                known += 1
            continue
        rate = books.rate(connection, one.currency, one.issued_on)
        if one.customer_id not in books.customers:
            refused[place] = _stranger(one)
        elif one.number in clash:
            refused[place] = _ours(desk, one)
        else:
            new[one.number] = (one, _base(one.open, one.currency, rate, desk.company.currency))
            if one.open and not rate:
                unvalued[one.currency] += 1
    if new:
        _book(books, connection, list(new.values()))
    return Taken(len(new), known, refused, unvalued)


@lru_cache(65536)
def _base(minor: int, currency: str, rate: Decimal, base_currency: str) -> int:
    return minor if currency == base_currency else convert(minor, currency, rate, base_currency)


def _meet(books: Books, connection: Connection, named: set[str]) -> None:
    unmet = named - books.customers
    if unmet:
        found = payers.known(connection, books.desk.company_id, ids=unmet)
        books.customers |= {one.customer_id for one in found}


def _go_on(desk: Desk, connection: Connection, numbers: Sequence[str]) -> frozenset[str]:
    """Where the former system counted in our own series we go on after it. Returns the numbers that we
    would give ourselves one day, because we have begun already."""
    profile = desk.company.profile
    ours: dict[int, str] = {}
    for number in numbers:
        digits = number.removeprefix(f"{profile.series}-")
        if digits is not number and digits.isascii() and digits.isdigit() and len(digits) <= _MOST_DIGITS:
            ours[int(digits)] = number
    if not ours or series.go_on_from(connection, desk.company_id, profile.series, max(ours)):
        return frozenset()
    last = series.last(connection, desk.company_id, profile.series)
    return frozenset(number for place, number in ours.items() if place > last)


def _ours(desk: Desk, one: TakenOver) -> Refused:
    return Refused(
        "number-series",
        f"item {one.number} has a number that {desk.company_id} will give to an invoice of its own.",
        next_step="Take items over before the first invoice is issued, or number them otherwise.",
        faults=[Fault("/number", "taken", "is one of our own series.")],
    )


# --- what is here already ------------------------------------------------------------------------
def _row(one: TakenOver) -> tuple[Any, ...]:
    return (
        *(one.kind, one.customer_id, one.currency, one.open, one.issued_on, one.due_on),
        *(one.reference, one.discount_percent, one.discount_until),
    )


def _as_kept(new: Mapping[str, tuple[TakenOver, int]], number: str) -> tuple[Any, ...] | None:
    """One of the same piece."""
    twin = new.get(number)
    return None if twin is None else _row(twin[0])


def _differing(one: TakenOver, kept: tuple[Any, ...]) -> list[str]:
    return [name for name, said, is_ in zip(_COMPARED, _row(one), kept, strict=True) if said != is_]


def _changed(one: TakenOver, fields: Sequence[str]) -> Refused:
    return Refused(
        "item-changed",
        f"item {one.number} is here with another {', '.join(fields)}.",
        next_step="What is booked stays; correct it by a payment, a credit note or a write-off.",
        faults=[Fault(f"/{name}", "changed", "is not what was taken over.") for name in fields],
    )


def _stranger(one: TakenOver) -> Refused:
    return Refused(
        "customer-unknown",
        f"item {one.number} belongs to customer {one.customer_id}, who is not here.",
        next_step="Import the customers first: o2c import customers FILE",
        faults=[Fault("/customer", "unknown", "there is no such customer.")],
    )


# --- into the books ------------------------------------------------------------------------------
def _book(books: Books, connection: Connection, new: Sequence[tuple[TakenOver, int]]) -> None:
    desk = books.desk
    now, takeover_id = desk.clock.now(), new_id("tko", desk.clock.now())
    items.take_over(connection, desk.company_id, new, now)
    by_currency: dict[str, list[tuple[TakenOver, int]]] = {}
    for one in new:
        if one[0].open:  # what is settled is only kept to be recognised
            by_currency.setdefault(one[0].currency, []).append(one)
    rates = {
        currency: books.rate(connection, currency, max(one.issued_on for one, _ in several))
        for currency, several in by_currency.items()
    }
    entries = [
        _entry(desk, takeover_id, currency, rate, by_currency[currency]) for currency, rate in rates.items()
    ]
    posted = ledger.post(connection, desk.company_id, now, entries)
    moved = [Movement(one.customer_id, invoices=base) for one, base in new]
    customers.move(connection, desk.company_id, moved)
    data = {
        "takeover": takeover_id,
        "items": len(new),
        "amounts": [str(_total(several)) for several in by_currency.values()],
        "ledger": {one.entry_id: one.sha256 for one in posted},
        # The entry says what is owed, by whom and for what; this seals the days and references beside it.
        "contents": {
            one.entry_id: items.digest(
                (each.number, *_row(each)) for each, _ in by_currency[one.entry.currency]
            )
            for one in posted
        },
    }
    stream = f"takeover:{takeover_id}"
    desk.record(connection, now, [Event(stream, "OpenItemsTakenOver", data)], fresh=[stream])


def _total(several: Sequence[tuple[TakenOver, int]]) -> Money:
    return Money.from_minor(sum(one.open for one, _ in several), several[0][0].currency)


def _entry(
    desk: Desk,
    takeover_id: str,
    currency: str,
    rate: Decimal,
    several: Sequence[tuple[TakenOver, int]],
) -> LedgerEntry:
    """Receivables against the opening balance. Each item has the value of its own day; the entry's rate
    is that of the latest of them."""
    lines = [_line(one, base) for one, base in several]
    total, base_total = sum(one.open for one, _ in several), sum(base for _, base in several)
    return LedgerEntry(
        EntryKind.OPENING,
        desk.clock.today(),
        currency,
        desk.company.currency,
        rate,
        takeover_id,
        f"Opening balance: {len(several)} open items",
        (*lines, *sided(Account.OPENING, -total, -base_total)),
    )


def _line(one: TakenOver, base: int) -> LedgerLine:
    minor = one.open
    return LedgerLine(
        Account.RECEIVABLE,
        max(minor, 0),
        max(-minor, 0),
        max(base, 0),
        max(-base, 0),
        one.customer_id,
        one.number,
    )
