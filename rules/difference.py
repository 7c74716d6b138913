"""What differs in meaning between two rule files of one policy.

Settings, rules, derived facts, tables with their rows, and tests are compared by what they say, not
by how it is written: a comment, another order of keys or columns, ``500.00`` for ``500.000`` or a
column of ``-`` is no difference. Rows are matched by content, so a row put in at the top is one
added row, not a table of changed ones. Words and line numbers come from the files themselves.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest

from rules.cells import CellFault, CellReader
from rules.document import Entries, Faults, Items, Node, Text, line_of, read
from rules.rulebook import Rulebook
from rules.vocabulary import POLICIES

_LISTS = {"rules": "rule", "derived": "derived", "tables": "table", "tests": "test"}
_ALIKE = 0.5  # the share of equal cells from which two rows are one that changed


@dataclass(frozen=True, slots=True)
class Change:
    """One difference.

    ``part``: setting, rule, derived, table, row or test. ``kind``: added, removed, changed or moved.
    ``name`` is what the new file calls it (``C30``, ``C60/2``, a test's name), or the old one where it
    was removed. ``field`` says what of it changed (``when.overdue_days``, ``then``), empty where it is
    the whole. Words and lines are None on the side where it is absent.
    """

    part: str
    kind: str
    name: str
    field: str
    old: str | None
    new: str | None
    old_line: int | None
    new_line: int | None


@dataclass(frozen=True, slots=True)
class _Word:
    """Something a file says: in its own words, by its meaning, and where."""

    text: str
    meaning: Hashable
    line: int


@dataclass(frozen=True, slots=True)
class _Entry:
    """A rule, row, derived fact, table or test: its fields, absent ones left out."""

    name: str
    line: int
    fields: Mapping[str, _Word]

    @property
    def text(self) -> str:
        """All of it in one line."""
        return "; ".join(f"{name}: {word.text}" for name, word in self.fields.items())

    @property
    def meaning(self) -> frozenset[tuple[str, Hashable]]:
        """What it says, however it is written."""
        return frozenset((name, word.meaning) for name, word in self.fields.items())


_Pair = tuple[_Entry | None, _Entry | None]  # the same entry in the old file and in the new one


def difference(old: Rulebook, new: Rulebook) -> tuple[Change, ...]:
    """Every difference, in the order of the parts: settings, rules, derived facts, tables, tests."""
    return tuple(_differences(_File(old), _File(new)))


class _File:
    """One rule file, taken apart."""

    def __init__(self, book: Rulebook) -> None:
        self.top = read(book.content, Faults(book.name))
        self._policy = POLICIES[book.policy]
        self._cells = CellReader(self._policy.facts, book.currency)

    def settings(self) -> dict[str, _Word]:
        """What stands above the rules."""
        return {key.value: _word(node) for key, node in self.top.values if key.value not in _LISTS}

    def entries(self, part: str) -> list[_Entry]:
        """The rules, derived facts, tables (without their rows) or tests, in file order."""
        found = [self._entry(node) for node in _items(self.top.get(part)) if isinstance(node, Entries)]
        times: dict[str, int] = {}
        for number, entry in enumerate(found):  # two tests may bear one name
            times[entry.name] = times.get(entry.name, 0) + 1
            if times[entry.name] > 1:
                found[number] = replace(entry, name=f"{entry.name} ({times[entry.name]})")
        return found

    def rows(self, table: str) -> list[_Entry]:
        """The rows of a table, each a mapping of its columns."""
        for node in _items(self.top.get("tables")):
            if isinstance(node, Entries) and _text(node.get("id")) == table:
                columns = [_text(column) for column in _items(node.get("columns"))]
                return [
                    self._row(f"{table}/{number}", columns, row)
                    for number, row in enumerate(_items(node.get("rows")), 1)
                    if isinstance(row, Items)
                ]
        return []

    def _entry(self, node: Entries) -> _Entry:
        fields: dict[str, _Word] = {}
        for key, value in node.values:
            if key.value in ("columns", "rows"):
                continue
            if isinstance(value, Entries):
                fields |= {f"{key.value}.{name.value}": self._cell(name.value, v) for name, v in value.values}
            elif (word := _word(value)).text != "-":
                fields[key.value] = word
        name = fields.pop("id", None) or fields.pop("name", None)
        spoken = {field: word for field, word in fields.items() if word.meaning is not None}
        return _Entry(name.text if name else "", line_of(node.place), spoken)

    def _row(self, name: str, columns: Sequence[str], row: Items) -> _Entry:
        words = {column: self._cell(column, cell) for column, cell in zip(columns, row.values, strict=True)}
        spoken = {column: word for column, word in words.items() if word.meaning is not None}
        return _Entry(name, line_of(row.place), spoken)

    def _cell(self, field: str, node: Node) -> _Word:
        """A cell by its meaning; None where it says nothing (``-``)."""
        word = _word(node)
        if word.text == "-":
            return replace(word, meaning=None)
        fact = self._policy.facts.get(field)
        if fact is None:
            return word
        try:
            texts = [_text(item) for item in _items(node)] if isinstance(node, Items) else [_text(node)]
            conditions = self._cells.conditions(fact, texts)
        except CellFault:  # it reads as something else than a condition
            return word
        return replace(word, meaning=frozenset((c.key, c.spans) for c in conditions))


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.values if isinstance(node, Items) else ()


def _text(node: Node | None) -> str:
    return " ".join(node.value.split()) if isinstance(node, Text) else ""


def _word(node: Node) -> _Word:
    if isinstance(node, Items):
        text = ", ".join(_text(item) for item in node.values)
    elif isinstance(node, Entries):
        text = ", ".join(f"{key.value}: {_text(value)}" for key, value in node.values)
    else:
        text = _text(node)
    return _Word(text, text, line_of(node.place))


# --- old against new -----------------------------------------------------------------------------
def _differences(old: _File, new: _File) -> Iterator[Change]:
    yield from _settings(old.settings(), new.settings())
    for name, part in _LISTS.items():
        before, after = old.entries(name), new.entries(name)
        known = {entry.name: entry for entry in before}
        pairs: list[_Pair] = [(known.get(entry.name), entry) for entry in after]
        left = {entry.name for entry in after}
        pairs += [(entry, None) for entry in before if entry.name not in left]
        ordered = part in ("rule", "table")  # of two equally strict rules the first in the file decides
        yield from _entries(part, pairs, before if ordered else [], after if ordered else [])
        if part == "table":
            for table in dict.fromkeys(entry.name for entry in (*after, *before)):
                yield from _rows(old.rows(table), new.rows(table))


def _settings(old: Mapping[str, _Word], new: Mapping[str, _Word]) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        yield from _fields("setting", name, "", old.get(name), new.get(name))


def _fields(part: str, name: str, field: str, old: _Word | None, new: _Word | None) -> Iterator[Change]:
    if (old and old.meaning) == (new and new.meaning):
        return
    kind = "changed" if old and new else "removed" if old else "added"
    if field:
        kind = "changed"  # the entry is there in both files
    yield Change(
        part,
        kind,
        name,
        field,
        old.text if old else None,
        new.text if new else None,
        old.line if old else None,
        new.line if new else None,
    )


def _entries(
    part: str,
    pairs: Iterable[_Pair],
    before: Sequence[_Entry],
    after: Sequence[_Entry],
) -> Iterator[Change]:
    """One change for each entry on one side only, for each field that differs, and for each that moved."""
    pairs = list(pairs)
    moved = _moved(before, after, pairs)
    for old, new in pairs:
        if old and new:
            for field in dict.fromkeys((*old.fields, *new.fields)):
                yield from _fields(part, new.name, field, old.fields.get(field), new.fields.get(field))
            if new.name in moved:
                yield Change(part, "moved", new.name, "", *moved[new.name], old.line, new.line)
        elif old:
            yield Change(part, "removed", old.name, "", old.text, None, old.line, None)
        elif new:
            yield Change(part, "added", new.name, "", None, new.text, None, new.line)


def _rows(before: Sequence[_Entry], after: Sequence[_Entry]) -> Iterator[Change]:
    yield from _entries("row", _matched(before, after), before, after)


def _matched(before: Sequence[_Entry], after: Sequence[_Entry]) -> list[_Pair]:
    """Rows of two tables: the same ones first, then the most alike, the rest alone; in the new order."""
    partner: dict[str, _Entry] = {}
    left = list(before)
    for wanted in after:
        same = next((row for row in left if row.meaning == wanted.meaning), None)
        if same:
            partner[wanted.name] = same
            left.remove(same)
    open_ = [row for row in after if row.name not in partner]
    scores = [
        (_alike(old, new), -abs(_number(old) - _number(new)), old, new) for old in left for new in open_
    ]
    for score, _, old, new in sorted(scores, key=lambda each: each[:2], reverse=True):
        if score >= _ALIKE and new.name not in partner and old in left:
            partner[new.name] = old
            left.remove(old)
    pairs: list[_Pair] = [(partner.get(row.name), row) for row in after]
    return pairs + [(row, None) for row in left]


def _alike(one: _Entry, two: _Entry) -> float:
    """The share of columns in which two rows say the same."""
    return len(one.meaning & two.meaning) / max(len(one.fields), len(two.fields), 1)


def _number(row: _Entry) -> int:
    return int(row.name.rpartition("/")[2])


def _moved(
    before: Sequence[_Entry], after: Sequence[_Entry], pairs: Iterable[_Pair]
) -> dict[str, tuple[str, str]]:
    """New name -> (place before, place now) of the fewest entries whose moving explains the new order."""
    was = {new.name: old.name for old, new in pairs if old and new}
    places = {entry.name: place for place, entry in enumerate(before)}
    common = [entry.name for entry in after if entry.name in was and was[entry.name] in places]
    stay = _longest_rising([places[was[name]] for name in common])
    ahead_old = _behind([entry.name for entry in before])
    ahead_new = _behind([entry.name for entry in after])
    return {
        name: (ahead_old[was[name]], ahead_new[name])
        for number, name in enumerate(common)
        if number not in stay
    }


def _behind(names: Sequence[str]) -> dict[str, str]:
    """Where each stands, in words: ``first``, ``after C10``."""
    return {
        name: f"after {ahead}" if ahead else "first"
        for ahead, name in zip_longest((None, *names), names)
        if name
    }


def _longest_rising(numbers: Sequence[int]) -> set[int]:
    """Positions of a longest rising run: what can stay where it is."""
    tops: list[int] = []  # the least end of a run of each length
    ends: list[int] = []  # and its position
    back: list[int] = []
    for position, number in enumerate(numbers):
        length = bisect_left(tops, number)
        back.append(ends[length - 1] if length else -1)
        tops[length : length + 1] = [number]
        ends[length : length + 1] = [position]
    found: set[int] = set()
    at = ends[-1] if ends else -1
    while at >= 0:
        found.add(at)
        at = back[at]
    return found
