"""Everything a block of payments may need, in memory: items, customers, payer accounts.

The book holds the state after each decision (``take``), so that the next payment of the block sees what
is still open. Items are never changed; their open amounts are kept beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from o2c.ledger import OpenItem
from o2c.matching.model import Answer
from o2c.matching.names import Name, bare_name_key, parsed
from o2c.matching.shapes import squeezed
from o2c.reference import normal

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Known:
    """A customer on file."""

    customer_id: str
    name: str
    postcode: str | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who has paid from an account: how often, and whether master data say so."""

    customer_id: str
    count: int
    is_master: bool


class Directory:
    """The customers that payments may come from. It grows from block to block of one import."""

    def __init__(self, customers: Iterable[Known] = ()) -> None:
        self._known: dict[str, Known] = {}
        self._key: dict[str, str] = {}
        self._name: dict[str, dict[str, list[Known]]] = {}
        self._parsed: dict[str, Name] = {}
        for one in customers:
            self.add(one, bare_name_key(one.name))

    def add(self, one: Known, name_key: str) -> None:
        """Enter a customer under the ``bare_name_key`` of the name; once is enough."""
        if one.customer_id not in self._known:
            self._known[one.customer_id] = one
            self._key[squeezed(one.customer_id)] = one.customer_id
            self._name.setdefault(name_key, {}).setdefault(one.name, []).append(one)

    def __contains__(self, customer_id: object) -> bool:
        return customer_id in self._known

    def called(self, customer_id: str) -> str:
        """The name of a customer who is here."""
        return self._known[customer_id].name

    def of_key(self, key: str) -> Known | None:
        """The customer of a squeezed id."""
        customer_id = self._key.get(key)
        return None if customer_id is None else self._known[customer_id]

    def named(self, key: str) -> dict[str, list[Known]]:
        """The customers whose name has this lookup key: namesakes together, by the name on file."""
        return self._name.get(key, {})

    def parts_of(self, name: str) -> Name:
        """A name on file in its parts, taken apart once."""
        found = self._parsed.get(name)
        if found is None:
            found = self._parsed[name] = parsed(name)
        return found


class Book:
    """The items of a block of payments. ``accounts``: (iban, customer_id, count, is_master).

    With ``fetch`` it need not hold everything: it asks for the open items of customers when they are
    wanted and were not given. Without, what it was given is all there is.
    """

    def __init__(
        self,
        items: Iterable[OpenItem],
        customers: Iterable[Known] | Directory,
        accounts: Iterable[tuple[str, str, int, bool]],
        fetch: Callable[[Collection[str]], Iterable[OpenItem]] | None = None,
    ) -> None:
        self._fetch = fetch
        self._fetched: set[str] = set()
        self._waiting: dict[str, Callable[[], list[OpenItem]]] = {}  # what customers owe, not yet entered
        self._number: dict[str, OpenItem] = {}
        self._reference: dict[str, tuple[OpenItem, ...]] = {}
        self._of_customer: dict[str, list[OpenItem]] = {}
        self._open: dict[str, int] = {}  # only of what has moved
        self.directory = customers if isinstance(customers, Directory) else Directory(customers)
        self.payers: dict[tuple[object, ...], object] = {}  # who paid, by what says so: see ``payer``
        self._iban: dict[str, tuple[Holder, ...]] = {}
        self.add_items(items)
        for iban, customer_id, count, is_master in accounts:
            holder = Holder(customer_id, count, is_master)
            self._iban[iban] = (*self._iban.get(iban, ()), holder)

    def close(self) -> None:
        """Let go of what fetches, and of all that it holds."""
        self._fetch = None
        self._waiting.clear()

    def hold(
        self,
        customer_ids: Collection[str],
        rows: Iterable[T],
        owner_of: Callable[[T], str],
        items_of: Callable[[list[T]], list[OpenItem]],
    ) -> None:
        """All that these customers owe is in ``rows``: nobody need be asked for it. Items are made of them
        when they are wanted, for most never are."""
        self._fetched.update(customer_ids)
        several: dict[str, list[T]] = {}
        for row in rows:
            several.setdefault(owner_of(row), []).append(row)
        for customer_id, mine in several.items():
            self._waiting[customer_id] = partial(items_of, mine)

    def add_items(self, items: Iterable[OpenItem]) -> None:
        """Enter more items; one that is here already stays as it is."""
        for item in items:
            self._add_item(item)

    def _add_item(self, item: OpenItem) -> None:
        key = squeezed(item.invoice_number)
        if key in self._number:
            return
        self._number[key] = item
        if item.open:
            self._of_customer.setdefault(item.customer_id, []).append(item)
        if item.reference:
            reference = normal(item.reference)
            self._reference[reference] = (*self._reference.get(reference, ()), item)

    def take(self, answer: Answer) -> None:
        """Moves the open amounts as a match says."""
        for part in answer.parts:
            item = self._number[squeezed(part.number)]
            gone = part.amount + part.discount + part.write_off + part.charges
            self._open[item.invoice_number] = self.open(item) - gone
            if gone < 0 and not item.open:
                self._reopened(item)

    def catch_up(self, item: OpenItem, still: int) -> None:
        """What is open on an item that has moved since the book was filled."""
        self._add_item(item)
        mine = self.item(item.invoice_number)
        self._open[item.invoice_number] = still
        if still and not mine.open:
            self._reopened(mine)

    def _reopened(self, item: OpenItem) -> None:
        """What was settled when the block began is among the customer's open items again."""
        mine = self._of_customer.setdefault(item.customer_id, [])
        if not any(one is item for one in mine):
            mine.append(item)

    def item(self, number: str) -> OpenItem:
        """The item of this number, which is in the book."""
        return self._number[squeezed(number)]

    def open(self, item: OpenItem) -> int:
        """What is open now, in minor units of the item's currency; negative on a credit note."""
        return self._open.get(item.invoice_number, item.open)

    def by_number(self, key: str) -> OpenItem | None:
        """The item of a squeezed number."""
        return self._number.get(key)

    def by_reference(self, key: str) -> tuple[OpenItem, ...]:
        """The items that carry a normal reference: usually one."""
        return self._reference.get(key, ())

    def open_of(self, customer_id: str) -> list[OpenItem]:
        """The customer's items on which something is still open."""
        if self._fetch is not None and customer_id not in self._fetched:
            self._fetched.add(customer_id)
            self.add_items(self._fetch((customer_id,)))
        if (waiting := self._waiting.pop(customer_id, None)) is not None:
            self.add_items(waiting())
        mine = self._of_customer.get(customer_id)
        if mine is None:
            return []
        moved = self._open
        if not moved:
            return mine
        return [item for item in mine if moved.get(item.invoice_number, 1)]

    def holders(self, iban: str) -> tuple[Holder, ...]:
        """Who has paid from this account."""
        return self._iban.get(iban, ())

    def customer(self, key: str) -> Known | None:
        """The customer of a squeezed id."""
        return self.directory.of_key(key)

    def named(self, key: str) -> dict[str, list[Known]]:
        """The customers whose name has this lookup key, by that name."""
        return self.directory.named(key)
