"""Whoever changes or removes a rule file, its history or a proposal is found out by the audit."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import Connection, Table, text

from gateway.stages import audit, receive, rulefiles
from gateway.store.schema import APPEND_ONLY, rule_file, rule_proposal, rulebook
from gateway.wiring import House
from rules.rulebook import default_content
from tests.store.shop import COMPANY, incoming
from tests.store.test_tampering import _drop_triggers, bend, bent, remove, rows

# Words and times that the journal repeats: the audit reads who did what to which file, and from when.
UNSEEN = {
    *("rule_file.stored_at", "rulebook.activated_at", "rulebook.reason"),
    *("rule_proposal.note", "rule_proposal.remarks", "rule_proposal.replay", "rule_proposal.reason"),
    *("rule_proposal.proposed_at", "rule_proposal.approved_at", "rule_proposal.closed_at"),
    *("rule_proposal.shadow_from", "rule_proposal.policy", "rule_file.policy"),
    *("rule_file.company_id", "rulebook.company_id", "rule_proposal.company_id"),
    "rulebook.withdrawn_at",  # from one instant to another; the next test sets and clears it
}


@pytest.fixture
def ruled(house: House) -> House:
    """A shop with an order, and a proposal in every state."""
    anna, bo = (house.desk(COMPANY, f"key:{who}") for who in ("anna", "bo"))
    receive.receive_order(anna, incoming("O-1", 1))
    content = default_content("credit")
    for number, further in enumerate((None, "reject", "withdraw", "shadow", "activate", "schedule")):
        new = rulefiles.propose(anna, content + f"# {number}\n".encode(), "why not")
        steps = {
            None: (),
            "reject": (partial(rulefiles.reject, bo, new.proposal_id, "no"),),
            "withdraw": (partial(rulefiles.withdraw, anna, new.proposal_id),),
            "shadow": (partial(rulefiles.shadow, bo, new.proposal_id),),
            "activate": (partial(rulefiles.activate, bo, new.proposal_id),),
            "schedule": (
                partial(rulefiles.activate, bo, new.proposal_id, bo.clock.now() + timedelta(days=1)),
            ),
        }[further]
        if further not in (None, "reject", "withdraw"):
            rulefiles.approve(bo, new.proposal_id, {"changed": 0})
        for step in steps:
            step()
    house.forget(COMPANY)
    first = house.desk(COMPANY, "key:cy")
    with house.database.read() as connection:
        [default] = [one for one in rows(connection, rulebook) if one["policy"] == "credit"][:1]
    rulefiles.rollback(first, "credit", default["sha256"], "as before")
    return house


@pytest.fixture
def connection(ruled: House) -> Iterator[Connection]:
    """A transaction of somebody who may do everything; it is taken back."""
    with ruled.database.engine.execution_options(writing=True).connect() as connection:
        for table in APPEND_ONLY:
            for words in _drop_triggers(table, ruled.database.is_sqlite):
                connection.execute(text(words))
        yield connection
        connection.rollback()


def found(connection: Connection) -> list[str]:
    return [words for checked in audit.proofs(connection, COMPANY) for words in checked.wrong]


def test_a_shop_with_a_proposal_in_every_state_is_whole(connection: Connection) -> None:
    assert found(connection) == []
    assert {row["state"] for row in rows(connection, rule_proposal)} == {
        *("proposed", "rejected", "withdrawn", "shadow", "scheduled")
    }


@pytest.mark.slow
@pytest.mark.parametrize("table", [rule_file, rulebook, rule_proposal], ids=lambda table: str(table.name))
def test_a_bent_value_is_found(connection: Connection, table: Table) -> None:
    missed = set()
    for column in table.c:
        name = f"{table.name}.{column.name}"
        for row in rows(connection, table):
            is_first = table is rulebook and row["number"] == 1
            if row[column.name] is None or (is_first and column.name != "sha256"):
                continue
            savepoint = connection.begin_nested()
            value = bent(row[column.name], column.type.python_type)
            if bend(connection, table, row, column.name, value) and not found(connection):
                missed.add(name)
            savepoint.rollback()
    assert missed <= UNSEEN


def test_a_file_called_off_or_called_back_behind_the_journal_is_found(connection: Connection) -> None:
    for row in rows(connection, rulebook):
        savepoint = connection.begin_nested()
        now = None if row["withdrawn_at"] else row["activated_at"]
        assert bend(connection, rulebook, row, "withdrawn_at", now)
        assert found(connection), f"nobody saw {row}"
        savepoint.rollback()


@pytest.mark.parametrize("table", [rulebook, rule_proposal], ids=lambda table: str(table.name))
def test_a_row_that_is_gone_is_missed(connection: Connection, table: Table) -> None:
    for row in rows(connection, table):
        if table is rulebook and row["number"] == 1 and row["policy"] in ("dunning", "cash"):
            continue  # it came with the company and has decided nothing yet
        savepoint = connection.begin_nested()
        remove(connection, table, row)
        assert found(connection), f"nobody missed {row}"
        savepoint.rollback()
