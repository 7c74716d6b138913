"""Every published document under the rule sets of its verdict: rules, severities, times and schema agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from formats import rulesets
from formats.findings import Report, Status
from formats.validation import Validator
from tests.official.corpus import STOPPED, Case, Fired, cases

FOLDERS = {
    "ConnectingEurope": 699,
    "peppol-bis-invoice-3": 269,
    "xrechnung-schematron": 702,
    "xrechnung-testsuite": 26,
    "poacc-upgrade-3": 201,
}


@pytest.fixture(scope="session")
def official(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Validator:
    """A validator with all official rules at hand."""
    cache = tmp_path_factory.mktemp("rules")
    rulesets.fetch(shared / "conformance", cache)
    return Validator(cache)


def fired(report: Report) -> Fired:
    """What the rules said, as the verdicts count it."""
    return Counter((one.layer, one.rule, one.severity.value) for one in report.findings if one.layer != "xsd")


def differences(official: Validator, case: Case) -> Iterator[str]:
    """What our report says otherwise. Of a set that Saxon stopped in, only that is known."""
    report = official.validate(case.document, sets=case.sets)
    stopped = case.stopped()
    actual = Counter(
        {key: times for key, times in fired(report).items() if key[0] not in stopped or key[1] == STOPPED}
    )
    if actual != case.fired:
        yield f"{case.name}: {actual - case.fired} too many, {case.fired - actual} too few"
    schema = report.layers[0].status
    if case.xsd is not None and (schema is Status.VALID) != case.xsd:
        yield f"{case.name}: XML Schema says {schema}"


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_report_says_what_the_official_verdict_says(
    official: Validator, shared: Path, folder: str
) -> None:
    found = list(cases(shared / "conformance", folder))
    assert len(found) == FOLDERS[folder]
    assert [words for case in found for words in differences(official, case)] == []


def test_every_line_of_the_verdicts_is_looked_at(shared: Path) -> None:
    assert sum(FOLDERS.values()) == sum(1 for _ in cases(shared / "conformance")) == 1897
