"""The grammar of a cell: what an admin writes beside a field becomes a condition.

The unary tests of DMN 1.x with units: ``-`` (anything), ``yes``, ``A, B`` (either), ``not A, B``
(neither), ``> 14 d``, ``<= 500.00 EUR``, ``(100 % .. 110 %]``, ``<= credit_limit``; a YAML list holds
tests that must all be true. A comparison of two fields becomes a condition on their difference, which
Python computes: the engine never does arithmetic.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from o2c.money import minor_digits
from rules import slips
from rules.document import unknown
from rules.spans import EVERYTHING, LIMIT, Spans, meet, merge, negated, without
from rules.vocabulary import SCALE, Fact, Kind

_NUMBER = re.compile(r"(-?[0-9]+)(?:\.([0-9]+))? ?(.*)")
_INTERVAL = re.compile(r"([\[(])(.+?)\.\.(.+)([\])])")
_COMPARISON = re.compile(r"(<=|>=|<|>|=)\s*(.+)")
_NUMERIC = frozenset(SCALE)


class CellFault(Exception):
    """A cell that means nothing: a stable ``code`` and what to write instead."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True)
class Condition:
    """``field`` (less ``minus``, where two fields are compared) lies in ``spans``.

    ``text`` is the condition in the file's own words.
    """

    field: str
    minus: str | None
    spans: Spans
    text: str

    @property
    def key(self) -> str:
        """The name of the figure tested: a fact, or the difference of two."""
        return f"{self.field}-{self.minus}" if self.minus else self.field


