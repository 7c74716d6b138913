"""``Ntry`` -> ``Entry``: what was booked, and which payments it is made of.

A payment is a ``TxDtls``; an entry without any is its own payment. Amounts of the details are believed
only where they add up to the entry, or where the bank's own ``Chrgs`` explain why they do not: the
booked amount always wins, and what stays in doubt is one payment for a person.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date

from lxml import etree

from formats.camt.layout import Layouts, Texts, picker, slots
from formats.camt.parts import INSTRUCTED, ChargeAt, Part, PricedAt, charges_at, priced_at, read_charges
from formats.camt.payments import Booked, Occurrences, OfEntry, bank_code, payment_of
from formats.camt.values import ASK_BANK, day_of, exact, inexact, is_credit_code, parse_money, refused
from o2c.money import Money
from o2c.statement import Charge, Entry, EntryStatus, TransactionDetails

_MOST_WARNINGS = 200


@dataclass(slots=True)
class Context:
    """What an entry needs to know of its statement, and what it reports back."""

    account: str
    currency: str
    dated_on: date | None
    place: str
    keys: Occurrences = field(default_factory=Occurrences)
    booked: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})  # is_credit -> minor
    every: dict[bool, int] = field(default_factory=lambda: {True: 0, False: 0})  # also what is not booked
    numbers: Counter[tuple[bool, bool]] = field(default_factory=Counter)  # (is_credit, is_booked)
    undated: int = 0
    without_status: int = 0
    _warnings: list[str] = field(default_factory=list)
    _unsaid: int = 0

    def warn(self, note: str) -> None:
        """Keep a warning; of very many only the number, or a file of doubts would fill the memory."""
        if len(self._warnings) < _MOST_WARNINGS:
            self._warnings.append(note)
        else:
            self._unsaid += 1

    def tally(self, minor: int, is_credit: bool, status: EntryStatus) -> None:
        """Count an entry and add up its amount."""
        is_booked = status is EntryStatus.BOOKED
        self.every[is_credit] += minor
        self.numbers[is_credit, is_booked] += 1
        if is_booked:
            self.booked[is_credit] += minor

    def all_warnings(self) -> tuple[str, ...]:
        """What was kept, and a line for what was only counted."""
        counted = {
            "more warnings of this statement are not listed.": self._unsaid,
            "entries carry no booking date; their value date or the statement's date is used.": self.undated,
            "entries carry no status; read as booked.": self.without_status,
        }
        return (*self._warnings, *(f"{self.place}: {n} {what}" for what, n in counted.items() if n))


# The fields of which an ``Ntry`` has at most one, in the order in which its reader takes them.
_SINGLE = (
    ("CdtDbtInd",), ("RvslInd",), ("Sts", "Sts/Cd", "Sts/Prtry"), ("BookgDt/Dt", "BookgDt/DtTm"),
    ("ValDt/Dt", "ValDt/DtTm"), ("NtryRef",), ("AcctSvcrRef",), ("BkTxCd/Domn/Cd",),
    ("BkTxCd/Domn/Fmly/Cd",), ("BkTxCd/Domn/Fmly/SubFmlyCd",), ("BkTxCd/Prtry/Cd",), ("AddtlNtryInf",),
)  # fmt: skip
_BATCH = ("NtryDtls/Btch", "Btch")  # in the draft version 01 it stands in the entry itself


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """Where the fields of an ``Ntry`` stand in its texts, apart from its ``TxDtls``."""

    single: Callable[[Texts], tuple[str, ...]]
    amount: PricedAt | None
    instructed: PricedAt | None
    charges: tuple[ChargeAt, ...]
    announced: tuple[int, ...]
    is_batch: bool


def entry_layouts() -> Layouts[EntryPlan]:
    """A memory for the layouts of one file's entries."""
    return Layouts(_plan)


def _plan(element: etree._Element) -> EntryPlan:
    found = slots(element)
    return EntryPlan(
        single=picker(found, _SINGLE),
        amount=next(iter(priced_at(element, "Amt")), None),
        instructed=next(iter(priced_at(element, *INSTRUCTED)), None),
        charges=charges_at(element),
        announced=tuple(slot for path in _BATCH for slot in found.get(f"{path}/NbOfTxs", ())),
        is_batch=any(path.startswith(f"{batch}/") for batch in _BATCH for path in found),
    )


