"""What the matcher is asked and what it answers. Amounts are minor units, signed as the item is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What a payment turned out to be.

    ``review``: two explanations, or one in doubt. ``unapplied``: it is ours to keep, but settles
    nothing that is open. ``unrelated``: nothing ties it to a receivable.
    """

    MATCH = "match"
    REVIEW = "review"
    UNAPPLIED = "unapplied"
    UNRELATED = "unrelated"
    RETURN = "return"


class CashOutcome(StrEnum):
    """What the cash policy makes of a difference: the outcomes of the ``cash`` rule file."""

    REVIEW = "review"
    KEEP_OPEN = "keep_open"
    ON_ACCOUNT = "on_account"
    TAKE_DISCOUNT = "take_discount"
    CHARGES = "charges"
    WRITE_OFF = "write_off"


@dataclass(frozen=True, slots=True)
class Difference:
    """Between what a payment brings and what it pays: the facts of the cash policy.

    ``amount`` is never negative; ``due`` is what was to be paid. Both in minor units of ``currency``.
    """

    customer_id: str
    currency: str
    amount: int
    due: int
    overpaid: bool = False
    discount_offered: bool = False
    discount_days_late: int | None = None
    discount_gap: int = 0
    bank_charges: bool = False
    foreign_currency: bool = False


@dataclass(frozen=True, slots=True)
class Treatment:
    """What the cash policy says to a difference, and the rule that says so."""

    outcome: CashOutcome
    rule: str


Policy = Callable[[Difference], Treatment]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One field that speaks for an allocation, in words: ``("reference", "RF18... is that of INV-7")``."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class Part:
    """What one item gets: cash, and what closes the rest of it. Negative where a credit note is used up.

    ``amount + discount + write_off + charges`` is what leaves the item's open amount.
    """

    number: str
    amount: int
    closes: bool
    discount: int = 0
    write_off: int = 0
    charges: int = 0


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One explanation for a person to take or leave; the best comes first."""

    customer_id: str
    parts: tuple[Part, ...]
    evidence: tuple[Evidence, ...]
    score: int  # 0..100


@dataclass(frozen=True, slots=True)
class Answer:
    """A payment explained. ``parts`` only on a match; their cash and ``unapplied`` make up the payment.

    ``write_off`` is a surplus too small to keep for anybody. ``currency`` is that of the items, which
    is not that of the account where the payer was told a foreign amount.
    """

    outcome: Outcome
    rule: str
    evidence: tuple[Evidence, ...] = ()
    parts: tuple[Part, ...] = ()
    unapplied: int = 0
    write_off: int = 0
    customer_id: str | None = None
    currency: str = ""
    reason: str | None = None
    words: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    differences: tuple[tuple[Difference, Treatment], ...] = ()
