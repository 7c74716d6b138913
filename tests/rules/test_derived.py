"""Derived facts: an overdue invoice makes an overdue customer, and that one's orders are held.

Both executors run them level by level and agree; what fired is part of the evidence.
"""

from __future__ import annotations

from decimal import Decimal

import pytest

from o2c.decision import Decision, FactValue, Unmet
from o2c.errors import Refused
from rules.closures import ClosureExecutor
from rules.decider import RuleDecider
from rules.rulebook import Rulebook, load
from tests.rules.figures import neutral_facts

CHAIN = """\
policy: credit
strictest_first: [reject, hold, refer, approve]
otherwise: refer
derived:
  - {id: F3, fact: stop_orders, when: {overdue_customer: yes, risk_class: "B, C"}}
  - {id: F4, fact: stop_orders, when: {on_hold: yes}, means: {en: no orders, de: keine Ware, nb: ingen ordre}}
  - {id: F1, fact: overdue_customer, when: {late: yes, overdue_amount: ">= 100.00"}, means: owes us for long}
  - {id: F2, fact: late, when: {overdue_days: "> 14 d"}}
rules:
  - {id: R1, when: {stop_orders: yes}, then: hold}
  - {id: R2, when: {overdue_customer: yes, stop_orders: no}, then: refer}
  - {id: R3, when: {late: no}, then: approve}
tests:
  - {name: owing, given: {overdue_days: 15, overdue_amount: 100.00, risk_class: B}, expect: hold, by: R1}
  - {name: late and safe, given: {overdue_days: 15, overdue_amount: 100.00}, expect: refer, by: R2}
  - {name: in time, given: {overdue_days: 14, overdue_amount: 100.00}, expect: approve, by: R3}
"""  # fmt: skip


@pytest.fixture(scope="module")
def chain() -> Rulebook:
    return load(CHAIN.encode(), name="chain.yaml")


def decided(book: Rulebook, **given: FactValue) -> Decision:
    """The live decision, which is that of the closures too."""
    decider, plain = RuleDecider({"credit": book}), RuleDecider({"credit": book}, engine=ClosureExecutor)
    facts = neutral_facts("credit", **given)
    decision = decider.decide("credit", facts)
    assert decision.alarm is None
    assert decision == plain.decide("credit", facts)
    decider.close()
    return decision


@pytest.mark.parametrize(
    ("days", "amount", "risk", "on_hold", "outcome", "fired"),
    [
        # days  amount   class  on hold  outcome    fired, derived facts first and level by level
        (15, "100.00", "B", False, "hold", "F2 F1 F3 R1"),
        (15, "100.00", "A", False, "refer", "F2 F1 R2"),
        (15, "99.99", "C", False, "refer", "F2"),
        (14, "100.00", "C", False, "approve", "R3"),
        (14, "100.00", "C", True, "hold", "F4 R1 R3"),
        (15, "100.00", "C", True, "hold", "F2 F1 F3 F4 R1"),  # two lines, one fact
    ],
)
def test_a_chain_is_followed_to_its_end(
    chain: Rulebook, days: int, amount: str, risk: str, on_hold: bool, outcome: str, fired: str
) -> None:
    decision = decided(
        chain, overdue_days=days, overdue_amount=Decimal(amount), risk_class=risk, on_hold=on_hold
    )
    assert (decision.outcome, " ".join(decision.fired)) == (outcome, fired)


def test_the_facts_of_a_decision_are_those_given(chain: Rulebook) -> None:
    assert set(decided(chain).facts) == set(chain.program.facts)


def test_what_was_not_derived_says_why_not(chain: Rulebook) -> None:
    decision = decided(chain, overdue_days=15, overdue_amount=Decimal(50))
    assert decision.why_not == (
        Unmet("F1", ("overdue_amount >= 100.00 (is 50.00)",)),
        Unmet("F3", ("overdue_customer = yes (is no)", "risk_class in B, C (is A)")),
        Unmet("F4", ("on_hold = yes (is no)",)),
        Unmet("R1", ("stop_orders = yes (is no)",)),
        Unmet("R2", ("overdue_customer = yes (is no)",)),
        Unmet("R3", ("late = no (is yes)",)),
    )


