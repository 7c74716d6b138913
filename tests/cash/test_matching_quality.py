"""The matcher on labelled payments: nothing wrong is posted, and hardly anything is left over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from o2c.matching import Outcome
from tests.cash.abroad import abroad
from tests.cash.files import write
from tests.cash.houses import HOUSES
from tests.cash.score import measured


def test_no_payment_is_posted_wrongly_and_hardly_one_is_missed() -> None:
    score = measured(7, 2_000, 8_000)
    assert [(row, answer) for row, answer in score.faults if answer.outcome is Outcome.MATCH] == []
    assert score.not_left == 0
    assert score.right * 1000 >= score.due * 998, score.table()
    assert len(score.kinds) >= 40


@pytest.mark.parametrize("seed", range(len(HOUSES)), ids=[house.name for house in HOUSES])
def test_companies_of_other_masks_and_words_are_matched_as_well(seed: int) -> None:
    score = measured(seed, 400, 1_600, abroad)
    assert [(row, answer) for row, answer in score.faults if answer.outcome is Outcome.MATCH] == []
    assert score.not_left == 0
    assert score.right * 1000 >= score.due * 990, score.table()


def test_every_match_adds_up_to_the_payment() -> None:
    score = measured(3, 500, 2_000)
    assert score.wrong == 0  # the score compares every part, discount, write-off and rest to the cent


def test_the_files_tell_the_same_company_each_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write(tmp_path / name, 1, 50, 400)
    names = ["customers.jsonl", "items.jsonl", "statement.xml", "truth.jsonl"]
    assert sorted(path.name for path in (tmp_path / "one").iterdir()) == names
    assert all(
        (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes() for name in names
    )
    truth = [json.loads(line) for line in (tmp_path / "one/truth.jsonl").open(encoding="utf-8")]
    assert len(truth) == 50
    assert set(truth[0]) == set("tx decision alloc discount writeoff charges unapplied of kind".split())
