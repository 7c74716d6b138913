"""Only the authority's own bytes are taken for its schema."""

from __future__ import annotations

from pathlib import Path

import pytest

from formats.saft.records import Version
from formats.saft.schemas import find, official_name, register
from o2c.errors import Refused


def test_the_official_schema_is_registered_and_found(shared: Path, tmp_path: Path) -> None:
    official = shared / "saft/no/xsd" / official_name(Version.V1_30)
    assert find(Version.V1_30, tmp_path) is None
    assert register(official, tmp_path) is Version.V1_30
    found = find(Version.V1_30, tmp_path)
    assert found is not None
    assert found.read_bytes() == official.read_bytes()


def test_a_schema_changed_after_registration_is_refused(shared: Path, tmp_path: Path) -> None:
    register(shared / "saft/no/xsd" / official_name(Version.V1_30), tmp_path)
    found = find(Version.V1_30, tmp_path)
    assert found is not None
    found.write_bytes(found.read_bytes() + b" ")
    with pytest.raises(Refused) as caught:
        find(Version.V1_30, tmp_path)
    assert caught.value.code == "saft-schema"


def test_another_file_is_taken_only_unpinned_and_kept_apart(tmp_path: Path) -> None:
    draft = tmp_path / "draft.xsd"
    draft.write_text("<x/>")
    with pytest.raises(Refused):
        register(draft, tmp_path, version=Version.V1_40)
    with pytest.raises(Refused):
        register(draft, tmp_path, unpinned=True)
    assert register(draft, tmp_path, version=Version.V1_40, unpinned=True) is Version.V1_40
    assert find(Version.V1_40, tmp_path) is None
    assert find(Version.V1_40, tmp_path, unpinned=True) is not None


def test_the_wrong_version_is_named(shared: Path, tmp_path: Path) -> None:
    with pytest.raises(Refused) as caught:
        register(shared / "saft/no/xsd" / official_name(Version.V1_30), tmp_path, version=Version.V1_40)
    assert "1.30" in caught.value.message
