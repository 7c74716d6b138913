"""Dunning blocks, and the late charges that letters have claimed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import messages
from gateway.http.fields import Day, Id, Paging, Strict, Words
from gateway.http.messages import JSON, answer
from gateway.http.operation import answers, operation
from gateway.http.order_views import total
from gateway.http.problems import named_in_body
from gateway.http.schema import Sum
from gateway.stages import block, charge
from gateway.stages.desk import Desk
from gateway.store import blocks, charges
from gateway.store.blocks import Block
from o2c.late_charge import LateCharge

blueprint = APIBlueprint("dunning", __name__, tag="Receivables")


class BlockBody(Strict):
    """An invoice, or all that a customer owes, is left alone through ``until_on``."""

    reason: Words
    until_on: Day
    customer_id: Id | None = Field(None, description="This, or `invoice`.")
    invoice: Id | None = Field(None, description="This, or `customer_id`.")


class ReasonBody(Strict):
    """Why."""

    reason: Words


class ChargeQuery(Paging):
    """Which late charges."""

    invoice: Annotated[Id | None, Field(description="Only those of this invoice.")] = None


@dataclass(frozen=True, slots=True)
class BlockView:
    """``holds``: it is in force today. Without ``invoice`` it is for all that the customer owes."""

    id: str
    customer_id: str
    reason: str
    until_on: date
    holds: bool
    set_by: str
    set_at: datetime
    invoice: str | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BlockPage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[BlockView]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class ChargeView:
    """A claim (``cause`` claimed), or a row that takes one back: its amount is negative, ``cancels``
    names the claim, and ``cause`` is waived, disputed, credited or withdrawn."""

    id: str
    invoice: str
    customer_id: str
    kind: str
    cause: str
    amount: Sum
    charged_on: date
    words: str
    actor: str
    made_at: datetime
    letter: str | None = None
    cancels: str | None = None


@dataclass(frozen=True, slots=True)
class ChargePage:
    """One page. ``next`` is the ``after`` of the page that follows; absent on the last one."""

    items: list[ChargeView]
    next: str | None = None


def block_view(one: Block, today: date) -> BlockView:
    """A block as it stands on that day."""
    return BlockView(
        one.block_id,
        one.customer_id,
        one.reason,
        one.until_on,
        one.holds(today),
        one.set_by,
        one.set_at,
        one.invoice_number,
        one.lifted_by,
        one.lifted_at,
    )


def charge_view(one: LateCharge) -> ChargeView:
    """A row of the late charges."""
    return ChargeView(
        one.charge_id,
        one.invoice_number,
        one.customer_id,
        one.kind,
        one.cause,
        total(one.amount.minor, one.amount.currency),
        one.charged_on,
        one.words,
        one.actor,
        one.made_at,
        one.notice_id,
        one.cancels,
    )


@blueprint.post("/v1/dunning-blocks")
@operation(
    "receivables:write",
    {
        201: answers(BlockView, "In force.", Location="Where the block is."),
        200: answers(BlockView, "The same was in force before.", Idempotent_Replayed="`true`."),
    },
    reads={JSON: BlockBody},
)
def create_dunning_block(desk: Desk) -> Response:
    """Keep an invoice or a customer from being reminded"""
    asked = messages.body(BlockBody)
    with named_in_body("/invoice" if asked.invoice else "/customer_id"):
        made, replayed = block.block(
            desk,
            customer_id=asked.customer_id,
            number=asked.invoice,
            reason=asked.reason,
            until_on=asked.until_on,
        )
    seen = block_view(made, desk.clock.today())
    if replayed:
        return answer(seen, 200, {"Idempotent-Replayed": "true"})
    return answer(seen, 201, {"Location": f"/v1/dunning-blocks/{made.block_id}"})


@blueprint.get("/v1/dunning-blocks")
@operation("receivables:read", {200: answers(BlockPage, "One page, oldest first.")}, query=Paging)
def list_dunning_blocks(desk: Desk) -> Response:
    """List dunning blocks"""
    asked = messages.query(Paging)
    with desk.database.read() as connection:
        found = blocks.page(connection, desk.company_id, asked.after, asked.limit + 1)
    page = [block_view(one, desk.clock.today()) for one in found[: asked.limit]]
    return answer(BlockPage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.get("/v1/dunning-blocks/<block_id>")
@operation("receivables:read", {200: answers(BlockView, "The block.")})
def show_dunning_block(desk: Desk, block_id: str) -> Response:
    """Show a dunning block"""
    with desk.database.read() as connection:
        return answer(block_view(blocks.find(connection, desk.company_id, block_id), desk.clock.today()))


@blueprint.post("/v1/dunning-blocks/<block_id>/lifting")
@operation(
    "receivables:write",
    {200: answers(BlockView, "Lifted.")},
    reads={JSON: ReasonBody},
    conflicts="It is not in force any more.",
)
def lift_dunning_block(desk: Desk, block_id: str) -> Response:
    """Lift a dunning block before its day"""
    asked = messages.body(ReasonBody)
    return answer(block_view(block.unblock(desk, block_id, asked.reason), desk.clock.today()))


@blueprint.get("/v1/late-charges")
@operation("receivables:read", {200: answers(ChargePage, "One page, oldest first.")}, query=ChargeQuery)
def list_late_charges(desk: Desk) -> Response:
    """List late charges

    Fees, interest and lump sums that letters have claimed, with the calculation, and what was taken back."""
    asked = messages.query(ChargeQuery)
    with desk.database.read() as connection:
        found = charges.page(connection, desk.company_id, asked.after, asked.limit + 1, number=asked.invoice)
    page = [charge_view(one) for one in found[: asked.limit]]
    return answer(ChargePage(page, page[-1].id if len(found) > asked.limit else None))


@blueprint.post("/v1/late-charges/<charge_id>/waiver")
@operation(
    "receivables:write",
    {201: answers(ChargeView, "The row that takes the claim back.")},
    reads={JSON: ReasonBody},
    conflicts="There is no claim any more that could be let go.",
)
def waive_late_charge(desk: Desk, charge_id: str) -> Response:
    """Let a late charge go"""
    asked = messages.body(ReasonBody)
    return answer(charge_view(charge.waive(desk, charge_id, asked.reason)), 201)
