"""Random facts for the tests of ``rules``: mostly at and beside the ends that rules speak of.

Seeded by the caller, so that a failure comes back. Never used outside tests.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random

from o2c.decision import FactValue
from rules.vocabulary import POLICIES, Fact, Kind

# Ends of the default files, and the figures at which integers, signs and decimals turn.
_DAYS = (-9999, -30, -1, 0, 1, 9, 10, 11, 13, 14, 15, 27, 28, 29, 44, 45, 46, 9999)
_MONEY = (
    "-50",
    "0",
    "0.001",
    "4.99",
    "5",
    "99.99",
    "100",
    "100.01",
    "499.999",
    "500",
    "500.01",
    "9999999.99",
)
_PERCENT = ("0", "99.99", "100", "100.001", "100.01", "105", "110", "110.0000001", "111", "999999")
_QUANTITY = ("-3", "0", "0.000001", "1", "2.5", "9.999999", "10", "11", "1000000")
_ENDS = {Kind.MONEY: _MONEY, Kind.PERCENT: _PERCENT, Kind.QUANTITY: _QUANTITY}


def random_value(fact: Fact, random: Random) -> FactValue:
    """A value of the fact's type, often one where some rule turns."""
    if fact.kind is Kind.BOOL:
        return random.random() < 0.3
    if fact.kind is Kind.CHOICE:
        return random.choice(fact.every_word)
    if fact.kind in (Kind.DAYS, Kind.COUNT):
        return random.choice(_DAYS) if random.random() < 0.7 else random.randint(-60, 120)
    if random.random() < 0.7:
        return Decimal(random.choice(_ENDS[fact.kind]))
    return Decimal(random.randint(-10, 120_000)).scaleb(-2)


def random_facts(policy: str, random: Random) -> dict[str, FactValue]:
    """One complete set of facts."""
    return {name: random_value(fact, random) for name, fact in POLICIES[policy].facts.items()}


def neutral_facts(policy: str, **given: FactValue) -> dict[str, FactValue]:
    """The plain case, with ``given`` on top."""
    return {name: fact.neutral for name, fact in POLICIES[policy].facts.items()} | given
