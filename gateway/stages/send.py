"""Send: carry one message out, with the same id on each try.

The outside world stands between two transactions: the id was fixed before, the evidence is kept
after. A try that died in between is made again and the receiver knows the id. A reminder is held
back at the very door if the money has come in meanwhile.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row

from gateway.ids import new_id
from gateway.stages import charge, tell
from gateway.stages.desk import Desk
from gateway.store import archive, disputes, items, jobs, outbox, promises
from gateway.store.jobs import Job
from gateway.store.journal import Event, customer_stream, order_stream
from o2c.errors import Refused
from o2c.ports import DeliveryChannel, Parcel
from o2c.promise import PromiseState

_EXTENSIONS = {"application/xml": "xml", "application/pdf": "pdf"}


def send_message(desk: Desk, job: Job) -> None:
    """Job handler: one delivery row. ``Unavailable`` goes up to be retried, ``Refused`` is final."""
    message_id = job.payload["message"]
    with desk.database.read() as connection:
        row = outbox.find_delivery(connection, desk.company_id, message_id)
        parcel = _parcel(desk, connection, row)
        withdrawn = _is_pointless(desk, connection, row) if row.state == "queued" else None
    if row.state != "queued" or withdrawn:
        desk.database.write(lambda connection: _close(desk, connection, job, row, withdrawn))
        return
    try:
        evidence = _channel(desk, row.channel).send(parcel)
    except Refused as refused:
        failure = refused
        desk.database.write(lambda connection: _fail(desk, connection, job, row, failure))
    else:
        desk.database.write(lambda connection: _sent(desk, connection, job, row, evidence))


def _channel(desk: Desk, name: str) -> DeliveryChannel:
    if name not in desk.channels:
        raise Refused("channel", f'the channel "{name}" is not configured.', next_step="Set O2C_SMTP_HOST.")
    return desk.channels[name]


def _parcel(desk: Desk, connection: Connection, row: Row[Any]) -> Parcel:
    if row.kind == "notice":
        notice = outbox.find_notice(connection, desk.company_id, row.subject_id)
        return Parcel(row.message_id, desk.company_id, row.recipient, notice.subject, notice.body)
    document = archive.fetch(connection, desk.company_id, row.document_sha256)
    name = f"{row.kind}-{row.subject_id}.{_EXTENSIONS[document.media_type]}"
    what = f"Invoice {row.subject_id}" if row.kind == "invoice" else f"Answer to order {row.subject_id}"
    return Parcel(
        row.message_id,
        desk.company_id,
        row.recipient,
        f"{what} from {desk.company.name}",
        f"{what} is attached.",
        name,
        document.content,
        document.media_type,
    )


def _is_pointless(desk: Desk, connection: Connection, row: Row[Any]) -> str | None:
    """Why a dunning letter must not leave the house any more: its items are no longer all open, or
    one was disputed or promised since it was written."""
    if row.kind != "notice":
        return None
    notice = outbox.find_notice(connection, desk.company_id, row.subject_id)
    if not notice.kind.startswith("dunning-") or notice.customer_id is None:
        return None
    listed = set(outbox.items_of(connection, desk.company_id, notice.notice_id))
    still_open = {
        one.item.invoice_number for one in items.open_items(connection, desk.company_id, [notice.customer_id])
    }
    if not listed <= still_open:
        return "paid meanwhile"
    since = row.created_at
    if any(one.opened_at > since for one in disputes.of_invoices(connection, desk.company_id, listed)):
        return "disputed meanwhile"
    running = promises.about(connection, desk.company_id, listed, PromiseState.RUNNING)
    if any(one.made_at > since for one in running):
        return "promised meanwhile"
    return None


def _close(desk: Desk, connection: Connection, job: Job, row: Row[Any], withdrawn: str | None) -> None:
    if withdrawn and outbox.record(connection, desk.company_id, row.message_id, state="withdrawn"):
        events = [_event(desk, connection, row, "NoticeWithdrawn", {"reason": withdrawn})]
        events += charge.cancel_letter(
            desk, connection, row.subject_id, f"its letter was held back: {withdrawn}"
        )
        before = outbox.before(connection, desk.company_id, row.subject_id)
        items.restore_levels(connection, desk.company_id, before)
        desk.record(connection, desk.clock.now(), events)
    jobs.done(connection, job)


def _sent(desk: Desk, connection: Connection, job: Job, row: Row[Any], evidence: str) -> None:
    now = desk.clock.now()
    result = {"state": "sent", "evidence": evidence, "sent_at": now, "last_error": None}
    jobs.done(connection, job)
    if not outbox.record(connection, desk.company_id, row.message_id, **result):
        return
    name = "NoticeSent" if row.kind == "notice" else "InvoiceSent" if row.kind == "invoice" else "AnswerSent"
    event = _event(desk, connection, row, name, {"channel": row.channel, "to": row.recipient})
    desk.record(connection, now, [event])


def _fail(desk: Desk, connection: Connection, job: Job, row: Row[Any], refused: Refused) -> None:
    words = str(refused)
    jobs.done(connection, job)
    if outbox.record(connection, desk.company_id, row.message_id, state="failed", last_error=words):
        event = _event(desk, connection, row, "SendFailed", {"channel": row.channel, "error": words})
        desk.record(connection, desk.clock.now(), [event])


def _event(desk: Desk, connection: Connection, row: Row[Any], name: str, data: dict[str, Any]) -> Event:
    """On the order's timeline, or on the customer's account for letters about several orders."""
    about: dict[str, Any] = {"message": row.message_id, "about": row.subject_id}
    if row.kind == "notice":
        notice = outbox.find_notice(connection, desk.company_id, row.subject_id)
        about |= {"kind": notice.kind, "subject": notice.subject}
        if row.order_id is None and notice.customer_id is not None:
            concerned = outbox.orders_of(connection, desk.company_id, notice.notice_id)
            return Event(customer_stream(notice.customer_id), name, about | data, orders=tuple(concerned))
    stream = order_stream(row.order_id) if row.order_id else "company"
    return Event(stream, name, about | data, document_sha256=row.document_sha256)


def send_again(desk: Desk, message_id: str) -> None:
    """Queue a failed message once more, under the same message id."""

    def unit(connection: Connection) -> None:
        outbox.find_delivery(connection, desk.company_id, message_id)
        outbox.requeue(connection, desk.company_id, message_id)
        again = f":{new_id('again', desk.clock.now())}"
        jobs.enqueue(connection, desk.company_id, [tell.send_job(message_id, again)])

    desk.database.write(unit)
