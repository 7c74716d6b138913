"""What today's run would say to whom, and why: reads, decides, and writes nothing.

Each open invoice is decided on the dunning rules, one in dispute as two parts. Then the law has its
word: a letter that it does not allow yet waits, and what it has no figure for is not charged. Both
stand beside the decision as the reason why something else was done.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection

from gateway.stages import charge, owed
from gateway.stages.desk import Desk
from gateway.stages.owed import Picture
from gateway.store import charges
from gateway.store.rows import unpack_profile
from o2c import dunning, late_charge
from o2c.decision import Decision
from o2c.dunning import LEVELS, Letter, Receivable
from o2c.interest import Balance
from o2c.late_charge import Charged, Debt, Debtor, FeeHistory, LateCharge
from o2c.ledger import OpenItem
from o2c.matching import plausible
from o2c.order import Customer
from o2c.promise import Promise, is_broken


@dataclass(frozen=True, slots=True)
class Ruling:
    """One invoice or part of one: what the rules say of it, and what is done. They differ where the
    law stands in the way; ``reason`` says so."""

    receivable: Receivable
    decision: Decision
    outcome: str
    reason: str | None = None

    @property
    def speaks(self) -> bool:
        """Does it lead to a letter?"""
        return self.outcome in LEVELS

    def as_done(self) -> tuple[Receivable, Decision]:
        """For the letters: the part, and the decision as it is carried out."""
        return self.receivable, replace(self.decision, outcome=self.outcome)


@dataclass(slots=True)
class Case:
    """One customer today. ``charges`` are the late charges claimed so far, by invoice."""

    customer: Customer
    account: Any
    debtor: Debtor
    in_sight: bool
    broken: list[Promise]
    rulings: list[Ruling]
    letter: Letter | None
    charges: Mapping[str, Sequence[LateCharge]]
    charged: Charged = field(default_factory=lambda: Charged((), {}))

    @property
    def speaking(self) -> list[Ruling]:
        """The rulings that lead to the letter; none where there is nothing to list in one."""
        return [one for one in self.rulings if one.speaks] if self.letter else []

    def reason(self, ruling: Ruling) -> str | None:
        """Why something else was done than the rules say, or less."""
        notes = () if ruling.receivable.disputed else self.charged.notes.get(_number(ruling), ())
        return "; ".join(filter(None, (ruling.reason, *notes))) or None

    def pay_by(self, today: date) -> date | None:
        """The last day before a collector is called in, where the law of the country names one."""
        days = self.debtor.law.notice_days if self.debtor.law else None
        return today + timedelta(days=days) if days and self.letter and self.letter.level == "L3" else None


def of_today(desk: Desk, connection: Connection, *, lock: bool) -> list[Case]:
    """Every customer who owes something, decided as of today."""
    today = desk.clock.today()
    picture = owed.look(connection, desk.company_id, today, lock=lock)
    cases = [_case(desk, picture, name, today) for name in sorted(picture.accounts)]
    _charge(desk, connection, picture, cases, today)
    return cases


def _case(desk: Desk, picture: Picture, name: str, today: date) -> Case:
    row = picture.accounts[name]
    customer = unpack_profile(Customer, row.profile)
    debtor = charge.debtor_of(customer)
    # Money on account has no use yet: nobody is asked for what may be here already.
    in_sight = row.unallocated_minor > 0 or _in_sight(picture, name, today)
    broken = [one for one in picture.promises.get(name, ()) if is_broken(one, today, in_sight)]
    ended = frozenset(one.promise_id for one in broken)
    rulings = [
        _ruling(desk, picture, part, customer, debtor, in_sight, today)
        for receivable in picture.receivables(name, today, ended)
        for part in dunning.parts(receivable)
    ]
    letters = dunning.letters([one.as_done() for one in rulings])
    letter = letters[0] if letters else None
    return Case(customer, row, debtor, in_sight, broken, rulings, letter, picture.charges)


def _in_sight(picture: Picture, name: str, today: date) -> bool:
    """May money that waits for a person be this customer's: for the invoices as they stand, for what
    is undisputed, or for what the last letter asked for?"""
    parts = [part for one in picture.receivables(name, today, frozenset()) for part in dunning.parts(one)]
    whole = [one.item for one in picture.items.get(name, ())]
    undisputed = [part.item for part in parts if not part.disputed]
    asked = [_with_charges(item, picture.charges.get(item.invoice_number, ())) for item in undisputed]
    ways = [whole] + [items for items in (undisputed, asked) if items != whole]
    return any(plausible(money.details, items, today) for money in picture.waiting for items in ways)


def _with_charges(item: OpenItem, claimed: Iterable[LateCharge]) -> OpenItem:
    return item._replace(open=item.open + late_charge.outstanding(claimed))


def _ruling(
    desk: Desk,
    picture: Picture,
    part: Receivable,
    customer: Customer,
    debtor: Debtor,
    in_sight: bool,
    today: date,
) -> Ruling:
    facts = dunning.facts(part, customer, today, money_in_sight=in_sight)
    decision = desk.decider.decide("dunning", facts)
    if decision.outcome not in LEVELS:
        return Ruling(part, decision, decision.outcome)
    debt = Debt(part.item, decision, fees=_fees(picture, part))
    wait = late_charge.wait_until(debt, debtor, part.last_notice_on, today)
    if wait is None:
        return Ruling(part, decision, decision.outcome)
    until, why = wait
    return Ruling(part, decision, "wait", f"waits until {until}: {why}")


def _fees(picture: Picture, part: Receivable) -> FeeHistory:
    return picture.fees.get(part.item.invoice_number, FeeHistory())


def _charge(desk: Desk, connection: Connection, picture: Picture, cases: Iterable[Case], today: date) -> None:
    """What the letters claim anew; what was open on each day is read for all of them together."""
    writing = [case for case in cases if case.letter is not None]
    bearing = [_number(one) for case in writing for one in case.speaking if _wants_interest(one)]
    balances = charges.balances(connection, desk.company_id, bearing)
    exchange = charge.Exchange(desk, connection, today)
    for case in writing:
        debts = [_debt(picture, one, balances) for one in case.speaking]
        debts.sort(key=lambda debt: (-LEVELS.index(debt.decision.outcome), debt.item.due_on))
        case.charged = late_charge.charge(debts, case.debtor, today, exchange)


def _wants_interest(ruling: Ruling) -> bool:
    return Debt(ruling.receivable.item, ruling.decision).wants("late_interest") is not None


def _debt(picture: Picture, ruling: Ruling, balances: Mapping[str, tuple[Balance, ...]]) -> Debt:
    number = _number(ruling)
    withheld = ruling.receivable.withheld
    undisputed = tuple(replace(one, minor=max(one.minor - withheld, 0)) for one in balances.get(number, ()))
    claimed = tuple(picture.charges.get(number, ()))
    return Debt(
        ruling.receivable.item, ruling.decision, undisputed, claimed, _fees(picture, ruling.receivable)
    )


def _number(ruling: Ruling) -> str:
    return ruling.receivable.item.invoice_number


def why(ruling: Ruling) -> str:
    """The rule that decided, and its words."""
    said = f": {ruling.decision.say}" if ruling.decision.say else ""
    return f"{ruling.decision.rule or 'otherwise'}{said}"


def listed(letter: Letter) -> list[str]:
    """The invoices of a letter."""
    return [item.invoice_number for item in letter.items]