def test_levels_and_meanings(chain: Rulebook) -> None:
    assert [(d.id, d.fact, d.level, d.position) for d in chain.program.derivations] == [
        ("F2", "late", 0, 0),
        ("F1", "overdue_customer", 1, 1),
        ("F3", "stop_orders", 2, 2),
        ("F4", "stop_orders", 2, 3),
    ]
    assert [clause.position for clause in chain.program.clauses] == [4, 5, 6]
    assert {name: dict(fact.labels) for name, fact in chain.program.derived.items()} == {
        "stop_orders": {"en": "no orders", "de": "keine Ware", "nb": "ingen ordre"},
        "overdue_customer": dict.fromkeys(("en", "de", "nb"), "owes us for long"),
        "late": dict.fromkeys(("en", "de", "nb"), "late"),
    }


def test_two_fields_may_be_compared_on_the_way() -> None:
    book = load(
        b"policy: credit\nstrictest_first: [hold, approve]\notherwise: hold\n"
        b"derived:\n  - {id: F1, fact: within, when: {exposure: '<= credit_limit'}}\n"
        b"rules:\n  - {id: R1, when: {within: yes}, then: approve}\n",
        name="x",
    )
    assert decided(book, exposure=Decimal(5), credit_limit=Decimal(5)).outcome == "approve"
    assert decided(book, exposure=Decimal(6), credit_limit=Decimal(5)).outcome == "hold"


def chained(length: int) -> bytes:
    """f0 rests on days, f1 on f0, and so on; the last one is held."""
    lines = ["  - {id: F0, fact: f0, when: {overdue_days: '> 1'}}"]
    lines += [f"  - {{id: F{n}, fact: f{n}, when: {{f{n - 1}: yes}}}}" for n in range(1, length)]
    head = "policy: credit\nstrictest_first: [hold, approve]\notherwise: approve\nderived:\n"
    return (
        head + "\n".join(lines) + f"\nrules:\n  - {{id: R, when: {{f{length - 1}: yes}}, then: hold}}\n"
    ).encode()


def test_eight_levels_and_no_more() -> None:
    decision = decided(load(chained(8), name="x"), overdue_days=2)
    assert (decision.outcome, len(decision.fired)) == ("hold", 9)
    with pytest.raises(Refused, match="more than 8 deep"):
        load(chained(9), name="x")


@pytest.mark.parametrize(
    ("old", "new", "place", "code", "words"),
    [
        ("when: {overdue_days: \"> 14 d\"}", "when: {stop_orders: yes}", "line 5, column 20", "circle",
         "stop_orders <- overdue_customer <- late <- stop_orders: a derived fact cannot rest on itself"),
        ("fact: late,", "fact: on_hold,", "line 8, column 20", "duplicate-fact", "choose another name"),
        ("fact: late,", "fact: Late!,", "line 8, column 20", "wrong-type", "named like overdue_customer"),
        ("fact: late,", "fact: sid,", "line 8, column 20", "wrong-type", "named like overdue_customer"),
        ("fact: late,", "fact: queue,", "line 8, column 20", "wrong-type", "named like overdue_customer"),
        ("when: {late: no}", "when: {latte: no}", "line 12, column 21", "unknown-field",
         "did you mean 'late'?"),
        ("id: F2", "id: R1", "line 10, column 10", "duplicate-id", "already used at line 8, column 10"),
        (", nb: ingen ordre", "", "line 6, column 62", "missing-key", "'nb' is missing"),
        ("{late: no}", "{late: > no}", "line 12, column 27", "yaml", "in quotes"),
        ("{late: no}", "{late: nei}", "line 12, column 27", "wrong-type", "late: write no, not 'nei'."),
        ("given: {overdue_days: 14,", "given: {late: no,", "line 16, column 29", "unknown-field",
         "late is derived; give the facts that it rests on"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_derived_fact(old: str, new: str, place: str, code: str, words: str) -> None:
    assert CHAIN.count(old) == 1
    with pytest.raises(Refused) as refused:
        load(CHAIN.replace(old, new).encode(), name="chain.yaml")
    first = refused.value.faults[0]
    assert (first.pointer, first.code) == (place, code), first
    assert words in first.message


def test_a_derived_fact_that_nobody_reads_is_remarked() -> None:
    text = CHAIN.replace("stop_orders: no}, then: refer", "risk_class: A}, then: refer")
    text = text.replace("{stop_orders: yes}, then: hold", "{on_hold: yes}, then: hold")
    text = text.replace("risk_class: B}, expect: hold", "on_hold: yes}, expect: hold")
    book = load(text.encode(), name="x")
    assert [(r.pointer, r.code, r.message) for r in book.remarks] == [
        ("line 5, column 10", "unread", "no rule reads stop_orders; use it in a rule, or remove it.")
    ]