def read_entry(
    plan: EntryPlan, texts: Texts, parts: Sequence[Part], position: int, context: Context
) -> Entry:
    """One ``Ntry``: ``texts`` its own, ``parts`` its ``TxDtls`` in document order."""
    return _EntryReader(plan, texts, parts, f"{context.place}/Ntry[{position}]", context).read(position)


class _EntryReader:
    """Reads one entry: first what was booked, then the payments it is made of."""

    __slots__ = ("booked", "charges", "context", "doubt", "of_entry", "parts", "place", "plan", "status",
                 "texts", "withheld")  # fmt: skip

    def __init__(self, plan: EntryPlan, texts: Texts, parts: Sequence[Part], place: str, context: Context):
        self.plan, self.texts, self.parts, self.place, self.context = plan, texts, parts, place, context
        self.withheld: Money | None = None
        self.doubt: str | None = None
        self.charges = read_charges(plan.charges, texts, place) if plan.charges else ()

    def read(self, position: int) -> Entry:
        side, reversal, status, booked_on, value_on, reference, bank_reference, *codes, text = (
            self.plan.single(self.texts)
        )
        self.booked = self._booked(side)
        self.status = self._booking_status(status)
        value_day = day_of(value_on, self.place)
        booking_day = self._booking_date(day_of(booked_on, self.place), value_day)
        self.of_entry = OfEntry(
            account=self.context.account,
            place=self.place,
            status="" if self.status is EntryStatus.BOOKED else self.status,
            booked_on=booking_day,
            value_on=value_day,
            is_reversal=reversal in ("true", "1"),
            bank_reference=bank_reference,
            bank_code=bank_code(*codes),
            text=text,
            charges=self.charges,
            instructed=self._instructed(),
            parts=len(self.parts),
            keys=self.context.keys,
        )
        self.context.tally(self.booked.minor, self.booked.is_credit, self.status)
        return self._entry(position, reference or None)

    def _entry(self, position: int, reference: str | None) -> Entry:
        of_entry = self.of_entry
        details = self._payments()
        announced = self._announced() if self.plan.is_batch else None
        return Entry(
            position=position,
            amount=self.booked.amount,
            is_credit=self.booked.is_credit,
            status=self.status,
            booked_on=of_entry.booked_on,
            details=details,
            value_on=of_entry.value_on,
            is_reversal=of_entry.is_reversal,
            is_unresolved_batch=self.plan.is_batch and self._is_unresolved_batch(announced),
            text=of_entry.text,
            reference=reference,
            bank_reference=of_entry.bank_reference or None,
            is_batch=self.plan.is_batch,
            announced=announced,
            transactions=len(self.parts),
            charges=self.charges,
            withheld=self.withheld,
            doubt=self.doubt,
        )

    def _booked(self, side: str) -> Booked:
        if self.plan.amount is None:
            raise refused("amount", self.place, "the entry has no Amt.", ASK_BANK)
        slot, currency, _ = self.plan.amount
        found = exact(self.texts[slot], currency)
        if found is None:
            raise inexact(self.texts[slot], currency, f"{self.place}/Amt")
        if currency != self.context.currency:
            message = f"the entry is in {currency}, the account in {self.context.currency}."
            raise refused("currency", f"{self.place}/Amt", message, ASK_BANK)
        return Booked(*found, is_credit_code(side, self.place))

    def _instructed(self) -> Money | None:
        if not self.plan.instructed:
            return None
        slot, currency, path = self.plan.instructed
        return parse_money(self.texts[slot], currency, f"{self.place}/{path}")

    def _booking_status(self, code: str) -> EntryStatus:
        if code == "BOOK":
            return EntryStatus.BOOKED
        if not code:  # a statement reports booked entries; the balance proof must agree
            self.context.without_status += 1
            return EntryStatus.BOOKED
        if code == "PDNG":
            return EntryStatus.PENDING
        if code != "INFO":
            note = f"{self.place}: status {code!r} is not BOOK; the entry is shown, never posted."
            self.context.warn(note)
        return EntryStatus.INFORMATION

    def _booking_date(self, booked_on: date | None, value_on: date | None) -> date:
        if booked_on is not None:
            return booked_on
        self.context.undated += 1
        fallback = value_on or self.context.dated_on
        if fallback is None:
            message = "neither the entry nor its statement carries a date."
            raise refused("malformed", self.place, message, ASK_BANK)
        return fallback

    def _announced(self) -> int | None:
        """``NbOfTxs`` of all its batches; None where the bank announces none or no number."""
        counts = [self.texts[slot] for slot in self.plan.announced]
        if not counts or not all(count.isascii() and count.isdecimal() for count in counts):
            return None
        return sum(int(count[:15]) for count in counts)

    def _is_unresolved_batch(self, announced: int | None) -> bool:
        """Several payments announced, none told apart: details absent, or one that repeats the total."""
        if not self.parts:
            return announced != 1
        return len(self.parts) == 1 and announced is not None and announced > 1

    def _payments(self) -> tuple[TransactionDetails, ...]:
        """One payment for each ``TxDtls`` if they add up to the entry, else one for the whole of it."""
        split = [self._priced(part, index) for index, part in enumerate(self.parts, 1)]
        if len(split) < 2 and (not split or split[0] == self.booked):
            return (payment_of(self.parts, self.booked, 1, self.of_entry),)
        booked = self._explained(split)
        if booked is None:
            return (payment_of(self.parts, self.booked, 1, self.of_entry),)
        return tuple(
            payment_of((part,), each, index, self.of_entry)
            for index, (part, each) in enumerate(zip(self.parts, booked, strict=True), 1)
        )

    def _priced(self, part: Part, index: int) -> Booked | None:
        """Amt, else AmtDtls/TxAmt, in the account's currency; else the entry's if it is the only one."""
        plan, texts = part
        side = texts[plan.side]
        is_credit = side == "CRDT" or is_credit_code(
            side, f"{self.place}/TxDtls[{index}]", default=self.booked.is_credit
        )
        for slot, currency, path in plan.amounts:
            found = exact(texts[slot], currency)
            if found is None:
                raise inexact(texts[slot], currency, f"{self.place}/TxDtls[{index}]/{path}")
            if currency == self.context.currency:
                return Booked(*found, is_credit)
        return Booked(*self.booked[:2], is_credit) if len(self.parts) == 1 else None

    def _signed(self, booked: Booked) -> int:
        return booked.minor if booked.is_credit else -booked.minor

    def _explained(self, split: Sequence[Booked | None]) -> list[Booked] | None:
        """What was booked of each part, where sums or the bank's own charges explain the entry."""
        known = [each for each in split if each is not None]
        booked = self._signed(self.booked)
        missing = sum(map(self._signed, known)) - booked  # what we did not get of the parts' sum
        if len(known) == len(split):
            if missing == 0:
                return known
            net = self._less_charges(known, booked)
            if net is not None:
                return net
            if missing == _cost(self.charges, self.context.currency):
                return self._withholding(known, missing)
        self.doubt = self._why_in_doubt(missing + booked, len(split) - len(known))
        self.context.warn(f"{self.place}: {self.doubt}")
        return None

    def _why_in_doubt(self, total: int, mute: int) -> str:
        currency = self.context.currency
        if mute:
            return f"{mute} of {len(self.parts)} details state no amount in {currency}; kept as one payment."
        stated = Money.from_minor(total if self.booked.is_credit else -total, currency)
        return f"the details add up to {stated}, the entry to {self.booked.amount}; kept as one payment."

    def _less_charges(self, known: Sequence[Booked], booked: int) -> list[Booked] | None:
        """Each part less the charges it states itself, if that is what was booked."""
        net = []
        for index, ((plan, texts), each) in enumerate(zip(self.parts, known, strict=True), 1):
            charges = read_charges(plan.charges, texts, f"{self.place}/TxDtls[{index}]")
            minor = self._signed(each) - _cost(charges, self.context.currency)
            net.append(Booked(Money.from_minor(abs(minor), self.context.currency), abs(minor), minor > 0))
        return net if sum(map(self._signed, net)) == booked else None

    def _withholding(self, known: list[Booked], missing: int) -> list[Booked]:
        """The entry's own charges explain it: of one payment they are its own, of several the entry's."""
        if len(known) == 1:
            return [self.booked]
        self.withheld = Money.from_minor(missing, self.context.currency)
        return known


def _cost(charges: Sequence[Charge], currency: str) -> int:
    """What charges in the entry's currency took from us, in minor units; 0 where one is in another."""
    if any(charge.amount.currency != currency for charge in charges):
        return 0
    return sum(-charge.amount.minor if charge.is_credit else charge.amount.minor for charge in charges)
