"""Customers and open items of one company, in blocks, so that a million of them need little memory.

Deterministic by seed. Made to be confused: running numbers are dense and shared out at random, customer
numbers use the same digits, a quarter of the items have an amount of the price list, names repeat.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from o2c.reference import rf_reference

TODAY = date(2026, 6, 15)
PER_BLOCK = 400  # customers
_PRICES = (4900, 9900, 11900, 14900, 19900, 24900, 29900, 39900, 49900, 59500, 79900, 99900, 119000, 149900)
_FAMILY = (
    "Müller Schmidt Weber Becker Kraus Höfer Brandstätter Sørensen Jäger Vogel Groß Lindqvist Håkonsen Øverby"
    " Baumgärtner Peeters Virtanen Schröder Fuchs Kaya Bühler Nyström Ærø Huber Kern Lang Wolf Seidel"
).split()
_TRADE = (
    "Elektro Bau Metall Logistik Druck Holz Möbel Gärtnerei Kälte Werkzeug Medizin Optik Verpackung Textil"
    " Anlagen Systeme Küchen Präzision Maschinen Handel Software Energie Spedition Solar"
).split()
_PLACE = "Nord Süd West Ost Rhein Alpen Fjord Hansa Donau Köln Århus Malmö Basel Gent Turku Jura Elbe".split()
_FORMS = ("GmbH", "AG", "KG", "GmbH & Co. KG", "AB", "AS", "A/S", "Oy", "Ltd", "e.K.", "OHG", "SA", "")
_LONG = "Gesellschaft mit beschränkter Haftung"


@dataclass(slots=True)
class Item:
    """One receivable. ``open`` moves as payments are made; negative on a credit note."""

    number: str
    customer: Customer
    gross: int
    open: int
    issued: date
    due: date
    currency: str = "EUR"
    reference: str = ""
    percent: Decimal | None = None
    until: date | None = None

    @property
    def is_credit(self) -> bool:
        return self.gross < 0

    @property
    def discount(self) -> int:
        """Minor units off the gross, rounded half up."""
        assert self.percent is not None
        return int((Decimal(self.gross) * self.percent / 100).quantize(Decimal(1), "ROUND_HALF_UP"))


@dataclass(slots=True)
class Customer:
    """A customer on file."""

    id: str
    name: str
    postcode: str
    ibans: list[str]
    items: list[Item] = field(default_factory=list)

    def open_items(self) -> list[Item]:
        return [item for item in self.items if item.open]


@dataclass(slots=True)
class Block:
    """Some customers with their items. Numbers of ``ghosts`` were settled long ago and are in no file;
    ``debited`` are the places of direct debits among the block's payments, which may come back."""

    at: int
    customers: list[Customer]
    items: list[Item]
    ghosts: list[str]
    debited: list[tuple[str, str, int, Customer]] = field(default_factory=list)  # tx, end-to-end id, amount


