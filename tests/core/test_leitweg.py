"""Leitweg-IDs: what is built as one, and when its check digits are a doubt."""

from __future__ import annotations

import pytest

from o2c import leitweg

# text | built as one | check digits fit
TABLE = """
    04011000-12345-03      | yes | yes
    04011000-12346-97      | yes | yes
    11002002-98765-14      | yes | yes
    1234567890-54321-40    | yes | yes
    04011000-12345-34      | yes | no
    99000000-01944-98      | yes | no
    99000000-05676-98      | yes | no
    04011000-12345-30      | yes | no
    04011000-21345-03      | yes | no
    11-65                  | yes | yes
    05 123456 123          | no  |
    N/A                    | no  |
    4711                   | no  |
    -12345-03              | no  |
    04011000-12345-0x      | no  |
    04011000-12_45-03      | no  |
    1234567890123-1-03     | no  |
"""
ROWS = [tuple(cell.strip() for cell in row.split("|")) for row in TABLE.strip().splitlines()]


@pytest.mark.parametrize(("text", "built", "fits"), ROWS)
def test_shape_and_check_digits(text: str, built: str, fits: str) -> None:
    assert leitweg.looks_like_one(text) == (built == "yes")
    found = leitweg.doubt(text)
    if fits == "yes":
        assert found is None
    else:
        assert found is not None
        assert text in found
        assert ("check digits of" in found) == (built == "yes")


def test_blanks_and_lower_case_do_not_matter() -> None:
    letters = next(f"991-AB{n}-{d:02d}" for n in range(10) for d in range(97) if fits(f"991-AB{n}-{d:02d}"))
    assert leitweg.doubt(f" {letters.lower()} ") is None


def fits(text: str) -> bool:
    return leitweg.doubt(text) is None


@pytest.mark.parametrize("place", range(8))
def test_one_wrong_digit_is_always_seen(place: int) -> None:
    good = "04011000-12345-03"
    for digit in "0123456789":
        changed = good[:place] + digit + good[place + 1 :]
        assert fits(changed) == (changed == good)
