"""ISO 11649 creditor references."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso11649, luhn
from stdnum.be import ogm_vcs
from stdnum.ch import esr

from o2c.errors import Refused
from o2c.reference import Scheme, is_checked, is_rf, normal, rf_reference, schemes

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


@pytest.mark.parametrize(
    ("text", "scheme"),
    [
        ("RF18 5390 0754 7034", Scheme.RF),
        ("2345676", Scheme.KID),  # modulus 10
        ("12345678903", Scheme.KID),
        ("21 00000 00003 13947 14300 09017", Scheme.QRR),
        ("+++090/9337/55493+++", Scheme.OGM),
        ("1234561", Scheme.VIITE),
        ("+71<000000000018747+12345678<", Scheme.FIK),
    ],
)
def test_every_scheme_is_known_by_its_check_digit(text: str, scheme: Scheme) -> None:
    assert scheme in schemes(text)
    assert is_checked(normal(text))


@given(st.text(string.digits, min_size=9, max_size=24))
def test_independent_checks_of_the_national_schemes_agree(digits: str) -> None:
    key = normal(digits)
    known = schemes(digits)
    assert (Scheme.OCR in known) == (1 < len(key) <= 25 and luhn.is_valid(key))
    assert (Scheme.QRR in known) == (len(key) > 1 and esr.calc_check_digit(key[:-1]) == key[-1])


@given(st.integers(1, 9_999_999_999))
def test_a_structured_communication_is_what_an_independent_check_says(number: int) -> None:
    check = ogm_vcs.calc_check_digits(f"{number:010d}")
    assert Scheme.OGM in schemes(f"{number:010d}{check}")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("000000000000021000000043130", "21000000043130"),
        ("+++090/9337/55493+++", "090933755493"),
        ("+71<000000000018747+12345678<", "18747"),
        ("2026-00 17/a", "20260017A"),
    ],
)
def test_a_reference_is_compared_without_signs_and_padding(one: str, other: str) -> None:
    assert normal(one) == normal(other)
