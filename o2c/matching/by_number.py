"""Rules for payments that name items: exact sums first, then differences, then doubt.

A number with no check digit may be a slip that hit somebody else's item. So what does not fit to the
cent needs the payer's agreement, and an item of the payer's own with exactly this amount is always heard.
"""

from __future__ import annotations

from itertools import combinations

from o2c.ledger import ItemKind, OpenItem
from o2c.matching import subsets
from o2c.matching.case import Case
from o2c.matching.differences import Fit, Money, exact, fitted
from o2c.matching.found import Form
from o2c.matching.model import Answer, Evidence, Outcome
from o2c.matching.numbers import same_number
from o2c.matching.review import review

_MOST_WEAK = 12


def by_strong(case: Case) -> Answer | None:
    """The items named beyond doubt."""
    if not case.strong:
        return None
    items = list(case.strong.values())
    money = case.money(items)
    if money is None:
        slip = None if set(case.strong) & case.checked else _slip(case, items)
        return slip or review(
            case, "other-currency", "The items named are in another currency than the payment."
        )
    whole, is_clear = _exact_set(case, items, money)
    if not is_clear:
        return review(case, "two-sets", "Two choices of the numbers named add up to the amount.")
    if whole:
        return _exactly(case, whole, money)
    if case.unknown and (mended := _mended(case, items, money)):
        return mended
    return _inexactly(case, items, money)


def by_weak(case: Case) -> Answer | None:
    """Items named with blanks in the number, zeros left out, or cut by the bank."""
    if not case.weak or case.strong:
        return None
    items = [item for item, _ in case.weak.values()]
    money = case.money(items)
    if money is None:
        return None
    whole, is_clear = _exact_set(case, [], money)
    if not is_clear:
        return review(case, "two-sets", "Two choices of the numbers named add up to the amount.")
    if whole:
        if case.is_contradicted(whole):
            return _slip_or_review(case, whole)
        return _exactly(case, whole, money)
    if len(items) == 1 and case.vouched(items):
        return _inexactly(case, items, money)
    return None


def by_settled(case: Case) -> Answer | None:
    """Only items that are settled: paid twice, or a slip that hit one of them."""
    if not case.settled or case.strong or case.weak:
        return None
    items = list(case.settled.values())
    if not set(case.settled) & case.checked and (slip := _slip(case, items)):
        return slip
    owners = {item.customer_id for item in items}
    sure = case.vouched(items)
    if len(owners) > 1 or not (sure or set(case.settled) <= case.checked):
        return review(case, "not-open", "It names settled items, and the payer is another or not known.")
    numbers = ", ".join(case.settled)
    money = case.amounts[case.payment.amount.currency]
    return Answer(
        Outcome.UNAPPLIED,
        "settled-only",
        tuple(case.why[number] for number in case.settled),
        unapplied=money.paid,
        customer_id=items[0].customer_id,
        currency=case.payment.amount.currency,
        reason="not-open",
        words=f"{numbers}: settled already; kept on the customer's account.",
    )


def _exact_set(case: Case, strong: list[OpenItem], money: Money) -> tuple[list[OpenItem], bool]:
    """All strong items with the largest choice of weak ones that adds up; False where two do."""
    still = case.book.open
    missing = money.paid - sum(map(still, strong))
    weak = [item for item, _ in case.weak.values() if item.currency == (strong or [item])[0].currency]
    if not weak:
        return (strong, True) if strong and not missing else ([], True)
    if len(weak) > _MOST_WEAK:
        total = sum(map(still, weak))
        return ([*strong, *weak], True) if total == missing else ([], True)
    for size in range(len(weak), 0, -1):
        found = [some for some in combinations(weak, size) if sum(map(still, some)) == missing]
        if found:
            return [*strong, *found[0]], len(found) == 1
    return (strong, True) if strong and not missing else ([], True)


def _exactly(case: Case, items: list[OpenItem], money: Money) -> Answer:
    sure = case.checked.issuperset([item.invoice_number for item in items])
    if not sure and case.is_contradicted(items):
        rivals = [item for item in case.same_amount if item not in items]
        if rivals:
            return review(
                case, "conflict", "It names an item of another customer; the payer has one of this amount."
            )
    fit = Fit("exact" if len(items) == 1 else "sum", exact(case.owed(items)), is_telling=True)
    return case.matched(_class(case, items), items, fit)


def _class(case: Case, items: list[OpenItem]) -> str:
    return "reference" if any(item.invoice_number in case.checked for item in items) else "number"


def _mended(case: Case, items: list[OpenItem], money: Money) -> Answer | None:
    """A list of which one number has a slip: the owner's one item that is meant makes the sum."""
    owners = {item.customer_id for item in items}
    mine = [i for owner in owners for i in case.book.open_of(owner) if i.invoice_number not in case.strong]
    meant = [i for i in mine if any(same_number(found.raw, i.invoice_number) for found in case.unknown)]
    still = case.book.open
    missing = money.paid - sum(map(still, items))
    fits = [one for one in meant if still(one) == missing and one.currency == items[0].currency]
    if len(fits) != 1 or len(case.unknown) != 1:
        return None
    both = [*items, fits[0]]
    case.why[fits[0].invoice_number] = Evidence(
        "text", f"{case.unknown[0].raw} is a slip of {fits[0].invoice_number}"
    )
    return case.matched("number-slip", both, Fit("sum", exact(case.owed(both)), is_telling=True))


