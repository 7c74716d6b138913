"""Whoever changes or removes evidence is found out, even with the triggers out of the way.

In one shop that has lived, one value after the other is bent or one row after the other removed,
the audit reads the same transaction, and all is taken back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, Table, and_, bindparam, func, select, text
from sqlalchemy.exc import DBAPIError

from gateway.stages import audit
from gateway.store.schema import (
    APPEND_ONLY,
    archive,
    as_stored,
    credit_limit,
    decision,
    delivery,
    invoice,
    item,
    journal,
    ledger_entry,
    ledger_line,
    metadata,
    number_series,
    payment,
    referral,
    rule_file,
    sales_order,
    shipment,
    statement,
    stock_receipt,
)
from gateway.wiring import House
from tests.store.shop import COMPANY

EVIDENCE = (archive, journal, ledger_entry, ledger_line)
COLUMNS = [
    pytest.param(table, column.name, id=f"{table.name}.{column.name}")
    for table in EVIDENCE
    for column in table.c
    if column.name != "entry_no"  # the database's own count: see the test of its order
]
Row = dict[str, Any]


@pytest.fixture
def connection(lived: House) -> Iterator[Connection]:
    """A transaction of somebody who may do everything; it is taken back."""
    with lived.database.engine.execution_options(writing=True).connect() as connection:
        for table in APPEND_ONLY:
            for statement_ in _drop_triggers(table, lived.database.is_sqlite):
                connection.execute(text(statement_))
        yield connection
        connection.rollback()


def _drop_triggers(table: str, is_sqlite: bool) -> list[str]:
    if is_sqlite:
        return [f"DROP TRIGGER {table}_no_{action}" for action in ("update", "delete")]
    return [f"DROP TRIGGER {table}_append_only ON {table}"]


def rows(connection: Connection, table: Table) -> list[Row]:
    """Every row as it is stored, in order of its key."""
    query = select(*as_stored(table)).order_by(*table.primary_key.columns)
    return [dict(row) for row in connection.execute(query).mappings()]


def found(connection: Connection) -> list[str]:
    """What the audit says."""
    return [words for checked in audit.proofs(connection, COMPANY) for words in checked.wrong]


def bent(value: Any, kind: type = str) -> Any:
    """The value with one bit of it turned over; where there is none, one of that kind."""
    if value is None:
        return kind(1)
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1]) + value[1:]
    if isinstance(value, int):
        return value + 1
    middle = len(value) // 2
    return f"{value[:middle]}{chr(ord(value[middle]) ^ 1)}{value[middle + 1 :]}" if value else "x"


def bend(connection: Connection, table: Table, row: Row, column: str, value: Any) -> bool:
    """Store ``value`` past every type; False if the database itself refuses it."""
    keys = " AND ".join(f"{key.name} = :key_{key.name}" for key in table.primary_key)
    named = {f"key_{key.name}": row[key.name] for key in table.primary_key}
    words = text(f"UPDATE {table.name} SET {column} = :value WHERE {keys}")
    try:
        with connection.begin_nested():
            connection.execute(words, named | {"value": value})
    except DBAPIError:
        return False
    return True


def remove(connection: Connection, table: Table, row: Row) -> None:
    keys = and_(*(key == bindparam(f"key_{key.name}") for key in table.primary_key))
    named = {f"key_{key.name}": row[key.name] for key in table.primary_key}
    connection.execute(table.delete().where(keys), named)


def names(table: Table, row: Row) -> set[str]:
    """The words by which a message may call a record."""
    if table is archive:
        return {row["sha256"], bent(row["sha256"])}
    if table is journal:
        stream = {row["stream"], bent(row["stream"]), row["stream"].partition(":")[2]}
        return stream | {str(value) for value in json.loads(row["data"]).values()}
    return {row["entry_id"], bent(row["entry_id"])}


def some(every: list[Row], column: str) -> list[Row]:
    """The first, a middle and the last row, and one in which the column says something."""
    filled = [row for row in every if row[column] is not None]
    chosen = [every[0], every[len(every) // 2], every[-1], *filled[:1]]
    return [row for place, row in enumerate(chosen) if row not in chosen[:place]]


def test_nothing_is_wrong_with_it(connection: Connection) -> None:
    assert found(connection) == []
    assert all(rows(connection, table) for table in EVIDENCE)


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_one_bent_value_is_found_and_the_record_named(
    connection: Connection, table: Table, column: str
) -> None:
    for row in some(rows(connection, table), column):
        savepoint = connection.begin_nested()
        if bend(connection, table, row, column, bent(row[column], table.c[column].type.python_type)):
            said = " ".join(found(connection))
            assert any(name and name in said for name in names(table, row)), f"{column} of {row}: {said}"
        savepoint.rollback()


def test_the_database_refuses_only_what_a_constraint_forbids(connection: Connection) -> None:
    refused = {
        f"{table.name}.{column.name}"
        for table in EVIDENCE
        for column in table.c
        if not _bendable(connection, table, column.name)
    }
    assert refused <= {
        "ledger_entry.company_id",
        "ledger_entry.entry_id",
        "ledger_line.company_id",
        "ledger_line.entry_id",
        "ledger_line.position",
        "ledger_line.debit",
        "ledger_line.credit",
        "ledger_line.base_debit",
        "ledger_line.base_credit",
        "ledger_line.tax_category",
        "ledger_line.tax_rate",
        "ledger_line.tax_base",
        "journal.seq",
        "journal.entry_no",
    }


def _bendable(connection: Connection, table: Table, column: str) -> bool:
    row = rows(connection, table)[0]
    savepoint = connection.begin_nested()
    done = bend(connection, table, row, column, bent(row[column], table.c[column].type.python_type))
    savepoint.rollback()
    return done


def test_a_changed_order_of_the_journal_is_found(connection: Connection) -> None:
    last = connection.execute(select(func.max(journal.c.entry_no))).scalar_one()
    first = rows(connection, journal)[0]
    assert bend(connection, journal, first, "entry_no", last + 1)
    assert any("stands before the row it follows" in words for words in found(connection))


DECIDED_OTHERWISE = {
    "outcome": "reject",
    "rule": "C10",
    "say": "Because",
    "actions": {"queue": "nobody"},
    "fired": ["C10"],
    "why_not": [],
    "alarm": "the engine failed",
    "facts": {},
    "policy": "cash",
    "rulebook_sha": "0" * 64,
}


@pytest.mark.parametrize("name", DECIDED_OTHERWISE)
def test_a_decision_that_its_rule_file_does_not_make_is_named(connection: Connection, name: str) -> None:
    decided = rows(connection, decision)
    assert {row["policy"] for row in decided} >= {"credit", "stock", "dunning"}
    for row in (decided[0], decided[len(decided) // 2], decided[-1]):
        savepoint = connection.begin_nested()
        body = json.loads(row["body"]) | {name: DECIDED_OTHERWISE[name]}
        assert body != json.loads(row["body"])
        assert bend(
            connection, decision, row, "body", json.dumps(body, separators=(",", ":"), sort_keys=True)
        )
        assert any(row["decision_id"] in words for words in found(connection))
        savepoint.rollback()


@pytest.mark.parametrize("column", ["policy", "outcome", "rule", "rulebook_sha256", "body"])
def test_a_decision_whose_row_was_bent_is_named(connection: Connection, column: str) -> None:
    for row in some(rows(connection, decision), column):
        savepoint = connection.begin_nested()
        if bend(connection, decision, row, column, bent(row[column])):
            assert any(row["decision_id"] in words for words in found(connection)), f"{column} of {row}"
        savepoint.rollback()


def test_decisions_of_a_file_that_does_not_read_are_named(connection: Connection) -> None:
    by_file = {row["sha256"]: row for row in rows(connection, rule_file)}
    used = rows(connection, decision)[0]
    assert bend(connection, rule_file, by_file[used["rulebook_sha256"]], "content", b"policy: nonsense")
    assert any(used["decision_id"] in words and "does not read" in words for words in found(connection))


@pytest.mark.parametrize(
    "table",
    [
        *(archive, journal, ledger_line, sales_order, decision, shipment, statement, payment, delivery),
        *(credit_limit, stock_receipt),
    ],
    ids=lambda table: table.name,
)
def test_any_row_that_is_gone_is_missed(connection: Connection, table: Table) -> None:
    # Each row of the table, also the last of every stream: nothing follows it in its chain.
    for row in rows(connection, table):
        if table is decision and (row["line_id"] is not None or row["policy"] != "credit"):
            continue  # lines and reminders: what followed is in the journal, not each decision
        savepoint = connection.begin_nested()
        remove(connection, table, row)
        assert found(connection), f"nobody missed {row}"
        savepoint.rollback()


@pytest.mark.parametrize("column", ["kind", "amount_minor", "valid_from", "valid_until"])
def test_a_bent_credit_limit_is_found(connection: Connection, column: str) -> None:
    for row in rows(connection, credit_limit):
        savepoint = connection.begin_nested()
        value = bent(row[column])
        if bend(connection, credit_limit, row, column, value):
            assert any(row["limit_id"] in words for words in found(connection)), row
        savepoint.rollback()


@pytest.mark.parametrize(
    "column",
    [
        *("number", "kind", "customer_id", "order_id", "reference", "number_key", "currency", "gross_minor"),
        *("open_minor", "base_open_minor", "issued_on", "due_on", "discount_percent", "discount_until"),
        "settled_at",
    ],
)
def test_a_bent_item_is_found_whoever_invoiced_it(connection: Connection, column: str) -> None:
    every = rows(connection, item)
    assert {row["order_id"] is None for row in every} == {True, False}
    assert {row["settled_at"] is None for row in every} == {True, False}
    for row in every:
        savepoint = connection.begin_nested()
        if bend(connection, item, row, column, bent(row[column])):
            assert found(connection), f"nobody noticed {column} of {row}"
        savepoint.rollback()


def test_a_balance_that_is_moved_without_a_posting_is_found(connection: Connection) -> None:
    # All of a row at once, so that no constraint is in the way.
    for row in rows(connection, item):
        savepoint = connection.begin_nested()
        half, at = row["gross_minor"] // 2, None if row["gross_minor"] else row["settled_at"]
        moved = {"open_minor": half, "base_open_minor": half, "settled_at": at}
        connection.execute(item.update().where(item.c.number == row["number"]).values(**moved))
        assert any(f"item {row['number']}: gross, open" in words for words in found(connection))
        savepoint.rollback()


def test_an_item_that_is_gone_is_missed(connection: Connection) -> None:
    for row in rows(connection, item):
        savepoint = connection.begin_nested()
        remove(connection, item, row)
        assert any(row["number"] in words for words in found(connection))
        savepoint.rollback()


def test_an_order_that_is_listed_as_waiting_and_does_not_is_found(connection: Connection) -> None:
    row = rows(connection, sales_order)[0]
    asked = {"order_id": row["order_id"], "customer_id": row["customer_id"], "state": "held", "reason": ""}
    more = {"company_id": COMPANY, "amount_minor": 1, "asked_at": store_time(connection)}
    connection.execute(referral.insert(), asked | more)
    assert any("listed as held" in words for words in found(connection))


def test_a_ledger_entry_that_is_gone_with_its_lines_is_missed(connection: Connection) -> None:
    for row in rows(connection, ledger_entry):
        savepoint = connection.begin_nested()
        connection.execute(ledger_line.delete().where(ledger_line.c.entry_id == row["entry_id"]))
        remove(connection, ledger_entry, row)
        assert any(row["entry_id"] in words for words in found(connection))
        savepoint.rollback()


def test_an_invoice_that_is_gone_is_missed_even_if_the_counter_was_set_back(connection: Connection) -> None:
    for row in rows(connection, invoice):
        savepoint = connection.begin_nested()
        remove(connection, invoice, row)
        connection.execute(number_series.update().values(last=number_series.c.last - 1))
        assert any(row["number"] in words for words in found(connection))
        savepoint.rollback()


def test_an_event_told_twice_is_found(connection: Connection) -> None:
    # A chain may be continued by anybody who can compute a hash; the rows do not agree with it.
    from gateway.store import journal as store

    sent = next(row for row in rows(connection, journal) if row["event"] == "InvoiceSent")
    again = store.Event(sent["stream"], "InvoiceSent", json.loads(sent["data"]))
    store.append(connection, COMPANY, store_time(connection), "somebody", [again])
    assert any(json.loads(sent["data"])["message"] in words for words in found(connection))


def store_time(connection: Connection) -> Any:
    return connection.execute(select(journal.c.at).limit(1)).scalar_one()


def test_every_append_only_table_is_in_the_schema() -> None:
    assert set(APPEND_ONLY) <= set(metadata.tables)
