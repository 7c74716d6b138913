"""Dunning blocks: an invoice, or all that a customer owes, is left alone until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.store.schema import dunning_block
from o2c.errors import NotFound


@dataclass(frozen=True, slots=True)
class Block:
    """One block. ``until_on`` is its last day; without ``invoice_number`` it is for all invoices."""

    block_id: str
    customer_id: str
    reason: str
    until_on: date
    set_by: str
    set_at: datetime
    invoice_number: str | None = None
    lifted_by: str | None = None
    lifted_at: datetime | None = None

    def holds(self, today: date) -> bool:
        """Is it in force?"""
        return self.lifted_at is None and today <= self.until_on


def add(connection: Connection, company_id: str, new: Block) -> None:
    """Insert one block."""
    connection.execute(
        insert(dunning_block),
        {
            "company_id": company_id,
            "block_id": new.block_id,
            "customer_id": new.customer_id,
            "invoice_number": new.invoice_number,
            "reason": new.reason,
            "until_on": new.until_on,
            "set_by": new.set_by,
            "set_at": new.set_at,
        },
    )


def _read(row: Row[Any]) -> Block:
    return Block(**{name: getattr(row, name) for name in Block.__dataclass_fields__})


def find(connection: Connection, company_id: str, block_id: str) -> Block:
    """One block; ``NotFound('dunning-block')``."""
    query = select(dunning_block).where(
        dunning_block.c.company_id == company_id, dunning_block.c.block_id == block_id
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(
            "dunning-block",
            f"there is no dunning block {block_id}.",
            next_step="See: o2c dunning blocks list",
        )
    return _read(row)


def standing(connection: Connection, company_id: str, today: date) -> list[Block]:
    """Those in force today: one statement."""
    query = select(dunning_block).where(
        dunning_block.c.company_id == company_id,
        dunning_block.c.until_on >= today,
        dunning_block.c.lifted_at.is_(None),
    )
    return [_read(row) for row in connection.execute(query.order_by(dunning_block.c.block_id))]


def page(connection: Connection, company_id: str, after: str, limit: int) -> list[Block]:
    """Blocks by id, after ``after``, those that have ended too."""
    query = select(dunning_block).where(
        dunning_block.c.company_id == company_id, dunning_block.c.block_id > after
    )
    return [_read(row) for row in connection.execute(query.order_by(dunning_block.c.block_id).limit(limit))]


def lift(connection: Connection, company_id: str, block_id: str, by: str, at: datetime) -> bool:
    """End a block before its day; False if it was lifted already."""
    changed = connection.execute(
        update(dunning_block)
        .where(
            dunning_block.c.company_id == company_id,
            dunning_block.c.block_id == block_id,
            dunning_block.c.lifted_at.is_(None),
        )
        .values(lifted_by=by, lifted_at=at)
    )
    return changed.rowcount == 1
