"""Why a decision came out as it did, and why not otherwise, in words of three languages.

Made from the stored rule file and the stored facts, so a decision of years ago explains itself as on
its day. What a file says in its own words (``say``, ``queue``) stays as it was written. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from o2c.decision import Decision, FactValue, Ruling, person_of
from o2c.errors import Refused
from rules.cells import Condition
from rules.compile import Clause, Derivation, Encoder
from rules.phrases import Phrases, capital
from rules.rederive import completed
from rules.rulebook import Rulebook
from rules.vocabulary import POLICIES, Fact, Policy


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision in words.

    ``because``: sentences on what decided. ``others``: (rule, its conditions that were not true, with
    the actual figures) for each rule that did not fire. ``facts``: (name, label, figure with unit).
    """

    language: str
    headline: str
    because: tuple[str, ...]
    others: tuple[tuple[str, tuple[str, ...]], ...]
    facts: tuple[tuple[str, str, str], ...]


def explain(
    book: Rulebook, decision: Decision, language: str = "en", *, currency: str | None = None
) -> Explanation:
    """``decision``, which ``book`` made, in ``language`` (en, de, nb).

    ``currency`` is that of the amounts where the file names none. Raises ``Refused('language')``.
    """
    phrases = Phrases(language, book.currency or currency)
    return _Teller(book, decision, phrases).explanation()


def as_text(explanation: Explanation) -> str:
    """The explanation for a terminal."""
    phrases = Phrases(explanation.language)
    lines = [explanation.headline, "", f"{phrases.say('because')}:"]
    lines += [f"  {sentence}" for sentence in explanation.because]
    if explanation.others:
        lines += ["", f"{phrases.say('others')}:"]
        width = max(len(rule) for rule, _ in explanation.others)
        for rule, sentences in explanation.others:
            lines += [f"  {name:<{width}}  {words}" for name, words in _beside(rule, sentences)]
    lines += ["", f"{phrases.say('facts')}:"]
    width = max((len(label) for _, label, _ in explanation.facts), default=0)
    lines += [f"  {label:<{width}}  {value}" for _, label, value in explanation.facts]
    return "\n".join(lines) + "\n"