@dataclass(frozen=True, slots=True)
class CellReader:
    """Reads cells of one file: its policy's ``facts`` and the ``currency`` of its amounts."""

    facts: Mapping[str, Fact]
    currency: str | None

    def conditions(self, fact: Fact, cell: str | Sequence[str]) -> tuple[Condition, ...]:
        """The conditions of one cell, at most one per figure; ``CellFault`` where it means nothing."""
        found: dict[str, Condition] = {}
        for text in [cell] if isinstance(cell, str) else cell:
            for new in self._cell(fact, " ".join(text.split())):
                old = found.get(new.key)
                found[new.key] = both(old, new) if old else new
        return tuple(found.values())

    def value(self, fact: Fact, text: str) -> int:
        """The integer of one figure such as ``105 %``, ``100.00``, ``A`` or ``yes``."""
        if fact.words:
            if text not in fact.words:
                raise CellFault("wrong-type", f"{fact.name}: {slips.word(fact, text)}")
            return fact.words.index(text)
        match = _NUMBER.fullmatch(text)
        if match is None:
            raise CellFault("wrong-type", f"{fact.name} takes {slips.wanted(fact, text, self.currency)}.")
        whole, decimals, unit = match[1], match[2] or "", match[3]
        self._check_unit(fact, text, unit)
        self._check_decimals(fact, text, decimals)
        digits = whole + decimals.ljust(SCALE[fact.kind], "0")
        code = int(digits) if len(digits) < 25 else None
        if code is None or abs(code) > LIMIT:
            raise CellFault("number-too-large", f"{text[:60]!r} is beyond what the rule engine takes.")
        return code

    def _check_unit(self, fact: Fact, text: str, unit: str) -> None:
        allowed = {Kind.DAYS: ("", "d", "day", "days"), Kind.COUNT: ("",), Kind.PERCENT: ("%",),
                   Kind.QUANTITY: ("",), Kind.MONEY: ("", self.currency or "")}[fact.kind]  # fmt: skip
        if unit not in allowed:
            raise CellFault("wrong-unit", slips.unit(fact, text, self.currency))

    def _check_decimals(self, fact: Fact, text: str, decimals: str) -> None:
        most = SCALE[fact.kind]
        if fact.kind is Kind.MONEY and self.currency:
            most = min(most, minor_digits(self.currency))
        if len(decimals) > most:
            raise CellFault("too-many-decimals", f"{fact.name} takes at most {most} decimals, not {text!r}.")

    def _cell(self, fact: Fact, text: str) -> tuple[Condition, ...]:
        if text == "-":
            return ()
        if slip := slips.cell(fact, text, self.currency):
            raise CellFault("wrong-type", slip)
        if re.search(r",(?! )", text):
            raise CellFault("wrong-type", slips.comma(fact, text, self.currency))
        if text.startswith("not "):
            return (self._none_of(fact, text),)
        parts = text.split(", ")
        compared = [part for part in parts if self._other_field(fact, part)]
        if compared and len(parts) > 1:
            message = f"{text!r}: {compared[0]!r} must stand alone; use two rules or rows."
            raise CellFault("wrong-type", message)
        if compared:
            return (self._difference(fact, text),)
        spans = merge(span for part in parts for span in self._spans(fact, part))
        return (Condition(fact.name, None, spans, _words(fact, text)),)

    def _none_of(self, fact: Fact, text: str) -> Condition:
        parts = text.removeprefix("not ").split(", ")
        if fields := [part for part in parts if self._other_field(fact, part)]:
            message = (
                f"{text!r}: 'not' goes with words and figures; compare with {fields[0]} by <, <=, > or >=."
            )
            raise CellFault("wrong-type", message)
        highest = len(fact.every_word) - 1
        everything = ((0, highest),) if fact.words else EVERYTHING
        spans = without(everything, merge(span for part in parts for span in self._spans(fact, part)))
        if not spans:
            raise CellFault("impossible", f"{fact.name} {text}: nothing is left.")
        return Condition(fact.name, None, spans, f"{fact.name} {text}")

    def _other_field(self, fact: Fact, part: str) -> str | None:
        match = _COMPARISON.fullmatch(part)
        name = match[2] if match else part
        return name if name in self.facts and name not in fact.words else None

    def _difference(self, fact: Fact, text: str) -> Condition:
        match = _COMPARISON.fullmatch(text)
        sign, name = (match[1], match[2]) if match else ("=", text)
        other = self.facts[name]
        if fact.kind not in _NUMERIC or other.kind is not fact.kind or other is fact:
            message = f"{fact.name} ({fact.kind}) cannot be compared with {name} ({other.kind}); "
            message += "two different facts of one kind can."
            raise CellFault("wrong-type", message)
        spans = _compared(sign, 0)
        names = list(self.facts)
        if names.index(name) < names.index(fact.name):  # one direction only, so that rows can be compared
            return Condition(name, fact.name, negated(spans), f"{fact.name} {sign} {name}")
        return Condition(fact.name, name, spans, f"{fact.name} {sign} {name}")

    def _spans(self, fact: Fact, part: str) -> Spans:
        interval, comparison = _INTERVAL.fullmatch(part), _COMPARISON.fullmatch(part)
        if fact.words and (interval or (comparison and comparison[1] != "=")):
            some = ", ".join(fact.words[:3])
            message = f"{fact.name} has no order: write words such as {some}, not {part!r}."
            raise CellFault("wrong-type", message)
        if interval:
            return self._interval(fact, part, interval)
        sign, text = (comparison[1], comparison[2]) if comparison else ("=", part)
        self._check_field_name(fact, text)
        return _compared(sign, self.value(fact, text))

    def _interval(self, fact: Fact, part: str, match: re.Match[str]) -> Spans:
        ends = match[2].strip(), match[3].strip()
        first, last = self.value(fact, ends[0]), self.value(fact, ends[1])
        if first > last:
            right = f"{match[1]}{ends[1]} .. {ends[0]}{match[4]}"
            raise CellFault("impossible", f'{fact.name} {part}: the ends are swapped; write "{right}".')
        low, high = first + (match[1] == "("), last - (match[4] == ")")
        if low > high:
            hint = "[ and ] include the end, ( and ) leave it out"
            raise CellFault("impossible", f"{fact.name} {part}: no figure lies between these ends; {hint}.")
        return ((low, high),)

    def _check_field_name(self, fact: Fact, text: str) -> None:
        if not fact.words and re.fullmatch(r"[a-z]+(_[a-z]+)+", text):
            fields = [name for name, other in self.facts.items() if other.kind is fact.kind]
            raise CellFault("unknown-field", unknown(text, "field", fields))


def _compared(sign: str, code: int) -> Spans:
    lowest, highest = EVERYTHING[0]
    ends = {"<": (lowest, code - 1), "<=": (lowest, code), ">": (code + 1, highest),
            ">=": (code, highest), "=": (code, code)}  # fmt: skip
    return (ends[sign],)


def both(one: Condition, two: Condition) -> Condition:
    """Two conditions on the same figure as one; ``CellFault`` where they exclude each other."""
    spans, text = meet(one.spans, two.spans), f"{one.text} and {two.text}"
    if not spans:
        hint = "where one of them is enough, put a comma between them in one cell"
        raise CellFault("impossible", f"{text} can never be true together; {hint}.")
    return Condition(one.field, one.minus, spans, text)


def _words(fact: Fact, text: str) -> str:
    if text[0] in "<>=([":
        return f"{fact.name} {text}"
    return f"{fact.name} {'in' if ', ' in text else '='} {text}"
