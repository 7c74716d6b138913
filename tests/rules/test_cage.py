"""What kills a process in durable-rules cannot be said in a file, or is kept from it.

Each case runs in a process of its own, so that a crash is a failed test and not a lost test run.
"""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

BEFORE = """
import resource, sys, threading
from decimal import Decimal
from typing import Any
from o2c.errors import Broken, Refused
from rules.closures import ClosureExecutor
from rules.compile import Encoder, shards
from rules.decider import RuleDecider
from rules.durable import CagedRuleset
from rules.rulebook import default_content, load
from rules.vocabulary import POLICIES

HEAD = "policy: credit\\nstrictest_first: [hold, refer, approve]\\notherwise: refer\\n"
NEUTRAL = {name: fact.neutral for name, fact in POLICIES["credit"].facts.items()}

def rules(cells):
    lines = (f"  - {{id: R{n}, when: {{{cell}}}, then: hold}}\\n" for n, cell in enumerate(cells))
    return load((HEAD + "rules:\\n" + "".join(lines)).encode(), name="rules", accepted=True)

def table(cells):
    rows = "".join(f"      - [{cell}, hold]\\n" for cell in cells)
    start = "tables:\\n  - id: T\\n    hit: first\\n    columns: [overdue_days, then]\\n    rows:\\n"
    return load((HEAD + start + rows).encode(), name="table", accepted=True)

def faults(make, *args):
    try:
        make(*args)
    except Refused as refused:
        return [fault.code for fault in refused.faults]
    return []

def agree(book, **given):
    codes = Encoder(book.program).encode(NEUTRAL | given)
    engine = CagedRuleset(book.program)
    verdict = engine.run(codes)
    assert verdict == ClosureExecutor(book.program).run(codes), verdict
    engine.close()
    return verdict
"""


