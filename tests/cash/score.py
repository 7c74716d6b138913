"""Right, wrong and left alone, counted by kind. Wrong is a posting that the truth does not have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from o2c.ledger import OpenItem
from o2c.matching import Answer, Book, Outcome, Shapes, decide, keys_of, shape
from tests.cash.generate import accounts, details, entry, generated, known
from tests.cash.policy import policy
from tests.cash.rows import Row
from tests.cash.world import Block

Generate = Callable[[int, int, int], Iterable[tuple[Block, list[OpenItem], list[Row]]]]


@dataclass(slots=True)
class Count:
    """Of one kind: ``due`` should be matched, ``right`` were; ``left`` were rightly left alone."""

    due: int = 0
    right: int = 0
    wrong: int = 0
    to_leave: int = 0
    left: int = 0


@dataclass(slots=True)
class Score:
    """Counts by kind, and every row that was not as it should be."""

    kinds: dict[str, Count] = field(default_factory=lambda: defaultdict(Count))
    faults: list[tuple[Row, Answer]] = field(default_factory=list)

    def add(self, row: Row, answer: Answer) -> None:
        count = self.kinds[row.kind]
        is_match = answer.outcome is Outcome.MATCH
        right = is_match and row.decision == "match" and _same(row, answer)
        if row.decision == "match":
            count.due += 1
            count.right += right
        else:
            count.to_leave += 1
            alone = not is_match and (row.decision != "return" or answer.outcome is Outcome.RETURN)
            count.left += alone
            right = alone
        count.wrong += is_match and not right
        if not right:
            self.faults.append((row, answer))

    @property
    def wrong(self) -> int:
        return sum(one.wrong for one in self.kinds.values())

    @property
    def due(self) -> int:
        return sum(one.due for one in self.kinds.values())

    @property
    def right(self) -> int:
        return sum(one.right for one in self.kinds.values())

    @property
    def not_left(self) -> int:
        return sum(one.to_leave - one.left for one in self.kinds.values())

    def table(self) -> str:
        """One line a kind: to match, right, wrong; to leave alone, left."""
        lines = ["| kind | to match | right | wrong | to leave | left |", "|---|---:|---:|---:|---:|---:|"]
        for kind, one in sorted(self.kinds.items()):
            lines.append(f"| {kind} | {one.due} | {one.right} | {one.wrong} | {one.to_leave} | {one.left} |")
        return "\n".join(lines)


def _same(row: Row, answer: Answer) -> bool:
    parts = sorted((part.number, part.amount, part.closes) for part in answer.parts)
    taken = (
        sum(part.discount for part in answer.parts),
        sum(part.write_off for part in answer.parts) + answer.write_off,
        sum(part.charges for part in answer.parts),
        answer.unapplied,
    )
    return parts == sorted(row.alloc) and taken == (row.discount, row.write_off, row.charged, row.unapplied)


def measured(seed: int, payments: int, items: int, generate: Generate = generated) -> Score:
    """The matcher on generated payments in the order of the statement, with one book of everything."""
    score = Score()
    made = list(generate(seed, payments, items))
    before = [item for _, some, _ in made for item in some]
    customers = [one for block, _, _ in made for one in known(block)]
    shapes = Shapes.of(
        {shape(item.invoice_number) for item in before}, {shape(one.customer_id) for one in customers}
    )
    book = Book(before, customers, [one for block, _, _ in made for one in accounts(block)])
    for _, _, rows in made:
        for row, answer in _answers(rows, shapes, book):
            score.add(row, answer)
    return score


def _answers(rows: Iterable[Row], shapes: Shapes, book: Book) -> Iterable[tuple[Row, Answer]]:
    for row in rows:
        payment = details(row)
        answer = decide(entry(row, payment), payment, keys_of(payment, shapes), book, policy)
        book.take(answer)
        yield row, answer
