"""A caller at the door: a company with everything it needs, and a client that shows a key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask

from gateway import jobs
from gateway.clock import machine_time
from gateway.http.app import create_app
from gateway.settings import Settings
from gateway.store import keys
from gateway.store.companies import BankAccount, Company, Profile
from gateway.wiring import House, open_house
from o2c.party import Address, Contact, Identifier, Party

COMPANY = "NO_1"
IBAN = "NO9386011117947"
SELLER = Party(
    "Fjord Handel AS",
    Address("NO", street="Kaien 1", city="Bergen", postcode="5003"),
    legal_id=Identifier("987654325", "0192"),
    vat_id="NO987654325MVA",
    tax_registration="Foretaksregisteret",
    endpoint=Identifier("987654325", "0192"),
    contact=Contact("Regnskap", "+47 55 00 00 00", "post@fjord.example"),
)
BUYER: dict[str, Any] = {
    "name": "Kystkafeen AS",
    "address": {"country": "NO", "street": "Torget 2", "city": "Bodø", "postcode": "8001"},
    "endpoint": {"value": "910825518", "scheme": "0192"},
    "legal_id": {"value": "910825518", "scheme": "0192"},
}


@dataclass(slots=True)
class Caller:
    """One key at the door of one installation."""

    app: APIFlask
    house: House
    key: str

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        raw: bytes | str | None = None,
        media: str = "application/json",
        headers: dict[str, str] | None = None,
    ) -> Any:
        """One request; a ``body`` goes as JSON, ``raw`` as it is."""
        content = json.dumps(body) if body is not None else raw
        sent = {"Authorization": f"Bearer {self.key}", **(headers or {})}
        if content is not None:
            sent["Content-Type"] = media
        return self.app.test_client().open(path, method=method, data=content, headers=sent)

    def anonymously(self, path: str, **more: Any) -> Any:
        """GET without a key."""
        return self.app.test_client().get(path, **more)

    def get(self, path: str, **more: Any) -> Any:
        """GET."""
        return self.send("GET", path, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        """POST."""
        return self.send("POST", path, body, **more)

    def put(self, path: str, body: Any, **more: Any) -> Any:
        """PUT."""
        return self.send("PUT", path, body, **more)

    def with_scopes(self, *scopes: str) -> Caller:
        """Another caller of the same company."""
        return Caller(self.app, self.house, new_key(self.house, *scopes))

    def work(self) -> None:
        """Let everything that waits be done."""
        jobs.run_due(self.house)

    def given_goods(self, customer: str = "C-1", product: str = "P-1", pieces: str = "100") -> None:
        """A trusted customer and a product on the shelf."""
        known = {
            "party": BUYER,
            "credit_limit": {"amount": "100000", "currency": "NOK"},
            "approval_until": "2030-01-01",
            "risk_class": "A",
        }
        assert self.put(f"/v1/customers/{customer}", known).status_code in (200, 201)
        tax = {"category": "S", "rate": "25"}
        assert self.put(f"/v1/products/{product}", {"name": "Kaffe", "tax": tax}).status_code in (200, 201)
        assert self.put(f"/v1/products/{product}/stock/BERGEN", {"on_hand": pieces}).status_code == 200

    def given_order(self, external_id: str = "A-1", **changes: Any) -> dict[str, Any]:
        """An accepted order."""
        answered = self.post("/v1/orders", order(external_id, **changes))
        assert answered.status_code == 201, answered.text
        return dict(answered.json)

    def given_invoice(self, external_id: str = "A-1") -> dict[str, Any]:
        """An order that left and was billed."""
        made = self.given_order(external_id)
        assert self.post(f"/v1/orders/{made['id']}/shipments", {"external_id": "S-1"}).status_code == 201
        self.work()
        [number] = self.get(f"/v1/orders/{made['id']}").json["invoices"]
        return dict(self.get(f"/v1/invoices/{number}").json)


def order(external_id: str = "A-1", **changes: Any) -> dict[str, Any]:
    """An order as a shop sends it; a change to None leaves the field out."""
    line = {
        "line_id": "1",
        "name": "Kaffe",
        "quantity": {"value": "2", "unit": "C62"},
        "net_price": "49.90",
        "seller_item_id": "P-1",
        "tax": {"category": "S", "rate": "25"},
    }
    body = {
        "external_id": external_id,
        "currency": "NOK",
        "customer_id": "C-1",
        "buyer_reference": "Ola",
        "lines": [line],
    } | changes
    return {name: value for name, value in body.items() if value is not None}


def new_key(house: House, *scopes: str, company_id: str = COMPANY, expires_at: datetime | None = None) -> str:
    """The text of a new key with those scopes (none named: all)."""
    made = house.database.write(
        lambda c: keys.create(c, company_id, "webshop", scopes or keys.SCOPES, expires_at, machine_time())
    )
    return made[1]


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """An installation with one sandbox company, on each kind of database."""
    settings = Settings(
        database_url=database_url,
        outbox_dir=tmp_path / "outbox",
        rules_cache=tmp_path / "rules",
        request_limit=6_000_000,
        bank_file_limit=7_000_000,
    )
    opened = open_house(settings)
    account = BankAccount(IBAN, "NOK", "DNBANOKK")
    now = datetime(2026, 3, 2, 9, tzinfo=UTC)
    opened.add_company(
        Company(COMPANY, "Fjord Handel AS", "NO", "NOK", Profile(SELLER), (account,), sandbox_at=now)
    )
    yield opened
    opened.close()


@pytest.fixture
def caller(house: House) -> Caller:
    """A caller who may do everything."""
    return Caller(create_app(house), house, new_key(house))


def problem(answered: Any) -> tuple[int, str]:
    """(status, code) of a problem document, after a look at its form."""
    assert answered.content_type == "application/problem+json", answered.text
    data = answered.json
    assert data["status"] == answered.status_code
    assert data["type"] == f"/problems/{data['code']}"
    assert data["title"]
    assert data["detail"]
    assert data["request_id"] == answered.headers["X-Request-Id"]
    return answered.status_code, data["code"]


def pointers(answered: Any) -> list[tuple[str, str]]:
    """(pointer, code) of every fault that a problem names."""
    return [(each["pointer"], each["code"]) for each in answered.json.get("errors", [])]
