"""Bits and pieces say the same as going through the rules one by one: the verdict, and why not."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from gateway.store.rows import pack, unpack
from o2c.decision import Decision, Unmet
from rules.cells import Condition
from rules.closures import ClosureExecutor
from rules.compile import Clause, Codes, Encoder, Program
from rules.decider import RuleDecider
from rules.planes import QuickExecutor
from rules.rulebook import Rulebook, default_content, load
from rules.vocabulary import POLICIES
from rules.why_not import WhyNot
from tests.rules.figures import neutral_facts, random_facts
from tests.rules.test_agreement import random_file


def books() -> Iterator[Rulebook]:
    """The default files, and some that nobody wrote: they derive and collect."""
    for policy in POLICIES:
        yield load(default_content(policy), name=policy)
    for seed in range(12):
        random = Random(seed)
        policy = random.choice(list(POLICIES))
        content = random_file(POLICIES[policy], random)
        yield load(content.encode(), name=f"random {seed}", accepted=True)


BOOKS = list(books())
assert any(book.program.derivations for book in BOOKS)


def one_by_one(program: Program, codes: dict[str, int]) -> tuple[Unmet, ...]:
    """Why not, the slow and plain way."""
    known, told, hit = dict(codes) | dict.fromkeys(program.derived, 0), [], dict[str, str]()
    for step in program.steps:
        unmet = [c for c in step.conditions if not holds(c, known)]
        table = step.first_of if isinstance(step, Clause) else None
        if unmet:
            told.append(Unmet(step.id, tuple(f"{c.text} ({actual(program, c, known)})" for c in unmet)))
        elif isinstance(step, Clause):
            if table in hit:
                told.append(Unmet(step.id, (f"row {hit[table]} came first",)))
            elif table:
                hit[table] = step.id
        else:
            known[step.fact] = 1
    return tuple(told)


def holds(condition: Condition, codes: Codes) -> bool:
    return any(low <= codes[condition.key] <= high for low, high in condition.spans)


def actual(program: Program, condition: Condition, codes: Codes) -> str:
    facts = program.every_fact
    shown = [
        f"{name} is {facts[name].show(codes[name])}" for name in (condition.field, condition.minus) if name
    ]
    return ", ".join(shown) if condition.minus else shown[0].removeprefix(f"{condition.field} ")


@pytest.mark.parametrize("book", BOOKS, ids=lambda book: book.name)
def test_they_say_the_same(book: Rulebook) -> None:
    program, random = book.program, Random(book.name)
    quick, closures, why_not = QuickExecutor(program), ClosureExecutor(program), WhyNot(program)
    encoder = Encoder(program)
    for _ in range(150):
        codes = encoder.encode(random_facts(book.policy, random))
        verdict = closures.run(codes)
        assert quick.run(codes) == verdict == quick.run(codes)
        told, later = why_not.tell(codes, verdict.fired), why_not.later(codes, verdict.fired)
        assert told == one_by_one(program, codes)
        assert (later, list(later), len(later), repr(later)) == (told, list(told), len(told), repr(told))


def test_words_said_later_are_like_words_said_at_once() -> None:
    decider = RuleDecider({"credit": BOOKS[0]})
    one, two = (decider.decide("credit", neutral_facts("credit")) for _ in range(2))
    assert one == two == unpack(Decision, pack(one))
    assert one.why_not[0] == one.why_not[0:1][0] == two.why_not[0]
    assert hash(one.why_not) == hash(tuple(two.why_not))
    other = decider.decide("credit", neutral_facts("credit", on_hold=True))
    assert other.why_not != one.why_not
    decider.close()


def test_words_that_cannot_be_found_cost_nothing_else() -> None:
    later = WhyNot(BOOKS[0].program).later({"on_hold": 1}, ())
    assert [unmet.rule for unmet in later] == ["why-not"]
    assert later[0].conditions[0].startswith("not to be told: KeyError")
