"""A promise to pay is kept, broken or put right; a block ends with its day."""

from __future__ import annotations

from datetime import date

import pytest

from gateway.stages import dispute, promise
from gateway.stages.block import block, unblock
from gateway.stages.dispute import Question
from gateway.stages.promise import Word
from gateway.store import orders
from o2c.dispute import Reason
from o2c.errors import Conflict, Refused
from o2c.money import Money
from o2c.promise import Promise, PromiseState
from tests.journeys.bank_file import Line
from tests.journeys.test_a6_before_due_then_overdue import invoiced, words_of
from tests.journeys.world import World

__all__ = ["invoiced"]  # the fixture: INV-00001 of 143.75 EUR, due 31 March


@pytest.fixture
def reminded(invoiced: World) -> World:
    """The first notice went out on 1 April; the second would follow on the 14th."""
    invoiced.turns_to("2026-04-02")
    invoiced.events()
    return invoiced


def promised(world: World, on: str = "2026-04-20", *numbers: str, amount: str | None = None) -> Promise:
    word = Word(numbers or ("INV-00001",), date.fromisoformat(on), Money.parse(amount) if amount else None)
    made, _ = promise.make_promise(world.desk, word)
    return made


def pays(world: World, amount: str, on: str | None = None) -> None:
    reference = world.invoice("INV-00001").invoice.payment.reference
    world.bank_sends(Line(amount, reference=reference), on=date.fromisoformat(on) if on else None)


PAID = [
    "StatementImported",
    "EntryBooked 143.75 EUR",
    "PaymentApplied INV-00001 143.75 EUR by reference-exact",
    "InvoicePaid INV-00001",
]


def test_a_promise_is_kept(reminded: World) -> None:
    promised(reminded)
    assert reminded.events() == ["PromiseMade INV-00001 143.75 EUR by 2026-04-20"]
    reminded.turns_to("2026-04-20")
    assert reminded.events() == []
    pays(reminded, "143.75")
    assert reminded.events() == [*PAID, "PromiseKept INV-00001", "CreditReleased"]
    reminded.turns_to("2026-05-31")
    assert reminded.events() == []
    assert reminded.faults() == []


def test_a_promise_is_broken_and_dunning_goes_on_at_once(reminded: World) -> None:
    promised(reminded)
    reminded.turns_to("2026-04-20")
    reminded.events()
    reminded.turns_to("2026-04-21")
    assert reminded.events() == [
        "PromiseBroken INV-00001",
        "LateChargeClaimed INV-00001 interest 0.99 EUR",
        "NoticeSent dunning-L2",
    ]
    assert reminded.faults() == []


def test_money_in_sight_breaks_no_promise(reminded: World) -> None:
    promised(reminded)
    reminded.turns_to("2026-04-20")
    reminded.bank_sends(Line("143.75", text="as promised", payer="Somebody Else"))
    reminded.events()
    reminded.turns_to("2026-05-10")
    assert reminded.events() == []


def test_a_bank_file_that_comes_late_shows_that_the_promise_was_kept(reminded: World) -> None:
    promised(reminded)
    reminded.turns_to("2026-04-21")
    assert "PromiseBroken INV-00001" in reminded.events()
    pays(reminded, "143.75", on="2026-04-20")
    assert "PromiseKept INV-00001" in reminded.events()
    assert reminded.faults() == []


def test_money_that_comes_too_late_does_not_keep_it(reminded: World) -> None:
    promised(reminded)
    reminded.turns_to("2026-04-20")
    reminded.events()
    pays(reminded, "143.75", on="2026-04-21")
    assert reminded.events() == [*PAID, "PromiseBroken INV-00001", "CreditReleased"]
    assert reminded.faults() == []


def test_a_part_is_promised_and_a_part_is_enough(reminded: World) -> None:
    promised(reminded, amount="100.00 EUR")
    pays(reminded, "60.00")
    assert not [line for line in reminded.events() if line.startswith("PromiseKept")]
    pays(reminded, "40.00")
    assert reminded.events()[-1] == "PromiseKept INV-00001"
    # What is left is asked for as before.
    reminded.turns_to("2026-04-14")
    assert "NoticeSent dunning-L2" in reminded.events()
    assert "INV-00001: 43.75 EUR" in words_of(reminded.mails[-1])


