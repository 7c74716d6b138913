"""Money that the bank takes back: the payment it was, undone by counter-rows, and the bank's charges.

The original is found by what the bank returns with it: EndToEndId, TxId or AcctSvcrRef, and by the
amount. One answer or none: where two payments fit, or the sums differ by more than the charges say,
a person decides. The items are open again with the dunning level they had, and dunning goes on.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from gateway.stages import post
from gateway.stages.batch import APPLIED, RETURNED, UNDONE, UNMATCHED, Batch
from gateway.stages.lookup import Earlier
from gateway.store import postings
from gateway.store.allocations import RETURN, NewAllocation, Standing
from gateway.store.bank import StoredPayment
from gateway.store.journal import Event
from gateway.store.ledger import Posted
from o2c import cash
from o2c.cash import Source
from o2c.ledger import Account, LedgerEntry
from o2c.matching.model import Answer, Evidence, Outcome, Part
from o2c.money import Money
from o2c.statement import Entry, TransactionDetails

_MARKS = ("end_to_end_id", "transaction_id", "bank_reference")


@dataclass(slots=True)
class Originals:
    """Stored payments that a block of returns may mean, with their standing entries and allocations."""

    payments: list[StoredPayment] = field(default_factory=list)
    entries: dict[str, list[Posted]] = field(default_factory=dict)
    standing: dict[str, list[Standing]] = field(default_factory=dict)
    _by_mark: dict[tuple[str, str], dict[str, StoredPayment]] = field(default_factory=dict)
    _indexed: int = 0  # how many payments of the block are

    @classmethod
    def of(cls, earlier: Earlier, before: Batch | None) -> Originals:
        """What was fetched, and the block before, which was not written yet then."""
        if before is None:
            return cls(earlier.payments, earlier.entries, earlier.standing)
        return cls(
            [*(before.as_left(one) for one in earlier.payments), *before.payments],
            earlier.entries | before.of_payment,
            earlier.standing | {name: list(map(_standing, parts)) for name, parts in before.given.items()},
        )

    def meant_by(self, details: TransactionDetails, batch: Batch) -> Iterator[tuple[StoredPayment, int]]:
        """Payments that share a mark with a return, stored ones or earlier ones of the block, and how
        many marks they share."""
        if not self._by_mark:
            self._index(self.payments)
        self._index(batch.payments[self._indexed :])
        self._indexed = len(batch.payments)
        shared: Counter[str] = Counter()
        found: dict[str, StoredPayment] = {}
        for mark in _marks(details):
            for name, one in self._by_mark.get(mark, {}).items():
                shared[name] += 1
                found[name] = one
        for name, one in found.items():
            place = batch.place.get(name)
            yield one if place is None else batch.payments[place], shared[name]

    def _index(self, several: Iterable[StoredPayment]) -> None:
        for one in several:
            for mark in _marks(one.details):
                self._by_mark.setdefault(mark, {})[one.payment_id] = one


def _standing(part: Part) -> Standing:
    return Standing(part.number, part.amount, part.discount, part.write_off, part.charges, part.closes)


def is_return(entry: Entry, details: TransactionDetails) -> bool:
    """Does the bank say that it undoes something?"""
    return entry.is_reversal or details.return_reason is not None


def marks(pairs: Iterable[tuple[Entry, TransactionDetails]]) -> dict[str, list[str]]:
    """What the returns among these say of the payments they undo: values by mark."""
    back = [details for entry, details in pairs if is_return(entry, details)]
    return {name: [value for one in back if (value := getattr(one, name))] for name in _MARKS}


def take(batch: Batch, payment: StoredPayment, answer: Answer, originals: Originals) -> Answer | None:
    """Carry a return out. The answer is what it does to the items: the opposite of a match.

    None where no payment, or more than one, is what the bank means: it waits for a person.
    """
    fitting = _fitting(payment.details, originals, batch)
    if len(fitting) != 1:
        _waits(batch, payment, fitting)
        return None
    original = fitting[0]
    evidence = _evidence(payment.details, original)
    charges = payment.details.amount.minor - original.details.amount.minor
    payment = replace(
        payment,
        state=APPLIED,
        unallocated=0,
        customer_id=original.customer_id,
        reason=payment.details.return_reason,
        charges=charges,
        of_payment_id=original.payment_id,
        explanation=post.explanation(replace(answer, evidence=evidence, words="")),
    )
    parts = _parts(batch, original, originals)
    posted = give_back(batch, payment, _entries(batch, original, originals), charges)
    _counter_rows(batch, original, parts, posted)
    _becomes_returned(batch, original)
    _tell(batch, payment, original, parts, posted)
    return Answer(Outcome.RETURN, answer.rule, parts=tuple(parts))


# --- which payment it was ------------------------------------------------------------------------
def _marks(details: TransactionDetails) -> list[tuple[str, str]]:
    return [(name, value) for name in _MARKS if (value := getattr(details, name)) is not None]


def _fitting(details: TransactionDetails, originals: Originals, batch: Batch) -> list[StoredPayment]:
    """The payments that the return may mean; those with most marks in common."""
    fitting = [
        (shared, one)
        for one, shared in originals.meant_by(details, batch)
        if _stands(one, batch) and _amounts_fit(details, one.details)
    ]
    most = max((shared for shared, _ in fitting), default=0)
    return [one for shared, one in fitting if shared == most]


def _stands(one: StoredPayment, batch: Batch) -> bool:
    changed = batch.changed.get(one.payment_id, {})
    state = changed.get("state", one.state)
    return state not in (RETURNED, UNDONE) and one.of_payment_id is None and one.decision != Outcome.RETURN


def _amounts_fit(details: TransactionDetails, original: TransactionDetails) -> bool:
    """The same money the other way, with the bank's charges where the file names them."""
    if details.is_credit == original.is_credit or details.amount.currency != original.amount.currency:
        return False
    more = details.amount.minor - original.amount.minor
    charged = sum(one.amount.minor for one in details.charges if not one.is_credit)
    told = details.instructed is not None and details.instructed == original.amount
    return more == 0 or (more > 0 and (more == charged or told))


