"""What may never happen is refused by the database itself, whoever asks.

Each test speaks to a shop that has lived and takes back what it did. New rows are copies of real
ones, bent in one point, so that nothing but the constraint on trial can be what refuses them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from sqlalchemy import (
    CheckConstraint,
    Column,
    Connection,
    Index,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    insert,
    select,
    text,
)
from sqlalchemy.exc import DBAPIError, IntegrityError

from gateway.store.database import is_duplicate
from gateway.store.schema import APPEND_ONLY, Day, Instant, metadata
from gateway.wiring import House
from tests.store.shop import START

_numbers = count(1000)
Key = UniqueConstraint | PrimaryKeyConstraint | Index


def unique(table: Table) -> list[Key]:
    """What is taken once: also where an index says so, for some of the rows or for all."""
    constraints = [
        key for key in table.constraints if isinstance(key, UniqueConstraint | PrimaryKeyConstraint)
    ]
    return sorted(
        [*constraints, *(index for index in table.indexes if index.unique)], key=lambda key: str(key.name)
    )


KEYS = [
    pytest.param(table, key, id=f"{table.name}-{key.name}")
    for table in metadata.sorted_tables
    for key in unique(table)
]
# table | what is bent | the CHECK that must refuse it
CHECKS = """
customer    | unallocated_minor=-1                                | ck_customer_unallocated
stock       | reserved=-1                                         | ck_stock_never_oversold
stock       | reserved=8000000 on_hand=7999999                    | ck_stock_never_oversold
payment     | unallocated_minor=-1                                | ck_payment_unallocated
payment     | unallocated_minor=101 amount_minor=100              | ck_payment_unallocated
ledger_line | debit=-1 credit=0                                   | ck_ledger_line_one_side
ledger_line | debit=0 credit=-1                                   | ck_ledger_line_one_side
ledger_line | debit=1 credit=1                                    | ck_ledger_line_one_side
ledger_line | base_debit=-1 base_credit=0                         | ck_ledger_line_one_base_side
ledger_line | base_debit=0 base_credit=-1                         | ck_ledger_line_one_base_side
ledger_line | base_debit=1 base_credit=1                          | ck_ledger_line_one_base_side
ledger_line | tax_category=S tax_rate=                            | ck_ledger_line_whole_tax
ledger_line | tax_category= tax_rate=25                           | ck_ledger_line_whole_tax
rule_proposal | author=anna approver=anna                         | ck_rule_proposal_four_eyes
credit_limit | amount_minor=-1                                    | ck_credit_limit_amount
credit_limit | customer_id=C-1 group_id=G-1 kind=group            | ck_credit_limit_one_holder
credit_limit | customer_id=C-1 group_id= kind=group               | ck_credit_limit_kind
stock_receipt | quantity=0                                        | ck_stock_receipt_quantity
stock_receipt | received=-1 received_at=now cancelled_at=         | ck_stock_receipt_received
stock_receipt | received=1 received_at= cancelled_at=             | ck_stock_receipt_whole_receipt
stock_receipt | received=1 received_at=now cancelled_at=now       | ck_stock_receipt_one_end
dispute     | amount_minor=0                                      | ck_dispute_amount
promise     | amount_minor=0                                      | ck_promise_amount
item        | kind=credit_note                                    | ck_item_kind
item        | gross_minor=-1 open_minor=0 base_open_minor=0 settled_at=now | ck_item_kind
item        | gross_minor=100 open_minor=101 settled_at=          | ck_item_open
item        | gross_minor=100 open_minor=-1 settled_at=           | ck_item_open
item        | open_minor=0 base_open_minor=1 settled_at=now       | ck_item_base_open
item        | open_minor=0 base_open_minor=0 settled_at=          | ck_item_settled
item        | gross_minor=2 open_minor=1 settled_at=now           | ck_item_settled
item        | discount_percent=2 discount_until=                  | ck_item_whole_discount
payer_account | count=-1                                          | ck_payer_account_count
statement   | override_reason=why override_by=                    | ck_statement_whole_override
cash_request | state=approved decided_by=anna requested_by=anna decided_at=now | ck_cash_request_four_eyes
cash_request | state=approved decided_by= decided_at=             | ck_cash_request_decided
cash_request | state=open decided_by=anna requested_by=kari decided_at=now | ck_cash_request_decided
cash_request | state=refused decided_by=anna requested_by=kari decided_at= | ck_cash_request_whole_decision
"""
ROWS = [tuple(cell.strip() for cell in line.split("|")) for line in CHECKS.strip().splitlines()]


@pytest.fixture
def connection(lived: House) -> Iterator[Connection]:
    """A transaction that is taken back."""
    with lived.database.engine.execution_options(writing=True).connect() as connection:
        yield connection
        connection.rollback()


def fresh(column: Column[Any], value: Any) -> Any:
    """Another value of the same kind."""
    if isinstance(value, int):
        return value + next(_numbers)
    if value is None:
        return None
    if isinstance(value, str):
        return f"{value}{next(_numbers)}"[-(getattr(column.type, "length", None) or 200) :]
    return value + timedelta(next(_numbers))


def copy(connection: Connection, table: Table, keep: set[str]) -> dict[str, Any]:
    """A real row with new values in every column of a key, but for those to ``keep``."""
    whole = select(table).where(*(table.c[name].is_not(None) for name in sorted(keep))).limit(1)
    if keep and connection.execute(whole).first() is None:  # one that says nothing in a column of the key
        said = {name: _any_value(table.c[name]) for name in keep - {"company_id"}}
        connection.execute(insert(table), copy(connection, table, keep=set()) | said)
    row = dict(connection.execute(whole).mappings().one())
    parts = {column for key in unique(table) for column in columns(key)}
    linked = {element.parent.name for element in table.foreign_keys}
    for name in parts - keep - linked - {"company_id"} | ({"position"} & parts - keep):
        row[name] = fresh(table.c[name], row[name])
    return row


def columns(key: Key) -> set[str]:
    return {column.name for column in key.columns}


@pytest.fixture
def row_in_each(connection: Connection) -> Connection:
    """Also the tables that the journey does not touch have a row."""
    for table in metadata.sorted_tables:
        if connection.execute(select(table).limit(1)).first() is None:
            values = {c.name: _any_value(c) for c in table.c if not c.nullable}
            values |= {"company_id": "NO1"} | _parents(connection, table)
            connection.execute(insert(table), values)
    return connection


def _parents(connection: Connection, table: Table) -> dict[str, Any]:
    """What the rows that a row must belong to are called."""
    named: dict[str, Any] = {}
    for link in table.foreign_key_constraints:
        parent = connection.execute(select(link.referred_table).limit(1)).mappings().one()
        named |= {element.parent.name: parent[element.column.name] for element in link.elements}
    return named


def _any_value(column: Column[Any]) -> Any:
    if isinstance(column.type, Instant | Day):
        return START if isinstance(column.type, Instant) else START.date()
    return column.type.python_type(1) if column.type.python_type is int else column.type.python_type()


@pytest.mark.parametrize(("table", "key"), KEYS)
def test_a_key_is_taken_once(row_in_each: Connection, table: Table, key: Key) -> None:
    connection = row_in_each
    if columns(key) != {"company_id"}:
        connection.execute(insert(table), copy(connection, table, keep=set()))  # all keys new: accepted
    with pytest.raises(IntegrityError) as refused:
        connection.execute(insert(table), copy(connection, table, keep=columns(key)))
    names = ", ".join(f"{table.name}.{column.name}" for column in key.columns)
    assert is_duplicate(refused.value, str(key.name), names)


def _written(column: Column[Any], value: str) -> Any:
    if isinstance(column.type, Instant):
        return START if value else None
    return None if value == "" else int(value) if column.type.python_type is int else value


@pytest.mark.parametrize(("name", "bent", "check"), ROWS)
def test_a_check_refuses(row_in_each: Connection, name: str, bent: str, check: str) -> None:
    connection, table = row_in_each, metadata.tables[name]
    row = copy(connection, table, keep=set())
    for pair in bent.split():
        column, value = pair.split("=")
        row[column] = _written(table.c[column], value)
    with pytest.raises(IntegrityError) as refused:
        connection.execute(insert(table), row)
    assert check in str(refused.value.orig)


def test_every_check_was_tried() -> None:
    written = {
        str(one.name)
        for table in metadata.tables.values()
        for one in table.constraints
        if isinstance(one, CheckConstraint)
    }
    assert {check for _, _, check in ROWS} == written


def test_a_ledger_line_belongs_to_an_entry(connection: Connection) -> None:
    table = metadata.tables["ledger_line"]
    row = copy(connection, table, keep=set()) | {"entry_id": "led_nobody"}
    with pytest.raises(IntegrityError):
        connection.execute(insert(table), row)


@pytest.mark.parametrize("name", APPEND_ONLY)
@pytest.mark.parametrize("change", ["UPDATE {} SET company_id = 'X'", "DELETE FROM {}"])
def test_what_is_written_stays(row_in_each: Connection, name: str, change: str) -> None:
    with pytest.raises(DBAPIError, match=f"{name} is append-only"):
        row_in_each.execute(text(change.format(name)))


@pytest.mark.parametrize("name", APPEND_ONLY)
def test_nor_is_there_a_way_around(lived: House, row_in_each: Connection, name: str) -> None:
    if lived.database.is_sqlite:
        way = f"REPLACE INTO {name} SELECT * FROM {name} LIMIT 1"
    else:
        way = f"TRUNCATE {name} CASCADE"
    with pytest.raises(DBAPIError, match="is append-only"):
        row_in_each.execute(text(way))