def _inexactly(case: Case, items: list[OpenItem], money: Money) -> Answer:
    """Not to the cent: credit notes not named, discount, charges, a residual, a part or too much."""
    fits = _fits(case, items, money)
    if near := _nearly_named(case, items):
        wider = _fits(case, [*items, *near], money)
        fits = [one for one in wider if one[1].is_telling] or fits
    if len(fits) != 1:
        words = (
            "Two explanations of what is missing." if fits else "The items named do not add up to the amount."
        )
        return review(case, "sum-differs", words)
    chosen, fit = fits[0]
    if not fit.is_telling and (case.unknown or _nearly_named(case, items)):
        return review(case, "sum-differs", "It names more than is known here, and the sum differs.")
    named = {item.invoice_number for item in chosen if item.invoice_number in case.why}
    if not case.checked >= named:
        doubt = _doubt(case, items, fit)
        if doubt is not None:
            return doubt
    rivals = [item for item in case.same_amount if item.invoice_number not in named]
    if rivals and not (fit.is_telling and case.checked >= named):
        return review(case, "conflict", "It names one item, and another of the payer's has this amount.")
    if fit.size == "over" and _pays_another(case, items, fit.unapplied):
        return review(
            case, "two-explanations", "What is too much is what another item of the customer needs."
        )
    return case.matched(_class(case, items), chosen, fit)


def _nearly_named(case: Case, items: list[OpenItem]) -> list[OpenItem]:
    """Items of the same owners that are nearly named beside these."""
    owners = {item.customer_id for item in items}
    return [
        item
        for item, found in case.weak.values()
        if item.customer_id in owners and found.form is not Form.RANGE and item not in items
    ]


def _fits(case: Case, items: list[OpenItem], money: Money) -> list[tuple[list[OpenItem], Fit]]:
    """The explanations, the best kind only: to the cent before the others."""
    found = []
    plain = fitted(case.owed(items), money, case.policy)
    if plain is not None and plain.is_telling:
        found.append((items, plain))
    found.extend(_with_credit(case, items, money))
    if not found and plain is not None:
        found.append((items, plain))
    return found[:2]


def _with_credit(case: Case, items: list[OpenItem], money: Money) -> list[tuple[list[OpenItem], Fit]]:
    """The owner's open credit notes that are not named: the one choice that makes the sum."""
    owners = {item.customer_id for item in items}
    still = case.book.open
    short = sum(map(still, items)) - money.paid
    if short <= 0 or len(owners) != 1:
        return []
    notes = [
        item
        for item in case.book.open_of(items[0].customer_id)
        if item.kind is ItemKind.CREDIT_NOTE
        and item.currency == items[0].currency
        and item.invoice_number not in case.strong
    ][: subsets.MOST]
    if not notes:
        return []
    found = []
    for places in subsets.solutions([still(note) for note in notes], -short):
        chosen = [*items, *(notes[place] for place in places)]
        found.append((chosen, Fit("credit", exact(case.owed(chosen)), is_telling=True)))
    if found:
        return found
    for some in [[note] for note in notes] + ([notes] if len(notes) > 1 else []):
        chosen = [*items, *some]
        if sum(map(still, chosen)) > money.paid:
            fit = fitted(case.owed(chosen), money, case.policy)
            if fit is not None and fit.is_telling and fit.size == "discount":
                found.append((chosen, fit))
    return found


def _doubt(case: Case, items: list[OpenItem], fit: Fit) -> Answer | None:
    """Whether the payer stands against numbers that fit only nearly."""
    if case.vouched(items):
        return None
    if case.payer.customers:
        return _slip_or_review(case, items)
    if fit.is_telling:
        return None
    return review(case, "payer-unknown", "The amount differs, and nothing else ties the payer to the item.")


def _slip_or_review(case: Case, items: list[OpenItem]) -> Answer:
    slip = _slip(case, items)
    return slip or review(case, "conflict", "It names an item of another customer than the payer.")


def _slip(case: Case, items: list[OpenItem]) -> Answer | None:
    """The number is one slip away from one item of the payer's, and that has exactly this amount."""
    if len(items) != 1:
        return None
    hit = items[0]
    written = [one.raw for one in case.keys.found if case.book.by_number(one.number) is hit]
    mine = [i for i in case.same_amount if any(same_number(raw, i.invoice_number) for raw in written)]
    if len(mine) != 1:
        return None
    meant = mine[0]
    paid = case.amounts[meant.currency].paid
    # The item that was hit explains the payment as well: paid twice, or simply meant.
    own = hit.customer_id in case.payer.named
    if (own and hit.gross in (0, paid)) or case.book.open(hit) == paid:
        return None
    case.why[meant.invoice_number] = Evidence("text", f"{written[0]} is a slip of {meant.invoice_number}")
    fit = Fit("exact", exact(case.owed(mine)), is_telling=True)
    return case.matched("payer-slip", mine, fit, by_payer=True)


def _pays_another(case: Case, items: list[OpenItem], over: int) -> bool:
    named = {item.invoice_number for item in items}
    rest = [
        case.book.open(item)
        for item in case.book.open_of(items[0].customer_id)
        if item.invoice_number not in named and item.currency == items[0].currency
    ]
    return bool(rest) and (over in rest or sum(rest) == over)
