"""Match: payments are decided in document order on what is open, a block at a time.

While one block is decided, the books fetch what the next ones need and write what the ones before came
to (``books``). So what a block has fetched may be older than the blocks just before it: it begins with
what they have moved.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain

from gateway.stages import lookup, post, refund, returns
from gateway.stages.batch import APPLIED, RETURNED, Batch, Origin, Rates, Standing
from gateway.stages.books import Books
from gateway.stages.desk import Desk
from gateway.stages.lookup import Earlier, Invoiced, Named, Owing, Wanted
from gateway.stages.reading import Block, Pair
from gateway.stages.refund import Credits
from gateway.stages.returns import Originals
from gateway.stages.tolerance import CashRules
from gateway.store import items
from gateway.store.bulk import Row, Rows
from o2c.cash import Owed
from o2c.ledger import OpenItem
from o2c.matching import Book, Directory, Keys, Known, Shapes, decide, payer_of
from o2c.matching.model import Answer, Outcome
from o2c.statement import Entry, TransactionDetails

_AHEAD = 2  # blocks that may be undecided when one asks for what it names
Moved = dict[str, tuple[OpenItem, Owed]]  # items that a block moved, and how they stood after it


@dataclass(slots=True)
class Run:
    """One import: what stays the same from block to block, and what has been counted so far."""

    desk: Desk
    books: Books
    shapes: Shapes
    issues: bool  # are there invoices of this house among the items?
    rates: Rates
    rules: CashRules
    directory: Directory = field(default_factory=Directory)
    asked: set[str] = field(default_factory=set)  # names and customer numbers that were looked for
    before: Batch | None = None  # the block before the one that is being decided
    moved: deque[Moved] = field(default_factory=lambda: deque(maxlen=_AHEAD))
    counts: Counter[str] = field(default_factory=Counter)


def start(desk: Desk, books: Books) -> Run:
    """Ready to decide."""
    beginning = books.ask(lookup.beginning)()
    rates = Rates(lambda currency, day: books.ask(lookup.rate, currency, day)())
    rules = CashRules(
        desk,
        lambda currency: rates.on(currency, desk.clock.today()),
        lambda name: books.ask(lookup.traits, name)(),
    )
    return Run(desk, books, Shapes.of(*beginning.shapes), beginning.issues, rates, rules)


def take(
    run: Run, origin: Origin, blocks: Iterable[Block], advance: Callable[[int], None] = lambda _: None
) -> None:
    """Decide these payments and have what comes of it written. Those that are here already are left out.
    ``advance`` is told how many are done.

    Three blocks are under way at a time: the third asks for what it names and the second for what it
    needs before the first is decided on what was asked for it.
    """
    run.before = None  # all that was told earlier is in the books before anything is asked here
    run.moved.clear()
    first: _Block | None = None
    second: _Block | None = None
    for some in chain(blocks, (None,) * _AHEAD):
        third = _Block.named(run, origin, some) if some else None
        if second:
            second.gather()
        if first:
            first.decide()
            advance(first.size)
        first, second = second, third


@dataclass(slots=True)
class _Block:
    """Some payments on their way from what they name to what becomes of them."""

    run: Run
    origin: Origin
    pairs: Sequence[Pair]
    keys: Sequence[Keys]
    answer: Callable[[], Named]
    size: int  # with those that are here already
    book: Book = field(init=False)
    batch: Batch = field(init=False)
    concerned: set[str] = field(init=False)
    invoiced: list[Invoiced] = field(init=False)
    owing: Callable[[], Owing] = field(init=False)
    earlier: Callable[[], Earlier] = field(init=False)

    @classmethod
    def named(cls, run: Run, origin: Origin, block: Block) -> _Block:
        """Ask what is here of what the payments name; nobody is asked for twice in one import."""
        pairs, keys = block
        customers = _every(one.customers for one in keys) - run.asked
        names = _every(one.names for one in keys) - run.asked
        run.asked |= customers | names
        wanted = Wanted(
            origin.account,
            [details.key for _, details in pairs],
            _every(one.references for one in keys),
            _every(one.numbers for one in keys),
            _every(one.ibans for one in keys),
            customers,
            names,
        )
        answer = run.books.ask(lookup.named, wanted, run.issues)
        return cls(run, origin, pairs, keys, answer, len(pairs))

    def gather(self) -> None:
        """The book of what is named; ask what those owe who may have paid, and for the payments that returns
        and refunds may be about."""
        named, run = self.answer(), self.run
        self._leave_out(named.known)
        self._know(named.people)
        found = self._items(named.items)
        self.book = Book(found, run.directory, named.accounts, self._fetch)
        self.invoiced = [named.invoiced]
        self.concerned = {
            name
            for (_, details), keys in zip(self.pairs, self.keys, strict=True)
            for name in _concerned(details, keys, self.book)
        }
        self.owing = run.books.ask(lookup.owing, self.concerned, run.issues)
        marks = returns.marks(self.pairs)
        credited = refund.credited(self.book, self.pairs, self.keys)
        self.earlier = run.books.ask(lookup.earlier, self.origin.account, marks, credited, run.issues)

    def _items(self, rows: Sequence[Row]) -> list[OpenItem]:
        """Items of customers who are in the directory."""
        return items.items_of(rows, self.run.desk.company.currency, self.run.directory.called)

    def _leave_out(self, known: set[str]) -> None:
        """Payments that came in before."""
        self.run.counts["known"] += len(known)
        if known:
            fresh = [place for place, (_, details) in enumerate(self.pairs) if details.key not in known]
            self.pairs = [self.pairs[place] for place in fresh]
            self.keys = [self.keys[place] for place in fresh]

    def _know(self, people: Rows) -> None:
        for customer_id, name, postcode, name_key in people:
            self.run.directory.add(Known(customer_id, name, postcode), name_key)

    def decide(self) -> None:
        """Each payment as the payments before it left the items; all that comes of it is told at once."""
        run, earlier, owing = self.run, self.earlier(), self.owing()
        self._know(earlier.people)
        self.book.hold(self.concerned, owing.items, items.owner_of, self._items)
        self.book.add_items(self._items(earlier.items))
        self.invoiced += [owing.invoiced, earlier.invoiced]
        run.rules.begin(owing.traits)
        batch = self._batch()
        originals, credits = Originals.of(earlier, run.before), Credits.of(earlier, run.before)
        judge = _Judge(run, batch, self.origin, self.book, originals, credits)
        for (entry, details), keys in zip(self.pairs, self.keys, strict=True):
            judge.decide(entry, details, keys)
        bundle = post.bundled(batch)
        run.books.tell(post.write, bundle, self.origin.statement_id)
        run.moved.append(
            {number: (self.book.item(number), batch.owed[number]) for number, _, _ in bundle.moved}
        )
        run.before = batch
        self.book.close()
        run.counts["lines"] += len(batch.payments)
        run.counts.update(f"decision:{payment.decision}" for payment in batch.payments)
        # What a later payment took back was applied all the same.
        run.counts.update(APPLIED if one.state == RETURNED else one.state for one in batch.payments)

    def _batch(self) -> Batch:
        """An empty batch in which the items stand as the blocks before have left them."""
        batch = Batch(self.run.desk, self.run.desk.clock.now(), self.run.rates, Standing(self.book.item))
        before = self.run.before.orders if self.run.before else {}
        for moved in self.run.moved:
            for number, (item, owed) in moved.items():
                self.book.catch_up(item, owed.open)
                batch.owed[number] = owed
                if number in before:
                    batch.orders[number] = before[number]
        for invoiced in self.invoiced:
            batch.orders |= invoiced.orders
            batch.vat |= invoiced.vat
        self.batch = batch
        return batch

    def _fetch(self, names: Collection[str]) -> list[OpenItem]:
        """What was not asked for and is wanted all the same."""
        owing = self.run.books.ask(lookup.owing, names, self.run.issues)()
        self.run.rules.know(owing.traits)
        self.batch.orders |= owing.invoiced.orders
        self.batch.vat |= owing.invoiced.vat
        return self._items(owing.items)


def _every(several: Iterable[frozenset[str]]) -> set[str]:
    return set().union(*several)


def _concerned(details: TransactionDetails, keys: Keys, book: Book) -> Collection[str]:
    """Whose open items it takes to decide on a payment: nobody's where it names exactly what it pays,
    and whoever has paid is not somebody else. What is asked for all the same, the book fetches."""
    by_reference = [item for key in keys.references for item in book.by_reference(key)]
    if by_reference and sum(item.open for item in by_reference) == details.amount.minor:
        return ()
    items = [item for key in keys.numbers if (item := book.by_number(key)) is not None]
    items += [item for item in by_reference if item not in items]
    owners = {item.customer_id for item in items}
    paying = set(payer_of(details, keys, book).customers)
    if items and paying <= owners and sum(item.open for item in items) == details.amount.minor:
        return ()
    return owners | paying


@dataclass(frozen=True, slots=True)
class _Judge:
    """Everything that decides on one payment after the other."""

    run: Run
    batch: Batch
    origin: Origin
    book: Book
    originals: Originals
    credits: Credits

    def decide(self, entry: Entry, details: TransactionDetails, keys: Keys) -> None:
        """One payment: what it is, and what comes of it."""
        answer = decide(entry, details, keys, self.book, self.run.rules)
        payment = post.payment_of(self.batch, self.origin, entry, details, answer)
        if answer.outcome is Outcome.RETURN:
            back = returns.take(self.batch, payment, answer, self.originals)
            if back is not None:
                self.book.take(back)
            return
        refunds = not details.is_credit and answer.outcome is not Outcome.MATCH
        if refunds and refund.take(self.batch, payment, keys, self.book, self.credits):
            return
        post.take(self.batch, payment, answer)
        if answer.outcome is Outcome.MATCH:
            self.book.take(answer)
            _learn(self.batch, details, answer)
        self.batch.decided += [(payment.payment_id, made) for made in self.run.rules.decisions_on(answer)]


def _learn(batch: Batch, details: TransactionDetails, answer: Answer) -> None:
    """Whose money comes from this account: each customer whose items it paid."""
    if details.is_credit and details.counterparty_iban:
        owners = dict.fromkeys(batch.owed[part.number].customer_id for part in answer.parts)
        batch.learned += [(details.counterparty_iban, name) for name in owners]
