"""The closed list of what a rule file may say: facts, outcomes and actions, one module per policy.

Every word has labels in English, German and Norwegian. A policy's module holds its facts, its
outcomes (strictest first) and its own actions; ``action.EVERYWHERE`` holds those all share.
"""

from __future__ import annotations

from collections.abc import Mapping

from rules.vocabulary.action import Action
from rules.vocabulary.cash import CASH
from rules.vocabulary.credit import CREDIT
from rules.vocabulary.dunning import DUNNING
from rules.vocabulary.fact import SCALE, UNIT, WHOLE, YES_NO, Fact, Kind, Labels, labels
from rules.vocabulary.policy import Policy
from rules.vocabulary.stock import STOCK

__all__ = [
    "POLICIES",
    "SCALE",
    "UNIT",
    "WHOLE",
    "YES_NO",
    "Action",
    "Fact",
    "Kind",
    "Labels",
    "Policy",
    "labels",
]

POLICIES: Mapping[str, Policy] = {one.name: one for one in (CREDIT, STOCK, DUNNING, CASH)}
