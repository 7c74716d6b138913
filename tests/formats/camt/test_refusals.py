"""A doubtful bank file is refused whole: the code, the place, the next step, and nothing returned."""

from __future__ import annotations

import pytest

from formats.camt import camt053
from o2c.errors import Refused
from tests.formats.camt.files import OURS, balance, document, entry, proved, statement

GOOD = proved(entry("10.00"), entry("5.00", side="DBIT"), opening="100.00", closing="105.00")


def refusal(content: bytes, **options: int) -> Refused:
    with pytest.raises(Refused) as caught:
        camt053.read(content, [OURS], **options)
    assert caught.value.next_step
    return caught.value


def test_the_good_file_is_good() -> None:
    (found,) = camt053.read(GOOD, ["no93 8601 1117 947"])
    assert found.account == "no93 8601 1117 947"
    assert len(found.entries) == 2


def test_every_truncation_is_refused() -> None:
    codes = {refusal(GOOD[:length]).code for length in range(len(GOOD) - 1)}
    assert codes <= {"malformed", "empty"}


def test_malformed_names_the_line() -> None:
    assert "line 2" in refusal(GOOD.replace(b"</Stmt>", b"</Stmtt>")).message


@pytest.mark.parametrize(
    ("content", "code"), [(b"", "malformed"), (b" \n", "malformed"), (document(), "empty")]
)
def test_nothing_inside_is_refused(content: bytes, code: str) -> None:
    assert refusal(content).code == code


_TENFOLD = "".join(
    f'<!ENTITY {name} "{f"&{before};" * 10}">' for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
BILLION_LAUGHS = f'<!DOCTYPE d [<!ENTITY a "ha">{_TENFOLD}]>'
EXTERNAL = '<!DOCTYPE d [<!ENTITY i SYSTEM "file:///etc/hostname">]>'


@pytest.mark.parametrize("doctype", [BILLION_LAUGHS, EXTERNAL], ids=["billion laughs", "external entity"])
def test_an_entity_is_refused_and_never_expanded(doctype: str) -> None:
    content = GOOD.replace(b"?>", b"?>" + doctype.encode(), 1).replace(b"<Id>S-1</Id>", b"<Id>&i;</Id>")
    assert refusal(content).code == "doctype"


def test_a_doctype_without_entities_is_refused_too() -> None:
    assert refusal(GOOD.replace(b"?>", b"?><!DOCTYPE Document>", 1)).code == "doctype"


def test_wrong_encoding_names_the_byte_and_is_not_guessed() -> None:
    content = GOOD.replace(b"<Id>S-1</Id>", b"<Id>S\xf8</Id>")
    found = refusal(content)
    assert found.code == "encoding"
    assert f"{content.index(0xF8):,}" in found.message


def test_a_declared_latin_1_file_is_read() -> None:
    content = GOOD.replace(b"UTF-8", b"ISO-8859-1").replace(b"<Id>S-1</Id>", b"<Id>S\xf8</Id>")
    (found,) = camt053.read(content, [OURS])
    assert found.statement_id == "Sø"


@pytest.mark.parametrize(
    ("version", "message", "word"),
    [
        ("052.001.08", "BkToCstmrAcctRpt", "camt.052"),
        ("054.001.08", "BkToCstmrDbtCdtNtfctn", "camt.054"),
        ("053.001.15", "BkToCstmrStmt", "camt.053.001.01 to .14"),
        ("053.001.00", "BkToCstmrStmt", "camt.053.001.01 to .14"),
        ("054.001.08", "BkToCstmrStmt", "camt.053.001.01 to .14"),
    ],
)
def test_another_message_or_version_is_refused(version: str, message: str, word: str) -> None:
    found = refusal(document(statement(entry("1.00")), version=version, message=message))
    assert found.code == "message"
    assert word in found.message


@pytest.mark.parametrize("version", [f"053.001.{number:02d}" for number in range(1, 15)])
def test_versions_01_to_14_are_read(version: str) -> None:
    assert len(camt053.read(document(statement(entry("1.00")), version=version), [OURS])) == 1


def test_one_foreign_statement_refuses_the_whole_file_and_hides_the_number() -> None:
    found = refusal(document(statement(entry("1.00")), statement(account="DE89370400440532013000")))
    assert found.code == "account"
    assert "/Stmt[2]/Acct" in found.message
    assert "DE89...3000" in found.message
    assert "0532" not in found.message


def test_a_wrong_balance_shows_both_sums() -> None:
    found = refusal(proved(entry("10.00"), opening="100.00", closing="105.00"))
    assert found.code == "balance"
    assert "110.00 NOK" in found.message
    assert "105.00 NOK" in found.message


def test_a_second_statement_with_a_wrong_balance_refuses_the_first_too() -> None:
    good = statement(entry("1.00"), balances=balance("OPBD", "0.00") + balance("CLBD", "1.00"))
    bad = statement(entry("1.00"), balances=balance("OPBD", "0.00") + balance("CLBD", "2.00"))
    assert refusal(document(good, bad)).code == "balance"


def test_a_wrong_summary_refuses_only_where_no_balance_proves_the_entries() -> None:
    summary = "<TxsSummry><TtlCdtNtries><NbOfNtries>1</NbOfNtries><Sum>2.00</Sum></TtlCdtNtries></TxsSummry>"
    assert refusal(document(statement(entry("1.00"), summary=summary))).code == "balance"
    balances = balance("OPBD", "0.00") + balance("CLBD", "1.00")
    (found,) = camt053.read(document(statement(entry("1.00"), summary=summary, balances=balances)), [OURS])
    assert "the bank totals 2.00 NOK" in found.warnings[0]


@pytest.mark.parametrize(
    "amount",
    ["1e3", "NaN", "Infinity", "-1.00", "+1.00", "1,00", "1.005", "66.0000000000001", "", ".", "1_000", "٣",
     "1234567890123456.00", "0x1F", "1 000.00"],
)  # fmt: skip
def test_what_is_no_exact_amount_is_refused(amount: str) -> None:
    found = refusal(document(statement(entry(amount))))
    assert found.code == "amount"
    assert "/Stmt[1]/Ntry[1]/Amt" in found.message


@pytest.mark.parametrize(
    ("amount", "minor"), [("18.150", 1815), ("0000149.87", 14987), ("5500", 550000), (".5", 50), ("5.", 500)]
)
def test_odd_but_exact_amounts_are_read(amount: str, minor: int) -> None:
    ((found,),) = (each.entries for each in camt053.read(document(statement(entry(amount))), [OURS]))
    assert found.amount.minor == minor


@pytest.mark.parametrize("currency", ["EUR", "nok", "", "NOKK"])
def test_another_currency_than_the_account_s_is_refused(currency: str) -> None:
    content = document(statement(entry("1.00").replace("NOK", currency)))
    assert refusal(content).code == "currency"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<CdtDbtInd>CRDT</CdtDbtInd><Sts>", b"<Sts>"),
        (b"2026-03-02</Dt></BookgDt>", b"2026-02-30</Dt></BookgDt>"),
    ],
)
def test_a_missing_side_and_an_impossible_date_are_malformed(old: bytes, new: bytes) -> None:
    assert refusal(GOOD.replace(old, new, 1)).code == "malformed"


def test_too_large_is_refused_before_it_is_read() -> None:
    assert refusal(GOOD, limit=len(GOOD) - 1).code == "too-large"
    assert camt053.read(GOOD, [OURS], limit=len(GOOD))
