"""Documents and rules without a database: validate, rulesets, rules, SAF-T schemas, doctor."""

from __future__ import annotations

import json
import re
from pathlib import Path

from click.testing import CliRunner

from formats.ubl.write_invoice import write_invoice
from formats.xrechnung import CIUS
from gateway.cli import main
from rules.rulebook import default_content
from tests.formats.ubl.documents import invoice as an_invoice
from tests.gateway.cli.conftest import NORD, Cli

FINDING = {"layer", "rule", "severity", "path", "line", "value", "message", "fix"}
LAYER = {"layer", "status", "ruleset", "release", "origin"}


def test_a_document_is_judged_layer_by_layer(alone: Cli, shared: Path) -> None:
    alone("rulesets fetch --from", shared / "conformance")
    good = alone.file("good.xml", write_invoice(an_invoice()))
    said = alone.one("validate", good)
    assert set(said) == {"file", "profile", "valid", "layers", "findings"}
    assert [set(layer) for layer in said["layers"]] == [LAYER] * 3
    assert (said["valid"], [layer["status"] for layer in said["layers"]]) == (True, ["valid"] * 3)
    assert "good.xml: valid (Peppol BIS Billing 3 invoice)" in alone("validate", good).stdout


def test_findings_skipped_layers_and_unreadable_bytes_are_not_valid(alone: Cli) -> None:
    folder = alone.folder / "documents"
    (folder / "deep").mkdir(parents=True)
    german = re.sub(rb"(<cbc:CustomizationID>)[^<]*", rb"\1" + CIUS.encode(), write_invoice(an_invoice()))
    (folder / "skipped.xml").write_bytes(german)
    (folder / "deep" / "bad.xml").write_bytes(b"no xml")
    bad, skipped = alone.json("validate", folder, code=1)
    assert (bad["profile"], bad["valid"], bad["layers"]) == (None, False, [])
    assert [set(finding) for finding in bad["findings"]] == [FINDING]
    assert bad["findings"][0]["rule"] == "malformed"
    assert skipped["valid"] is False
    assert skipped["layers"][-1]["status"] == "skipped"
    assert set(skipped["layers"][-1]) == LAYER
    wrong = write_invoice(an_invoice()).replace(
        b"<cbc:DocumentCurrencyCode>EUR", b"<cbc:DocumentCurrencyCode>XXX"
    )
    [said] = alone.json("validate --profile en-16931-invoice", alone.file("wrong.xml", wrong), code=1)
    assert said["findings"]
    assert {frozenset(finding) for finding in said["findings"]} == {frozenset(FINDING)}
    assert "2 documents, 0 valid" in alone("validate", folder, code=1).stdout
    alone("validate --profile nonsense", folder, code=2)


def test_a_document_comes_through_a_pipe(alone: Cli) -> None:
    arguments = ["validate", "-", "--profile", "en-16931-invoice", "--json"]
    result = CliRunner(env=alone.environ).invoke(main, arguments, input=write_invoice(an_invoice()))
    assert (result.exit_code, json.loads(result.stdout)["file"]) == (0, "-")


def test_rule_sets_are_fetched_listed_and_proved(alone: Cli, shared: Path) -> None:
    before = {row["ruleset"]: row["status"] for row in alone.json("rulesets list")}
    assert before["XRechnung-UBL"] == "absent"
    assert alone.refusal("rulesets fetch --from", alone.folder)[0] == "rulesets"
    fetched = alone.json("rulesets fetch --from", shared / "conformance")
    assert {row["status"] for row in alone.json("rulesets list")} == {"live"}
    assert alone.json("rulesets verify") == []
    Path(fetched[0]["path"]).write_text("changed")
    [changed] = alone.json("rulesets verify", code=1)
    assert set(changed) == {"file", "path", "sha256", "expected"}


def test_rule_files_are_checked_and_tested(alone: Cli) -> None:
    file = alone.file("credit.yaml", default_content("credit"))
    checked = alone.one("rules check", file)
    assert checked["policy"] == "credit"
    tested = alone.json("rules test", file)
    assert len(tested) == checked["tests"] > 0
    assert all(test["passed"] and test["engine"] == test["closures"] for test in tested)
    wrong = alone.file("wrong.yaml", default_content("credit").replace(b"policy: credit", b"policy: credits"))
    [found] = alone.json("rules check", wrong, code=1)
    assert (found["severity"], found["line"], "credits" in found["message"]) == ("fault", 3, True)


def test_saft_schemas_are_known_by_their_bytes(alone: Cli, shared: Path) -> None:
    assert [row["status"] for row in alone.json("saft schemas list")] == ["absent", "absent"]
    other = alone.file("other.xsd", b"<schema/>")
    assert alone.refusal("saft schemas add", other)[0] == "saft-schema"
    assert alone.one("saft schemas add --unpinned --version 1.40", other)["version"] == "1.40"
    official = next((shared / "saft/no").rglob("Norwegian_SAF-T_Financial_Schema_v_1.30.xsd"))
    assert alone.one("saft schemas add", official)["version"] == "1.30"
    assert [row["status"] for row in alone.json("saft schemas list")] == ["official", "unpinned"]


def test_the_doctor_looks_and_touches_nothing(cli: Cli) -> None:
    before = {line["check"]: line for line in cli.json("doctor")}
    assert {"database", "clock", "queue", "outbox", "mail", "rules", "schema", "engine"} <= set(before)
    assert before["database"]["status"] == "warn"
    assert before["database"]["next_step"]
    cli(NORD)
    after = {line["check"]: line for line in cli.json("doctor")}
    assert (after["database"]["status"], after["jobs"]["status"]) == ("ok", "ok")
    assert set(after["mail"]) == {"check", "status", "message", "next_step"}
    cli.environ.update(O2C_SMTP_HOST="127.0.0.1", O2C_SMTP_PORT="1")
    assert {line["check"] for line in cli.json("doctor", code=1) if line["status"] == "fail"} == {"mail"}
