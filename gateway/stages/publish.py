"""Publish: post one event to one subscriber (Standard Webhooks), with the id fixed beforehand."""

from __future__ import annotations

from sqlalchemy import Connection

from gateway.clock import machine_time
from gateway.ids import new_id
from gateway.stages.desk import Desk
from gateway.store import jobs, webhooks
from gateway.store.jobs import Job, NewJob
from o2c.errors import Refused, Unavailable


def publish_event(desk: Desk, job: Job) -> None:
    """Job handler: one webhook delivery. ``Unavailable`` is logged and goes up to be retried."""
    delivery_id = job.payload["delivery"]
    with desk.database.read() as connection:
        row = webhooks.find(connection, desk.company_id, delivery_id)

    def close(**values: object) -> None:
        def unit(connection: Connection) -> None:
            if values:
                webhooks.record(connection, desk.company_id, delivery_id, **values)
            jobs.done(connection, job)

        desk.database.write(unit)

    if row.state != "queued" or row.disabled_at is not None:
        close()
        return
    try:
        status = desk.post_event(row.url, row.secret, delivery_id, machine_time(), row.body.encode())
    except Refused as refused:
        close(state="failed", last_error=str(refused))
    except Unavailable as problem:
        words = str(problem)
        desk.database.write(
            lambda connection: webhooks.record(connection, desk.company_id, delivery_id, last_error=words)
        )
        raise
    else:
        close(state="delivered", last_status=status, last_error=None, delivered_at=desk.clock.now())


def publish_again(desk: Desk, delivery_id: str) -> None:
    """Send a logged event once more, under the same id."""

    def unit(connection: Connection) -> None:
        webhooks.find(connection, desk.company_id, delivery_id)
        webhooks.requeue(connection, desk.company_id, delivery_id)
        again = f"webhook:{delivery_id}:{new_id('again', machine_time())}"
        jobs.enqueue(connection, desk.company_id, [NewJob("webhook", again, {"delivery": delivery_id})])

    desk.database.write(unit)
