"""A5 whole: slips, two explanations, several invoices, returns, batches, and everything taken back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from gateway.stages import apply, foureyes, shown, undo
from gateway.stages.apply import Share, Wish
from gateway.stages.foureyes import Action
from gateway.store import payments
from gateway.store.schema import customer, item, payer_account, promise
from o2c.errors import Conflict, O2CError, Refused
from o2c.money import Money
from tests.journeys.bank_file import Line, notification
from tests.journeys.world import BUYER, IBAN, World

PAYER = "DE89370400440532013000"


@pytest.fixture
def invoiced(world: World) -> World:
    """INV-00001 of 125.00 EUR and INV-00002 of 62.50 EUR of C-1, INV-00003 of 125.00 EUR of C-2."""
    world.given_customer("C-2")
    for place, pieces, who in ((1, 10, "C-1"), (2, 5, "C-1"), (3, 10, "C-2")):
        received = world.orders(f"O-{place}", (f"SN-{32 + place}", pieces, "10"), customer=who)
        world.ships(received.stored.order_id)
    world.events()
    return world


def lines(world: World) -> list[dict[str, Any]]:
    with world.house.database.read() as connection:
        rows = payments.page(connection, world.company_id, "", 100)
        return list(shown.lines(connection, world.company_id, rows))


def last(world: World) -> dict[str, Any]:
    return lines(world)[-1]


def picture(world: World) -> list[Any]:
    """What must be as before once everything is taken back, to the cent."""
    columns = (
        (item.c.number, item.c.open_minor, item.c.base_open_minor, item.c.level, item.c.settled_at.is_(None)),
        (customer.c.customer_id, customer.c.open_invoices_minor, customer.c.unallocated_minor,
         customer.c.held_at, customer.c.flagged_at),
        (promise.c.promise_id, promise.c.state, promise.c.ended_on),
        (payer_account.c.iban, payer_account.c.customer_id, payer_account.c["count"]),
    )  # fmt: skip
    with world.house.database.read() as connection:
        return [sorted(map(tuple, connection.execute(select(*some)).all())) for some in columns]


def test_a_typo_is_posted_with_its_evidence(invoiced: World) -> None:
    invoiced.bank_sends(Line("62.50", text="INV-O00O2 Fjord Hotl", payer="Fjord Hotel AS", iban=PAYER))
    found = last(invoiced)
    assert (found["decision"], found["alloc"]) == ("match", [["INV-00002", "62.50", True]])
    assert found["evidence"]
    assert invoiced.open("INV-00002") == "0.00 EUR"
    assert invoiced.faults() == []


def test_two_equally_likely_customers_mean_nothing_is_posted(invoiced: World) -> None:
    invoiced.bank_sends(Line("125.00", text="invoice", payer=BUYER.name))
    found = last(invoiced)
    assert (found["decision"], found["alloc"], found["state"]) == ("review", [], "unmatched")
    assert {one["customer_id"] for one in found["suggestions"]} == {"C-1", "C-2"}
    assert (invoiced.open("INV-00001"), invoiced.open("INV-00003")) == ("125.00 EUR", "125.00 EUR")
    assert invoiced.faults() == []


def test_a_returned_direct_debit_opens_the_invoice_and_dunning_resumes(invoiced: World) -> None:
    invoiced.bank_sends(Line("125.00", text="INV-00001", end_to_end_id="DD-1", key="A1"))
    invoiced.turns_to("2026-03-05")
    assert invoiced.open("INV-00001") == "0.00 EUR"
    invoiced.bank_sends(Line("-128.50", end_to_end_id="DD-1", returned="AC04", charged="3.50"))
    found = last(invoiced)
    assert (found["decision"], found["of"], found["charges"], found["alloc"]) == ("return", "A1", "3.50", [])
    first = lines(invoiced)[0]
    assert (first["state"], first["alloc"]) == ("returned", [["INV-00001", "125.00", True]])
    assert invoiced.open("INV-00001") == "125.00 EUR"
    assert invoiced.faults() == []
    invoiced.events()
    invoiced.turns_to("2026-05-20")
    assert any(one.startswith("NoticeSent") for one in invoiced.events())


def test_a_return_in_the_same_file(invoiced: World) -> None:
    before = picture(invoiced)
    invoiced.bank_sends(
        Line("125.00", text="INV-00001", end_to_end_id="DD-1", key="A1"),
        Line("-125.00", end_to_end_id="DD-1", returned="AC04"),
        Line("125.00", text="INV-00001", key="A3"),
    )
    assert [one["decision"] for one in lines(invoiced)] == ["match", "return", "match"]
    assert invoiced.open("INV-00001") == "0.00 EUR"
    assert invoiced.faults() == []
    undo.undo_statement(invoiced.desk, last(invoiced)["statement_id"])
    assert picture(invoiced) == before
    assert invoiced.faults() == []


def test_an_unclear_return_waits(invoiced: World) -> None:
    invoiced.bank_sends(Line("-125.00", end_to_end_id="DD-9", returned="AC04"))
    found = last(invoiced)
    assert (found["decision"], found["state"], found["reason"]) == ("review", "unmatched", "return")
    assert invoiced.faults() == []


def test_the_file_is_taken_back_to_the_cent_and_comes_in_again(invoiced: World) -> None:
    before = picture(invoiced)
    file = invoiced.bank_file(
        Line("125.00", text="INV-00001", iban=PAYER),
        Line("100.00", text="INV-00003", payer=BUYER.name, iban=PAYER),
        Line("10.00", text="thanks"),
    )
    (done,) = invoiced.imports(file)
    after = picture(invoiced)
    taken = undo.undo_file(invoiced.desk, done.sha256)
    assert (taken.payments, taken.statements) == (3, (done.statement_id,))
    assert picture(invoiced) == before
    assert invoiced.faults() == []
    with pytest.raises(Conflict, match="undone already"):
        undo.undo_file(invoiced.desk, done.sha256)
    (again,) = invoiced.imports(file)
    assert (again.duplicate, again.lines) == (False, 3)
    assert picture(invoiced) == after
    assert invoiced.faults() == []


def test_a_payment_is_taken_back_and_applied_by_hand(invoiced: World) -> None:
    invoiced.bank_sends(Line("125.00", text="INV-00001"))
    name = last(invoiced)["payment_id"]
    foureyes.ask(invoiced.desk, name, Action.UNDO)
    assert (invoiced.open("INV-00001"), last(invoiced)["state"]) == ("125.00 EUR", "unmatched")
    assert invoiced.faults() == []
    with pytest.raises(Conflict, match="nothing was made of it"):
        foureyes.ask(invoiced.desk, name, Action.UNDO)
    wish = Wish((Share("INV-00002"), Share("INV-00003", Decimal("60.00"))), on_account="C-1")
    answer = foureyes.ask(invoiced.desk, name, Action.APPLY, wish)
    assert answer.applied is not None
    assert [(part.number, part.amount) for part in answer.applied.parts] == [
        ("INV-00002", 6250),
        ("INV-00003", 6000),
    ]
    found = last(invoiced)
    assert (found["state"], found["unallocated"], found["rule"]) == ("applied", "2.50", "by-hand")
    assert (invoiced.open("INV-00002"), invoiced.open("INV-00003")) == ("0.00 EUR", "65.00 EUR")
    assert invoiced.faults() == []
    told = shown.explain(invoiced.desk, name)
    assert [one["rule"] for one in told.allocations if one["rule"] == "undo"] == ["undo"]


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        (Wish((Share("INV-00001", Decimal("126.00")),)), "apply-amount"),
        (Wish((Share("INV-00001"), Share("INV-00001"))), "apply-twice"),
        (Wish((Share("INV-99999"),)), "invoice"),
        (Wish(), "apply-nothing"),
        (Wish(on_account="C-9"), "customer"),
        (Wish((Share("INV-00002"),), write_off=Decimal("99.00")), "apply-write-off"),
    ],
)
def test_a_wish_that_does_not_fit_is_refused(invoiced: World, wish: Wish, code: str) -> None:
    invoiced.bank_sends(Line("130.00", text="thanks"))
    with pytest.raises(O2CError) as refused:
        foureyes.ask(invoiced.desk, last(invoiced)["payment_id"], Action.APPLY, wish)
    assert refused.value.code == code
    assert invoiced.faults() == []


def test_discount_and_write_off_by_hand(invoiced: World) -> None:
    invoiced.bank_sends(Line("120.00", text="thanks"), Line("60.00", text="thank you"))
    first, second = (one["payment_id"] for one in lines(invoiced))
    foureyes.ask(invoiced.desk, first, Action.APPLY, Wish((Share("INV-00001"),), discount=Decimal("5.00")))
    foureyes.ask(invoiced.desk, second, Action.APPLY, Wish((Share("INV-00002"),), write_off=Decimal("2.50")))
    assert (invoiced.open("INV-00001"), invoiced.open("INV-00002")) == ("0.00 EUR", "0.00 EUR")
    assert [(one["discount"], one["writeoff"]) for one in lines(invoiced)] == [
        ("5.00", "0.00"),
        ("0.00", "2.50"),
    ]
    assert invoiced.faults() == []


def test_four_eyes_above_an_amount(invoiced: World) -> None:
    invoiced.given_profile(four_eyes_above=Money(Decimal(100), "EUR"))
    invoiced.bank_sends(Line("125.00", text="thanks"))
    name = last(invoiced)["payment_id"]
    anna, bo = (invoiced.house.desk(invoiced.company_id, f"key:{who}") for who in ("anna", "bo"))
    asked = foureyes.ask(anna, name, Action.APPLY, Wish((Share("INV-00001"),)))
    assert asked.request is not None
    assert invoiced.open("INV-00001") == "125.00 EUR"
    with pytest.raises(Refused, match="somebody else"):
        foureyes.decide(anna, asked.request.request_id, approve=True)
    foureyes.decide(bo, asked.request.request_id, approve=True)
    assert invoiced.open("INV-00001") == "0.00 EUR"
    with pytest.raises(Conflict, match="approved already"):
        foureyes.decide(bo, asked.request.request_id, approve=True)
    assert invoiced.faults() == []


def test_a_batch_waits_for_its_notification(invoiced: World) -> None:
    before = picture(invoiced)
    invoiced.bank_sends(Line("187.50", key="B1", batch_of=2))
    waiting = last(invoiced)
    assert (waiting["state"], waiting["reason"]) == ("unmatched", "batch")
    parts = [Line("125.00", text="INV-00001"), Line("62.50", text="INV-00002")]
    file = notification(IBAN, parts, entry="B1", on=invoiced.clock.today())
    (done,) = invoiced.imports(file)
    assert (done.kind, done.lines, done.applied) == ("notification", 2, 2)
    assert (invoiced.open("INV-00001"), invoiced.open("INV-00002")) == ("0.00 EUR", "0.00 EUR")
    assert invoiced.faults() == []
    (again,) = invoiced.imports(file)
    assert again.lines == 0
    assert "Nothing to enrich" in again.warnings[0]
    undo.undo_statement(invoiced.desk, waiting["statement_id"])  # its details go with the batch
    assert picture(invoiced) == before
    assert invoiced.faults() == []


def test_money_on_account_holds_letters_back(invoiced: World) -> None:
    """What is left of a payment is the customer's, and may be meant for the invoice that is open."""
    invoiced.bank_sends(Line("125.00", text="INV-00001", payer=BUYER.name, iban=PAYER))
    (done,) = invoiced.bank_sends(Line("10.00", text="on account", payer=BUYER.name, iban=PAYER))
    assert done.decisions == {"unapplied": 1}
    invoiced.events()
    invoiced.turns_to("2026-05-20")
    said = [mail.get_payload(decode=True).decode() for mail in invoiced.mails]
    assert any("INV-00003" in words for words in said)
    assert not any("INV-00002: 62.50" in words for words in said)


def test_a_gap_in_the_sequence_is_told(invoiced: World) -> None:
    invoiced.bank_sends(Line("1.00", text="one"))
    invoiced.statements += 2
    (done,) = invoiced.bank_sends(Line("1.00", text="two"))
    assert any("2 to 3" in words for words in done.warnings)


def test_a_promise_and_a_hold_stand_again(invoiced: World) -> None:
    invoiced.turns_to("2026-06-20")
    before = picture(invoiced)
    assert json.dumps(before, default=str)
    (done,) = invoiced.bank_sends(Line("125.00", text="INV-00001"), Line("62.50", text="INV-00002"))
    assert picture(invoiced) != before
    undo.undo_statement(invoiced.desk, done.statement_id)
    assert picture(invoiced) == before
    assert invoiced.faults() == []


def test_by_hand_needs_money_that_waits(invoiced: World) -> None:
    invoiced.bank_sends(Line("125.00", text="INV-00001"))
    with pytest.raises(Conflict, match="no money of it waits"):
        foureyes.ask(invoiced.desk, last(invoiced)["payment_id"], Action.APPLY, Wish((Share("INV-00002"),)))
    assert apply.RULE == "by-hand"
