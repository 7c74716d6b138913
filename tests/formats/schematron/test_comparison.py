"""Untyped text beside a number, as Saxon compares them: its answers, asked once and written down."""

from __future__ import annotations

import pytest

from formats.schematron.values import Untyped, general

_ORDER = ("=", "!=", "<", "<=", ">", ">=")
LESS, SAME, GREATER, APART = "FTTTFF", "TFFTFT", "FTFFTT", "FTFFFF"

TABLE = [
    ("-0.00", 0, LESS),
    ("-0.00", 0.0, LESS),
    ("-0.00", -0.0, SAME),
    ("0", -0.0, GREATER),
    ("-0", 0, SAME),
    (" -00 ", 0, SAME),
    ("-0", 0.0, LESS),
    ("+0", 0, SAME),
    ("-0.00", 1, LESS),
    ("NaN", 0, GREATER),
    ("NaN", float("inf"), GREATER),
    ("NaN", float("nan"), APART),
    ("1", float("nan"), APART),
    ("INF", 1, GREATER),
    ("9007199254740993", 9007199254740992, SAME),
]
_MIRRORED = {LESS: GREATER, GREATER: LESS, SAME: SAME, APART: APART}


@pytest.mark.parametrize(("text", "number", "answers"), TABLE)
def test_a_text_beside_a_number(text: str, number: float, answers: str) -> None:
    left = [Untyped(text)]
    assert "".join("FT"[general(op, left, [number])] for op in _ORDER) == answers
    assert "".join("FT"[general(op, [number], left)] for op in _ORDER) == _MIRRORED[answers]
