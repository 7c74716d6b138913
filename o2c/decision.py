"""A decision and its evidence: what was decided, by which rule, on which figures.

Stored whole, so that years later the same file and facts give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

# A fact a rule may read. Money is a Decimal in the company's currency, percent is a Decimal
# (105 means 105 %), days are int, choices are str.
FactValue = bool | int | Decimal | str


@dataclass(frozen=True, slots=True)
class Unmet:
    """Why a rule did not fire: its conditions that were not true, in words (``overdue_days > 14 (is 3)``)."""

    rule: str
    conditions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the rules had said, where a person's word stands in its place."""

    outcome: str
    rule: str | None = None
    say: str = ""
    actions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Outcome of one policy on one set of facts.

    ``rule`` is the deciding rule (``C30``, ``C50/1`` for row 1 of a table) or None where nothing
    matched and ``otherwise`` spoke. ``actions`` holds the other columns of the deciding rule
    (queue, answer_within, notify, letter, ...). ``alarm`` is set when the engine failed and the
    decision fell back to ``otherwise``. ``engine`` names the engine and the version of the compiler
    that made the file into its rules. ``overruled`` is what the rules had said where a person decided:
    then ``fired`` and ``why_not`` are still the rules', outcome and ``say`` the person's.
    """

    policy: str
    outcome: str
    rule: str | None
    say: str
    facts: Mapping[str, FactValue]
    rulebook_sha: str
    engine: str
    actions: Mapping[str, str] = field(default_factory=dict)
    fired: tuple[str, ...] = ()
    why_not: tuple[Unmet, ...] = ()
    alarm: str | None = None
    overruled: Ruling | None = None


_BY_HAND = "Decided by "


def by_hand(ruled: Decision, outcome: str, person: str) -> Decision:
    """The word of ``person`` in place of what the rules said, which stays beneath it as evidence."""
    said = Ruling(ruled.outcome, ruled.rule, ruled.say, ruled.actions)
    return replace(ruled, outcome=outcome, rule=None, say=f"{_BY_HAND}{person}", actions={}, overruled=said)


def person_of(decision: Decision) -> str | None:
    """Who decided by hand; None where the rules did. Older decisions do not say what they overruled."""
    by_person = decision.rule is None and decision.say.startswith(_BY_HAND)
    return decision.say.removeprefix(_BY_HAND) if by_person else None
