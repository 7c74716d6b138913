"""A6: day 14 of 30, then either the money or the letter. The exact list of events, none missing,
none extra."""

from __future__ import annotations

from typing import Any

import pytest

from gateway import jobs
from gateway.stages import settle
from gateway.stages.remind import run_reminders
from o2c.errors import Refused
from tests.journeys.bank_file import Line
from tests.journeys.world import World


@pytest.fixture
def invoiced(world: World) -> World:
    """INV-00001 of 143.75 EUR, issued 1 March, due 31 March, sent and looked at."""
    received = world.orders("O-1", ("SN-33", 10, "4"), ("SN-34", 5, "6"), ("SN-35", 15, "3"))
    world.ships(received.stored.order_id)
    assert world.events() == [
        "OrderReceived 143.75 EUR",
        "OrderApproved C40",
        "StockReserved",
        "OrderAnswered AP 5 5 5",
        "NoticeSent order-answer",
        "GoodsShipped",
        "InvoiceIssued INV-00001 143.75 EUR",
        "NoticeSent shipped",
        "InvoiceSent INV-00001",
    ]
    return world


def words_of(message: Any) -> str:
    """The text of a letter as its reader sees it."""
    text: bytes = message.get_payload(decode=True)
    return text.decode().replace("\r\n", "\n")


FLAGGED = ["InvoiceFlagged INV-00001", "InvoiceReviewed INV-00001 0 findings", "NoticeSent dunning-L0"]


def test_money_on_day_29_and_there_is_no_letter(invoiced: World) -> None:
    invoiced.turns_to("2026-03-14")
    assert invoiced.events() == []
    invoiced.turns_to("2026-03-15")
    assert invoiced.events() == FLAGGED
    invoiced.turns_to("2026-03-30")
    reference = invoiced.invoice("INV-00001").invoice.payment.reference
    invoiced.bank_sends(Line("143.75", reference=reference, payer="Fjord Hotel AS"))
    assert invoiced.events() == [
        "StatementImported",
        "EntryBooked 143.75 EUR",
        "PaymentApplied INV-00001 143.75 EUR by reference-exact",
        "InvoicePaid INV-00001",
    ]
    invoiced.turns_to("2026-06-30")
    assert invoiced.events() == []
    assert invoiced.open("INV-00001") == "0.00 EUR"
    assert invoiced.faults() == []


def test_no_money_and_on_day_31_one_letter_a_hold_and_its_end(invoiced: World) -> None:
    invoiced.turns_to("2026-03-31")
    assert invoiced.events() == FLAGGED
    invoiced.turns_to("2026-04-01")
    assert invoiced.events() == [
        "AccountFlagged INV-00001",
        "CreditHeld INV-00001",
        "NoticeSent dunning-L1",
    ]
    letter = invoiced.mails[-1]
    assert letter["Subject"] == "Overdue invoices: first notice"
    assert "INV-00001: 143.75 EUR, due 2026-03-31" in words_of(letter)

    invoiced.given_stock({"SN-36": {"BERGEN": 1}})
    held = invoiced.orders("O-2", ("SN-36", 1, "8"))
    assert held.stored.state == "held"
    assert invoiced.events() == ["OrderReceived 10.00 EUR", "OrderHeld C20", "NoticeSent order-waiting"]
    waiting = words_of(invoiced.mails[-1])
    assert "Please settle the overdue invoices first: INV-00001 (143.75 EUR, due 2026-03-31)" in waiting

    reference = invoiced.invoice("INV-00001").invoice.payment.reference
    invoiced.bank_sends(Line("143.75", reference=reference))
    assert invoiced.events() == [
        "StatementImported",
        "EntryBooked 143.75 EUR",
        "PaymentApplied INV-00001 143.75 EUR by reference-exact",
        "InvoicePaid INV-00001",
        "CreditReleased",
        "OrderApproved C50",
        "StockReserved",
        "OrderAnswered AP 5",
        "NoticeSent order-answer",
    ]
    invoiced.turns_to("2026-04-30")
    assert invoiced.events() == []
    assert invoiced.faults() == []


def test_one_letter_lists_all_overdue_items(invoiced: World) -> None:
    invoiced.given_stock({"SN-36": {"BERGEN": 2}})
    invoiced.turns_to("2026-03-02")
    second = invoiced.orders("O-2", ("SN-36", 2, "100"))
    invoiced.ships(second.stored.order_id, "D-2")
    invoiced.turns_to("2026-04-01")
    before = len(invoiced.mails)
    invoiced.turns_to("2026-04-02")
    letters = [mail for mail in invoiced.mails[before:] if "Overdue" in mail["Subject"]]
    assert len(letters) == 1
    assert "INV-00001: 143.75 EUR" in words_of(letters[0])
    assert "INV-00002: 250.00 EUR" in words_of(letters[0])


def test_a_plausible_but_unmatched_bank_line_stops_the_letter(invoiced: World) -> None:
    invoiced.turns_to("2026-03-29")
    invoiced.events()
    invoiced.bank_sends(Line("143.75", text="invoice from early March", payer="Somebody Else"))
    assert invoiced.events() == ["StatementImported", "EntryBooked 143.75 EUR", "PaymentUnmatched no-key"]
    invoiced.turns_to("2026-05-31")
    assert invoiced.events() == []
    assert invoiced.faults() == []


def test_a_letter_written_just_before_the_money_came_is_held_back_at_the_door(invoiced: World) -> None:
    invoiced.turns_to("2026-03-31")
    invoiced.clock.turn_to("2026-04-01")
    invoiced.events()
    desk = invoiced.desk
    assert desk.database.write(lambda connection: run_reminders(desk, connection)) == 1
    reference = invoiced.invoice("INV-00001").invoice.payment.reference
    settle.import_statements(desk, invoiced.bank_file(Line("143.75", reference=reference)))
    jobs.run_due(invoiced.house)
    happened = invoiced.events()
    assert "NoticeWithdrawn" in happened
    assert not [line for line in happened if line.startswith("NoticeSent")]


def test_no_bank_file_no_reminder_is_not_the_rule(invoiced: World) -> None:
    """A statement that is refused leaves nothing behind, so the letter goes out as it should."""
    with pytest.raises(Refused, match="balance"):
        invoiced.imports(invoiced.bank_file(Line("143.75")).replace(b">1143.75<", b">1143.76<"))
    invoiced.turns_to("2026-04-01")
    assert invoiced.events()[-1] == "NoticeSent dunning-L1"
