"""The rules and tables of a file, read into clauses.

Field names, outcomes and action columns are held against the vocabulary, rows of a ``unique`` table
against each other, and the whole against what the engine can take. Every mistake is noted with its
place; nothing is raised here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rules.cells import CellFault, CellReader, Condition, both
from rules.compile import (
    MAX_BOXES,
    MAX_CLAUSES,
    MAX_FIRST_TESTS,
    Clause,
    box_count,
    first_tests,
    overlapping,
)
from rules.document import START, Entries, Faults, Items, Node, Shape, Text, unknown
from rules.vocabulary import Policy

_TABLE = ("id", "hit", "columns", "rows")
_ID = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")


@dataclass(frozen=True, slots=True)
class _Then:
    """What a clause says when it fires."""

    outcome: str
    say: str
    actions: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ClauseReader:
    """Reads the rules and tables of one file, whose ``outcomes`` come strictest first."""

    policy: Policy
    cells: CellReader
    outcomes: tuple[str, ...]
    shape: Shape
    faults: Faults

    def read(self, top: Entries) -> tuple[Clause, ...]:
        """Every rule, then every row, in file order; checks ids, overlaps and the cage's limits."""
        found: list[Clause] = []
        places: dict[str, str] = {}
        for rule in self.shape.mappings(top, "rules"):
            if name := self._id(rule, places):
                found.extend(self._rule(rule, name, len(found)))
        for table in self.shape.mappings(top, "tables"):
            if name := self._id(table, places):
                found.extend(self._table(table, name, len(found)))
        self._check_limits(found, places)
        return tuple(found)

    def _id(self, entries: Entries, places: dict[str, str]) -> str | None:
        text = self.shape.text(entries, "id")
        if text is None:
            self.faults.add(entries.place, "missing-key", "'id' is missing here.")
        elif not _ID.fullmatch(text.value) or text.value == "otherwise":
            message = f"an id is a short word such as C10, not {text.value[:60]!r}."
            self.faults.add(text.place, "wrong-type", message)
        elif text.value in places:
            message = f"{text.value} is already used at {places[text.value]}."
            self.faults.add(text.place, "duplicate-id", message)
        else:
            places[text.value] = text.place
            return text.value
        return None

    def _rule(self, rule: Entries, name: str, position: int) -> Iterable[Clause]:
        self.shape.only(rule, ("id", "when", "then", *self.policy.actions), ("when", "then"))
        when = rule.get("when")
        fields = self.shape.as_entries(when) if when else None
        conditions = self._conditions(fields.values if fields else ())
        then = self._then([(key, node) for key, node in rule.values if key.value not in ("id", "when")])
        if then:
            yield self._clause(name, position, conditions, then, None)

    def _table(self, table: Entries, name: str, position: int) -> Iterable[Clause]:
        self.shape.only(table, _TABLE, ("hit", "columns", "rows"))
        hit = self.shape.word(table, "hit", ("unique", "first"), "hit policy")
        columns = self._columns(table)
        rows: list[tuple[Clause, str]] = []
        for number, node in enumerate(self.shape.items(table, "rows"), 1):
            clause = self._row(node, columns, f"{name}/{number}", position + len(rows), hit, name)
            if clause:
                rows.append((clause, node.place))
        if hit and hit.value == "unique":
            self._check_unique(rows)
        return [clause for clause, _ in rows]

    def _columns(self, table: Entries) -> list[Text]:
        known = (*self.policy.facts, "then", *self.policy.actions)
        columns = [text for node in self.shape.items(table, "columns") if (text := self.shape.as_text(node))]
        for position, text in enumerate(columns):
            if text.value not in known:
                self.faults.unknown(text, "column", known)
            elif text.value in [earlier.value for earlier in columns[:position]]:
                self.faults.add(text.place, "duplicate-key", f"column {text.value!r} stands here twice.")
        if "then" not in [text.value for text in columns]:
            self.faults.add(table.place, "missing-key", "the columns lack 'then'.")
        return columns

    def _row(
        self, node: Node, columns: list[Text], name: str, position: int, hit: Text | None, table: str
    ) -> Clause | None:
        if not isinstance(node, Items) or len(node.values) != len(columns):
            message = f"row {name} needs {len(columns)} cells, one for each column."
            self.faults.add(node.place, "wrong-shape", message)
            return None
        cells = list(zip(columns, node.values, strict=True))
        conditions = self._conditions([(key, cell) for key, cell in cells if key.value in self.policy.facts])
        then = self._then([(key, cell) for key, cell in cells if key.value not in self.policy.facts])
        first_of = table if hit and hit.value == "first" else None
        return self._clause(name, position, conditions, then, first_of) if then else None

    def _then(self, columns: Iterable[tuple[Text, Node]]) -> _Then | None:
        outcome: str | None = None
        actions: dict[str, str] = {}
        for key, node in columns:
            if (text := self.shape.as_text(node)) is None:
                continue
            if key.value == "then":
                outcome = text.value
                if outcome not in self.outcomes:
                    self.faults.unknown(text, "outcome", self.outcomes)
            elif text.value != "-" and key.value in self.policy.actions:
                actions[key.value] = self._action(key.value, text)
        return _Then(outcome, actions.pop("say", ""), actions) if outcome in self.outcomes else None

    def _action(self, name: str, text: Text) -> str:
        action = self.policy.actions[name]
        if not action.allows(text.value):
            known = action.values
            wanted = unknown(text.value, "value", known) if known else f"write {action.example}."
            self.faults.add(text.place, "wrong-action", f"{name}: {wanted}")
        return text.value

    def _clause(
        self,
        name: str,
        position: int,
        conditions: tuple[Condition, ...],
        then: _Then,
        first_of: str | None,
    ) -> Clause:
        rank = self.outcomes.index(then.outcome)
        return Clause(name, position, conditions, then.outcome, rank, then.say, then.actions, first_of)

    def _conditions(self, fields: Iterable[tuple[Text, Node]]) -> tuple[Condition, ...]:
        found: dict[str, Condition] = {}
        for key, node in fields:
            if key.value not in self.policy.facts:
                self.faults.unknown(key, "field", self.policy.facts)
                continue
            try:
                for new in self._cell(key.value, node):  # a <= b and b <= a are both on a - b
                    old = found.get(new.key)
                    found[new.key] = both(old, new) if old else new
            except CellFault as fault:
                self.faults.add(node.place, fault.code, str(fault))
        return tuple(found.values())

    def _cell(self, field: str, node: Node) -> tuple[Condition, ...]:
        texts = node.values if isinstance(node, Items) else (node,)
        words = [text.value for item in texts if (text := self.shape.as_text(item))]
        return self.cells.conditions(self.policy.facts[field], words)

    def _check_unique(self, rows: list[tuple[Clause, str]]) -> None:
        places = {clause.id: place for clause, place in rows}
        for one, two in overlapping([clause for clause, _ in rows]):
            message = f"the same facts match {one.id} ({places[one.id]}) and {two.id}; "
            self.faults.add(places[two.id], "overlap", message + "part them, or use 'hit: first'.")

    def _check_limits(self, clauses: list[Clause], places: Mapping[str, str]) -> None:
        if len(clauses) > MAX_CLAUSES:
            self.faults.add(START, "too-many-rules", f"{len(clauses)} rules and rows; at most {MAX_CLAUSES}.")
            return
        wide = [clause for clause in clauses if box_count(clause) > MAX_BOXES]
        for clause in wide:
            place = places[clause.id.partition("/")[0]]
            self.faults.add(place, "too-many-rules", f"{clause.id} has more than {MAX_BOXES} alternatives.")
        if not wide and (count := first_tests(clauses)) > MAX_FIRST_TESTS:
            message = f"the rules begin with {count} different tests; at most {MAX_FIRST_TESTS} run safely; "
            self.faults.add(START, "too-many-rules", message + "join rules or rows that begin alike.")
