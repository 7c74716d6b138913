"""The decider never loses an order: whatever fails ends in ``otherwise`` with an alarm."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from threading import Barrier, Event

import pytest

from o2c.decision import Decision, FactValue
from o2c.errors import Broken, Refused
from o2c.ports import Decider
from rules.closures import ClosureExecutor
from rules.compile import Codes, Encoder, Executor, Program, Verdict
from rules.decider import RuleDecider
from rules.rulebook import default_content, load
from tests.rules.figures import neutral_facts, random_facts

ROOT = Path(__file__).resolve().parents[2]
CREDIT = load(default_content("credit"), name="credit.yaml")
STRICT = load(
    b"policy: credit\nstrictest_first: [hold, refer]\notherwise: refer\n"
    b"rules:\n  - {id: X1, when: {overdue_days: '>= 0'}, then: hold}\n",
    name="strict.yaml",
)


class Erring:
    """An engine that answers as ``bend`` makes it, and remembers whether it was freed."""

    def __init__(self, program: Program, bend: Callable[[Verdict], Verdict]) -> None:
        self._right = ClosureExecutor(program)
        self._bend = bend
        self.closed = 0

    def run(self, codes: Codes) -> Verdict:
        return self._bend(self._right.run(codes))

    def close(self) -> None:
        self.closed += 1


def erring(bend: Callable[[Verdict], Verdict]) -> Callable[[Program], Executor]:
    return lambda program: Erring(program, bend)


def fail(_: Verdict) -> Verdict:
    raise MemoryError("no more sessions")


def assert_fell_back(decision: Decision, *words: str) -> None:
    assert (decision.outcome, decision.rule, decision.fired, decision.say) == ("refer", None, (), "")
    assert decision.rulebook_sha == CREDIT.sha256
    assert decision.alarm is not None
    for word in words:
        assert word in decision.alarm


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        (lambda right: Verdict("approve", "C40", ("C40",)), ("C20", "C40", "closures hold by C20")),
        (lambda right: Verdict(right.outcome, right.rule, (*right.fired, "C30")), ("differ on C30",)),
        (lambda right: Verdict("approve", right.rule, right.fired), ("differ on C20", "engine approve")),
        (lambda right: Verdict(right.outcome, None, right.fired), ("differ on C20, otherwise",)),
        (fail, ("the rule engine failed: MemoryError: no more sessions",)),
    ],
)
def test_an_engine_that_errs_is_found_out(bend: Callable[[Verdict], Verdict], words: tuple[str, ...]) -> None:
    facts = neutral_facts("credit", on_hold=True)
    assert (
        RuleDecider({"credit": CREDIT}, engine=erring(lambda right: right)).decide("credit", facts).rule
        == "C20"
    )
    assert_fell_back(RuleDecider({"credit": CREDIT}, engine=erring(bend)).decide("credit", facts), *words)


def test_a_rule_that_raises_is_named() -> None:
    codes = Encoder(CREDIT.program).encode(neutral_facts("credit"))
    del codes["on_hold"]
    with pytest.raises(Broken) as broken:
        ClosureExecutor(CREDIT.program).run(codes)
    assert (broken.value.code, broken.value.message) == (
        "rule-failed",
        "rule C20 failed: KeyError: 'on_hold'.",
    )

    def forgetful(program: Program) -> Executor:
        return Erring(program, lambda _: ClosureExecutor(program).run(codes))

    decider = RuleDecider({"credit": CREDIT}, engine=forgetful)
    assert_fell_back(decider.decide("credit", neutral_facts("credit", on_hold=True)), "rule C20 failed")


def test_every_alarm_is_heard_and_nothing_else_is() -> None:
    heard: list[Decision] = []
    decider = RuleDecider({"credit": CREDIT}, alarm=heard.append)
    assert decider.decide("credit", neutral_facts("credit")).alarm is None
    failed = decider.decide("credit", neutral_facts("credit", overdue_days="99"))
    assert heard == [failed]
    decider.close()


def test_facts_that_cannot_be_used_are_named() -> None:
    decider: Decider = RuleDecider({"credit": CREDIT})
    whole = neutral_facts("credit", on_hold=True)
    missing = {name: value for name, value in whole.items() if name != "exposure"}
    assert_fell_back(decider.decide("credit", missing), "fact exposure is missing")
    assert_fell_back(decider.decide("credit", whole | {"overdue_days": "99"}), "overdue_days must be days")
    assert_fell_back(decider.decide("credit", whole | {"expsure": 1}), "did you mean 'exposure'")
    odd: dict[str, FactValue] = whole | {"exposure": 1.5}  # type: ignore[assignment]
    decision = decider.decide("credit", odd)
    assert_fell_back(decision, "exposure must be money, not 1.5")
    assert decision.facts["exposure"] == "1.5"  # the evidence, as a text


def test_a_policy_without_a_rulebook_is_our_mistake() -> None:
    decider = RuleDecider({"credit": CREDIT})
    with pytest.raises(Broken) as broken:
        decider.decide("stock", {})
    assert broken.value.code == "rulebook-missing"
    with pytest.raises(Broken) as broken:
        RuleDecider({"stock": CREDIT})
    assert broken.value.code == "policy-mismatch"


def test_a_new_file_takes_over_and_a_bad_one_does_not() -> None:
    decider = RuleDecider({"credit": CREDIT})
    facts = neutral_facts("credit", on_hold=True)
    with pytest.raises(Refused):
        decider.replace(
            load(default_content("credit").replace(b"on_hold: yes", b"on_hald: yes"), name="bad.yaml")
        )
    assert decider.decide("credit", facts).rule == "C20"
    decider.replace(STRICT)
    assert (decider.decide("credit", facts).rule, decider.decide("credit", facts).rulebook_sha) == (
        "X1",
        STRICT.sha256,
    )


def test_an_engine_that_cannot_be_built_leaves_the_old_file_in_force() -> None:
    def build(program: Program) -> Executor:
        if program.sha256 == STRICT.sha256:
            raise MemoryError("no room")
        return ClosureExecutor(program)

    decider = RuleDecider({"credit": CREDIT}, engine=build)
    with pytest.raises(MemoryError):
        decider.replace(STRICT)
    assert decider.decide("credit", neutral_facts("credit", on_hold=True)).rule == "C20"


def test_a_replaced_engine_is_freed_once_the_last_decision_has_left_it() -> None:
    entered, leave = Event(), Event()

    def wait(right: Verdict) -> Verdict:
        entered.set()
        assert leave.wait(10)
        return right

    engines: list[Erring] = []

    def build(program: Program) -> Executor:
        engines.append(Erring(program, (lambda right: right) if engines else wait))
        return engines[-1]

    decider = RuleDecider({"credit": CREDIT}, engine=build)
    with ThreadPoolExecutor(1) as pool:
        under_way = pool.submit(decider.decide, "credit", neutral_facts("credit", on_hold=True))
        assert entered.wait(10)
        decider.replace(STRICT)
        assert engines[0].closed == 0
        leave.set()
        assert under_way.result().rulebook_sha == CREDIT.sha256
    decider.replace(CREDIT)
    decider.close()
    assert [engine.closed for engine in engines] == [1, 1, 1]
    with pytest.raises(Broken):
        decider.decide("credit", neutral_facts("credit"))


def test_eight_threads_and_reloads_on_the_way_give_no_wrong_decision() -> None:
    decider = RuleDecider({"credit": CREDIT})
    truth = RuleDecider({"credit": CREDIT}, engine=ClosureExecutor)
    start = Barrier(9)

    def work(seed: int) -> int:
        random = Random(seed)
        start.wait()
        wrong = 0
        for _ in range(500):
            facts = random_facts("credit", random)
            wrong += decider.decide("credit", facts) != truth.decide("credit", facts)
        return wrong

    def reload() -> None:
        start.wait()
        for _ in range(50):
            decider.replace(CREDIT)

    with ThreadPoolExecutor(9) as pool:
        reloading = pool.submit(reload)
        wrong = list(pool.map(work, range(8)))
        reloading.result()
    assert wrong == [0] * 8
    decider.close()


def test_the_order_in_which_facts_come_does_not_matter() -> None:
    decider = RuleDecider({"credit": CREDIT})
    facts = neutral_facts("credit", on_hold=True)
    shuffled = dict(reversed(facts.items()))
    assert repr(decider.decide("credit", facts)) == repr(decider.decide("credit", shuffled))


def test_the_same_file_and_facts_give_the_same_bytes_in_any_process() -> None:
    script = (
        "from rules.decider import RuleDecider\n"
        "from rules.rulebook import default_content, load\n"
        "from tests.rules.figures import neutral_facts\n"
        "for policy in ('credit', 'stock', 'dunning', 'cash'):\n"
        "    book = load(default_content(policy), name=policy)\n"
        "    print(RuleDecider({policy: book}).decide(policy, neutral_facts(policy)))\n"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(said) == 1
    assert said != {b""}
