"""The table of states, and the derivation of an order's status that must obey it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.errors import Broken
from o2c.order import OrderPart, PartState
from o2c.process import (
    EVENTS,
    NEW,
    TRANSITIONS,
    Document,
    OrderFacts,
    OrderStatus,
    as_markdown,
    check,
    order_status,
)

STAGES = {
    "receive",
    "approve",
    "fulfil",
    "bill",
    "send",
    "settle",
    "apply",
    "enrich",
    "returns",
    "undo",
    "remind",
    "report",
    "rulefiles",
    "takeover",
}
RESERVED, BACKORDERED, CANCELLED, SHIPPED = (
    PartState.RESERVED,
    PartState.BACKORDERED,
    PartState.CANCELLED,
    PartState.SHIPPED,
)


def parts(*states: PartState) -> tuple[OrderPart, ...]:
    return tuple(OrderPart(str(number), state, Decimal(5)) for number, state in enumerate(states))


def test_every_event_of_the_table_is_in_the_journal_and_every_stage_is_one_of_ours() -> None:
    rows = [row for row in TRANSITIONS if row.document is not Document.JOB]
    assert {row.event for row in rows} <= EVENTS.keys()
    assert {row.stage for row in rows} <= STAGES


def test_no_row_is_there_twice_and_every_state_can_be_reached() -> None:
    assert max(Counter(TRANSITIONS).values()) == 1
    for document in Document:
        rows = [row for row in TRANSITIONS if row.document is document]
        reached = {NEW}
        for _ in rows:
            reached |= {row.to_state for row in rows if row.from_state in reached}
        assert reached == {NEW} | {row.from_state for row in rows} | {row.to_state for row in rows}


def test_the_states_of_orders_and_parts_are_those_of_their_types() -> None:
    states = {d: {r.to_state for r in TRANSITIONS if r.document is d} for d in Document}
    assert states[Document.ORDER] == set(OrderStatus)
    assert states[Document.PART] == set(PartState)


def test_an_undeclared_change_is_our_fault() -> None:
    check(Document.PART, "reserved", "shipped")
    with pytest.raises(Broken, match="order part cannot go from 'cancelled' to 'shipped'"):
        check(Document.PART, "cancelled", "shipped")


def test_the_page_shows_every_row_and_event() -> None:
    page = as_markdown()
    for row in TRANSITIONS:
        assert f"| {row.from_state} | {row.event} | {row.to_state} | {row.stage} |" in page
    for event, meaning in EVENTS.items():
        assert f"| {event} | {meaning} |" in page
    assert page.count("\n## ") == len(Document) + 1


APPROVED = OrderFacts("approve")


@pytest.mark.parametrize(
    ("facts", "status"),
    [
        (OrderFacts(), "received"),
        (OrderFacts("refer"), "referred"),
        (OrderFacts("hold"), "held"),
        (OrderFacts("reject"), "refused"),
        (APPROVED, "approved"),
        (replace(APPROVED, parts=parts(BACKORDERED)), "approved"),
        (replace(APPROVED, parts=parts(RESERVED, BACKORDERED)), "partly reserved"),
        (replace(APPROVED, parts=parts(RESERVED, CANCELLED)), "reserved"),
        (replace(APPROVED, parts=parts(SHIPPED, RESERVED)), "partly shipped"),
        (replace(APPROVED, parts=parts(SHIPPED, BACKORDERED), invoiced=Decimal(5)), "partly shipped"),
        (replace(APPROVED, parts=parts(SHIPPED, CANCELLED)), "shipped"),
        (replace(APPROVED, parts=parts(SHIPPED, SHIPPED), invoiced=Decimal(5), open_minor=1), "shipped"),
        (replace(APPROVED, parts=parts(SHIPPED, CANCELLED), invoiced=Decimal(5), open_minor=1), "invoiced"),
        (replace(APPROVED, parts=parts(SHIPPED), invoiced=Decimal(5)), "paid"),
        (replace(APPROVED, parts=parts(CANCELLED, CANCELLED)), "cancelled"),
        (OrderFacts("hold", cancelled=True), "cancelled"),
    ],
)
def test_an_order_stands_where_its_documents_say(facts: OrderFacts, status: str) -> None:
    assert order_status(facts) == status


def test_an_unknown_credit_outcome_is_our_fault() -> None:
    with pytest.raises(Broken, match="order-credit"):
        order_status(OrderFacts("perhaps"))


@given(st.data())
def test_no_life_of_an_order_leaves_the_table(data: st.DataObject) -> None:
    first = st.sampled_from([RESERVED, BACKORDERED, CANCELLED])
    facts = APPROVED
    stocked = replace(facts, parts=parts(*data.draw(st.lists(first, min_size=1, max_size=3), "parts")))
    walk(facts, stocked)
    facts = stocked
    for _ in range(data.draw(st.integers(0, 9), "steps")):
        steps = next_steps(facts)
        if not steps:
            break
        following = data.draw(st.sampled_from(steps), "step")
        walk(facts, following)
        facts = following


def walk(before: OrderFacts, after: OrderFacts) -> None:
    if order_status(before) != order_status(after):
        check(Document.ORDER, order_status(before), order_status(after))


def next_steps(facts: OrderFacts) -> list[OrderFacts]:
    """Everything that can happen next: one part moves, what was shipped is billed, money moves."""
    moves = [(row.from_state, row.to_state) for row in TRANSITIONS if row.document is Document.PART]
    steps = []
    for place, part in enumerate(facts.parts):
        for source, target in moves:
            if part.state == source:
                moved = replace(part, state=PartState(target))
                others = (*facts.parts[:place], moved, *facts.parts[place + 1 :])
                steps.append(replace(facts, parts=others))
    shipped = sum((part.quantity for part in facts.parts if part.state is SHIPPED), Decimal(0))
    if shipped > facts.invoiced:
        steps.append(replace(facts, invoiced=shipped, open_minor=facts.open_minor + 100))
        steps.append(replace(facts, invoiced=shipped))
    if facts.open_minor:
        steps.append(replace(facts, open_minor=0))
    return steps
