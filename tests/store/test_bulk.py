"""Many rows at once are the same rows, few or many, on each database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select

from gateway.store import bulk, migrate
from gateway.store.database import Database
from gateway.store.schema import payer_account, product

KEY = ("company_id", "iban", "customer_id")
SIZES = pytest.mark.parametrize("size", [1, bulk.FEW, bulk.FEW + 1, 5000])


@pytest.fixture
def connection(database: Database) -> Iterator[Connection]:
    migrate.upgrade(database)
    with database.engine.execution_options(writing=True).connect() as connection:
        yield connection
        connection.rollback()


@SIZES
def test_rows_come_back_as_they_went_in(connection: Connection, size: int) -> None:
    odd = 'tab\tline\nback\\slash \\N {"quote\'s"} é € \r end'
    rows = [("NO1", f"P-{place}", odd, None if place % 2 else "0160:7", "{}") for place in range(size)]
    names = ("company_id", "product_id", "name_key", "standard_key", "profile")
    bulk.insert_rows(connection, product, names, rows)
    found = connection.execute(select(*(product.c[name] for name in names)).order_by(product.c.product_id))
    assert sorted(map(tuple, found)) == sorted(rows)


@SIZES
def test_values_are_set_or_added_to(connection: Connection, size: int) -> None:
    rows = [("NO1", f"I{place}", "C-1", place % 2 == 0, 1) for place in range(size)]
    bulk.insert_rows(connection, payer_account, (*KEY, "is_master", "count"), rows)
    bulk.update_rows(connection, payer_account, KEY, ("count",), [(*row[:3], 5) for row in rows], add=True)
    bulk.update_rows(connection, payer_account, KEY, ("is_master",), [(*row[:3], True) for row in rows])
    found = connection.execute(select(payer_account.c["count"], payer_account.c.is_master).distinct()).all()
    assert [tuple(row) for row in found] == [(6, True)]


@SIZES
def test_what_is_there_already_stays_or_changes(connection: Connection, size: int) -> None:
    names = (*KEY, "is_master", "count")
    rows = [("NO1", f"I{place}", "C-1", False, 1) for place in range(size)]
    bulk.upsert_rows(connection, payer_account, names, rows)
    bulk.upsert_rows(connection, payer_account, names, [(*row[:4], 9) for row in rows])
    more = "(company_id, iban, customer_id) DO UPDATE SET count = payer_account.count + excluded.count"
    bulk.upsert_rows(connection, payer_account, names, rows, more)
    assert connection.execute(select(payer_account.c["count"]).distinct()).scalars().all() == [2]


@pytest.mark.parametrize("size", [0, 1, 40_000])
def test_any_number_of_values_is_one_condition(connection: Connection, size: int) -> None:
    rows = [("NO1", f"I{place}", "C-1", False, 1) for place in range(100)]
    bulk.insert_rows(connection, payer_account, (*KEY, "is_master", "count"), rows)
    wanted = bulk.among(payer_account.c.iban, (f"I{place}" for place in range(size)))
    found = connection.execute(select(payer_account.c.iban).where(wanted)).all()
    assert len(found) == min(size, 100)


def test_such_a_condition_uses_the_index(connection: Connection) -> None:
    if connection.dialect.name != "sqlite":
        return  # PostgreSQL weighs a table of a few rows and reads it whole
    wanted = bulk.among(payer_account.c.iban, ["I1", "I2"])
    query = select(payer_account.c.customer_id).where(payer_account.c.company_id == "NO1", wanted)
    words = str(query.compile(connection, compile_kwargs={"literal_binds": True}))
    plan = " ".join(row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {words}"))
    assert "(company_id=? AND iban=?)" in plan
