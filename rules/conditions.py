"""From the fields of a rule, a row or a derived fact to conditions, every mistake noted with its place."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from rules.cells import CellFault, CellReader, Condition, both
from rules.document import Entries, Faults, Items, Node, Shape, Text

_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class ConditionReader:
    """Reads conditions of one file with its ``cells`` grammar."""

    cells: CellReader
    shape: Shape
    faults: Faults

    def when(self, entries: Entries) -> tuple[Condition, ...]:
        """The conditions under ``when``."""
        node = entries.get("when")
        fields = self.shape.as_entries(node) if node else None
        return self.conditions(fields.values if fields else ())

    def conditions(self, fields: Iterable[tuple[Text, Node]]) -> tuple[Condition, ...]:
        """At most one condition per figure."""
        found: dict[str, Condition] = {}
        for key, node in fields:
            if key.value not in self.cells.facts:
                self.faults.unknown(key, "field", self.cells.facts)
                continue
            try:
                for new in self._cell(key.value, node):  # a <= b and b <= a are both on a - b
                    old = found.get(new.key)
                    found[new.key] = both(old, new) if old else new
            except CellFault as fault:
                self.faults.add(node.place, fault.code, str(fault))
        return tuple(found.values())

    def _cell(self, name: str, node: Node) -> tuple[Condition, ...]:
        texts = node.values if isinstance(node, Items) else (node,)
        words = [text.value for item in texts if (text := self.shape.as_text(item))]
        return self.cells.conditions(self.cells.facts[name], words)


@dataclass(frozen=True, slots=True)
class Ids:
    """The ids of one file, each with its place: no two rules, tables or derived lines share one."""

    shape: Shape
    faults: Faults
    places: dict[str, str] = field(default_factory=dict)

    def take(self, entries: Entries) -> str | None:
        """The id of a rule, table or derived line; None where it is missing, malformed or taken."""
        text = self.shape.text(entries, "id")
        if text is None:
            self.faults.add(entries.place, "missing-key", "'id' is missing here; give it one such as C10.")
        elif not _ID.fullmatch(text.value) or text.value == "otherwise":
            message = f"an id is a short word such as C10, not {text.value[:60]!r}."
            self.faults.add(text.place, "wrong-type", message)
        elif text.value in self.places:
            message = f"{text.value} is already used at {self.places[text.value]}; give this one another id."
            self.faults.add(text.place, "duplicate-id", message)
        else:
            self.places[text.value] = text.place
            return text.value
        return None
