# ruff: noqa: E501 (a table reads better in one piece)
"""The demo's three companies: sellers, customers, price lists and shelves, all invented.

Names and addresses are made up and every mail address ends in ``.example``. Numbers carry the check
digits that the e-invoicing rules prove: Norwegian organisation numbers (mod 11), German VAT ids, Swiss
UIDs, IBANs. Nothing here is read by the product.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal

from gateway.store.companies import BankAccount, Company, Profile
from o2c.money import Money
from o2c.order import Customer, CustomerId, Product, ProductId, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party

STARTS_AT = datetime(2026, 1, 5, 6, tzinfo=UTC)
APPROVED_UNTIL = date(2026, 12, 31)
_ID_SCHEMES = {"NO": "0192", "DE": "9930", "CH": "0183", "FI": "0216"}  # EAS codes; 9930 takes the VAT id


@dataclass(frozen=True, slots=True)
class Item:
    """A product with its list price and what lies in the two warehouses."""

    product: Product
    price: Decimal
    stock: tuple[int, int]
    next_receipt_on: date | None


@dataclass(frozen=True, slots=True)
class Market:
    """One seller with everything it knows on its first day."""

    company: Company
    customers: tuple[Customer, ...]
    items: tuple[Item, ...]
    warehouses: tuple[str, str]
    controller: str
    rates: tuple[tuple[str, date, Decimal], ...] = ()

    def __str__(self) -> str:
        one = self.company
        money = " and ".join(account.currency for account in one.bank_accounts)
        sells = f"{len(self.items)} products in {' and '.join(self.warehouses)}"
        return f"{one.company_id}  {one.name}: {len(self.customers)} customers, {sells}, {money}"


# id | name | street | postcode city | number | risk | limit (- none) | contact
_CUSTOMERS = {
    "NO": """
        N-101 | Hotell Fjordgløtt AS         | Strandbryggen 7    | 5013 Bergen       | 512535585 | A | 60000 | Kari Nes
        N-102 | Kaffebar Måneskinn AS        | Øvre Lyktegate 12  | 0157 Oslo         | 513538405 | B | 25000 | Jonas Lie
        N-103 | Bryggekanten Bakeri AS       | Nedre Ilegate 3    | 7011 Trondheim    | 514541221 | B | 20000 | Mona Dahl
        N-104 | Nordfoss skole               | Skoleveien 1       | 9008 Tromsø       | 515042636 | A | 40000 | Per Aune
        N-105 | Sjøsprøyt Restaurant AS      | Kaiplassen 4       | 4005 Stavanger    | 515544046 | B | 15000 | Ada Vik
        N-106 | Tindeblikk Fjellhotell AS    | Fjellveien 88      | 5700 Voss         | 516045450 | A | 50000 | Odd Rise
        N-107 | Kontorlauget SA              | Havnegata 21       | 3013 Drammen      | 516546867 | B | 30000 | Liv Moen
        N-108 | Havfrue Kafé AS              | Tangen 2           | 4610 Kristiansand | 517048275 | C | -     | Siv Holm
        N-109 | Lyktestolpen Pub AS          | Torggata 9         | 2317 Hamar        | 517549681 | B | -     | Nils Berg
        N-110 | Saimaan Majatalo Oy          | Rantatie 5         | 53900 Lappeenranta| FI50123455| A | 60000 | Aino Laine
        """,
    "DE": """
        D-201 | Kanzlei Morgenrot PartG      | Lindenallee 14     | 04109 Leipzig     | DE914037043 | A | 12000 | Eva Sommer
        D-202 | Agentur Blauhimmel GmbH      | Spreeufer 30       | 10179 Berlin      | DE921050467 | B | 6000  | Tim Kern
        D-203 | Stadtbücherei Elsterau       | Am Markt 2         | 04416 Elsterau    | DE928063871 | A | 9000  | Ruth Adler
        D-204 | Praxis Dr. Sonnental         | Gartenweg 8        | 99084 Erfurt      | DE935077298 | A | 5000  | Ida Sonnental
        D-205 | Werkstatt Hobelspan eG       | Zimmererstraße 5   | 01067 Dresden     | 942090711   | B | 8000  | Max Holz
        D-206 | Hotel Elbsand GmbH           | Uferpromenade 77   | 39104 Magdeburg   | DE949104131 | B | 10000 | Nora Falk
        D-207 | Planungsbüro Winkelmaß GmbH  | Parkstraße 19      | 06108 Halle       | DE956117550 | B | 4000  | Jan Lot
        D-208 | Café Zimtstern               | Kirchgasse 6       | 07743 Jena        | DE963130973 | B | -     | Mia Stern
        D-209 | Startrampe Labs UG           | Gründerplatz 1     | 04177 Leipzig     | DE970144399 | C | -     | Leo Rast
        """,
    "CH": """
        C-301 | Gasthof zum Silberdistel AG  | Dorfstrasse 10     | 3800 Unterseen    | CHE916337326 | A | 9000 | Beat Frei
        C-302 | Bergbahnen Murmelgrat AG     | Talstation 1       | 3818 Murmelgrat   | CHE922471513 | A | 15000| Ursina Graf
        C-303 | Kantine Uhrwerk GmbH         | Werkweg 33         | 2502 Biel         | CHE928605700 | B | 5000 | Reto Suter
        C-304 | Seebad Reuss GmbH            | Quai 4             | 6004 Luzern       | CHE934739898 | B | 4000 | Nina Koch
        C-305 | Bistro Kornblume             | Marktgasse 17      | 3011 Bern         | CHE940874085 | B | 3000 | Lea Roth
        C-306 | Altersheim Abendsonne        | Hügelweg 2         | 3600 Thun         | CHE947008278 | A | 8000 | Paul Wyss
        C-307 | Eventhalle Steinbock AG      | Arenastrasse 50    | 8005 Zürich       | CHE953142465 | B | 6000 | Anja Keel
        C-308 | Teestube Nebelmeer           | Gasse 3            | 4051 Basel        | CHE959276650 | B | -    | Tom Egli
        """,
}
# id | name | VAT rate | list price | first warehouse | second | substitute | next receipt on
_ITEMS = {
    "NO": """
        KB-1  | Kaffebønner Fjell, 1 kg       | 15 | 189.00   | 400 | 150 |      |
        KB-2  | Kaffebønner Fjord, 1 kg       | 15 | 205.00   | 300 | 100 |      |
        KF-90 | Filterpapir, eske med 1000    | 25 | 240.00   | 120 | 60  |      |
        KM-3  | Kaffemaskin Tind              | 25 | 7900.00  | 12  | 6   |      |
        KV-1  | Kaffekvern Stein              | 25 | 2400.00  | 6   | 3   |      |
        KR-5  | Rensetabletter, eske          | 25 | 98.50    | 0   | 0   | KR-6 |
        KR-6  | Rensepulver, eske             | 25 | 98.50    | 200 | 50  |      |
        KP-2  | Kopp Vardø, blå, 6 stk        | 25 | 420.00   | 0   | 0   |      | 2026-02-16
        KX-9  | Melkeskummer Snø              | 25 | 1150.00  | 0   | 0   |      |
        """,
    "DE": """
        BT-10 | Schreibtisch Linde 160        | 19 | 489.00   | 40  | 20  |      |
        BS-20 | Bürostuhl Feder               | 19 | 329.00   | 60  | 30  |      |
        BL-30 | Leuchte Glimm                 | 19 | 89.50    | 150 | 50  |      |
        BR-40 | Regal Ordnung, 5 Böden        | 19 | 145.00   | 14  | 6   |      |
        BC-50 | Rollcontainer Kiste           | 19 | 179.00   | 0   | 0   | BC-51|
        BC-51 | Rollcontainer Kiste, neu      | 19 | 179.00   | 80  | 20  |      |
        BF-60 | Fachbuch Gut sitzen           | 7  | 34.00    | 100 | 0   |      |
        BX-90 | Trennwand Stille              | 19 | 410.00   | 0   | 0   |      |
        """,
    "CH": """
        GA-1  | Apfelsaft Aarequell, 24 x 33 cl | 2.6 | 31.20 | 500 | 200 |      |
        GW-2  | Mineralwasser, 6 x 1.5 l        | 2.6 | 6.90  | 900 | 400 |      |
        GE-3  | Eistee Alpenminze, 24 x 50 cl   | 2.6 | 28.80 | 300 | 100 |      |
        GG-4  | Trinkglas Quelle, 12 Stk        | 8.1 | 39.00 | 60  | 30  |      |
        GK-5  | Kühlschrank Gletscher           | 8.1 | 890.00| 8   | 4   |      |
        GH-6  | Holunderblütensirup, 12 x 1 l   | 2.6 | 84.00 | 0   | 0   |      |
        """,
}


def _rows(table: str) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        yield [cell.strip() for cell in line.split("|")]


def _customers(market: str, currency: str) -> Iterator[Customer]:
    for code, name, street, place, number, risk, limit, contact in _rows(_CUSTOMERS[market]):
        postcode, _, city = place.partition(" ")
        known = limit != "-"
        yield Customer(
            CustomerId(code),
            _buyer(
                market,
                name,
                Address(_country(market, number), street, None, None, city, postcode),
                number,
                contact,
            ),
            risk_class=risk,
            credit_limit=Money(Decimal(limit), currency) if known else None,
            approval_until=APPROVED_UNTIL if known else None,
        )


def _country(market: str, number: str) -> str:
    return "FI" if number.startswith("FI") else market


def _buyer(market: str, name: str, address: Address, number: str, contact: str) -> Party:
    country = address.country
    endpoint = number
    if country == "FI":  # the OVT code: 0037 and the business id
        endpoint = number.replace("FI", "0037")
    elif country == "DE":  # customer D-205 gave its VAT id without the country (part of the story)
        endpoint = f"DE{number.removeprefix('DE')}"
    has_vat_id = country in ("DE", "FI")
    mailbox = contact.split()[0].lower()
    return Party(
        name,
        address,
        legal_id=None if has_vat_id else Identifier(number, _ID_SCHEMES[country]),
        vat_id=number if has_vat_id else None,
        endpoint=Identifier(endpoint, _ID_SCHEMES[country]),
        contact=Contact(contact, None, f"{mailbox}@kunde-{number[-4:]}.example"),
    )


def _items(market: str) -> tuple[Item, ...]:
    return tuple(
        Item(
            Product(
                ProductId(code),
                name,
                tax=Tax(VatCategory.STANDARD, Decimal(rate)),
                substitute_id=ProductId(substitute) if substitute else None,
            ),
            Decimal(price),
            (int(first), int(second)),
            date.fromisoformat(receipt) if receipt else None,
        )
        for code, name, rate, price, first, second, substitute, receipt in _rows(_ITEMS[market])
    )


_FJELLBRYGG = Party(
    "Fjellbrygg Kaffeutstyr AS",
    Address("NO", "Nøstebryggen 12", None, None, "Bergen", "5010"),
    legal_id=Identifier("512034179", "0192"),
    vat_id="NO512034179MVA",
    tax_registration="Foretaksregisteret",
    endpoint=Identifier("512034179", "0192"),
    contact=Contact("Kundereskontro", "+47 55 50 00 01", "faktura@fjellbrygg.example"),
)
_LINDENWERK = Party(
    "Lindenwerk Büromöbel GmbH",
    Address("DE", "Gewerbepark 5", None, None, "Leipzig", "04229"),
    legal_id=Identifier("HRB 990123"),
    vat_id="DE900102035",
    endpoint=Identifier("DE900102035", "9930"),
    contact=Contact("Debitorenbuchhaltung", "+49 341 5000 01", "rechnung@lindenwerk.example"),
)
_AAREQUELL = Party(
    "Aarequell Getränke AG",
    Address("CH", "Brunnmatt 3", None, None, "Bern", "3007"),
    legal_id=Identifier("CHE910203130", "0183"),
    vat_id="CHE910203130MWST",
    endpoint=Identifier("CHE910203130", "0183"),
    contact=Contact("Buchhaltung", "+41 31 500 00 01", "rechnung@aarequell.example"),
)


def _market(
    code: str,
    currency: str,
    party: Party,
    accounts: tuple[BankAccount, ...],
    warehouses: tuple[str, str],
    controller: str,
    rates: tuple[tuple[str, date, Decimal], ...] = (),
) -> Market:
    country = party.address.country
    company = Company(code, party.name, country, currency, Profile(party), accounts, STARTS_AT)
    customers = tuple(_customers(country, currency))
    return Market(company, customers, _items(country), warehouses, controller, rates)


def markets() -> tuple[Market, ...]:
    """Norway (with an EUR account and EUR rates), Germany and Switzerland."""
    euro = tuple(
        ("EUR", date.fromisoformat(day), Decimal(rate))
        for day, rate in (("2026-01-01", "11.72"), ("2026-02-02", "11.65"), ("2026-03-02", "11.81"))
    )
    norwegian = (BankAccount("NO5600420133774", "NOK"), BankAccount("NO3400420133782", "EUR"))
    return (
        _market("NO1", "NOK", _FJELLBRYGG, norwegian, ("BERGEN", "OSLO"), "Ingrid Moe", euro),
        _market(
            "DE1", "EUR", _LINDENWERK, (BankAccount("DE87999000120004711001", "EUR"),),
            ("LEIPZIG", "KASSEL"), "Karl Busch",
        ),
        _market(
            "CH1", "CHF", _AAREQUELL, (BankAccount("CH3599012100004711001", "CHF"),),
            ("BERN", "OLTEN"), "Sara Meier",
        ),
    )  # fmt: skip
