"""Match: a block of payments is decided in document order on what is open, set by set.

What the payments name is fetched in a few statements for the whole block; the credit accounts
concerned are locked first, so that nothing they owe changes meanwhile. Then each payment is decided
as the payments before it left the items.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection

from gateway.stages import post, refund, returns
from gateway.stages.batch import Batch, Origin, Rates, Standing
from gateway.stages.desk import Desk
from gateway.stages.refund import Credits
from gateway.stages.returns import Originals
from gateway.stages.tolerance import CashRules
from gateway.store import bank, cash, invoices, items, payers
from o2c.ledger import OpenItem
from o2c.matching import Book, Directory, Keys, Shapes, decide, keys_of, payer_of, squeezed
from o2c.matching.model import Answer, Outcome
from o2c.statement import Entry, TransactionDetails

BLOCK = 5_000  # payments decided together: what they need is in memory at once
T = TypeVar("T")
Pair = tuple[Entry, TransactionDetails]


@dataclass(slots=True)
class Run:
    """One import: what stays the same from block to block, and what has been counted so far."""

    desk: Desk
    connection: Connection
    shapes: Shapes
    rates: Rates
    rules: CashRules
    directory: Directory = field(default_factory=Directory)
    asked: set[str] = field(default_factory=set)  # names and customer numbers that were looked for
    issues: bool = True  # are there invoices of this house among the items?
    counts: Counter[str] = field(default_factory=Counter)


def start(desk: Desk, connection: Connection) -> Run:
    """Ready to decide."""
    shapes = Shapes.of(*items.shapes(connection, desk.company_id))
    rates = Rates(desk, connection)
    rules = CashRules(desk, connection, lambda currency: rates.on(currency, desk.clock.today()))
    return Run(desk, connection, shapes, rates, rules, issues=invoices.any_of(connection, desk.company_id))


def pieces(things: Iterable[T], size: int = BLOCK) -> Iterator[list[T]]:
    """The things in lists of at most ``size``."""
    source = iter(things)
    while some := list(islice(source, size)):
        yield some


def take_block(run: Run, origin: Origin, pairs: Sequence[Pair]) -> None:
    """Decide these payments and write what comes of it. Those that are here already are left out."""
    known = bank.known_keys(
        run.connection, run.desk.company_id, origin.account, [details.key for _, details in pairs]
    )
    new = [
        (entry, details, keys_of(details, run.shapes)) for entry, details in pairs if details.key not in known
    ]
    run.counts["known"] += len(pairs) - len(new)
    if not new:
        return
    batch = Batch(run.desk, run.desk.clock.now(), run.rates)
    originals = returns.look(run.connection, run.desk.company_id, origin.account, [pair[:2] for pair in new])
    batch.reopening = originals.numbers
    book = _book(run, batch, new)
    credits = refund.look(run.connection, run.desk.company_id, book, new)
    block = _Block(run, batch, origin, book, originals, credits)
    for entry, details, keys in new:
        block.decide(entry, details, keys)
    post.write(batch, run.connection, origin.statement_id)
    book.close()
    run.counts["lines"] += len(batch.payments)
    run.counts.update(f"decision:{payment.decision}" for payment in batch.payments)
    run.counts.update(payment.state for payment in batch.payments)


@dataclass(frozen=True, slots=True)
class _Block:
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


# --- what a block needs --------------------------------------------------------------------------
def _book(run: Run, batch: Batch, new: Sequence[tuple[Entry, TransactionDetails, Keys]]) -> Book:
    """The items, customers and payer accounts that these payments name. A payment that names just what
    it pays needs no more; for the others all that their possible payers owe is fetched together."""
    connection, company_id, keys = run.connection, run.desk.company_id, [keys for _, _, keys in new]
    named = _named(connection, company_id, keys, batch.reopening)
    owners = {item.customer_id for item in named}
    payers.lock_rows(connection, company_id, owners)
    if connection.dialect.name != "sqlite":  # whose one lock is held already
        named = _named(connection, company_id, keys, batch.reopening)
    accounts = payers.accounts(connection, company_id, _every(one.ibans for one in keys))
    _enter(run, keys, owners | {account[1] for account in accounts})
    book = Book((), run.directory, accounts, _Fetch(run, batch))
    batch.owed = Standing(book.item)
    run.rules.forget()
    _belong(run, batch, named)
    book.add_items(named)
    book.load(name for _, details, some in new for name in _concerned(details, some, book))
    return book


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
class _Fetch:
    """The open items of customers, under their lock."""

    run: Run
    batch: Batch

    def __call__(self, names: Collection[str]) -> list[OpenItem]:
        connection, company_id = self.run.connection, self.run.desk.company_id
        payers.lock_rows(connection, company_id, names)
        found = items.open_of(connection, company_id, names)
        self.run.rules.profiles.update(cash.profiles(connection, company_id, names))
        _belong(self.run, self.batch, found)
        return found


def _belong(run: Run, batch: Batch, found: Sequence[OpenItem]) -> None:
    """The orders of these items, and the VAT of those that offer a discount: it takes its share along."""
    if not run.issues:
        return
    numbers = [one.invoice_number for one in found]
    orders = items.with_orders(run.connection, run.desk.company_id, numbers)
    offering = [one.invoice_number for one in found if one.discount and one.invoice_number in orders]
    batch.orders |= orders
    batch.vat |= post.vat_of(run.connection, run.desk.company_id, offering)


def _enter(run: Run, keys: Sequence[Keys], ids: set[str]) -> None:
    """The customers that are named, into the directory; nobody is asked for twice in one import."""
    fresh = (
        {one for one in ids if one not in run.directory},
        _every(one.customers for one in keys) - run.asked,
        _every(one.names for one in keys) - run.asked,
    )
    for known, name_key in payers.named(run.connection, run.desk.company_id, *fresh):
        run.directory.add(known, name_key)
    run.asked |= fresh[1] | fresh[2]


def _every(several: Iterable[frozenset[str]]) -> set[str]:
    return set().union(*several)


def _named(
    connection: Connection, company_id: str, keys: Sequence[Keys], reopening: Iterable[str]
) -> list[OpenItem]:
    references, numbers = _every(one.references for one in keys), _every(one.numbers for one in keys)
    # What may be given back is open again for the payments that follow.
    numbers |= {squeezed(number) for number in reopening}
    return items.by_keys(connection, company_id, references, numbers)
