"""The guide to rule files shows a file that loads, and every table of it is true."""

from __future__ import annotations

import re

from rules.clauses import HITS
from rules.compile import MAX_CLAUSES, MAX_FIGURES, MAX_FIRST_TESTS, MAX_LEVELS
from rules.rulebook import load
from rules.vocabulary import POLICIES
from tests.house.source import ROOT

GUIDE = (ROOT / "docs/rules.md").read_text(encoding="utf-8")


def test_its_example_is_a_good_file() -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.DOTALL)
    book = load(text.encode(), name="docs/rules.md")
    assert book.remarks == ()
    assert len(book.examples) == len(book.program.clauses) == 4


def test_it_names_every_policy_and_hit_policy() -> None:
    assert all(re.search(rf"\b{policy}\b", GUIDE) for policy in POLICIES)
    assert re.findall(r"^\| `(\w+)` \| (?:no two|the upper|all that)", GUIDE, re.MULTILINE) == list(HITS)


def test_its_limits_are_those_of_the_code() -> None:
    assert f"At most {MAX_CLAUSES} rules and rows, {MAX_FIRST_TESTS} different first conditions" in GUIDE
    assert f"{MAX_FIGURES} facts and comparisons" in GUIDE
    assert MAX_LEVELS == 8
    assert "up to eight deep" in GUIDE
