"""A stored decision comes out of its stored file and facts again, byte for byte."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from gateway.store.rows import pack, unpack
from o2c.decision import Decision, FactValue, Ruling, by_hand, person_of
from o2c.errors import Refused
from rules.compile import COMPILER, Codes, Executor, Program, Verdict
from rules.decider import RuleDecider
from rules.rederive import Rederivation, rederive
from rules.rulebook import Rulebook, default_content, load
from rules.vocabulary import POLICIES
from tests.rules.figures import neutral_facts, random_facts
from tests.rules.test_agreement import random_file

ROUNDS = 1_000
BOOKS = {policy: load(default_content(policy), name=f"{policy}.yaml") for policy in POLICIES}
CREDIT = BOOKS["credit"]


class Failing:
    """An engine that fails."""

    def __init__(self, _: Program) -> None:
        pass

    def run(self, codes: Codes) -> Verdict:
        raise MemoryError("no more sessions")

    def close(self) -> None:
        pass


def stored(book: Rulebook, make: Callable[[Program], Executor] | None = None, **given: FactValue) -> Decision:
    """A decision of the live decider, as it reads after a round through the database's JSON."""
    decider = RuleDecider({book.policy: book}, engine=make) if make else RuleDecider({book.policy: book})
    decision = decider.decide(book.policy, neutral_facts(book.policy, **given))
    decider.close()
    return unpack(Decision, pack(decision))


@pytest.mark.parametrize("policy", POLICIES)
def test_whatever_the_facts_the_bytes_are_the_same(policy: str) -> None:
    random = Random(policy)
    assert_same_bytes(BOOKS[policy], random)


@pytest.mark.parametrize("seed", range(10))
def test_it_is_so_for_files_nobody_wrote(seed: int) -> None:
    random = Random(seed)
    policy = random.choice(list(POLICIES))
    content = random_file(POLICIES[policy], random)
    assert_same_bytes(load(content.encode(), name="random", accepted=True), random, 50)


def assert_same_bytes(book: Rulebook, random: Random, rounds: int = ROUNDS) -> None:
    policy, again, live = book.policy, Rederivation(book), RuleDecider({book.policy: book})
    for number in range(rounds):
        decision = live.decide(policy, random_facts(policy, random))
        if number % 5 == 0:
            decision = by_hand(decision, random.choice(POLICIES[policy].outcomes), "anna")
        text = pack(decision)
        assert pack(again.of(unpack(Decision, text))) == text
    live.close()


def test_a_persons_word_stands_and_what_the_rules_said_is_made_again() -> None:
    ruled = stored(CREDIT, on_hold=True)
    decision = by_hand(ruled, "approve", "anna")
    assert (decision.outcome, decision.rule, decision.say) == ("approve", None, "Decided by anna")
    assert decision.overruled == Ruling("hold", "C20", ruled.say, ruled.actions)
    assert rederive(CREDIT, decision) == decision
    assert decision.overruled is not None
    bent = replace(decision, overruled=replace(decision.overruled, outcome="refer"))
    assert rederive(CREDIT, bent) == decision
    assert (person_of(decision), person_of(ruled)) == ("anna", None)


def test_what_the_house_added_to_a_rules_words_stays() -> None:
    ruled = stored(CREDIT, on_hold=True)
    told = replace(ruled, say=f"{ruled.say}: INV-00007 (12.00 EUR)")
    assert rederive(CREDIT, told) == told
    assert rederive(CREDIT, replace(ruled, say="Never mind: INV-00007")) == ruled
    by_nothing = stored(CREDIT, exposure=Decimal(600))
    assert (by_nothing.rule, by_nothing.say) == (None, "")
    told = replace(by_nothing, say=": a higher limit would help")
    assert (rederive(CREDIT, told), person_of(told)) == (told, None)


def test_a_persons_word_of_old_that_does_not_say_what_it_overruled() -> None:
    ruled = stored(CREDIT, on_hold=True)
    old = replace(
        ruled, outcome="reject", rule=None, say="Decided by anna", actions={}, engine="durable-rules 2.0.28"
    )
    assert person_of(old) == "anna"
    assert rederive(CREDIT, old) == old


def test_a_decision_without_a_working_engine_is_otherwise_and_keeps_its_alarm() -> None:
    failed = stored(CREDIT, Failing, on_hold=True)
    assert failed.alarm is not None
    assert rederive(CREDIT, failed) == failed
    overruled = by_hand(failed, "approve", "anna")
    assert rederive(CREDIT, overruled) == overruled
    assert rederive(CREDIT, replace(failed, outcome="approve")) == failed
    odd = replace(failed, facts={"exposure": "1.5", "nonsense": True}, alarm="fact exposure must be money")
    assert rederive(CREDIT, odd) == odd


def test_facts_that_came_later_into_the_vocabulary_do_not_matter() -> None:
    decision = stored(CREDIT, on_hold=True)
    old = replace(decision, facts={k: v for k, v in decision.facts.items() if k != "country"})
    assert rederive(CREDIT, old) == old
    missing = replace(decision, facts={k: v for k, v in decision.facts.items() if k != "exposure"})
    with pytest.raises(Refused, match="fact exposure was not recorded, and the rule file reads it"):
        rederive(CREDIT, missing)


def test_another_compiler_may_have_had_other_words_but_no_other_result() -> None:
    decision = stored(CREDIT)
    first = decision.why_not[0]
    words = (replace(first, conditions=("in other words",)), *decision.why_not[1:])
    assert f"compiler {COMPILER}" in decision.engine
    assert rederive(CREDIT, replace(decision, why_not=words)) == decision
    for engine in ("durable-rules 2.0.28", f"durable-rules 3, compiler {COMPILER + 1}"):
        old = replace(decision, why_not=words, engine=engine)
        assert rederive(CREDIT, old) == old
        assert rederive(CREDIT, replace(old, why_not=words[1:])).why_not == decision.why_not
        assert rederive(CREDIT, replace(old, outcome="approve")).outcome == decision.outcome


@pytest.mark.parametrize(
    "change",
    [
        {"outcome": "approve"}, {"rule": "C10"}, {"say": "Fine"}, {"actions": {"queue": "nobody"}},
        {"fired": ()}, {"fired": ("C20", "C30")}, {"why_not": ()}, {"facts": {"on_hold": False}},
        {"facts": {"exposure": Decimal(1)}},
    ],
)  # fmt: skip
def test_whatever_was_changed_comes_out_otherwise(change: dict[str, object]) -> None:
    decision = stored(CREDIT, on_hold=True)
    facts = change.get("facts")
    bent = replace(decision, **{**change, **({"facts": {**decision.facts, **facts}} if facts else {})})  # type: ignore[dict-item,arg-type]
    assert pack(rederive(CREDIT, bent)) != pack(bent)


def test_another_file_is_not_asked() -> None:
    other = load(default_content("credit") + b"# another version\n", name="other.yaml")
    with pytest.raises(Refused) as refused:
        rederive(other, stored(CREDIT))
    assert refused.value.code == "rulebook-other"
