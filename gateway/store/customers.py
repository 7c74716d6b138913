"""Customers and their credit accounts.

``claim`` is the lock: one UPDATE that adds the order's value to the customer's open orders and
returns the fresh figures. Whoever comes second waits for the row and then sees what the first
one took, so parallel orders can never pass a limit together.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    Connection,
    Row,
    TextualSelect,
    and_,
    bindparam,
    exists,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.types import NullType, TypeEngine

from gateway.store import behaviour, items, limits, payers
from gateway.store.bulk import FEW, among, insert_rows, update_rows
from gateway.store.rows import chunks, pack, unpack, unpack_profile
from gateway.store.schema import Day, Instant, customer, customer_key, item, stamp
from o2c.credit import Behaviour, GroupStanding, LimitsOfDay
from o2c.errors import NotFound
from o2c.matching import bare_name_key, name_key, squeezed
from o2c.order import Customer
from o2c.party import Party


@dataclass(frozen=True, slots=True)
class CreditAccount:
    """A customer with its figures, company currency, minor units. ``first_due_on``: oldest overdue item.
    ``group``: what its group owes, the order that is being judged left out."""

    customer: Customer
    open_orders: int
    open_invoices: int
    unallocated: int
    held: bool
    flagged: bool
    ordered_before: bool
    first_due_on: date | None
    overdue: int
    limits: LimitsOfDay = field(default_factory=LimitsOfDay)
    behaviour: Behaviour = field(default_factory=Behaviour)
    group: GroupStanding | None = None

    @property
    def exposure(self) -> int:
        """Open invoices + open orders - unallocated cash, without the order that is being judged."""
        return self.open_invoices + self.open_orders - self.unallocated


def keys_of(party: Party) -> tuple[str, ...]:
    """What a customer may be recognised by: endpoint, identifiers, legal id, VAT id."""
    keys = [f"endpoint:{party.endpoint.scheme}:{party.endpoint.value}"] if party.endpoint else []
    keys += [f"id:{i.scheme or ''}:{i.value}" for i in party.identifiers]
    if party.legal_id:
        keys.append(f"legal:{party.legal_id.scheme or ''}:{party.legal_id.value}")
    if party.vat_id:
        keys.append(f"vat:{party.vat_id}")
    return tuple(dict.fromkeys(keys))


def save(connection: Connection, company_id: str, who: Customer, at: datetime) -> bool:
    """Insert or replace a customer's profile and keys; True if it is new."""
    return save_all(connection, company_id, [who], at) == {who.customer_id}


_SAVED = (
    *("name", "profile", "group_id", "review_on"),
    *("id_key", "name_key", "bare_name_key", "postcode"),
)
_ROW_KEY = ("company_id", "customer_id")
_FIGURES_MOVED = ("open_orders_minor", "open_invoices_minor", "unallocated_minor")


def save_all(connection: Connection, company_id: str, several: Iterable[Customer], at: datetime) -> set[str]:
    """The same for any number in a few statements; the ids of those that are new. Of an id that is there
    twice the last profile counts."""
    whos: dict[str, Customer] = {who.customer_id: who for who in several}
    query = select(customer.c.customer_id).where(
        customer.c.company_id == company_id, among(customer.c.customer_id, whos)
    )
    old = set(connection.execute(query.with_for_update()).scalars())
    values = {name: (company_id, name, *_saved(who)) for name, who in sorted(whos.items())}
    update_rows(connection, customer, _ROW_KEY, _SAVED, [row for name, row in values.items() if name in old])
    new = [(*row, stamp(at)) for name, row in values.items() if name not in old]
    insert_rows(connection, customer, (*_ROW_KEY, *_SAVED, "created_at"), new)
    if old:
        forgotten = customer_key.delete().where(customer_key.c.company_id == company_id)
        connection.execute(forgotten.where(among(customer_key.c.customer_id, old)))
    groups = {who.group_id for who in whos.values() if who.group_id is not None}
    if groups:
        limits.open_groups(connection, company_id, sorted(groups), at)
    keys = [(company_id, key, name) for name, who in whos.items() for key in keys_of(who.party)]
    insert_rows(connection, customer_key, ("company_id", "key", "customer_id"), keys)
    payers.save_masters(connection, company_id, whos.values(), old)
    items.learn_shapes(connection, company_id, "customer", whos)
    return set(whos) - old


def _saved(who: Customer) -> tuple[str | None, ...]:
    name, review_on = who.party.name, who.review_on.isoformat() if who.review_on else None
    return (
        *(name, pack(who), who.group_id, review_on),
        *(squeezed(who.customer_id), name_key(name), bare_name_key(name), who.party.address.postcode),
    )


