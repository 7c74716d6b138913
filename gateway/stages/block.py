"""Dunning blocks: a person keeps an invoice or a customer from being reminded until a day."""

from __future__ import annotations

from datetime import date

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.store import blocks, customers, items
from gateway.store.blocks import Block
from gateway.store.journal import Event, customer_stream
from o2c.errors import Conflict, Refused


def block(
    desk: Desk, *, customer_id: str | None, number: str | None, reason: str, until_on: date
) -> tuple[Block, bool]:
    """Block one invoice, or without ``number`` all that the customer owes, through ``until_on``; True
    beside it if the same block stands already and nothing was done.

    ``NotFound``; ``Refused`` with ``block-subject`` or ``block-day``.
    """
    today = desk.clock.today()
    if (customer_id is None) == (number is None):
        raise Refused("block-subject", "a block is for an invoice or for a customer: name one of them.")
    if until_on < today:
        raise Refused("block-day", f"{until_on} has passed.", next_step=f"Name {today} or a later day.")

    def unit(connection: Connection) -> tuple[Block, bool]:
        owner = customer_id or items.find(connection, desk.company_id, number or "").item.customer_id
        customers.find(connection, desk.company_id, owner)
        customers.lock(connection, desk.company_id, [owner])
        wanted = (owner, number, reason, until_on)
        for one in blocks.standing(connection, desk.company_id, today):
            if (one.customer_id, one.invoice_number, one.reason, one.until_on) == wanted:
                return one, True
        now = desk.clock.now()
        new = Block(new_id("blk", now), owner, reason, until_on, desk.actor, now, number)
        blocks.add(connection, desk.company_id, new)
        desk.record(connection, now, [_event(desk, connection, new, "DunningBlocked", reason)])
        return new, False

    return desk.database.write(unit)


def unblock(desk: Desk, block_id: str, reason: str) -> Block:
    """Lift a block before its day. ``NotFound('dunning-block')``; ``Conflict('block-state')``."""

    def unit(connection: Connection) -> Block:
        found = blocks.find(connection, desk.company_id, block_id)
        now = desk.clock.now()
        if not found.holds(desk.clock.today()) or not blocks.lift(
            connection, desk.company_id, block_id, desk.actor, now
        ):
            told = f"{block_id} is not in force any more."
            raise Conflict("block-state", told, next_step="See: o2c dunning blocks list")
        desk.record(connection, now, [_event(desk, connection, found, "DunningUnblocked", reason)])
        return blocks.find(connection, desk.company_id, block_id)

    return desk.database.write(unit)


def _event(desk: Desk, connection: Connection, one: Block, name: str, reason: str) -> Event:
    data = {"block": one.block_id, "invoice": one.invoice_number, "until_on": one.until_on, "reason": reason}
    numbers = [one.invoice_number] if one.invoice_number else []
    order_of = items.orders_of(connection, desk.company_id, numbers)
    return Event(customer_stream(one.customer_id), name, data, orders=tuple(filter(None, order_of.values())))
