"""What was invoiced by a former system is dunned, disputed, promised, blocked and paid like our own."""

from __future__ import annotations

from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from gateway.stages import charge, dispute, promise
from gateway.stages.block import block, unblock
from gateway.stages.dispute import Question
from gateway.stages.promise import Word
from gateway.stages.takeover import Books, Taken, take_over
from gateway.store import charges, companies, customers, items
from o2c.dispute import DisputeState, Reason
from o2c.opening import read_item
from o2c.promise import PromiseState
from o2c.reference import rf_reference
from tests.journeys.bank_file import Line
from tests.journeys.world import World

NUMBER = "RE-2025-0917"
REFERENCE = rf_reference(NUMBER)


def record(number: str = NUMBER, **changes: Any) -> dict[str, Any]:
    """An open item as its file says it: 143.75 EUR, due 31 March."""
    said = {"kind": "invoice", "customer": "C-1", "issued": "2026-03-01", "due": "2026-03-31"}
    more = {"open": "143.75", "currency": "EUR", "discount": None, "reference": rf_reference(number)}
    return {"number": number, **said, **more, **changes}


def takes_over(world: World, *records: dict[str, Any]) -> Taken:
    return take_over(Books(world.desk), [read_item(one) for one in records])


def owed(world: World) -> int:
    """What the customer's account says is open, minor units."""
    with world.house.database.read() as connection:
        row = customers.account_row(connection, world.company_id, "C-1")
    minor: int = row.open_invoices_minor
    return minor


@pytest.fixture
def taken(world: World) -> World:
    """One item was taken over on 1 March."""
    assert takes_over(world, record()) == Taken(1, 0, {}, Counter())
    assert world.events() == ["OpenItemsTakenOver 1"]
    assert owed(world) == 143_75
    return world


@pytest.fixture
def reminded(taken: World) -> World:
    """The friendly reminder went out on 15 March, the first notice on 1 April."""
    taken.turns_to("2026-04-01")
    assert taken.events() == [
        f"InvoiceFlagged {NUMBER}",
        f"InvoiceReviewed {NUMBER} 0 findings",
        "NoticeSent dunning-L0",
        f"AccountFlagged {NUMBER}",
        f"CreditHeld {NUMBER}",
        "NoticeSent dunning-L1",
    ]
    return taken


PAID = ["StatementImported", "EntryBooked 143.75 EUR"]  # it has no order whose timeline would tell more


def test_it_is_reminded_of_until_it_is_paid(reminded: World) -> None:
    assert f"{NUMBER}: 143.75 EUR" in reminded.mails[-1].get_payload(decode=True).decode()
    reminded.bank_sends(Line("143.75", reference=REFERENCE))
    assert reminded.events() == [*PAID, "CreditReleased"]
    assert (reminded.open(NUMBER), owed(reminded)) == ("0.00 EUR", 0)
    reminded.turns_to("2026-06-30")
    assert reminded.events() == []
    assert reminded.faults() == []


def test_a_part_of_it_is_paid(taken: World) -> None:
    taken.bank_sends(Line("43.75", reference=REFERENCE))
    taken.events()
    assert (taken.open(NUMBER), owed(taken)) == ("100.00 EUR", 100_00)
    taken.turns_to("2026-04-01")
    assert f"{NUMBER}: 100.00 EUR" in taken.mails[-1].get_payload(decode=True).decode()
    assert taken.faults() == []


def test_it_is_disputed_and_nobody_is_reminded_until_that_is_answered(reminded: World) -> None:
    made, _ = dispute.open_dispute(reminded.desk, NUMBER, Question(Reason.PRICE, "3.20 was agreed"))
    assert reminded.events() == [f"DisputeOpened {NUMBER} 143.75 EUR"]
    reminded.turns_to("2026-05-04")
    assert reminded.events() == [f"DisputeLate {NUMBER}"]
    dispute.close_dispute(reminded.desk, made.dispute_id, DisputeState.REJECTED, "")
    reminded.turns_to("2026-05-05")
    told = reminded.events()
    assert told[0] == f"DisputeClosed {NUMBER} rejected"
    assert told[-1] == "NoticeSent dunning-L2"
    assert reminded.faults() == []


