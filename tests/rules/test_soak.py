"""A long day in one process: many threads decide while files come and go. Nothing wrong, nothing lost,
no memory kept."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path
from random import Random

import pytest

from o2c.decision import Decision, FactValue
from rules.closures import ClosureExecutor
from rules.decider import RuleDecider
from rules.durable import CagedRuleset
from rules.rulebook import Rulebook, default_content, load
from tests.rules.figures import random_facts

PATIENT = partial(CagedRuleset, seconds=60)  # a busy machine is no fault of the engine

DECISIONS = 200_000
THREADS = 8
RELOAD_EVERY = 1_000
WARM_UP = DECISIONS // 5
CASES = 2_000  # sets of facts that come again and again


def version(number: int) -> Rulebook:
    """One of two files that decide otherwise, under a new name for the engine each time."""
    content = default_content("credit").partition(b"tests:")[0]
    if number % 2:
        content = (
            content.replace(b"500.00", b"250.00").replace(b"> 14", b"> 9").replace(b"reject, hold", b"hold")
        )
    return load(content + b"# version %d\n" % number, name=f"version {number}", accepted=True)


def resident() -> int:
    """Pages of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1])


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_two_hundred_thousand_decisions_with_reloads_and_eight_threads() -> None:
    random = Random(11)
    cases = [random_facts("credit", random) for _ in range(CASES)]
    truth = [_truth(version(parity), cases) for parity in (0, 1)]
    assert sum(one != two for one, two in zip(*truth, strict=True)) > 50  # the two files differ
    decider = RuleDecider({"credit": version(0)}, engine=PATIENT)
    parity = {version(0).sha256: 0}
    memory: list[int] = []
    numbers, versions = count(), count(1)

    def work() -> tuple[int, int]:
        right = wrong = 0
        for number in iter(numbers.__next__, None):
            if number >= DECISIONS:
                return right, wrong
            if number % RELOAD_EVERY == 0:
                book_number = next(versions)
                book = version(book_number)
                parity[book.sha256] = book_number % 2
                decider.replace(book)
            if number % RELOAD_EVERY == RELOAD_EVERY // 2 and number >= WARM_UP:
                memory.append(resident())
            place = number % CASES
            decision = decider.decide("credit", cases[place])
            fits = _result(decision) == truth[parity[decision.rulebook_sha]][place]
            right, wrong = right + fits, wrong + (not fits)
        return right, wrong

    with ThreadPoolExecutor(THREADS) as pool:
        done = [future.result() for future in [pool.submit(work) for _ in range(THREADS)]]
    decider.close()
    assert [sum(each) for each in zip(*done, strict=True)] == [DECISIONS, 0]
    assert len(parity) == DECISIONS // RELOAD_EVERY + 1
    tenth = len(memory) // 10
    first, last = sum(memory[:tenth]) / tenth, sum(memory[-tenth:]) / tenth
    assert last / first < 1.1, f"memory grew from {first:.0f} to {last:.0f} pages"


def _truth(book: Rulebook, cases: list[dict[str, FactValue]]) -> list[tuple[object, ...]]:
    by_closures = RuleDecider({"credit": book}, engine=ClosureExecutor)
    return [_result(by_closures.decide("credit", case)) for case in cases]


def _result(
    decision: Decision,
) -> tuple[str, str | None, str, Mapping[str, str], tuple[str, ...], str | None]:
    return (
        decision.outcome, decision.rule, decision.say, decision.actions, decision.fired, decision.alarm,
    )  # fmt: skip
