"""Gapless numbers per company and series. Taken in the last, short transaction, after everything
that can fail has been done: the row lock is held only while the rows are written (ADR 0003)."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from gateway.store.schema import invoice, number_series
from o2c.errors import Broken

_TAKE = (
    update(number_series)
    .where(number_series.c.company_id == bindparam("company"), number_series.c.series == bindparam("of"))
    .values(last=number_series.c.last + bindparam("count"))
    .returning(number_series.c.last)
)


def open_series(connection: Connection, company_id: str, series: str) -> None:
    """Start a series at 1."""
    connection.execute(insert(number_series), {"company_id": company_id, "series": series, "last": 0})


def go_on_from(connection: Connection, company_id: str, series: str, last: int) -> bool:
    """A former system numbered in this series up to ``last``: ours goes on after it. False if we have
    given numbers of it already; then two would count in it, and nothing is done."""
    mine = (number_series.c.company_id == company_id, number_series.c.series == series)
    now = connection.execute(select(number_series.c.last).where(*mine).with_for_update()).scalar() or 0
    if last <= now:
        return True
    given = select(invoice.c.number).where(invoice.c.company_id == company_id, invoice.c.series == series)
    if connection.execute(given.limit(1)).first() is not None:
        return False
    connection.execute(update(number_series).where(*mine).values(last=last))
    return True


def last(connection: Connection, company_id: str, series: str) -> int:
    """The last number of a series that was given; 0 where none was."""
    query = select(number_series.c.last).where(
        number_series.c.company_id == company_id, number_series.c.series == series
    )
    return connection.execute(query).scalar() or 0


def take(connection: Connection, company_id: str, series: str, count: int = 1) -> int:
    """The first of ``count`` consecutive numbers, yours if this transaction commits."""
    last = connection.execute(_TAKE, {"company": company_id, "of": series, "count": count}).scalar()
    if last is None:
        raise Broken("number-series", f"company {company_id} has no number series {series}.")
    return int(last) - count + 1
