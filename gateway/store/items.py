"""Receivable items: what is open, on what, since when, and what dunning has said of it.

One row per item, whether it was invoiced here or taken over. Its balance is kept in the row, moved in
the transaction that posts the ledger entry, and proved against the ledger lines by `archive verify`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, Select, Text, and_, bindparam, select, type_coerce, update

from formats import canonical
from gateway.store.bulk import Rows, among, insert_rows, update_rows, upsert_rows
from gateway.store.schema import company, customer, invoice, item, ledger_line, number_shape, stamp
from o2c.errors import NotFound
from o2c.ledger import Discount, ItemKind, OpenItem
from o2c.matching import shape, squeezed
from o2c.opening import TakenOver
from o2c.reference import normal

COLUMNS = (
    *("company_id", "number", "kind", "customer_id", "order_id", "reference", "number_key", "currency"),
    *("gross_minor", "open_minor", "base_open_minor", "issued_on", "due_on"),
    *("discount_percent", "discount_until", "settled_at"),
)


@dataclass(frozen=True, slots=True)
class OpenInvoice:
    """An item with what dunning has done about it. ``order_id``: None where it was taken over."""

    item: OpenItem
    order_id: str | None
    level: str
    last_notice_on: date | None


def add(
    connection: Connection,
    company_id: str,
    new: Sequence[tuple[OpenItem, str | None]],
    at: datetime,
) -> None:
    """Insert items, each with the order it comes from."""
    insert_rows(connection, item, COLUMNS, [_stored(company_id, one, order, at) for one, order in new])


def _stored(company_id: str, one: OpenItem, order_id: str | None, at: datetime) -> tuple[Any, ...]:
    discount = one.discount
    return (
        *(company_id, one.invoice_number, one.kind.value, one.customer_id, order_id),
        *(normal(one.reference) or None, squeezed(one.invoice_number), one.currency),
        *(one.gross, one.open, one.base_open, one.issued_on.isoformat(), one.due_on.isoformat()),
        *((format(discount.percent, "f"), discount.until.isoformat()) if discount else (None, None)),
        None if one.open else stamp(at),
    )


def take_over(
    connection: Connection, company_id: str, new: Sequence[tuple[TakenOver, int]], at: datetime
) -> None:
    """Insert items of a former system, each with its value in company currency."""
    settled_at = stamp(at)
    rows = [
        (
            *(company_id, one.number, one.kind, one.customer_id, None, one.reference, squeezed(one.number)),
            *(one.currency, one.open, one.open, base, one.issued_on, one.due_on),
            *(one.discount_percent, one.discount_until, None if one.open else settled_at),
        )
        for one, base in new
    ]
    insert_rows(connection, item, COLUMNS, rows)
    learn_shapes(connection, company_id, "item", (one.number for one, _ in new))


def learn_shapes(connection: Connection, company_id: str, what: str, numbers: Iterable[str]) -> None:
    """Keep how these numbers look; ``what`` is ``item`` or ``customer``."""
    rows = [(company_id, what, one) for one in sorted({shape(number) for number in numbers})]
    upsert_rows(connection, number_shape, ("company_id", "what", "shape"), rows)


def shapes(connection: Connection, company_id: str) -> tuple[list[str], list[str]]:
    """How our item numbers look, and how our customer ids do: each digit a ``#``."""
    query = select(number_shape.c.what, number_shape.c.shape).where(number_shape.c.company_id == company_id)
    found: dict[str, list[str]] = {"item": [], "customer": []}
    for what, one in connection.execute(query.order_by(number_shape.c.shape)):
        found[what].append(one)
    return found["item"], found["customer"]


# --- reading -------------------------------------------------------------------------------------
_day = lru_cache(4096)(date.fromisoformat)  # the days of a million items are few
_ITEMS = select(  # in the order of an OpenItem's fields, but for what is the customer's and the company's
    item.c.number,
    item.c.customer_id,
    item.c.reference,
    item.c.currency,
    item.c.open_minor,
    item.c.base_open_minor,
    type_coerce(item.c.issued_on, Text).label("issued_on"),
    type_coerce(item.c.due_on, Text).label("due_on"),
    item.c.gross_minor,
    item.c.kind,
    item.c.discount_percent,
    type_coerce(item.c.discount_until, Text).label("discount_until"),
).where(item.c.company_id == bindparam("of"))
_STANDING = _ITEMS.add_columns(item.c.order_id, item.c.level, item.c.last_notice_on)
_is_open = item.c.settled_at.is_(None)
_KINDS = {kind.value: kind for kind in ItemKind}