def _beside(rule: str, sentences: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    for number, sentence in enumerate(sentences):
        yield ("" if number else rule), sentence


class _Teller:
    """Tells one decision."""

    def __init__(self, book: Rulebook, decision: Decision, phrases: Phrases) -> None:
        self._policy: Policy = POLICIES[book.policy]
        self._program = book.program
        self._clauses: Mapping[str, Clause] = {clause.id: clause for clause in book.program.clauses}
        self._decision = decision
        self._words = phrases
        self._codes: dict[str, int] = {}
        self._because_of: dict[str, Derivation] = {}  # the first line that makes a derived fact yes
        try:
            self._codes = Encoder(book.program).encode(completed(book.program, decision.facts))
        except Refused:  # the alarm says what is wrong with the facts
            return
        self._codes |= dict.fromkeys(book.program.derived, 0)
        for line in book.program.derivations:
            if all(self._holds(condition) for condition in line.conditions):
                self._codes[line.fact] = 1
                self._because_of.setdefault(line.fact, line)

    def explanation(self) -> Explanation:
        """All of it."""
        others = tuple(self._others()) if self._codes and self._decision.alarm is None else ()
        return Explanation(
            self._words.language, self._headline(), tuple(self._because()), others, tuple(self._facts())
        )

    # --- what was decided ------------------------------------------------------------------------
    def _headline(self) -> str:
        decision, policy = self._decision, capital(self._policy.labels[self._words.language])
        outcome = self._outcome(decision.outcome)
        if (person := person_of(decision)) is not None:
            return self._words.say("by person", policy, outcome, person)
        if decision.alarm is not None:
            return self._words.say("by alarm", policy, outcome)
        if decision.rule is None:
            return self._words.say("by nothing", policy, outcome)
        return self._words.say("by rule", policy, outcome, decision.rule)

    def _outcome(self, outcome: str) -> str:
        labels = self._policy.outcome_labels.get(outcome)
        return labels[self._words.language] if labels else outcome

    # --- why -------------------------------------------------------------------------------------
    def _because(self) -> Iterator[str]:
        decision = self._decision
        ruling = Ruling(decision.outcome, decision.rule, decision.say, decision.actions)
        if person_of(decision) is not None:
            if decision.overruled is None:
                return
            ruling = decision.overruled
            yield self._said(ruling)
        if decision.alarm is not None:
            yield self._words.say("alarm", decision.alarm)
        elif ruling.rule is None:
            yield self._words.say("none")
        elif ruling.rule in self._clauses and self._codes:
            yield from self._of_rule(self._clauses[ruling.rule], ruling)

    def _said(self, ruling: Ruling) -> str:
        outcome = self._outcome(ruling.outcome)
        if ruling.rule is None:
            return self._words.say("said nothing", outcome)
        return self._words.say("said", outcome, ruling.rule)

    def _of_rule(self, clause: Clause, ruling: Ruling) -> Iterator[str]:
        """What the rule asked, what it has done beside its outcome, and what else applied."""
        if not clause.conditions:
            yield self._words.say("always")
        for condition in clause.conditions:
            yield capital(self._told(condition, holds=True))
        if ruling.say:
            yield self._action("say", ruling.say)
        for name, value in ruling.actions.items():
            yield self._action(name, value)
        also = [name for name in self._decision.fired if name != clause.id and name in self._clauses]
        if also:
            shown = [f"{name} ({self._outcome(self._clauses[name].outcome)})" for name in also]
            yield self._words.say("also", ", ".join(shown))

    def _told(self, condition: Condition, *, holds: bool) -> str:
        facts = self._program.every_fact
        line = self._because_of.get(condition.field) if holds else None
        if line is None:
            return self._words.told(facts, condition, self._codes, holds=holds)
        reasons = self._words.joined("and", [self._told(one, holds=True) for one in line.conditions])
        shown = self._words.value(facts[condition.field], 1)
        return self._words.say("derives", self._words.label(facts[condition.field]), shown, reasons)

    def _action(self, name: str, value: str) -> str:
        action = self._policy.actions[name]
        language = self._words.language
        return f"{capital(action.labels[language])}: {action.value_labels(value)[language]}"

    # --- why not ---------------------------------------------------------------------------------
    def _others(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Each rule and derivation that did not fire, with what it asks and the case does not have."""
        first: dict[str, str] = {}
        for step in self._program.steps:
            unmet = [c for c in step.conditions if not self._holds(c)]
            table = step.first_of if isinstance(step, Clause) else None
            if unmet:
                yield step.id, tuple(capital(self._told(c, holds=False)) for c in unmet)
            elif table in first:
                yield step.id, (self._words.sentence("earlier", first[table]),)
            elif table:
                first[table] = step.id

    def _holds(self, condition: Condition) -> bool:
        code = self._codes[condition.key]
        return any(low <= code <= high for low, high in condition.spans)

    # --- the figures -----------------------------------------------------------------------------
    def _facts(self) -> Iterator[tuple[str, str, str]]:
        """The facts of the decision in the order of the vocabulary, then what the file derived."""
        given, known = self._decision.facts, self._program.facts
        for name in (*(n for n in known if n in given), *(n for n in given if n not in known)):
            label = self._words.label(known[name]) if name in known else name
            yield name, label, self._shown(known.get(name), given[name])
        for name, fact in self._program.derived.items() if self._codes else ():
            yield name, self._words.label(fact), self._words.value(fact, self._codes[name])

    def _shown(self, fact: Fact | None, value: FactValue) -> str:
        try:
            return self._words.value(fact, fact.encode(value)) if fact else str(value)
        except Refused:  # no figure the fact could have: shown as it came
            return str(value)
