"""What decides at an instant, and how a proposal stands then, follow from the history alone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gateway.store.rulefiles import Activation, Proposal, Schedule, State, standing

# number | file | active from | called off | proposal      (hours of the first of March)
HISTORY = """
    1 | a | 09 |    |
    2 | b | 12 |    | P-2
    3 | c | 15 | 13 | P-3
    4 | d | 18 |    | P-4
    5 | a | 14 |    |
    6 | e | 14 |    | P-6
"""


def hour(text: str) -> datetime:
    return datetime(2026, 3, 1, int(text), tzinfo=UTC)


def activation(line: str) -> Activation:
    number, sha256, at, off, proposal = (cell.strip() for cell in line.split("|"))
    return Activation(
        "credit",
        int(number),
        sha256,
        hour(at),
        "somebody",
        hour("08"),
        proposal_id=proposal or None,
        withdrawn_at=hour(off) if off else None,
    )


SCHEDULE = Schedule(activation(line) for line in HISTORY.strip().splitlines())


@pytest.mark.parametrize(
    ("at", "file", "coming"),
    [
        ("00", "a", "b a e d"),  # what the company started with decides from ever
        ("09", "a", "b a e d"),
        ("11", "a", "b a e d"),
        ("12", "b", "a e d"),
        ("14", "e", "d"),  # of two at one instant the later act
        ("15", "e", "d"),  # called off
        ("18", "d", ""),
        ("23", "d", ""),
    ],
)
def test_the_clock_picks_the_file(at: str, file: str, coming: str) -> None:
    live = SCHEDULE.at("credit", hour(at))
    assert live is not None
    assert live.sha256 == file
    assert [one.sha256 for one in SCHEDULE.coming(hour(at))] == coming.split()
    assert SCHEDULE.in_force(hour(at)) == {"credit": live}
    assert SCHEDULE.at("stock", hour(at)) is None


@pytest.mark.parametrize(
    ("file", "at", "was"),
    [("b", "11", False), ("b", "12", True), ("b", "23", True), ("c", "23", False), ("d", "17", False)],
)
def test_a_file_called_off_was_never_in_force(file: str, at: str, was: bool) -> None:
    assert SCHEDULE.was_in_force("credit", file, hour(at)) is was


@pytest.mark.parametrize(
    ("proposal", "stored", "base", "at", "stands"),
    [
        ("P-9", "proposed", "a", "11", "proposed"),
        ("P-9", "proposed", "a", "12", "superseded"),
        ("P-9", "approved", "b", "13", "approved"),
        ("P-9", "approved", "b", "14", "superseded"),
        ("P-9", "shadow", "d", "17", "superseded"),
        ("P-9", "shadow", "d", "18", "shadow"),
        ("P-9", "rejected", "z", "18", "rejected"),
        ("P-3", "withdrawn", "b", "16", "withdrawn"),
        ("P-4", "scheduled", "e", "17", "scheduled"),
        ("P-4", "scheduled", "e", "18", "active"),
        ("P-2", "scheduled", "a", "11", "scheduled"),
        ("P-2", "scheduled", "a", "13", "active"),
        ("P-2", "scheduled", "a", "14", "superseded"),
    ],
)
def test_the_clock_moves_a_proposal_on(proposal: str, stored: str, base: str, at: str, stands: str) -> None:
    found = Proposal(proposal, "credit", "x", base, State(stored), "anna", "why", "[]", hour("08"))
    assert standing(found, SCHEDULE, hour(at)).state == stands


def test_a_file_that_cannot_be_used_leaves_the_one_before_it() -> None:
    live = SCHEDULE.without({"e", "d"}).at("credit", hour("23"))
    assert live is not None
    assert live.number == 5
