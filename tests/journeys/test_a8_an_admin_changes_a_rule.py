"""A8: an admin changes a limit. Checked, tried on the past, approved by a second person, tried beside
the live file, in force from an instant, explained by the old file afterwards, and rolled back."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from threading import Barrier

import pytest
from sqlalchemy import Connection, select

from connectors.memory import SteppedClock
from gateway.settings import Settings
from gateway.stages import in_force, rehearse, rulefiles, shadow
from gateway.stages.desk import Desk
from gateway.store import companies, orders
from gateway.store import rulefiles as store
from gateway.store.rows import pack
from gateway.store.rulefiles import Proposal, State
from gateway.store.schema import decision, journal
from gateway.wiring import MEMORY_SECONDS, open_house
from o2c.decision import FactValue
from o2c.errors import Conflict, NotFound, Refused
from rules.compile import Program
from rules.durable import CagedRuleset
from rules.rederive import rederive
from rules.rulebook import load
from rules.vocabulary import POLICIES
from tests.journeys.world import BUYER, World, count_statements

FILE = """\
# The limit for first orders is the board's, of 12 January.
policy: credit
strictest_first: [reject, hold, refer, approve]
otherwise: refer
rules:
  - {id: N1, when: {first_order: yes, this_order: "<= 500.00"}, then: approve, say: Within the limit}
  - {id: N2, when: {first_order: no}, then: approve, say: Known to us}
tests:
  - {name: at the limit, given: {first_order: yes, this_order: 500.00}, expect: approve, by: N1}
  - {name: above it, given: {first_order: yes, this_order: 500.01}, expect: refer, by: otherwise}
  - {name: known, given: {first_order: no}, expect: approve, by: N2}
"""
OLD = FILE.encode()
NEW = FILE.replace("500.0", "100.0").encode()
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def act(world: World, who: str) -> Desk:
    """The desk of a person."""
    return world.house.desk(world.company_id, f"key:{who}")


def proposed(world: World, content: bytes = NEW, note: str = "after two losses") -> Proposal:
    return rulefiles.propose(act(world, "anna"), content, note)


def approved(world: World, content: bytes = NEW) -> Proposal:
    new = proposed(world, content)
    shown = rehearse.rehearse(
        act(world, "bo"), load(content, name="new"), world.clock.now() - rehearse.PERIOD
    )
    return rulefiles.approve(act(world, "bo"), new.proposal_id, rehearse.summary(shown))


def activated(world: World, content: bytes, at: datetime | None = None) -> Proposal:
    new = approved(world, content)
    rulefiles.activate(act(world, "bo"), new.proposal_id, at)
    world.house.forget(world.company_id)
    return new


def state(world: World, proposal_id: str) -> State:
    with world.house.database.read() as connection:
        schedule = store.schedule(connection, world.company_id)
        found = store.find_proposal(connection, world.company_id, proposal_id)
    return store.standing(found, schedule, world.clock.now()).state


def first_order(world: World, number: int, price: str) -> str:
    """A first order of one piece by a new customer, 25 % VAT on top; its state."""
    world.given_customer(f"N-{number}", approval_until=None, party=replace(BUYER, name=f"New {number} AS"))
    world.given_stock({f"P-{number}": {"BERGEN": 1}})
    return world.orders(f"F-{number}", (f"P-{number}", 1, price), customer=f"N-{number}").stored.state


def happened(world: World, policy: str = "credit") -> list[tuple[str, str]]:
    """(event, who) on the stream of a policy's files."""
    query = select(journal.c.event, journal.c.actor).where(
        journal.c.company_id == world.company_id, journal.c.stream == f"rules:{policy}"
    )
    with world.house.database.read() as connection:
        return [tuple(row) for row in connection.execute(query.order_by(journal.c.seq))]


def live(world: World) -> bytes:
    with world.house.database.read() as connection:
        return store.active_rulebooks(connection, world.company_id, world.clock.now())["credit"]


@pytest.fixture
def admin(world: World) -> World:
    """A company that decides by its own file since the first of March, ten past nine."""
    world.clock.turn_to(world.clock.now() + timedelta(minutes=10))
    activated(world, OLD)
    return world


PRICES = ["8", "80", "80.01", "100", "200", "300", "320", "400", "400", "79.99"]  # net: VAT is 25 %


