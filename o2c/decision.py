"""A decision and its evidence: what was decided, by which rule, on which figures.

Stored whole, so that years later the same file and facts give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
class Decision:
    """Outcome of one policy on one set of facts.

    ``rule`` is the deciding rule (``C30``, ``C50/1`` for row 1 of a table) or None where nothing
    matched and ``otherwise`` spoke. ``actions`` holds the other columns of the deciding rule
    (queue, answer_within, notify, letter, ...). ``alarm`` is set when the engine failed and the
    decision fell back to ``otherwise``.
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
