"""The engine and the closures give the same decision, whatever the facts and whatever the file."""

from __future__ import annotations

from collections import Counter
from functools import cache, partial
from random import Random

import pytest

from rules.closures import ClosureExecutor
from rules.compile import box_count, shards
from rules.decider import RuleDecider
from rules.durable import CagedRuleset
from rules.rulebook import Rulebook, default_content, load
from rules.vocabulary import POLICIES, SCALE, Fact, Kind, Policy
from tests.rules.figures import random_facts, random_value

PATIENT = partial(CagedRuleset, seconds=60)  # a busy machine is no fault of the engine

ROUNDS = 50_000


@pytest.mark.slow
@pytest.mark.parametrize("policy", POLICIES)
def test_both_executors_give_the_same_decision_row(policy: str) -> None:
    book = load(default_content(policy), name=f"{policy}.yaml")
    by_engine = RuleDecider({policy: book}, engine=PATIENT)
    by_closures = RuleDecider({policy: book}, engine=ClosureExecutor)
    random, decided_by = Random(policy), Counter[str | None]()
    for _ in range(ROUNDS):
        facts = random_facts(policy, random)
        decision = by_engine.decide(policy, facts)
        assert decision.alarm is None, (facts, decision.alarm)
        assert decision == by_closures.decide(policy, facts)
        decided_by[decision.rule] += 1
    assert set(decided_by) == {clause.id for clause in book.program.clauses} | {None}, "a rule never decided"
    by_engine.close()


@pytest.mark.parametrize("seed", range(30))
def test_both_executors_agree_on_files_nobody_wrote(seed: int) -> None:
    book, random = random_book(seed), Random(seed)
    by_engine = RuleDecider({book.policy: book}, engine=PATIENT)
    by_closures = RuleDecider({book.policy: book}, engine=ClosureExecutor)
    for _ in range(100):
        facts = random_facts(book.policy, random)
        decision = by_engine.decide(book.policy, facts)
        assert decision.alarm is None
        assert decision == by_closures.decide(book.policy, facts)
        not_fired = {unmet.rule for unmet in decision.why_not}
        assert not_fired == {step.id for step in book.program.steps} - set(decision.fired)
    by_engine.close()


def test_the_random_files_reach_what_the_default_files_do_not() -> None:
    programs = [random_book(seed).program for seed in range(30)]
    clauses = [clause for program in programs for clause in program.clauses]
    assert any(box_count(clause) > 1 for clause in clauses)
    assert any(len(list(shards(program.clauses))) > 1 for program in programs)
    assert any(program.differences() for program in programs)
    assert {bool(clause.first_of) for clause in clauses} == {True, False}
    assert {bool(clause.collects) for clause in clauses} == {True, False}
    assert {len(program.strata) for program in programs} == {1, 2, 3}


@cache
def random_book(seed: int) -> Rulebook:
    """A file that nobody wrote, and nobody would: hence not judged, only read."""
    random = Random(seed)
    policy = POLICIES[random.choice(list(POLICIES))]
    return load(random_file(policy, random).encode(), name=f"random {seed}", accepted=True)


def random_file(policy: Policy, random: Random) -> str:
    outcomes = random.sample(policy.outcomes, len(policy.outcomes))
    lines = [
        f"policy: {policy.name}",
        f"strictest_first: [{', '.join(outcomes)}]",
        f"otherwise: {outcomes[0]}",
    ]
    derived = random.choice(["", "one", "one two"]).split()
    lines.append("derived:")
    for number in range(3 * len(derived)):
        fields = random.sample(list(policy.facts.values()), random.randint(1, 2))
        cells = [f"{fact.name}: {random_cell(fact, policy, random)}" for fact in fields]
        fact = derived[number % len(derived)]
        cells += ["one: yes"] if fact == "two" and number > 2 else []
        lines.append(f"  - {{id: F{number}, fact: {fact}, when: {{{', '.join(cells)}}}}}")
    lines.append("rules:")
    for number in range(random.choice([0, 5, 80])):
        fields = random.sample(list(policy.facts.values()), random.randint(0, 3))
        cells = [f"{fact.name}: {random_cell(fact, policy, random)}" for fact in fields]
        cells += [f"{fact}: {random.choice(['yes', 'no'])}" for fact in derived if random.random() < 0.5]
        when, then = ", ".join(cells), random.choice(outcomes)
        lines.append(f"  - {{id: R{number}, when: {{{when}}}, then: {then}}}")
    fields = random.sample(list(policy.facts.values()), 4)
    lines.append("tables:")
    lines.append("  - id: T")
    lines.append(f"    hit: {random.choice(['first', 'collect'])}")
    lines.append(f"    columns: [{', '.join([*(fact.name for fact in fields), *derived])}, then]")
    lines.append("    rows:")
    for _ in range(random.choice([3, 12, 70])):
        row = [random_cell(fact, policy, random) for fact in fields]
        row += [random.choice(["yes", "no", '"-"']) for _ in derived]
        lines.append(f"      - [{', '.join(row)}, {random.choice(outcomes)}]")
    return "\n".join(lines)


def random_cell(fact: Fact, policy: Policy, random: Random) -> str:
    if random.random() < 0.4:
        return '"-"'
    if fact.words:
        return f'"{", ".join(random.sample(fact.words, random.randint(1, min(len(fact.words) - 1, 5))))}"'
    # One direction only: a < b and b < a in one rule would be refused as impossible.
    others = [
        other.name for other in policy.facts.values() if other.kind is fact.kind and other.name > fact.name
    ]
    if others and random.random() < 0.3:
        return f'"{random.choice(["<", "<=", ">", ">=", "="])} {random.choice(others)}"'
    low, high = sorted(fact.encode(random_value(fact, random)) for _ in range(2))
    ends = figure(fact, low), figure(fact, high + 1)
    return random.choice([
        f'"<= {ends[0]}"', f'"> {ends[0]}"', f'"[{ends[0]} .. {ends[1]}]"', f'"[{ends[0]} .. {ends[1]})"',
        f'"{ends[0]}, {ends[1]}"', f'["< {ends[1]}", ">= {ends[0]}"]', f'"< {ends[0]}, > {ends[1]}"',
    ])  # fmt: skip


def figure(fact: Fact, code: int) -> str:
    digits = SCALE[fact.kind]
    text = f"{abs(code):0{digits + 1}d}"
    number = f"{text[:-digits]}.{text[-digits:]}" if digits else text
    return ("-" if code < 0 else "") + number + (" %" if fact.kind is Kind.PERCENT else "")