_PROFILE = select(customer.c.profile).where(
    customer.c.company_id == bindparam("of"), customer.c.customer_id == bindparam("id")
)


def find(connection: Connection, company_id: str, customer_id: str) -> Customer:
    """One customer's profile; ``NotFound('customer')``."""
    profile = connection.execute(_PROFILE, {"of": company_id, "id": customer_id}).scalar()
    if profile is None:
        raise NotFound("customer", f"there is no customer {customer_id}.")
    return unpack_profile(Customer, profile)


def profiles(connection: Connection, company_id: str, ids: Iterable[str]) -> dict[str, Customer]:
    """The profiles of those of these customers who are here."""
    query = select(customer.c.customer_id, customer.c.profile).where(
        customer.c.company_id == company_id, among(customer.c.customer_id, ids)
    )
    return {row.customer_id: unpack(Customer, row.profile) for row in connection.execute(query)}


def page(connection: Connection, company_id: str, after: str, limit: int) -> list[Customer]:
    """Customers in order of their id, after ``after``."""
    rows = connection.execute(
        select(customer.c.profile)
        .where(customer.c.company_id == company_id, customer.c.customer_id > after)
        .order_by(customer.c.customer_id)
        .limit(limit)
    )
    return [unpack_profile(Customer, row.profile) for row in rows]


# Written as text, because both engines take it as it stands and SQLAlchemy would drop the table
# names in SQLite's RETURNING. Figures that another transaction may be moving (the three sums) come
# from the locked row itself; the rest may be as old as the statement.
_FIGURES = """profile, open_orders_minor, open_invoices_minor, unallocated_minor, held_at, flagged_at,
      EXISTS (
        SELECT 1 FROM sales_order o
        WHERE o.company_id = customer.company_id AND o.customer_id = customer.customer_id
          AND o.state = 'approved'
      ) AS ordered_before,
      (
        SELECT min(i.due_on) FROM item i
        WHERE i.company_id = customer.company_id AND i.customer_id = customer.customer_id
          AND i.settled_at IS NULL AND i.due_on < :today AND i.open_minor > 0
      ) AS first_due_on,
      (
        SELECT coalesce(sum(i.base_open_minor), 0) FROM item i
        WHERE i.company_id = customer.company_id AND i.customer_id = customer.customer_id
          AND i.settled_at IS NULL AND i.due_on < :today AND i.open_minor > 0
      ) AS overdue,
      (
        SELECT coalesce(max(CASE WHEN l.kind = 'own' THEN l.amount_minor END), -1) || ' '
          || coalesce(max(CASE WHEN l.kind = 'insured' THEN l.amount_minor END), -1) || ' '
          || coalesce(max(CASE WHEN l.kind = 'temporary' THEN l.amount_minor END), -1)
        FROM credit_limit l
        WHERE l.company_id = customer.company_id AND l.customer_id = customer.customer_id
          AND l.valid_from <= :today AND (l.valid_until IS NULL OR l.valid_until >= :today)
          AND NOT EXISTS (
            SELECT 1 FROM credit_limit r
            WHERE r.company_id = l.company_id AND r.replaces = l.limit_id
          )
      ) AS limits,
      (
        SELECT b.paid_invoices || ' ' || b.late_invoices || ' ' || b.days_late || ' ' || b.broken_promises
        FROM payment_behaviour b
        WHERE b.company_id = customer.company_id AND b.customer_id = customer.customer_id
      ) AS behaviour"""
_CLAIM = f"""
    UPDATE customer SET open_orders_minor = open_orders_minor + :claim
    WHERE company_id = :of AND customer_id = {{who}}
    RETURNING {_FIGURES}
"""
_LOCK_ALL = f"""
    SELECT {_FIGURES} FROM customer
    WHERE company_id = :of AND customer_id IN :ids ORDER BY customer_id
"""
# The one customer that all given keys agree on; several answers are no answer.
_BY_KEYS = """(
    SELECT CASE WHEN count(DISTINCT k.customer_id) = 1 THEN min(k.customer_id) END
    FROM customer_key k WHERE k.company_id = :of AND k.key IN :keys
)"""


