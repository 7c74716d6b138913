"""What becomes of the difference between a payment and the items it is for.

The amounts are found here, what to do with them is the cash policy's word: discount, charges, a write-off
of the residual (never judged on the gross), keep open, or on account. All amounts are minor units.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from o2c.ledger import ItemKind, OpenItem
from o2c.matching.model import CashOutcome, Difference, Part, Policy, Treatment
from o2c.money import round_half_up

_MOST_OFFERS = 8
_NEAR = 2  # minor units by which a payer's own rounding of discounts may differ, per payment


@dataclass(frozen=True, slots=True)
class Fit:
    """A payment laid on items. ``is_telling``: the amount itself proves the items (exact, discount)."""

    size: str
    parts: tuple[Part, ...]
    unapplied: int = 0
    write_off: int = 0
    differences: tuple[tuple[Difference, Treatment], ...] = ()
    is_telling: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """What was paid, in the items' currency, with what the bank says it kept."""

    paid: int
    charges: int
    paid_on: date
    is_foreign: bool = False


Owed = tuple[OpenItem, int]  # an item, and what is open on it now


def exact(owed: Sequence[Owed]) -> tuple[Part, ...]:
    """Every item closed by cash alone."""
    return tuple([Part(item.invoice_number, still, True) for item, still in owed])


def fitted(owed: Sequence[Owed], money: Money, policy: Policy) -> Fit | None:
    """The payment on exactly these items; None where a person must say what the rest is."""
    short = sum(still for _, still in owed) - money.paid
    if not short:
        return Fit("exact" if len(owed) == 1 else "sum", exact(owed), is_telling=True)
    if short < 0:
        return _surplus(owed, -short, money, policy)
    if money.charges and short == money.charges:
        return _charged(owed, short, money, policy)
    return _discounted(owed, short, money, policy) or _short(owed, short, money, policy)


def discount_of(item: OpenItem) -> int:
    """What the item's cash discount comes to, off its gross."""
    if item.discount is None or item.kind is not ItemKind.INVOICE:
        return 0
    return _percent(item.gross or item.open, item.discount.percent)


def _percent(amount: int, percent: Decimal) -> int:
    return int(round_half_up(Decimal(amount) * percent / 100, 0))


def _difference(owed: Sequence[Owed], amount: int, money: Money, **facts: bool) -> Difference:
    first = owed[0][0]
    due = sum(still for _, still in owed)
    return Difference(
        first.customer_id, first.currency, amount, due, foreign_currency=money.is_foreign, **facts
    )


def _surplus(owed: Sequence[Owed], over: int, money: Money, policy: Policy) -> Fit | None:
    difference = _difference(owed, over, money, overpaid=True)
    treatment = policy(difference)
    told = ((difference, treatment),)
    if sum(still for _, still in owed) <= 0:
        return None
    if treatment.outcome is CashOutcome.WRITE_OFF:
        return Fit("write-off", exact(owed), write_off=over, differences=told)
    if treatment.outcome is CashOutcome.ON_ACCOUNT:
        return Fit("over", exact(owed), unapplied=over, differences=told)
    return None


def _charged(owed: Sequence[Owed], short: int, money: Money, policy: Policy) -> Fit | None:
    difference = _difference(owed, short, money, bank_charges=True)
    treatment = policy(difference)
    place = _largest(owed)
    if owed[place][1] <= short:
        return None
    if treatment.outcome is CashOutcome.CHARGES:
        parts = _lessened(owed, place, short, charges=short)
    elif treatment.outcome is CashOutcome.WRITE_OFF:
        parts = _lessened(owed, place, short, write_off=short)
    else:
        return None
    return Fit("charges", parts, differences=((difference, treatment),), is_telling=True)


def _short(owed: Sequence[Owed], short: int, money: Money, policy: Policy) -> Fit | None:
    difference = _difference(owed, short, money)
    treatment = policy(difference)
    told = ((difference, treatment),)
    place = _largest(owed)
    if owed[place][1] <= short and len(owed) > 1:
        return None
    if treatment.outcome is CashOutcome.WRITE_OFF:
        return Fit("write-off", _lessened(owed, place, short, write_off=short), differences=told)
    if treatment.outcome is CashOutcome.KEEP_OPEN and len(owed) == 1:
        return Fit("partial", (Part(owed[0][0].invoice_number, money.paid, False),), differences=told)
    return None


