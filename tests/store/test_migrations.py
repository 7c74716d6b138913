"""Migrations make exactly the schema, once, whoever starts first."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import CheckConstraint, Connection, inspect, select, text

from gateway.store import items, migrate, payers, referrals, rulefiles
from gateway.store.database import Database
from gateway.store.schema import APPEND_ONLY, item, metadata, sales_order
from o2c.matching import Known, bare_name_key
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


_OLD_INVOICE = """
    INSERT INTO invoice (company_id, number, series, sequence, order_id, shipment_id, customer_id, reference,
      issued_on, due_on, currency, gross_minor, base_gross_minor, body, report, document_sha256, message_id,
      level, last_notice_on, settled_at, created_at)
    VALUES ('NO1', :number, 'INV', :sequence, 'ord_1', 's' || :sequence, 'C-1', 'r' || :sequence,
      '2026-03-01', '2026-03-31', 'EUR', 12500, 12500, '{}', '{}', '', 'msg',
      :level, :said_on, :settled_at, '2026-03-01')
"""
_OLD_ENTRY = """
    INSERT INTO ledger_entry VALUES ('NO1', :id, 'invoice', '2026-03-01', 'EUR', 'EUR', '1', '', '', '', '')
"""
_OLD_LINE = """
    INSERT INTO ledger_line VALUES
      ('NO1', :id, :place, 'receivable', :debit, :credit, :debit, :credit, 'C-1', :number, NULL, NULL, NULL)
"""
_OLD_COMPANY = """
    INSERT INTO company (company_id, name, country, currency, profile, created_at) VALUES
      ('NO1', 'The Supplier', 'NO', 'EUR', '{}', '2026')
"""
_OLD_CUSTOMER = """
    INSERT INTO customer (company_id, customer_id, name, profile, created_at) VALUES
      ('NO1', 'C-1', 'Fjord Hotel', '{"party": {"address": {"country": "NO", "postcode": "5013"}}}', '2026')
"""
_OLD_PAYMENT = """
    INSERT INTO payment (company_id, payment_id, statement_id, account, key, booked_on, currency,
      amount_minor, is_credit, unallocated_minor, state, body)
    VALUES ('NO1', 'pay_1', 'stm_1', 'A', 'K', '2026-03-05', 'EUR', 100, true, 0, 'applied',
      '{"end_to_end_id": "E2E-7"}')
"""


def test_invoices_of_before_become_items_with_their_balances(database: Database) -> None:
    migrate.upgrade(database, "0004")
    paid_at = "2026-03-20T09:00:00.000000+00:00"
    of = {"level": "L1", "said_on": "2026-04-09", "settled_at": None}
    old = [
        {"number": "INV-00001", "sequence": 1, "level": "none", "said_on": None, "settled_at": paid_at},
        {"number": "INV-00002", "sequence": 2, **of},
    ]
    lines = [
        {"id": "led_1", "place": 1, "number": "INV-00001", "debit": 12_500, "credit": 0},
        {"id": "led_1", "place": 2, "number": "INV-00001", "debit": 0, "credit": 12_500},
        {"id": "led_1", "place": 3, "number": "INV-00002", "debit": 12_500, "credit": 0},
        {"id": "led_1", "place": 4, "number": "INV-00002", "debit": 0, "credit": 500},
    ]

    def before(connection: Connection) -> None:
        for words in (_OLD_COMPANY, _OLD_CUSTOMER, _OLD_PAYMENT):
            connection.exec_driver_sql(words)
        connection.execute(text(_OLD_INVOICE), old)
        connection.execute(text(_OLD_ENTRY), {"id": "led_1"})
        connection.execute(text(_OLD_LINE), lines)

    database.write(before)
    migrate.upgrade(database)
    with database.read() as connection:
        first, second = items.some(connection, "NO1", ["INV-00001", "INV-00002"])
        assert items.shapes(connection, "NO1") == (["INV-#####"], ["C-#"])
        [named] = payers.known(connection, "NO1", names=[bare_name_key("Fjord Hotel")])
        [again] = payers.known(connection, "NO1", keys=["C1"])
        found = connection.execute(text("SELECT end_to_end_id FROM payment")).scalar_one()
        settled_at = connection.execute(select(item.c.settled_at).order_by(item.c.number)).scalars().all()
    assert (first.item.open, second.item.open) == (0, 12_000)
    assert (second.item.gross, second.item.base_open, second.order_id) == (12_500, 12_000, "ord_1")
    assert (second.level, str(second.last_notice_on)) == ("L1", "2026-04-09")
    assert settled_at == [datetime.fromisoformat(paid_at), None]
    assert named == again == Known("C-1", "Fjord Hotel", "5013")
    assert found == "E2E-7"


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
