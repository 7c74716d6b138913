"""Money that goes out to a customer who has credit on account: it lowers exactly that credit.

Only where one customer is named, by reference, number, id or by the account the money goes to, and
exactly one of his payments has just this amount left over. Everything else that goes out is none of
our business here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from gateway.stages import post
from gateway.stages.batch import APPLIED, Batch
from gateway.stages.lookup import Earlier
from gateway.store.bank import StoredPayment
from o2c.cash import Source, Use, use_entry
from o2c.ledger import Account, EntryKind
from o2c.matching import Book, Keys
from o2c.matching.model import Answer, Evidence, Outcome
from o2c.statement import Entry, TransactionDetails

RULE = "refund"


@dataclass(slots=True)
class Credits:
    """Payments with something left over, by customer."""

    of_customer: dict[str, list[StoredPayment]] = field(default_factory=dict)

    @classmethod
    def of(cls, earlier: Earlier, before: Batch | None) -> Credits:
        """What was fetched, and the block before, which was not written yet then."""
        found = cls()
        several = earlier.credits
        if before is not None:
            left = (one for one in before.payments if one.unallocated and one.customer_id)
            several = [*map(before.as_left, earlier.credits), *left]
        for one in several:
            found.of_customer.setdefault(str(one.customer_id), []).append(one)
        return found


def credited(book: Book, pairs: Sequence[tuple[Entry, TransactionDetails]], keys: Sequence[Keys]) -> set[str]:
    """The customers who may be paid back by these payments."""
    return {
        name
        for (entry, details), some in zip(pairs, keys, strict=True)
        if not details.is_credit and not entry.is_reversal
        for name in _named(book, some)
    }


def take(batch: Batch, payment: StoredPayment, keys: Keys, book: Book, credits: Credits) -> bool:
    """Book a refund; False where it is none."""
    names = _named(book, keys)
    if len(names) != 1:
        return False
    (name,) = names
    money = payment.details.amount
    fitting = [one for one in _left(batch, credits, name) if _rest(batch, one) == money.minor]
    fitting = [one for one in fitting if one.details.amount.currency == money.currency]
    if len(fitting) != 1:
        return False
    credit = fitting[0]
    evidence = (Evidence("amount", f"{money} is left over of the payment of {credit.booked_on}"),)
    answer = Answer(Outcome.MATCH, RULE, evidence, customer_id=name)
    payment = replace(
        payment,
        state=APPLIED,
        customer_id=name,
        decision=Outcome.MATCH.value,
        rule=RULE,
        reason=None,
        of_payment_id=credit.payment_id,
        explanation=post.explanation(answer),
    )
    _book(batch, payment, credit, name)
    return True


def _named(book: Book, keys: Keys) -> set[str]:
    """Whom the payment names; by the account only where nothing else does."""
    items = [item for key in keys.numbers if (item := book.by_number(key)) is not None]
    items += [item for key in keys.references for item in book.by_reference(key)]
    names = {item.customer_id for item in items}
    names |= {one.customer_id for key in keys.customers if (one := book.customer(key)) is not None}
    return names or {holder.customer_id for iban in keys.ibans for holder in book.holders(iban)}


def _left(batch: Batch, credits: Credits, name: str) -> list[StoredPayment]:
    earlier = [one for one in batch.payments if one.customer_id == name and one.unallocated]
    return [*credits.of_customer.get(name, ()), *earlier]


def _rest(batch: Batch, one: StoredPayment) -> int:
    changed = batch.changed.get(one.payment_id, {})
    return int(changed.get("unallocated_minor", one.unallocated))


def _book(batch: Batch, payment: StoredPayment, credit: StoredPayment, name: str) -> None:
    money = payment.details.amount
    posting = batch.posting(payment.payment_id, payment.booked_on, money.currency, payment.details.text)
    base = batch.in_base(money, payment.booked_on)
    source = Source(Account.BANK, -money.minor, -base)
    use = Use(money.currency, unapplied=-money.minor, customer_id=name)
    posted = batch.entered(payment, [use_entry(EntryKind.PAYMENT, posting, source, use, batch.owed)])
    place = batch.place.get(credit.payment_id)
    if place is None:
        batch.changed[credit.payment_id] = {"unallocated_minor": credit.unallocated - money.minor}
    else:
        batch.payments[place] = replace(credit, unallocated=credit.unallocated - money.minor)
    post.told(batch, payment, posted, ())
    post.noted(batch, payment)