def test_one_letter_does_not_ask_for_what_is_promised(reminded: World) -> None:
    reminded.given_stock({"SN-36": {"BERGEN": 2}})
    second = reminded.orders("O-2", ("SN-36", 2, "100"))  # held: it needs a person
    assert second.stored.state == "held"
    promised(reminded)
    reminded.turns_to("2026-04-14")
    assert [line for line in reminded.events() if "dunning" in line] == []


def test_a_promise_names_what_is_owed_and_runs_alone(reminded: World) -> None:
    with pytest.raises(Refused, match=r"143\.76 EUR cannot be promised: 143\.75 EUR is open"):
        promised(reminded, amount="143.76 EUR")
    with pytest.raises(Refused, match="2026-04-01 has passed"):
        promised(reminded, "2026-04-01")
    first = promised(reminded)
    assert promised(reminded) == first
    with pytest.raises(Conflict, match="is running for these invoices"):
        promised(reminded, "2026-04-25")
    promise.withdraw_promise(reminded.desk, first.promise_id, "calls again")
    assert promised(reminded, "2026-04-25").state is PromiseState.RUNNING


def test_what_is_disputed_is_not_promised(reminded: World) -> None:
    dispute.open_dispute(reminded.desk, "INV-00001", Question(Reason.PRICE, "", Money.parse("40.00 EUR")))
    assert str(promised(reminded).amount) == "103.75 EUR"


def test_a_block_ends_with_its_day(invoiced: World) -> None:
    invoiced.turns_to("2026-03-20")
    invoiced.events()
    block(invoiced.desk, customer_id=None, number="INV-00001", reason="in court", until_on=date(2026, 4, 10))
    assert invoiced.events() == ["DunningBlocked INV-00001 until 2026-04-10"]
    invoiced.turns_to("2026-04-10")
    assert invoiced.events() == []
    invoiced.turns_to("2026-04-11")
    assert invoiced.events() == [
        "AccountFlagged INV-00001",
        "CreditHeld INV-00001",
        "NoticeSent dunning-L1",
    ]
    assert invoiced.faults() == []


def test_a_block_of_a_customer_is_for_all_it_owes_and_can_be_lifted(invoiced: World) -> None:
    invoiced.turns_to("2026-03-20")
    until = date(2026, 12, 31)
    set_, _ = block(invoiced.desk, customer_id="C-1", number=None, reason="large contract", until_on=until)
    invoiced.turns_to("2026-04-10")
    invoiced.events()
    unblock(invoiced.desk, set_.block_id, "signed")
    assert invoiced.events() == ["DunningUnblocked"]
    invoiced.turns_to("2026-04-11")
    assert invoiced.events()[-1] == "NoticeSent dunning-L1"
    with pytest.raises(Conflict, match="not in force any more"):
        unblock(invoiced.desk, set_.block_id, "again")
    assert invoiced.faults() == []


def test_days_of_grace_are_the_customers_own(invoiced: World) -> None:
    invoiced.given_customer(grace_days=5)
    invoiced.turns_to("2026-04-05")
    assert [line for line in invoiced.events() if line.endswith("L1")] == []
    invoiced.turns_to("2026-04-06")
    assert invoiced.events()[-1] == "NoticeSent dunning-L1"


def test_a_broken_promise_counts_when_credit_is_decided(reminded: World) -> None:
    promised(reminded)
    reminded.turns_to("2026-04-22")
    reminded.given_stock({"SN-36": {"BERGEN": 2}})
    asked = reminded.orders("O-2", ("SN-36", 2, "100"))
    with reminded.house.database.read() as connection:
        made = orders.decisions(connection, reminded.company_id, asked.stored.order_id)
    assert [one.facts["broken_promises"] for row, one in made if row.policy == "credit"] == [1]
