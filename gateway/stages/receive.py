"""Door -> order: an order is stored with its decision, reservation and journal in one transaction.

The same request again is the same order; a changed body under the same key is refused and the
field named. An accepted answer means durable: nothing is lost after it, nothing half done before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from formats import canonical
from gateway.ids import new_id
from gateway.stages import approve
from gateway.stages.desk import Desk
from gateway.store import archive, catalogue, companies, customers, orders
from gateway.store.archive import Document
from gateway.store.customers import CreditAccount
from gateway.store.database import is_duplicate
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from o2c.errors import Conflict, Fault, O2CError, Refused
from o2c.money import convert
from o2c.order import Customer, CustomerId, Order
from o2c.totals import order_value


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order as read, with the bytes it came in and the caller's idempotency key."""

    order: Order
    document: Document
    idempotency_key: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """A stored order. ``replayed`` is True when it was here before."""

    stored: StoredOrder
    replayed: bool


def receive_order(desk: Desk, incoming: Incoming) -> Received:
    """Store and decide one order. Raises ``Refused`` (nothing is kept) or ``Conflict``."""
    try:
        return Received(desk.database.write(lambda connection: _intake(desk, connection, incoming)), False)
    except IntegrityError as error:
        if _is_repeat(error):
            return Received(_replay(desk, incoming), True)
        raise


def receive_orders(desk: Desk, batch: Sequence[Incoming]) -> list[Received | O2CError]:
    """Many orders, one commit: each stands or falls alone, in its own savepoint."""

    def unit(connection: Connection) -> list[StoredOrder | Exception]:
        results: list[StoredOrder | Exception] = []
        for incoming in batch:
            savepoint = connection.begin_nested()
            kept = list(connection.info["jobs"])
            try:
                results.append(_intake(desk, connection, incoming))
                savepoint.commit()
            except (O2CError, IntegrityError) as error:
                savepoint.rollback()
                connection.info["jobs"] = kept
                if isinstance(error, IntegrityError) and not _is_repeat(error):
                    raise
                results.append(error)
        return results

    return [_settled(desk, one, result) for one, result in zip(batch, desk.database.write(unit), strict=True)]


def _settled(desk: Desk, incoming: Incoming, result: StoredOrder | Exception) -> Received | O2CError:
    if isinstance(result, StoredOrder):
        return Received(result, False)
    if isinstance(result, O2CError):
        return result
    try:
        return Received(_replay(desk, incoming), True)
    except Conflict as conflict:
        return conflict


def _intake(desk: Desk, connection: Connection, incoming: Incoming) -> StoredOrder:
    order, now, today = incoming.order, desk.clock.now(), desk.clock.today()
    order_id = new_id("ord", now)
    rate = companies.rate_on(connection, desk.company, order.currency, today)
    value = order_value(order).rounded().minor
    claimed = convert(value, order.currency, rate, desk.company.currency)
    account, newcomer = _account(desk, connection, order, claimed)
    verdict = approve.decide(
        desk, connection, order, account, catalogue.available(connection, desk.company_id, order.lines), rate
    )
    stored = StoredOrder(
        order_id=order_id,
        customer_id=account.customer.customer_id,
        state=verdict.state,
        order=order,
        parts=verdict.parts,
        value=value,
        claimed=verdict.claim,
        document_sha256=archive.keep(connection, desk.company_id, now, incoming.document),
        received_at=now,
        idempotency_key=incoming.idempotency_key,
        decided_at=None if verdict.state == "referred" else now,
    )
    orders.add(connection, desk.company_id, stored)
    received = Event(
        order_stream(order_id),
        "OrderReceived",
        {
            "source": order.source,
            "external_id": order.external_id,
            "customer": stored.customer_id,
            "value": str(order_value(order)),
            "new_customer": newcomer,
        },
        document_sha256=stored.document_sha256,
    )
    approve.keep(desk, connection, stored, verdict, claimed, before=(received,), fresh=True)
    return stored


def _account(desk: Desk, connection: Connection, order: Order, claim: int) -> tuple[CreditAccount, bool]:
    """The buyer's credit account, locked and claimed; an unknown buyer becomes a customer."""
    keys = customers.keys_of(order.buyer)
    today = desk.clock.today()

    def claimed(customer_id: str | None) -> CreditAccount | None:
        return customers.claim(connection, desk.company_id, claim, today, customer_id=customer_id, keys=keys)

    account = claimed(order.customer_id)
    if account is not None:
        return account, False
    if order.customer_id is not None:
        raise _invalid(
            "/customer_id", f"there is no customer {order.customer_id}", "Create it: PUT /v1/customers/{id}."
        )
    if not keys:
        raise _invalid(
            "/buyer",
            "the buyer has no endpoint, identifier or VAT id, so nobody can tell who it is",
            "Send customer_id, or an endpoint, identifier or vat_id of the buyer.",
        )
    namesakes = customers.recognised(connection, desk.company_id, keys)
    if namesakes:
        raise _invalid("/buyer", f"the buyer could be {' or '.join(namesakes)}", "Send customer_id.")
    new = Customer(CustomerId(new_id("cus", desk.clock.now())), order.buyer, email=order.buyer.contact.email)
    customers.save(connection, desk.company_id, new, desk.clock.now())
    account = claimed(new.customer_id)
    assert account is not None
    return account, True


def _invalid(pointer: str, message: str, next_step: str) -> Refused:
    return Refused(
        "order-invalid", f"{message}.", next_step=next_step, faults=[Fault(pointer, "unknown", message)]
    )


def _is_repeat(error: IntegrityError) -> bool:
    columns = "sales_order.company_id, sales_order."
    return any(
        is_duplicate(error, f"uq_sales_order_{name}", columns + tail)
        for name, tail in (
            ("natural_key", "source, sales_order.external_id"),
            ("idempotency_key", "idempotency_key"),
        )
    )


def _replay(desk: Desk, incoming: Incoming) -> StoredOrder:
    order = incoming.order
    with desk.database.read() as connection:
        stored = orders.find_by_keys(
            connection, desk.company_id, order.source, order.external_id, incoming.idempotency_key
        )
    if stored is None:
        raise Conflict(
            "order-changed", "the order is being received twice at this moment.", next_step="Send it again."
        )
    changed = canonical.differences(canonical.encode(stored.order), canonical.encode(order))
    if changed:
        raise Conflict(
            "order-changed",
            f"order {stored.order_id} was received under this key with another body.",
            next_step="Send the first body again, or use a new key and external_id for a new order.",
            faults=[
                Fault(pointer, "changed", f"{pointer} differs from what was received") for pointer in changed
            ],
        )
    return stored
