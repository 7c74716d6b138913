"""Rules for payments that name nothing surely: the payer is known, and the amount must say the rest.

Numbers with a slip or without their prefix choose among the payer's items; else the only item of the
amount, else the only set that makes it. What a word or a number speaks against is left to a person.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from o2c.ledger import OpenItem
from o2c.matching import subsets
from o2c.matching.case import Case
from o2c.matching.differences import Fit, discount_of, exact, fitted
from o2c.matching.model import Answer, Evidence
from o2c.matching.numbers import running_numbers, same_number, slips_in
from o2c.matching.review import review

_NOT_FOR_AN_ITEM = re.compile(
    r"VORAUS|ANZAHL|VORKASSE|PRE-?PAY|DEPOSIT|KAUTION|A[ -]?CONTO|AKONTO|ABSCHLAG|FORSKUD|FORSKOTT|ADVANCE"
    r"|TEILZAHL|TEILBETRAG|PARTIAL|PART PAY|INSTAL|RATE \d|RATENZ|\d\. RATE|GUTHABEN|DELBETAL|DARLEHEN|LOAN"
)

_FEWEST_DIGITS = 4  # of a number with a slip in it


def by_payer(case: Case) -> Answer | None:
    """The payer's items that numbers, the amount, or both, point at."""
    if not case.payer.customers or not case.own:
        return None
    answer = _numbered(case)
    if answer is None and (answer := _unnumbered(case)) is not None:
        hits = {item.invoice_number for item in _bare_hits(case, case.own)}
        if hits - {part.number for part in answer.parts}:
            return review(case, "two-explanations", "A number in the text is that of another item.")
    return answer


def _numbered(case: Case) -> Answer | None:
    """Bare or misspelt numbers among the payer's items, with the exact amount."""
    candidates = case.own if case.payer.is_known else case.same_amount
    if case.weak:
        candidates = [*candidates]
    bare = _bare_hits(case, candidates)
    hits = bare or _slip_hits(case, candidates)
    if not hits:
        return None
    still, amounts = case.book.open, case.amounts
    single = [item for item in hits if still(item) == amounts[item.currency].paid]
    slip = "bare" if bare else "slip"
    total = sum(map(still, hits))
    if len(hits) > 1 and total == amounts[hits[0].currency].paid and case.money(hits) is not None:
        return case.matched(
            f"payer-{slip}", hits, Fit("sum", exact(case.owed(hits)), is_telling=True), by_payer=True
        )
    if len(single) == 1:
        if len(hits) > 1 and slip == "slip" and any(_is_nearer(case, o, single[0]) for o in hits):
            return review(case, "two-explanations", "Two items are one slip away from the number.")
        return case.matched(
            f"payer-{slip}", single, Fit("exact", exact(case.owed(single)), is_telling=True), by_payer=True
        )
    if len(single) > 1:
        return review(case, "two-explanations", "Two items of this amount fit the number.")
    return _numbered_nearly(case, hits, slip)


def _numbered_nearly(case: Case, hits: list[OpenItem], slip: str) -> Answer | None:
    """A discount in its window or charges: telling amounts, though the number is not whole."""
    if not case.payer.is_known or case.same_amount or (slip == "bare" and not case.bare[1]):
        return None
    money = case.money(hits)
    fit = fitted(case.owed(hits), money, case.policy) if money else None
    if fit is None or not fit.is_telling:
        return None
    return case.matched(f"payer-{slip}", hits, fit, by_payer=True)


def _is_nearer(case: Case, other: OpenItem, chosen: OpenItem) -> bool:
    return other is not chosen and case.book.open(other) == case.book.open(chosen)


def _bare_hits(case: Case, items: Sequence[OpenItem]) -> list[OpenItem]:
    runs = case.bare[0]
    found = [item for item in items if runs & running_numbers(item.invoice_number)] if runs else []
    for item in found:
        hit = next(iter(runs & running_numbers(item.invoice_number)))
        case.why.setdefault(
            item.invoice_number, Evidence("text", f"{hit} is the end of {item.invoice_number}")
        )
    return found


def _slip_hits(case: Case, items: Sequence[OpenItem]) -> list[OpenItem]:
    found: list[OpenItem] = []
    texts = [one for one in case.texts if sum(map(str.isdigit, one.text)) >= _FEWEST_DIGITS]
    if not texts:
        return found
    for item in items:
        number = item.invoice_number
        if slips_in(texts, number) or any(same_number(one.raw, number) for one in case.unknown):
            found.append(item)
            case.why.setdefault(number, Evidence("text", f"the text names {number} but for one slip"))
    return found


