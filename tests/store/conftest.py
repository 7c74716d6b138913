"""A fresh shop on each database, and one that has lived through a whole journey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from connectors.memory import MemoryChannel
from gateway.store.database import Database
from gateway.wiring import House
from tests.journeys.crash_driver import journey
from tests.store.shop import furnish, open_shop


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
    yield house
    house.close()
