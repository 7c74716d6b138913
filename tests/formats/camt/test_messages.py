"""What is new beside camt.053: reports, notifications, streams, schemas, charges, and an override."""

from __future__ import annotations

from pathlib import Path

import pytest
from lxml import etree

from formats.camt.layout import Layouts, slots
from formats.camt.reader import Message, Stream, read_file
from formats.camt.source import ENTRY_LIMIT
from formats.camt.statements import Head, Proof
from o2c.errors import Refused
from o2c.statement import Charge, Entry, MessageKind
from tests.bench.statement_file import OURS as BANKED
from tests.bench.statement_file import write
from tests.formats.camt.files import OURS, balance, details, document, entry, proved, statement


def _one(content: bytes) -> Entry:
    ((found,),) = (each.entries for each in read_file(content, [OURS]).statements)
    return found


def _of(message: str, tag: str, version: str, *entries: str) -> Message:
    content = document(statement(*entries).replace("Stmt>", f"{tag}>"), version=version, message=message)
    return read_file(content, [OURS])


@pytest.mark.parametrize(
    ("message", "tag", "version", "kind"),
    [
        ("BkToCstmrAcctRpt", "Rpt", "052.001.06", MessageKind.REPORT),
        ("BkToCstmrAcctRptV01", "Rpt", "052.001.01", MessageKind.REPORT),
        ("BkToCstmrStmt", "Stmt", "053.001.13", MessageKind.STATEMENT),
        ("BkToCstmrStmtV01", "Stmt", "053.001.01", MessageKind.STATEMENT),
        ("BkToCstmrDbtCdtNtfctn", "Ntfctn", "054.001.14", MessageKind.NOTIFICATION),
    ],
)
def test_all_three_messages_read_into_the_same_values(
    message: str, tag: str, version: str, kind: MessageKind
) -> None:
    found = _of(message, tag, version, entry("7.00", "<NtryRef>R-1</NtryRef>"))
    assert (found.kind, found.version) == (kind, f"camt.{version}")
    (one,) = found.statements
    assert (one.kind, one.entries[0].reference, str(one.entries[0].amount)) == (kind, "R-1", "7.00 NOK")


def test_a_file_without_a_namespace_is_read_with_a_warning() -> None:
    content = proved(entry("1.00"), closing="1.00")
    bare = content.replace(b' xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"', b"")
    message = read_file(bare, [OURS])
    assert message.version == ""
    assert "no version" in message.warnings[0]


def test_an_envelope_around_the_document_is_opened(tmp_path: Path) -> None:
    inner = proved(entry("1.00"), closing="1.00").partition(b"\n")[2]
    path = tmp_path / "file.xml"
    path.write_bytes(b"<e:Box xmlns:e='urn:box'><e:Head/>" + inner + b"</e:Box>")
    assert len(read_file(path, [OURS]).statements) == 1


