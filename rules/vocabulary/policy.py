"""A policy: one kind of decision, with its closed lists of facts, outcomes and actions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.vocabulary.action import Action
from rules.vocabulary.fact import Fact, Labels


@dataclass(frozen=True, slots=True)
class Policy:
    """What one kind of decision knows. ``outcomes`` come strictest first, as a new file would list them."""

    name: str
    labels: Labels
    facts: Mapping[str, Fact]
    outcomes: tuple[str, ...]
    outcome_labels: Mapping[str, Labels]
    actions: Mapping[str, Action]


def policy(
    name: str,
    words: Labels,
    facts: Iterable[Fact],
    outcomes: Mapping[str, Labels],
    actions: Iterable[Action],
) -> Policy:
    """A policy from its parts, each list in the order it is shown."""
    return Policy(
        name,
        words,
        {fact.name: fact for fact in facts},
        tuple(outcomes),
        outcomes,
        {action.name: action for action in actions},
    )