def _largest(owed: Sequence[Owed]) -> int:
    return max(range(len(owed)), key=lambda place: owed[place][1])


def _lessened(
    owed: Sequence[Owed], place: int, less: int, *, write_off: int = 0, charges: int = 0
) -> tuple[Part, ...]:
    item, still = owed[place]
    parts = list(exact(owed))
    parts[place] = Part(item.invoice_number, still - less, True, write_off=write_off, charges=charges)
    return tuple(parts)


def _discounted(owed: Sequence[Owed], short: int, money: Money, policy: Policy) -> Fit | None:
    """Each item with its own percent; the one choice of items that explains what is missing."""
    taken = discounts_that_make(owed, short, money.paid_on)
    if taken is None:
        return None
    gap = abs(short - sum(taken.values()))
    taken[next(reversed(taken))] += short - sum(taken.values())
    parts, told, late = [], [], False
    for place, (item, still) in enumerate(owed):
        if place not in taken:
            parts.append(Part(item.invoice_number, still, True))
            continue
        part, difference, treatment = _with_discount(item, still, taken[place], gap, money, policy)
        if part is None:
            return None
        late = late or not part.closes
        parts.append(part)
        told.append((difference, treatment))
    size = "discount-late" if late else "discount"
    return Fit(size, tuple(parts), differences=tuple(told), is_telling=gap == 0 and not late)


def _with_discount(
    item: OpenItem, still: int, less: int, gap: int, money: Money, policy: Policy
) -> tuple[Part | None, Difference, Treatment]:
    assert item.discount is not None
    difference = Difference(
        item.customer_id,
        item.currency,
        less,
        still,
        discount_offered=True,
        discount_days_late=(money.paid_on - item.discount.until).days,
        discount_gap=gap,
        foreign_currency=money.is_foreign,
    )
    treatment = policy(difference)
    cash, number = still - less, item.invoice_number
    part = {
        CashOutcome.TAKE_DISCOUNT: Part(number, cash, True, discount=less),
        CashOutcome.WRITE_OFF: Part(number, cash, True, write_off=less),
        CashOutcome.KEEP_OPEN: Part(number, cash, False),
    }.get(treatment.outcome)
    return part if cash > 0 else None, difference, treatment


def discounts_that_make(owed: Sequence[Owed], short: int, paid_on: date) -> dict[int, int] | None:
    """Place in ``owed`` -> discount, for the one choice that makes ``short``; None where none or two do."""
    offers = {place: amount for place, (item, _) in enumerate(owed) if (amount := discount_of(item))}
    if not offers:
        return None
    if abs(sum(offers.values()) - short) <= _NEAR:
        return offers
    if (netted := _netted(owed, offers, short)) is not None:
        return netted
    if len(offers) == 1 or len(offers) > _MOST_OFFERS:
        return None
    in_time = {place: less for place, less in offers.items() if _in_time(owed[place][0], paid_on)}
    if in_time and abs(sum(in_time.values()) - short) <= _NEAR:
        return in_time
    places = list(offers)
    chosen = [
        {place: offers[place] for bit, place in enumerate(places) if mask >> bit & 1}
        for mask in range(1, 1 << len(places))
    ]
    fits = [one for one in chosen if sum(one.values()) == short]
    return fits[0] if len(fits) == 1 else None


def _in_time(item: OpenItem, paid_on: date) -> bool:
    return item.discount is not None and paid_on <= item.discount.until


def _netted(owed: Sequence[Owed], offers: dict[int, int], short: int) -> dict[int, int] | None:
    """The discount taken off what is left once credit notes are deducted, where all have one percent."""
    credit = sum(still for item, still in owed if item.kind is ItemKind.CREDIT_NOTE)
    percents = {item.discount.percent for place in offers if (item := owed[place][0]).discount is not None}
    if not credit or len(percents) != 1:
        return None
    less = dict(offers)
    place = max(less, key=lambda one: less[one])
    less[place] -= _percent(-credit, percents.pop())
    return less if less[place] > 0 and abs(sum(less.values()) - short) <= _NEAR else None