def blocks(seed: int, items: int) -> Iterator[Block]:
    """The whole company, ten items a customer."""
    customers = max(items // 10, 20)
    count = -(-customers // PER_BLOCK)
    for at in range(count):
        size = min(PER_BLOCK, customers - at * PER_BLOCK)
        yield _block(Random(f"{seed}/{at}"), at, size, items * size // customers)


def _block(rng: Random, at: int, size: int, count: int) -> Block:
    customers = [_customer(rng, at, place) for place in range(size)]
    for one in rng.sample(customers, size // 25):  # namesakes
        one.name = rng.choice(customers).name
    for one in rng.sample(customers, size // 30):  # the same but for the legal form
        one.name = " ".join([*_bare(rng.choice(customers).name), rng.choice(_FORMS[:6])])
    running = list(range(at * 8000 + 1000, at * 8000 + 1000 + count + count // 10))
    rng.shuffle(running)
    made = []
    for place in range(count):
        item = _item(rng, rng.choice(customers), running[place])
        item.customer.items.append(item)
        made.append(item)
    ghosts = [_number(rng, one) for one in running[count:]]
    return Block(at, customers, made, ghosts)


def _customer(rng: Random, at: int, place: int) -> Customer:
    name = rng.choice(
        (
            f"{rng.choice(_FAMILY)} {rng.choice(_TRADE)}",
            f"{rng.choice(_TRADE)} {rng.choice(_FAMILY)} {rng.choice(_PLACE)}",
            f"{rng.choice(_FAMILY)} & {rng.choice(_FAMILY)}",
            f"{rng.choice(_PLACE)}-{rng.choice(_TRADE)} {rng.choice(_FAMILY)}",
            f"{rng.choice(_PLACE)} {rng.choice(_TRADE)} und {rng.choice(_TRADE)} {rng.choice(_FAMILY)}",
        )
    )
    form = _LONG if rng.random() < 0.03 else rng.choice(_FORMS)
    customer_id = f"C{at * 8000 + 1000 + place * 7:06d}"
    iban = f"DE{rng.randrange(10, 99)}{rng.randrange(10**17, 10**18)}"
    return Customer(customer_id, f"{name} {form}".strip(), f"{rng.randrange(1000, 99999):05d}", [iban])


def _bare(name: str) -> list[str]:
    return [word for word in name.split() if word not in _FORMS and word not in ("&", "Co.", *_LONG.split())]


def _number(rng: Random, running: int) -> str:
    kind = rng.random()
    if kind < 0.6:
        return f"INV-2026-{running:06d}"
    return f"RE{running:07d}" if kind < 0.85 else f"F26/{running:06d}"


def _item(rng: Random, customer: Customer, running: int) -> Item:
    amount = rng.choice(_PRICES) if rng.random() < 0.25 else int(10 ** rng.uniform(3.3, 6.3))
    issued = TODAY - timedelta(days=rng.randrange(3, 120))
    credit = rng.random() < 0.06
    number = f"CN-2026-{running:06d}" if credit else _number(rng, running)
    if credit:
        invoices = [one for one in customer.items if not one.is_credit]
        amount = -rng.choice(invoices).gross if invoices and rng.random() < 0.3 else -(amount // 8 + 100)
    currency = "USD" if rng.random() < 0.03 else "EUR"
    item = Item(number, customer, amount, amount, issued, issued + timedelta(days=30), currency)
    item.reference = "" if credit else _reference(rng, number, running)
    if not credit and rng.random() < 0.3:
        item.percent = rng.choice((Decimal(2), Decimal(3), Decimal("1.5"), Decimal("2.5")))
        item.until = TODAY + timedelta(days=rng.randrange(-30, 12))
    if not credit and rng.random() < 0.05:
        item.open = 0  # settled, still in the file
    return item


def _reference(rng: Random, number: str, running: int) -> str:
    kind = rng.random()
    if kind < 0.4:
        return rf_reference(number)
    body = f"{running:07d}"
    if kind < 0.55:
        return luhn(f"83{body}")
    if kind < 0.6:
        return kid11(f"44{body}")
    if kind < 0.7:
        return recursive(f"{f'210000{body}':0>26}")
    if kind < 0.77:
        base = int(f"91{body}")
        return f"+++{base // 10**7:03d}/{base // 1000 % 10**4:04d}/{base % 1000:03d}{base % 97 or 97:02d}+++"
    if kind < 0.84:
        return viite(f"55{body}")
    return f"+71<{luhn(f'00000{running:09d}')}+12345678<" if kind < 0.9 else ""


def luhn(body: str) -> str:
    total = sum(sum(divmod(int(sign) * (2 - at % 2), 10)) for at, sign in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def kid11(body: str) -> str:
    total = sum(int(sign) * (2 + at % 6) for at, sign in enumerate(reversed(body)))
    check = -total % 11
    return f"{body}{check}" if check < 10 else kid11(body[:2] + body)


def viite(body: str) -> str:
    total = sum(int(sign) * (7, 3, 1)[at % 3] for at, sign in enumerate(reversed(body)))
    return f"{body}{-total % 10}"


def recursive(body: str) -> str:
    table, carry = [0, 9, 4, 6, 8, 2, 7, 1, 3, 5], 0
    for sign in body:
        carry = table[(carry + int(sign)) % 10]
    return f"{body}{(10 - carry) % 10}"
