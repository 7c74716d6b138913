"""What waits for a person: in which queue, until when, who is told, and when it takes two."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from formats import canonical
from gateway import jobs
from gateway.stages import fulfil, receive
from gateway.stages.approve import Approval, resolve_order
from gateway.stages.receive import Incoming
from gateway.store import customers, referrals
from gateway.store.archive import Document
from gateway.store.referrals import Referral
from o2c.errors import Conflict
from o2c.money import Money, Quantity
from o2c.order import Order, OrderLine
from rules.decider import RuleDecider
from rules.rulebook import load
from tests.journeys.world import BUYER, STANDARD, World

FINANCE, SALES = "finance@supplier.example", "sales@supplier.example"


@pytest.fixture
def office(world: World) -> World:
    """Our desks have addresses; C-NEW is unknown to everybody; there is plenty of SN-90."""
    world.given_profile(finance_email=FINANCE, sales_email=SALES)
    world.given_customer("C-NEW", credit_limit=None, approval_until=None)
    world.given_customer("C-MAX", credit_limit=Money(Decimal(1000), "EUR"))
    world.given_stock({"SN-90": {"BERGEN": 1000}})
    return world


def waiting(world: World, queue: str | None = None) -> list[Referral]:
    with world.house.database.read() as connection:
        return referrals.waiting(connection, world.company_id, queue=queue)


def goes_on(world: World, hour: int, minute: int = 0, day: int = 1) -> None:
    """It is later; the sweep looks round and what it finds is done."""
    world.clock.turn_to(datetime(2026, 3, day, hour, minute, tzinfo=UTC))
    jobs.start_day(world.house)
    world.run()


def letters_to(world: World, address: str) -> list[Any]:
    return [mail for mail in world.mails if mail["To"] == address]


def test_a_deadline_that_passes_is_told_once(office: World) -> None:
    """09:00 held for the credit manager with 24 h to answer; the sweep speaks on the next day, once."""
    held = office.orders("O-1", ("SN-90", 20, "100"), customer="C-MAX")
    [asked] = waiting(office)
    assert (asked.queue, asked.state, asked.amount) == ("credit manager", "held", 250_000)
    assert asked.answer_by == datetime(2026, 3, 2, 9, tzinfo=UTC)
    office.events()
    goes_on(office, 9, day=2)
    assert office.events() == [], "not late yet: it is due now"
    goes_on(office, 9, 1, day=2)
    assert office.events() == ["ReferralLate credit manager after 24 h 1 min", "NoticeSent referral-late"]
    subject = " ".join(letters_to(office, FINANCE)[-1]["Subject"].split())
    assert subject == f"Order {held.stored.order_id} should have been decided by 2026-03-02 09:00 UTC"
    goes_on(office, 10, day=2)
    assert office.events() == []
    resolve_order(office.desk.acting_as("Ada"), held.stored.order_id, Approval(True, "called"))
    assert waiting(office) == []
    assert office.faults() == []


def test_the_nearest_deadline_comes_first_and_none_comes_last(office: World) -> None:
    office.orders("O-1", ("SN-90", 10, "100"), customer="C-NEW")  # by otherwise: nobody set a time
    office.orders("O-2", ("SN-90", 20, "100"), customer="C-MAX")  # 24 h
    office.given_customer("C-BAD", refused_before=True)
    office.orders("O-3", ("SN-90", 1, "100"), customer="C-BAD")  # 4 h
    assert [one.customer_id for one in waiting(office)] == ["C-BAD", "C-MAX", "C-NEW"]
    assert [one.customer_id for one in waiting(office, "credit team")] == ["C-BAD"]
    assert waiting(office)[0].reason.startswith("An earlier order was refused")


def test_what_is_cancelled_or_judged_again_waits_no_more(office: World) -> None:
    order_id = office.orders("O-1", ("SN-90", 10, "100"), customer="C-NEW").stored.order_id
    fulfil.cancel(office.desk, order_id, [], "never mind")
    assert waiting(office) == []
    assert office.faults() == []


def test_without_an_address_the_late_word_lies_in_the_folder(world: World) -> None:
    world.given_customer("C-MAX", credit_limit=Money(Decimal(1000), "EUR"))
    world.orders("O-1", ("SN-33", 10, "1000"), customer="C-MAX")
    world.events()
    goes_on(world, 10, day=2)
    assert world.events() == ["ReferralLate credit manager after 25 h 0 min", "NoticeSent referral-late"]
    assert [path.parent.name for path in world.sent_files("txt")][-1:] == ["finance"]


# --- four eyes -----------------------------------------------------------------------------------
@pytest.fixture
def strict(office: World) -> World:
    """More than 1,000 EUR takes two persons."""
    office.given_profile(finance_email=FINANCE, four_eyes_above=Money(Decimal(1000), "EUR"))
    return office


def test_above_an_amount_it_takes_two_persons(strict: World) -> None:
    order_id = strict.orders("O-1", ("SN-90", 10, "100"), customer="C-NEW").stored.order_id
    strict.events()
    ada, bo = strict.desk.acting_as("Ada"), strict.desk.acting_as("Bo")
    limit = Money(Decimal(3000), "EUR")
    assert resolve_order(ada, order_id, Approval(True, "good references", limit, date(2027, 3, 1))) is False
    assert strict.events() == ["ApprovalRecorded good references"]
    [asked] = waiting(strict)
    assert asked.first_approval is not None
    assert (asked.first_approval.by, asked.first_approval.credit_limit) == ("Ada", limit)
    with pytest.raises(Conflict, match="already; this amount takes two persons"):
        resolve_order(ada, order_id, Approval(True, "and again"))
    with pytest.raises(Conflict, match="another limit or date"):
        resolve_order(bo, order_id, Approval(True, "more", Money(Decimal(9000), "EUR")))
    assert strict.events() == []
    assert resolve_order(bo, order_id, Approval(True, "agreed")) is True
    strict.run()
    assert strict.events()[:2] == ["OrderApproved by hand", "StockReserved"]
    with strict.house.database.read() as connection:
        who = customers.find(connection, strict.company_id, "C-NEW")
    assert (who.credit_limit, who.approval_until) == (limit, date(2027, 3, 1))
    assert strict.faults() == []


def test_a_small_order_with_a_large_limit_takes_two_as_well(strict: World) -> None:
    order_id = strict.orders("O-1", ("SN-90", 5, "100"), customer="C-NEW").stored.order_id
    large = Approval(True, "known for years", Money(Decimal(50_000), "EUR"))
    assert resolve_order(strict.desk.acting_as("Ada"), order_id, large) is False
    assert resolve_order(strict.desk.acting_as("Bo"), order_id, Approval(False, "no")) is True
    assert waiting(strict) == []


def test_up_to_the_amount_and_to_refuse_one_is_enough(strict: World) -> None:
    small = strict.orders("O-1", ("SN-90", 8, "100"), customer="C-NEW").stored.order_id
    assert resolve_order(strict.desk.acting_as("Ada"), small, Approval(True, "fine")) is True
    large = strict.orders("O-2", ("SN-90", 80, "100"), customer="C-NEW").stored.order_id
    assert resolve_order(strict.desk.acting_as("Ada"), large, Approval(False, "too much")) is True
    assert strict.faults() == []


# --- who is told ---------------------------------------------------------------------------------
def test_sales_is_told_of_what_cannot_be_supplied(office: World) -> None:
    office.given_stock({"SN-50": {"BERGEN": 0}})
    office.orders("O-1", ("SN-50", 10, "10"), ("SN-33", 1, "10"))
    assert office.events() == [
        "OrderReceived 137.50 EUR",
        "OrderApproved C40",
        "StockReserved",
        "LineCancelled",
        "OrderAnswered CA 7 5",
        "NoticeSent order-sales",
        "NoticeSent order-answer",
    ]
    [letter] = letters_to(office, SALES)
    words = letter.get_payload(decode=True).decode()
    assert "- 1 10 C62 Item SN-50: Out of stock with no delivery in sight" in words
    assert "SN-33" not in words
    assert office.faults() == []


NOTIFYING = b"""policy: credit
strictest_first: [reject, hold, refer, approve]
otherwise: refer
rules:
  - id: C1
    when: {this_order: "> 100.00"}
    then: refer
    notify: customer and sales
    say: We look at this one
tests:
  - {name: large, given: {this_order: 101.00}, expect: refer, by: C1}
"""


SMALL = Order(
    "api",
    "O-1",
    "PO-1",
    date(2026, 3, 1),
    "EUR",
    BUYER,
    (
        OrderLine(
            "1", "Item SN-90", Quantity(Decimal(1), "C62"), Decimal(100), tax=STANDARD, seller_item_id="SN-90"
        ),
    ),
    customer_id="C-1",
)


def test_a_credit_rule_can_have_customer_and_sales_told(office: World) -> None:
    decider = RuleDecider({"credit": load(NOTIFYING, name="credit.yaml")})
    order = replace(SMALL, ordered_on=office.clock.today())
    document = Document("order", "application/json", canonical.dumps(canonical.encode(order)))
    receive.receive_order(replace(office.desk, decider=decider), Incoming(order, document))
    office.run()
    assert office.events() == [
        "OrderReceived 125.00 EUR",
        "OrderReferred C1",
        "NoticeSent order-sales",
        "NoticeSent order-referred",
        "NoticeSent order-waiting",
    ]
    assert "The order is referred: We look at this one" in letters_to(office, SALES)[0].as_string()
