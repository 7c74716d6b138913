"""The authority's schemas: registered by the user, pinned by SHA-256.

The product ships no schema. A file is taken only if its bytes are the official ones; another one
(a draft, a reconstruction) only when the user says ``unpinned``, and is kept apart.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from formats.saft.records import Version
from o2c.errors import Refused

PINNED = {
    Version.V1_30: "2ddd358a13af0b2e19078650c8f00cc5d7a392926f6940818c1893cc9769a357",
    Version.V1_40: "0e2f33c825612ea45f991b4a04039c63eae070df7da10fecab18fd043d4f2128",
}


def official_name(version: Version) -> str:
    """The file name under which the authority publishes the schema of ``version``."""
    return f"Norwegian_SAF-T_Financial_Schema_v_{version}.xsd"


def _place(version: Version, cache: Path, *, unpinned: bool) -> Path:
    return cache / "saft-no" / ("unpinned" if unpinned else "pinned") / official_name(version)


def register(path: Path, cache: Path, *, version: Version | None = None, unpinned: bool = False) -> Version:
    """Copies the schema at ``path`` into ``cache`` and says which version it is.

    Raises ``Refused('saft-schema')`` for bytes that are not official, unless ``unpinned``; then
    ``version`` must be given.
    """
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    official = next((known for known, pin in PINNED.items() if pin == digest), None)
    if official is None and not (unpinned and version):
        message = f"{path.name} (SHA-256 {digest[:16]}...) is not an official SAF-T schema."
        step = "Download it again from Skatteetaten/saf-t, or register it as unpinned with its version."
        raise Refused("saft-schema", message, next_step=step)
    found = official or version
    if found is None or (version is not None and found is not version):
        raise Refused(
            "saft-schema", f"{path.name} is version {found}, not {version}.", next_step="Name the right one."
        )
    place = _place(found, cache, unpinned=official is None)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return found


def find(version: Version, cache: Path, *, unpinned: bool = False) -> Path | None:
    """The registered schema of ``version``, the official one first; None where there is none.

    Raises ``Refused('saft-schema')`` if a pinned file was changed after it was registered.
    """
    pinned = _place(version, cache, unpinned=False)
    if pinned.exists():
        if hashlib.sha256(pinned.read_bytes()).hexdigest() != PINNED[version]:
            message = f"{pinned} was changed after it was registered."
            raise Refused("saft-schema", message, next_step="Register the official file again.")
        return pinned
    other = _place(version, cache, unpinned=True)
    return other if unpinned and other.exists() else None
