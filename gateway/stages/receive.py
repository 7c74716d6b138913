"""Door -> order: an order is stored with its decision, reservation and journal in one transaction.

The same request again is the same order; a changed body under the same key is refused and the
field named. An accepted answer means durable: nothing is lost after it, nothing half done before.
Many orders are one transaction with one statement per table, and still each stands or falls alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from formats import canonical
from gateway.ids import new_id
from gateway.stages import approve
from gateway.stages.approve import Judged
from gateway.stages.desk import Desk
from gateway.stages.judge import Case, Stockroom, Verdict, decide
from gateway.store import archive, catalogue, companies, customers, orders
from gateway.store.archive import Document
from gateway.store.customers import CreditAccount
from gateway.store.database import is_duplicate
from gateway.store.journal import Event, order_stream
from gateway.store.orders import StoredOrder
from o2c.decision import Decision
from o2c.errors import Conflict, Fault, O2CError, Refused
from o2c.order import Customer, CustomerId, Order


@dataclass(frozen=True, slots=True)
class Incoming:
    """An order as read, with the bytes it came in and the caller's idempotency key.

    ``buyer_known``: the caller named the customer only; the buyer is the customer as we know it.
    """

    order: Order
    document: Document
    idempotency_key: str | None = None
    buyer_known: bool = False


@dataclass(frozen=True, slots=True)
class Received:
    """A stored order. ``replayed`` is True when it was here before; ``credit`` is the decision on a
    new one."""

    stored: StoredOrder
    replayed: bool
    credit: Decision | None = None


def receive_order(desk: Desk, incoming: Incoming) -> Received:
    """Store and decide one order. Raises ``Refused`` (nothing is kept) or ``Conflict``.

    Orders that come while others are being written are written as the next set.
    """
    result: Received | Exception = desk.intake.join((desk, incoming))
    if isinstance(result, Exception):
        raise result
    return result


def receive_set(arrived: Sequence[tuple[Desk, Incoming]]) -> list[Received | Exception]:
    """Orders of one company that arrived together, each under its own actor's name."""
    results: dict[int, Received | Exception] = {}
    for actor in {desk.actor for desk, _ in arrived}:
        mine = [(place, pair) for place, pair in enumerate(arrived) if pair[0].actor == actor]
        answers = receive_orders(mine[0][1][0], [incoming for _, (_, incoming) in mine])
        results |= dict(zip((place for place, _ in mine), answers, strict=True))
    return [results[place] for place in range(len(arrived))]


def _receive_one(desk: Desk, incoming: Incoming) -> Received:
    try:
        return desk.database.write(lambda connection: _intake(desk, connection, incoming))
    except IntegrityError as error:
        if _is_repeat(error):
            return Received(_replay(desk, incoming), True)
        raise


def receive_orders(desk: Desk, batch: Sequence[Incoming]) -> list[Received | Exception]:
    """Many orders, each answered or with its own error, in their order.

    Those that name their customer are one set. Repeats, orders of buyers still to be recognised,
    and a whole set that one of its orders has broken, go one by one.
    """
    together = [one for one in batch if one.order.customer_id is not None]
    results: Mapping[int, Received | Exception] = {}
    if len(together) > 1:
        try:
            results = desk.database.write(lambda connection: _intake_all(desk, connection, together))
        except Exception:  # whoever it was gets the error itself, and nobody else does
            results = {}
    return [results[id(one)] if id(one) in results else _by_itself(desk, one) for one in batch]


def _by_itself(desk: Desk, incoming: Incoming) -> Received | Exception:
    try:
        return _receive_one(desk, incoming)
    except Exception as error:  # handed to the one caller it belongs to
        return error


def _intake(desk: Desk, connection: Connection, incoming: Incoming) -> Received:
    order, today = incoming.order, desk.clock.today()
    rate = companies.rate_on(connection, desk.company, order.currency, today)
    room = Stockroom(catalogue.available(connection, desk.company_id, order.lines))
    case = Case.of(desk, order, rate, room.available)
    account, newcomer = _account(desk, connection, case)
    verdict = decide(desk, connection, case, account, room)
    return _store(desk, connection, [_New(incoming, case, account, verdict, newcomer, case.claim)])[0]


def _intake_all(
    desk: Desk, connection: Connection, batch: Sequence[Incoming]
) -> dict[int, Received | O2CError]:
    """New orders of named customers, by the identity of what came in. Repeats are left out."""
    today = desk.clock.today()
    keys = [(one.order.source, one.order.external_id) for one in batch]
    seen, used = orders.known_among(
        connection, desk.company_id, keys, [one.idempotency_key for one in batch if one.idempotency_key]
    )
    accounts = customers.accounts(
        connection, desk.company_id, today, [one.order.customer_id or "" for one in batch]
    )
    room = Stockroom(
        catalogue.available(connection, desk.company_id, [line for one in batch for line in one.order.lines])
    )
    rates: dict[str, Decimal] = {}
    new: list[_New] = []
    results: dict[int, Received | O2CError] = {}
    for incoming, key in zip(batch, keys, strict=True):
        if key in seen or incoming.idempotency_key in used:
            continue
        seen.add(key)
        used.add(incoming.idempotency_key or "")
        try:
            new.append(_judge(desk, connection, incoming, accounts, room, rates))
        except O2CError as error:
            results[id(incoming)] = error
            continue
        _count(accounts, new[-1])
    if new:
        stored = _store(desk, connection, new)
        results |= {id(one.incoming): received for one, received in zip(new, stored, strict=True)}
    return results


