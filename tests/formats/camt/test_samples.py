"""Every public camt sample is either read as its manifest says or refused for the stated reason."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path

import pytest
from lxml import etree

from formats.camt import camt053
from formats.camt.reader import Message, read_file
from o2c.errors import Refused

# What is refused and why, where it is not the balance that the manifest says is off.
_REFUSED = {
    # The closing balance of these, or an entry, is not even in the account's currency.
    "genkgo+camt/camt053.v2.minimal.ultimate.xml": "currency",
    "genkgo+camt/camt053.v2.minimal.xml": "currency",
    "genkgo+camt/camt053.v2.with-party-ids.xml": "currency",
    "genkgo+camt/camt053.v4.xml": "currency",
    "genkgo+camt/camt053.v8.xml": "currency",
    "viafintech+camt_parser/valid_example_v8.xml": "currency",
    # An opening balance of 100.0000000000005.
    "hbci4j+hbci4java/test-camt-parse-5200108-invalid-saldo.xml": "amount",
    # A group header and nothing else; not even that.
    "genkgo+camt/camt053.v2.wrong.xml": "empty",
    "hbci4j+hbci4java/test-camt-parse-invalid.xml": "empty",
    # Its namespace names another message: other.054.001.02.
    "OCA+account-payment/test-sepa-camt-unpaid-invalid.xml": "message",
}
# The draft version 01 puts Btch into the entry itself, where the manifest does not count it.
_BATCH_IN_ENTRY = {"genkgo+camt/camt052.v1.xml": 1}
_STATEMENTS = ("Stmt", "Rpt", "Ntfctn")


@pytest.fixture(scope="module")
def manifest(shared: Path) -> list[dict[str, str]]:
    with (shared / "camt" / "manifest.tsv").open(encoding="utf-8") as rows:
        return list(csv.DictReader(rows, delimiter="\t"))


def _accounts(content: bytes) -> list[str]:
    accounts = []
    for account in etree.fromstring(content).iter("{*}Acct"):
        if etree.QName(account.getparent()).localname in _STATEMENTS:
            texts = ((each.text or "").strip() for each in account.iter("{*}IBAN", "{*}Id"))
            accounts.append(next(text for text in texts if text))
    return accounts


def _read(shared: Path, file: str) -> Message:
    content = (shared / "camt" / file).read_bytes()
    return read_file(content, _accounts(content), schemas=shared / "camt" / "xsd")


def _expected(row: dict[str, str]) -> str:
    return _REFUSED.get(row["file"], "balance" if row["balance"] == "off" else "read")


def _counts(message: Message) -> dict[str, int]:
    entries = [entry for statement in message.statements for entry in statement.entries]
    payments = [payment for entry in entries for payment in entry.details]
    return {
        "statements": len(message.statements),
        "entries": len(entries),
        "transactions": sum(entry.transactions for entry in entries),
        "batches": sum(entry.is_batch for entry in entries),
        "reversals": sum(entry.is_reversal for entry in entries),
        "returns": sum(payment.return_reason is not None for payment in payments),
        "structured_refs": sum(len(payment.references) for payment in payments),
    }


def test_every_sample_is_read_with_its_counts_or_refused(
    shared: Path, manifest: list[dict[str, str]]
) -> None:
    wrong = []
    for row in manifest:
        try:
            message = _read(shared, row["file"])
        except Refused as refusal:
            outcome = refusal.code
        else:
            outcome = "read"
            expected = {name: int(row[name]) for name in _counts(message)}
            expected["batches"] += _BATCH_IN_ENTRY.get(row["file"], 0)
            if _counts(message) != expected:
                wrong.append((row["file"], str(expected), str(_counts(message))))
        if outcome != _expected(row):
            wrong.append((row["file"], _expected(row), outcome))
    assert wrong == []
    assert len(manifest) == 120


def test_the_schema_says_of_every_sample_what_the_manifest_says(
    shared: Path, manifest: list[dict[str, str]]
) -> None:
    said: Counter[str] = Counter()
    for row in manifest:
        if _expected(row) != "read":
            continue
        message = _read(shared, row["file"])
        said[row["xsd"] if message.is_schema_checked else "not checked"] += 1
        if message.is_schema_checked:
            assert (row["xsd"] == "valid") == (not message.warnings), row["file"]
        else:
            assert "not checked" in message.warnings[0]
    # The one that is not checked has an envelope around its Document.
    assert said == {"valid": 59, "invalid": 41, "not checked": 1}


def test_no_line_of_text_and_no_name_of_the_other_side_is_lost(
    shared: Path, manifest: list[dict[str, str]]
) -> None:
    lost, lines = [], 0
    for row in (row for row in manifest if _expected(row) == "read"):
        message = _read(shared, row["file"])
        texts = [p.text for s in message.statements for e in s.entries for p in e.details]
        for line in etree.parse(str(shared / "camt" / row["file"])).iter("{*}Ustrd"):
            lines += 1
            if (line.text or "").strip() not in " ".join(texts):
                lost.append((row["file"], line.text))
    assert lost == []
    assert lines > 1_000


def test_the_parties_of_notifications_and_reports_are_read_as_those_of_statements(shared: Path) -> None:
    message = _read(shared, "genkgo+camt/camt054.v8-with-financial-institution.xml")
    ((payment,),) = (entry.details for entry in message.statements[0].entries)
    assert message.kind == message.statements[0].kind == "notification"
    assert payment.counterparty


def test_payment_keys_are_unique_within_every_sample_and_the_same_on_each_reading(
    shared: Path, manifest: list[dict[str, str]]
) -> None:
    for row in (row for row in manifest if _expected(row) == "read"):
        keys = [
            [each.key for statement in _read(shared, row["file"]).statements
             for entry in statement.entries for each in entry.details]
            for _ in range(2)
        ]  # fmt: skip
        assert keys[0] == keys[1]
        assert len(keys[0]) == len(set(keys[0])), row["file"]


def test_ing_example(shared: Path) -> None:
    content = (shared / "camt/svapnil+iso20022.js/ing/example_camt.xml").read_bytes()
    (statement,) = camt053.read(content, ["NL08 INGB 0000 0012 34"])
    assert (str(statement.opening), str(statement.closing)) == ("1000.00 EUR", "1605.00 EUR")
    assert statement.sequence == 3
    assert [(str(e.amount), "C" if e.is_credit else "D") for e in statement.entries] == [
        ("350.00 EUR", "C"), ("125.00 EUR", "C"), ("120.00 EUR", "C"), ("270.00 EUR", "C"),
        ("125.00 EUR", "C"), ("25.00 EUR", "D"), ("300.00 EUR", "D"), ("30.00 EUR", "D"), ("30.00 EUR", "D"),
    ]  # fmt: skip
    payments = [entry.details[0] for entry in statement.entries]
    assert [payment.references for payment in payments] == [
        ("0010008346912014",), (), ("6390338414964113",), (), (), ("1234567812345678",), (), (), (),
    ]  # fmt: skip
    assert [entry.position for entry in statement.entries if entry.is_unresolved_batch] == [4, 7]
    assert [entry.position for entry in statement.entries if entry.is_reversal] == [9]
    assert [payment.return_reason for payment in payments if payment.return_reason] == ["AC04", "MD06"]
    assert payments[0].counterparty_iban == "NL20INGB0001234567"
    assert payments[2].end_to_end_id == "20140103E2EIdA1INGBankNV"


def test_finnish_sample_of_batches_and_foreign_money(shared: Path) -> None:
    content = (shared / "camt/moov-io+iso20022/FI_camt_053_sample.xml.xml").read_bytes()
    (statement,) = camt053.read(content, ["FI7433010001222090"])
    assert len(statement.entries) == 10
    assert [str(each.amount) for each in statement.entries[2].details] == [
        "2000.02 EUR", "1000.01 EUR", "1230.02 EUR",
    ]  # fmt: skip
    dollars = statement.entries[6].details[0]
    assert (str(dollars.amount), str(dollars.instructed)) == ("2120.00 EUR", "3200.00 USD")
    charged = statement.entries[7].details[0]
    assert (str(charged.amount), str(charged.instructed)) == ("5455.00 EUR", "5500.00 EUR")
    assert charged.references == ("RF98123456789012",)
    assert charged.counterparty_postcode == "291092"
    assert statement.entries[8].details[0].counterparty == "ULTIMATE DEBTOR"
    keys = [each.key for each in statement.entries[9].details]
    assert keys[1] == keys[0] + "#2"  # the bank gives both details one reference and one amount


def test_swiss_collective_credits_with_reference_numbers(shared: Path) -> None:
    content = (shared / "camt/viafintech+camt_parser/valid_example_v4.xml").read_bytes()
    (statement,) = camt053.read(content, ["CH0309000000250090342"])
    collective = statement.entries[6]
    assert (str(collective.amount), len(collective.details)) == ("1000.00 CHF", 10)
    assert sum(each.amount.minor for each in collective.details) == 100_000
    assert collective.details[1].references == ("000000000002016030002820804",)
    assert not any(entry.is_unresolved_batch for entry in statement.entries)
    assert [entry.position for entry in statement.entries if entry.is_reversal] == [12, 13]


def test_nordic_sample_joins_its_text_lines_both_ways(shared: Path) -> None:
    content = (shared / "camt/svapnil+iso20022.js/nordea/example_camt.xml").read_bytes()
    (statement,) = camt053.read(content, ["FI8529501800030574"])
    payment = statement.entries[1].details[0]
    assert payment.text == "Free text max 140 characters and ma x 35 characters in one line"
    assert payment.text_squeezed == "Free text max 140 characters and max 35 characters in one line"


def test_lithuanian_dialect_has_batches_that_only_repeat_their_total(shared: Path) -> None:
    content = (shared / "camt/Subite-eu+camt-to-coda/CAMT_053/2024-03-11.xml").read_bytes()
    first, second = camt053.read(content, _accounts(content))
    assert [entry.is_unresolved_batch for entry in first.entries] == [
        False, False, True, True, True, False, False, False,
    ]  # fmt: skip
    assert second.entries == ()
    assert {entry.booked_on.isoformat() for entry in first.entries} == {"2024-03-11"}
    assert any("no booking date" in warning for warning in first.warnings)
