"""The rules and tables of a file, read into clauses.

Field names, outcomes and action columns are held against the vocabulary and the whole against what
the engine can take. Every mistake is noted with its place; nothing is raised here. What can be said
only of all clauses together (overlaps, gaps, rules that never decide) is said in ``checks``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from rules.compile import (
    MAX_BOXES,
    MAX_CLAUSES,
    MAX_FIGURES,
    MAX_FIRST_TESTS,
    Clause,
    Derivation,
    Step,
    box_count,
    first_tests,
)
from rules.conditions import ConditionReader, Ids
from rules.document import START, Entries, Faults, Items, Node, Shape, Text, unknown
from rules.vocabulary import Policy

HITS = ("unique", "first", "collect")
_TABLE = ("id", "hit", "complete", "columns", "rows")


@dataclass(frozen=True, slots=True)
class Table:
    """One decision table as read. ``complete`` is the admin's word: yes, no, or None where silent.

    ``fields`` are the facts that its columns test.
    """

    id: str
    place: str
    hit: str
    complete: bool | None
    fields: tuple[str, ...]
    rows: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class _Then:
    """What a clause says when it fires, and where each action stands."""

    outcome: str
    say: str
    actions: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(slots=True)
class ClauseReader:
    """Reads the rules and tables of one file, whose ``outcomes`` come strictest first.

    ``places`` has the place of every clause by id, and of each of its actions as (id, action);
    ``start`` is the first position (derivations come before).
    """

    policy: Policy
    reader: ConditionReader
    outcomes: tuple[str, ...]
    ids: Ids
    start: int
    tables: list[Table] = field(default_factory=list)
    places: dict[str, str] = field(default_factory=dict)
    action_places: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def _shape(self) -> Shape:
        return self.reader.shape

    @property
    def _faults(self) -> Faults:
        return self.reader.faults

    def read(self, top: Entries) -> tuple[Clause, ...]:
        """Every rule, then every row, in file order."""
        found: list[Clause] = []
        for rule in self._shape.mappings(top, "rules"):
            name = self.ids.take(rule)
            found.extend(self._rule(rule, name or "", self.start + len(found)))
        for table in self._shape.mappings(top, "tables"):
            name = self.ids.take(table)
            found.extend(self._table(table, name or "", self.start + len(found)))
        return tuple(found)

    def _rule(self, rule: Entries, name: str, position: int) -> Iterable[Clause]:
        self._shape.only(rule, ("id", "when", "then", *self.policy.actions), ("when", "then"))
        conditions = self.reader.when(rule)
        then = self._then([(key, node) for key, node in rule.values if key.value not in ("id", "when")])
        if then and name:
            self._place(name, self.ids.places[name], then)
            rank = self.outcomes.index(then.outcome)
            yield Clause(name, position, conditions, then.outcome, rank, then.say, then.actions)

    def _place(self, name: str, place: str, then: _Then) -> None:
        self.places[name] = place
        self.action_places |= {(name, action): where for action, where in then.places.items()}

    def _table(self, table: Entries, name: str, position: int) -> Iterable[Clause]:
        self._shape.only(table, _TABLE, ("hit", "columns", "rows"))
        hit = self._shape.word(table, "hit", HITS, "hit policy")
        complete = self._shape.word(table, "complete", ("yes", "no"), "value")
        columns = self._columns(table)
        rows: list[Clause] = []
        for number, node in enumerate(self._shape.items(table, "rows"), 1):
            clause = self._row(node, columns, f"{name}/{number}", position + len(rows), hit)
            if clause:
                rows.append(clause)
        if hit and name:
            fields = tuple(text.value for text in columns if text.value in self.reader.cells.facts)
            said = complete.value == "yes" if complete else None
            self.tables.append(Table(name, self.ids.places[name], hit.value, said, fields, tuple(rows)))
        return rows

    def _columns(self, table: Entries) -> list[Text]:
        known = (*self.reader.cells.facts, "then", *self.policy.actions)
        nodes = self._shape.items(table, "columns")
        columns = [text for node in nodes if (text := self._shape.as_text(node))]
        for position, text in enumerate(columns):
            if text.value not in known:
                self._faults.unknown(text, "column", known)
            elif text.value in [earlier.value for earlier in columns[:position]]:
                self._faults.add(
                    text.place, "duplicate-key", f"column {text.value!r} stands here twice; remove one."
                )
        if "then" not in [text.value for text in columns]:
            self._faults.add(
                table.place, "missing-key", "the columns lack 'then'; add it, and an outcome in each row."
            )
        return columns

    def _row(
        self, node: Node, columns: list[Text], name: str, position: int, hit: Text | None
    ) -> Clause | None:
        if not isinstance(node, Items) or len(node.values) != len(columns):
            self._faults.add(node.place, "wrong-shape", _misfit(node, columns, name))
            return None
        cells = list(zip(columns, node.values, strict=True))
        facts = self.reader.cells.facts
        known = (*facts, "then", *self.policy.actions)
        conditions = self.reader.conditions([(key, cell) for key, cell in cells if key.value in facts])
        then = self._then(
            [(key, cell) for key, cell in cells if key.value in known and key.value not in facts]
        )
        if then is None or hit is None:
            return None
        self._place(name, node.place, then)
        rank, table = self.outcomes.index(then.outcome), name.partition("/")[0]
        clause = Clause(name, position, conditions, then.outcome, rank, then.say, then.actions)
        if hit.value == "first":
            return replace(clause, first_of=table)
        return replace(clause, collects=table) if hit.value == "collect" else clause

    def _then(self, columns: Iterable[tuple[Text, Node]]) -> _Then | None:
        outcome: str | None = None
        actions: dict[str, str] = {}
        places: dict[str, str] = {}
        for key, node in columns:
            if (text := self._shape.as_text(node)) is None:
                continue
            if key.value == "then":
                outcome = text.value
                if outcome not in self.outcomes:
                    self._unknown_outcome(text)
            elif text.value != "-" and key.value in self.policy.actions:
                actions[key.value] = self._action(key.value, text)
                places[key.value] = text.place
        if outcome not in self.outcomes:
            return None
        return _Then(outcome, actions.pop("say", ""), actions, places)

    def _unknown_outcome(self, text: Text) -> None:
        if text.value in self.policy.outcomes:
            message = f"{text.value} is not listed in strictest_first; add it there at its place."
            self._faults.add(text.place, "unknown-outcome", message)
        else:
            self._faults.unknown(text, "outcome", self.outcomes)

    def _action(self, name: str, text: Text) -> str:
        action = self.policy.actions[name]
        if not action.allows(text.value):
            closed = action.values and not action.pattern
            wanted = unknown(text.value, "value", action.values) if closed else _write(action.example, text)
            self._faults.add(text.place, "wrong-action", f"{name}: {wanted}")
        return text.value


def _write(example: str, text: Text) -> str:
    return f"write {example}, not {text.value[:60]!r}."


def _misfit(node: Node, columns: list[Text], name: str) -> str:
    names = ", ".join(text.value for text in columns)
    if not isinstance(node, Items):
        return f"row {name} is a list of {len(columns)} cells in [ ], one for each column: {names}."
    count = len(node.values)
    hint = 'write "-" where anything goes' if count < len(columns) else "put a text with a comma in quotes"
    cells = "1 cell" if count == 1 else f"{count} cells"
    return f"row {name} has {cells} for {len(columns)} columns ({names}); {hint}."


def check_limits(steps: tuple[Step, ...], places: Mapping[str, str], faults: Faults) -> None:
    """Notes what the engine could not take."""
    if len(steps) > MAX_CLAUSES:
        message = f"{len(steps)} rules and rows; at most {MAX_CLAUSES} run safely; split the file's work."
        faults.add(START, "too-many-rules", message)
        return
    derived = {step.fact for step in steps if isinstance(step, Derivation)}
    figures = len(derived | {condition.key for step in steps for condition in step.conditions})
    if figures > MAX_FIGURES:
        message = f"the rules read {figures} facts and comparisons; at most {MAX_FIGURES} run safely."
        faults.add(START, "too-many-rules", message)
        return
    wide = [step for step in steps if box_count(step) > MAX_BOXES]
    for step in wide:
        message = f"{step.id} has more than {MAX_BOXES} alternatives; part it into several."
        faults.add(places.get(step.id, START), "too-many-rules", message)
    if not wide and (count := first_tests(steps)) > MAX_FIRST_TESTS:
        message = f"the rules begin with {count} different tests; at most {MAX_FIRST_TESTS} run safely; "
        faults.add(START, "too-many-rules", message + "join rules or rows that begin alike.")
