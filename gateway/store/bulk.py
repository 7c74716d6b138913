"""Many rows at once, as fast as the database's own driver takes them.

Values come as they are stored: instants and days as text, amounts in minor units. SQLite takes
tuples (``executemany``), PostgreSQL a COPY. ``among`` asks for any number of values in one
statement, whose text never changes with their number.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Table,
    Text,
    TypeDecorator,
    bindparam,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.expression import FunctionElement
from sqlalchemy.types import NullType, TypeEngine

Row = tuple[Any, ...]


class Rows(list[Row]):
    """Rows of plain values, no enumerations among them. They go from one process to another for little."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpacked, (marshal.dumps(list(self)),)


def _unpacked(content: bytes) -> Rows:
    return Rows(marshal.loads(content))


FEW = 64  # rows that are not worth a temporary table


def insert_rows(connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Insert rows of the named columns, in their order."""
    if not rows:
        return
    if connection.dialect.name == "postgresql" and len(rows) > FEW:
        _copy(connection, table.name, table, columns, rows)
    else:
        marks = _list([_mark(connection)] * len(columns))
        words = f"INSERT INTO {table.name} ({_list(columns)}) VALUES ({marks})"
        connection.exec_driver_sql(words, list(rows))


def upsert_rows(
    connection: Connection,
    table: Table,
    columns: Sequence[str],
    rows: Sequence[Row],
    known: str = "DO NOTHING",
) -> None:
    """Insert rows of which some may be there already; ``known`` says what becomes of those (SQL)."""
    if not rows:
        return
    into = f"INSERT INTO {table.name} ({_list(columns)})"
    if connection.dialect.name == "postgresql" and len(rows) > FEW:
        with _staged(connection, table, columns, rows) as new:
            connection.exec_driver_sql(f"{into} SELECT {_list(columns)} FROM {new} ON CONFLICT {known}")
    else:
        marks = _list([_mark(connection)] * len(columns))
        connection.exec_driver_sql(f"{into} VALUES ({marks}) ON CONFLICT {known}", list(rows))


def update_rows(
    connection: Connection,
    table: Table,
    keys: Sequence[str],
    columns: Sequence[str],
    rows: Sequence[Row],
    *,
    add: bool = False,
    changes: str | None = None,
) -> None:
    """Set ``columns`` of the rows that ``keys`` name, or with ``add`` add to them. A row is its keys,
    then its values. ``changes`` (SQL) says instead what is set, with ``{column}`` for a value."""
    if not rows:
        return
    names = [*keys, *columns]
    old = f"{table.name}."
    changes = changes or _list(f"{name} = {f'{old}{name} + ' * add}{{{name}}}" for name in columns)
    which = " AND ".join(f"{old}{name} = {{{name}}}" for name in keys)
    if connection.dialect.name == "postgresql" and len(rows) > FEW:
        with _staged(connection, table, names, rows) as new:
            given = {name: f"{new}.{name}" for name in names}
            words = f"UPDATE {table.name} SET {changes} FROM {new} WHERE {which}"
            connection.exec_driver_sql(words.format(**given))
        return
    named = ":{}" if connection.dialect.name == "sqlite" else "%({})s"
    given = {name: named.format(name) for name in names}
    words = f"UPDATE {table.name} SET {changes} WHERE {which}".format(**given)
    connection.exec_driver_sql(words, [dict(zip(names, row, strict=True)) for row in rows])


@contextmanager
def _staged(
    connection: Connection, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> Iterator[str]:
    """The name of a temporary table that holds the rows. It is not analysed: for a table it knows only
    the size of, the planner looks each row up by its key instead of reading all of the other table."""
    new = f"new_{table.name}"
    shape = f"SELECT {_list(columns)} FROM {table.name} WITH NO DATA"
    connection.exec_driver_sql(f"CREATE TEMP TABLE {new} ON COMMIT DROP AS {shape}")
    _copy(connection, new, table, columns, rows)
    yield new
    connection.exec_driver_sql(f"DROP TABLE {new}")


def _copy(
    connection: Connection, into: str, table: Table, columns: Sequence[str], rows: Sequence[Row]
) -> None:
    """COPY in its binary form: the driver writes each value as its column's type, and escapes nothing."""
    driver = connection.connection.driver_connection
    assert driver is not None, "the pool keeps no connection without its driver's"
    words = f"COPY {into} ({_list(columns)}) FROM STDIN (FORMAT binary)"
    with driver.cursor() as cursor, cursor.copy(words) as copy:
        copy.set_types([_wire_type(table.c[name].type) for name in columns])
        for row in rows:
            copy.write_row(row)


def _wire_type(kind: TypeEngine[Any]) -> str:
    """PostgreSQL's name of the column's type; instants and days are texts there."""
    if isinstance(kind, Boolean):
        return "bool"
    if isinstance(kind, Integer):
        return "int8" if isinstance(kind, BigInteger) else "int4"
    return "text"


def _mark(connection: Connection) -> str:
    """How the driver writes a value to come."""
    return "?" if connection.dialect.name == "sqlite" else "%s"


def _list(words: Iterable[str]) -> str:
    return ", ".join(words)


# --- any number of values in one condition -------------------------------------------------------
class _Set(TypeDecorator[Sequence[str]]):
    """Texts: a JSON array for SQLite, an array for PostgreSQL."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        postgres = dialect.name == "postgresql"
        return dialect.type_descriptor(ARRAY(Text()) if postgres else Text())

    def process_bind_param(self, value: Sequence[str] | None, dialect: Dialect) -> Any:
        several = list(value or ())
        return several if dialect.name == "postgresql" else json.dumps(several)


class _Among(FunctionElement[Any]):
    """``column IN (any number of texts)``."""

    type = NullType()  # as a Boolean it would be written "... = 1" for SQLite, which then uses no index
    name = "among"
    inherit_cache = True


@compiles(_Among, "sqlite")
def _among_sqlite(element: _Among, compiler: SQLCompiler, **words: Any) -> str:
    column, values = (compiler.process(one, **words) for one in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(_Among, "postgresql")
def _among_postgres(element: _Among, compiler: SQLCompiler, **words: Any) -> str:
    column, values = (compiler.process(one, **words) for one in element.clauses)
    return f"{column} = ANY ({values})"


def among(column: ColumnElement[Any], values: Iterable[str]) -> ColumnElement[Any]:
    """Is the column (of text) one of these? However many there are, it is one bound value."""
    wanted = sorted(set(values))
    return _Among(type_coerce(column, Text), bindparam(None, wanted, type_=_Set()))