@lru_cache(4096)
def _discount(percent: str, until: str) -> Discount:
    return Discount(Decimal(percent), date.fromisoformat(until))


def items_of(
    rows: Iterable[Sequence[Any]], base_currency: str, name_of: Callable[[str], str]
) -> list[OpenItem]:
    """The items of rows, as ``open_rows`` and ``rows_by_keys`` give them, with the customers' names."""
    return [
        OpenItem(
            number, who, name_of(who), reference or "", currency, left, base_currency, base_left,
            _day(issued), _day(due), gross, _KINDS[kind],
            None if percent is None else _discount(percent, until),
        )
        for number, who, reference, currency, left, base_left, issued, due, gross, kind, percent, until
        in rows
    ]  # fmt: skip


number_of, owner_of, discount_of = itemgetter(0), itemgetter(1), itemgetter(10)  # of such a row


def named(connection: Connection, company_id: str, rows: Iterable[Sequence[Any]]) -> list[OpenItem]:
    """The items of such rows; the names of their customers, who are far fewer, come by themselves."""
    several = list(rows)
    of = customer.c
    query = select(of.customer_id, of.name).where(
        of.company_id == company_id, among(of.customer_id, map(owner_of, several))
    )
    names = {row[0]: row[1] for row in connection.execute(query)}
    base = select(company.c.currency).where(company.c.company_id == company_id)
    return items_of(several, connection.execute(base).scalar_one(), names.__getitem__)


def _standing(connection: Connection, company_id: str, query: Select[Any]) -> list[OpenInvoice]:
    rows = connection.execute(query.order_by(item.c.due_on, item.c.number), {"of": company_id}).all()
    found = named(connection, company_id, (row[:12] for row in rows))
    return [
        OpenInvoice(one, row.order_id, row.level, row.last_notice_on)
        for one, row in zip(found, rows, strict=True)
    ]


def open_items(
    connection: Connection, company_id: str, customer_ids: Iterable[str] | None = None
) -> list[OpenInvoice]:
    """Open items of the company, or of the named customers, oldest due first."""
    query = _STANDING.where(_is_open)
    if customer_ids is not None:
        query = query.where(among(item.c.customer_id, customer_ids))
    return _standing(connection, company_id, query)


def rows_by_keys(
    connection: Connection, company_id: str, references: Iterable[str], numbers: Iterable[str]
) -> Rows:
    """Items, settled ones too, that carry one of the references (``normal``) or numbers (``squeezed``)."""
    found: dict[str, tuple[Any, ...]] = {}
    for column, keys in ((item.c.reference, references), (item.c.number_key, numbers)):
        for row in connection.execute(_ITEMS.where(among(column, keys)), {"of": company_id}).all():
            found[row[0]] = tuple(row)
    return Rows(found.values())


def owners(
    connection: Connection, company_id: str, references: Iterable[str], numbers: Iterable[str]
) -> set[str]:
    """The customers of the items that ``rows_by_keys`` finds."""
    found: set[str] = set()
    for column, keys in ((item.c.reference, references), (item.c.number_key, numbers)):
        query = select(item.c.customer_id).where(item.c.company_id == company_id, among(column, keys))
        found |= set(connection.execute(query.distinct()).scalars())
    return found


def open_rows(connection: Connection, company_id: str, customer_ids: Iterable[str]) -> Rows:
    """All open items of these customers, in no order."""
    query = _ITEMS.where(_is_open, among(item.c.customer_id, customer_ids))
    return Rows(map(tuple, connection.execute(query, {"of": company_id}).all()))


def with_orders(connection: Connection, company_id: str, numbers: Iterable[str]) -> dict[str, str]:
    """The orders of those items that were invoiced here."""
    query = select(invoice.c.number, invoice.c.order_id).where(
        invoice.c.company_id == company_id, among(invoice.c.number, numbers)
    )
    return {row.number: row.order_id for row in connection.execute(query)}


def find(connection: Connection, company_id: str, number: str) -> OpenInvoice:
    """One item; ``NotFound('invoice')``."""
    return some(connection, company_id, [number])[0]


def some(connection: Connection, company_id: str, numbers: Iterable[str]) -> list[OpenInvoice]:
    """These items by number, settled ones too; ``NotFound('invoice')`` if one is missing."""
    wanted = sorted(set(numbers))
    query = _STANDING.where(among(item.c.number, wanted))
    found = {one.item.invoice_number: one for one in _standing(connection, company_id, query)}
    missing = [number for number in wanted if number not in found]
    if missing:
        raise NotFound("invoice", f"there is no invoice {', '.join(missing)}.")
    return [found[number] for number in wanted]


