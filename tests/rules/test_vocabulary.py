"""Facts become integers without losing a cent, and come back as people read them."""

from __future__ import annotations

from decimal import Decimal, localcontext

import pytest

from o2c.errors import Refused
from rules.vocabulary import POLICIES, Fact, Policy

CREDIT, STOCK, DUNNING = (POLICIES[name].facts for name in ("credit", "stock", "dunning"))
EVERY_FACT = [fact for policy in POLICIES.values() for fact in policy.facts.values()]


@pytest.mark.parametrize(
    ("fact", "value", "code", "shown"),
    [
        (CREDIT["first_order"], True, 1, "yes"),
        (CREDIT["first_order"], False, 0, "no"),
        (CREDIT["risk_class"], "B", 1, "B"),
        (CREDIT["overdue_days"], 15, 15, "15"),
        (CREDIT["this_order"], Decimal("143.75"), 143750, "143.75"),
        (CREDIT["this_order"], Decimal("-0.5"), -500, "-0.50"),
        (CREDIT["this_order"], Decimal("1E+3"), 1000000, "1000.00"),
        (CREDIT["this_order"], Decimal("1.234"), 1234, "1.234"),
        (CREDIT["this_order"], 7, 7000, "7.00"),
        (CREDIT["exposure_percent"], Decimal("105"), 10500, "105 %"),
        (CREDIT["exposure_percent"], Decimal(1) / Decimal(3), 34, "0.34 %"),  # never rounded below a limit
        (CREDIT["exposure_percent"], Decimal("100.0000000001"), 10001, "100.01 %"),
        (STOCK["ordered"], Decimal("2.5"), 2500000, "2.5"),
        (STOCK["ordered"], Decimal("0.000001"), 1, "0.000001"),
        (DUNNING["days_overdue"], -17, -17, "-17"),
        (DUNNING["level_now"], "none", 0, "none"),
        (CREDIT["country"], "AD", 0, "AD"),
        (CREDIT["country"], "ZZ", 249, "ZZ"),  # a country nobody is in, which no file may name
    ],
)
def test_a_value_and_its_integer(
    fact: Fact, value: bool | int | Decimal | str, code: int, shown: str
) -> None:
    assert (fact.encode(value), fact.show(code)) == (code, shown)


@pytest.mark.parametrize(("digits", "shown"), [(0, "1200"), (2, "1200.00"), (3, "1200.000")])
def test_money_is_shown_with_the_digits_of_its_currency(digits: int, shown: str) -> None:
    assert CREDIT["exposure"].show(1200000, digits) == shown


@pytest.mark.parametrize(
    ("fact", "value", "words"),
    [
        (CREDIT["first_order"], 1, "first_order must be yes/no, not 1"),
        (CREDIT["first_order"], "yes", "first_order must be yes/no"),
        (CREDIT["overdue_days"], True, "overdue_days must be days, not True"),
        (CREDIT["overdue_days"], "99", "overdue_days must be days, not '99'"),
        (CREDIT["overdue_days"], Decimal("1.5"), "more than 0 decimals"),
        (CREDIT["risk_class"], "D", "risk_class must be one of A, B, C, not 'D'"),
        (CREDIT["country"], "XX", "country must be a word such as AD, not 'XX'"),
        (CREDIT["this_order"], 1.5, "this_order must be money, not 1.5"),
        (CREDIT["this_order"], None, "this_order must be money, not None"),
        (CREDIT["this_order"], Decimal("0.0001"), "more than 3 decimals"),
        (CREDIT["this_order"], Decimal("NaN"), "no usable number"),
        (CREDIT["this_order"], Decimal("sNaN"), "no usable number"),
        (CREDIT["this_order"], Decimal("Infinity"), "beyond what the rule engine takes"),
        (CREDIT["this_order"], Decimal("1E+9999"), "beyond what the rule engine takes"),
        (CREDIT["this_order"], Decimal("1E+999999"), "no usable number"),
        (CREDIT["this_order"], Decimal("1E-999999"), "more than 3 decimals"),
        (CREDIT["this_order"], 10**18, "beyond what the rule engine takes"),
        (CREDIT["this_order"], Decimal("1." + "1" * 80), "no usable number"),
        (STOCK["ordered"], Decimal("0.0000001"), "more than 6 decimals"),
    ],
)
def test_anything_else_is_refused_by_name(fact: Fact, value: object, words: str) -> None:
    with pytest.raises(Refused) as refused:
        fact.encode(value)
    assert refused.value.code == "fact"
    assert words in refused.value.message