@pytest.mark.parametrize("root", [b"<html/>", b"<Document><pain/></Document>", b"<Ntry/>"])
def test_what_is_no_bank_file_names_what_was_seen(root: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_file(root, [OURS])
    assert caught.value.code == "message"
    assert "line 1" in caught.value.message


def test_two_kinds_of_message_in_one_file_are_refused() -> None:
    report = statement(entry("1.00")).replace("Stmt>", "Rpt>")
    with pytest.raises(Refused) as caught:
        read_file(document(statement(entry("1.00")), report), [OURS])
    assert caught.value.code == "message"


def test_a_stream_gives_head_entries_and_proof() -> None:
    stream = Stream(proved(entry("4.00"), entry("1.00", side="DBIT"), closing="3.00"), [OURS])
    head, first, second, proof = stream
    assert isinstance(head, Head)
    assert (head.statement_id, str(head.dated_on)) == ("S-1", "2026-03-02")
    assert isinstance(first, Entry)
    assert isinstance(second, Entry)
    assert isinstance(proof, Proof)
    assert (str(proof.credits), str(proof.debits), proof.entries) == ("4.00 NOK", "1.00 NOK", 2)


def test_a_balance_that_a_person_overrides_is_a_warning() -> None:
    content = proved(entry("10.00"), closing="5.00")
    with pytest.raises(Refused):
        read_file(content, [OURS])
    (one,) = read_file(content, [OURS], override_balance=True).statements
    assert "Overridden" in one.warnings[0]
    assert "10.00 NOK" in one.warnings[0]


def test_a_refusal_names_the_line() -> None:
    content = document(statement("\n\n" + entry("1e3")))
    with pytest.raises(Refused) as caught:
        read_file(content, [OURS])
    assert caught.value.message.startswith("line 4, /Stmt[1]/Ntry[1]/Amt")
    assert caught.value.faults[0].pointer == "/Stmt[1]/Ntry[1]/Amt"


def test_one_entry_that_is_too_large_is_refused_while_it_streams(tmp_path: Path) -> None:
    path = tmp_path / "large.xml"
    head, _, tail = document(statement(entry("1.00", details("@")))).partition(b"<TxDtls>@</TxDtls>")
    one = b"<TxDtls><AddtlTxInf>" + b"x" * 10_000 + b"</AddtlTxInf></TxDtls>"
    path.write_bytes(head + one * (ENTRY_LIMIT // 10_000 + 20) + tail)
    with pytest.raises(Refused) as caught:
        read_file(path, [OURS])
    assert caught.value.code == "too-large"


def test_a_truncated_letter_is_a_truncated_file_and_a_wrong_one_an_encoding() -> None:
    content = proved(entry("1.00", "<AddtlNtryInf>Bäck</AddtlNtryInf>"), closing="1.00")
    place = content.index(b"\xc3")
    codes = []
    for bad in (content[: place + 1], content[:place] + content[place + 1 :]):
        with pytest.raises(Refused) as caught:
            read_file(bad, [OURS])
        codes.append(caught.value.code)
    assert codes == ["malformed", "encoding"]


def _charged(amount: str, shape: str) -> str:
    record = f'<Amt Ccy="NOK">{amount}</Amt><CdtDbtInd>DBIT</CdtDbtInd>'
    return f"<Chrgs>{shape.format(record)}</Chrgs>"


@pytest.mark.parametrize("shape", ["{}", "<Rcrd>{}</Rcrd>"])
def test_charges_of_the_only_payment_explain_what_did_not_come(shape: str) -> None:
    found = _one(
        proved(
            entry("95.00", _charged("5.00", shape) + details('<Amt Ccy="NOK">100.00</Amt>')), closing="95.00"
        )
    )
    (payment,) = found.details
    assert (str(payment.amount), found.doubt, found.withheld) == ("95.00 NOK", None, None)
    assert [str(charge.amount) for charge in payment.charges] == ["5.00 NOK"]


def test_charges_of_the_entry_are_withheld_from_several_payments_together() -> None:
    two = '<TxDtls><Amt Ccy="NOK">60.00</Amt></TxDtls><TxDtls><Amt Ccy="NOK">40.00</Amt></TxDtls>'
    inner = _charged("5.00", "<Rcrd>{}</Rcrd>") + f"<NtryDtls>{two}</NtryDtls>"
    found = _one(proved(entry("95.00", inner), closing="95.00"))
    assert [str(each.amount) for each in found.details] == ["60.00 NOK", "40.00 NOK"]
    assert (str(found.withheld), found.doubt) == ("5.00 NOK", None)


def test_charges_of_each_payment_are_taken_off_it() -> None:
    charge = _charged("2.00", "<Rcrd>{}</Rcrd>")
    two = "".join(f'<TxDtls><Amt Ccy="NOK">{a}</Amt>{charge}</TxDtls>' for a in ("60.00", "40.00"))
    found = _one(proved(entry("96.00", f"<NtryDtls>{two}</NtryDtls>"), closing="96.00"))
    assert [str(each.amount) for each in found.details] == ["58.00 NOK", "38.00 NOK"]
    assert found.doubt is None


def test_a_difference_that_no_charge_explains_is_in_doubt() -> None:
    inner = _charged("4.00", "{}") + details('<Amt Ccy="NOK">100.00</Amt>')
    found = _one(proved(entry("95.00", inner), closing="95.00"))
    assert found.doubt is not None
    assert "100.00 NOK" in found.doubt
    assert [str(each.amount) for each in found.details] == ["95.00 NOK"]


def test_everything_that_a_payment_says_of_itself() -> None:
    inner = (
        "<AcctSvcrRef>N-1</AcctSvcrRef>"
        "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RDDT</Cd><SubFmlyCd>UPDD</SubFmlyCd></Fmly></Domn></BkTxCd>"
    )
    inner += details(
        "<Refs><AcctSvcrRef>T-1</AcctSvcrRef><TxId>X-1</TxId><MndtId>M-1</MndtId></Refs>"
        '<Chrgs><Rcrd><Amt Ccy="NOK">1.00</Amt><ChrgInclInd>true</ChrgInclInd></Rcrd></Chrgs>'
        "<RltdPties><Dbtr><Pty><Nm>Head Office</Nm></Pty></Dbtr><UltmtDbtr><Pty><Nm>Branch</Nm></Pty>"
        "</UltmtDbtr></RltdPties>"
        "<RmtInf><Strd><RfrdDocInf><Nb>INV-7</Nb></RfrdDocInf>"
        '<RfrdDocAmt><RmtdAmt Ccy="NOK">30.00</RmtdAmt></RfrdDocAmt></Strd></RmtInf>'
        "<RtrInf><RtrRsn><Prtry>own words</Prtry></RtrRsn></RtrInf>"
    )
    found = _one(document(statement(entry("5.00", inner, side="DBIT"))))
    (payment,) = found.details
    assert (found.bank_reference, payment.bank_reference) == ("N-1", "T-1")
    assert (payment.transaction_id, payment.mandate_id) == ("X-1", "M-1")
    assert (payment.counterparty, payment.payer) == ("Branch", "Head Office")
    assert payment.bank_code == "PMNT/RDDT/UPDD"
    assert payment.charges == (Charge(payment.charges[0].amount, is_included=True),)
    assert [(each.number, str(each.amount)) for each in payment.documents] == [("INV-7", "30.00 NOK")]
    assert payment.return_reason == "own words"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A &amp; B", "A & B"),
        ("&amp;lt;b&amp;gt;", "&lt;b&gt;"),
        ("A<!-- x -->B", "AB"),
        ("<![CDATA[A < B > C]]>", "A < B > C"),
        ("  A\n  B  ", "A\n  B"),
        ("&#228;&#13;x", "ä\rx"),
    ],
)
def test_a_text_is_read_as_it_was_meant(written: str, read: str) -> None:
    content = proved(entry("1.00", f"<AddtlNtryInf>{written}</AddtlNtryInf>"), closing="1.00")
    assert _one(content).text == read


def test_a_layout_is_worked_out_once_and_tells_empty_from_absent() -> None:
    learned = []

    def plan(element: etree._Element) -> dict[str, list[int]]:
        learned.append(element)
        return slots(element)

    layouts = Layouts(plan)
    for name in ("x", "y"):
        found, texts = layouts.read(etree.fromstring(f"<p:A xmlns:p='u'><p:B>{name}</p:B> <p:C/></p:A>"))
        assert found == {"B": [0], "C": [-1]}
        assert [texts[slot] for path in ("B", "C") for slot in found[path]] == [name, ""]
    assert len(learned) == 1


def test_a_schema_warns_and_never_refuses(shared: Path) -> None:
    content = proved(entry("1.00"), closing="1.00")  # Sts is a text here, version 08 wants a code
    message = read_file(content, [OURS], schemas=shared / "camt" / "xsd")
    assert message.is_schema_checked
    assert "not valid" in message.warnings[0]
    assert 2 <= len(message.warnings) <= 6
    assert not read_file(content, [OURS], schemas=shared).is_schema_checked


@pytest.mark.parametrize("status", ["<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>"])
def test_a_schema_s_complaints_do_not_hide_broken_xml(shared: Path, status: str) -> None:
    content = proved(entry("1.00", status=status), closing="1.00")
    broken = (content[:-20], content[:-8], content + b"<x/>", content.replace(b"</Stmt>", b"</Stmx>"))
    for bad in broken:
        with pytest.raises(Refused) as caught:
            read_file(bad, [OURS], schemas=shared / "camt" / "xsd")
        assert caught.value.code == "malformed"


def test_no_cut_of_a_valid_file_passes_its_schema(shared: Path, tmp_path: Path) -> None:
    path = tmp_path / "valid.xml"
    write(path, 3_000)
    content = path.read_bytes().rstrip()
    message = read_file(path, [BANKED], schemas=shared / "camt" / "xsd")
    assert (message.is_schema_checked, message.warnings) == (True, ())
    for length in range(1, len(content), 7):
        with pytest.raises(Refused) as caught:
            read_file(content[:length], [BANKED], schemas=shared / "camt" / "xsd")
        assert caught.value.code == "malformed"


def test_very_many_warnings_are_counted() -> None:
    entries = [entry("1.00", details('<Amt Ccy="NOK">2.00</Amt>')) for _ in range(300)]
    balances = balance("OPBD", "0.00") + balance("CLBD", "300.00")
    (one,) = read_file(document(statement(*entries, balances=balances)), [OURS]).statements
    assert len(one.warnings) == 201
    assert "100 more warnings" in one.warnings[-1]
