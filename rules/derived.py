"""Derived facts: ``overdue invoice -> overdue customer -> hold``, one yes/no per name.

A derived fact is no unless one of its lines holds. Lines may read other derived facts, so they run
level by level; a fact that rests on itself is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rules.cells import Condition
from rules.compile import MAX_LEVELS, Derivation
from rules.conditions import ConditionReader, Ids
from rules.document import START, Entries, Node, Shape, Text
from rules.vocabulary import Fact, Kind, Labels, Policy, labels

_KEYS = ("id", "fact", "when", "means")
_LANGUAGES = ("en", "de", "nb")
# What the engine calls a fact and its session, and what a table calls its outcome.
_RESERVED = ("fact", "id", "sid", "then")
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def derived_facts(top: Entries, policy: Policy, shape: Shape) -> dict[str, Fact]:
    """The facts that a file derives, by name; what they mean in three languages, else their name."""
    found: dict[str, Fact] = {}
    for line in shape.mappings(top, "derived"):
        name = shape.text(line, "fact")
        if name is None or not _fits(name, policy, shape):
            continue
        means = _means(line.get("means"), shape)
        if name.value not in found or means:
            words = means or labels(*[name.value.replace("_", " ")] * 3)
            found[name.value] = Fact(name.value, Kind.BOOL, False, words["en"], words["de"], words["nb"])
    return found


def _fits(name: Text, policy: Policy, shape: Shape) -> bool:
    if name.value in policy.facts:
        message = f"{name.value} is a fact that decisions are given; choose another name for this one."
        shape.faults.add(name.place, "duplicate-fact", message)
    elif not _NAME.fullmatch(name.value) or name.value in (*_RESERVED, *policy.actions):
        message = f"a fact is named like overdue_customer, not {name.value[:60]!r}."
        shape.faults.add(name.place, "wrong-type", message)
    else:
        return True
    return False


def _means(node: Node | None, shape: Shape) -> Labels | None:
    """One text for all languages, or one for each."""
    if node is None:
        return None
    if isinstance(node, Text):
        return labels(*[node.value] * 3)
    entries = shape.as_entries(node)
    if entries is None:
        return None
    shape.only(entries, _LANGUAGES, _LANGUAGES)
    texts = {language: shape.text(entries, language) for language in _LANGUAGES}
    return {language: text.value if text else "" for language, text in texts.items()}


@dataclass(frozen=True, slots=True)
class _Line:
    id: str
    fact: Text
    conditions: tuple[Condition, ...]


def derivations(
    top: Entries, facts: Mapping[str, Fact], reader: ConditionReader, ids: Ids
) -> tuple[Derivation, ...]:
    """Every line, level by level; in file order within a level."""
    lines = list(_lines(top, facts, reader, ids))
    rests_on: dict[str, set[str]] = {}
    for line in lines:
        read = {name for c in line.conditions for name in (c.field, c.minus) if name in facts}
        rests_on.setdefault(line.fact.value, set()).update(name for name in read if name)
    if cycle := _cycle(rests_on):
        first = next(line for line in lines if line.fact.value == cycle[0])
        message = f"{' <- '.join([*cycle, cycle[0]])}: a derived fact cannot rest on itself; cut the circle."
        reader.faults.add(first.fact.place, "circle", message)
        return ()
    levels = _levels(rests_on)
    if levels and max(levels.values()) >= MAX_LEVELS:
        message = f"derived facts rest on each other more than {MAX_LEVELS} deep; join some of them."
        reader.faults.add(START, "too-deep", message)
    lines.sort(key=lambda line: levels[line.fact.value])
    return tuple(
        Derivation(line.id, position, line.conditions, line.fact.value, levels[line.fact.value])
        for position, line in enumerate(lines)
    )


def _lines(top: Entries, facts: Mapping[str, Fact], reader: ConditionReader, ids: Ids) -> Iterator[_Line]:
    for entries in reader.shape.mappings(top, "derived"):
        reader.shape.only(entries, _KEYS, ("fact", "when"))
        name, fact = ids.take(entries), reader.shape.text(entries, "fact")
        conditions = reader.when(entries)
        if name and fact and fact.value in facts:
            yield _Line(name, fact, conditions)


def _cycle(rests_on: Mapping[str, set[str]]) -> list[str]:
    """Facts that rest on each other in a circle, none if there is no such circle."""
    done: set[str] = set()

    def walk(name: str, way: list[str]) -> list[str]:
        if name in way:
            return way[way.index(name) :]
        if name in done:
            return []
        for below in sorted(rests_on.get(name, ())):
            if found := walk(below, [*way, name]):
                return found
        done.add(name)
        return []

    return next((found for name in rests_on if (found := walk(name, []))), [])


def _levels(rests_on: Mapping[str, set[str]]) -> dict[str, int]:
    levels: dict[str, int] = {}

    def level(name: str) -> int:
        if name not in levels:
            below = rests_on.get(name, set())
            levels[name] = 1 + max(map(level, below)) if below else 0
        return levels[name]

    for name in rests_on:
        level(name)
    return levels