def test_the_callers_decimal_context_changes_nothing() -> None:
    with localcontext(prec=3):
        assert CREDIT["this_order"].encode(Decimal("123456.789")) == 123456789


@pytest.mark.parametrize("fact", EVERY_FACT, ids=lambda fact: fact.name)
def test_every_fact_is_labelled_in_three_languages_and_has_a_neutral_value(fact: Fact) -> None:
    assert list(fact.labels) == ["en", "de", "nb"]
    assert all(label.strip() for label in fact.labels.values())
    assert isinstance(fact.encode(fact.neutral), int)


def test_the_closed_list_of_facts() -> None:
    assert {name: " ".join(policy.facts) for name, policy in POLICIES.items()} == {
        "credit": "first_order earlier_refused approval_valid approval_lapsed review_due on_hold risk_class"
        " country this_order exposure credit_limit own_limit insured_limit temporary_limit exposure_percent"
        " group_limit group_exposure group_exposure_percent overdue_days overdue_amount paid_invoices"
        " mean_days_late share_paid_late broken_promises",
        "stock": "product_known stocked ordered atp_here atp_other atp_all inbound substitute_atp"
        " split_allowed partial_allowed substitute_allowed next_receipt_days",
        "dunning": "dispute_open dunning_block consumer country promise_to_pay_days_left open_amount"
        " level_now days_since_invoice days_overdue days_since_last money_in_sight grace_days"
        " disputed_amount promise_broken notices_sent",
        "cash": "difference overpaid difference_percent discount_offered discount_days_late discount_gap"
        " bank_charges foreign_currency consumer risk_class country",
    }


@pytest.mark.parametrize("policy", POLICIES.values(), ids=lambda policy: policy.name)
def test_every_word_an_explanation_needs_is_there_in_three_languages(policy: Policy) -> None:
    said = [policy.labels, *policy.outcome_labels.values()]
    said += [action.labels for action in policy.actions.values()]
    said += [action.value_labels(value) for action in policy.actions.values() for value in action.values]
    said += [fact.word_labels(word) for fact in policy.facts.values() for word in fact.every_word]
    assert list(policy.outcome_labels) == list(policy.outcomes)
    for labels in said:
        assert list(labels) == ["en", "de", "nb"]
        assert all(words.strip() for words in labels.values())


@pytest.mark.parametrize(
    ("action", "text", "allowed"),
    [
        ("dunning_fee", "no", True),
        ("dunning_fee", "legal max", True),
        ("dunning_fee", "35.00", True),
        ("dunning_fee", "35 NOK", True),
        ("dunning_fee", "35,00", False),
        ("dunning_fee", "-1.00", False),
        ("dunning_fee", "yes", False),
        ("late_interest", "yes", True),
        ("late_interest", "8 %", True),
        ("late_interest", "8.25%", True),
        ("late_interest", "8", False),
        ("lump_sum", "yes", True),
        ("lump_sum", "40.00", False),
        ("letter", "payment reminder", True),
        ("letter", "third notice", False),
    ],
)
def test_what_a_dunning_rule_may_charge_and_send(action: str, text: str, allowed: bool) -> None:
    assert POLICIES["dunning"].actions[action].allows(text) is allowed


def test_yes_and_a_country_in_three_languages() -> None:
    assert dict(CREDIT["first_order"].word_labels("yes")) == {"en": "yes", "de": "ja", "nb": "ja"}
    assert dict(CREDIT["country"].word_labels("NO")) == {"en": "NO", "de": "NO", "nb": "NO"}
    assert CREDIT["country"].word_labels("ZZ")["de"] == "unbekannt"
