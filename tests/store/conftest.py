"""A fresh shop on each database, and one that has lived through a whole journey."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.memory import MemoryChannel
from gateway import jobs
from gateway.stages import restock
from gateway.stages.grant import Grant, end_limit, grant_limit
from gateway.stages.takeover import Books, take_over
from gateway.store.database import Database
from gateway.store.receipts import Receipt
from gateway.wiring import House
from o2c.credit import LimitKind
from o2c.money import Money
from o2c.opening import read_item
from tests.journeys.crash_driver import journey
from tests.store.shop import COMPANY, START, WAREHOUSE, furnish, open_shop

_CREDITED = {"number": "GS-7", "kind": "credit_note", "open": "5.00", "currency": "EUR"}


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """An open, empty database."""
    database = Database(database_url)
    yield database
    database.close()


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    """A furnished shop."""
    house = open_shop(database_url, tmp_path)
    furnish(house)
    yield house
    house.close()


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A shop with orders, invoices, letters and payments; tests take back whatever they change."""
    folder = tmp_path_factory.mktemp("lived")
    if request.param == "sqlite":
        url = f"sqlite:///{folder / 'o2c.sqlite'}"
    else:
        cluster = request.getfixturevalue("postgres_cluster")
        url = cluster.url(cluster.create_database())
    house = open_shop(url, folder, lease_seconds=0.05)
    house.channels = {"folder": MemoryChannel()}
    furnish(house)
    journey(house)
    desk = house.desk(COMPANY)
    limit = grant_limit(desk, Grant(LimitKind.OWN, Money.parse("500 EUR"), "known", customer_id="C-1"))
    end_limit(desk, limit.limit_id, START.date() + timedelta(days=365), "reviewed")
    restock.announce(desk, Receipt("PO-7", "SN-33", WAREHOUSE, Decimal(2), START.date()))
    restock.arrive(desk, "PO-7")
    old = {"number": "RE-7", "customer": "C-1", "issued": "2026-01-05", "due": "2030-12-31", "open": "80.00"}
    take_over(Books(desk), [read_item(old | {"currency": "EUR"}), read_item(old | _CREDITED)])
    jobs.run_due(house)
    yield house
    house.close()
