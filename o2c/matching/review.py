"""A payment for a person: why, and what may be meant, the likeliest first, at most five."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from o2c.ledger import OpenItem
from o2c.matching.case import Case
from o2c.matching.differences import exact, fitted
from o2c.matching.model import Answer, Evidence, Outcome, Part, Suggestion
from o2c.matching.numbers import slips_in

_MOST = 5
_MOST_LOOKED_AT = 40


def review(case: Case, reason: str, words: str) -> Answer:
    """The answer that leaves a payment to a person."""
    owners = {item.customer_id for item in case.strong.values()} or set(case.payer.customers)
    return Answer(
        Outcome.REVIEW,
        f"review-{reason}",
        (*case.why.values(), *case.payer.evidence)[:12],
        customer_id=owners.pop() if len(owners) == 1 else None,
        currency=case.payment.amount.currency,
        reason=reason,
        words=words,
        suggestions=suggestions(case),
    )


def suggestions(case: Case) -> tuple[Suggestion, ...]:
    """Ranked, each with parts that a person may take as they are."""
    best: dict[tuple[str, ...], Suggestion] = {}
    for one in _all(case):
        numbers = tuple(part.number for part in one.parts)
        if one.parts and (numbers not in best or best[numbers].score < one.score):
            best[numbers] = one
    ranked = sorted(best.values(), key=lambda one: (-one.score, [part.number for part in one.parts]))
    return tuple(ranked[:_MOST])


def _all(case: Case) -> Iterator[Suggestion]:
    named = [*case.strong.values(), *(item for item, _ in case.weak.values())]
    if len(named) > 1:
        yield from _suggested(case, named, 60)
    for item in named[:_MOST_LOOKED_AT]:
        yield from _suggested(case, [item], 50 if item.invoice_number in case.strong else 40)
    same = {item.invoice_number for item in case.same_amount}
    for item in case.own[:_MOST_LOOKED_AT]:
        near = slips_in(case.texts, item.invoice_number)
        if item.invoice_number in same or near:
            yield from _suggested(case, [item], 30 + 25 * near)


def _suggested(case: Case, items: list[OpenItem], score: int) -> Iterator[Suggestion]:
    money = case.money(items)
    if money is None:
        return
    fit = fitted(case.owed(items), money, case.policy)
    if fit is not None and fit.parts:
        bonus = 30 if fit.is_telling else 0
        agrees = 10 if all(item.customer_id in case.payer.named for item in items) else 0
        parts: tuple[Part, ...] = fit.parts
    else:
        bonus, agrees, parts = 0, 0, _as_far_as_it_goes(case, items, money.paid)
    owner = items[0].customer_id
    evidence = tuple(_evidence(case, items, bonus > 0))
    yield Suggestion(owner, parts, evidence, min(score + bonus + agrees, 100))


def _as_far_as_it_goes(case: Case, items: list[OpenItem], paid: int) -> tuple[Part, ...]:
    """Credit notes used up, then the oldest invoices first, until the money is gone."""
    owed = sorted(case.owed(items), key=lambda one: (one[1] > 0, one[0].due_on, one[0].invoice_number))
    parts, left = [], paid
    for item, still in owed:
        cash = min(still, left)
        if cash:
            parts.append(Part(item.invoice_number, cash, cash == still))
            left -= cash
    return tuple(parts) if left >= 0 else exact(owed)


def _evidence(case: Case, items: Iterable[OpenItem], fits: bool) -> Iterator[Evidence]:
    for item in items:
        if (why := case.why.get(item.invoice_number)) is not None:
            yield why
        if item.customer_id in case.payer.named:
            yield Evidence("payer", f"the payer may be {item.customer_id}")
    if fits:
        yield Evidence("amount", "the amount fits to the cent")