def test_a_promise_about_it_is_kept(reminded: World) -> None:
    word = Word((NUMBER,), date(2026, 4, 20))
    made, _ = promise.make_promise(reminded.desk, word)
    reminded.turns_to("2026-04-20")
    reminded.bank_sends(Line("143.75", reference=REFERENCE))
    assert reminded.events() == [
        f"PromiseMade {NUMBER} 143.75 EUR by 2026-04-20",
        *PAID,
        f"PromiseKept {NUMBER}",
        "CreditReleased",
    ]
    assert made.state is PromiseState.RUNNING
    assert reminded.faults() == []


def test_it_is_blocked_until_a_day(reminded: World) -> None:
    made, _ = block(
        reminded.desk, customer_id=None, number=NUMBER, reason="legacy", until_on=date(2026, 4, 30)
    )
    reminded.turns_to("2026-04-30")
    assert reminded.events() == [f"DunningBlocked {NUMBER} until 2026-04-30"]
    unblock(reminded.desk, made.block_id, "clear now")
    reminded.turns_to("2026-05-01")
    assert [line for line in reminded.events() if line.startswith("Notice")] == ["NoticeSent dunning-L2"]
    assert reminded.faults() == []


def test_what_a_letter_charges_on_it_can_be_waived(reminded: World) -> None:
    reminded.turns_to("2026-04-15")
    claimed = [line for line in reminded.events() if line.startswith("LateCharge")]
    assert claimed == [f"LateChargeClaimed {NUMBER} interest 0.66 EUR"]
    with reminded.house.database.read() as connection:
        [one] = charges.page(connection, reminded.company_id, "", 10, number=NUMBER)
    charge.waive(reminded.desk, one.charge_id, "goodwill")
    assert reminded.events() == [f"LateChargeCancelled {NUMBER} interest -0.66 EUR waived"]
    assert reminded.faults() == []


def test_a_credit_note_is_what_we_owe(world: World) -> None:
    takes_over(world, record(), record("GS-1", kind="credit_note", open="43.75"))
    assert owed(world) == 100_00
    with world.house.database.read() as connection:
        [found] = items.named(
            connection,
            world.company_id,
            items.rows_by_keys(connection, world.company_id, [rf_reference("GS-1")], ()),
        )
        open_now = items.named(
            connection, world.company_id, items.open_rows(connection, world.company_id, ["C-1"])
        )
    assert (found.open, found.base_open, found.gross) == (-43_75, -43_75, -43_75)
    assert sum(one.open for one in open_now) == 100_00
    world.turns_to("2026-04-01")
    letter = world.mails[-1].get_payload(decode=True).decode()
    assert NUMBER in letter
    assert "GS-1" not in letter
    assert world.faults() == []


def test_a_repeat_changes_nothing_and_another_content_is_named(taken: World) -> None:
    assert takes_over(taken, record()) == Taken(0, 1, {}, Counter())
    again = takes_over(taken, record(open="143.76", due="2026-04-01"), record("RE-2", customer="C-9"))
    assert {place: (error.code, error.faults[0].pointer) for place, error in again.refused.items()} == {
        0: ("item-changed", "/open"),
        1: ("customer-unknown", "/customer"),
    }
    assert (again.new, again.known, owed(taken)) == (0, 0, 143_75)
    assert taken.events() == []


def test_our_own_series_goes_on_where_the_former_system_ended(world: World) -> None:
    takes_over(world, record("INV-00041"), record("INV-00007"))
    received = world.orders("O-1", ("SN-33", 1, "4"))
    world.ships(received.stored.order_id)
    assert "InvoiceIssued INV-00042 5.00 EUR" in world.events()
    late = takes_over(world, record("INV-00043"), record("INV-00040"), record("INV-00042"))
    assert {place: error.code for place, error in late.refused.items()} == {
        0: "number-series",
        2: "item-changed",
    }
    assert late.new == 1
    assert world.faults() == []


def test_a_foreign_item_has_the_value_of_its_own_day(world: World) -> None:
    assert takes_over(world, record("RE-0", currency="USD")).unvalued == {"USD": 1}
    assert owed(world) == 0

    def rates(connection: Any) -> None:
        for day, rate in ((date(2026, 1, 1), "0.80"), (date(2026, 2, 20), "0.90")):
            companies.put_rate(connection, world.company_id, "USD", day, Decimal(rate))

    world.house.database.write(rates)
    old = record("RE-1", currency="USD", open="100.00", issued="2026-02-01")
    new = record("RE-2", currency="USD", open="100.00", issued="2026-02-25")
    assert takes_over(world, old, new, record()).new == 3
    assert owed(world) == 80_00 + 90_00 + 143_75
    assert world.faults() == []
