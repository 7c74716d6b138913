"""Two rule files over the decisions of the past: which would have come out otherwise.

Exact, and quick enough for a quarter's orders while somebody waits: both files are laid out as planes
of bits (see ``planes``), and what a set of bits comes to is worked out once, by the closures. Only
facts that one of the files reads are looked at, and read straight from the stored text.

Pure: the past comes as rows, the changes go back as values.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from operator import call
from typing import Any, NamedTuple

from o2c.decision import FactValue
from o2c.errors import Broken, Refused
from rules.closures import ClosureExecutor
from rules.compile import Encoder, Program, Verdict, said
from rules.planes import Planes
from rules.rulebook import Rulebook
from rules.spans import LIMIT
from rules.vocabulary import SCALE, WHOLE, Fact, Kind

Ending = tuple[str, str | None]  # an outcome, and the rule that decided (None: otherwise)


class Past(NamedTuple):
    """A decision of the past; a plain tuple, because there are many. ``facts`` are as stored: the JSON
    object as text, or read."""

    decision_id: str
    subject_id: str
    line_id: str | None
    decided_at: str
    rulebook_sha256: str
    outcome: str
    rule: str | None
    facts: str | Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Changed:
    """A decision that comes out otherwise. ``only_actions``: the outcome is the same, but not what is
    said or done with it."""

    past: Past
    old: Ending
    new: Ending
    only_actions: bool


@dataclass(frozen=True, slots=True)
class Skipped:
    """A decision that could not be replayed, and why."""

    past: Past
    reason: str


@dataclass(frozen=True, slots=True)
class Replay:
    """``count`` decisions were replayed. ``transitions`` counts the changes: ``approve -> refer``; an
    outcome that only acts otherwise stands on both sides."""

    count: int
    changes: tuple[Changed, ...]
    transitions: Mapping[str, int]
    skipped: tuple[Skipped, ...]


def replay(old: Rulebook, new: Rulebook, past: Iterable[Sequence[Any]]) -> Replay:
    """What ``new`` would have decided otherwise than ``old``, in the order of ``past``: each a ``Past``, or
    a row with its fields in their order.

    Both files decide afresh on the facts of then, whichever file had decided. A decision by another rule
    with the same outcome, words and actions is no change. ``Broken('policy-mismatch')`` for two policies.
    """
    if old.policy != new.policy:
        raise Broken("policy-mismatch", f"{old.name} is about {old.policy}, {new.name} about {new.policy}.")
    both = _Both(old, new)
    count, changes, skipped = 0, [], []
    for one in past:
        try:
            ending = both.decide(one[_FACTS])
        except Refused as reason:
            skipped.append(Skipped(Past._make(one), f"could not be replayed: {reason.message}"))
            continue
        count += 1
        if ending is not None:
            changes.append(Changed(Past._make(one), *ending))
    counts = Counter(f"{one.old[0]} -> {one.new[0]}" for one in changes)
    return Replay(count, tuple(changes), dict(counts.most_common()), tuple(skipped))


_FACTS = Past._fields.index("facts")
_Change = tuple[Ending, Ending, bool]


class _Both:
    """Both files over the same figures. ``decide`` tells the change, or None where there is none."""

    def __init__(self, old: Rulebook, new: Rulebook) -> None:
        self._files = (_File(old), _File(new))
        self._planes = Planes(old.program, new.program)
        self._facts = [old.program.facts[name] for name in self._planes.names]
        self._readers = [(fact.name, _reader(fact)) for fact in self._facts]
        self._scan = _Scan(self._facts)
        self._known: dict[int, _Change | None] = {}

    def decide(self, facts: str | Mapping[str, Any]) -> _Change | None:
        """``Refused('fact')`` where a fact that is read was not recorded or is of another type."""
        codes = self._scan.codes(facts) if isinstance(facts, str) else None
        if codes is None:
            codes = self._read(facts)
        bits = self._planes.bits(codes)
        if bits not in self._known:
            self._known[bits] = self._change(codes)
        return self._known[bits]

    def _read(self, facts: str | Mapping[str, Any]) -> list[int]:
        try:
            given = _parse(facts)[0] if isinstance(facts, str) else facts
            return [read(given[name]) for name, read in self._readers]
        except KeyError as missing:
            raise Refused("fact", f"fact {missing.args[0]} was not recorded.") from None
        except (ValueError, TypeError):
            raise Refused("fact", "its facts cannot be read.") from None

    def _change(self, codes: Sequence[int]) -> _Change | None:
        figures = {name: int(code) for name, code in zip(self._planes.names, codes, strict=True)}
        (old, was), (new, would) = (file.verdict(figures) for file in self._files)
        if was == would:
            return None
        return (old.outcome, old.rule), (new.outcome, new.rule), old.outcome == new.outcome


class _File:
    """What one file says of given figures."""

    def __init__(self, book: Rulebook) -> None:
        self._program: Program = book.program
        self._encoder = Encoder(book.program)
        self._closures = ClosureExecutor(book.program)

    def verdict(self, figures: Mapping[str, int]) -> tuple[Verdict, object]:
        """The verdict, and all that follows from it."""
        verdict = self._closures.run(self._encoder.complete(dict(figures)))
        return verdict, (verdict.outcome, *said(self._program, verdict))


_parse = json.JSONDecoder().raw_decode  # what follows the facts is not looked at


# --- facts as they are stored --------------------------------------------------------------------
class _Scan:
    """Picks the facts that are read out of canonical JSON (keys sorted, no blanks) without reading the
    rest. Whatever looks odd is left to the JSON reader: it knows what to say of it."""

    def __init__(self, facts: Sequence[Fact]) -> None:
        sought = [f'"{fact.name}":{_FORMS[_form(fact)]}[,}}]' for fact in facts]
        self._pattern = re.compile("".join([r"\{", *(f"(?:.*?,)??{each}" for each in sought)]))
        self._readers = [_text_reader(fact) for fact in facts]

    def codes(self, text: str) -> list[int] | None:
        """The figures of the facts, which are sorted; None where the text is not plainly so."""
        match = self._pattern.match(text)
        if match is None:
            return None
        try:
            return list(map(call, self._readers, match.groups()))
        except (ValueError, KeyError):
            return None


_FORMS = {
    Kind.BOOL: "(true|false)",
    Kind.DAYS: "(-?[0-9]{1,18})",
    Kind.COUNT: "(-?[0-9]{1,18})",
    Kind.CHOICE: r'"([^"\\]*)"',
    Kind.MONEY: r'\{"decimal":"(-?[0-9]+(?:\.[0-9]+)?)"\}',
}


def _form(fact: Fact) -> Kind:
    return fact.kind if fact.kind in _FORMS else Kind.MONEY


def _text_reader(fact: Fact) -> Callable[[str], int]:
    """Reads the text of a usual value; ``ValueError`` or ``KeyError`` for others."""
    if fact.kind is Kind.BOOL:
        return {"false": 0, "true": 1}.__getitem__
    if fact.words:
        return {word: place for place, word in enumerate(fact.every_word)}.__getitem__
    return int if fact.kind in WHOLE else _decimal_reader(fact)


def _decimal_reader(fact: Fact) -> Callable[[str], int]:
    scale, zeros, percent = SCALE[fact.kind], "0" * SCALE[fact.kind], fact.kind is Kind.PERCENT

    def read(text: str) -> int:
        whole, _, part = text.partition(".")
        code = int(whole + (part + zeros)[:scale])
        if len(part) > scale and part[scale:].strip("0"):
            if not percent:
                raise ValueError(text)  # too fine
            code += whole[0] != "-"  # a hair above counts as above
        if abs(code) > LIMIT:
            raise ValueError(text)
        return code

    return lru_cache(maxsize=20_000)(read)


def _reader(fact: Fact) -> Callable[[Any], int]:
    """Reads a stored value of ``fact`` as it is decided on; ``Refused('fact')`` for another type."""
    return lambda value: fact.encode(_value(value))


def _value(value: Any) -> FactValue:
    """A fact as it was before it was stored; a text is what it is not, and refused for that."""
    try:
        return Decimal(value["decimal"]) if isinstance(value, dict) else value
    except (KeyError, TypeError, InvalidOperation):
        return str(value)