def test_a_limit_is_changed_from_the_first_idea_to_its_undoing(admin: World) -> None:
    world = admin
    states = [first_order(world, number, price) for number, price in enumerate(PRICES)]
    assert states == ["approved"] * 10
    world.orders("K-1", ("SN-33", 1, "10"), customer="N-0")

    # Tried on the past: which decisions would have come out otherwise, for whom, about what.
    tried = rehearse.rehearse(act(world, "anna"), load(NEW, name="new"), NOON - timedelta(days=30))
    assert (len(tried.turns), tried.decisions) == (7, 11)
    assert [(turn.customer_id, turn.customer, str(turn.value)) for turn in tried.turns] == [
        ("N-2", "New 2 AS", "100.01 EUR"),
        ("N-3", "New 3 AS", "125.00 EUR"),
        ("N-4", "New 4 AS", "250.00 EUR"),
        ("N-5", "New 5 AS", "375.00 EUR"),
        ("N-6", "New 6 AS", "400.00 EUR"),
        ("N-7", "New 7 AS", "500.00 EUR"),
        ("N-8", "New 8 AS", "500.00 EUR"),
    ]
    assert {(t.old_outcome, t.old_rule, t.new_outcome, t.new_rule) for t in tried.turns} == {
        ("approve", "N1", "refer", None)
    }
    [way] = tried.transitions
    assert (way.old_outcome, way.new_outcome, way.count) == ("approve", "refer", 7)
    assert [str(value) for value in way.values] == ["2250.01 EUR"]

    # Four eyes: whoever proposed it cannot let it in, under whatever name of theirs.
    new = proposed(world)
    for same in ("key:anna", "key:Anna", "cli:root as anna"):
        desk = world.house.desk(world.company_id, same)
        with pytest.raises(Refused, match="four-eyes"):
            rulefiles.approve(desk, new.proposal_id, {})
    with pytest.raises(Conflict, match="rules-state"):
        rulefiles.activate(act(world, "bo"), new.proposal_id)
    rulefiles.approve(act(world, "bo"), new.proposal_id, rehearse.summary(tried))
    with world.house.database.read() as connection:
        kept = store.find_proposal(connection, world.company_id, new.proposal_id)
    assert json.loads(kept.replay or "")["changed"] == 7

    # A shadow run records a difference and changes nothing.
    rulefiles.shadow(act(world, "bo"), new.proposal_id)
    world.house.forget(world.company_id)
    assert first_order(world, 20, "80") == "approved"
    assert first_order(world, 21, "160") == "approved"
    with world.house.database.read() as connection:
        [seen] = store.differences(connection, world.company_id, new.proposal_id)
    assert (seen.live_outcome, seen.live_rule, seen.shadow_outcome, seen.shadow_rule) == (
        "approve", "N1", "refer", None
    )  # fmt: skip
    assert json.loads(seen.body)["facts"]["this_order"] == "200.00"

    # In force at noon: not a second before.
    rulefiles.activate(act(world, "bo"), new.proposal_id, NOON)
    world.house.forget(world.company_id)
    assert state(world, new.proposal_id) is State.SCHEDULED
    world.clock.turn_to(NOON - timedelta(seconds=1))
    assert first_order(world, 30, "160") == "approved"
    world.clock.turn_to(NOON)
    assert first_order(world, 31, "160") == "referred"
    assert state(world, new.proposal_id) is State.ACTIVE

    # What was decided before explains itself by the file of then, byte for byte.
    for book in (load(OLD, name="old"), load(NEW, name="new")):
        mine = select(decision).where(
            decision.c.company_id == world.company_id, decision.c.rulebook_sha256 == book.sha256
        )
        with world.house.database.read() as connection:
            for row in connection.execute(mine).all():
                [(_, made)] = [
                    each
                    for each in orders.decisions(connection, world.company_id, row.subject_id)
                    if each[0].decision_id == row.decision_id
                ]
                assert pack(rederive(book, made)) == row.body

    # Undone: the exact bytes, at once, by one person.
    old = load(OLD, name="old").sha256
    back = rulefiles.rollback(act(world, "cy"), "credit", old[:12], "too strict")
    world.house.forget(world.company_id)
    assert (back.sha256, back.active_from, live(world)) == (old, NOON, OLD)
    assert first_order(world, 32, "160") == "approved"
    assert state(world, new.proposal_id) is State.SUPERSEDED
    with pytest.raises(Conflict, match="rules-state"):
        rulefiles.withdraw(act(world, "anna"), new.proposal_id)
    assert happened(world) == [
        ("RulesProposed", "key:anna"),
        ("RulesApproved", "key:bo"),
        ("RulesActivated", "key:bo"),
        ("RulesProposed", "key:anna"),
        ("RulesApproved", "key:bo"),
        ("RulesShadowed", "key:bo"),
        ("RulesScheduled", "key:bo"),
        ("RulesRolledBack", "key:cy"),
    ]
    assert world.faults() == []


