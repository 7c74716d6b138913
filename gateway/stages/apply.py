"""Apply: a person says what a payment is for: items, a split, a write-off, or a customer's account.

The money moves from where it waits (suspense, or a customer's account) in an entry of its own; the
bank's entry stays as it was. Above the company's amount a second person has to agree first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from gateway.stages import lookup, post
from gateway.stages.batch import APPLIED, UNMATCHED, Batch, Rates
from gateway.stages.desk import Desk
from gateway.store import bank, customers, items, payers, postings
from gateway.store.bank import StoredPayment
from o2c import cash
from o2c.cash import Owed, Source, Use
from o2c.errors import Conflict, Refused
from o2c.ledger import Account, EntryKind, OpenItem
from o2c.matching.model import Evidence, Outcome, Part
from o2c.money import Money, minor_digits

RULE = "by-hand"


@dataclass(frozen=True, slots=True)
class Share:
    """So much for an item; without an amount as much as is open and there."""

    number: str
    amount: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a person wants done with the money that a payment has left, amounts in its currency.

    ``write_off`` and ``discount`` close what the last item has left; without such a rest the write-off
    is a surplus. ``on_account`` is the customer who keeps what is left over.
    """

    items: tuple[Share, ...] = ()
    write_off: Decimal | None = None
    discount: Decimal | None = None
    on_account: str | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """The payment as it stands afterwards, and what each item got."""

    payment: StoredPayment
    parts: tuple[Part, ...]


def apply(desk: Desk, connection: Connection, payment_id: str, wish: Wish) -> Applied:
    """Carry a wish out. ``NotFound``; ``Conflict('payment-state')`` where no money waits; ``Refused``
    with ``apply-*`` where the wish does not fit the money or the items."""
    found = bank.find(connection, desk.company_id, payment_id, lock=True)
    _check_waits(found)
    batch, source = _batch(desk, connection, found, wish)
    parts = _parts(batch, found, wish)
    use = _use(found, wish, parts)
    day = max(found.booked_on, desk.clock.today())
    posting = batch.posting(payment_id, day, found.details.amount.currency, f"Applied by {desk.actor}")
    moved = Source(
        source.account,
        use.amount,
        cash.relieved(source.amount, source.base, use.amount, payment_id),
        source.customer_id,
    )
    entry = cash.use_entry(EntryKind.ALLOCATION, posting, moved, use, batch.owed, batch.vat)
    posted = batch.entered(found, [entry])
    after = _after(batch, found, use)
    evidence = (Evidence("person", desk.actor),)
    post.allocate(batch, after, parts, posted[0].entry_id, RULE, evidence)
    batch.changed[payment_id] = _values(after)
    post.applied_by_hand(batch, after, parts, use.currency, posted)
    if found.details.counterparty_iban:
        owners = dict.fromkeys(batch.owed[part.number].customer_id for part in parts)
        batch.learned += [(found.details.counterparty_iban, name) for name in owners]
    post.book(batch, connection, payment_id)
    return Applied(after, tuple(parts))


def _check_waits(found: StoredPayment) -> None:
    if found.undone_at is not None or found.state not in (UNMATCHED, APPLIED) or not found.unallocated:
        raise Conflict(
            "payment-state",
            f"payment {found.payment_id} is {found.state}, and no money of it waits.",
            next_step=f"Take back first what was made of it: o2c payments undo {found.payment_id}",
        )


def _batch(desk: Desk, connection: Connection, found: StoredPayment, wish: Wish) -> tuple[Batch, Source]:
    """The items named, under the lock of their customers, and where the money lies."""
    numbers = [share.number for share in wish.items]
    if len(set(numbers)) != len(numbers):
        raise Refused(
            "apply-twice", "an item is named twice.", next_step="Name it once, with the whole amount."
        )
    named = items.some(connection, desk.company_id, numbers) if numbers else []
    owners = {one.item.customer_id for one in named} | ({wish.on_account} - {None})
    if wish.on_account is not None:
        customers.find(connection, desk.company_id, wish.on_account)
    payers.lock_rows(connection, desk.company_id, sorted(filter(None, owners)))
    named = items.some(connection, desk.company_id, numbers) if numbers else []
    for one in named:
        _check_currency(found, one.item)
    batch = Batch(desk, desk.clock.now(), Rates.here(desk, connection))
    batch.owed = {
        one.item.invoice_number: Owed(one.item.customer_id, one.item.open, one.item.base_open)
        for one in named
    }
    batch.orders = {one.item.invoice_number: one.order_id for one in named if one.order_id}
    billed = [number for number, order in batch.orders.items() if order and wish.discount]
    batch.vat = lookup.vat_of(connection, desk.company_id, billed)
    return batch, _where(connection, desk, found)


def _check_currency(found: StoredPayment, item: OpenItem) -> None:
    currency = found.details.amount.currency
    if item.currency != currency:
        raise Refused(
            "apply-currency",
            f"{item.invoice_number} is in {item.currency}, the payment is in {currency}.",
            next_step="Put the money on the customer's account and settle the difference there.",
        )


