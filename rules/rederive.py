"""A stored decision, made again from its stored rule file and facts.

Byte for byte: the same outcome, rule, words, fired rules and why-not, years later. What cannot come
out of the file and the facts is taken from what was stored: that the engine had failed (``alarm``),
who overruled the rules and to what, what the house added to a rule's words, and the name of the
engine. Pure; the engine is not asked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from o2c.decision import Decision, FactValue, Ruling, person_of
from o2c.errors import Refused
from rules.closures import ClosureExecutor
from rules.compile import COMPILER, Program, figures_read
from rules.decider import RuleDecider
from rules.rulebook import Rulebook


def rederive(book: Rulebook, stored: Decision) -> Decision:
    """``stored`` as it must have been; equal to it unless one of them was changed.

    Raises ``Refused('rulebook-other')`` where it was not decided by ``book``, ``Refused('fact')`` where
    it lacks a fact that the file reads.
    """
    return Rederivation(book).of(stored)


def completed(program: Program, facts: Mapping[str, FactValue]) -> dict[str, FactValue]:
    """Stored facts with those the vocabulary has gained since: neutral, as no rule of that time reads
    them. ``Refused('fact')`` where the file does read one that was not recorded."""
    unknown = figures_read(program) - set(facts)
    if unknown:
        raise Refused("fact", f"fact {min(unknown)} was not recorded, and the rule file reads it.")
    return {fact.name: fact.neutral for fact in program.facts.values()} | dict(facts)


class Rederivation:
    """Makes the decisions of one rulebook again; built once for many."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._decider = RuleDecider({book.policy: book}, engine=ClosureExecutor)

    def of(self, stored: Decision) -> Decision:
        """See ``rederive``."""
        book = self._book
        if (stored.policy, stored.rulebook_sha) != (book.policy, book.sha256):
            raise Refused(
                "rulebook-other",
                f"the decision was made by {stored.policy} file {stored.rulebook_sha[:12]}, "
                f"this is {book.policy} file {book.sha256[:12]}.",
            )
        ruled = self._failed(stored) if stored.alarm is not None else self._ruled(stored)
        return _told(ruled, stored) if person_of(stored) is None else _overruled(ruled, stored)

    def _ruled(self, stored: Decision) -> Decision:
        again = self._decider.decide(stored.policy, completed(self._book.program, stored.facts))
        words = again.why_not
        if _compiler(stored) != COMPILER and [one.rule for one in words] == [o.rule for o in stored.why_not]:
            words = stored.why_not  # another compiler may have had other words for the same
        return replace(again, facts=stored.facts, engine=stored.engine, why_not=words)

    def _failed(self, stored: Decision) -> Decision:
        """What must be stored where the engine had failed: ``otherwise``, and why."""
        book = self._book
        return Decision(
            policy=book.policy,
            outcome=book.program.otherwise,
            rule=None,
            say="",
            facts=stored.facts,
            rulebook_sha=book.sha256,
            engine=stored.engine,
            alarm=stored.alarm,
        )


def _told(ruled: Decision, stored: Decision) -> Decision:
    """What the house added behind the rule's words (``Settle first: INV-00007``) stays as it was told."""
    return replace(ruled, say=stored.say) if stored.say.startswith(f"{ruled.say}: ") else ruled


def _overruled(ruled: Decision, stored: Decision) -> Decision:
    """A person's word on what the rules say. Decisions of old do not tell what they overruled."""
    said = Ruling(ruled.outcome, ruled.rule, ruled.say, ruled.actions) if stored.overruled else None
    return replace(ruled, outcome=stored.outcome, rule=None, say=stored.say, actions={}, overruled=said)


def _compiler(stored: Decision) -> int:
    match = re.search(r", compiler ([0-9]+)$", stored.engine)
    return int(match[1]) if match else 0
