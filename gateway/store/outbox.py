"""What leaves the house: notices, and one delivery row per message, with an id fixed beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from gateway.store.schema import delivery, item, notice, notice_item
from o2c.errors import NotFound


@dataclass(frozen=True, slots=True)
class Notice:
    """Words for a person: a reminder, an answer to an order, a question for the finance desk."""

    notice_id: str
    kind: str
    subject: str
    body: str
    customer_id: str | None = None
    order_id: str | None = None
    invoices: tuple[str, ...] = ()  # those a dunning letter lists
    before: Mapping[str, tuple[str, date | None]] = field(default_factory=dict)  # level and day it changes


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message on its way. ``subject_id`` is the invoice number, notice id or order id."""

    message_id: str
    kind: str
    subject_id: str
    channel: str
    recipient: str
    order_id: str | None = None
    document_sha256: str | None = None


def add_notices(connection: Connection, company_id: str, at: datetime, new: Sequence[Notice]) -> None:
    """Insert notices."""
    if new:
        connection.execute(
            insert(notice),
            [
                {
                    "company_id": company_id,
                    "notice_id": one.notice_id,
                    "kind": one.kind,
                    "customer_id": one.customer_id,
                    "order_id": one.order_id,
                    "subject": one.subject,
                    "body": one.body,
                    "created_at": at,
                }
                for one in new
            ],
        )
    items = [
        {
            "company_id": company_id,
            "notice_id": one.notice_id,
            "invoice_number": number,
            "level_before": one.before[number][0] if number in one.before else None,
            "notice_before_on": one.before[number][1] if number in one.before else None,
        }
        for one in new
        for number in one.invoices
    ]
    if items:
        connection.execute(insert(notice_item), items)


def items_of(connection: Connection, company_id: str, notice_id: str) -> list[str]:
    """The invoice numbers a letter lists."""
    query = select(notice_item.c.invoice_number).where(
        notice_item.c.company_id == company_id, notice_item.c.notice_id == notice_id
    )
    return list(connection.execute(query.order_by(notice_item.c.invoice_number)).scalars())


def before(connection: Connection, company_id: str, notice_id: str) -> dict[str, tuple[str, date | None]]:
    """Level and day of the last notice of each invoice as they were before this letter raised them."""
    query = select(notice_item).where(
        notice_item.c.company_id == company_id,
        notice_item.c.notice_id == notice_id,
        notice_item.c.level_before.is_not(None),
    )
    return {row.invoice_number: (row.level_before, row.notice_before_on) for row in connection.execute(query)}


def orders_of(connection: Connection, company_id: str, notice_id: str) -> list[str]:
    """The orders whose invoices a letter lists; items taken over have none."""
    query = (
        select(item.c.order_id)
        .distinct()
        .join(
            notice_item,
            (notice_item.c.company_id == item.c.company_id) & (notice_item.c.invoice_number == item.c.number),
        )
        .where(
            notice_item.c.company_id == company_id,
            notice_item.c.notice_id == notice_id,
            item.c.order_id.is_not(None),
        )
    )
    return sorted(connection.execute(query).scalars())


def find_notice(connection: Connection, company_id: str, notice_id: str) -> Notice:
    """One notice; ``NotFound('notice')``."""
    row = connection.execute(
        select(notice).where(notice.c.company_id == company_id, notice.c.notice_id == notice_id)
    ).one_or_none()
    if row is None:
        raise NotFound("notice", f"there is no notice {notice_id}.")
    return Notice(row.notice_id, row.kind, row.subject, row.body, row.customer_id, row.order_id)


def add_deliveries(connection: Connection, company_id: str, at: datetime, new: Sequence[Delivery]) -> None:
    """Queue messages; the send jobs are the caller's."""
    if new:
        connection.execute(
            insert(delivery),
            [
                {
                    "company_id": company_id,
                    "message_id": one.message_id,
                    "kind": one.kind,
                    "subject_id": one.subject_id,
                    "order_id": one.order_id,
                    "channel": one.channel,
                    "recipient": one.recipient,
                    "document_sha256": one.document_sha256,
                    "state": "queued",
                    "created_at": at,
                }
                for one in new
            ],
        )


def find_delivery(connection: Connection, company_id: str, message_id: str) -> Row[Any]:
    """One delivery row; ``NotFound('message')``."""
    row = connection.execute(
        select(delivery).where(delivery.c.company_id == company_id, delivery.c.message_id == message_id)
    ).one_or_none()
    if row is None:
        raise NotFound("message", f"there is no message {message_id}.")
    return row


def deliveries_of(connection: Connection, company_id: str, subject_ids: Sequence[str]) -> list[Row[Any]]:
    """Every message about these subjects, oldest first."""
    query = select(delivery).where(
        delivery.c.company_id == company_id, delivery.c.subject_id.in_(subject_ids)
    )
    return list(connection.execute(query.order_by(delivery.c.created_at, delivery.c.message_id)))


def record(connection: Connection, company_id: str, message_id: str, **values: Any) -> bool:
    """Store how a queued message ended. False if another worker has done so already."""
    result = connection.execute(
        update(delivery)
        .where(
            delivery.c.company_id == company_id,
            delivery.c.message_id == message_id,
            delivery.c.state == "queued",
        )
        .values(attempts=delivery.c.attempts + 1, **values)
    )
    return result.rowcount == 1


def requeue(connection: Connection, company_id: str, message_id: str) -> None:
    """A failed message waits for another try."""
    connection.execute(
        update(delivery)
        .where(
            delivery.c.company_id == company_id,
            delivery.c.message_id == message_id,
            delivery.c.state == "failed",
        )
        .values(state="queued")
    )
