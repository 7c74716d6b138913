"""Words for people: what a customer or our own desk is told, and on which way it goes.

A notice, its delivery row with a fixed message id, and the send job are written in the
transaction of the event they speak of, so nobody is told twice and nobody is forgotten.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

from sqlalchemy import Connection

from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.store import customers, outbox
from gateway.store.jobs import NewJob
from gateway.store.orders import StoredOrder
from gateway.store.outbox import Delivery, Notice
from gateway.store.referrals import Referral
from o2c.answer import LineStatus, OrderAnswer, ResponseCode
from o2c.dunning import Letter, ReviewPoint
from o2c.letter import Written
from o2c.money import Money
from o2c.order import Customer
from o2c.shipment import Shipment

_RESULTS = {
    ResponseCode.ACCEPTED: "accepted",
    ResponseCode.CONDITIONAL: "accepted with changes",
    ResponseCode.REJECTED: "not accepted",
}
_LINES = {LineStatus.ACCEPTED: "as ordered", LineStatus.CHANGED: "changed", LineStatus.REJECTED: "cancelled"}


def message_id(desk: Desk) -> str:
    """A new message id in the shape of RFC 5322, without the angle brackets."""
    return f"{new_id('msg', desk.clock.now())}@{desk.company_id.lower()}.o2c"


def way_to(desk: Desk, customer: Customer) -> tuple[str, str]:
    """(channel, recipient) for words to a customer: mail where it is set up and we know an address."""
    address = customer.email or customer.party.contact.email
    return ("mail", address) if address and "mail" in desk.channels else ("folder", customer.customer_id)


def say(
    desk: Desk,
    connection: Connection,
    kind: str,
    subject: str,
    lines: Sequence[str],
    *,
    customer: Customer,
    order_id: str | None = None,
    invoices: tuple[str, ...] = (),
) -> NewJob:
    """Queue one notice to a customer; returns its send job."""
    now = desk.clock.now()
    greeting = [f"Dear {customer.party.contact.name or customer.party.name},", ""]
    closing = ["", "Kind regards", desk.company.name]
    words = "\n".join([*greeting, *lines, *closing])
    notice = Notice(new_id("ntc", now), kind, subject, words, customer.customer_id, order_id, invoices)
    channel, recipient = way_to(desk, customer)
    message = Delivery(message_id(desk), "notice", notice.notice_id, channel, recipient, order_id)
    outbox.add_notices(connection, desk.company_id, now, [notice])
    outbox.add_deliveries(connection, desk.company_id, now, [message])
    return send_job(message.message_id)


def send_job(message: str, again: str = "") -> NewJob:
    """Carry out one delivery row."""
    return NewJob("send", f"send:{message}{again}", {"message": message})


def shipped(desk: Desk, connection: Connection, stored: StoredOrder, shipment: Shipment) -> list[NewJob]:
    """Tell the customer what left, with the tracking details."""
    customer = customers.find(connection, desk.company_id, stored.customer_id)
    names = {line.line_id: line for line in stored.order.lines}
    lines = [f"Goods of your order {stored.order.document_id} left us on {shipment.shipped_on}:"]
    lines += [
        f"- {q.quantity.normalize():f} {names[q.line_id].quantity.unit} {names[q.line_id].name}"
        for q in shipment.lines
    ]
    if shipment.tracking_id:
        lines.append(f"Tracking: {shipment.carrier or ''} {shipment.tracking_id}".strip())
    subject = f"Order {stored.order.document_id}: goods shipped"
    return [say(desk, connection, "shipped", subject, lines, customer=customer, order_id=stored.order_id)]


def answered(
    desk: Desk, connection: Connection, stored: StoredOrder, customer: Customer, answer: OrderAnswer
) -> NewJob:
    """Tell the customer what becomes of the order, line by line."""
    lines = [f"Your order {stored.order.document_id} is {_RESULTS[answer.code]}."]
    if answer.note:
        lines.append(answer.note)
    for line in answer.lines:
        lines.append(
            f"- {line.line_id} {line.name}: {_LINES[line.status]}{f'. {line.note}' if line.note else ''}"
        )
    subject = f"Order {stored.order.document_id}: {_RESULTS[answer.code]}"
    return say(desk, connection, "order-answer", subject, lines, customer=customer, order_id=stored.order_id)


def stopped(
    desk: Desk, connection: Connection, stored: StoredOrder, customer: Customer, words: str
) -> NewJob:
    """Tell a customer why an order waits: what to settle first, or that we are looking at it."""
    subject = f"Order {stored.order.document_id}: waiting"
    return say(
        desk, connection, "order-waiting", subject, [words], customer=customer, order_id=stored.order_id
    )


def finance(desk: Desk, connection: Connection, stored: StoredOrder, words: str) -> list[NewJob]:
    """Ask the finance desk about an order that needs a closer look (where it has an address)."""
    if not desk.company.profile.finance_email:
        return []
    subject = f"Order {stored.order_id} needs a decision"
    notice = _to_our_own(desk, "order-referred", stored.order_id, subject, words)
    return _post(desk, connection, "finance", desk.company.profile.finance_email, [notice])


def rolled_back(desk: Desk, connection: Connection, policy: str, sha256: str, reason: str) -> list[NewJob]:
    """Tell the finance desk that one person has put an earlier rule file in force again (where it has
    an address)."""
    if not desk.company.profile.finance_email:
        return []
    words = f"{desk.actor} put the {policy} rules {sha256} in force again, at once.\nReason: {reason}"
    notice = _to_our_own(desk, "rules-rolled-back", None, f"The {policy} rules were rolled back", words)
    return _post(desk, connection, "finance", desk.company.profile.finance_email, [notice])


def late(desk: Desk, connection: Connection, waiting: Sequence[Referral]) -> list[NewJob]:
    """Tell the finance desk of orders that nobody has answered in time, one notice each."""
    currency = desk.company.currency
    notices = [
        _to_our_own(
            desk,
            "referral-late",
            one.order_id,
            f"Order {one.order_id} should have been decided by {one.answer_by:%Y-%m-%d %H:%M} UTC",
            f"{one.customer_id}, {Money.from_minor(one.amount, currency)}, {one.state}"
            f"{f', queue {one.queue}' if one.queue else ''}: {one.reason}",
        )
        for one in waiting
    ]
    return _post(desk, connection, "finance", desk.company.profile.finance_email, notices)


def sales(
    desk: Desk, connection: Connection, told: Sequence[tuple[StoredOrder, Sequence[str]]]
) -> list[NewJob]:
    """Tell our sales people what becomes of orders (where they have an address), one notice each."""
    address = desk.company.profile.sales_email
    if not told or not address:
        return []
    notices = [
        _to_our_own(
            desk,
            "order-sales",
            stored.order_id,
            f"Order {stored.order.document_id} of {stored.order.buyer.name}",
            "\n".join([f"Order {stored.order_id}, customer {stored.customer_id}:", *words]),
        )
        for stored, words in told
    ]
    return _post(desk, connection, "sales", address, notices)


def _to_our_own(desk: Desk, kind: str, order_id: str | None, subject: str, words: str) -> Notice:
    return Notice(new_id("ntc", desk.clock.now()), kind, subject, words, None, order_id)


def _post(
    desk: Desk, connection: Connection, who: str, address: str | None, notices: Sequence[Notice]
) -> list[NewJob]:
    """Queue notices to a desk of ours: by mail where it is set up and has an address, else in the folder
    of its name."""
    now = desk.clock.now()
    channel, recipient = ("mail", address) if address and "mail" in desk.channels else ("folder", who)
    messages = [
        Delivery(message_id(desk), "notice", one.notice_id, channel, recipient, one.order_id)
        for one in notices
    ]
    outbox.add_notices(connection, desk.company_id, now, notices)
    outbox.add_deliveries(connection, desk.company_id, now, messages)
    return [send_job(message.message_id) for message in messages]


def finance_desk(desk: Desk, connection: Connection, kind: str, subject: str, words: str) -> list[NewJob]:
    """Tell the finance desk something (where it has an address)."""
    address = desk.company.profile.finance_email
    if not address:
        return []
    now = desk.clock.now()
    notice = Notice(new_id("ntc", now), kind, subject, words)
    message = Delivery(message_id(desk), "notice", notice.notice_id, "mail", address)
    outbox.add_notices(connection, desk.company_id, now, [notice])
    outbox.add_deliveries(connection, desk.company_id, now, [message])
    return [send_job(message.message_id)]


def reminder(
    desk: Desk,
    customer: Customer,
    letter: Letter,
    notice_id: str,
    written: Written,
    before: Mapping[str, tuple[str, date | None]],
) -> tuple[Notice, Delivery]:
    """ONE letter for all items of a customer, and the message that carries it: not stored yet.

    ``before``: level and day of the last notice of those whose level it raises."""
    numbers = tuple(item.invoice_number for item in letter.items)
    kind = f"dunning-{letter.level}"
    notice = Notice(
        notice_id, kind, written.subject, written.body, customer.customer_id, None, numbers, before
    )
    channel, recipient = way_to(desk, customer)
    return notice, Delivery(message_id(desk), "notice", notice_id, channel, recipient)


def review_words(points: Sequence[ReviewPoint]) -> list[dict[str, str]]:
    """The findings of an invoice review, for the journal."""
    return [{"code": point.code, "message": point.message} for point in points]
