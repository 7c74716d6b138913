"""Replay finds exactly the decisions that come out otherwise, and is quick about it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

import pytest

from gateway.store.rows import pack, unpack
from o2c.decision import Decision
from o2c.errors import Broken
from rules.closures import ClosureExecutor
from rules.decider import RuleDecider
from rules.replay import Changed, Ending, Past, Replay, replay
from rules.rulebook import Rulebook, default_content, load
from rules.vocabulary import POLICIES
from tests.rules.figures import neutral_facts, random_facts
from tests.rules.test_agreement import random_file

ROUNDS = 5_000  # for each policy, and as many again on files nobody wrote
# What an admin might change in each default file.
EDITS = {
    "credit": [(b"> 14", b"> 10"), (b"<= 500.00", b"<= 250.00"), (b"(100 % .. 110 %]", b"(100 % .. 105 %]"),
               (b"queue: credit team", b"queue: credit desk"), (b"> 110 %", b"> 105 %")],
    "stock": [(b"<= 10", b"<= 11"), (b"> 10", b"> 11"), (b"nearest first", b"fullest first")],
    "dunning": [(b"< 5.00", b"< 4.99"), (b">= 28", b">= 27"), (b"final notice", b"hand over")],
    "cash": [(b"<= 1.00", b"<= 4.99"), (b"<= 3", b"<= 10"), (b"Too small to ask for", b"A trifle")],
}  # fmt: skip


def default(policy: str) -> Rulebook:
    return load(default_content(policy), name=f"{policy}.yaml")


def edited(policy: str) -> Rulebook:
    content = default_content(policy).partition(b"tests:")[0]
    edits = [(old, new) for old, new in EDITS[policy] if old in content]
    assert len(edits) > 1
    for old, new in edits:
        content = content.replace(old, new)
    return load(content, name="edited.yaml")


def past(number: int, decision: Decision) -> Past:
    """The row a database would give for a decision."""
    body = json.loads(pack(decision))
    facts = json.dumps(body["facts"], separators=(",", ":"), sort_keys=True)
    who = f"dec_{number}", f"ord_{number}", None, "2026-03-01T12:00:00.000000+00:00"
    return Past(*who, decision.rulebook_sha, decision.outcome, decision.rule, facts)


def decisions(book: Rulebook, count: int, random: Random) -> Iterator[Decision]:
    """Random decisions as they read after a round through the database."""
    decider = RuleDecider({book.policy: book}, engine=ClosureExecutor)
    for _ in range(count):
        decided = decider.decide(book.policy, random_facts(book.policy, random))
        yield unpack(Decision, pack(decided))


def afresh(old: Rulebook, new: Rulebook, made: list[Decision]) -> list[tuple[int, Ending, Ending, bool]]:
    """The changes, by deciding each one again on both files with every fact."""
    before, after = (RuleDecider({b.policy: b}, engine=ClosureExecutor) for b in (old, new))
    found = []
    for number, decision in enumerate(made):
        was, is_ = (each.decide(decision.policy, decision.facts) for each in (before, after))
        assert was.alarm is None
        assert is_.alarm is None
        if (was.outcome, was.say, was.actions) != (is_.outcome, is_.say, is_.actions):
            only_actions = was.outcome == is_.outcome
            found.append((number, (was.outcome, was.rule), (is_.outcome, is_.rule), only_actions))
    return found


def told(result: Replay) -> list[tuple[int, Ending, Ending, bool]]:
    return [(int(c.past.decision_id[4:]), c.old, c.new, c.only_actions) for c in result.changes]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_list_of_changes_is_that_of_deciding_each_one_afresh(policy: str) -> None:
    old, new = default(policy), edited(policy)
    made = list(decisions(old, ROUNDS, Random(policy)))
    result = replay(old, new, (past(n, one) for n, one in enumerate(made)))
    assert result.count == ROUNDS
    assert result.skipped == ()
    assert told(result) == afresh(old, new, made)
    assert sum(result.transitions.values()) == len(result.changes) > 5
    assert {c.only_actions for c in result.changes} == {True, False}


@pytest.mark.parametrize("seed", range(40))
def test_it_is_so_for_files_nobody_wrote(seed: int) -> None:
    random = Random(seed)
    policy = POLICIES[random.choice(list(POLICIES))]
    contents = [random_file(policy, random) for _ in range(2)]
    old, new = (load(content.encode(), name="random", accepted=True) for content in contents)
    made = list(decisions(old, 125, random))
    result = replay(old, new, [past(n, one) for n, one in enumerate(made)])
    assert result.count == 125
    assert told(result) == afresh(old, new, made)


def test_what_an_admin_reads_of_a_lower_limit() -> None:
    old = default("credit")
    new = load(
        default_content("credit").replace(b"500.00", b"400.00").replace(b"500.01", b"400.01"),
        name="lower.yaml",
    )
    decider = RuleDecider({"credit": old}, engine=ClosureExecutor)
    made = [
        decider.decide("credit", neutral_facts("credit", first_order=True, this_order=Decimal(value)))
        for value in ("100", "400.00", "450.00", "500.00", "500.01")
    ]
    rows = [past(n, one) for n, one in enumerate(made)]
    result = replay(old, new, rows)
    assert (result.count, result.transitions) == (5, {"approve -> refer": 2})
    assert result.changes == tuple(
        Changed(rows[n], ("approve", "C40"), ("refer", None), False) for n in (2, 3)
    )


def test_another_name_for_a_rule_changes_nothing() -> None:
    old = default("credit")
    new = load(default_content("credit").replace(b"C40", b"C41"), name="renamed.yaml")
    made = decisions(old, 500, Random(1))
    assert replay(old, new, (past(n, one) for n, one in enumerate(made))).changes == ()


def changed_facts(**facts: Any) -> Past:
    """A decision of the past whose stored facts were other than today's; None takes one away."""
    stored = {
        "risk_class": "A",
        "on_hold": False,
        "overdue_days": 20,
        "exposure": {"decimal": "5.00"},
    } | facts
    kept = {name: value for name, value in stored.items() if value is not None}
    return Past("dec_1", "ord_1", None, "2026", "0" * 64, "refer", None, json.dumps(kept))


