"""The three files that the format was planned with load as they stand and decide as they say.

They are read from the reference folder, so this is skipped where there is none.
"""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

import pytest

from o2c.decision import FactValue
from rules.closures import ClosureExecutor
from rules.decider import RuleDecider
from rules.durable import CagedRuleset
from rules.rulebook import Rulebook, load
from tests.rules.figures import neutral_facts


@pytest.fixture(scope="module")
def books(shared: Path) -> dict[str, Rulebook]:
    text = (shared / "facts" / "rules.md").read_text(encoding="utf-8")
    section = text[text.index("## 4. Rule files") : text.index("## 5. Peers")]
    fence = re.search(r"```yaml\n(.*?)```", section, re.DOTALL)
    assert fence is not None
    loaded = [load(part.encode(), name="planned") for part in fence[1].split("---\n")]
    return {book.policy: book for book in loaded}


def test_they_load_and_their_tests_hold_in_both_executors(books: dict[str, Rulebook]) -> None:
    assert {name: len(book.program.clauses) for name, book in books.items()} == {
        "credit": 7,
        "stock": 5,
        "dunning": 9,
    }
    assert [len(book.examples) for book in books.values()] == [1, 0, 0]
    for book in books.values():
        engine, closures = CagedRuleset(book.program), ClosureExecutor(book.program)
        for example in book.examples:
            verdict = engine.run(example.figures)
            assert (verdict.outcome, verdict.rule) == (example.expect, example.by)
            assert verdict == closures.run(example.figures)
        engine.close()


@pytest.mark.parametrize(
    ("policy", "given", "outcome", "rule", "actions"),
    [
        ("credit", {"earlier_refused": True}, "refer", "C10", "queue: credit team; answer_within: 4 h"),
        ("credit", {"overdue_days": 15, "overdue_amount": Decimal(100)}, "hold", "C20", ""),
        ("credit", {"first_order": True, "this_order": Decimal(500)}, "approve", "C30", ""),
        ("credit", {"approval_valid": True, "overdue_days": 14}, "approve", "C40", ""),
        ("credit", {"risk_class": "C", "exposure_percent": Decimal(111)}, "hold", "C50/3",
         "queue: credit manager; answer_within: 24 h"),
        ("stock", {"ordered": Decimal(10), "atp_here": Decimal(10), "atp_all": Decimal(10)},
         "allocate", "S10", ""),
        ("stock", {"ordered": Decimal(10), "atp_all": Decimal(10), "split_allowed": True}, "split", "S20",
         "order_of_warehouses: nearest first"),
        ("stock", {"ordered": Decimal(10), "atp_all": Decimal(3), "partial_allowed": True}, "partial", "S30",
         "rest: backorder"),
        ("stock", {"ordered": Decimal(10), "next_receipt_days": 10}, "backorder", "S40", "notify: customer"),
        ("stock", {"ordered": Decimal(10)}, "cancel", "S50", "notify: customer and sales"),
        ("dunning", {"dispute_open": True, "days_overdue": 60}, "stop", "D10", ""),
        ("dunning", {"days_overdue": -3}, "L0", "D50/1",
         "letter: payment reminder; dunning_fee: no; late_interest: no"),
        ("dunning", {"level_now": "L0", "days_overdue": 4}, "L1", "D50/2",
         "letter: first notice; dunning_fee: no; late_interest: no"),
        ("dunning", {"level_now": "L1", "days_overdue": 14, "days_since_last": 10}, "L2", "D50/3",
         "letter: second notice; dunning_fee: legal max; late_interest: yes; credit: hold new orders"),
        ("dunning", {"level_now": "L3", "days_overdue": 45}, "collection", "D50/5",
         "letter: hand over; late_interest: yes; credit: block"),
    ],
)  # fmt: skip
def test_what_they_decide(
    books: dict[str, Rulebook],
    policy: str,
    given: dict[str, FactValue],
    outcome: str,
    rule: str,
    actions: str,
) -> None:
    decider = RuleDecider({policy: books[policy]})
    decision = decider.decide(policy, neutral_facts(policy, **given))
    decider.close()
    assert decision.alarm is None
    assert (decision.outcome, decision.rule) == (outcome, rule)
    assert "; ".join(f"{name}: {value}" for name, value in decision.actions.items()) == actions
