"""The grammar of a cell, as a table: what is written, what it means, what is refused."""

from __future__ import annotations

import pytest

from rules.cells import CellFault, CellReader
from rules.spans import EVERYTHING, Spans, meet, merge, negated, touching
from rules.vocabulary import POLICIES

LOW, HIGH = EVERYTHING[0]
READERS = {name: CellReader(POLICIES[name].facts, "EUR") for name in POLICIES}


def meaning(policy: str, field: str, cell: str | list[str]) -> dict[str, Spans]:
    reader = READERS[policy]
    return {c.key: c.spans for c in reader.conditions(reader.facts[field], cell)}


@pytest.mark.parametrize(
    ("policy", "field", "cell", "spans"),
    [
        ("credit", "first_order", "yes", ((1, 1),)),
        ("credit", "first_order", "= no", ((0, 0),)),
        ("credit", "first_order", "yes, no", ((0, 1),)),
        ("credit", "risk_class", "B", ((1, 1),)),
        ("credit", "risk_class", "A, C", ((0, 0), (2, 2))),
        ("credit", "risk_class", "C, B", ((1, 2),)),
        ("credit", "overdue_days", "> 14", ((15, HIGH),)),
        ("credit", "overdue_days", ">= 14 days", ((14, HIGH),)),
        ("credit", "overdue_days", "<14", ((LOW, 13),)),
        ("credit", "overdue_days", "7, 14", ((7, 7), (14, 14))),
        ("credit", "overdue_days", "< 3, > 9", ((LOW, 2), (10, HIGH))),
        ("credit", "overdue_days", "[1 .. 3], (3 .. 6)", ((1, 5),)),
        ("credit", "this_order", "<= 500.00", ((LOW, 500000),)),
        ("credit", "this_order", "<= 500 EUR", ((LOW, 500000),)),
        ("credit", "this_order", "-0.5", ((-500, -500),)),
        ("credit", "exposure_percent", "(100 % .. 110 %]", ((10001, 11000),)),
        ("credit", "exposure_percent", "> 110.5%", ((11051, HIGH),)),
        ("stock", "ordered", "[0.5 .. 2.000001)", ((500000, 2000000),)),
        ("dunning", "days_overdue", "[-3 .. 0]", ((-3, 0),)),
        ("dunning", "level_now", "none, L0", ((0, 1),)),
        ("dunning", "days_overdue", ["> 3", "<= 9", "-"], ((4, 9),)),
    ],
)
def test_a_cell_means_a_set_of_integers(policy: str, field: str, cell: str | list[str], spans: Spans) -> None:
    assert meaning(policy, field, cell) == {field: spans}


def test_a_dash_means_anything() -> None:
    assert meaning("credit", "exposure", "-") == {}


@pytest.mark.parametrize(
    ("field", "cell", "key", "spans"),
    [
        ("exposure", "<= credit_limit", "exposure-credit_limit", ((LOW, 0),)),
        ("credit_limit", ">= exposure", "exposure-credit_limit", ((LOW, 0),)),
        ("credit_limit", "< exposure", "exposure-credit_limit", ((1, HIGH),)),
        ("exposure", "credit_limit", "exposure-credit_limit", ((0, 0),)),
    ],
)
def test_two_fields_become_their_difference(field: str, cell: str, key: str, spans: Spans) -> None:
    assert meaning("credit", field, cell) == {key: spans}


def test_a_list_of_tests_must_all_hold() -> None:
    assert meaning("stock", "atp_all", ["> 0", "< ordered"]) == {
        "atp_all": ((1, HIGH),),
        "ordered-atp_all": ((1, HIGH),),
    }


@pytest.mark.parametrize(
    ("policy", "field", "cell", "code", "words"),
    [
        ("credit", "first_order", "ja", "wrong-type", "known are: no, yes"),
        ("credit", "first_order", "> no", "wrong-type", "has no order"),
        ("credit", "risk_class", "[A .. B]", "wrong-type", "has no order"),
        ("credit", "risk_class", "D", "wrong-type", "known are: A, B, C"),
        ("dunning", "level_now", "L9", "wrong-type", "known are: none, L0, L1"),
        ("dunning", "level_now", "colection", "wrong-type", "did you mean 'collection'?"),
        ("credit", "overdue_days", "> 14 %", "wrong-unit", "in days: write 14"),
        ("credit", "overdue_days", "> 1.5", "too-many-decimals", "at most 0 decimals"),
        ("credit", "this_order", "> 1.005", "too-many-decimals", "at most 2 decimals"),
        ("credit", "this_order", "> 500 NOK", "wrong-unit", "the file's currency"),
        ("credit", "this_order", "> 1,000.00", "wrong-type", "no thousands separator"),
        ("credit", "this_order", "> 500,00", "wrong-type", "no thousands separator"),
        ("credit", "this_order", "> 1e16", "wrong-unit", "write 500.00"),
        ("credit", "this_order", "> 100 / 0", "wrong-unit", "write 500.00"),
        ("credit", "this_order", "much", "wrong-type", "takes money like 500.00"),
        ("credit", "this_order", "", "wrong-type", "takes money like 500.00"),
        ("credit", "this_order", "> 9999999999999999999", "number-too-large", "beyond"),
        ("credit", "this_order", "> " + "9" * 4000, "number-too-large", "beyond"),
        ("credit", "overdue_days", "> ١٤", "wrong-type", "takes days like 14"),
        ("credit", "exposure_percent", "> 100", "wrong-unit", "in %: write 110 %"),
        ("stock", "ordered", "10 pcs", "wrong-unit", "order line's unit"),
        ("credit", "overdue_days", "[5 .. 3]", "impossible", "no figure lies between"),
        ("credit", "overdue_days", "(3 .. 4)", "impossible", "no figure lies between"),
        ("credit", "overdue_days", ["> 5", "< 3"], "impossible", "can never be true"),
        ("credit", "overdue_days", ["> 5", "5"], "impossible", "can never be true"),
        ("credit", "exposure", "<= credit_limt", "unknown-field", "did you mean 'credit_limit'?"),
        ("credit", "exposure", "<= overdue_days", "wrong-type", "cannot be compared"),
        ("credit", "exposure", "<= exposure", "wrong-type", "cannot be compared"),
        ("credit", "exposure", "< 5.00, > credit_limit", "wrong-type", "must stand alone"),
    ],
)
def test_a_cell_that_means_nothing(
    policy: str, field: str, cell: str | list[str], code: str, words: str
) -> None:
    with pytest.raises(CellFault) as fault:
        meaning(policy, field, cell)
    assert fault.value.code == code
    assert words in str(fault.value)


@pytest.mark.parametrize(("currency", "good", "bad"), [("JPY", "500", "500.5"), ("TND", "1.005", "1.0005")])
def test_decimals_follow_the_currency(currency: str, good: str, bad: str) -> None:
    reader = CellReader(POLICIES["credit"].facts, currency)
    fact = reader.facts["this_order"]
    assert reader.conditions(fact, good)
    with pytest.raises(CellFault, match="decimals"):
        reader.conditions(fact, bad)


def test_spans() -> None:
    assert merge([(5, 9), (1, 2), (3, 4), (20, 10)]) == ((1, 9),)
    assert meet(((1, 9),), ((0, 1), (4, 5), (9, 30))) == ((1, 1), (4, 5), (9, 9))
    assert negated(((1, 2), (5, 9))) == ((-9, -5), (-2, -1))
    assert touching(((1, 3),), ((3, 4),))
    assert not touching(((1, 3), (7, 8)), ((4, 6),))
