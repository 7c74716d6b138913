"""Bank statements in rows. Their payments are in ``bank``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from formats.camt.statements import Head
from gateway.store.rows import pack
from gateway.store.schema import company, payment, statement
from o2c.errors import NotFound
from o2c.money import Money


def lock_cash(connection: Connection, company_id: str) -> None:
    """Wait for whoever else brings cash into this company's books: decisions come one after the other."""
    query = select(company.c.company_id).where(company.c.company_id == company_id)
    connection.execute(query.with_for_update())


def find_statement(connection: Connection, company_id: str, head: Head) -> Row[Any] | None:
    """The standing statement of the same account, bank's id and period, if any."""
    return connection.execute(
        select(statement).where(
            statement.c.company_id == company_id,
            statement.c.account == head.account,
            statement.c.bank_statement_id == head.statement_id,
            statement.c.from_on.is_not_distinct_from(head.from_on),
            statement.c.to_on.is_not_distinct_from(head.to_on),
            statement.c.undone_at.is_(None),
        )
    ).first()


def statement_row(connection: Connection, company_id: str, statement_id: str) -> Row[Any]:
    """One statement by our id; ``NotFound('statement')``."""
    mine = (statement.c.company_id == company_id) & (statement.c.statement_id == statement_id)
    row = connection.execute(select(statement).where(mine)).one_or_none()
    if row is None:
        raise NotFound("statement", f"there is no statement {statement_id}.")
    return row


def statements_of_file(
    connection: Connection, company_id: str, sha256: str, *, standing: bool = False
) -> list[Row[Any]]:
    """The statements that came in with these bytes, oldest first."""
    query = select(statement).where(
        statement.c.company_id == company_id, statement.c.document_sha256 == sha256
    )
    if standing:
        query = query.where(statement.c.undone_at.is_(None))
    return list(connection.execute(query.order_by(statement.c.statement_id)))


def last_sequence(connection: Connection, company_id: str, head: Head) -> int | None:
    """The highest sequence number of the account before this one, in the same year where dates tell."""
    if head.sequence is None:
        return None
    query = select(func.max(statement.c.sequence)).where(
        statement.c.company_id == company_id,
        statement.c.account == head.account,
        statement.c.undone_at.is_(None),
        statement.c.sequence < head.sequence,
    )
    if head.to_on is not None:  # many banks begin with 1 each year
        query = query.where(statement.c.to_on >= head.to_on.replace(month=1, day=1))
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def add_statement(
    connection: Connection,
    company_id: str,
    statement_id: str,
    head: Head,
    *,
    document_sha256: str,
    override: tuple[str, str] | None,
    at: datetime,
) -> None:
    """Insert a statement that begins. ``override``: why its balances are not asked to add up, and who
    said so."""
    connection.execute(
        insert(statement),
        {
            "company_id": company_id,
            "statement_id": statement_id,
            "account": head.account,
            "bank_statement_id": head.statement_id,
            "content_sha256": "",
            "document_sha256": document_sha256,
            "from_on": head.from_on,
            "to_on": head.to_on,
            "currency": head.currency,
            "warnings": "[]",
            "imported_at": at,
            "sequence": head.sequence,
            "override_reason": override and override[0],
            "override_by": override and override[1],
        },
    )


@dataclass(frozen=True, slots=True)
class End:
    """What is known of a statement once it is proved."""

    content_sha256: str
    opening: Money | None
    closing: Money | None
    warnings: Sequence[str]


def complete_statement(connection: Connection, company_id: str, statement_id: str, end: End) -> None:
    """Store how a statement ended."""
    mine = (statement.c.company_id == company_id) & (statement.c.statement_id == statement_id)
    values = {
        "content_sha256": end.content_sha256,
        "opening_minor": end.opening and end.opening.minor,
        "closing_minor": end.closing and end.closing.minor,
        "warnings": pack(end.warnings),
    }
    connection.execute(update(statement).where(mine).values(values))


def step_aside(connection: Connection, company_id: str, statement_id: str, at: datetime) -> None:
    """The statement and its payments are undone: the same file may come in again."""
    for table in (statement, payment):
        mine = (table.c.company_id == company_id) & (table.c.statement_id == statement_id)
        connection.execute(update(table).where(mine, table.c.undone_at.is_(None)).values(undone_at=at))