def _where(connection: Connection, desk: Desk, found: StoredPayment) -> Source:
    """The account the money waits on, and how much of it."""
    entries = postings.of_documents(connection, desk.company_id, [found.payment_id])
    account = Account.SUSPENSE if found.state == UNMATCHED else Account.ADVANCES
    lines = [
        line
        for one in entries.get(found.payment_id, ())
        if one.entry.currency == found.details.amount.currency
        for line in one.entry.lines
        if line.account is account
    ]
    who = lines[0].customer_id if lines else None
    base = -sum(line.base_amount for line in lines)
    # A refund may have used some of it since: what is left keeps its own share of the base value.
    held = -sum(line.amount for line in lines)
    return Source(account, found.unallocated, cash.share(base, found.unallocated, held), who)


# --- the wish against the money and the items ----------------------------------------------------
def _parts(batch: Batch, found: StoredPayment, wish: Wish) -> list[Part]:
    """What each item gets, credit notes first: they add to what there is."""
    currency = found.details.amount.currency
    left = found.unallocated
    parts = []
    last = wish.items[-1].number if wish.items else None
    for share in sorted(wish.items, key=lambda one: batch.owed[one.number].open > 0):
        discount = minor(wish.discount, currency) if share.number == last else 0
        beside = _beside(batch, share, wish, currency, left, last)
        part = _part(batch, share, currency, left, discount, beside)
        left -= part.amount
        parts.append(part)
    return parts


def _beside(batch: Batch, share: Share, wish: Wish, currency: str, left: int, last: str | None) -> int:
    """The write-off that closes an item: none where the money covers it and the write-off is a surplus."""
    if wish.write_off is None or share.number != last:
        return 0
    open_ = batch.owed[share.number].open - minor(wish.discount, currency)
    cash_ = minor(share.amount, currency) if share.amount is not None else min(left, open_)
    return minor(wish.write_off, currency) if cash_ < open_ else 0


def _part(batch: Batch, share: Share, currency: str, left: int, discount: int, write_off: int) -> Part:
    open_ = batch.owed[share.number].open
    if open_ == 0:
        raise Refused("apply-settled", f"nothing is open on {share.number}.")
    want = open_ - discount - write_off
    if share.amount is not None:
        paid = minor(share.amount, currency) * (1 if open_ > 0 else -1)
    else:
        paid = min(left, want) if open_ > 0 else want
    gone = paid + discount + write_off
    if paid > left or not (0 < gone <= open_ or open_ <= gone < 0):
        raise Refused(
            "apply-amount",
            f"{share.number} has {_text(open_, currency)} open, and {_text(left, currency)} of the payment"
            f" is left: {_text(gone, currency)} does not fit.",
            next_step="Give the amount for the item: --item NUMBER=AMOUNT",
        )
    return Part(share.number, paid, gone == open_, discount, write_off)


def _use(found: StoredPayment, wish: Wish, parts: Sequence[Part]) -> Use:
    currency = found.details.amount.currency
    left = found.unallocated - sum(part.amount for part in parts)
    surplus = minor(wish.write_off, currency) if not any(part.write_off for part in parts) else 0
    if surplus > left:
        raise Refused("apply-write-off", f"only {_text(left, currency)} is left to write off.")
    left -= surplus
    theirs_already = found.state == APPLIED and wish.on_account == found.customer_id
    kept = left if wish.on_account is not None and not theirs_already else 0
    use = Use(currency, tuple(parts), kept, surplus, wish.on_account)
    if not use.parts and not use.unapplied and not use.write_off:
        raise Refused(
            "apply-nothing",
            "the payment would stay as it is.",
            next_step="Name an item, a write-off or the customer who keeps the money.",
        )
    return use


def _after(batch: Batch, found: StoredPayment, use: Use) -> StoredPayment:
    waits = found.state == UNMATCHED and found.unallocated != use.amount
    owner = batch.owed[use.parts[-1].number].customer_id if use.parts else None
    return replace(
        found,
        state=UNMATCHED if waits else APPLIED,
        unallocated=found.unallocated - use.amount + use.unapplied,
        customer_id=None if waits else use.customer_id or found.customer_id or owner,
        reason=found.reason if waits else None,
        decision=found.decision if waits else Outcome.MATCH.value,
        rule=RULE,
        discount=found.discount + sum(part.discount for part in use.parts),
        write_off=found.write_off + sum(part.write_off for part in use.parts) + use.write_off,
    )


def _values(after: StoredPayment) -> dict[str, Any]:
    return {
        "state": after.state,
        "unallocated_minor": after.unallocated,
        "customer_id": after.customer_id,
        "reason": after.reason,
        "decision": after.decision,
        "rule": after.rule,
        "discount_minor": after.discount,
        "write_off_minor": after.write_off,
    }


def minor(amount: Decimal | None, currency: str) -> int:
    """A person's amount in minor units, 0 for none; ``Refused('apply-amount')`` unless exact and positive."""
    if amount is None:
        return 0
    if amount <= 0 or -int(amount.as_tuple().exponent) > minor_digits(currency):
        raise Refused("apply-amount", f"{amount} is not an exact amount of {currency}.")
    return Money(amount, currency).minor


def _text(minor_: int, currency: str) -> str:
    return str(Money.from_minor(minor_, currency))
