"""The words of letters: complete in each language, and asking for what is owed only."""

from __future__ import annotations

import re
from datetime import date

import pytest

from o2c import letter
from o2c.dunning import LEVELS, Letter, Receivable
from o2c.ledger import OpenItem
from o2c.letter import Circumstances, language_of, write

TODAY = date(2026, 4, 15)
ABOUT = Circumstances("The Supplier AS", "Kari", TODAY)


def owed(number: str, minor: int, currency: str = "EUR", due: date = date(2026, 3, 31)) -> Receivable:
    issued = date(2026, 3, 1)
    return Receivable(
        OpenItem(number, "C-1", "Hotel", "RF18", currency, minor, "EUR", minor, issued, due), "O-1"
    )


def test_every_language_says_the_same_things() -> None:
    told = {name: set(words) for name, words in letter._WORDS.items()}
    assert told["de"] == told["nb"] == told["en"]
    assert {f"next {level}" for level in LEVELS} <= told["en"]
    for words in letter._WORDS.values():
        for key, text in words.items():
            assert re.findall(r"{(\w+)}", text) == re.findall(r"{(\w+)}", letter._WORDS["en"][key]), key


@pytest.mark.parametrize(
    ("wanted", "language"),
    [
        ("en", "en"),
        ("de", "de"),
        ("de-AT", "de"),
        ("NB", "nb"),
        ("nn", "nb"),
        ("no", "nb"),
        ("fr", "en"),
        ("", "en"),
    ],
)
def test_who_reads_another_language_gets_english(wanted: str, language: str) -> None:
    assert language_of(wanted) == language


def test_each_currency_has_its_own_total() -> None:
    listed = (owed("A", 123456789), owed("B", 100), owed("C", 5000, "JPY"))
    body = write(Letter("C-1", "L1", "first notice", listed), {}, "de", ABOUT).body
    assert "Summe: 1.234.568,89 EUR\nSumme: 5.000 JPY" in body
    assert "- C: 5.000 JPY, fällig am 31.03.2026, 15 Tage überfällig" in body


def test_a_friendly_reminder_threatens_nobody() -> None:
    soon = owed("A", 100, due=date(2026, 4, 30))
    for language in ("en", "de", "nb"):
        written = write(Letter("C-1", "L0", "friendly reminder", (soon,)), {}, language, ABOUT)
        text = f"{written.subject} {written.body}".lower()
        words = ("overdue", "überfällig", "forfalt", "inkasso", "collector", "gebühr", "gebyr", "fee")
        assert not [word for word in words if word in text]


def test_the_final_notice_names_the_last_day() -> None:
    about = Circumstances("S", "K", TODAY, pay_by=date(2026, 4, 29))
    one = Letter("C-1", "L3", "final notice", (owed("A", 100),))
    assert "If they stay unpaid until 2026-04-29, we hand them over" in write(one, {}, "en", about).body
    assert "Er de ikke betalt innen 29.04.2026, overlater vi" in write(one, {}, "nb", about).body
    assert "Bleiben sie bis 29.04.2026 unbezahlt" in write(one, {}, "de", about).body
