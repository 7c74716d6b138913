"""Hit policy ``collect``: every row that fits fires, and those of the deciding outcome are all heard."""

from __future__ import annotations

import pytest

from o2c.decision import Decision
from rules.closures import ClosureExecutor
from rules.decider import RuleDecider
from rules.rulebook import load
from tests.rules.figures import neutral_facts

FILE = b"""\
policy: credit
strictest_first: [hold, refer, approve]
otherwise: approve
rules:
  - {id: R1, when: {approval_valid: yes}, then: refer, say: from a rule}
tables:
  - id: T1
    hit: collect
    columns: [overdue_days, risk_class, earlier_refused, then, say, queue, notify, answer_within]
    rows:
      - ["> 14", "-",    "-", hold,  Settle first,    credit team, sales,    8 h]
      - ["> 30", "-",    "-", hold,  Very late,       collection,  customer, 4 h]
      - ["-",    "B, C", "-", hold,  "-",             credit team, customer, "-"]
      - ["-",    A,      yes, refer, Refused before,  "-",         "-",      1 h]
      - ["-",    "-",    yes, refer, Refused earlier, risk desk,   "-",      2 h]
"""
BOOK = load(FILE, name="collect.yaml")


def decided(days: int, risk: str, refused: bool, approval: bool = False) -> Decision:
    facts = neutral_facts(
        "credit", overdue_days=days, risk_class=risk, earlier_refused=refused, approval_valid=approval
    )
    engine, plain = RuleDecider({"credit": BOOK}), RuleDecider({"credit": BOOK}, engine=ClosureExecutor)
    decision = engine.decide("credit", facts)
    assert decision.alarm is None
    assert decision == plain.decide("credit", facts)
    engine.close()
    return decision


@pytest.mark.parametrize(
    ("days", "risk", "refused", "outcome", "rule", "fired", "say", "actions"),
    [
        (0, "A", False, "approve", None, "", "", ""),
        (15, "A", False, "hold", "T1/1", "T1/1", "Settle first",
         "queue: credit team; notify: sales; answer_within: 8 h"),
        (31, "A", False, "hold", "T1/1", "T1/1 T1/2", "Settle first; Very late",
         "queue: credit team, collection; notify: customer and sales; answer_within: 8 h"),
        (31, "B", False, "hold", "T1/1", "T1/1 T1/2 T1/3", "Settle first; Very late",
         "queue: credit team, collection; notify: customer and sales; answer_within: 8 h"),
        # the milder rows fire, but only those of the deciding outcome are heard
        (0, "C", True, "hold", "T1/3", "T1/3 T1/5", "", "queue: credit team; notify: customer"),
        (0, "A", True, "refer", "T1/4", "T1/4 T1/5", "Refused before; Refused earlier",
         "answer_within: 1 h; queue: risk desk"),
    ],
)  # fmt: skip
def test_rows_are_gathered(
    days: int, risk: str, refused: bool, outcome: str, rule: str | None, fired: str, say: str, actions: str
) -> None:
    decision = decided(days, risk, refused)
    assert (decision.outcome, decision.rule, " ".join(decision.fired)) == (outcome, rule, fired)
    assert decision.say == say
    assert "; ".join(f"{name}: {value}" for name, value in decision.actions.items()) == actions


def test_a_rule_that_decides_speaks_for_itself() -> None:
    decision = decided(0, "A", True, approval=True)
    assert (decision.rule, decision.fired, decision.say) == ("R1", ("R1", "T1/4", "T1/5"), "from a rule")


def test_rows_that_add_to_each_other_are_not_idle() -> None:
    assert [remark.code for remark in BOOK.remarks] == ["untested"]