def _typed(words: str, *lists: str) -> TextualSelect:
    typed: dict[str, TypeEngine[Any]] = {"held_at": Instant(), "flagged_at": Instant(), "first_due_on": Day()}
    names = ("profile", "open_orders_minor", "open_invoices_minor", "unallocated_minor")
    more = ("ordered_before", "overdue", "limits", "behaviour")
    plain: dict[str, TypeEngine[Any]] = {name: NullType() for name in (*names, *more)}
    several: list[BindParameter[Any]] = [bindparam(name, expanding=True) for name in lists]
    statement = text(words).bindparams(bindparam("today", type_=Day()), *several)
    order = (*names, "held_at", "flagged_at", "ordered_before", "first_due_on", *more[1:])
    return statement.columns(**{name: (typed | plain)[name] for name in order})


_CLAIM_BY_ID = _typed(_CLAIM.format(who=":id"))
_CLAIM_BY_KEYS = _typed(_CLAIM.format(who=_BY_KEYS), "keys")
_LOCK = {"sqlite": _typed(_LOCK_ALL, "ids"), "postgresql": _typed(_LOCK_ALL + " FOR UPDATE", "ids")}
_overdue_item = and_(
    item.c.company_id == customer.c.company_id,
    item.c.customer_id == customer.c.customer_id,
    item.c.settled_at.is_(None),
    item.c.due_on < bindparam("today"),
    item.c.open_minor > 0,
)


def claim(
    connection: Connection,
    company_id: str,
    minor: int,
    today: date,
    *,
    customer_id: str | None,
    keys: Sequence[str],
) -> CreditAccount | None:
    """Lock the credit account and add ``minor`` to its open orders; None if nobody is recognised.
    A customer of a group has the group locked too, in statements of its own."""
    named = {"of": company_id, "claim": minor, "today": today}
    if customer_id is not None:
        row = connection.execute(_CLAIM_BY_ID, named | {"id": customer_id}).one_or_none()
    elif keys:
        row = connection.execute(_CLAIM_BY_KEYS, named | {"keys": list(keys)}).one_or_none()
    else:
        row = None
    if row is None:
        return None
    account = _account(row, claimed=minor)
    return _in_groups(connection, company_id, today, [account], claimed=minor)[0]


def accounts(
    connection: Connection, company_id: str, today: date, names: Iterable[str]
) -> dict[str, CreditAccount]:
    """The named credit accounts, locked, in one statement for up to 900 of them; then their groups."""
    found: list[CreditAccount] = []
    for some in chunks(sorted(set(names))):
        named = {"of": company_id, "today": today, "ids": list(some)}
        for row in connection.execute(_LOCK[connection.dialect.name], named):
            found.append(_account(row))
    grouped = _in_groups(connection, company_id, today, found)
    return {account.customer.customer_id: account for account in grouped}


def _in_groups(
    connection: Connection,
    company_id: str,
    today: date,
    found: Sequence[CreditAccount],
    claimed: int = 0,
) -> Sequence[CreditAccount]:
    """The accounts with what their groups owe; nothing is asked where nobody is in a group."""
    names = {account.customer.group_id for account in found if account.customer.group_id}
    if not names:
        return found
    groups = limits.standings(connection, company_id, today, names)
    return [
        replace(account, group=replace(group, exposure=group.exposure - claimed))
        if (group := groups.get(account.customer.group_id or "")) is not None
        else account
        for account in found
    ]


def _account(row: Row[Any], claimed: int = 0) -> CreditAccount:
    return CreditAccount(
        unpack_profile(Customer, row.profile),
        row.open_orders_minor - claimed,
        row.open_invoices_minor,
        row.unallocated_minor,
        row.held_at is not None,
        row.flagged_at is not None,
        bool(row.ordered_before),
        row.first_due_on,
        int(row.overdue),
        _limits(row.limits),
        behaviour.read(row.behaviour),
    )


_NO_LIMITS = LimitsOfDay()


def _limits(packed: str) -> LimitsOfDay:
    if packed == "-1 -1 -1":
        return _NO_LIMITS
    own, insured, temporary = (None if text == "-1" else int(text) for text in packed.split())
    return LimitsOfDay(own, insured, temporary)


_UNLOCKED = _typed(_LOCK_ALL, "ids")


def figures(connection: Connection, company_id: str, customer_id: str, today: date) -> CreditAccount:
    """A credit account to look at, nothing locked; ``NotFound('customer')``."""
    named = {"of": company_id, "today": today, "ids": [customer_id]}
    row = connection.execute(_UNLOCKED, named).one_or_none()
    if row is None:
        raise NotFound("customer", f"there is no customer {customer_id}.")
    account = _account(row)
    if account.customer.group_id is None:
        return account
    groups = limits.standings(connection, company_id, today, [account.customer.group_id], lock=False)
    return replace(account, group=groups.get(account.customer.group_id))


