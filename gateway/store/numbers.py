"""Gapless numbers per company and series. Taken in the last, short transaction, after everything
that can fail has been done: the row lock is held only while the rows are written (ADR 0003)."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, update

from gateway.store.schema import number_series
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


def take(connection: Connection, company_id: str, series: str, count: int = 1) -> int:
    """The first of ``count`` consecutive numbers, yours if this transaction commits."""
    last = connection.execute(_TAKE, {"company": company_id, "of": series, "count": count}).scalar()
    if last is None:
        raise Broken("number-series", f"company {company_id} has no number series {series}.")
    return int(last) - count + 1