def lives(script: str, timeout: int = 60) -> str:
    """Runs ``script`` in a new process and gives what it printed; a signal or a hang fails the test."""
    done = subprocess.run(
        [sys.executable, "-c", BEFORE + textwrap.dedent(script)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )
    assert done.returncode == 0, f"ended with {done.returncode}: {done.stderr[-2000:]}"
    return done.stdout.strip()


@pytest.mark.parametrize(
    "cell",
    ["exposure: '> 100 / 0'", "exposure: '<= credit_limit / 0'", "exposure: {$div: [1, 0]}", "$div: {a: 0}"],
)
def test_a_division_cannot_be_said(cell: str) -> None:
    assert lives(f"print(bool(faults(rules, [{cell!r}])))") == "True"


def test_six_hundred_rules_with_one_antecedent_run_in_shards() -> None:
    script = """
    book = rules(["overdue_days: '> 5'"] * 600)
    assert len(list(shards(book.program.clauses))) == 13
    print(len(agree(book, overdue_days=6).fired), len(agree(book, overdue_days=5).fired))
    """
    assert lives(script) == "600 0"


def test_rules_that_look_at_nothing_run_in_shards() -> None:
    assert lives("print(len(agree(rules([''] * 300)).fired))") == "300"


def test_more_first_tests_than_the_engine_holds_are_refused() -> None:
    script = """
    print(faults(rules, [f"overdue_days: {n}" for n in range(512)]))
    agree(rules([f"overdue_days: {n}" for n in range(400)]), overdue_days=399)
    """
    assert lives(script) == "['too-many-rules']"


@pytest.mark.parametrize(
    "cells",
    [
        "[f'\"> {n}\"' for n in range(200)]",
        "[f'\"<= {1000 + n}\"' for n in range(200)]",
        "[f'\"[{n} .. {n + 1}]\"' for n in range(200)]",  # one matches, two hundred begin with a true test
        "[f'\"[{n} .. {2000 - n}]\"' for n in range(200)]",
    ],
)
def test_no_fact_passes_more_tests_than_the_engine_can_stack(cells: str) -> None:
    lives(f"""
    book = table({cells})
    for days in (-1, 0, 1, 199, 200, 900, 1900, 3000):
        agree(book, overdue_days=days)
    """)


def test_two_levels_of_true_tests_are_not_too_many() -> None:
    lives("""
    book = rules([f"overdue_days: '> {a}', exposure: '> {b}'" for a in range(20) for b in range(20)])
    assert len(agree(book, overdue_days=99, exposure=Decimal(99)).fired) == 400
    """)


def test_huge_numbers_are_exact_or_an_alarm() -> None:
    script = """
    book = rules(["this_order: '>= 1000000000000000.00'", "exposure: '> credit_limit'"])
    top = Decimal(10) ** 15
    assert agree(book, this_order=top).fired == ("R0",)
    assert agree(book, this_order=top - Decimal("0.001")).fired == ()
    assert agree(book, exposure=top, credit_limit=-top).fired == ("R1",)
    assert agree(book, exposure=-top, credit_limit=top).fired == ()
    decider = RuleDecider({"credit": book})
    for huge in (Decimal("1e16"), Decimal("1e-07"), 10**30, Decimal("Infinity")):
        assert decider.decide("credit", NEUTRAL | {"this_order": huge}).alarm
    print(faults(rules, ["this_order: '> 10000000000000000'"]))
    """
    assert lives(script) == "['number-too-large']"


def test_sessions_do_not_pile_up() -> None:
    lives("""
    decider = RuleDecider({"credit": load(default_content("credit"), name="credit")})
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for n in range(4000):  # the engine holds 1024; every other one matches nothing
        assert decider.decide("credit", NEUTRAL | {"on_hold": n % 2 == 0}).alarm is None
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000
    """)


def test_text_is_never_compared_with_a_number() -> None:
    script = """
    decider = RuleDecider({"credit": rules(["overdue_days: '> 500'"])})
    decision = decider.decide("credit", NEUTRAL | {"overdue_days": "99"})
    print(decision.outcome, decision.rule, decision.alarm)
    """
    assert lives(script) == "refer None fact overdue_days must be days, not '99'."


@pytest.mark.parametrize("field", ["sid", "id", "fact", "$s", "exposure-credit_limit"])
def test_the_session_and_the_marker_cannot_be_named(field: str) -> None:
    script = f"""
    print(faults(rules, ["'{field}': 1"]))
    line = "derived:\\n  - {{id: F, fact: '{field}', when: {{on_hold: yes}}}}\\n"
    print(faults(lambda: load((HEAD + line).encode(), name="x")))
    """
    assert lives(script) == "['unknown-field']\n['wrong-type']"


def test_a_rule_joins_no_facts_however_many_conditions_it_has() -> None:
    # The engine joins at most 16 facts and dies of more; here a rule is one fact with many tests.
    lives("""
    facts = POLICIES["credit"].facts
    cells = [f"{name}: '{'no' if fact.words == ('no', 'yes') else fact.words[0] if fact.words else '<= 9'}"
             f"{' %' if fact.kind == 'percent' else ''}'" for name, fact in facts.items()]
    book = rules([", ".join(cells)])
    assert len(book.program.clauses[0].conditions) == len(facts) > 11
    assert agree(book, country="AD").fired == ("R0",)
    assert agree(book, country="AE").fired == ()
    """)


def test_more_facts_than_the_engine_takes_are_refused() -> None:
    script = """
    def derive(count):
        lines = "".join(f"  - {{id: F{n}, fact: f{n}, when: {{on_hold: yes}}}}\\n" for n in range(count))
        used = "".join(f"  - {{id: R{n}, when: {{f{n}: yes}}, then: hold}}\\n" for n in range(count))
        return load((HEAD + "derived:\\n" + lines + "rules:\\n" + used).encode(), name="x", accepted=True)

    assert len(agree(derive(199), on_hold=True).fired) == 2 * 199
    print(faults(derive, 200))
    """
    assert lives(script) == "['too-many-rules']"


def test_facts_that_rest_on_themselves_never_reach_the_engine() -> None:
    script = """
    lines = "derived:\\n  - {id: F1, fact: a, when: {b: yes}}\\n  - {id: F2, fact: b, when: {a: yes}}\\n"
    print(faults(lambda: load((HEAD + lines).encode(), name="x")))
    """
    assert lives(script) == "['circle']"


def test_the_engine_is_told_nothing_but_bounds_and_equality() -> None:
    lives("""
    from rules import durable
    from rules.compile import boxes
    cells = ["risk_class: not B", "overdue_days: 'not 7, 9'", "exposure: '<= credit_limit'",
             "exposure_percent: '(1 % .. 2 %]'", "first_order: yes", "country: 'NO, SE'", ""]
    said = set()
    def walk(test):
        for key, value in test.items():
            said.add(key if key.startswith("$") else "=")
            for inner in value if isinstance(value, list) else [value]:
                if isinstance(inner, dict):
                    walk({k: v for k, v in inner.items() if isinstance(v, dict | list) or k.startswith("$")})
    for clause in rules(cells).program.clauses:
        for box in boxes(clause):
            walk(durable._rule(box.terms, clause.position)["all"][0]["m"])
    assert said <= {"$and", "$gte", "$lte", "="}, said
    """)


def test_the_same_figures_come_as_often_as_they_like() -> None:
    # The engine knows a fact by a 32-bit hash unless it has an id of its own: each has one.
    lives("""
    decider = RuleDecider({"credit": rules(["overdue_days: '> 5'"])})
    for _ in range(3000):
        assert decider.decide("credit", NEUTRAL | {"overdue_days": 6}).alarm is None
    """)


def test_the_engine_runs_no_action_of_ours() -> None:
    # An action with a default argument would be taken for an asynchronous one and stall the session,
    # and one that raises would be swallowed. Rules are taken by name, so no action is ever called.
    lives("""
    from rules import durable
    def never(_, late=None):
        raise AssertionError("an action ran")
    durable._never = never
    assert agree(rules(["overdue_days: '> 5'"]), overdue_days=6).fired == ("R0",)
    """)


def test_no_thread_runs_behind_our_back() -> None:
    assert lives("agree(rules(['overdue_days: 5'])); print(threading.active_count())") == "1"


def test_a_session_the_engine_never_touched_is_lost_and_not_deleted() -> None:
    script = """
    book = rules(["overdue_days: '> 500'"])
    engine = CagedRuleset(book.program)
    errors = []
    for _ in range(20):
        try:
            engine.run({"overdue_days": 1e-07})  # error 204 before any action
        except Broken as error:
            errors.append(error.code)
    engine.close()
    print(errors.count("engine-failed"), errors.count("engine-out-of-service"))
    """
    assert lives(script) == "17 3"


def test_a_thousand_reloads_leave_no_memory_behind() -> None:
    lives("""
    book = load(default_content("dunning"), name="dunning")
    decider = RuleDecider({"dunning": book})
    facts = {name: fact.neutral for name, fact in POLICIES["dunning"].facts.items()}
    def reload(times):
        for _ in range(times):
            decider.replace(book)
            assert decider.decide("dunning", facts).alarm is None
    reload(50)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    reload(1000)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 20_000, grown
    """)