@dataclass(frozen=True, slots=True)
class _New:
    """A new order on its way into the books; ``claimed`` is what its account counts already."""

    incoming: Incoming
    case: Case
    account: CreditAccount
    verdict: Verdict
    newcomer: bool = False
    claimed: int = 0


def _judge(
    desk: Desk,
    connection: Connection,
    incoming: Incoming,
    accounts: Mapping[str, CreditAccount],
    room: Stockroom,
    rates: dict[str, Decimal],
) -> _New:
    order = incoming.order
    account = accounts.get(order.customer_id or "")
    if account is None:
        raise _unknown_customer(order)
    if order.currency not in rates:
        today = desk.clock.today()
        rates[order.currency] = companies.rate_on(connection, desk.company, order.currency, today)
    case = Case.of(desk, order, rates[order.currency], room.available)
    return _New(incoming, case, account, decide(desk, connection, case, account, room))


def _count(accounts: dict[str, CreditAccount], new: _New) -> None:
    """The next order of the customer, or of its group, meets the figures that this one leaves."""
    name = new.account.customer.customer_id
    accounts[name] = replace(
        new.account,
        open_orders=new.account.open_orders + new.verdict.claim,
        ordered_before=new.account.ordered_before or new.verdict.state == "approved",
    )
    if new.account.group is None:
        return
    group = replace(new.account.group, exposure=new.account.group.exposure + new.verdict.claim)
    for member, account in accounts.items():
        if account.group is not None and account.group.group_id == group.group_id:
            accounts[member] = replace(account, group=group)


def _store(desk: Desk, connection: Connection, new: Sequence[_New]) -> list[Received]:
    now = desk.clock.now()
    names = archive.keep_all(connection, desk.company_id, now, [one.incoming.document for one in new])
    stored = [
        StoredOrder(
            order_id=new_id("ord", now),
            customer_id=one.account.customer.customer_id,
            state=one.verdict.state,
            order=_whole(one),
            parts=one.verdict.parts,
            value=one.case.value.minor,
            claimed=one.verdict.claim,
            document_sha256=name,
            received_at=now,
            idempotency_key=one.incoming.idempotency_key,
            decided_at=None if one.verdict.state == "referred" else now,
        )
        for one, name in zip(new, names, strict=True)
    ]
    orders.add(connection, desk.company_id, stored)
    judged = [
        Judged(kept, one.verdict, one.claimed, (_received(one, kept),), value=one.case.claim)
        for one, kept in zip(new, stored, strict=True)
    ]
    approve.keep(desk, connection, judged, fresh=True)
    return [Received(kept, False, one.verdict.credit) for one, kept in zip(new, stored, strict=True)]


def _whole(new: _New) -> Order:
    order = new.incoming.order
    return replace(order, buyer=new.account.customer.party) if new.incoming.buyer_known else order


def _received(new: _New, stored: StoredOrder) -> Event:
    return Event(
        order_stream(stored.order_id),
        "OrderReceived",
        {
            "source": stored.order.source,
            "external_id": stored.order.external_id,
            "customer": stored.customer_id,
            "value": str(new.case.value),
            "new_customer": new.newcomer,
        },
        document_sha256=stored.document_sha256,
    )


def _account(desk: Desk, connection: Connection, case: Case) -> tuple[CreditAccount, bool]:
    """The buyer's credit account, locked and claimed; an unknown buyer becomes a customer."""
    order = case.order
    keys = customers.keys_of(order.buyer)
    today = desk.clock.today()

    def claimed(customer_id: str | None) -> CreditAccount | None:
        return customers.claim(
            connection, desk.company_id, case.claim, today, customer_id=customer_id, keys=keys
        )

    account = claimed(order.customer_id)
    if account is not None:
        return account, False
    if order.customer_id is not None:
        raise _unknown_customer(order)
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


def _unknown_customer(order: Order) -> Refused:
    return _invalid(
        "/customer_id",
        f"there is no customer {order.customer_id}",
        "Create it: PUT /v1/customers/{id}, or send the buyer.",
    )


def _invalid(pointer: str, message: str, next_step: str) -> Refused:
    fault = Fault(pointer, "unknown", message)
    return Refused("order-invalid", f"{message}.", next_step=next_step, faults=[fault])


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
    if incoming.buyer_known:
        order = replace(order, buyer=stored.order.buyer)
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
