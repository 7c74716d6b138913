"""What the files we ship decide, as tables: facts beside the plain case, then the decision."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest

from rules.closures import ClosureExecutor
from rules.decider import RuleDecider
from rules.durable import CagedRuleset
from rules.rulebook import default_content, load
from rules.vocabulary import POLICIES
from tests.rules.figures import neutral_facts

BOOKS = {policy: load(default_content(policy), name=f"{policy}.yaml") for policy in POLICIES}


@pytest.fixture(scope="module")
def decider() -> Iterator[RuleDecider]:
    decider = RuleDecider(BOOKS)
    yield decider
    decider.close()


def check(decider: RuleDecider, policy: str, given: str, outcome: str, rule: str, actions: str) -> None:
    pairs = (pair.split("=") for pair in given.split())
    facts = neutral_facts(policy, **{name: parsed(policy, name, text) for name, text in pairs})
    decision = decider.decide(policy, facts)
    assert decision.alarm is None
    assert (decision.outcome, decision.rule or "otherwise") == (outcome, rule)
    assert "; ".join(f"{name}: {value}" for name, value in decision.actions.items()) == actions


def parsed(policy: str, name: str, text: str) -> bool | int | Decimal | str:
    neutral = POLICIES[policy].facts[name].neutral
    if isinstance(neutral, bool):
        return {"yes": True, "no": False}[text]
    return type(neutral)(text)


HOLD = "queue: credit team; answer_within: 8 h"


@pytest.mark.parametrize(
    ("given", "outcome", "rule", "actions"),
    [
        # given                                                   outcome    rule   actions
        ("first_order=yes this_order=143.75 exposure_percent=999999", "approve", "C40", ""),
        ("first_order=yes this_order=500.00 risk_class=B", "approve", "C40", ""),
        ("first_order=yes this_order=500.01", "refer", "otherwise", ""),
        ("first_order=yes this_order=1 risk_class=C", "refer", "otherwise", ""),
        ("first_order=yes this_order=1 earlier_refused=yes", "refer", "C10",
         "queue: credit team; answer_within: 4 h"),
        ("on_hold=yes approval_valid=yes credit_limit=9", "hold", "C20", HOLD),
        ("on_hold=yes earlier_refused=yes", "hold", "C20", HOLD),
        ("overdue_days=15 overdue_amount=100.00", "hold", "C30", HOLD),
        ("overdue_days=14 overdue_amount=100.00", "approve", "C55", ""),
        ("overdue_days=14 overdue_amount=600.00 exposure=600", "refer", "otherwise", ""),
        ("overdue_days=15 overdue_amount=99.99", "refer", "otherwise", ""),
        ("approval_valid=yes exposure=1000 credit_limit=1000 exposure_percent=100", "approve", "C50", ""),
        ("approval_valid=no exposure=500 exposure_percent=999999", "approve", "C55", ""),
        ("approval_valid=no exposure=500.01 exposure_percent=999999", "refer", "otherwise", ""),
        ("approval_valid=no exposure=10 risk_class=C exposure_percent=999999", "refer", "otherwise", ""),
        ("approval_valid=yes exposure=1050 credit_limit=1000 exposure_percent=105", "approve", "C60/1", ""),
        ("credit_limit=1000 exposure=1100 exposure_percent=110", "approve", "C60/1", ""),
        ("risk_class=C credit_limit=10000 exposure=10001 exposure_percent=100.01",
         "refer", "C60/2", "queue: credit team; answer_within: 8 h"),
        ("credit_limit=1000 exposure=1100.001 exposure_percent=110.0001",
         "hold", "C60/3", "queue: credit manager; answer_within: 24 h"),
        ("approval_lapsed=yes exposure=501", "refer", "C52", "queue: credit team; answer_within: 8 h"),
        ("approval_lapsed=yes exposure=500", "approve", "C55", ""),
        ("paid_invoices=5 share_paid_late=50 mean_days_late=15 exposure=501",
         "refer", "C70", "queue: credit team; answer_within: 8 h"),
        ("broken_promises=2 exposure=501", "refer", "C72", "queue: credit team; answer_within: 8 h"),
        ("review_due=yes credit_limit=1000 exposure_percent=80.01",
         "refer", "C75", "queue: credit team; answer_within: 2 d"),
        ("group_limit=1000 group_exposure_percent=100.01",
         "refer", "C80/1", "queue: credit team; answer_within: 8 h"),
        ("group_limit=1000 group_exposure_percent=110.01",
         "hold", "C80/2", "queue: credit manager; answer_within: 24 h"),
    ],
)  # fmt: skip
def test_credit(decider: RuleDecider, given: str, outcome: str, rule: str, actions: str) -> None:
    check(decider, "credit", given, outcome, rule, actions)


@pytest.mark.parametrize(
    ("given", "outcome", "rule", "actions"),
    [
        ("product_known=no stocked=no", "cancel", "S10/1", "notify: customer and sales"),
        ("stocked=no ordered=5", "allocate", "S10/2", ""),
        ("ordered=10 atp_here=10 atp_all=10", "allocate", "S10/3", ""),
        ("ordered=10 atp_here=6 atp_all=10 split_allowed=yes", "split", "S10/5",
         "order_of_warehouses: nearest first"),
        ("ordered=10 atp_here=6 atp_all=10 partial_allowed=yes", "backorder", "otherwise", ""),
        ("ordered=10 substitute_atp=10 substitute_allowed=yes", "substitute", "S10/9", "notify: customer"),
        ("ordered=10 substitute_atp=10", "cancel", "S10/10", "notify: customer and sales"),
        ("ordered=10 substitute_atp=9", "cancel", "S10/10", "notify: customer and sales"),
        ("ordered=10 atp_here=6 atp_all=9 split_allowed=yes partial_allowed=yes", "partial", "S10/6",
         "rest: backorder; notify: customer"),
        ("ordered=10 atp_here=6 atp_all=9 next_receipt_days=10", "backorder", "S10/7", "notify: customer"),
        ("ordered=10 atp_here=6 atp_all=9 next_receipt_days=11", "cancel", "S10/10",
         "notify: customer and sales"),
        ("ordered=10 next_receipt_days=0 partial_allowed=yes", "backorder", "S10/7", "notify: customer"),
        ("ordered=10 atp_all=-4", "cancel", "S10/10", "notify: customer and sales"),
        ("ordered=10 atp_here=6 atp_other=10 atp_all=16 split_allowed=yes", "elsewhere", "S10/4", ""),
        ("ordered=10 inbound=10 next_receipt_days=30", "backorder", "S10/8", "notify: customer"),
        ("ordered=10 inbound=10 next_receipt_days=31", "cancel", "S10/10", "notify: customer and sales"),
    ],
)  # fmt: skip
def test_stock(decider: RuleDecider, given: str, outcome: str, rule: str, actions: str) -> None:
    check(decider, "stock", given, outcome, rule, actions)


FREE = "dunning_fee: no; late_interest: no; lump_sum: no"
L0 = f"letter: friendly reminder; review: yes; {FREE}"
L1 = f"letter: first notice; flag: account; credit: hold new orders; {FREE}"
L2 = "flag: account; credit: hold new orders; dunning_fee: legal max; late_interest: yes; lump_sum: no"
L3 = "flag: account; credit: hold new orders; dunning_fee: legal max; late_interest: yes; lump_sum: yes"
END = (
    "letter: hand over; review: yes; flag: account; credit: block; dunning_fee: no; late_interest: yes;"
    " lump_sum: yes"
)


@pytest.mark.parametrize(
    ("given", "outcome", "rule", "actions"),
    [
        ("days_since_invoice=13 days_overdue=-17", "wait", "otherwise", ""),
        ("days_since_invoice=14 days_overdue=-16", "L0", "D60/1", L0),
        ("level_now=L0 days_since_invoice=15 days_overdue=-15 days_since_last=1", "wait", "otherwise", ""),
        ("level_now=L0 days_since_invoice=30 days_overdue=0 days_since_last=16", "wait", "otherwise", ""),
        ("level_now=L0 days_since_invoice=31 days_overdue=1 days_since_last=17", "L1", "D60/2", L1),
        ("days_overdue=1", "L1", "D60/2", L1),
        ("days_overdue=7 grace_days=7", "wait", "otherwise", ""),
        ("days_overdue=8 grace_days=7", "L1", "D60/2", L1),
        ("days_overdue=0 grace_days=-1", "wait", "otherwise", ""),
        ("level_now=L1 days_overdue=13 days_since_last=12", "wait", "otherwise", ""),
        ("level_now=L1 days_overdue=14 days_since_last=10", "L2", "D60/3", f"letter: second notice; {L2}"),
        ("level_now=L2 days_overdue=28 days_since_last=13", "wait", "otherwise", ""),
        ("level_now=L2 days_overdue=28 days_since_last=14", "L3", "D60/4", f"letter: final notice; {L3}"),
        ("level_now=L3 days_overdue=44 days_since_last=14", "wait", "otherwise", ""),
        ("level_now=L3 days_overdue=45 days_since_last=14", "collection", "D60/5", END),
        ("level_now=collection days_overdue=400", "wait", "otherwise", ""),
        ("dispute_open=yes money_in_sight=yes days_overdue=60", "stop", "D10", "review: yes"),
        ("dunning_block=yes days_overdue=60", "stop", "D20", ""),
        ("promise_to_pay_days_left=0 days_overdue=60", "wait", "D30", ""),
        ("money_in_sight=yes days_overdue=60", "wait", "D40", "review: yes"),
        ("open_amount=4.99 days_overdue=60", "wait", "D50", ""),
        ("open_amount=5.00 days_overdue=60", "L1", "D60/2", L1),
    ],
)
def test_dunning(decider: RuleDecider, given: str, outcome: str, rule: str, actions: str) -> None:
    check(decider, "dunning", given, outcome, rule, actions)


@pytest.mark.parametrize(
    ("given", "outcome", "rule", "actions"),
    [
        ("discount_offered=yes discount_days_late=-5 difference=20 difference_percent=2",
         "take_discount", "K10/1", ""),
        ("discount_offered=yes discount_days_late=3 discount_gap=0.02 difference=20.02 difference_percent=2",
         "take_discount", "K10/1", ""),
        ("discount_offered=yes discount_days_late=4 difference=20 difference_percent=2",
         "keep_open", "K10/6", "queue: accounts"),
        ("discount_offered=yes discount_days_late=0 discount_gap=0.03 difference=20.03 difference_percent=2",
         "keep_open", "otherwise", ""),
        ("discount_days_late=0 difference=20 difference_percent=2", "keep_open", "otherwise", ""),
        ("bank_charges=yes difference=25 difference_percent=30", "charges", "K10/2", ""),
        ("bank_charges=yes difference=25.01 difference_percent=1", "review", "K10/3", "queue: accounts"),
        ("bank_charges=yes overpaid=yes difference=25 difference_percent=30", "on_account", "K10/5", ""),
        ("difference=1 difference_percent=1", "write_off", "K10/4", ""),
        ("difference=1 difference_percent=1.01", "keep_open", "otherwise", ""),
        ("difference=1.01 difference_percent=0.01", "keep_open", "otherwise", ""),
        ("overpaid=yes difference=1 difference_percent=1", "write_off", "K10/4", ""),
        ("overpaid=yes difference=1.01 difference_percent=0.01", "on_account", "K10/5", ""),
        ("overpaid=yes discount_offered=yes discount_days_late=0 difference=20 difference_percent=2",
         "on_account", "K10/5", ""),
        ("difference=60 difference_percent=50", "keep_open", "otherwise", ""),
    ],
)  # fmt: skip
def test_cash(decider: RuleDecider, given: str, outcome: str, rule: str, actions: str) -> None:
    check(decider, "cash", given, outcome, rule, actions)


@pytest.mark.parametrize("policy", POLICIES)
def test_the_files_we_ship_leave_nothing_to_remark(policy: str) -> None:
    assert BOOKS[policy].remarks == ()


@pytest.mark.parametrize("policy", POLICIES)
def test_the_tests_in_the_file_hold_in_the_engine_too(policy: str) -> None:
    book = BOOKS[policy]
    engine, closures = CagedRuleset(book.program), ClosureExecutor(book.program)
    for example in book.examples:
        verdict = engine.run(example.figures)
        assert (verdict.outcome, verdict.rule or "otherwise") == (example.expect, example.by), example.name
        assert verdict == closures.run(example.figures)
    engine.close()


def test_a_decision_explains_itself_with_the_figures_used(decider: RuleDecider) -> None:
    facts = neutral_facts(
        "credit",
        approval_valid=True,
        exposure=Decimal("1200"),
        credit_limit=Decimal("1000"),
        exposure_percent=Decimal("120"),
        overdue_days=3,
    )
    decision = decider.decide("credit", facts)
    assert (decision.outcome, decision.rule, decision.fired) == ("hold", "C60/3", ("C60/3",))
    assert decision.say == "Far above the credit limit"
    assert {unmet.rule: unmet.conditions for unmet in decision.why_not} == {
        "C10": ("earlier_refused = yes (is no)",),
        "C20": ("on_hold = yes (is no)",),
        "C30": ("overdue_days > 14 (is 3)", "overdue_amount >= 100.00 (is 0.00)"),
        "C40": ("first_order = yes (is no)",),
        "C50": ("exposure <= credit_limit (exposure is 1200.00, credit_limit is 1000.00)",),
        "C52": ("approval_lapsed = yes (is no)",),
        "C55": ("exposure <= 500.00 (is 1200.00)",),
        "C60/1": ("exposure_percent (100 % .. 110 %] (is 120 %)",),
        "C60/2": ("risk_class in B, C (is A)", "exposure_percent (100 % .. 110 %] (is 120 %)"),
        "C70": (
            "paid_invoices >= 5 (is 0)",
            "share_paid_late >= 50 % (is 0 %)",
            "mean_days_late > 14 (is 0)",
        ),
        "C72": ("broken_promises >= 2 (is 0)",),
        "C75": ("review_due = yes (is no)",),
        "C80/1": ("group_limit > 0.00 (is 0.00)", "group_exposure_percent (100 % .. 110 %] (is 0 %)"),
        "C80/2": ("group_limit > 0.00 (is 0.00)", "group_exposure_percent > 110 % (is 0 %)"),
    }


def test_a_later_row_says_which_row_came_first(decider: RuleDecider) -> None:
    decision = decider.decide("stock", neutral_facts("stock", product_known=False, stocked=False))
    assert decision.fired == ("S10/1",)
    assert decision.why_not[0].conditions == ("row S10/1 came first",)
