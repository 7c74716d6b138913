"""The official rules in a cache of their own, for every test of a document's verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats import rulesets
from formats.validation import Validator


@pytest.fixture(scope="session")
def rules(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache with every rule set the project knows, fetched from the reference folder."""
    cache = tmp_path_factory.mktemp("rules")
    rulesets.fetch(shared / "conformance", cache)
    return cache


@pytest.fixture(scope="session")
def official(rules: Path) -> Validator:
    """A validator with all official rules at hand."""
    return Validator(rules)