OLD = load(
    b"policy: credit\nstrictest_first: [hold, refer]\notherwise: refer\n"
    b"rules:\n  - {id: X1, when: {overdue_days: '> 14', exposure: '> 1.00'}, then: hold}\n",
    name="old",
)
NEW = load(
    OLD.content.replace(b"'> 14'", b"'> 30'").replace(b"'> 1.00'", b"'> 1.00', risk_class: A"), name="new"
)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({}, None),
        ({"on_hold": None}, None),  # no rule reads it, so it need not have been recorded
        ({"on_hold": "perhaps"}, None),
        ({"exposure": 5}, None),  # a whole amount
        ({"exposure": {"decimal": "-0.001"}}, "same"),
        ({"exposure": {"decimal": "1.001"}}, None),
        ({"exposure": {"decimal": "1.000"}}, "same"),
        ({"risk_class": None}, "fact risk_class was not recorded."),
        ({"overdue_days": None}, "fact overdue_days was not recorded."),
        ({"overdue_days": "20"}, "fact overdue_days must be days, not '20'."),
        ({"overdue_days": True}, "fact overdue_days must be days, not True."),
        ({"overdue_days": 10**19}, "fact overdue_days is beyond what the rule engine takes: 1.000E+19."),
        ({"exposure": "5.00"}, "fact exposure must be money, not '5.00'."),
        ({"exposure": 5.0}, "fact exposure must be money, not 5.0."),
        ({"exposure": {"decimal": "five"}}, "fact exposure must be money, not \"{'decimal': 'five'}\"."),
        ({"exposure": {"decimal": "NaN"}}, "fact exposure is no usable number: Decimal('NaN')."),
        ({"exposure": {"decimal": "1.0001"}}, "fact exposure has more than 3 decimals: 1.0001."),
        ({"exposure": {"amount": "1.0001"}}, "fact exposure must be money, not \"{'amount': '1.0001'}\"."),
        ({"risk_class": "D"}, "fact risk_class must be one of A, B, C, not 'D'."),
        ({"risk_class": ["A"]}, "fact risk_class must be one of A, B, C, not ['A']."),
    ],
)  # fmt: skip
def test_only_facts_that_a_file_reads_take_part(facts: dict[str, Any], reason: str | None) -> None:
    one = changed_facts(**facts)
    result = replay(OLD, NEW, [one])
    if reason in (None, "same"):
        expected = () if reason else (Changed(one, ("hold", "X1"), ("refer", None), False),)
        assert (result.count, result.changes, result.skipped) == (1, expected, ())
    else:
        assert (result.count, result.changes) == (0, ())
        assert [(one.past, one.reason) for one in result.skipped] == [
            (one, f"could not be replayed: {reason}")
        ]


def test_facts_that_do_not_read_are_named_and_the_others_go_on() -> None:
    rows = [changed_facts()._replace(facts=text) for text in ("", "{", "[]", "3", '{"exposure"')]
    result = replay(OLD, NEW, [*rows, changed_facts()])
    assert (result.count, len(result.changes), len(result.skipped)) == (1, 1, 5)
    assert {one.reason for one in result.skipped} == {"could not be replayed: its facts cannot be read."}


@pytest.mark.parametrize(
    ("text", "holds"),
    [("100", False), ("100.00", False), ("100.001", True), ("100.0000000000000000000000001", True),
     ("100.000000", False), ("99.991", False), ("-100.001", False), ("-0.001", False), ("0.001", False)],
)  # fmt: skip
def test_a_share_counts_as_in_a_decision_a_hair_above_is_above(text: str, holds: bool) -> None:
    head = b"policy: credit\nstrictest_first: [hold, refer]\notherwise: refer\nrules:\n"
    one = load(head + b"  - {id: X1, when: {exposure_percent: '> 100 %'}, then: hold}\n", name="one")
    two = load(head + b"  - {id: X1, when: {exposure_percent: '> 9999 %'}, then: hold}\n", name="two")
    result = replay(one, two, [changed_facts(exposure_percent={"decimal": text})])
    facts = neutral_facts("credit", exposure_percent=Decimal(text))
    decided = RuleDecider({"credit": one}, engine=ClosureExecutor).decide("credit", facts)
    assert (len(result.changes) == 1, decided.outcome == "hold") == (holds, holds)


def test_facts_may_come_as_they_were_decided_on() -> None:
    facts = neutral_facts("credit", overdue_days=20, exposure=Decimal("5.00"))
    assert len(replay(OLD, NEW, [changed_facts()._replace(facts=facts)]).changes) == 1


def test_two_policies_cannot_be_compared() -> None:
    with pytest.raises(Broken) as broken:
        replay(default("credit"), default("stock"), [])
    assert broken.value.code == "policy-mismatch"