def test_a_bad_file_never_replaces_a_good_one(admin: World) -> None:
    wrong = {
        "unknown field": FILE.replace("this_order:", "this_oder:"),
        "failing test": FILE.replace("this_order: 500.01", "this_order: 400.00"),
        "another currency": FILE.replace("policy: credit", "policy: credit\ncurrency: NOK"),
    }
    codes = []
    for text in wrong.values():
        with pytest.raises(Refused) as refused:
            proposed(admin, text.encode())
        codes.append(refused.value.code)
    assert codes == ["rulebook-invalid", "rulebook-invalid", "rulebook-currency"]
    with pytest.raises(Conflict, match="rules-unchanged"):
        proposed(admin, OLD)
    assert live(admin) == OLD
    assert len(happened(admin)) == 3


def test_a_file_that_a_newer_release_refuses_leaves_the_one_before_it_in_force(admin: World) -> None:
    activated(admin, NEW, NOON)
    refused = load(NEW, name="new").sha256

    def picky(policy: str, content: bytes) -> object:
        book = load(content, name=policy)
        if book.sha256 == refused:
            raise Refused("rulebook-invalid", "the law has changed")
        return book

    with admin.house.database.read() as connection:
        owner = companies.find(connection, admin.company_id)
        for at in (NOON - timedelta(hours=1), NOON):
            files = in_force.read_files(connection, owner, at, picky)  # type: ignore[arg-type]
            due = files.schedule.at("credit", at)
            assert due is not None
            assert files.books[due.sha256].content == OLD


def test_what_is_proposed_against_an_old_file_must_be_proposed_again(admin: World) -> None:
    late, other = approved(admin, NEW), FILE.replace("500.0", "200.0").encode()
    activated(admin, other)
    assert state(admin, late.proposal_id) is State.SUPERSEDED
    with pytest.raises(Conflict, match="rules-moved-on"):
        rulefiles.activate(act(admin, "bo"), late.proposal_id)
    assert live(admin) == other
    rulefiles.withdraw(act(admin, "anna"), late.proposal_id)
    activated(admin, NEW)
    assert live(admin) == NEW
    assert admin.faults() == []


def test_no_act_in_the_past_and_one_schedule_at_a_time(admin: World) -> None:
    new, second = approved(admin, NEW), approved(admin, FILE.replace("500.0", "300.0").encode())
    with pytest.raises(Refused, match="rules-past"):
        rulefiles.activate(act(admin, "bo"), new.proposal_id, admin.clock.now() - timedelta(seconds=1))
    rulefiles.activate(act(admin, "bo"), new.proposal_id, NOON)
    with pytest.raises(Conflict, match="rules-scheduled"):
        rulefiles.activate(act(admin, "bo"), second.proposal_id)
    rulefiles.withdraw(act(admin, "anna"), new.proposal_id, "not before the fair")
    admin.house.forget(admin.company_id)
    admin.clock.turn_to(NOON)
    assert (live(admin), state(admin, new.proposal_id)) == (OLD, State.WITHDRAWN)
    assert first_order(admin, 1, "160") == "approved"
    with pytest.raises(Conflict, match="rules-state"):
        rulefiles.withdraw(act(admin, "anna"), new.proposal_id)
    rulefiles.activate(act(admin, "bo"), second.proposal_id)
    assert happened(admin)[-3:] == [
        ("RulesScheduled", "key:bo"),
        ("RulesWithdrawn", "key:anna"),
        ("RulesActivated", "key:bo"),
    ]
    assert admin.faults() == []


