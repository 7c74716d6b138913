"""The world of the journeys, on each kind of database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from formats import rulesets
from tests.journeys.world import World, open_world, post_office


@pytest.fixture(scope="session")
def rules_cache(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The official rule sets, fetched from the reference folder as a user would."""
    cache = tmp_path_factory.mktemp("rulesets")
    rulesets.fetch(shared / "conformance", cache)
    return cache


@pytest.fixture
def world(database_url: str, tmp_path: Path, rules_cache: Path) -> Iterator[World]:
    """A seller with a known customer and stock, on the first of March 2026, and a real mail server."""
    letters: list[Any] = []
    with post_office(letters) as mail:
        made = open_world(database_url, tmp_path, rules_cache, mail=mail)
        made.mails = letters
        made.given_customer()
        made.given_stock({"SN-33": {"BERGEN": 10}, "SN-34": {"BERGEN": 5}, "SN-35": {"BERGEN": 15}})
        yield made
        made.house.close()
