"""One payment before its judge: what it names in the book, who paid, how much, each found when asked for.

A case is made for one decision and thrown away; it only reads the book.
"""

from __future__ import annotations

from functools import cached_property

from o2c.ledger import ItemKind, OpenItem
from o2c.matching.book import Book
from o2c.matching.differences import Fit, Money, Owed
from o2c.matching.found import Form, Found
from o2c.matching.keys import Keys
from o2c.matching.model import Answer, Evidence, Outcome, Policy
from o2c.matching.names import agree, parsed
from o2c.matching.numbers import Folded, bare_numbers, texts_of
from o2c.matching.payer import Payer, is_like, payer_of
from o2c.matching.shapes import squeezed
from o2c.reference import is_checked, normal
from o2c.statement import Entry, TransactionDetails

_FEWEST_CHECKED = 7  # a check digit on fewer digits proves little
_FEWEST_SURE = 11  # digits in a text: fewer may be a date, an order or a telephone number of the same sound


class Case:
    """The facts of one payment. ``strong``: open items named beyond doubt; ``weak``: those nearly named;
    ``settled``: named, but closed; ``unknown``: numbers of ours by their mask that no item has."""

    def __init__(
        self, entry: Entry, payment: TransactionDetails, keys: Keys, book: Book, policy: Policy
    ) -> None:
        self.entry, self.payment, self.keys, self.book, self.policy = entry, payment, keys, book, policy
        self.strong: dict[str, OpenItem] = {}
        self.weak: dict[str, tuple[OpenItem, Found]] = {}
        self.settled: dict[str, OpenItem] = {}
        self.unknown: list[Found] = []
        self.checked: set[str] = set()  # numbers of items whose reference has a check digit
        self.why: dict[str, Evidence] = {}
        self.shared: list[OpenItem] = []  # several open items carry the reference that was given
        self._by_references()
        self._by_numbers()

    def _by_references(self) -> None:
        spoken: list[OpenItem] = []
        for key in self.keys.references:
            items = self.book.by_reference(key)
            still = [item for item in items if self.book.open(item)]
            if not items:
                continue
            if len(key) < _FEWEST_SURE and key.isdigit() and self._is_free_text(key):
                if len(key) >= _FEWEST_CHECKED:
                    spoken.append(still[0] if still else items[0])
            elif len(still) > 1:
                self.shared.extend(still)
            else:
                self._refer(still[0] if still else items[0])
                if len(key) >= _FEWEST_CHECKED and is_checked(key):
                    self.checked.add((still[0] if still else items[0]).invoice_number)
        for item in self._borne_out(spoken) if spoken else ():
            self._refer(item)

    def _is_free_text(self, key: str) -> bool:
        """Whether a short key was only seen in the text, where any six digits may pass a check."""
        spoken = "<" not in self.payment.text  # a FIK line says what it is, and is padded
        return spoken and all(normal(reference) != key for reference in self.payment.references)

    def _refer(self, item: OpenItem) -> None:
        words = f"{item.reference} is the reference of {item.invoice_number}"
        self.why[item.invoice_number] = Evidence("reference", words)
        (self.strong if self.book.open(item) else self.settled)[item.invoice_number] = item

    def _borne_out(self, spoken: list[OpenItem]) -> list[OpenItem]:
        """Of items whose short reference may be some other number of the text: those of the payer, and
        those that the amount speaks for, each alone or all together."""
        still, amounts = self.book.open, self.amounts
        paid = [(item, amounts[item.currency].paid) for item in spoken if item.currency in amounts]
        fit = [item for item, cash in paid if still(item) == cash]
        if len(paid) > 1 and sum(still(item) for item, _ in paid) == paid[0][1]:
            return spoken
        return fit or [item for item in spoken if self._is_payers(item)]

    def _is_payers(self, item: OpenItem) -> bool:
        return self._agrees_at_once([item]) or item.customer_id in self.payer.named

    def _by_numbers(self) -> None:
        meant = set()  # what is written in a way that more than one number is written in
        for found in self.keys.found:
            item = self.book.by_number(found.number)
            if self._is_payers_id(found.number) or (
                found.form is Form.DOUBTFUL and not (item and self._is_payers(item))
            ):
                continue
            if item is not None:
                meant.add(found.raw)
            else:
                if found.form <= Form.PADDED and found.field == "text":
                    self.unknown.append(found)
                continue
            number = item.invoice_number
            if number in self.why and number not in self.weak:
                continue
            if not self.book.open(item):
                if found.form <= Form.PADDED:
                    self.settled[number] = item
                    self.why[number] = Evidence(found.field, f"{found.raw.strip()} is {number}, settled")
            elif found.form is Form.WHOLE:
                self.weak.pop(number, None)
                self.strong[number] = item
                self.why[number] = Evidence(found.field, f"{found.raw.strip()} is the number {number}")
            else:
                self.weak[number] = (item, found)
                self.why[number] = Evidence(found.field, f"{found.raw.strip()} may stand for {number}")
        if self.unknown and meant:
            named = tuple(self.strong) + tuple(self.weak)
            self.unknown = [
                found
                for found in self.unknown
                if found.raw not in meant and not any(squeezed(one).startswith(found.number) for one in named)
            ]

    def _is_payers_id(self, number: str) -> bool:
        """Whether these digits are what the payer is called in the books."""
        known = self.book.customer(number)
        return known is not None and known.customer_id in self.payer.named

    @cached_property
    def payer(self) -> Payer:
        """Who paid."""
        return payer_of(self.payment, self.keys, self.book)

    @cached_property
    def texts(self) -> tuple[Folded, ...]:
        """The folded texts for slips."""
        return texts_of(self.payment)

    @cached_property
    def bare(self) -> tuple[frozenset[str], frozenset[str]]:
        """Bare running numbers, and those behind a word for invoice."""
        return bare_numbers(self.payment)

    @cached_property
    def amounts(self) -> dict[str, Money]:
        """What was paid, by currency: as booked, and as the payer was told where that differs."""
        booked = self.payment.amount
        charges = sum(
            one.amount.minor
            for one in self.payment.charges
            if not one.is_credit and one.amount.currency == booked.currency
        )
        instructed = self.payment.instructed
        if instructed is not None and instructed.currency == booked.currency:
            charges = charges or max(instructed.minor - booked.minor, 0)
        on = min(self.entry.booked_on, self.entry.value_on or self.entry.booked_on)
        found = {booked.currency: Money(booked.minor, charges, on)}
        if instructed is not None and instructed.currency != booked.currency and instructed.amount > 0:
            found[instructed.currency] = Money(instructed.minor, 0, on, is_foreign=True)
        return found

    def money(self, items: list[OpenItem]) -> Money | None:
        """The payment in the currency of these items; None where they have several or another one."""
        currency = items[0].currency
        if any(item.currency != currency for item in items):
            return None
        return self.amounts.get(currency)

    def owed(self, items: list[OpenItem]) -> list[Owed]:
        """The items with what is open on each now."""
        still = self.book.open
        return [(item, still(item)) for item in items]

    @cached_property
    def own(self) -> list[OpenItem]:
        """Open items of whoever may have paid, in a currency that was paid."""
        amounts = self.amounts
        return [
            item
            for one in self.payer.customers
            for item in self.book.open_of(one)
            if item.currency in amounts
        ]

    @cached_property
    def same_amount(self) -> list[OpenItem]:
        """Of these, the invoices on which exactly what was paid is open."""
        still, amounts = self.book.open, self.amounts
        return [
            item
            for item in self.own
            if item.kind is ItemKind.INVOICE and still(item) == amounts[item.currency].paid
        ]

    def _agrees_at_once(self, items: list[OpenItem]) -> bool:
        """Whether the account, or the very name, is that of the one owner; asked before any search."""
        owner, name = items[0].customer_id, items[0].customer_name
        iban = self.payment.counterparty_iban
        if iban and any(holder.customer_id == owner for holder in self.book.holders(iban)):
            return True
        called = self.payment.counterparty
        return bool(called) and (called == name or agree(parsed(called or ""), parsed(name)))

    def is_contradicted(self, items: list[OpenItem]) -> bool:
        """Whether the payer is somebody on file, and nothing points at an owner of these items."""
        if self._agrees_at_once(items):
            return False
        payer = self.payer
        return bool(payer.customers) and not {item.customer_id for item in items} & payer.named

    def vouched(self, items: list[OpenItem]) -> bool:
        """Whether the payer agrees with the owners of these items: by file, or by a word of the name."""
        owners = {item.customer_id: item.customer_name for item in items}
        if len(owners) == 1 and self._agrees_at_once(items):
            return True
        if self.payer.customers:
            return owners.keys() <= self.payer.named
        return all(is_like(self.payment, name) for name in owners.values())

    def matched(self, rule: str, items: list[OpenItem], fit: Fit, *, by_payer: bool = False) -> Answer:
        """The answer that lays the payment on these items."""
        evidence = [one for item in items if (one := self.why.get(item.invoice_number)) is not None]
        if by_payer or not fit.is_telling:
            evidence.extend(self.payer.evidence)
        elif not self.checked and self._agrees_at_once(items):
            evidence.append(Evidence("payer", f"account or name is that of {items[0].customer_id}"))
        owners = {item.customer_id for item in items}
        owner = items[0].customer_id if len(owners) == 1 else next(iter(self.payer.customers), None)
        if by_payer or fit.is_telling:
            evidence.append(Evidence("amount", _amount_words(fit)))
        return Answer(
            Outcome.MATCH,
            f"{rule}-{fit.size}",
            tuple(evidence),
            fit.parts,
            fit.unapplied,
            fit.write_off,
            owner,
            items[0].currency,
            None,
            "",
            (),
            fit.differences,
        )


def _amount_words(fit: Fit) -> str:
    return {
        "exact": "the amount is what is open, to the cent",
        "sum": f"the {len(fit.parts)} items add up to the amount, to the cent",
        "discount": "the amount is what is open less the discount offered",
        "charges": "the amount is what is open less the bank's charges",
    }.get(fit.size, "the amount differs as the cash policy allows")