def test_of_two_who_activate_at_once_one_is_told_that_live_has_moved_on(admin: World) -> None:
    waiting = [approved(admin, FILE.replace("500.0", f"{n}00.0").encode()) for n in (1, 2, 3)]
    together = Barrier(len(waiting))

    def go(one: Proposal) -> str:
        desk = act(admin, "bo")
        together.wait()
        try:
            return rulefiles.activate(desk, one.proposal_id).sha256
        except Conflict as conflict:
            return conflict.code

    with ThreadPoolExecutor(len(waiting)) as people:
        said = sorted(people.map(go, waiting), key=len)
    admin.house.forget(admin.company_id)
    assert said[:2] == ["rules-moved-on", "rules-moved-on"]
    assert said[2] == sha256(live(admin)).hexdigest()
    assert admin.faults() == []


def test_a_rollback_calls_off_what_is_scheduled_and_tells_the_finance_desk(admin: World) -> None:
    def with_address(connection: Connection) -> None:
        found = companies.find(connection, admin.company_id)
        profile = replace(found.profile, finance_email="finance@supplier.example")
        companies.describe(connection, replace(found, profile=profile))

    admin.house.database.write(with_address)
    second = FILE.replace("500.0", "300.0").encode()
    activated(admin, second)
    scheduled = activated(admin, NEW, NOON)
    with pytest.raises(NotFound, match="never in force"):
        rulefiles.rollback(act(admin, "cy"), "credit", scheduled.sha256, "no")
    with pytest.raises(Conflict, match="rules-unchanged"):
        rulefiles.rollback(act(admin, "cy"), "credit", load(second, name="x").sha256, "no")
    rulefiles.rollback(act(admin, "cy"), "credit", load(OLD, name="x").sha256, "customers complain")
    admin.house.forget(admin.company_id)
    admin.run()
    assert admin.mails[-1]["Subject"] == "The credit rules were rolled back"
    assert "customers complain" in admin.mails[-1].get_payload()
    admin.clock.turn_to(NOON)
    assert (live(admin), state(admin, scheduled.proposal_id)) == (OLD, State.WITHDRAWN)
    assert happened(admin)[-2:] == [("RulesWithdrawn", "key:cy"), ("RulesRolledBack", "key:cy")]
    assert admin.faults() == []


def test_another_process_that_has_heard_of_it_switches_at_the_same_instant(admin: World) -> None:
    other = open_house(Settings(database_url=admin.house.settings.database_url))
    other.clock = SteppedClock(admin.clock.now())
    activated(admin, NEW, NOON)
    facts = decided_facts(admin)
    desk = other.desk(admin.company_id)  # it reads the history once, before the instant
    sides = []
    for at in (NOON - timedelta(seconds=1), NOON):
        other.clock.turn_to(at)
        sides.append(desk.decider.decide("credit", facts).outcome)
    assert sides == ["approve", "refer"]
    other.close()