def due_for_review(connection: Connection, company_id: str, today: date, limit: int = 500) -> list[Customer]:
    """Customers whose credit is due for review, the longest due first."""
    query = (
        select(customer.c.profile)
        .where(customer.c.company_id == company_id, customer.c.review_on <= today)
        .order_by(customer.c.review_on, customer.c.customer_id)
        .limit(limit)
    )
    return [unpack_profile(Customer, row.profile) for row in connection.execute(query)]


def recognised(connection: Connection, company_id: str, keys: Sequence[str]) -> list[str]:
    """Every customer that one of the keys points at."""
    query = (
        select(customer_key.c.customer_id)
        .distinct()
        .where(customer_key.c.company_id == company_id, customer_key.c.key.in_(keys))
    )
    return sorted(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Movement:
    """A change of a credit account's figures, company currency, minor units."""

    customer_id: str
    orders: int = 0
    invoices: int = 0
    cash: int = 0


def move(connection: Connection, company_id: str, movements: Iterable[Movement]) -> None:
    """Apply movements, summed per customer and in one order for all, so that none waits in a ring."""
    sums: dict[str, list[int]] = {}
    for moved in movements:
        total = sums.setdefault(moved.customer_id, [0, 0, 0])
        for place, amount in enumerate((moved.orders, moved.invoices, moved.cash)):
            total[place] += amount
    rows = [(company_id, name, *three) for name, three in sorted(sums.items()) if any(three)]
    if len(rows) > FEW and connection.dialect.name == "postgresql":  # one set, which has no order
        payers.lock_rows(connection, company_id, (str(row[1]) for row in rows))
    update_rows(connection, customer, _ROW_KEY, _FIGURES_MOVED, rows, add=True)


def lock(connection: Connection, company_id: str, names: Iterable[str]) -> Mapping[str, Any]:
    """Lock the named credit accounts and return their rows, so that cash and reminders never cross."""
    found: dict[str, Any] = {}
    for some in chunks(sorted(names)):
        query = (
            select(customer)
            .where(customer.c.company_id == company_id, customer.c.customer_id.in_(some))
            .order_by(customer.c.customer_id)
            .with_for_update()
        )
        found |= {row.customer_id: row for row in connection.execute(query)}
    return found


def rows(connection: Connection, company_id: str, names: Iterable[str]) -> Mapping[str, Any]:
    """The rows of the named credit accounts, not locked: for a look that changes nothing."""
    found: dict[str, Any] = {}
    for some in chunks(sorted(names)):
        query = select(customer).where(customer.c.company_id == company_id, customer.c.customer_id.in_(some))
        found |= {row.customer_id: row for row in connection.execute(query)}
    return found


def mark(connection: Connection, company_id: str, names: Iterable[str], **values: datetime | None) -> None:
    """Set ``flagged_at`` and ``held_at`` of the named accounts."""
    for some in chunks(sorted(names)):
        connection.execute(
            update(customer)
            .where(customer.c.company_id == company_id, customer.c.customer_id.in_(some))
            .values(**values)
        )


def held_without_overdue(
    connection: Connection, company_id: str, names: Iterable[str], today: date
) -> list[str]:
    """Of the named customers those on hold or flagged with nothing overdue any more."""
    query = select(customer.c.customer_id).where(
        customer.c.company_id == company_id,
        among(customer.c.customer_id, names),
        or_(customer.c.held_at.is_not(None), customer.c.flagged_at.is_not(None)),
        ~exists(select(1).where(_overdue_item)),
    )
    return sorted(connection.execute(query, {"today": today}).scalars())


def named(connection: Connection, company_id: str, names: Iterable[str]) -> list[Customer]:
    """The profiles of the named customers, by id."""
    found: list[Customer] = []
    for some in chunks(sorted(names)):
        query = (
            select(customer.c.profile)
            .where(customer.c.company_id == company_id, customer.c.customer_id.in_(some))
            .order_by(customer.c.customer_id)
        )
        found += [unpack_profile(Customer, row.profile) for row in connection.execute(query)]
    return found


def account_row(connection: Connection, company_id: str, customer_id: str) -> Any:
    """The row with the credit account's figures, not locked; ``NotFound('customer')``."""
    query = select(customer).where(customer.c.company_id == company_id, customer.c.customer_id == customer_id)
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound("customer", f"there is no customer {customer_id}.")
    return row