def _unnumbered(case: Case) -> Answer | None:
    if not case.payer.is_known:
        return None
    if case.unknown or case.settled or case.weak:
        return review(case, "not-open", "It names a number that is no open item of this payer.")
    if _says_otherwise(case):
        return None
    return _only_amount(case) or _only_discount(case) or _only_set(case)


def _says_otherwise(case: Case) -> bool:
    """A word that money is for something else, or an invoice number that is none of the payer's."""
    if _NOT_FOR_AN_ITEM.search(case.payment.text.upper()):
        return True
    ours = {run for item in case.own for run in running_numbers(item.invoice_number)}
    width = min((len(re.sub(r"\D", "", i.invoice_number)) for i in case.own), default=9)
    return any(len(run) >= min(width - 2, 4) and run not in ours for run in case.bare[1])


def _only_amount(case: Case) -> Answer | None:
    mine = case.same_amount
    if not mine:
        return None
    if len(mine) > 1:
        return review(case, "two-explanations", "Several items of the payer have this amount.")
    if _another_set(case, mine[0]):
        return review(case, "two-explanations", "A set of other items makes the same amount.")
    fit = Fit("amount", exact(case.owed(mine)), is_telling=True)
    return case.matched("payer", mine, fit, by_payer=True)


def _another_set(case: Case, chosen: OpenItem) -> bool:
    """Whether a set of items makes the amount of the one item too; of very many, two or three of them."""
    still, paid = case.book.open, case.amounts[chosen.currency].paid
    mine = [still(item) for item in case.own if item.currency == chosen.currency]
    if len(mine) <= subsets.MOST:
        return len(subsets.solutions(mine, paid)) > 1
    return subsets.has_few(mine, paid)


def _only_discount(case: Case) -> Answer | None:
    """The one item that the payment closes with its discount, to the cent and in time; no set beside it."""
    still, found = case.book.open, []
    for item in case.own:
        less = discount_of(item)
        money = case.amounts[item.currency]
        if less and item.discount is not None and still(item) - less == money.paid:
            fit = fitted(case.owed([item]), money, case.policy)
            if fit is not None and fit.is_telling:
                found.append((item, fit))
    if len(found) > 1:
        return review(case, "two-explanations", "Several items less their discount have this amount.")
    if not found or _sets(case):
        return None
    return case.matched("payer", [found[0][0]], found[0][1], by_payer=True)


def _only_set(case: Case) -> Answer | None:
    sets = _sets(case)
    if not sets:
        return None
    if len(sets) > 1 or any(_only_discountable(case)):
        return review(case, "two-explanations", "Several sets of the payer's items make this amount.")
    chosen = sets[0]
    mine = [item for item in case.own if item.currency == chosen[0].currency]
    if not subsets.is_telling([case.book.open(item) for item in mine], len(chosen)):
        return review(case, "by-chance", "A set of items makes this amount, but chance finds such sets.")
    return case.matched(
        "payer", chosen, Fit("subset", exact(case.owed(chosen)), is_telling=True), by_payer=True
    )


def _only_discountable(case: Case) -> list[bool]:
    still = case.book.open
    return [
        True
        for item in case.own
        if (less := discount_of(item)) and still(item) - less == case.amounts[item.currency].paid
    ]


def _sets(case: Case) -> list[list[OpenItem]]:
    """Up to two sets of the payer's items in the booked currency (else the instructed one)."""
    for currency, money in case.amounts.items():
        mine = [item for item in case.own if item.currency == currency]
        if not mine:
            continue
        amounts = [case.book.open(item) for item in mine]
        if len(mine) <= subsets.MOST:
            found = subsets.solutions(amounts, money.paid)
            return [[mine[place] for place in places] for places in found]
        return _natural(case, mine, money.paid)
    return []


def _natural(case: Case, mine: list[OpenItem], paid: int) -> list[list[OpenItem]]:
    """Of many items only: all, or all up to a due date."""
    ordered = sorted(mine, key=lambda item: item.due_on)
    breaks = [at for at in range(1, len(ordered)) if ordered[at].due_on != ordered[at - 1].due_on]
    ends = subsets.prefixes([case.book.open(item) for item in ordered], [*breaks, len(ordered)], paid)
    return [ordered[:end] for end in ends[:2]]
