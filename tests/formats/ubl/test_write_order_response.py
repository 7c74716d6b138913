"""Order responses: valid under every official rule for each sample order and each kind of answer."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from formats import xml
from formats.ubl.paths import CAC, CBC
from formats.ubl.read_order import read_order
from formats.ubl.write_order_response import write_order_response
from formats.validation import Validator
from o2c.answer import LineAnswer, LineStatus, OrderAnswer, ResponseCode
from o2c.errors import Refused
from o2c.order import Order, Product, ProductId, Tax, VatCategory
from o2c.party import Identifier
from tests.formats.ubl.documents import ORDER

ISSUED = datetime(2026, 3, 2, 6, 10, 10, 123456, tzinfo=UTC)
GOLDEN = Path(__file__).parents[2] / "golden" / "ubl"
RED = Product(ProductId("P-RED-43"), "Item 1, red, 43", standard_id=Identifier("05432167890984", "0160"))
HOT = Product(
    ProductId("SN-36"),
    'Pepper sauce <hot> & "sharp"',
    tax=Tax(VatCategory.STANDARD, Decimal(25)),
    standard_id=Identifier("no scheme, so not written"),
    properties=(("Scoville", "5 000"),),
)


def answer_to(order: Order) -> OrderAnswer:
    """Changed, substituted, rejected and accepted lines in turn."""
    kinds = (
        LineAnswer("", LineStatus.CHANGED, "", item=RED, quantity=Decimal("2.50"), note="rest on Friday"),
        LineAnswer("", LineStatus.CHANGED, "", substitute=HOT, note="substituted"),
        LineAnswer("", LineStatus.REJECTED, ""),
    )
    lines = (
        replace(kinds[index % 3], line_id=line.line_id, name=line.name)
        for index, line in enumerate(order.lines)
    )
    return OrderAnswer(ResponseCode.CONDITIONAL, tuple(lines), "see the lines")


@pytest.mark.parametrize("name", ["UC1", "UC2", "UC3", "UC4"])
@pytest.mark.parametrize("code", ResponseCode)
def test_every_answer_to_every_sample_order_is_valid(
    official: Validator, shared: Path, name: str, code: ResponseCode
) -> None:
    order = read_order((shared / "orders" / f"{name}_Order.xml").read_bytes(), "peppol")
    answer = replace(answer_to(order), code=code)
    report = official.validate(write_order_response(order, answer, response_id="R-1", issued_at=ISSUED))
    assert [str(finding) for finding in report.findings] == []
    assert (report.profile, report.valid) == ("Peppol BIS Order Response (T76)", True)


def test_the_bytes_are_the_reviewed_ones() -> None:
    order = read_order(ORDER.encode(), "peppol")
    written = write_order_response(order, answer_to(order), response_id="R-1", issued_at=ISSUED)
    file = GOLDEN / "order-response.xml"
    if os.environ.get("O2C_REWRITE_GOLDEN"):
        file.write_bytes(written)
    assert written == file.read_bytes()


def test_it_answers_the_buyers_order_line_by_line() -> None:
    order = read_order(ORDER.encode(), "peppol")
    written = write_order_response(order, answer_to(order), response_id="R-1", issued_at=ISSUED)
    root = xml.parse(written)
    names = {"a": CAC, "b": CBC}
    assert root.findtext("a:OrderReference/b:ID", namespaces=names) == "4711"
    assert root.findtext("b:IssueTime", namespaces=names) == "06:10:10"
    lines = [
        (
            line.findtext("a:LineItem/b:LineStatusCode", namespaces=names),
            line.findtext("a:LineItem/b:Quantity", namespaces=names),
            line.findtext("a:SellerSubstitutedLineItem/a:Item/b:Name", namespaces=names),
            line.findtext("a:OrderLineReference/b:LineID", namespaces=names),
        )
        for line in root.findall("a:OrderLine", names)
    ]
    assert lines == [("3", "2.5", None, "1"), ("3", None, HOT.name, "2")]


@pytest.mark.parametrize("code", [ResponseCode.ACCEPTED, ResponseCode.REJECTED])
def test_an_answer_to_the_whole_order_has_no_lines(code: ResponseCode) -> None:
    order = read_order(ORDER.encode(), "peppol")
    answer = replace(answer_to(order), code=code)
    written = write_order_response(order, answer, response_id="R-1", issued_at=ISSUED)
    assert b"cac:OrderLine" not in written
    assert f"<cbc:OrderResponseCode>{code.value}<".encode() in written


def test_what_cannot_be_answered_is_refused() -> None:
    order = read_order(ORDER.encode(), "peppol")
    answer = answer_to(order)
    stranger = replace(answer, lines=(replace(answer.lines[0], line_id="9"),))
    cases = (
        (replace(order, seller=None), answer, "endpoint-missing", "the seller"),
        (
            replace(order, buyer=replace(order.buyer, endpoint=None)),
            answer,
            "endpoint-missing",
            "Storstadens",
        ),
        (order, replace(answer, lines=()), "no-lines", "R007"),
        (order, stranger, "line-unknown", "no line 9"),
    )
    for asked, answered, code, words in cases:
        with pytest.raises(Refused) as caught:
            write_order_response(asked, answered, response_id="R-1", issued_at=ISSUED)
        assert caught.value.code == code
        assert words in caught.value.message
