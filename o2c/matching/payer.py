"""Who paid: by the account, by a customer number in the text, by name and postcode.

Everything that speaks is heard, and two voices that disagree leave the payer in doubt. Namesakes are told
apart by their postcode or not at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from o2c.matching.book import Book, Known
from o2c.matching.keys import Keys
from o2c.matching.model import Evidence
from o2c.matching.names import Name, agree, alike, lookup_keys, parsed
from o2c.statement import TransactionDetails


@dataclass(frozen=True, slots=True)
class Payer:
    """``customers``: who may have paid. ``is_known``: sure enough to look for an amount among their items.

    ``named`` are all whom anything points at: they agree with a number, but do not stand for one.
    """

    customers: tuple[str, ...] = ()
    named: frozenset[str] = frozenset()
    is_known: bool = False
    evidence: tuple[Evidence, ...] = ()


NOBODY = Payer()


def payer_of(payment: TransactionDetails, keys: Keys, book: Book) -> Payer:
    """Who paid, as far as the payment tells; asked about the same signs again, the book remembers."""
    signs = (
        *(payment.counterparty, payment.counterparty_postcode, payment.counterparty_iban, payment.payer),
        keys.customers,
    )
    known = book.payers.get(signs)
    if not isinstance(known, Payer):
        known = book.payers[signs] = _payer_of(payment, keys, book)
    return known


def _payer_of(payment: TransactionDetails, keys: Keys, book: Book) -> Payer:
    account = _by_account(payment, book)
    stated = tuple(one.customer_id for key in keys.customers if (one := book.customer(key)) is not None)
    called, called_is_sure = _by_name(payment.counterparty, payment.counterparty_postcode, book)
    other: tuple[str, ...] = ()
    if payment.payer and payment.payer != payment.counterparty:
        other, _ = _by_name(payment.payer, None, book)
    named = frozenset((*account, *stated, *called, *other))
    if not named:
        return NOBODY
    customers, known = _agreed(account, stated, called, called_is_sure, other)
    return Payer(customers, named, known, _evidence(payment, account, stated, called))


def _agreed(
    account: tuple[str, ...],
    stated: tuple[str, ...],
    called: tuple[str, ...],
    called_is_sure: bool,
    other: tuple[str, ...],
) -> tuple[tuple[str, ...], bool]:
    """The voices narrow each other; where two have nothing in common all are kept and none is sure."""
    voices = [voice for voice in (account, stated, called) if voice]
    if not voices:
        return other, False
    left = voices[0]
    for voice in voices[1:]:
        both = tuple(one for one in left if one in voice)
        if not both:
            return tuple(dict.fromkeys(one for voice in voices for one in voice)), False
        left = both
    if account or stated:
        return left, True
    return left, called_is_sure and not set(other) - set(left)


def _by_account(payment: TransactionDetails, book: Book) -> tuple[str, ...]:
    if not payment.counterparty_iban:
        return ()
    return tuple(holder.customer_id for holder in book.holders(payment.counterparty_iban))


def _by_name(name: str | None, postcode: str | None, book: Book) -> tuple[tuple[str, ...], bool]:
    """The customers so called, and whether there is but one and nothing speaks against it."""
    if not name:
        return (), False
    paid, parts_of = parsed(name), book.directory.parts_of
    filed = {called: people for key in lookup_keys(name) for called, people in book.named(key).items()}
    same = [called for called in filed if agree(paid, parts_of(called))]
    if paid.form and not paid.is_cut:
        same = [called for called in same if parts_of(called).form == paid.form] or same
    people = [one for called in same for one in filed[called]]
    there = [one for one in people if _plain(one.postcode) == _plain(postcode)] if postcode else []
    if there:
        return tuple([one.customer_id for one in there]), len(there) == 1
    sure = len(people) == 1 and not (postcode and people[0].postcode) and _weighty(paid, people[0])
    return tuple([one.customer_id for one in people]), sure


def _weighty(paid: Name, one: Known) -> bool:
    """One short word without its legal form is too little where the file has more to say."""
    return bool(paid.form) or len(paid.words) > 1 or not parsed(one.name).form or len(paid.words[0]) > 4


@lru_cache(4096)
def _plain(postcode: str | None) -> str:
    return "".join(sign for sign in (postcode or "").upper() if sign.isalnum())


def is_like(payment: TransactionDetails, customer_name: str) -> bool:
    """Whether a name on the payment resembles the customer's."""
    known = parsed(customer_name)
    names = (name for name in (payment.counterparty, payment.payer) if name)
    return any(alike(parsed(name), known) for name in names)


def _evidence(
    payment: TransactionDetails, account: tuple[str, ...], stated: tuple[str, ...], called: tuple[str, ...]
) -> tuple[Evidence, ...]:
    found = []
    if account:
        found.append(Evidence("account", f"{', '.join(account)} has paid from this account"))
    if stated:
        found.append(Evidence("customer", f"the text names customer {', '.join(stated)}"))
    if called:
        found.append(Evidence("name", f"{payment.counterparty} is the name of {', '.join(called)}"))
    return tuple(found)
