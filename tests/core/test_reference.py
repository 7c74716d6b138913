"""ISO 11649 creditor references."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649

from o2c.errors import Refused
from o2c.reference import is_rf, normal, rf_reference

BODIES = st.text(string.ascii_uppercase + string.digits, min_size=1, max_size=21)


def test_the_example_of_the_standard_is_right() -> None:
    assert rf_reference("539007547034") == "RF18539007547034"
    assert is_rf("RF18 5390 0754 7034")


def test_blanks_dashes_and_case_of_the_number_do_not_matter() -> None:
    assert rf_reference("inv-2026-0001") == rf_reference("INV 20260001")


@pytest.mark.parametrize("number", ["", "---", "Ø", "X" * 22])
def test_a_number_without_a_body_of_1_to_21_signs_is_refused(number: str) -> None:
    with pytest.raises(Refused, match="reference-body"):
        rf_reference(number)


@pytest.mark.parametrize("text", ["", "RF", "RF18", "RF19539007547034", "XX18539007547034", "RF00A", "RF18é"])
def test_what_is_no_reference_is_not_taken_for_one(text: str) -> None:
    assert not is_rf(text)


@given(BODIES)
def test_an_independent_check_agrees(body: str) -> None:
    assert iso11649.is_valid(rf_reference(body))
    assert is_rf(rf_reference(body))


@given(BODIES, st.data())
def test_one_wrong_digit_or_letter_is_always_found(body: str, data: st.DataObject) -> None:
    # A letter taken for a digit may slip through: it changes the length of the number checked.
    reference = rf_reference(body)
    place = data.draw(st.integers(2, len(reference) - 1))
    signs = string.digits if reference[place].isdigit() else string.ascii_uppercase
    wrong = data.draw(st.sampled_from(signs.replace(reference[place], "")))
    assert not is_rf(reference[:place] + wrong + reference[place + 1 :])


def test_normal_leaves_neither_blanks_nor_small_letters() -> None:
    assert normal(" rf18\u00a05390 0754\t7034 ") == "RF18539007547034"
