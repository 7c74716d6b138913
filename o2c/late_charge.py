"""What late payment costs the customer: reminder fee, interest, lump sum.

The rules say that a charge is wanted, the law of the debtor's country (dated figures) how much and
when. A charge is a claim in a letter: it stands beside the ledger until it is paid, never in it, and
never in the exposure. Claims are not changed; one that is taken back has a row that cancels it.
What the law data has no figure for is not charged, whatever the rules want, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from o2c.decision import Decision
from o2c.interest import Balance, RatePeriod, interest
from o2c.law import CountryLaw, DayCount, RateSegment, ReminderFee, Validity
from o2c.ledger import OpenItem
from o2c.money import Money, parse_decimal

_NO = ("", "-", "no")
_LEGAL = ("yes", "legal max")
_ONE_DAY = timedelta(days=1)

# Turns an amount of the law into a currency, never to more than it is worth; None without a rate.
Convert = Callable[[Money, str], Money | None]


class ChargeKind(StrEnum):
    """What is charged."""

    FEE = "fee"
    INTEREST = "interest"
    LUMP_SUM = "lump_sum"


class Cause(StrEnum):
    """Why the row is there: a letter claims, or something cancels a claim."""

    CLAIMED = "claimed"
    WAIVED = "waived"  # a person has let it go; it is not claimed again
    DISPUTED = "disputed"  # the whole invoice is in dispute
    CREDITED = "credited"  # the invoice is no longer owed
    WITHDRAWN = "withdrawn"  # the letter never left


@dataclass(frozen=True, slots=True)
class LateCharge:
    """One row. The amount is negative where it ``cancels`` another. ``words`` is the calculation, or
    the reason."""

    charge_id: str
    invoice_number: str
    customer_id: str
    kind: ChargeKind
    cause: Cause
    amount: Money
    charged_on: date
    words: str
    actor: str
    made_at: datetime
    notice_id: str | None = None
    cancels: str | None = None


@dataclass(frozen=True, slots=True)
class FeeHistory:
    """The fee-bearing letters that listed an invoice."""

    count: int = 0
    last_on: date | None = None


@dataclass(frozen=True, slots=True)
class Debt:
    """An invoice about which a letter speaks: its undisputed part, what the rules want, what was open
    on each day, and what has been claimed so far."""

    item: OpenItem
    decision: Decision
    balances: tuple[Balance, ...] = ()
    charges: tuple[LateCharge, ...] = ()
    fees: FeeHistory = FeeHistory()

    def wants(self, action: str) -> str | None:
        """What stands in that column of the deciding rule; None for nothing."""
        said = self.decision.actions.get(action, "no")
        return None if said in _NO else said


@dataclass(frozen=True, slots=True)
class Claim:
    """A charge that a letter will claim."""

    invoice_number: str
    kind: ChargeKind
    amount: Money
    words: str


@dataclass(frozen=True, slots=True)
class Charged:
    """What a letter claims anew, and per invoice why something that was wanted is not claimed."""

    claims: tuple[Claim, ...]
    notes: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Debtor:
    """Whose law it is. ``law`` is None where nothing is known of the country."""

    country: str
    consumer: bool
    law: CountryLaw | None


def outstanding(charges: Iterable[LateCharge], kind: ChargeKind | None = None) -> int:
    """What is claimed and not taken back, minor units."""
    return sum(one.amount.minor for one in charges if kind in (None, one.kind))


def standing(charges: Sequence[LateCharge]) -> list[LateCharge]:
    """The claims that nothing cancels."""
    cancelled = {one.cancels for one in charges}
    return [one for one in charges if one.cancels is None and one.charge_id not in cancelled]


def wait_until(
    debt: Debt, debtor: Debtor, last_notice_on: date | None, today: date
) -> tuple[date, str] | None:
    """Until when the law keeps a letter back, and why; None if it may go today.

    A letter that bears a fee waits for the first day of a fee and for the days between two; handing
    over to a collector waits until the last letter has had its time.
    """
    law = debtor.law
    if law is None:
        return None
    if debt.decision.outcome == "collection" and law.notice_days and last_notice_on:
        day = last_notice_on + timedelta(days=law.notice_days)
        why = f"the last letter of {last_notice_on} leaves {law.notice_days} days to pay in {debtor.country}"
        return (day, why) if today < day else None
    fee = law.fee_on(today)
    if not debt.wants("dunning_fee") or fee is None or _no_fee(debt, fee):
        return None
    first = debt.item.due_on + timedelta(days=fee.first_day)
    if today < first:
        return first, f"a fee is not allowed before day {fee.first_day} in {debtor.country}"
    after = debt.fees.last_on and debt.fees.last_on + timedelta(days=fee.gap_days)
    if after and today < after:
        return after, f"{fee.gap_days} days must lie between two fees in {debtor.country}"
    return None


def charge(debts: Sequence[Debt], debtor: Debtor, today: date, convert: Convert) -> Charged:
    """What one letter about these invoices claims: one fee for the letter; interest and lump sum for
    each invoice."""
    claims: list[Claim] = []
    notes: dict[str, tuple[str, ...]] = {}

    def take(debt: Debt, found: Claim | str | None) -> None:
        if isinstance(found, Claim):
            claims.append(found)
        elif found:
            notes[debt.item.invoice_number] = (*notes.get(debt.item.invoice_number, ()), found)

    for debt in debts:
        if not any(one.kind is ChargeKind.FEE for one in claims):
            take(debt, _fee(debt, debtor, today, convert))
        for found in _interest(debt, debtor, today):
            take(debt, found)
        take(debt, _lump_sum(debt, debtor, today, convert))
    return Charged(tuple(claims), notes)


def _no_fee(debt: Debt, fee: ReminderFee) -> str | None:
    """Why the law allows no fee for this letter at all."""
    if fee.if_agreed:
        return "no fee: the law allows one only where it was agreed when the debt arose"
    if fee.most is not None and debt.fees.count >= fee.most:
        return f"no fee: the law allows {fee.most} for one claim, and so many were charged"
    return None


def _fee(debt: Debt, debtor: Debtor, today: date, convert: Convert) -> Claim | str | None:
    wanted = debt.wants("dunning_fee")
    if wanted is None:
        return None
    fee = debtor.law.fee_on(today) if debtor.law else None
    if fee is None:
        return f"no fee: no legal figure is known for {debtor.country} on {today}"
    if refusal := _no_fee(debt, fee):
        return refusal
    currency = debt.item.currency
    cap = convert(fee.cap, currency)
    if cap is None:
        return f"no fee: {fee.cap} cannot be turned into {currency} without an exchange rate"
    asked = cap if wanted in _LEGAL else convert(_amount(wanted, debt.item.base_currency), currency)
    if asked is None:
        return f"no fee: {wanted} cannot be turned into {currency} without an exchange rate"
    amount = asked if asked <= cap else cap
    words = f"reminder fee, {_source(fee.validity)}"
    return Claim(debt.item.invoice_number, ChargeKind.FEE, amount, words) if amount.minor > 0 else None


def _source(validity: Validity) -> str:
    return validity.source if validity.checked else f"{validity.source} (figure not checked)"


def _amount(text: str, base_currency: str) -> Money:
    """An amount of a rule file: without a currency it is in that of the books."""
    number, _, currency = text.partition(" ")
    return Money(parse_decimal(number, what="the fee"), currency or base_currency)


def _interest(debt: Debt, debtor: Debtor, today: date) -> Iterator[Claim | str]:
    """What has accrued since the due day, less what was claimed before; days without a known rate
    bear nothing, and are named."""
    wanted = debt.wants("late_interest")
    first = debt.item.due_on + _ONE_DAY
    if wanted is None or today < first:
        return
    periods = []
    for stretch in _stretches(wanted, debtor, first, today):
        if isinstance(stretch, str):
            yield stretch
        else:
            periods.append(stretch)
    day_count = debtor.law.day_count if debtor.law else DayCount.ACT_365
    accrued = interest(debt.balances, periods, debt.item.currency, day_count)
    before = _claimed(debt.charges, ChargeKind.INTEREST)
    if accrued.minor <= before:
        return
    claimed = Money.from_minor(before, debt.item.currency)
    words = accrued.words() + (f"; less {claimed} claimed before" if before else "")
    amount = Money.from_minor(accrued.minor - before, debt.item.currency)
    yield Claim(debt.item.invoice_number, ChargeKind.INTEREST, amount, words)


def _stretches(wanted: str, debtor: Debtor, first: date, today: date) -> Iterator[RatePeriod | str]:
    """The rate of each stretch of days: the legal one, or the file's where it is not above that."""
    asked = None if wanted in _LEGAL else Decimal(wanted.rstrip(" %"))
    known = debtor.law.segments(first, today, consumer=debtor.consumer) if debtor.law else ()
    for stretch in known or (RateSegment(first, today, None),):
        if stretch.rate is None:
            days = f"{stretch.first} to {stretch.last}"
            yield f"no interest: no legal rate is known for {debtor.country} from {days}"
        else:
            legal = stretch.rate.percent
            yield RatePeriod(stretch.first, stretch.last, legal if asked is None else min(asked, legal))


def _lump_sum(debt: Debt, debtor: Debtor, today: date, convert: Convert) -> Claim | str | None:
    if debt.wants("lump_sum") is None or today <= debt.item.due_on:
        return None
    if debtor.consumer:
        return "no lump sum: the law gives none against consumers"
    if _claimed(debt.charges, ChargeKind.LUMP_SUM) > 0:
        return None  # once per invoice
    known = debtor.law.lump_sum_on(today, consumer=False) if debtor.law else None
    if known is None:
        return f"no lump sum: no legal figure is known for {debtor.country} on {today}"
    amount = convert(known.amount, debt.item.currency)
    if amount is None:
        return f"no lump sum: {known.amount} cannot be turned into {debt.item.currency} without a rate"
    words = f"lump sum for recovery costs, {_source(known.validity)}"
    return Claim(debt.item.invoice_number, ChargeKind.LUMP_SUM, amount, words)


def _claimed(charges: Iterable[LateCharge], kind: ChargeKind) -> int:
    """What was claimed of one kind, minor units. What a person has waived counts: it stays waived;
    what fell away with a dispute does not."""
    return sum(one.amount.minor for one in charges if one.kind is kind and one.cause is not Cause.WAIVED)
