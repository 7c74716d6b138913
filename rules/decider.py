"""The port ``Decider``: durable-rules decides, the closures check the whole result.

Whatever goes wrong (a missing or mistyped fact, an error in the engine, a difference between the
two executors) ends in the file's ``otherwise`` with an alarm, never in an exception and never in
an unchecked outcome. Same file and facts, same decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from threading import Lock

from o2c.decision import Decision, FactValue, Unmet
from o2c.errors import Broken, O2CError
from rules.compile import COMPILER, Encoder, Executor, Program, Verdict, said
from rules.durable import ENGINE, CagedRuleset
from rules.planes import QuickExecutor
from rules.rulebook import Rulebook
from rules.why_not import WhyNot

MADE_BY = f"{ENGINE}, compiler {COMPILER}"  # what a decision says of its making


class _Active:
    """One rulebook in force, with its engine; freed when replaced and nobody is inside."""

    def __init__(self, book: Rulebook, engine: Executor) -> None:
        self.book = book
        self.engine = engine
        self.inside = 0
        self.retired = False
        self._encoder = Encoder(book.program)
        self._closures = QuickExecutor(book.program)
        self._why_not = WhyNot(book.program, book.currency)

    def decide(self, facts: Mapping[str, FactValue]) -> Decision:
        try:
            codes = self._encoder.encode(facts)
            verdict, check = self.engine.run(codes), self._closures.run(codes)
            if verdict != check:
                return self._otherwise(facts, _difference(verdict, check))
            return self._decision(facts, verdict, self._why_not.later(codes, verdict.fired))
        except O2CError as error:
            return self._otherwise(facts, error.message)
        except Exception as error:  # cage: whatever the engine throws must not cost us the order
            return self._otherwise(facts, f"the rule engine failed: {type(error).__name__}: {error}")

    def _decision(
        self, facts: Mapping[str, FactValue], verdict: Verdict, why_not: tuple[Unmet, ...]
    ) -> Decision:
        book = self.book
        say, actions = said(book.program, verdict)
        return Decision(
            policy=book.policy,
            outcome=verdict.outcome,
            rule=verdict.rule,
            say=say,
            facts={name: facts[name] for name in book.program.facts},
            rulebook_sha=book.sha256,
            engine=MADE_BY,
            actions=actions,
            fired=verdict.fired,
            why_not=why_not,
        )

    def _otherwise(self, facts: Mapping[str, FactValue], alarm: str) -> Decision:
        book = self.book
        return Decision(
            policy=book.policy,
            outcome=book.program.otherwise,
            rule=None,
            say="",
            facts={name: _evidence(value) for name, value in facts.items()},
            rulebook_sha=book.sha256,
            engine=MADE_BY,
            alarm=alarm,
        )


def _evidence(value: object) -> FactValue:
    """The fact as it came, or its text where it is of no type a fact may have."""
    return value if isinstance(value, bool | int | Decimal | str) else repr(value)[:80]


def _difference(engine: Verdict, check: Verdict) -> str:
    deciding = sorted({engine.rule or "otherwise", check.rule or "otherwise"})
    odd = sorted(set(engine.fired) ^ set(check.fired)) or deciding
    said = f"engine {engine.outcome} by {engine.rule}, closures {check.outcome} by {check.rule}"
    return f"the two executors differ on {', '.join(odd)}: {said}."


def _unheard(_: Decision) -> None:
    """The alarm stands in the decision itself; whoever runs a house gives it a voice as well."""


class RuleDecider:
    """Implements ``o2c.ports.Decider`` over one rulebook per policy. Thread-safe.

    ``engine`` builds the executor that decides; it is a parameter so that another engine, or one
    that errs, can stand where durable-rules does. ``alarm`` is called with every decision that fell
    back to ``otherwise`` because something failed.
    """

    def __init__(
        self,
        books: Mapping[str, Rulebook],
        *,
        engine: Callable[[Program], Executor] = CagedRuleset,
        alarm: Callable[[Decision], None] = _unheard,
    ) -> None:
        self._engine = engine
        self._alarm = alarm
        self._lock = Lock()
        self._active: dict[str, _Active] = {}
        for policy, book in books.items():
            if policy != book.policy:
                raise Broken("policy-mismatch", f"rulebook {book.name} is for {book.policy}, not {policy}.")
            self.replace(book)

    def decide(self, policy: str, facts: Mapping[str, FactValue]) -> Decision:
        """One decision. ``Broken('rulebook-missing')`` where no rulebook of ``policy`` is in force."""
        with self._in_force(policy) as active:
            decision = active.decide(facts)
        if decision.alarm is not None:
            self._alarm(decision)
        return decision

    def replace(self, book: Rulebook) -> None:
        """Puts ``book`` in force for its policy; decisions under way finish on the old one.

        The new engine is built first: where that fails, the old rulebook stays.
        """
        new = _Active(book, self._engine(book.program))
        with self._lock:
            old, self._active[book.policy] = self._active.get(book.policy), new
        if old:
            self._retire(old)

    def close(self) -> None:
        """Takes every rulebook out of force and frees the engine."""
        with self._lock:
            retiring, self._active = list(self._active.values()), {}
        for active in retiring:
            self._retire(active)

    @contextmanager
    def _in_force(self, policy: str) -> Iterator[_Active]:
        with self._lock:
            active = self._active.get(policy)
            if active is None:
                raise Broken("rulebook-missing", f"no rulebook is in force for policy {policy!r}.")
            active.inside += 1
        try:
            yield active
        finally:
            with self._lock:
                active.inside -= 1
                last = active.retired and not active.inside
            if last:
                active.engine.close()

    def _retire(self, active: _Active) -> None:
        with self._lock:
            active.retired = True
            last = not active.inside
        if last:
            active.engine.close()
