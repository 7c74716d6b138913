"""Decisions per second, live and in replay, beside durable-rules used as its documentation shows it.

"Live" is a whole decision: facts checked and encoded, the engine in its cage, its verdict held against
the closures, the evidence gathered. "In words" is the same with why-not put into words, as storing it
does. "Bare" is the engine with the same rules and facts already
encoded: a session made, a fact asserted, the rules that fire noted, the session deleted. It gets no
background threads (they crash) and a rule that always fires (deleting an untouched session crashes).
"Closures" give the verdict alone, as replay runs them, on facts already encoded.

Replay reads its decisions from a database on disk; the bar is for reading and deciding together.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from random import Random
from statistics import quantiles
from typing import Any

from sqlalchemy import Connection, insert

from gateway.ids import new_id
from gateway.store import decisions, migrate
from gateway.store.database import Database
from gateway.store.rows import pack
from gateway.store.schema import company, decision
from o2c.decision import Decision, FactValue
from rules.closures import ClosureExecutor
from rules.compile import MARKER, Codes, Encoder, Program, boxes
from rules.decider import RuleDecider
from rules.durable import _Host, _term  # the anchor gets the same host and the same terms
from rules.planes import QuickExecutor
from rules.replay import replay
from rules.rulebook import Rulebook, default_content, load
from rules.vocabulary import POLICIES
from tests.bench.measure import Result, calibration, median
from tests.rules.figures import random_value

_ROUNDS = 9
_CASES = 400  # facts in a round, the same for all
_PAST = 100_000
_COUNTRIES = ("AT", "BE", "CH", "CZ", "DE", "DK", "ES", "FI", "FR", "GB",
              "IE", "IT", "LT", "LU", "NL", "NO", "PL", "PT", "SE", "SK")  # fmt: skip


def run() -> Result:
    """Files of 20 and of 200 rules, then replay."""
    result = Result("rules")
    result.figures["calibration before (loops per CPU-s)"] = calibration()
    for size in (20, 200):
        _race(result, size)
    _replay(result)
    result.figures["calibration after (loops per CPU-s)"] = calibration()
    return result


def rule_file(size: int) -> bytes:
    """Ten rules for each of some countries, on seven facts."""
    random = Random(size)
    lines = [
        "policy: credit",
        "strictest_first: [reject, hold, refer, approve]",
        "otherwise: refer",
        "rules:",
    ]
    for number in range(size):
        when = [
            f"country: {_COUNTRIES[number // 10]}",
            f'overdue_days: "{random.choice(["<=", ">"])} {random.randint(0, 60)}"',
            f'exposure: "<= {random.choice(["credit_limit", "5000.00", "900.00"])}"',
        ]
        if number % 2:
            when.append(f'exposure_percent: "({random.randint(0, 90)} % .. {random.randint(91, 200)} %]"')
        if number % 3 == 0:
            when += [f"risk_class: {random.choice('ABC')}", "first_order: no"]
        outcome = random.choice(["hold", "refer", "approve"])
        lines.append(
            f"  - {{id: R{number}, when: {{{', '.join(when)}}}, then: {outcome}, say: Rule {number}}}"
        )
    return "\n".join(lines).encode()


def _cases(random: Random, size: int) -> list[dict[str, FactValue]]:
    facts = POLICIES["credit"].facts.values()
    countries = _COUNTRIES[: size // 10]
    return [
        {fact.name: random_value(fact, random) for fact in facts} | {"country": random.choice(countries)}
        for _ in range(_CASES)
    ]


class _Bare:
    """durable-rules by its own Python layer: actions are called back, each decision has its session."""

    def __init__(self, program: Program) -> None:
        self._host, self._ids, self._fired = _Host(), count(1), list[str]()
        self._fields = tuple(dict.fromkeys(c.key for clause in program.clauses for c in clause.conditions))
        rules = {}
        for clause in program.clauses:
            for number, box in enumerate(boxes(clause)):
                tests = [_term(key, span) for key, span in box.terms]
                action = self._action(clause.id)
                rules[f"{clause.id}/{number}"] = _rule(clause.position + 2, {"$and": tests}, action)
        rules["marker"] = _rule(1, _term(*MARKER), self._action("marker"))
        self._name = f"bare {len(program.clauses)}"
        self._host.register_rulesets({self._name: rules})

    def _action(self, name: str) -> Callable[[Any], None]:
        def note(_: Any) -> None:
            self._fired.append(name)

        return note

    def decide(self, codes: Codes) -> set[str]:
        """The rules that fire."""
        sid = str(next(self._ids))
        self._fired.clear()
        fact = {key: codes[key] for key in self._fields}
        self._host.assert_fact(self._name, {**fact, MARKER[0]: 1, "id": sid, "sid": sid})
        self._host.delete_state(self._name, sid)
        return set(self._fired) - {"marker"}


def _rule(priority: int, test: dict[str, Any], action: Callable[[Any], None]) -> dict[str, Any]:
    return {"pri": priority, "all": [{"m": test}], "run": action}


def _race(result: Result, size: int) -> None:
    book = load(rule_file(size), name=f"{size} rules", accepted=True)
    live, bare = RuleDecider({"credit": book}), _Bare(book.program)
    quick, closures, encoder = (
        QuickExecutor(book.program),
        ClosureExecutor(book.program),
        Encoder(book.program),
    )
    cases = _cases(Random(1), size)
    codes = [encoder.encode(case) for case in cases]
    for case, figures in zip(cases, codes, strict=True):  # all of them decide, and alike
        fired = live.decide("credit", case).fired
        assert set(fired) == bare.decide(figures), (fired, bare.decide(figures))
        assert quick.run(figures) == closures.run(figures)
    work: dict[str, tuple[Callable[[Any], object], Sequence[Any]]] = {
        "live": (lambda case: live.decide("credit", case), cases),
        "live, why-not in words": (lambda case: tuple(live.decide("credit", case).why_not), cases),
        "bare durable-rules": (bare.decide, codes),
        "closures (verdict only)": (quick.run, codes),
        "closures (one rule after the other)": (closures.run, codes),
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    rates: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(_ROUNDS):
        for name, (decide, given) in work.items():
            times[name] += _each(decide, given)
            rates[name].append(_rate(decide, given))
    for name in work:
        cuts = quantiles(times[name], n=100)
        result.figures[f"{size} rules: {name}, p50 ms"] = cuts[49] * 1000
        result.figures[f"{size} rules: {name}, p99 ms"] = cuts[98] * 1000
        result.figures[f"{size} rules: {name}, decisions per CPU-s"] = median(rates[name])
    p50 = {name: median(each) for name, each in times.items()}
    result.ceiling(f"{size} rules: live / bare, p50", p50["live"] / p50["bare durable-rules"], 1.5)
    faster = median(rates["closures (verdict only)"]) / median(rates["bare durable-rules"])
    result.bar(f"{size} rules: closures (verdict only) / bare", faster, 100)
    live.close()


def _each(decide: Callable[[Any], object], given: Sequence[Any]) -> list[float]:
    taken = []
    for one in given:
        start = time.perf_counter()
        decide(one)
        taken.append(time.perf_counter() - start)
    return taken


def _rate(decide: Callable[[Any], object], given: Sequence[Any]) -> float:
    """Decisions per CPU-second; enough of them for the clock."""
    done, start = 0, time.process_time()
    while time.process_time() - start < 0.05:
        for one in given:
            decide(one)
        done += len(given)
    return done / (time.process_time() - start)


# --- replay --------------------------------------------------------------------------------------
def _replay(result: Result) -> None:
    old = load(default_content("credit"), name="credit.yaml")
    content = default_content("credit").partition(b"tests:")[0].replace(b"110 %", b"105 %")
    new = load(content.replace(b"500.00", b"400.00"), name="changed.yaml", accepted=True)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / 'past.sqlite'}")
        migrate.upgrade(database)
        database.write(lambda connection: _fill(connection, old))
        spent = []
        for _ in range(3):
            start = time.process_time()
            with database.read() as connection:
                past = decisions.past(connection, "PAST", "credit", datetime(2026, 1, 1, tzinfo=UTC))
                done = replay(old, new, past)
            spent.append(time.process_time() - start)
            assert done.count == _PAST
            assert done.changes
        database.close()
    result.figures[f"replay of {_PAST:,}: changed"] = len(done.changes)
    result.figures[f"replay of {_PAST:,}: transitions"] = len(done.transitions)
    result.ceiling(f"replay of {_PAST:,} from the database, CPU-s", min(spent), 2.0)


def _fill(connection: Connection, book: Rulebook) -> None:
    decider, random = RuleDecider({"credit": book}, engine=ClosureExecutor), Random(7)
    facts = POLICIES["credit"].facts.values()
    made = [
        decider.decide("credit", {fact.name: random_value(fact, random) for fact in facts})
        for _ in range(4_000)
    ]
    packed = [(one, pack(one)) for one in made]
    at = datetime(2026, 3, 1, tzinfo=UTC)
    own = {"company_id": "PAST", "name": "Past", "country": "NO", "currency": "NOK", "profile": "{}"}
    connection.execute(insert(company), own | {"created_at": at})
    for start in range(0, _PAST, len(packed)):
        instant = at + timedelta(seconds=start)
        connection.execute(insert(decision), [_row(one, body, instant) for one, body in packed])


def _row(made: Decision, body: str, at: datetime) -> dict[str, Any]:
    return {
        "company_id": "PAST",
        "decision_id": new_id("dec", at),
        "subject_id": new_id("ord", at),
        "line_id": None,
        "policy": made.policy,
        "outcome": made.outcome,
        "rule": made.rule,
        "rulebook_sha256": made.rulebook_sha,
        "body": body,
        "actor": "bench",
        "reason": None,
        "decided_at": at,
    }