def _evidence(details: TransactionDetails, original: StoredPayment) -> tuple[Evidence, ...]:
    mine, its = details, original.details
    found = [
        Evidence(name, f"{getattr(mine, name)} is that of the payment of {original.booked_on}")
        for name in _MARKS
        if getattr(mine, name) is not None and getattr(mine, name) == getattr(its, name)
    ]
    found.append(Evidence("amount", f"{its.amount} went the other way"))
    if details.return_reason:
        found.append(Evidence("reason", f"the bank says {details.return_reason}"))
    return tuple(found)


# --- what is undone ------------------------------------------------------------------------------
def _entries(batch: Batch, original: StoredPayment, originals: Originals) -> list[Posted]:
    mine = batch.of_payment.get(original.payment_id)
    return list(mine) if mine is not None else originals.entries.get(original.payment_id, [])


def _parts(batch: Batch, original: StoredPayment, originals: Originals) -> list[Part]:
    """What the items get back: negative parts."""
    if original.payment_id in batch.place:
        of_it: Sequence[Part | Standing] = batch.given.get(original.payment_id, ())
    else:
        of_it = originals.standing.get(original.payment_id, ())
    return [Part(a.number, -a.amount, False, -a.discount, -a.write_off, -a.charges) for a in of_it]


def give_back(batch: Batch, payment: StoredPayment, entries: Iterable[Posted], charges: int) -> list[Posted]:
    """The original's entries, mirrored in the name of the return, and the bank's charges."""
    new: list[LedgerEntry] = [
        cash.undone(one.entry, payment.payment_id, payment.booked_on, postings.takes_back(one.entry_id))
        for one in entries
    ]
    if charges > 0 and new:
        new.append(charge_entry(batch, payment, charges))
    return batch.entered(payment, new)


def charge_entry(batch: Batch, payment: StoredPayment, charges: int) -> LedgerEntry:
    """What the bank keeps for itself, in minor units of the account's currency."""
    currency = payment.details.amount.currency
    posting = batch.posting(payment.payment_id, payment.booked_on, currency, "Bank charges")
    base = batch.in_base(Money.from_minor(charges, currency), payment.booked_on)
    return cash.return_entry(posting, currency, Source(Account.BANK, charges, base), charges)


def _counter_rows(
    batch: Batch, original: StoredPayment, parts: Sequence[Part], posted: Sequence[Posted]
) -> None:
    batch.allocated += [
        NewAllocation(
            original.payment_id,
            part.number,
            posted[0].entry_id,
            part.amount,
            RETURN,
            "[]",
            part.discount,
            part.write_off,
            part.charges,
        )
        for part in parts
    ]


def _becomes_returned(batch: Batch, original: StoredPayment) -> None:
    place = batch.place.get(original.payment_id)
    if place is not None:
        batch.payments[place] = replace(original, state=RETURNED, unallocated=0)
    else:
        batch.changed[original.payment_id] = {"state": RETURNED, "unallocated_minor": 0}


# --- what is said of it --------------------------------------------------------------------------
def _tell(
    batch: Batch,
    payment: StoredPayment,
    original: StoredPayment,
    parts: Sequence[Part],
    posted: Sequence[Posted],
) -> None:
    post.told(batch, payment, posted, ())
    post.noted(batch, payment)
    linked = [order for part in parts if (order := batch.orders.get(part.number))]
    currency = posted[0].entry.currency if posted else payment.details.amount.currency
    data = {
        "payment": original.payment_id,
        "by": payment.payment_id,
        "reason": payment.details.return_reason,
        "items": [[part.number, post.amount(-part.amount, currency)] for part in parts],
    }
    stream = f"statement:{payment.statement_id}"
    batch.events.append(Event(stream, "PaymentReturned", data, orders=tuple(dict.fromkeys(linked))))


def _waits(batch: Batch, payment: StoredPayment, fitting: Sequence[StoredPayment]) -> None:
    words = "The bank undoes a payment that is not here; say which one it was."
    if fitting:
        words = "It may undo " + ", or ".join(_named(one) for one in fitting[:5]) + "; say which one it was."
    payment = replace(
        payment,
        state=UNMATCHED,
        unallocated=payment.details.amount.minor if payment.details.is_credit else 0,
        decision=Outcome.REVIEW.value,
        rule="return-unclear",
        reason="return",
    )
    answer = Answer(Outcome.REVIEW, "return-unclear", words=words, reason="return")
    payment = replace(payment, explanation=post.explanation(answer))
    post.take_unmatched(batch, payment, words)


def _named(one: StoredPayment) -> str:
    return f"{one.payment_id} of {one.booked_on} ({one.details.amount})"
