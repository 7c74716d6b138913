"""Hostile documents get a refusal or a verdict, in bounded time and memory, and never run anything."""

from __future__ import annotations

import base64
import time
import zlib

import pytest

from formats.findings import Report, Status
from formats.limits import MOST_ELEMENTS, MOST_LEVELS
from formats.profile import PEPPOL_INVOICE
from formats.ubl.write_invoice import write_invoice
from formats.validation import STOPPED, Validator
from o2c.errors import Refused
from tests.formats.ubl.documents import invoice

_LINE = b"<cac:InvoiceLine><cbc:ID>1</cbc:ID></cac:InvoiceLine>"
_SECONDS = 60  # CPU, on a slow machine; all of these take a few


def within(content: bytes, validator: Validator) -> Report:
    """The report, which must not take long."""
    start = time.process_time()
    report = validator.validate(content, profile=PEPPOL_INVOICE)
    assert time.process_time() - start < _SECONDS
    return report


def with_more(content: bytes) -> bytes:
    return write_invoice(invoice()).replace(b"</Invoice>", content + b"</Invoice>")


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', "doctype"),
        (b"<a>" * 17_000_000, "too-large"),  # 51 MB of depth
        (b"<a>" * 1_000_000, "malformed"),
        ("<a>\u00e4</a>".encode("latin-1"), "encoding"),
        (b'<?xml version="1.0" encoding="utf-7"?><a/>', "encoding"),
        (b"PK\x03\x04" + bytes(100), "malformed"),
        (b"", "empty"),
        (b"<a/>" * 2, "malformed"),
    ],
)
def test_what_is_no_document_is_refused(official: Validator, content: bytes, code: str) -> None:
    with pytest.raises(Refused) as caught:
        within(content, official)
    assert caught.value.code == code


def test_more_elements_than_a_document_can_have_are_refused(official: Validator) -> None:
    with pytest.raises(Refused) as caught:
        within(with_more(b"<cbc:ID/>" * MOST_ELEMENTS), official)
    assert (caught.value.code, caught.value.next_step) == ("too-large", "Split it.")
    assert "2,000,000 elements" in caught.value.message


def test_many_broken_lines_get_a_verdict(official: Validator) -> None:
    report = within(with_more(_LINE * 500), official)
    fired = [one for one in report.findings if one.rule == "BR-22"]
    assert len(fired) == 500
    assert fired[-1].path.startswith("/Invoice/cac:InvoiceLine[50")


def test_deep_nesting_gets_a_verdict(official: Validator) -> None:
    depth = MOST_LEVELS - 2
    report = within(with_more(b"<cbc:Note>" * depth + b"</cbc:Note>" * depth), official)
    assert report.layers[0].status is Status.INVALID


def test_deeper_nesting_than_a_document_can_have_is_refused(official: Validator) -> None:
    with pytest.raises(Refused, match="200 levels") as caught:
        within(with_more(b"<cbc:Note>" * 1_500 + b"</cbc:Note>" * 1_500), official)
    assert caught.value.code == "too-large"


def test_an_attachment_is_never_unpacked(official: Validator) -> None:
    bomb = base64.b64encode(zlib.compress(bytes(200_000_000)))
    attachment = (
        b"<cac:AdditionalDocumentReference><cbc:ID>1</cbc:ID><cac:Attachment>"
        b'<cbc:EmbeddedDocumentBinaryObject mimeCode="application/pdf" filename="a.pdf">'
        + bomb
        + b"</cbc:EmbeddedDocumentBinaryObject></cac:Attachment></cac:AdditionalDocumentReference>"
    )
    content = write_invoice(invoice()).replace(
        b"<cac:AccountingSupplierParty>", attachment + b"<cac:AccountingSupplierParty>", 1
    )
    assert within(content, official).valid


INJECTIONS = [
    "' or '1'='1",
    '")] | //*[("',
    "__import__('os').abort()",
    "{0.__class__}",
    "%s%n",
    "//*",
    "\\",
    "'''",
    "NaN",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_value_is_only_ever_a_value(official: Validator, text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").encode()
    plain = write_invoice(invoice())
    for name in (b"cbc:Name", b"cbc:Note", b"cbc:Description", b"cbc:RegistrationName"):
        start = plain.find(b"<" + name + b">")
        if start < 0:
            continue
        start += len(name) + 2
        content = plain[:start] + escaped + plain[plain.find(b"<", start) :]
        assert within(content, official).valid, name


def test_a_value_on_which_an_expression_could_run_away_is_told_not_tried(official: Validator) -> None:
    note = b"#SKONTO#TAGE=1" + b"4" * 1_000_000
    content = write_invoice(invoice()).replace(b"<cbc:Note>", b"<cbc:Note>" + note, 1)
    long = b"<cac:PaymentTerms><cbc:Note>" + note + b"</cbc:Note></cac:PaymentTerms>"
    content = content.replace(b"<cac:TaxTotal>", long + b"<cac:TaxTotal>", 1)
    start = time.process_time()
    report = official.validate(content, sets=("xrechnung",))
    assert time.process_time() - start < _SECONDS
    told = {one.rule: one.message for one in report.errors}
    assert "BR-DE-18" in told.get(STOPPED, "") or "BR-DE-18" in told
