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
        ("credit", "risk_class", "not B", ((0, 0), (2, 2))),
        ("credit", "country", "not AD, AE", ((2, 249),)),  # a country that is not known is not Andorra either
        ("credit", "overdue_days", "> 14", ((15, HIGH),)),
        ("credit", "overdue_days", "> 14 d", ((15, HIGH),)),
        ("credit", "overdue_days", "not 7, 14", ((LOW, 6), (8, 13), (15, HIGH))),
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
        ("credit", "first_order", "ja", "wrong-type", "first_order: write yes, not 'ja'."),
        ("credit", "first_order", "False", "wrong-type", "first_order: write no, not 'False'."),
        ("credit", "first_order", "perhaps", "wrong-type", "known are: no, yes"),
        ("credit", "first_order", "> no", "wrong-type", "has no order"),
        ("credit", "first_order", "not yes, no", "impossible", "nothing is left"),
        ("credit", "risk_class", "[A .. B]", "wrong-type", "has no order"),
        ("credit", "risk_class", "D", "wrong-type", "known are: A, B, C"),
        ("credit", "risk_class", "A,B", "wrong-type", "by a comma and a blank: A, B."),
        ("credit", "country", "no", "wrong-type", "did you mean NO?"),
        ("credit", "country", "Norway", "wrong-type", "its two letters, such as NO for Norway"),
        ("credit", "country", "ZZ", "wrong-type", "is no country code"),
        ("dunning", "level_now", "L9", "wrong-type", "known are: none, L0, L1"),
        ("dunning", "level_now", "colection", "wrong-type", "did you mean 'collection'?"),
        ("credit", "overdue_days", "> 14 %", "wrong-unit", "in days: write 14 d, not '14 %'"),
        ("credit", "overdue_days", ">14%", "wrong-unit", "in days: write 14 d, not '14%'"),
        ("credit", "overdue_days", "> 14 Tage", "wrong-unit", "write 14 d"),
        ("credit", "overdue_days", "> 2026-01-31", "wrong-unit", "which is a date"),
        ("credit", "overdue_days", "> 1.5", "too-many-decimals", "at most 0 decimals"),
        ("credit", "this_order", "> 1.005", "too-many-decimals", "at most 2 decimals"),
        ("credit", "this_order", "> 500 NOK", "wrong-unit", "'500 NOK' is in NOK; amounts here are in EUR"),
        ("credit", "this_order", "> 500 €", "wrong-unit", "in EUR: write 500.00, not '500 €'"),
        ("credit", "this_order", "> €500", "wrong-type", "not '€500': write 500.00"),
        ("credit", "this_order", "> 1,000.00", "wrong-type", 'no thousands separator: write "> 1000.00"'),
        ("credit", "this_order", "> 1.000,50", "wrong-type", 'write "> 1000.50"'),
        ("credit", "this_order", "> 500,00", "wrong-type", 'no thousands separator: write "> 500.00"'),
        ("credit", "this_order", "500,00", "wrong-type", "write 500.00."),
        ("credit", "this_order", "> 1 000.00", "wrong-unit", "write 1000.00, not '1 000.00'"),
        ("credit", "this_order", "> 1'000.00", "wrong-unit", "write 1000.00"),
        ("credit", "this_order", "> 2026-01-31", "wrong-unit", "which is a date"),
        ("credit", "this_order", "=> 500.00", "wrong-type", '=> is no sign here: write ">= 500.00"'),
        ("credit", "this_order", "≤ 500.00", "wrong-type", 'write "<= 500.00"'),
        ("credit", "risk_class", "!= A", "wrong-type", 'write "not A"'),
        ("credit", "this_order", "“> 500.00”", "wrong-type", 'straight ones: "> 500.00"'),
        ("credit", "exposure_percent", "100 % - 110 %", "wrong-type", 'written "[100 % .. 110 %]"'),
        ("credit", "exposure_percent", "(100 %, 110 %]", "wrong-type", 'written "[100 % .. 110 %]"'),
        ("credit", "overdue_days", "5..9", "wrong-type", 'written "[5 d .. 9 d]"'),
        ("credit", "overdue_days", "5 to 9", "wrong-type", 'written "[5 d .. 9 d]"'),
        ("credit", "this_order", "> 1e16", "wrong-unit", "write 500.00"),
        ("credit", "this_order", "> 100 / 0", "wrong-unit", "write 500.00"),
        ("credit", "this_order", "much", "wrong-type", "takes an amount like 500.00, not 'much'"),
        ("credit", "this_order", "", "wrong-type", "takes an amount like 500.00"),
        ("credit", "this_order", "> 9999999999999999999", "number-too-large", "beyond"),
        ("credit", "this_order", "> " + "9" * 4000, "number-too-large", "beyond"),
        ("credit", "overdue_days", "> ١٤", "wrong-type", "takes a number of days like 14"),
        ("credit", "exposure_percent", "> 100", "wrong-unit", "in %: write 100 %, not '100'"),
        ("stock", "ordered", "10 pcs", "wrong-unit", "order line's unit: write 10, not '10 pcs'"),
        ("credit", "overdue_days", "[5 .. 3]", "impossible", 'the ends are swapped; write "[3 .. 5]"'),
        ("credit", "overdue_days", "(3 .. 4)", "impossible", "no figure lies between"),
        ("credit", "overdue_days", ["> 5", "< 3"], "impossible", "can never be true"),
        ("credit", "overdue_days", ["> 5", "5"], "impossible", "can never be true"),
        ("credit", "exposure", "<= credit_limt", "unknown-field", "did you mean 'credit_limit'?"),
        ("credit", "exposure", "<= overdue_days", "wrong-type", "cannot be compared"),
        ("credit", "exposure", "<= exposure", "wrong-type", "cannot be compared"),
        ("credit", "exposure", "not credit_limit", "wrong-type", "compare with credit_limit by <, <="),
        ("credit", "exposure", "< 5.00, > credit_limit", "wrong-type", "must stand alone"),
    ],
)  # fmt: skip
def test_a_cell_that_means_nothing(
    policy: str, field: str, cell: str | list[str], code: str, words: str
) -> None:
    with pytest.raises(CellFault) as fault:
        meaning(policy, field, cell)
    assert fault.value.code == code
    assert words in str(fault.value)


def test_a_currency_in_a_cell_must_be_named_at_the_top() -> None:
    fact = POLICIES["credit"].facts["this_order"]
    assert CellReader(POLICIES["credit"].facts, None).conditions(fact, "<= 500.00")
    with pytest.raises(CellFault, match="write 'currency: EUR' at the top of the file, or the amount alone"):
        CellReader(POLICIES["credit"].facts, None).conditions(fact, "<= 500.00 EUR")


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
