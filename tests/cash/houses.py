"""Companies of other countries, with their own number masks, references, customer numbers and words.

Independent of ``world`` in all that a matcher could have been tuned on: masks with umlauts, months or the
year last, numbers of digits alone that grow past their width, customers without an account or with one
account for two, and customer numbers drawn from the very range of the invoice numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from random import Random

from o2c.reference import rf_reference
from tests.cash.world import TODAY, Block, Customer, Item, kid11, luhn, recursive, viite

Write = Callable[[int, date], str]


@dataclass(frozen=True, slots=True)
class Words:
    """How people of one language name things in a payment."""

    invoice: tuple[str, ...]
    customer: tuple[str, ...]
    thanks: tuple[str, ...]
    less_credit: str
    part: tuple[str, ...]
    rest: str
    several: tuple[str, ...]
    discount: str
    dates: str
    prepaid: str


_GERMAN = Words(
    ("Rechnung", "Rechnungsnr.", "RG", "Beleg", "ReNr", "Zahlung Ihrer Rechnung", ""),
    ("Kundennr.", "Kd-Nr", "Debitor", "Ihr Kunde"),
    ("vielen Dank", "MfG", ""),
    "abzüglich Gutschrift",
    ("Teilbetrag", "Rate", "Anteil"),
    "Restbetrag",
    ("Offene Posten", "Sammelüberweisung", "", "lt. Kontoauszug"),
    "abz. Skonto",
    "%d.%m.%Y",
    "Anzahlung",
)
_NORDIC = Words(
    ("Faktura", "Fakturanr", "Betaling faktura", "Fakt.", ""),
    ("Kundenr", "Kunde", "Knr"),
    ("takk", "hilsen", ""),
    "minus kreditnota",
    ("Delbetaling", "avdrag", ""),
    "restbeløp",
    ("Samlebetaling", "åpne poster", ""),
    "kontantrabatt",
    "%d%m%y",
    "Forskudd",
)
_ENGLISH = Words(
    ("Invoice", "Inv no", "Your invoice", "INV", "Payment of", ""),
    ("Customer no", "Account ref", "Client"),
    ("thanks", "regards", ""),
    "less credit note",
    ("Part payment", "instalment", "on account of"),
    "balance of",
    ("Open invoices", "as per statement", ""),
    "less cash discount",
    "%Y-%m-%d",
    "Deposit",
)
_FRENCH = Words(
    ("Facture", "Fact.", "No facture", "Règlement facture", ""),
    ("Client", "Code client"),
    ("merci", "cordialement", ""),
    "moins avoir",
    ("Acompte sur", "versement"),
    "solde",
    ("Factures diverses", "règlement groupé", ""),
    "escompte déduit",
    "%d/%m/%Y",
    "Acompte commande",
)


@dataclass(frozen=True, slots=True)
class House:
    """One company: how it writes numbers and what its customers write."""

    name: str
    words: Words
    invoice: Write
    credit: Write
    reference: Callable[[int, str], str]
    customer: Callable[[int], str]
    first: int = 100


def _none(running: int, number: str) -> str:
    return ""


def _rf(running: int, number: str) -> str:
    return rf_reference("".join(s for s in number.upper() if s.isascii() and s.isalnum()))


def _ogm(running: int, number: str) -> str:
    base = 4200000000 + running
    digits = f"{base}{base % 97 or 97:02d}"
    return f"{digits[:3]}/{digits[3:7]}/{digits[7:]}"


HOUSES: tuple[House, ...] = (
    House(
        "year and dashes",
        _GERMAN,
        lambda n, d: f"RE-2026-{n:06d}",
        lambda n, d: f"GS-2026-{n:05d}",
        _rf,
        lambda n: f"{10000 + n}",
    ),
    House(
        "year, a slash, unpadded",
        _GERMAN,
        lambda n, d: f"2026/{n}",
        lambda n, d: f"G2026/{n}",
        _none,
        lambda n: f"K-{3000 + n}",
        1000,
    ),
    House(
        "nine digits, KID",
        _NORDIC,
        lambda n, d: f"9{n:08d}",
        lambda n, d: f"8{n:08d}",
        lambda n, number: luhn(f"77{n % 900:03d}{number}"),
        lambda n: f"{900001000 + n}",
    ),
    House(
        "umlaut, QRR",
        _GERMAN,
        lambda n, d: f"Ä-26-{n:05d}",
        lambda n, d: f"GÜ-26-{n:05d}",
        lambda n, number: recursive(f"1234567{n:019d}"),
        lambda n: f"KD{10000 + n}",
    ),
    House(
        "dots, OGM",
        _FRENCH,
        lambda n, d: f"VF26.{n:07d}",
        lambda n, d: f"NC26.{n:07d}",
        _ogm,
        lambda n: f"C{n:05d}",
    ),
    House(
        "six digits, OCR of the number",
        _NORDIC,
        lambda n, d: f"{400000 + n}",
        lambda n, d: f"K{400000 + n}",
        lambda n, number: luhn(number),
        lambda n: f"{40000 + n}",
    ),
    House(
        "eight digits, viite",
        _NORDIC,
        lambda n, d: f"{12000000 + n}",
        lambda n, d: f"{92000000 + n}",
        lambda n, number: viite(number),
        lambda n: f"{120000 + n}",
    ),
    House(
        "dash, FIK",
        _NORDIC,
        lambda n, d: f"F-{100000 + n}",
        lambda n, d: f"KN-{100000 + n}",
        lambda n, number: f"+71<{luhn(f'{n:014d}')}+87654321<",
        lambda n: f"D{n:05d}",
    ),
    House(
        "slash and zeros",
        _ENGLISH,
        lambda n, d: f"SI/{n:07d}",
        lambda n, d: f"SCN/{n:07d}",
        _none,
        lambda n: f"ACC{n:04d}",
    ),
    House(
        "month inside",
        _FRENCH,
        lambda n, d: f"FAC{d:%Y-%m}-{n:05d}",
        lambda n, d: f"AV{d:%Y-%m}-{n:05d}",
        _rf,
        lambda n: f"CL{n:05d}",
    ),
    House(
        "year last",
        _ENGLISH,
        lambda n, d: f"FV {n:04d}/{d:%m/%Y}",
        lambda n, d: f"KOR {n:04d}/{d:%m/%Y}",
        _none,
        lambda n: f"{1000 + n}",
    ),
    House(
        "letter at the end, KID by 11",
        _NORDIC,
        lambda n, d: f"26-{n:05d}-N",
        lambda n, d: f"26-{n:05d}-K",
        lambda n, number: kid11(f"55{n:08d}"),
        lambda n: f"{26000 + n}",
    ),
)

_PRICES = (1990, 2990, 4500, 7900, 12500, 17900, 24000, 36000, 48000, 60000, 96000, 125000, 250000)
_FIRST = "Nordic Atlas Prima Delta Sigma Union Global Alfa Terra Nova Opus Vita Ökonom Fjell Sjø Łódź".split()
_SECOND = (
    "Catering Data Reisen Bygg Transport Trading Papir Hôtel Café Bäckerei Service Pharma Elektro".split()
)
_PERSON = "Ola Kari Jean Zoë Jürgen François Małgorzata Søren Anna Peter".split()
_SURNAME = "Nordmann Dupont Meier Müller-Lüdenscheidt O'Brien Nowak Ångström Van-den-Berg Hansen".split()
_FORMS = ("GmbH", "AS", "ASA", "A/S", "SARL", "SA", "Ltd", "B.V.", "AB", "Oy", "sp. z o.o.", "")


def company(house: House, rng: Random, items: int) -> Block:
    """Customers and items, eight a customer; every tenth item is settled and still on file."""
    count = max(items // 8, 20)
    customers = [_customer(house, rng, at) for at in range(count)]
    for one in rng.sample(customers, count // 25):
        one.name = rng.choice(customers).name
    for one in rng.sample(customers, count // 60):  # one account for two: a payment agent
        one.ibans = list(rng.choice(customers).ibans)
    running = list(range(house.first, house.first + items + items // 12))
    rng.shuffle(running)
    made = [_item(house, rng, rng.choice(customers), number) for number in running[:items]]
    ghosts = [house.invoice(number, TODAY - timedelta(days=200)) for number in running[items:]]
    return Block(0, customers, made, ghosts)


def _customer(house: House, rng: Random, at: int) -> Customer:
    dice, form = rng.random(), rng.choice(_FORMS)
    if dice < 0.15:
        name = f"{rng.choice(_PERSON)} {rng.choice(_SURNAME)}"
    elif dice < 0.25:
        name = f"{rng.choice(_FIRST)}{rng.choice(_SECOND).lower()} {form}".strip()
    else:
        name = f"{rng.choice(_FIRST)} {rng.choice(_SECOND)} {rng.choice(_SURNAME)} {form}".strip()
    ibans = [iban(rng) for _ in range(rng.choice((0, 1, 1, 1, 1, 2)))]
    postcode = rng.choice(
        (f"{rng.randrange(100, 9999):04d}", f"{rng.randrange(1000, 99999):05d}", "SW1A 2AA")
    )
    return Customer(house.customer(at), name, postcode, ibans)


def iban(rng: Random) -> str:
    """An account nobody checks."""
    return f"{rng.choice(('NO', 'DE', 'CH', 'FR'))}{rng.randrange(10, 99)}{rng.randrange(10**15, 10**16)}"


def _item(house: House, rng: Random, customer: Customer, running: int) -> Item:
    issued = TODAY - timedelta(days=rng.randrange(2, 90))
    gross = rng.choice(_PRICES) if rng.random() < 0.25 else int(10 ** rng.uniform(3.2, 6.0))
    if rng.random() < 0.07:
        invoices = [one for one in customer.items if one.gross > 0]
        gross = -(rng.choice(invoices).gross if invoices and rng.random() < 0.25 else gross // 5 + 50)
    number = (house.invoice if gross > 0 else house.credit)(running, issued)
    item = Item(number, customer, gross, gross, issued, issued + timedelta(days=21))
    customer.items.append(item)
    if gross < 0:
        return item
    item.reference = house.reference(running, number)
    item.currency = "USD" if rng.random() < 0.04 else "EUR"
    if rng.random() < 0.25:
        item.percent = rng.choice((Decimal(2), Decimal(3), Decimal("1.25")))
        item.until = issued + timedelta(days=rng.choice((8, 10, 14)))
    if rng.random() < 0.1:
        item.open = 0
    return item
