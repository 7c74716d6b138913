"""Every public camt sample is either read as its manifest says or refused for the stated reason."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from lxml import etree

from formats.camt import camt053
from o2c.errors import Refused

# "off" in the manifest is a balance that does not add up; in these an amount of the proof is not
# even in the account's currency, which is found first.
_CURRENCY = {
    "genkgo+camt/camt053.v2.minimal.ultimate.xml",
    "genkgo+camt/camt053.v2.minimal.xml",
    "genkgo+camt/camt053.v2.with-party-ids.xml",
    "genkgo+camt/camt053.v4.xml",
    "genkgo+camt/camt053.v8.xml",
    "viafintech+camt_parser/valid_example_v8.xml",
}
_EMPTY = {"genkgo+camt/camt053.v2.wrong.xml"}


@pytest.fixture(scope="module")
def manifest(shared: Path) -> list[dict[str, str]]:
    with (shared / "camt" / "manifest.tsv").open(encoding="utf-8") as rows:
        return list(csv.DictReader(rows, delimiter="\t"))


def _accounts(content: bytes) -> list[str]:
    accounts = []
    for account in etree.fromstring(content).iter("{*}Acct"):
        if etree.QName(account.getparent()).localname == "Stmt":
            texts = ((each.text or "").strip() for each in account.iter("{*}IBAN", "{*}Id"))
            accounts.append(next(text for text in texts if text))
    return accounts


def _expected(row: dict[str, str]) -> str:
    if "053.001" not in row["version"]:
        return "message"
    if row["file"] in _CURRENCY:
        return "currency"
    if row["file"] in _EMPTY:
        return "empty"
    return "balance" if row["balance"] == "off" else "read"


def test_every_sample_is_read_or_refused_as_expected(shared: Path, manifest: list[dict[str, str]]) -> None:
    wrong = []
    for row in manifest:
        content = (shared / "camt" / row["file"]).read_bytes()
        try:
            statements = camt053.read(content, _accounts(content))
            outcome = "read"
        except Refused as refusal:
            outcome = refusal.code
            statements = ()
        # An odd or missing message element holds no statement: that may be said either way.
        if outcome != _expected(row) and not (outcome == "empty" and _expected(row) == "message"):
            wrong.append((row["file"], _expected(row), outcome))
        if statements:
            counts = (len(statements), sum(len(each.entries) for each in statements))
            if counts != (int(row["statements"]), int(row["entries"])):
                wrong.append((row["file"], "counts", str(counts)))
    assert wrong == []
    assert len(manifest) == 120


def test_payment_keys_are_unique_within_every_sample_and_the_same_on_each_reading(
    shared: Path, manifest: list[dict[str, str]]
) -> None:
    for row in (row for row in manifest if _expected(row) == "read"):
        content = (shared / "camt" / row["file"]).read_bytes()
        keys = [
            [each.key for statement in camt053.read(content, _accounts(content))
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
