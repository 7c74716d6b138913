"""Nothing in the repository names one machine's folders or a package registry's host.

The project moves between machines and mirrors; a path or host of one of them helps nobody else.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tests.house.source import ROOT

# Spelled in pieces, so that this file does not find itself.
_HOSTS = (
    "pypi" r"\.org",
    "files" r"\.pythonhosted",
    "registry" r"\.npmjs",
    "deb" r"\.debian",
    "proxy" r"\.golang",
)
FOREIGN = re.compile("|".join([r"(?<![\w.])/(?:work|root|home|Users)" r"/[\w.]", *_HOSTS]))
NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist"}


def committed() -> list[Path]:
    """The files git knows or would add; without git, every file that is not plainly a product of tools."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listed.returncode == 0:
        return [
            path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file()
        ]
    return [
        path
        for path in ROOT.rglob("*")
        if path.is_file() and not {part for part in path.parts if part in NOT_OURS or part.endswith("_cache")}
    ]


def foreign_names(text: str) -> list[str]:
    """Every machine path or registry host in ``text``."""
    return [hit[0] for hit in FOREIGN.finditer(text)]


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = {
        path.relative_to(ROOT).as_posix(): names
        for path in committed()
        if (names := foreign_names(path.read_bytes().decode("utf-8", "replace")))
    }
    assert found == {}


def test_the_repository_itself_is_looked_at() -> None:
    assert {ROOT / "run", ROOT / "pyproject.toml", ROOT / "o2c/money.py"} <= set(committed())


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "work/main/x.py",
        "'/" + "root/.cache'",
        "file:///" + "home/eva/x",
        "https://pypi" + ".org/simple",
    ],
)
def test_a_foreign_name_is_found(text: str) -> None:
    assert foreign_names(text)


@pytest.mark.parametrize(
    "text", ["../shared", "tests/work/x", "https://docs.example/home/x", "/usr/lib/postgresql"]
)
def test_ordinary_names_pass(text: str) -> None:
    assert foreign_names(text) == []