def test_another_process_hears_of_it_within_seconds(admin: World, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = decided_facts(admin)
    other = open_house(Settings(database_url=admin.house.settings.database_url))
    other.clock = admin.clock

    def outcome() -> str:
        return other.desk(admin.company_id).decider.decide("credit", facts).outcome

    before = outcome()
    activated(admin, NEW)
    remembered = outcome()
    then = time.monotonic() + MEMORY_SECONDS
    with monkeypatch.context() as later:
        later.setattr("gateway.wiring.time.monotonic", lambda: then)
        after = outcome()
    assert (before, remembered, after) == ("approve", "approve", "refer")
    other.close()


def test_a_clock_that_is_behind_finds_what_the_company_started_with(world: World) -> None:
    other = open_house(Settings(database_url=world.house.settings.database_url))
    other.clock = SteppedClock(world.clock.now() - timedelta(minutes=5))
    facts = {fact.name: fact.neutral for fact in POLICIES["credit"].facts.values()}
    assert other.desk(world.company_id).decider.decide("credit", facts).alarm is None
    other.close()


def decided_facts(world: World) -> Mapping[str, FactValue]:
    """Facts of a first order of 200.00."""
    assert first_order(world, 99, "160") == "approved"
    with world.house.database.read() as connection:
        query = select(decision.c.subject_id).where(decision.c.policy == "credit")
        [(subject)] = connection.execute(query).scalars()
        return orders.decisions(connection, world.company_id, subject)[0][1].facts


def test_switching_frees_the_engine_that_decided_before(admin: World) -> None:
    facts = decided_facts(admin)
    opened: list[CagedRuleset] = []
    closed: list[CagedRuleset] = []

    class Watched(CagedRuleset):
        def __init__(self, program: Program) -> None:
            super().__init__(program)
            opened.append(self)

        def close(self) -> None:
            super().close()
            closed.append(self)

    house = open_house(Settings(database_url=admin.house.settings.database_url))
    house.engine, house.clock = Watched, admin.clock
    for number in range(3):
        activated(admin, FILE.replace("500.0", f"{number + 1}00.0").encode())
        house.forget(admin.company_id)
        assert house.desk(admin.company_id).decider.decide("credit", facts).alarm is None
    assert (len(opened), closed) == (3, opened[:2])
    house.close()
    assert closed == opened


def test_a_shadow_that_fails_or_cannot_be_written_leaves_the_orders_alone(admin: World) -> None:
    new = approved(admin)
    rulefiles.shadow(act(admin, "bo"), new.proposal_id)
    admin.house.forget(admin.company_id)
    for number, failing in enumerate(("_difference", "rulefiles.add_differences")):

        def fail(*_: object) -> None:
            raise ValueError("no room")

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(f"gateway.stages.shadow.{failing}", fail)
            assert first_order(admin, number, "160") == "approved"
    assert admin.faults() == []


@pytest.mark.parametrize(
    ("order", "reason", "added", "differs"),
    [
        ("160", None, "", 1),
        ("160", "waits until 2026-04-14", "", 1),  # what the law adds makes no decision a person's
        ("60", None, "", 0),
        ("60", None, ": INV-7", 0),  # nor is what a stage adds to a rule's words a difference
    ],
)
def test_a_shadow_compares_what_rules_said(
    admin: World, order: str, reason: str | None, added: str, differs: int
) -> None:
    new = approved(admin)
    rulefiles.shadow(act(admin, "bo"), new.proposal_id)
    admin.house.forget(admin.company_id)
    desk = act(admin, "bo")
    facts = {name: fact.neutral for name, fact in POLICIES["credit"].facts.items()}
    live = desk.decider.decide("credit", facts | {"first_order": True, "this_order": Decimal(order)})
    decided = [orders.Decided("ord_1", None, replace(live, say=live.say + added), reason)]
    admin.house.database.write(
        lambda c: shadow.compare(c, admin.company_id, admin.clock.now(), desk.shadows, decided)
    )
    with admin.house.database.read() as connection:
        assert len(store.differences(connection, admin.company_id, new.proposal_id)) == differs


def test_a_shadow_costs_one_statement_where_it_differs_and_none_where_nobody_looks(admin: World) -> None:
    admin.given_stock({"SN-40": {"BERGEN": 9}})
    new = approved(admin)
    taken = count_statements(admin.house)

    def spent(number: int, customer: str, pieces: int) -> int:
        admin.given_customer(customer, approval_until=None)
        admin.house.desk(admin.company_id)
        taken()
        admin.orders(f"S-{number}", ("SN-40", pieces, "100"), customer=customer)
        return len(taken())

    spent(0, "A-0", 2)  # what the first of a day sets in motion is not counted
    alone = spent(1, "A-1", 2)
    rulefiles.shadow(act(admin, "bo"), new.proposal_id)
    admin.house.forget(admin.company_id)
    differing, same = spent(2, "A-2", 2), spent(3, "A-2", 1)
    assert (differing - alone, same - alone) == (1, 0)


def test_a_dunning_shadow_sees_the_decisions_that_are_not_kept(admin: World) -> None:
    received = admin.orders("O-1", ("SN-33", 10, "4"))
    admin.ships(received.stored.order_id)
    loud = """\
policy: dunning
strictest_first: [wait, L1]
otherwise: wait
rules:
  - {id: E1, when: {days_overdue: "<= 0"}, then: L1, letter: first notice}
tests:
  - {name: not yet due, given: {days_overdue: -3}, expect: L1, by: E1}
"""
    new = approved(admin, loud.encode())
    rulefiles.shadow(act(admin, "bo"), new.proposal_id)
    admin.house.forget(admin.company_id)
    admin.events()
    admin.turns_to("2026-03-03")
    assert admin.events() == []
    with admin.house.database.read() as connection:
        seen = store.differences(connection, admin.company_id, new.proposal_id)
        [count] = store.difference_counts(connection, admin.company_id, new.proposal_id)
    assert [(one.subject_id, one.live_outcome, one.shadow_outcome) for one in seen] == [
        ("INV-00001", "wait", "L1")
    ] * 2
    assert tuple(count) == ("wait", "L1", 2)
