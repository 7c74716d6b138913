"""An editor's schema knows every word: sound files pass, an accountant's slips do not."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from ruamel.yaml import YAML

from o2c.errors import Refused
from rules.phrases import LANGUAGES
from rules.rulebook import default_content, load
from rules.schema import json_schema, plain
from rules.vocabulary import POLICIES
from tests.rules.test_agreement import random_file

CHECKS = {policy: Draft202012Validator(json_schema(policy)) for policy in POLICIES}
FILE = """\
policy: credit
currency: EUR
strictest_first: [hold, refer, approve]
otherwise: refer
rules:
  - {id: C10, when: {overdue_days: "> 14 d", exposure: ["> 0", "<= credit_limit"]}, then: hold, say: 0800 555}
  - {id: C20, when: {country: "NO, SE", risk_class: A}, then: approve, queue: "-", answer_within: 4 h}
tables:
  - id: T1
    hit: first
    columns: [risk_class, exposure_percent, then, queue]
    rows:
      - ["A, B", "(100 % .. 110 %]", refer, Außendienst Øst]
tests:
  - {name: late, given: {overdue_days: 15, exposure: 1.10, exposure_percent: 105 %, first_order: no},
     expect: refer}
"""


def wrong(content: str) -> list[str]:
    """Where the schema objects, with the file as texts and as a YAML 1.2 reader takes it."""
    as_texts, as_read = plain(content.encode()), YAML(typ="safe", pure=True).load(content)
    policy = next(policy for policy in POLICIES if policy in as_texts["policy"])
    derived = [line["fact"] for line in as_texts.get("derived", ())]
    check = Draft202012Validator(json_schema(policy, derived=derived)) if derived else CHECKS[policy]
    found = [[error.json_path for error in check.iter_errors(data)] for data in (as_texts, as_read)]
    assert found[0] == found[1]
    return found[0]


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_a_schema_in_every_language(policy: str, language: str) -> None:
    schema = json_schema(policy, language)
    Draft202012Validator.check_schema(schema)
    when = schema["$defs"]["when"]["properties"]
    assert list(when) == list(POLICIES[policy].facts)
    for fact in POLICIES[policy].facts.values():
        assert fact.labels[language] in when[fact.name]["description"]
    assert open_objects(schema) == []


def open_objects(schema: Any) -> list[Any]:
    """Objects that would take any key."""
    if isinstance(schema, list):
        return [found for item in schema for found in open_objects(item)]
    if not isinstance(schema, dict):
        return []
    here = (
        [schema] if schema.get("type") == "object" and schema.get("additionalProperties") is not False else []
    )
    return here + [found for value in schema.values() for found in open_objects(value)]


@pytest.mark.parametrize("policy", POLICIES)
def test_the_default_files_pass(policy: str) -> None:
    assert wrong(default_content(policy).decode()) == []
    assert wrong(FILE) == []


@pytest.mark.parametrize("seed", range(25))
def test_files_nobody_wrote_pass(seed: int) -> None:
    random = Random(seed)
    content = random_file(POLICIES[random.choice(list(POLICIES))], random)
    load(content.encode(), name="random", accepted=True)
    assert wrong(content) == []


SLIPS = """\
overdue_days: "> 14 d"  | overdue_dyas: "> 14 d"     | $.rules[0].when
"> 14 d"                | "> 14 %"                   | $.rules[0].when.overdue_days
"> 14 d"                | "=> 14"                    | $.rules[0].when.overdue_days
"> 14 d"                | "> 14,5"                   | $.rules[0].when.overdue_days
"> 14 d"                | "> credit_limit"           | $.rules[0].when.overdue_days
"> 14 d"                | 14.5                       | $.rules[0].when.overdue_days
["> 0", "<= credit_limit"] | "> 500,00"              | $.rules[0].when.exposure
["> 0", "<= credit_limit"] | "> 1.000.00"            | $.rules[0].when.exposure
["> 0", "<= credit_limit"] | "> 500 €"               | $.rules[0].when.exposure
["> 0", "<= credit_limit"] | "<= limit"              | $.rules[0].when.exposure
["> 0", "<= credit_limit"] | ["> 0", "<= exposure"]  | $.rules[0].when.exposure
then: hold              | then: helt                 | $.rules[0].then
say: 0800 555           | sya: anything              | $.rules[0]
"NO, SE"                | "nor NO"                   | $.rules[1].when.country
"NO, SE"                | "NO,SE"                    | $.rules[1].when.country
"NO, SE"                | Norway                     | $.rules[1].when.country
risk_class: A}          | risk_class: D}             | $.rules[1].when.risk_class
answer_within: 4 h      | answer_within: 4 hours     | $.rules[1].answer_within
id: C20                 | id: 20                     | $.rules[1].id
hit: first              | hit: any                   | $.tables[0].hit
risk_class, exposure_percent | risk_klass, exposure_percent | $.tables[0].columns[0]
, then, queue]          | , queue]                   | $.tables[0].columns
policy: credit          | policy: credit\\nnote: x   | $
currency: EUR           | currency: Euro             | $.currency
otherwise: refer        | otherwise: nobody          | $.otherwise
[hold, refer, approve]  | [hold, hold]               | $.strictest_first
overdue_days: 15        | overdue_days: soon         | $.tests[0].given.overdue_days
105 %                   | 105                        | $.tests[0].given.exposure_percent
first_order: no         | first_order: nein          | $.tests[0].given.first_order
expect: refer           | expects: refer             | $.tests[0]
"""


@pytest.mark.parametrize("line", SLIPS.splitlines())
def test_a_slip_is_underlined_and_would_not_load(line: str) -> None:
    old, new, where = (part.strip().replace("\\n", "\n") for part in line.split(" | "))
    assert old in FILE
    content = FILE.replace(old, new, 1)
    with pytest.raises(Refused):
        load(content.encode(), name="slip.yaml")
    assert set(wrong(content)) == {where}


def test_a_files_own_facts_are_known_when_they_are_named() -> None:
    schema = json_schema("credit", derived=["overdue_customer"])
    data = plain(FILE.encode())
    data["rules"][0]["when"] = {"overdue_customer": "yes"}
    assert list(Draft202012Validator(schema).iter_errors(data)) == []
    data["rules"][0]["when"] = {"overdue_customer": "perhaps"}
    assert [e.json_path for e in Draft202012Validator(schema).iter_errors(data)] == [
        "$.rules[0].when.overdue_customer"
    ]
    assert [error.json_path for error in CHECKS["credit"].iter_errors(data)] == ["$.rules[0].when"]


def test_unknown_policies_and_languages_are_refused() -> None:
    with pytest.raises(Refused, match="did you mean 'credit'"):
        json_schema("credits")
    with pytest.raises(Refused, match="known are: en, de, nb"):
        json_schema("credit", "fr")
