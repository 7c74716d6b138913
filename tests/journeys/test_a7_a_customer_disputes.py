"""A7, the dunning side: what a customer disputes is left alone, and nothing but that."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from gateway import jobs
from gateway.stages import dispute
from gateway.stages.dispute import Question
from gateway.stages.remind import run_reminders
from gateway.store import companies
from o2c.dispute import Dispute, DisputeState, Reason
from o2c.errors import Conflict, Refused
from o2c.money import Money
from tests.journeys.bank_file import Line
from tests.journeys.test_a6_before_due_then_overdue import invoiced, words_of
from tests.journeys.world import World

__all__ = ["invoiced"]  # the fixture: INV-00001 of 143.75 EUR, due 31 March

LETTER = """\
Dear Kari,

these invoices are overdue. Please pay them now:
- INV-00001: 103.75 EUR, due 2026-03-31, 1 day overdue, reference {reference}
    40.00 EUR of it is in dispute and not asked for here
Total: 103.75 EUR

Please pay to account NO9386011117947 and give the reference, so that we know what it is for.

If they stay unpaid, a second notice follows, and from then on reminder fees and late payment interest are \
charged as far as the law allows.
New orders wait until they are settled. If you have paid already, please tell us when.

Kind regards
The Supplier AS
"""


def opened(world: World, amount: str | None = "40.00 EUR", said: str = "3.20 was agreed") -> Dispute:
    """The customer questions the price."""
    asked = Question(Reason.PRICE, said, Money.parse(amount) if amount else None)
    made, _ = dispute.open_dispute(world.desk, "INV-00001", asked)
    return made


def letters(world: World) -> list[str]:
    return [line for line in world.events() if line.startswith(("NoticeSent", "LateCharge"))]


def test_a_part_is_disputed_and_the_rest_goes_on(invoiced: World) -> None:
    invoiced.turns_to("2026-03-20")
    invoiced.events()
    made = opened(invoiced)
    assert made.answer_by == date(2026, 4, 3)
    assert invoiced.events() == ["DisputeOpened INV-00001 40.00 EUR"]

    invoiced.turns_to("2026-04-01")
    assert invoiced.events() == [
        "AccountFlagged INV-00001",
        "CreditHeld INV-00001",
        "NoticeSent dunning-L1",
    ]
    reference = invoiced.invoice("INV-00001").invoice.payment.reference
    assert words_of(invoiced.mails[-1]) == LETTER.format(reference=reference)

    invoiced.turns_to("2026-04-03")
    assert invoiced.events() == []
    invoiced.turns_to("2026-04-05")
    assert invoiced.events() == ["DisputeLate INV-00001"]  # once

    # 103.75 EUR x 12 % x 14/365 = 0.4775; the books have no NOK rate, so there is no fee.
    invoiced.turns_to("2026-04-14")
    assert invoiced.events() == ["LateChargeClaimed INV-00001 interest 0.48 EUR", "NoticeSent dunning-L2"]
    assert "Total: 104.23 EUR" in words_of(invoiced.mails[-1])

    invoiced.turns_to("2026-04-20")
    dispute.close_dispute(
        invoiced.desk, made.dispute_id, DisputeState.REJECTED, "the price is that of the order"
    )
    assert invoiced.events() == ["DisputeClosed INV-00001 rejected"]
    # 143.75 EUR x 12 % x 28/365 = 1.3233, less 0.48 claimed before.
    invoiced.turns_to("2026-04-28")
    assert invoiced.events() == ["LateChargeClaimed INV-00001 interest 0.84 EUR", "NoticeSent dunning-L3"]
    assert "INV-00001: 143.75 EUR" in words_of(invoiced.mails[-1])
    assert "Total: 145.07 EUR" in words_of(invoiced.mails[-1])
    assert invoiced.faults() == []


def test_what_is_paid_but_for_the_disputed_part_is_left_in_peace(invoiced: World) -> None:
    opened(invoiced)
    invoiced.turns_to("2026-03-30")
    reference = invoiced.invoice("INV-00001").invoice.payment.reference
    invoiced.bank_sends(Line("103.75", reference=reference))
    invoiced.events()
    invoiced.turns_to("2026-06-30")
    assert invoiced.events() == []
    assert invoiced.open("INV-00001") == "40.00 EUR"
    invoiced.bank_sends(Line("40.00", reference=reference))
    assert invoiced.events() == [
        "StatementImported",
        "EntryBooked 40.00 EUR",
        "PaymentApplied INV-00001 40.00 EUR by reference-exact",
        "InvoicePaid INV-00001",
        "DisputeClosed INV-00001 settled",
    ]
    assert invoiced.faults() == []


def test_the_whole_is_disputed_and_nothing_is_claimed_any_more(invoiced: World) -> None:
    invoiced.turns_to("2026-04-14")
    invoiced.events()
    made = opened(invoiced, None)
    assert made.amount == Money(Decimal("143.75"), "EUR")
    assert invoiced.events() == [
        "DisputeOpened INV-00001 143.75 EUR",
        "LateChargeCancelled INV-00001 interest -0.66 EUR disputed",
    ]
    invoiced.turns_to("2026-05-20")
    assert letters(invoiced) == []
    # It was not in the right: the letters go on, and the interest is claimed from the due day.
    dispute.close_dispute(invoiced.desk, made.dispute_id, DisputeState.REJECTED, "delivered and signed for")
    invoiced.turns_to("2026-05-21")
    assert letters(invoiced) == ["LateChargeClaimed INV-00001 interest 2.41 EUR", "NoticeSent dunning-L3"]
    assert invoiced.faults() == []


def test_what_we_have_accepted_is_never_asked_for(invoiced: World) -> None:
    made = opened(invoiced)
    dispute.close_dispute(invoiced.desk, made.dispute_id, DisputeState.ACCEPTED, "a credit note follows")
    invoiced.turns_to("2026-04-01")
    assert "INV-00001: 103.75 EUR" in words_of(invoiced.mails[-1])
    assert invoiced.faults() == []


def test_a_dispute_is_never_larger_than_what_is_open(invoiced: World) -> None:
    opened(invoiced, "100.00 EUR")
    with pytest.raises(
        Refused, match=r"43\.76 EUR cannot be disputed: 43\.75 EUR of INV-00001 is open"
    ) as refused:
        opened(invoiced, "43.76 EUR", "and that too")
    assert refused.value.code == "dispute-amount"
    opened(invoiced, "43.75 EUR", "and that too")
    with pytest.raises(Refused, match=r"143\.75 EUR is disputed already"):
        opened(invoiced, None, "and more")


def test_the_same_dispute_again_is_one_and_a_closed_one_stays_closed(invoiced: World) -> None:
    made = opened(invoiced)
    again, known = dispute.open_dispute(
        invoiced.desk, "INV-00001", Question(Reason.PRICE, "3.20 was agreed", Money.parse("40.00 EUR"))
    )
    assert (again, known) == (made, True)
    closed = dispute.close_dispute(invoiced.desk, made.dispute_id, DisputeState.REJECTED, "no")
    assert dispute.close_dispute(invoiced.desk, made.dispute_id, DisputeState.REJECTED, "no") == closed
    with pytest.raises(Conflict, match="is rejected already"):
        dispute.close_dispute(invoiced.desk, made.dispute_id, DisputeState.ACCEPTED, "yes")


def test_a_dispute_that_comes_between_letter_and_door_holds_the_letter_back(invoiced: World) -> None:
    """Its charges go with it."""
    invoiced.turns_to("2026-04-13")
    invoiced.clock.turn_to("2026-04-14")
    invoiced.events()
    desk = invoiced.desk
    assert desk.database.write(lambda connection: run_reminders(desk, connection)) == 1
    invoiced.clock.turn_to("2026-04-14T00:00:01")
    opened(invoiced)
    jobs.run_due(invoiced.house)
    assert invoiced.events() == [
        "LateChargeClaimed INV-00001 interest 0.66 EUR",
        "DisputeOpened INV-00001 40.00 EUR",
        "NoticeWithdrawn",
        "LateChargeCancelled INV-00001 interest -0.66 EUR withdrawn",
    ]
    # It was never received, so it is not skipped: the second notice goes out without the disputed part.
    invoiced.turns_to("2026-04-15")
    assert invoiced.events() == ["LateChargeClaimed INV-00001 interest 0.51 EUR", "NoticeSent dunning-L2"]
    assert "INV-00001: 103.75 EUR" in words_of(invoiced.mails[-1])
    assert invoiced.faults() == []


def test_finance_is_told_once_of_what_nobody_has_answered(invoiced: World) -> None:
    company = invoiced.desk.company
    reachable = replace(company, profile=replace(company.profile, finance_email="finance@supplier.example"))
    invoiced.house.database.write(lambda connection: companies.describe(connection, reachable))
    invoiced.house.forget(company.company_id)
    made = opened(invoiced, None)
    invoiced.turns_to("2026-03-15")  # the last day of the two weeks
    invoiced.events()
    invoiced.turns_to("2026-03-16")
    assert invoiced.events() == ["DisputeLate INV-00001", "NoticeSent dispute-late"]
    letter = invoiced.mails[-1]
    assert (letter["To"], letter["Subject"]) == ("finance@supplier.example", "1 unanswered dispute")
    assert (
        f"{made.dispute_id}: INV-00001, customer C-1, 143.75 EUR (price), answer was due on 2026-03-15"
        in (words_of(letter))
    )
    invoiced.turns_to("2026-03-20")
    assert invoiced.events() == []
    assert invoiced.faults() == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("DELETE FROM dispute", "DisputeOpened is in the journal and what it made is not stored"),
        ("UPDATE dispute SET state = 'accepted'", "its DisputeClosed is not in the journal"),
    ],
)
def test_a_dispute_that_somebody_bends_is_found(invoiced: World, change: str, words: str) -> None:
    opened(invoiced)
    assert invoiced.faults() == []
    invoiced.house.database.write(lambda connection: connection.execute(text(change)))
    assert any(words in fault for fault in invoiced.faults())