def as_kept(
    connection: Connection, company_id: str, numbers: Iterable[str]
) -> dict[str, tuple[str | int | None, ...]]:
    """Of these items that are here: kind, customer, currency, gross, issued, due, reference, discount."""
    of = item.c
    days = [type_coerce(day, Text) for day in (of.issued_on, of.due_on)]
    query = select(
        *(of.number, of.kind, of.customer_id, of.currency, of.gross_minor, *days),
        *(of.reference, of.discount_percent, type_coerce(of.discount_until, Text)),
    ).where(of.company_id == company_id, among(of.number, numbers))
    return {row[0]: tuple(row[1:]) for row in connection.execute(query)}


def contents(connection: Connection, company_id: str, entry_id: str) -> str:
    """The SHA-256 over what an opening entry's items say, in the order of its lines; see ``digest``."""
    of, line = item.c, ledger_line.c
    days = [type_coerce(day, Text) for day in (of.issued_on, of.due_on)]
    query = (
        select(
            *(of.number, of.kind, of.customer_id, of.currency, of.gross_minor, *days),
            *(of.reference, of.discount_percent, type_coerce(of.discount_until, Text)),
        )
        .join(ledger_line, and_(line.company_id == of.company_id, line.invoice_number == of.number))
        .where(line.company_id == company_id, line.entry_id == entry_id, line.account == "receivable")
        .order_by(line.position)
    )
    return digest(tuple(row) for row in connection.execute(query))


def digest(rows: Iterable[tuple[Any, ...]]) -> str:
    """The seal over items taken over: number, kind, customer, currency, gross, days, reference, discount."""
    return canonical.sha256(canonical.dumps([list(row) for row in rows]))


def orders_of(connection: Connection, company_id: str, numbers: Iterable[str]) -> dict[str, str | None]:
    """The order of each of the items, None where one was taken over."""
    query = select(item.c.number, item.c.order_id).where(
        item.c.company_id == company_id, among(item.c.number, numbers)
    )
    return {row.number: row.order_id for row in connection.execute(query)}


def open_amounts(connection: Connection, company_id: str, numbers: Iterable[str]) -> dict[str, int]:
    """What is open on each of the items, minor units of its currency."""
    query = select(item.c.number, item.c.open_minor).where(
        item.c.company_id == company_id, among(item.c.number, numbers)
    )
    return {row.number: row.open_minor for row in connection.execute(query)}


def open_amount(connection: Connection, company_id: str, number: str) -> int:
    """What is open on one item, minor units of its currency; 0 where there is none of that number."""
    return open_amounts(connection, company_id, [number]).get(number, 0)


# --- moving --------------------------------------------------------------------------------------
_MOVED = """open_minor = item.open_minor + {open_minor},
    base_open_minor = item.base_open_minor + {base_open_minor},
    settled_at = CASE WHEN item.open_minor + {open_minor} = 0 THEN {settled_at} END"""


def move(
    connection: Connection, company_id: str, moved: Iterable[tuple[str, int, int]], at: datetime
) -> None:
    """Add ``(number, to what is open, to its value in company currency)``: where nothing is left the
    item is settled as of ``at``, and where something is left again it is open again. The caller holds
    the rows of their customers (``payers.lock_rows``)."""
    sums: dict[str, list[int]] = {}
    for number, change, base_change in moved:
        total = sums.setdefault(number, [0, 0])
        total[0] += change
        total[1] += base_change
    now = stamp(at)
    rows = [(company_id, number, *total, now) for number, total in sorted(sums.items())]
    columns = ("open_minor", "base_open_minor", "settled_at")
    update_rows(connection, item, ("company_id", "number"), columns, rows, changes=_MOVED)


_LEVEL = (
    update(item)
    .where(item.c.company_id == bindparam("of"), item.c.number == bindparam("id"))
    .values(level=bindparam("level_"), last_notice_on=bindparam("on"))
)


def reach_level(
    connection: Connection, company_id: str, reached: Iterable[tuple[str, str]], on: date
) -> None:
    """Store (number, dunning level) and the day of the notice."""
    rows = [{"of": company_id, "id": number, "level_": level, "on": on} for number, level in reached]
    if rows:
        connection.execute(_LEVEL, rows)


def restore_levels(
    connection: Connection, company_id: str, before: Mapping[str, tuple[str, date | None]]
) -> None:
    """Take back what a letter that never left has raised: level and day of the last notice, by number."""
    rows = [
        {"of": company_id, "id": number, "level_": level, "on": on} for number, (level, on) in before.items()
    ]
    if rows:
        connection.execute(_LEVEL, rows)
