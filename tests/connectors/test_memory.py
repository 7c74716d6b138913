"""The stand-ins keep the words of their ports, and there is one for every port."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from connectors import memory
from o2c import ports
from o2c.errors import Broken, Refused, Unavailable
from o2c.invoice import DocumentTotals, Invoice, InvoiceType, Payment
from o2c.order import Order
from o2c.party import Address, Party
from o2c.statement import Statement

PARCEL = ports.Parcel("m-1", "acme", "a@b.example", "Invoice", "Attached.")
STATEMENT = Statement("S-1", "DE02", "EUR", (), None, None)


def order(number: str) -> Order:
    return Order("shop", number, number, date(2026, 3, 1), "EUR", Party("Kunde", Address("DE")), ())


@pytest.fixture
def invoice() -> Invoice:
    zero = Decimal("0.00")
    return Invoice(
        number="INV-7",
        issued_on=date(2026, 3, 1),
        due_on=date(2026, 3, 31),
        type=InvoiceType.INVOICE,
        currency="EUR",
        seller=Party("Acme", Address("NO")),
        buyer=Party("Kunde", Address("DE")),
        lines=(),
        breakdown=(),
        totals=DocumentTotals(zero, zero, zero, zero, zero, zero, zero, zero, zero),
        payment=Payment("RF18539007547034"),
    )


def test_every_port_has_its_stand_in() -> None:
    # Assigning to the port's type is mypy's proof; the table is complete or this fails.
    clock: ports.Clock = memory.SteppedClock(datetime(2026, 3, 1, tzinfo=UTC))
    decider: ports.Decider = memory.MemoryDecider({})
    source: ports.OrderSource = memory.MemoryOrderSource()
    feed: ports.PaymentFeed = memory.MemoryPaymentFeed()
    channel: ports.DeliveryChannel = memory.MemoryChannel()
    document: ports.DocumentFormat = memory.MemoryDocumentFormat()
    statement: ports.StatementFormat = memory.MemoryStatementFormat({})
    stand_ins = [clock, decider, source, feed, channel, document, statement]
    declared = [
        port
        for port in vars(ports).values()
        if inspect.isclass(port) and port.__module__ == "o2c.ports" and getattr(port, "_is_protocol", False)
    ]
    for port in declared:
        methods = {name for name in vars(port) if not name.startswith("_")}
        assert any(methods <= set(dir(stand_in)) for stand_in in stand_ins), port.__name__


def test_the_clock_moves_only_forward_and_only_by_hand() -> None:
    clock = memory.SteppedClock(datetime(2026, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2))))
    assert clock.now() == datetime(2026, 3, 2, 1, 30, tzinfo=UTC)
    assert clock.today() == date(2026, 3, 2)
    clock.advance(timedelta(hours=1))
    assert clock.now() == datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
    clock.turn_to("2026-03-15")
    assert clock.now() == datetime(2026, 3, 15, tzinfo=UTC)
    clock.turn_to("2026-03-15T12:00:00+02:00")
    assert clock.now() == datetime(2026, 3, 15, 10, tzinfo=UTC)
    clock.turn_to(date(2026, 3, 16))
    with pytest.raises(Broken) as caught:
        clock.turn_to("2026-03-15")
    assert caught.value.code == "clock-back"
    assert clock.today() == date(2026, 3, 16)


def test_the_channel_keeps_each_message_once() -> None:
    channel = memory.MemoryChannel()
    assert channel.send(PARCEL) == channel.send(PARCEL) == "memory:m-1"
    assert channel.sent == [PARCEL]
    with pytest.raises(Broken):
        channel.send(replace(PARCEL, body="Changed."))


def test_the_channel_fails_as_often_as_it_is_told() -> None:
    channel = memory.MemoryChannel()
    channel.fail_next(Unavailable("down", "no network."), Refused("no", "unknown recipient."))
    with pytest.raises(Unavailable):
        channel.send(PARCEL)
    with pytest.raises(Refused):
        channel.send(PARCEL)
    assert channel.sent == []
    channel.send(PARCEL)
    assert channel.sent == [PARCEL]


def test_orders_and_files_are_pulled_after_the_cursor() -> None:
    source = memory.MemoryOrderSource([order("A"), order("B")])
    assert list(source.pull(None)) == [("1", order("A")), ("2", order("B"))]
    assert list(source.pull("1")) == [("2", order("B"))]
    source.orders.append(order("C"))
    assert list(source.pull("2")) == [("3", order("C"))]
    feed = memory.MemoryPaymentFeed([b"<one/>", b"<two/>"])
    assert list(feed.pull("1")) == [("2", b"<two/>")]
    assert list(feed.pull("2")) == []


def test_the_decider_answers_as_prepared_and_remembers_the_facts() -> None:
    decider = memory.MemoryDecider({"credit": "refer"})
    decision = decider.decide("credit", {"order_total": Decimal("120.00")})
    assert (decision.outcome, decision.rule) == ("refer", None)
    assert decider.asked == [("credit", {"order_total": Decimal("120.00")})]


def test_statements_are_read_whole_or_refused() -> None:
    reader = memory.MemoryStatementFormat({b"<file/>": (STATEMENT,)})
    assert reader.read(b"<file/>", ["DE02"]) == (STATEMENT,)
    with pytest.raises(Refused, match="prepared"):
        reader.read(b"<other/>", ["DE02"])
    with pytest.raises(Refused, match="DE02 is not one of ours"):
        reader.read(b"<file/>", ["DE99"])


def test_the_same_invoice_gives_the_same_bytes(invoice: Invoice) -> None:
    assert memory.MemoryDocumentFormat().write(invoice) == memory.MemoryDocumentFormat().write(invoice)
    other = replace(invoice, number="INV-8")
    assert memory.MemoryDocumentFormat().write(other) != memory.MemoryDocumentFormat().write(invoice)
