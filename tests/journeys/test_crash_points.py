"""Kill the process anywhere, start it again, and the books are as if it had never died.

A whole journey (orders, backorder, three invoices into a folder, a reminder, a hold, two bank
files) is played by real processes that end themselves with SIGKILL before and after every commit
and before and after every send: on SQLite at every one of these points; on PostgreSQL, where a
fresh database for each costs more, at every fourth and the last. Each is then started once more and
does what is left, while the callers repeat everything they have said. See ``crash_driver``.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

Run = dict[str, Any]


@pytest.fixture
def folder() -> Iterator[Path]:
    """In memory where the system has such a place: only processes die here, never the disk."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, folder: Path) -> str:
    """The URL of the database whose copies the lives are played on."""
    if request.param == "sqlite":
        return f"sqlite:///{folder / 'o2c.sqlite'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def play(scene: str, folder: Path, url: str, step: int) -> list[Run]:
    """Every run of a scene; the first one was not disturbed."""
    command = [sys.executable, "-m", "tests.journeys.crash_driver", scene, str(folder), url, str(step)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr[-4000:]
    runs: list[Run] = json.loads((folder / "runs.json").read_text())
    failed = [run["fatal"] for run in runs if "failed" in run]
    assert failed == [], done.stderr[-4000:]
    return runs


def wrong(run: Run, undisturbed: Run) -> list[str]:
    """Everything in which a journey that was killed differs from one that was not."""
    tries = [message for made in run["tries"].values() for message in made]
    checks = {
        "numbers have a gap": run["sequences"] == [1, 2, 3],
        "the ledger does not balance": sum(run["books"].values()) == 0,
        "something is still owed": run["books"]["receivable"] == 0,
        "the audit found": not run["audit"],
        "the books differ": run["books"] == undisturbed["books"],
        "something happened twice or never": run["events"] == undisturbed["events"],
        "an order's timeline differs": run["orders"] == undisturbed["orders"],
        "one document went out under two message ids": all(len({*m}) == 1 for m in run["tries"].values()),
        "a message is recorded as sent and was not": len(run["messages"]) == len({*tries}),
        "a file is missing or one too many": run["files"] == run["messages"],
    }
    found = [f"killed at {run['fatal']}: {words}" for words, holds in checks.items() if not holds]
    return found + [f"killed at {run['fatal']}: {words}" for words in run["audit"]]


@pytest.mark.slow
def test_killed_at_any_point_the_journey_ends_as_if_it_had_not_been(place: str, folder: Path) -> None:
    runs = play("once", folder, place, step=1 if place.startswith("sqlite") else 4)
    undisturbed, killed, beyond = runs[0], runs[1:-1], runs[-1]
    points = undisturbed["points"]
    assert points > 100
    assert [words for run in runs for words in wrong(run, undisturbed)] == []
    assert {run["lives"] for run in killed} == {2}
    assert beyond["lives"] == 1, "a kill after the last point must meet nobody"
    assert {1, points} <= {run["fatal"] for run in killed}
    if place.startswith("sqlite"):
        assert [run["fatal"] for run in killed] == list(range(1, points + 1))
        again = [made for run in killed for made in run["tries"].values() if len(made) > 1]
        # Cut off right before it, right after it, or before its record was committed.
        assert len(again) == 3 * len(undisturbed["messages"])


def test_an_installation_that_keeps_dying_still_gets_there(place: str, folder: Path) -> None:
    undisturbed, dying = play("again", folder, place, step=19)
    assert dying["lives"] > 5
    assert wrong(dying, undisturbed) == []
