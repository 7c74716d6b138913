"""Who may have paid: what the numbers, names and accounts of a payment say about its customer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable

from sqlalchemy import Connection, or_, select, update

from gateway.store.bulk import Rows, among, upsert_rows
from gateway.store.schema import customer, payer_account
from o2c.matching import Known
from o2c.order import Customer

_COLUMNS = ("company_id", "iban", "customer_id", "is_master", "count")
_ON_KEY = "(company_id, iban, customer_id) DO UPDATE SET"


def known(
    connection: Connection,
    company_id: str,
    *,
    ids: Iterable[str] = (),
    keys: Iterable[str] = (),
    names: Iterable[str] = (),
) -> list[Known]:
    """Customers of these ids, of these ids as ``squeezed``, or of these names (``bare_name_key``)."""
    asked = (
        (customer.c.customer_id, set(ids)),
        (customer.c.id_key, set(keys)),
        (customer.c.bare_name_key, set(names)),
    )
    wanted = [among(column, values) for column, values in asked if values]
    if not wanted:
        return []
    query = select(customer.c.customer_id, customer.c.name, customer.c.postcode)
    rows = connection.execute(query.where(customer.c.company_id == company_id, or_(*wanted)))
    return [Known(row.customer_id, row.name, row.postcode) for row in rows]


def named(
    connection: Connection, company_id: str, ids: Iterable[str], keys: Iterable[str], names: Iterable[str]
) -> Rows:
    """The same as rows: customer, name, postcode, ``bare_name_key``; a statement for each way to be named."""
    asked = ((customer.c.customer_id, ids), (customer.c.id_key, keys), (customer.c.bare_name_key, names))
    query = select(customer.c.customer_id, customer.c.name, customer.c.postcode, customer.c.bare_name_key)
    mine = query.where(customer.c.company_id == company_id)
    return Rows(
        tuple(row)
        for column, values in asked
        if (some := set(values))
        for row in connection.execute(mine.where(among(column, some))).all()
    )


def lock_rows(connection: Connection, company_id: str, ids: Iterable[str]) -> None:
    """Hold these customers' rows until the commit, in one order for all, so that none waits in a ring."""
    if connection.dialect.name == "sqlite":  # whose one lock is held already
        return
    query = select(customer.c.customer_id).where(
        customer.c.company_id == company_id, among(customer.c.customer_id, ids)
    )
    connection.execute(query.order_by(customer.c.customer_id).with_for_update()).all()


# --- accounts ------------------------------------------------------------------------------------
def accounts(connection: Connection, company_id: str, ibans: Iterable[str]) -> Rows:
    """Rows ``(iban, customer id, payments that taught it, said by the master data)`` of these accounts."""
    of = payer_account.c
    query = select(of.iban, of.customer_id, of.count, of.is_master).where(
        of.company_id == company_id, among(of.iban, ibans)
    )
    return Rows(map(tuple, connection.execute(query)))


def learn(connection: Connection, company_id: str, pairs: Iterable[tuple[str, str]]) -> None:
    """One more payment from each ``(iban, customer id)``; a pair may be there several times."""
    rows = [(company_id, *pair, False, count) for pair, count in sorted(Counter(pairs).items())]
    more = f"{_ON_KEY} count = payer_account.count + excluded.count"
    upsert_rows(connection, payer_account, _COLUMNS, rows, more)


def forget(connection: Connection, company_id: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Take back what ``learn`` learned from payments that are undone. What was never learned stays so."""
    of = payer_account.c
    counts = Counter(pairs)
    query = select(of.iban, of.customer_id, of.count).where(
        of.company_id == company_id, among(of.iban, (iban for iban, _ in counts))
    )
    rows = [
        (company_id, iban, name, False, max(count - counts[iban, name], 0))
        for iban, name, count in connection.execute(query)
        if counts[iban, name]
    ]
    upsert_rows(connection, payer_account, _COLUMNS, rows, f"{_ON_KEY} count = excluded.count")
    _drop_unfounded(connection, company_id, {name for _, name in counts})


def save_masters(
    connection: Connection, company_id: str, whos: Collection[Customer], old: Collection[str]
) -> None:
    """Keep the accounts that the master data of these customers name, and only those as such; ``old``
    are the ids of those that were there before."""
    if old:
        mine = (payer_account.c.company_id == company_id, among(payer_account.c.customer_id, old))
        connection.execute(update(payer_account).where(*mine).values(is_master=False))
    rows = {
        (company_id, "".join(iban.split()).upper(), who.customer_id, True, 0)
        for who in whos
        for iban in who.ibans
    }
    upsert_rows(
        connection, payer_account, _COLUMNS, sorted(rows), f"{_ON_KEY} is_master = excluded.is_master"
    )
    if old:
        _drop_unfounded(connection, company_id, old)


def _drop_unfounded(connection: Connection, company_id: str, ids: Iterable[str]) -> None:
    """An account that neither master data nor a payment speaks for is none of theirs."""
    of = payer_account.c
    nothing = (of.company_id == company_id, among(of.customer_id, ids), of.count == 0, ~of.is_master)
    connection.execute(payer_account.delete().where(*nothing))
