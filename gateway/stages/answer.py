"""Tell the parties what becomes of an order: the buyer, in words and as a Peppol Order Response
where the order came as one, and the finance desk where a person must decide."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection

from formats.ubl.write_order_response import write_order_response
from gateway.ids import new_id
from gateway.stages import tell
from gateway.stages.approve import WAITING
from gateway.stages.desk import Desk
from gateway.stages.judge import products_of
from gateway.store import archive, catalogue, customers, jobs, orders, outbox
from gateway.store.archive import Document
from gateway.store.jobs import Job, NewJob
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from gateway.store.outbox import Delivery
from o2c.answer import OrderAnswer, ResponseCode, answer
from o2c.decision import Decision
from o2c.order import OrderPart, PartState, Product

PEPPOL = "peppol"  # the source of orders that came as Peppol BIS Order


def answer_order(desk: Desk, job: Job) -> None:
    """Job handler: answer one order as it stands."""
    order_id = job.payload["order"]

    def unit(connection: Connection) -> None:
        stored = orders.find(connection, desk.company_id, order_id)
        if job.payload.get("state", stored.state) != stored.state:
            pass  # decided otherwise meanwhile: the answer to that is a job of its own
        elif stored.state in WAITING:
            _ask_for_patience(desk, connection, stored)
        else:
            _answer(desk, connection, stored)
        jobs.done(connection, job)

    desk.database.write(unit)


def _ask_for_patience(desk: Desk, connection: Connection, stored: StoredOrder) -> None:
    customer = customers.find(connection, desk.company_id, stored.customer_id)
    made = _latest_credit(desk, connection, stored.order_id)
    credit = made.say or f"decided {made.outcome} by rule {made.rule or 'otherwise'}"
    words = f"{stored.customer_id} {customer.party.name}: {credit}"
    if made.alarm is not None:
        words += f". The rules failed, so a person decides: {made.alarm}"
    work = tell.finance(desk, connection, stored, words)
    if stored.state == "held" or "customer" in made.actions.get("notify", ""):
        work.append(tell.stopped(desk, connection, stored, customer, f"{credit}."))
    jobs.enqueue(connection, desk.company_id, work)


def _latest_credit(desk: Desk, connection: Connection, order_id: str) -> Decision:
    made = orders.decisions(connection, desk.company_id, order_id)
    return [decision for row, decision in made if row.policy == "credit"][-1]


def _answer(desk: Desk, connection: Connection, stored: StoredOrder) -> None:
    customer = customers.find(connection, desk.company_id, stored.customer_id)
    available = catalogue.available(connection, desk.company_id, stored.order.lines)
    result = answer_of(stored, products_of(stored.order, available), available.products)
    work: list[NewJob] = [tell.answered(desk, connection, stored, customer, result)]
    sha256 = None
    if stored.order.source == PEPPOL:
        sha256, job = _order_response(desk, connection, stored, customer.customer_id, result)
        work.append(job)
    event = Event(
        order_stream(stored.order_id),
        "OrderAnswered",
        {"code": result.code, "lines": {line.line_id: line.status for line in result.lines}},
        document_sha256=sha256,
    )
    desk.record(connection, desk.clock.now(), [event], work)


def answer_of(
    stored: StoredOrder, products: Mapping[str, Product | None], known: Mapping[str, Product]
) -> OrderAnswer:
    """The answer that follows from an order's state and parts."""
    if stored.state == "refused":
        return OrderAnswer(ResponseCode.REJECTED, note="The order cannot be accepted on credit terms.")
    parts = stored.parts or tuple(
        OrderPart(line.line_id, PartState.CANCELLED, line.quantity.value) for line in stored.order.lines
    )
    return answer(stored.order, parts, products, known)


def _order_response(
    desk: Desk, connection: Connection, stored: StoredOrder, customer_id: str, result: OrderAnswer
) -> tuple[str, NewJob]:
    """Archive the Order Response and queue it; its id is fixed here, before the first try."""
    now = desk.clock.now()
    response_id = new_id("rsp", now)
    content = write_order_response(stored.order, result, response_id=response_id, issued_at=now)
    sha256 = archive.keep(connection, desk.company_id, now, Document("answer", "application/xml", content))
    message = Delivery(
        tell.message_id(desk), "answer", stored.order_id, "folder", customer_id, stored.order_id, sha256
    )
    outbox.add_deliveries(connection, desk.company_id, now, [message])
    return sha256, tell.send_job(message.message_id)
