"""Migrations make exactly the schema, once, whoever starts first."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, inspect, text

from gateway.store import migrate, referrals, rulefiles
from gateway.store.database import Database
from gateway.store.schema import APPEND_ONLY, metadata, sales_order
from tests.conftest import ROOT

_UPGRADE = """
import sys
from gateway.store import migrate
from gateway.store.database import Database
database = Database(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
migrate.upgrade(database)
"""


def test_an_upgrade_of_nothing_makes_the_schema_and_nothing_else(database: Database) -> None:
    migrate.upgrade(database)
    options = {"compare_type": True, "compare_server_default": True}
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_the_checks_are_there_too(database: Database) -> None:
    # What Alembic does not compare.
    migrate.upgrade(database)
    look = inspect(database.engine)
    there = {check["name"] for table in metadata.tables for check in look.get_check_constraints(table)}
    assert there == {
        check.name
        for table in metadata.tables.values()
        for check in table.constraints
        if isinstance(check, CheckConstraint)
    }


def test_every_append_only_table_has_its_triggers(database: Database) -> None:
    migrate.upgrade(database)
    catalogue = (
        "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger'"
        if database.is_sqlite
        else "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    )
    with database.read() as connection:
        assert set(connection.execute(text(catalogue)).scalars()) == set(APPEND_ONLY)


def test_an_upgrade_twice_is_harmless(database: Database) -> None:
    migrate.upgrade(database)
    migrate.upgrade(database)
    assert migrate.missing(database) == []
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM alembic_version")).scalar_one() == 1


def test_orders_that_wait_already_are_on_the_list_after_an_upgrade(database: Database) -> None:
    migrate.upgrade(database, "0001")
    order = {
        "company_id": "NO1",
        "order_id": "ord_1",
        "source": "api",
        "external_id": "E-1",
        "customer_id": "C-1",
        "state": "held",
        "currency": "EUR",
        "body": "{}",
        "parts": "[]",
        "document_sha256": "0" * 64,
        "value_minor": 12_500,
        "claimed_minor": 0,
        "has_backorder": False,
        "received_at": datetime(2026, 3, 1, 9, tzinfo=UTC),
    }
    with database.alone() as connection:
        connection.execute(
            sales_order.insert(),
            [order, order | {"order_id": "ord_2", "external_id": "E-2", "state": "approved"}],
        )
    migrate.upgrade(database)
    with database.read() as connection:
        [asked] = referrals.waiting(connection, "NO1")
    assert (asked.order_id, asked.state, asked.amount, asked.answer_by) == ("ord_1", "held", 12_500, None)


def test_processes_that_start_at_once_upgrade_one_after_the_other(database_url: str) -> None:
    command = [sys.executable, "-c", _UPGRADE, database_url]
    starting = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in starting:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    ended = []
    for process in starting:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    for process in starting:
        _, complaint = process.communicate(timeout=60)
        ended.append((process.returncode, complaint))
    assert ended == [(0, "")] * 3
    database = Database(database_url)
    assert migrate.missing(database) == []
    database.close()


def test_rule_files_of_before_are_the_first_of_their_history(database: Database) -> None:
    migrate.upgrade(database, "0001")
    early, late = "2026-01-01T00:00:00.000000+00:00", "2026-02-01T00:00:00.000000+00:00"
    rows = [
        {"policy": policy, "sha256": sha256 * 64, "content": sha256.encode(), "at": at}
        for policy, sha256, at in (
            ("credit", "a", early),
            ("credit", "b", late),
            ("stock", "c", early),
            ("credit", "a", "2026-03-01T00:00:00.000000+00:00"),
        )
    ]
    words = text("INSERT INTO rulebook VALUES ('NO1', :policy, :sha256, :content, :at, 'o2c defaults')")
    database.write(lambda connection: connection.execute(words, rows))
    migrate.upgrade(database)
    with database.read() as connection:
        kept = [
            (one.policy, one.number, one.sha256[0], f"{one.active_from:%m}")
            for one in rulefiles.history(connection, "NO1")
        ]
        contents = rulefiles.contents(connection, "NO1", [letter * 64 for letter in "abcd"])
    assert kept == [
        ("credit", 1, "a", "01"),
        ("credit", 2, "b", "02"),
        ("credit", 3, "a", "03"),
        ("stock", 1, "c", "01"),
    ]
    assert contents == {letter * 64: letter.encode() for letter in "abc"}
