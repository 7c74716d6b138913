"""A2: a first order is approved when small, else a person decides; the answer names rule and figures."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from gateway.stages.approve import Approval, resolve_order
from gateway.stages.receive import Received
from gateway.store import orders
from o2c.decision import Decision
from o2c.errors import Conflict
from o2c.money import Money
from tests.journeys.world import World


def credit_decision(world: World, received: Received) -> Decision:
    """The latest credit decision about an order, as it is stored."""
    with world.house.database.read() as connection:
        made = orders.decisions(connection, world.company_id, received.stored.order_id)
    return [decision for row, decision in made if row.policy == "credit"][-1]


@pytest.fixture
def newcomer(world: World) -> World:
    """C-NEW: nobody knows it, no limit, no approval."""
    world.given_customer("C-NEW", credit_limit=None, approval_until=None)
    return world


def test_a_small_first_order_is_approved_with_rule_version_and_figures(newcomer: World) -> None:
    received = newcomer.orders("O-1", ("SN-33", 10, "10"), customer="C-NEW")
    decision = credit_decision(newcomer, received)
    assert (decision.outcome, decision.rule, len(decision.rulebook_sha)) == ("approve", "C40", 64)
    assert decision.facts["this_order"] == Decimal("125.00")
    assert {unmet.rule for unmet in decision.why_not} >= {"C10", "C20", "C30", "C50"}


def test_a_large_first_order_is_referred_approved_and_goes_on_without_reposting(newcomer: World) -> None:
    received = newcomer.orders("O-1", ("SN-33", 10, "100"), customer="C-NEW")
    assert newcomer.events() == ["OrderReceived 1250.00 EUR", "OrderReferred otherwise"]
    controller = newcomer.desk.acting_as("controller Ada")
    approval = Approval(True, "good references", Money(Decimal(3000), "EUR"), date(2027, 3, 1))
    resolve_order(controller, received.stored.order_id, approval)
    newcomer.run()
    assert newcomer.events() == [
        "OrderApproved by hand",
        "StockReserved",
        "OrderAnswered AP 5",
        "NoticeSent order-answer",
    ]
    with pytest.raises(Conflict, match="only a referred or held order"):
        resolve_order(controller, received.stored.order_id, approval)

    newcomer.given_stock({"SN-90": {"BERGEN": 5}})
    returning = newcomer.orders("O-2", ("SN-90", 5, "100"), customer="C-NEW")
    assert (returning.stored.state, credit_decision(newcomer, returning).rule) == ("approved", "C50")
    assert newcomer.faults() == []


def test_the_next_order_of_a_refused_customer_is_treated_as_new(newcomer: World) -> None:
    received = newcomer.orders("O-1", ("SN-33", 10, "100"), customer="C-NEW")
    resolve_order(
        newcomer.desk.acting_as("controller Ada"), received.stored.order_id, Approval(False, "no references")
    )
    newcomer.run()
    assert newcomer.events()[-3:] == ["OrderRefused", "OrderAnswered RE", "NoticeSent order-answer"]
    again = newcomer.orders("O-2", ("SN-33", 1, "10"), customer="C-NEW")
    assert (again.stored.state, credit_decision(newcomer, again).rule) == ("referred", "C10")
    assert newcomer.faults() == []


def test_open_orders_count_so_a_second_order_can_exceed_the_limit(newcomer: World) -> None:
    newcomer.given_customer("C-LIM", credit_limit=Money(Decimal(1000), "EUR"))
    newcomer.given_stock({"SN-90": {"BERGEN": 100}})
    first = newcomer.orders("O-1", ("SN-90", 8, "100"), customer="C-LIM")
    second = newcomer.orders("O-2", ("SN-90", 2, "100"), customer="C-LIM")
    assert (first.stored.state, second.stored.state) == ("approved", "held")
    decision = credit_decision(newcomer, second)
    assert (decision.rule, decision.facts["exposure"]) == ("C60/3", Decimal("1250.00"))
