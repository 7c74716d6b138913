"""An engine that raises, loops, hangs or errs costs no order: it is stored, and a person decides.

Each time the decision is ``otherwise``, and the alarm names the rule: in the journal, in the log, and
in what the finance desk is told.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from gateway.store.companies import BankAccount, Company, Profile
from gateway.store.schema import journal
from o2c.decision import Decision
from rules import durable
from rules.compile import Codes, Verdict
from rules.durable import CagedRuleset
from tests.journeys.test_a2_a_first_time_customer import credit_decision
from tests.journeys.world import IBAN, SELLER, World

FINANCE = "finance@supplier.example"


@pytest.fixture
def watched(world: World) -> World:
    """A company whose finance desk reads mail, with a customer of good standing and goods to sell."""
    profile = Profile(replace(SELLER), finance_email=FINANCE)
    accounts = (BankAccount(IBAN, "EUR", "DNBANOKK"),)
    world.house.add_company(Company("NO2", "The Supplier AS", "NO", "EUR", profile, accounts))
    mine = World(world.house, "NO2", world.clock, world.outbox, world.mails)
    mine.given_customer()
    mine.given_stock({"SN-33": {"BERGEN": 10}})
    return mine


class Core:
    """The engine's C part, bent once it has given out the marker and the first rule that fires."""

    def __init__(self, bend: Callable[[Any], Any]) -> None:
        self._real = durable.engine.durable_rules_engine
        self._bend = bend
        self._first: Any = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def start_action_for_state(self, handle: Any, session: Any) -> Any:
        self._first = None
        return self._real.start_action_for_state(handle, session)

    def complete_and_start_action(self, handle: Any, session: Any) -> Any:
        if self._first is not None:
            return self._bend(self._first)
        self._first = self._real.complete_and_start_action(handle, session)
        return self._first


def raises(_: Any) -> Any:
    raise MemoryError("no room in the engine")


def loops(rule: Any) -> Any:
    return rule


def hangs(rule: Any) -> Any:
    time.sleep(1.1)
    return rule


def refers(world: World, words: str) -> Decision:
    """An order that C50 would approve comes in; it is stored and waits for a person."""
    with capture_logs() as logs:
        received = world.orders("O-1", ("SN-33", 5, "100"))
    assert received.stored.state == "referred"
    decision = credit_decision(world, received)
    assert (decision.outcome, decision.rule, decision.fired) == ("refer", None, ())
    assert decision.alarm is not None
    assert words in decision.alarm
    assert world.events() == [
        "OrderReceived 625.00 EUR",
        "OrderReferred otherwise",
        "NoticeSent order-referred",
    ]
    assert [data["alarm"] for data in referrals(world)] == [decision.alarm]
    told = [(entry["log_level"], entry["alarm"]) for entry in logs if entry["event"] == "rules failed"]
    assert told == [("error", decision.alarm)]
    [letter] = [mail for mail in world.mails if mail["To"] == FINANCE]
    text = " ".join(letter.get_payload(decode=True).decode().split())
    assert " ".join(decision.alarm.split()) in text
    assert world.faults() == []
    return decision


def referrals(world: World) -> list[dict[str, Any]]:
    mine = select(journal.c.data).where(
        journal.c.company_id == world.company_id, journal.c.event == "OrderReferred"
    )
    with world.house.database.read() as connection:
        return [json.loads(row.data) for row in connection.execute(mine)]


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (raises, "after rule C50: MemoryError: no room in the engine"),
        (loops, "after rule C50: the engine fires without end."),
        (hangs, "after rule C50: the engine took longer than 1 s."),
    ],
)
def test_an_engine_that_fails_on_the_way(
    watched: World, monkeypatch: pytest.MonkeyPatch, bend: Callable[[Any], Any], words: str
) -> None:
    watched.house.desk(watched.company_id)  # the engine is loaded while it still works
    with monkeypatch.context() as patched:
        patched.setattr(durable.engine, "durable_rules_engine", Core(bend))
        refers(watched, words)


class Differing(CagedRuleset):
    """An engine that lets every order through, by a rule that did not fire."""

    def run(self, codes: Codes) -> Verdict:
        right = super().run(codes)
        return replace(right, outcome="approve", rule="C40", fired=("C40",))


def test_an_engine_that_differs(watched: World) -> None:
    watched.house.engine = Differing
    watched.house.forget(watched.company_id)
    decision = refers(watched, "the two executors differ on C40, C50")
    assert "engine approve by C40, closures approve by C50" in (decision.alarm or "")


def test_the_next_order_is_decided_by_the_rules_again(
    watched: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        watched.house.desk(watched.company_id)
        patched.setattr(durable.engine, "durable_rules_engine", Core(raises))
        watched.orders("O-1", ("SN-33", 5, "100"))
    received = watched.orders("O-2", ("SN-33", 5, "100"))
    assert (received.stored.state, credit_decision(watched, received).rule) == ("approved", "C50")
