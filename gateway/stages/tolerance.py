"""What the company's cash rules make of a difference between a payment and what it pays.

Asked by the matcher, once for each difference; the rules that shaped a booking are stored with it as
decisions, so that they can be explained and made again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import Connection

from gateway.stages import shadow
from gateway.stages.desk import Desk
from gateway.store import orders
from gateway.store.bulk import Rows
from gateway.store.cash import Traits
from gateway.store.orders import Decided
from o2c.country import known_country
from o2c.decision import Decision, FactValue
from o2c.matching.model import Answer, CashOutcome, Difference, Treatment
from o2c.money import Money, convert, round_half_up

_NEVER = 9999  # what the vocabulary says where no discount was offered
_WIDEST = Decimal(10_000)  # percent: beyond that nobody tells differences apart


@dataclass(slots=True)
class CashRules:
    """The policy of one desk on one day. ``rate`` is what one unit of a currency is worth in the company's
    today; ``traits`` are the customers' own, by id, and who is missing there is asked of ``ask``."""

    desk: Desk
    rate: Callable[[str], Decimal]
    ask: Callable[[str], Traits]
    traits: dict[str, Traits] = field(default_factory=dict)
    _made: dict[Difference, tuple[Treatment, Decision]] = field(default_factory=dict)

    def __call__(self, difference: Difference) -> Treatment:
        """The treatment of a difference; the same one is asked about once."""
        return self._decided(difference)[0]

    def _decided(self, difference: Difference) -> tuple[Treatment, Decision]:
        known = self._made.get(difference)
        if known is None:
            made = self.desk.decider.decide("cash", self.facts(difference))
            treatment = Treatment(CashOutcome(made.outcome), made.rule or "otherwise")
            known = self._made[difference] = (treatment, made)
        return known

    def facts(self, difference: Difference) -> dict[str, FactValue]:
        """The facts of the cash vocabulary; amounts in the company's currency."""
        who = self._traits(difference.customer_id)
        late = difference.discount_days_late
        return {
            "difference": self._in_base(difference.amount, difference.currency),
            "overpaid": difference.overpaid,
            "difference_percent": percent(difference.amount, difference.due),
            "discount_offered": difference.discount_offered,
            "discount_days_late": _NEVER if late is None else late,
            "discount_gap": self._in_base(abs(difference.discount_gap), difference.currency),
            "bank_charges": difference.bank_charges,
            "foreign_currency": difference.foreign_currency,
            "consumer": who.consumer,
            "risk_class": who.risk_class,
            "country": known_country(who.country),
        }

    def _traits(self, name: str) -> Traits:
        if name not in self.traits:
            self.traits[name] = self.ask(name)
        return self.traits[name]

    def _in_base(self, minor: int, currency: str) -> Decimal:
        base = self.desk.company.currency
        if currency == base:
            return Money.from_minor(minor, base).amount
        return Money.from_minor(convert(minor, currency, self.rate(currency), base), base).amount

    def decisions_on(self, answer: Answer) -> list[Decision]:
        """The decisions that shaped an answer."""
        return [self._decided(difference)[1] for difference, _ in answer.differences]

    def begin(self, known: Rows) -> None:
        """Start anew for another block: other customers, other differences."""
        self._made.clear()
        self.traits.clear()
        self.know(known)

    def know(self, known: Rows) -> None:
        """Learn the traits of customers, from ``cash.traits``."""
        self.traits |= {row[0]: Traits(*row[1:]) for row in known}


def percent(amount: int, due: int) -> Decimal:
    """The difference as a share of what was to be paid, in percent with two decimals, rounded half up."""
    if due <= 0:
        return _WIDEST
    return min(round_half_up(Decimal(100 * amount) / due, 2), _WIDEST)


def keep(desk: Desk, connection: Connection, made: list[tuple[str, Decision]]) -> None:
    """Store (payment, decision) pairs, and let the shadows have their say."""
    if not made:
        return
    now = desk.clock.now()
    decided = [Decided(payment, None, one) for payment, one in made]
    orders.add_decisions(connection, desk.company_id, now, desk.actor, decided)
    shadow.compare(connection, desk.company_id, now, desk.shadows, decided)
