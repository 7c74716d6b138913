"""What can be said of a rule file only when all of it is read.

Overlaps and gaps of tables, rules that can never decide, pairs that contradict each other, what no
test touches. Each finding names its place and what to do; ``Faults.judge`` decides whether it keeps
the file from being put in force.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from o2c.money import minor_digits
from rules.clauses import Table
from rules.compile import Clause, Program, overlapping
from rules.document import START, Faults
from rules.regions import Pieces, Region, TooMuch, inside, is_real, meets, region
from rules.spans import EVERYTHING, Spans, meet
from rules.vocabulary import SCALE, Fact, Kind

_BUDGET = 300_000  # steps for one kind of question; about a second, and enough for some hundred rules
_PAIRS = 250_000  # pairs of rules held against each other in one file
_NAMED = 4  # more ids than this are not told


@dataclass(frozen=True, slots=True)
class Checks:
    """One file as read: its program, its tables, the place of each clause, and where to note things."""

    program: Program
    currency: str | None
    tables: Sequence[Table]
    places: Mapping[str, str]
    faults: Faults

    def run(self) -> None:
        """Every check of the file as a whole; each mistake is told once, by the plainest name for it."""
        overlaps = [pair for table in self.tables if table.hit == "unique" for pair in self._overlaps(table)]
        told = {clause.id for pair in overlaps for clause in pair}
        if len(self.program.clauses) ** 2 > _PAIRS:
            words = "there are too many rules to find out whether each of them can decide."
            self.faults.remark(START, "not-checked", words)
        else:
            told |= {clause.id for clause in self._idle(told)}
            self._contradictions(told)
        for table in self.tables:
            self._gap(table)
        self._unread()

    # --- rows that overlap -----------------------------------------------------------------------
    def _overlaps(self, table: Table) -> Iterator[tuple[Clause, Clause]]:
        for one, two in overlapping(table.rows):
            message = f"the same facts match {one.id} ({self.places[one.id]}) and {two.id}; "
            message += "part them, or write 'hit: first' if the upper row is to win."
            self.faults.judge(self.places[two.id], "overlap", message)
            yield one, two

    # --- rules that can never decide -------------------------------------------------------------
    def _idle(self, told: set[str]) -> Iterator[Clause]:
        rows_before = {clause.id: rows for clause, rows in self._first_rows()}
        pieces = Pieces(self.program.every_fact, _BUDGET)
        for clause in self.program.clauses:
            if clause.id in told:
                continue
            try:
                cover = self._cover(pieces, clause, rows_before)
            except TooMuch:
                words = f"whether {clause.id} and those after it can ever decide is too much to find out."
                self.faults.remark(self.places[clause.id], "not-checked", words)
                return
            if cover:
                self.faults.judge(self.places[clause.id], "never-decides", self._idle_words(clause, cover))
                yield clause

    def _first_rows(self) -> Iterator[tuple[Clause, tuple[Region, ...]]]:
        """The rows of tables where the first one wins, each with the rows before it."""
        for table in self.tables:
            if table.hit == "first":
                for number, row in enumerate(table.rows):
                    before = (region(earlier.conditions) for earlier in table.rows[:number])
                    yield row, tuple(sorted(before, key=len))  # the widest first: less is left to look at

    def _cover(
        self, pieces: Pieces, clause: Clause, rows_before: Mapping[str, tuple[Region, ...]]
    ) -> list[Clause]:
        """The clauses that between them always decide instead of ``clause``; empty where it can decide."""
        mine = region(clause.conditions)
        left = pieces.minus_all(mine, (row for row in rows_before.get(clause.id, ()) if meets(mine, row)))
        cover: list[Clause] = [
            other
            for other in self.program.clauses
            if clause.first_of and other.first_of == clause.first_of and other.position < clause.position
            and meets(mine, region(other.conditions))
        ]  # fmt: skip
        for other in sorted(self.program.clauses, key=lambda one: len(one.conditions)):  # the widest first
            if not left:
                break
            theirs = region(other.conditions)
            if _goes_first(other, clause) and any(meets(piece, theirs) for piece in left):
                left = pieces.minus_fired(left, other, rows_before.get(other.id, ()))
                cover.append(other)
        return [] if left else cover

    def _idle_words(self, clause: Clause, cover: Sequence[Clause]) -> str:
        whole = Pieces(self.program.every_fact, 0).whole
        mine = region(clause.conditions)
        alone = [one for one in cover if inside(mine, region(one.conditions), whole)]
        by = (alone or list(cover))[: _NAMED if not alone else 1]
        names = " or ".join(f"{one.id} ({one.outcome}, {self.places[one.id]})" for one in by)
        more = " or others" if not alone and len(cover) > _NAMED else ""
        why = f"wherever it fits, {names}{more} decides instead, as the stricter or the earlier one"
        return f"{clause.id} can never decide: {why}; remove {clause.id}, or narrow the other."

    # --- rules that contradict each other --------------------------------------------------------
    def _contradictions(self, told: set[str]) -> None:
        whole = Pieces(self.program.every_fact, 0).whole
        rules = [c for c in self.program.clauses if c.conditions and not c.first_of and c.id not in told]
        for one, two in combinations(rules, 2):
            if abs(one.rank - two.rank) < 2:
                continue
            first, second = region(one.conditions), region(two.conditions)
            small, big = (one, two) if inside(first, second, whole) else (two, one)
            if inside(region(small.conditions), region(big.conditions), whole):
                stricter = min(one, two, key=lambda clause: clause.rank)
                pair = f"{small.id} ({small.outcome}) meets {big.id} ({big.outcome}) as well"
                message = f"whatever meets {pair}; the stricter, {stricter.outcome}, decides: is that meant?"
                self.faults.remark(self.places[small.id], "contradiction", message)

    # --- gaps ------------------------------------------------------------------------------------
    def _gap(self, table: Table) -> None:
        meant = table.complete is False or (table.hit == "collect" and table.complete is None)
        if meant or not table.rows:
            return
        try:
            example = self._uncovered(table)
        except TooMuch:
            words = f"whether {table.id} has a gap is too much to find out."
            self.faults.remark(table.place, "not-checked", words)
            return
        if example is None:
            return
        message = f"no row of {table.id} fits {example}; "
        if table.complete:
            self.faults.judge(table.place, "gap", f"{message}add a row, or write 'complete: no'.")
        else:
            message += f"'otherwise' ({self.program.otherwise}) decides there unless a rule does: "
            self.faults.remark(
                table.place, "gap", f"{message}add a row, or write 'complete: no' if it is meant."
            )

    def _uncovered(self, table: Table) -> str | None:
        """Facts that no row fits, in the file's words; None where every row fits some."""
        pieces = Pieces(self.program.every_fact, _BUDGET)
        keys = dict.fromkeys(c.key for row in table.rows for c in row.conditions)
        start = {key: self._possible(key) for key in keys}
        for box in pieces.minus_all(start, [region(row.conditions) for row in table.rows]):
            bound = {key: spans for key, spans in box.items() if spans != start[key]}
            points = {key: self._point(key, spans) for key, spans in bound.items()}
            if None not in points.values() and is_real(box, self.program.differences(), self._possible):
                return ", ".join(
                    self._words(key, point) for key, point in points.items() if point is not None
                )
        return None

    def _possible(self, key: str) -> Spans:
        """All that a figure is in practice: amounts owed, for one, are never below zero."""
        fact = self.program.every_fact.get(key)
        whole = Pieces(self.program.every_fact, 0).whole(key)
        return meet(whole, ((fact.least, EVERYTHING[0][1]),)) if fact and fact.least is not None else whole

    def _point(self, key: str, spans: Spans) -> int | None:
        """One figure in these spans that could be real, best one at an end."""
        fact = self.program.every_fact.get(key)
        step = self._step(fact) if fact else 1
        lowest, highest = EVERYTHING[0]
        for low, high in spans:
            start = low if low > lowest else high - high % step if high < highest else 0
            point = -(-start // step) * step
            if low <= point <= high:
                return point
        return None

    def _step(self, fact: Fact) -> int:
        """The smallest step of a figure: a cent is ten of the thousandths that money is kept in."""
        if fact.kind is not Kind.MONEY:
            return 1
        digits = minor_digits(self.currency) if self.currency else 2
        return int(10 ** (SCALE[Kind.MONEY] - min(digits, 3)))

    def _words(self, key: str, point: int) -> str:
        fact = self.program.every_fact.get(key)
        if fact:
            return f"{key}: {fact.show(point)}"
        one, _, two = key.partition("-")
        return f"{one} {'=' if point == 0 else '<' if point < 0 else '>'} {two}"

    # --- what nobody reads or tests --------------------------------------------------------------
    def _unread(self) -> None:
        read = {condition.field for step in self.program.steps for condition in step.conditions}
        for name in self.program.derived:
            if name not in read:
                line = next(d for d in self.program.derivations if d.fact == name)
                words = f"no rule reads {name}; use it in a rule, or remove it."
                self.faults.remark(self.places[line.id], "unread", words)

    def untested(self, decided: Iterable[str | None]) -> None:
        """Notes the rules that decided none of the file's tests; ``decided`` is who decided each."""
        seen = list(decided)
        if not seen:
            words = "the file has no tests; add some under 'tests:', at least one for each rule."
            self.faults.remark(START, "untested", words)
            return
        missing = [clause for clause in self.program.clauses if clause.id not in seen]
        if missing:
            names = ", ".join(clause.id for clause in missing[:_NAMED])
            names += f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
            words = f"no test is decided by {names}; add one with 'by: {missing[0].id}'."
            self.faults.remark(self.places[missing[0].id], "untested", words)


def _goes_first(other: Clause, clause: Clause) -> bool:
    """Whether ``other``, where both fire, decides instead of ``clause``."""
    if other.first_of and other.first_of == clause.first_of:
        return False  # they never both fire
    if other.rank != clause.rank:
        return other.rank < clause.rank
    if other.collects and other.collects == clause.collects:
        return False  # both are heard
    return other.position < clause.position
