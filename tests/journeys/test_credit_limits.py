"""Dated limits, shared limits and habits: what a customer may owe on a day, and what is said about it."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest

from gateway.stages.grant import Grant, end_limit, grant_limit
from gateway.stages.receive import Received
from gateway.store import customers, limits, orders
from o2c.credit import Behaviour, LimitKind
from o2c.decision import Decision
from o2c.errors import Conflict, NotFound, Refused
from o2c.money import Money
from tests.journeys.bank_file import Line
from tests.journeys.world import World


def eur(amount: int) -> Money:
    return Money(Decimal(amount), "EUR")


def decided(world: World, received: Received) -> Decision:
    """The latest credit decision about an order, as it is stored."""
    with world.house.database.read() as connection:
        made = orders.decisions(connection, world.company_id, received.stored.order_id)
    return [decision for row, decision in made if row.policy == "credit"][-1]


def state(world: World, received: Received) -> str:
    with world.house.database.read() as connection:
        return orders.find(connection, world.company_id, received.stored.order_id).state


@pytest.fixture
def shop(world: World) -> World:
    """C-T may owe 1,000 EUR; there is plenty of SN-90 at 100 EUR and 25 % VAT."""
    world.given_customer("C-T", credit_limit=eur(1000))
    world.given_stock({"SN-90": {"BERGEN": 1000}})
    return world


def test_a_temporary_limit_lapses_in_the_middle_of_a_week(shop: World) -> None:
    """Monday 2 March to Friday: on Tuesday it carries an order, on Thursday it has run out."""
    shop.turns_to("2026-03-02")
    wanted = Grant(
        LimitKind.TEMPORARY, eur(5000), "trade fair", valid_until=date(2026, 3, 4), customer_id="C-T"
    )
    granted = grant_limit(shop.desk.acting_as("controller Ada"), wanted)
    assert shop.events() == ["CreditLimitGranted temporary 5000.00 EUR"]

    shop.turns_to("2026-03-03")
    tuesday = shop.orders("O-1", ("SN-90", 30, "100"), customer="C-T")
    assert (tuesday.stored.state, decided(shop, tuesday).rule) == ("approved", "C50")
    figures = decided(shop, tuesday).facts
    assert {name: figures[name] for name in ("credit_limit", "own_limit", "temporary_limit", "exposure")} == {
        "credit_limit": Decimal("5000.00"),
        "own_limit": Decimal("1000.00"),
        "temporary_limit": Decimal("5000.00"),
        "exposure": Decimal("3750.00"),
    }
    shop.turns_to("2026-03-04")
    on_the_last_day = shop.orders("O-2", ("SN-90", 1, "100"), customer="C-T")
    assert on_the_last_day.stored.state == "approved"

    shop.turns_to("2026-03-05")
    thursday = shop.orders("O-3", ("SN-90", 1, "100"), customer="C-T")
    made = decided(shop, thursday)
    assert (thursday.stored.state, made.rule, made.facts["temporary_limit"]) == (
        "held",
        "C60/3",
        Decimal("0.00"),
    )
    assert made.say == ("Far above the credit limit: the temporary limit of 5000.00 EUR ended on 2026-03-04")
    assert state(shop, tuesday) == "approved", "what was decided stays as it was decided"
    with pytest.raises(Refused, match="cannot make it longer"):
        end_limit(shop.desk, granted.limit_id, date(2026, 3, 31), "longer")
    assert shop.faults() == []


def test_a_held_order_goes_on_when_a_limit_carries_it(shop: World) -> None:
    held = shop.orders("O-1", ("SN-90", 20, "100"), customer="C-T")
    assert held.stored.state == "held"
    shop.events()
    grant_limit(shop.desk, Grant(LimitKind.INSURED, eur(3000), "policy 77", customer_id="C-T"))
    shop.run()
    assert shop.events() == [
        "CreditLimitGranted insured 3000.00 EUR",
        "OrderApproved C50",
        "StockReserved",
        "OrderAnswered AP 5",
        "NoticeSent order-answer",
    ]
    assert shop.faults() == []


def test_a_limit_is_ended_by_a_row_of_its_own(shop: World) -> None:
    wanted = Grant(LimitKind.OWN, eur(4000), "grows", customer_id="C-T")
    granted = grant_limit(shop.desk, wanted)
    ended = end_limit(shop.desk.acting_as("controller Bo"), granted.limit_id, date(2026, 2, 28), "a slip")
    assert shop.events() == ["CreditLimitGranted own 4000.00 EUR", "CreditLimitEnded own 2026-02-28"]
    with pytest.raises(Conflict, match="ended or replaced already"):
        end_limit(shop.desk, granted.limit_id, date(2026, 2, 28), "again")
    with pytest.raises(NotFound, match="no credit limit lim_none"):
        end_limit(shop.desk, "lim_none", date(2026, 2, 28), "what?")
    with pytest.raises(NotFound, match="no customer C-NONE"):
        grant_limit(shop.desk, Grant(LimitKind.OWN, eur(1), "who?", customer_id="C-NONE"))
    with shop.house.database.read() as connection:
        known = limits.standing(connection, shop.company_id, "EUR", customer_id="C-T")
    assert [(one.limit_id, one.replaces) for one in known] == [(ended.limit_id, granted.limit_id)]
    after = shop.orders("O-1", ("SN-90", 10, "100"), customer="C-T")
    assert decided(shop, after).facts["credit_limit"] == Decimal("1000.00")
    assert "own limit" not in decided(shop, after).say, "what was taken back never was"
    assert shop.faults() == []


def test_a_lapsed_approval_is_said(shop: World) -> None:
    shop.given_customer("C-L", credit_limit=eur(5000), approval_until=date(2026, 2, 28))
    shop.given_customer("C-OLD", credit_limit=eur(5000), approval_until=date(2026, 3, 1))
    asked = shop.orders("O-1", ("SN-90", 10, "100"), customer="C-L")
    made = decided(shop, asked)
    assert (asked.stored.state, made.rule) == ("referred", "C52")
    assert made.say == "The approval has run out: the approval ended on 2026-02-28"
    on_its_last_day = shop.orders("O-2", ("SN-90", 10, "100"), customer="C-OLD")
    assert (on_its_last_day.stored.state, decided(shop, on_its_last_day).rule) == ("approved", "C50")


# --- groups --------------------------------------------------------------------------------------
@pytest.fixture
def group(shop: World) -> World:
    """C-G1 and C-G2 may owe 10,000 each, and 3,000 together."""
    for name in ("C-G1", "C-G2"):
        shop.given_customer(name, group_id="FJORD")
    grant_limit(shop.desk, Grant(LimitKind.GROUP, eur(3000), "parent guarantee", group_id="FJORD"))
    shop.events()
    return shop


def test_members_share_the_limit_of_their_group(group: World) -> None:
    first = group.orders("O-1", ("SN-90", 20, "100"), customer="C-G1")
    second = group.orders("O-2", ("SN-90", 10, "100"), customer="C-G2")
    third = group.orders("O-3", ("SN-90", 4, "100"), customer="C-G1")
    assert [one.stored.state for one in (first, second, third)] == ["approved", "held", "approved"], (
        "up to it"
    )
    made = decided(group, second)
    assert (made.rule, made.say) == ("C80/2", "Far above the limit of the group")
    assert {name: made.facts[name] for name in made.facts if "group" in name or name == "exposure"} == {
        "exposure": Decimal("1250.00"),
        "group_limit": Decimal("3000.00"),
        "group_exposure": Decimal("3750.00"),
        "group_exposure_percent": Decimal("125.00"),
    }
    assert group.faults() == []


def test_a_group_limit_grows_and_its_held_members_go_on(group: World) -> None:
    group.orders("O-1", ("SN-90", 20, "100"), customer="C-G1")
    held = group.orders("O-2", ("SN-90", 20, "100"), customer="C-G2")
    assert held.stored.state == "held"
    group.events()
    grant_limit(group.desk, Grant(LimitKind.GROUP, eur(6000), "guarantee raised", group_id="FJORD"))
    group.run()
    assert group.events()[:2] == ["CreditLimitGranted group 6000.00 EUR", "OrderApproved C50"]
    with pytest.raises(NotFound, match="no customer group NOBODY"):
        grant_limit(group.desk, Grant(LimitKind.GROUP, eur(1), "who?", group_id="NOBODY"))
    assert group.faults() == []


# --- habits --------------------------------------------------------------------------------------
def test_who_mostly_pays_late_is_looked_at(shop: World) -> None:
    """Five invoices of March, due on 31 March, paid on 20 April: the next large order goes to a person."""
    shop.given_customer("C-SLOW", dunning_block=True)
    for place in range(1, 6):
        received = shop.orders(f"O-{place}", ("SN-90", 1, "100"), customer="C-SLOW")
        shop.ships(received.stored.order_id)
    shop.turns_to("2026-04-20")
    references = [shop.invoice(f"INV-{n:05d}").invoice.payment.reference for n in range(1, 6)]
    before = shop.orders("O-6", ("SN-90", 5, "100"), customer="C-SLOW")
    assert decided(shop, before).facts["paid_invoices"] == 0
    shop.bank_sends(*(Line("125.00", reference=reference) for reference in references))
    shop.turns_to("2026-04-21")
    with shop.house.database.read() as connection:
        account = customers.figures(connection, shop.company_id, "C-SLOW", shop.clock.today())
    assert account.behaviour == Behaviour(paid=5, late=5, days_late=100)
    after = shop.orders("O-7", ("SN-90", 5, "100"), customer="C-SLOW")
    made = decided(shop, after)
    assert (after.stored.state, made.rule, made.say) == ("referred", "C70", "This customer mostly pays late")
    assert (made.facts["mean_days_late"], made.facts["share_paid_late"]) == (20, Decimal("100.00"))
    shop.turns_to("2027-04-22")
    with shop.house.database.read() as connection:
        account = customers.figures(connection, shop.company_id, "C-SLOW", shop.clock.today())
    assert account.behaviour == Behaviour(), "after a year it is forgotten"


def test_a_review_that_is_due_is_listed_and_stops_only_who_is_near_the_limit(shop: World) -> None:
    shop.given_customer("C-R", credit_limit=eur(1000), review_on=date(2026, 3, 2))
    shop.given_customer("C-LATER", review_on=date(2026, 3, 3))
    assert due(shop) == []
    shop.turns_to("2026-03-02")
    assert due(shop) == ["C-R"]
    far = shop.orders("O-1", ("SN-90", 6, "100"), customer="C-R")
    near = shop.orders("O-2", ("SN-90", 1, "100"), customer="C-R")
    assert [(one.stored.state, decided(shop, one).rule) for one in (far, near)] == [
        ("approved", "C50"),
        ("referred", "C75"),
    ]
    shop.given_customer("C-R", review_on=shop.clock.today() + timedelta(days=365))
    assert due(shop) == []


def due(world: World) -> list[str]:
    with world.house.database.read() as connection:
        found = customers.due_for_review(connection, world.company_id, world.clock.today())
    return [who.customer_id for who in found]
