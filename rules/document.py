"""A YAML file as a tree of places: every text as it was written, with its line and column.

YAML 1.2 through ruamel.yaml, composed but never constructed: ``NO`` stays a text and ``1.10``
keeps its zero. Anchors, aliases and tags are refused, so a file can neither grow when read nor
name a Python object. Nothing but text, lists and mappings leaves this module.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, NoReturn

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode

from o2c.errors import Fault, Refused
from rules import syntax

MAX_BYTES = 256 * 1024
MAX_FAULTS = 100
# What YAML makes of untagged content; which of these it was does not matter here.
_PLAIN = frozenset("str int float bool null timestamp merge value seq map".split())
_LISTED = 60  # more words than this are not all told
START = "line 1, column 1"
Extent = tuple[int, int]  # where a node stands in the file's characters: first, one behind the last


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar as written."""

    value: str
    place: str
    extent: Extent = (0, 0)


@dataclass(frozen=True, slots=True)
class Items:
    """A sequence."""

    values: tuple[Node, ...]
    place: str
    extent: Extent = (0, 0)
    dashed: bool = False  # written as lines that start with a dash, not as [..]


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping: its entries in file order, keys with their places, no key twice."""

    values: tuple[tuple[Text, Node], ...]
    place: str

    def get(self, key: str) -> Node | None:
        """The value of ``key``, None where absent."""
        return next((value for name, value in self.values if name.value == key), None)


Node = Text | Items | Entries


class Faults:
    """Gathers everything wrong with one file, so that an admin mends it in one go.

    Faults refuse the file, remarks are only shown. ``accepted``: the file has been in force, so that
    what our checks think of it (``judge``) is a remark, and only what cannot run is a fault.
    """

    def __init__(self, name: str, *, accepted: bool = False) -> None:
        self._name = name
        self._accepted = accepted
        self._found: list[Fault] = []
        self._remarks: list[Fault] = []

    @property
    def remarks(self) -> tuple[Fault, ...]:
        """What a person should know although the file can be loaded."""
        return tuple(self._remarks)

    def add(self, place: str, code: str, message: str) -> None:
        """Notes one fault at ``place`` (``line 7, column 12``); the first hundred are enough to go on."""
        if len(self._found) < MAX_FAULTS:
            self._found.append(Fault(place, code, message))

    def judge(self, place: str, code: str, message: str) -> None:
        """Notes what makes a file unfit to be put in force; of one in force it is a remark."""
        if self._accepted:
            self.remark(place, code, message)
        else:
            self.add(place, code, message)

    def remark(self, place: str, code: str, message: str) -> None:
        """Notes one remark."""
        if len(self._remarks) < MAX_FAULTS:
            self._remarks.append(Fault(place, code, message))

    def unknown(self, where: Text, what: str, known: Iterable[str]) -> None:
        """Notes a word that is not in a closed list, with the nearest one that is."""
        self.add(where.place, f"unknown-{what}", unknown(where.value, what, known))

    def refuse_if_any(self) -> None:
        """Raises ``Refused('rulebook-invalid')`` where something was noted."""
        if self._found:
            self.refuse()

    def refuse(self) -> NoReturn:
        """Raises ``Refused('rulebook-invalid')`` naming the first fault and carrying all."""
        first = self._found[0]
        count = "1 fault" if len(self._found) == 1 else f"{len(self._found)} faults"
        raise Refused(
            "rulebook-invalid",
            f"{self._name} has {count}; {first.pointer}: {first.message}",
            next_step="Mend the file and load it again; the rules in force stay as they are.",
            faults=self._found,
        )


def unknown(word: str, what: str, known: Iterable[str]) -> str:
    """``unknown field 'exposre'; did you mean 'exposure'?``, else the list (its first few, if long)."""
    names = list(known)
    near = get_close_matches(word, names, n=1, cutoff=0.6)
    listed = ", ".join(names) if len(names) <= _LISTED else f"{', '.join(names[:5])} and others"
    hint = f"did you mean {near[0]!r}?" if near else f"known are: {listed}."
    return f"unknown {what} {word[:60]!r}; {hint}"


def read(content: bytes, faults: Faults) -> Entries:
    """The top mapping of a file; refuses what is no YAML mapping within ``MAX_BYTES``."""
    if len(content) > MAX_BYTES:
        faults.add(START, "too-large", f"the file has {len(content)} bytes; at most {MAX_BYTES} are read.")
        faults.refuse()
    node = _composed(content, faults)
    faults.refuse_if_any()
    if not isinstance(node, Entries):
        faults.add(START, "wrong-shape", "a rule file is a mapping that starts with 'policy:'.")
        faults.refuse()
    return node


def _composed(content: bytes, faults: Faults) -> Node | None:
    try:
        return _node(YAML(typ="safe", pure=True).compose(content.decode("utf-8-sig")), faults)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        sign = content[error.start : error.start + 1]
        words = f"the sign {sign.decode('latin-1')!r} is not stored as UTF-8; save the file as UTF-8."
        faults.add(f"line {line}, column 1", "encoding", words)
    except MarkedYAMLError as error:
        words, at_context = syntax.advice(error.problem or error.context or "")
        mark = error.context_mark if at_context and error.context_mark else error.problem_mark
        faults.add(_place(mark), "yaml", words)
    except (YAMLError, ValueError, RecursionError) as error:
        faults.add(START, "yaml", f"not valid YAML: {str(error) or type(error).__name__}.")
    return None


def _place(mark: Any) -> str:
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark is not None else START


def _extent(raw: Any) -> Extent:
    return raw.start_mark.index, raw.end_mark.index


def line_of(place: str) -> int:
    """7 of ``line 7, column 12``."""
    return int(place.partition(",")[0].removeprefix("line "))


def _node(raw: Any, faults: Faults) -> Node | None:
    if raw is None:
        return None
    place = _place(raw.start_mark)
    if raw.anchor or str(raw.tag).removeprefix("tag:yaml.org,2002:") not in _PLAIN:
        faults.add(place, "yaml", "anchors, aliases and tags (&, *, !) have no place in a rule file.")
        return Text("-", place)
    if isinstance(raw, ScalarNode):
        return Text(raw.value.strip(), place, _extent(raw))
    if isinstance(raw, MappingNode):
        return _entries(raw, place, faults)
    items = tuple(node for item in raw.value if (node := _node(item, faults)))
    return Items(items, place, _extent(raw), not raw.flow_style)


def _entries(raw: Any, place: str, faults: Faults) -> Entries:
    found: dict[str, tuple[Text, Node]] = {}
    for raw_key, raw_value in raw.value:
        key, value = _node(raw_key, faults), _node(raw_value, faults)
        if not isinstance(key, Text) or value is None:
            faults.add(_place(raw_key.start_mark), "wrong-shape", "a key must be a plain word.")
        elif raw.flow_style and _is_absent(raw_value):
            faults.add(key.place, "yaml", syntax.no_value(key.value))
        elif key.value in found:
            faults.add(
                key.place, "duplicate-key", f"{key.value!r} stands here for the second time; remove one."
            )
        else:
            found[key.value] = (key, value)
    return Entries(tuple(found.values()), place)


def _is_absent(raw: Any) -> bool:
    return isinstance(raw, ScalarNode) and raw.value == "" and not raw.style


@dataclass(frozen=True, slots=True)
class Shape:
    """Takes apart mappings and lists, noting what is missing, unknown or of the wrong shape."""

    faults: Faults

    def only(self, entries: Entries, known: Iterable[str], needed: Iterable[str]) -> None:
        """Notes keys that are not in ``known`` and ``needed`` ones that are absent."""
        known = tuple(known)
        meant: set[str] = set()
        for key, _ in entries.values:
            if key.value not in known:
                self.faults.unknown(key, "key", known)
                meant.update(get_close_matches(key.value, known, n=1, cutoff=0.6))
        for name in needed:
            if entries.get(name) is None and name not in meant:  # a misspelt key is one mistake, not two
                self.faults.add(entries.place, "missing-key", f"{name!r} is missing here.")

    def as_text(self, node: Node) -> Text | None:
        """``node`` if it is a text."""
        if isinstance(node, Text):
            return node
        self.faults.add(node.place, "wrong-shape", "a single text belongs here, no list and no mapping.")
        return None

    def as_entries(self, node: Node) -> Entries | None:
        """``node`` if it is a mapping."""
        if isinstance(node, Entries):
            return node
        self.faults.add(node.place, "wrong-shape", "a mapping {key: value} belongs here.")
        return None

    def text(self, entries: Entries, key: str) -> Text | None:
        """The text under ``key``."""
        node = entries.get(key)
        return self.as_text(node) if node else None

    def word(self, entries: Entries, key: str, known: Iterable[str], what: str) -> Text | None:
        """The text under ``key`` if it is one of ``known``; ``what`` names such a word in messages."""
        text, names = self.text(entries, key), tuple(known)
        if text and text.value not in names:
            self.faults.unknown(text, what, names)
            return None
        return text

    def items(self, entries: Entries, key: str) -> tuple[Node, ...]:
        """The list under ``key``, empty where absent."""
        node = entries.get(key)
        if isinstance(node, Items):
            return node.values
        if node is not None and not (isinstance(node, Text) and not node.value):
            self.faults.add(node.place, "wrong-shape", f"{key!r} is a list.")
        return ()

    def mappings(self, entries: Entries, key: str) -> list[Entries]:
        """The mappings in the list under ``key``."""
        return [found for node in self.items(entries, key) if (found := self.as_entries(node))]
