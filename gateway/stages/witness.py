"""Every row has its witness in the journal, and every witness its row.

A stream's chain proves what stands in it, not that nothing was cut off at its end or left out of
the tables. So whatever is stored must have the events that made it, as often as it was made, and
what an event says it made must be there. Part of ``audit``: reads everything, changes nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, Select, select

from gateway.stages import approve, judge
from gateway.store import allocations
from gateway.store.rows import unpack_all
from gateway.store.schema import (
    allocation,
    as_stored,
    credit_limit,
    customer,
    decision,
    delivery,
    dispute,
    dunning_block,
    invoice,
    item,
    journal,
    late_charge,
    notice,
    payment,
    promise,
    rule_proposal,
    rulebook,
    sales_order,
    shipment,
    statement,
    stock_receipt,
)
from o2c.errors import O2CError
from o2c.order import OrderPart, PartState

Fact = tuple[str, str]  # event and what it happened to: ("InvoiceIssued", "INV-00001")

_SENT = {"invoice": "InvoiceSent", "answer": "AnswerSent", "notice": "NoticeSent"}
_UNSENT = {"failed": "SendFailed", "withdrawn": "NoticeWithdrawn"}
_SPEAKS = ("L0", "L1", "L2", "L3", "collection")
_RESTRICTIONS = ("AccountFlagged", "CreditHeld", "CreditReleased")
_QUANTITIES = ("StockReserved", "LineBackordered", "LineCancelled", "GoodsShipped")


def _of_stream(stream: str, _: Mapping[str, Any]) -> str:
    return stream.partition(":")[2]


def _field(*names: str) -> Callable[[str, Mapping[str, Any]], str]:
    return lambda _, data: " ".join(str(data.get(name)) for name in names)


# What is said of a dated limit: who changes a row past its trigger must change the journal too.
_LIMIT = ("limit", "kind", "minor", "valid_from", "valid_until")

# How an event names what it happened to.
_SUBJECT: dict[str, Callable[[str, Mapping[str, Any]], str]] = {
    **dict.fromkeys(
        [
            *("OrderReceived", *approve.EVENTS.values(), "OrderCancelled", "OrderAnswered"),
            *("ReferralLate", "StatementImported"),
        ],
        _of_stream,
    ),
    **dict.fromkeys(["GoodsShipped", "BillingStopped"], _field("shipment")),
    **dict.fromkeys(["InvoiceIssued", "InvoicePaid", "InvoiceFlagged", "InvoiceReviewed"], _field("number")),
    **dict.fromkeys(["EntryBooked", "PaymentUnmatched"], _field("payment")),
    "PaymentApplied": _field("payment", "number"),
    "RulesProposed": _field("proposal", "sha256", "base", "by"),
    **dict.fromkeys(["RulesApproved", "RulesRejected", "RulesWithdrawn"], _field("proposal", "sha256", "by")),
    "RulesShadowed": _field("proposal", "sha256"),
    **dict.fromkeys(
        ["RulesScheduled", "RulesActivated", "RulesRolledBack"],
        _field("policy", "number", "sha256", "active_from", "by"),
    ),
    **dict.fromkeys(["CreditLimitGranted", "CreditLimitEnded"], _field(*_LIMIT)),
    **dict.fromkeys(["ReceiptAnnounced", "GoodsReceived", "ReceiptCancelled"], _field("receipt")),
    **dict.fromkeys(["DisputeOpened", "DisputeClosed", "DisputeLate"], _field("dispute")),
    **dict.fromkeys(["PromiseMade", "PromiseKept", "PromiseBroken", "PromiseWithdrawn"], _field("promise")),
    **dict.fromkeys(["DunningBlocked", "DunningUnblocked"], _field("block")),
    **dict.fromkeys(["LateChargeClaimed", "LateChargeCancelled"], _field("charge")),
    **dict.fromkeys([*_SENT.values(), *_UNSENT.values()], _field("message")),
}
# Of these there may be more than rows say today: a message that failed was sent again, a payment
# that waited was applied, a promise turned out to have been kept. All others happen exactly as often
# as there are rows.
_PASSING = frozenset(
    {"BillingStopped", "InvoicePaid", "PaymentUnmatched", "PromiseBroken", *_UNSENT.values()}
)
# At least once for each row, and never without.
_MENDED = frozenset({"EntryBooked", "PaymentApplied", "ReceiptAnnounced"})


def check(connection: Connection, company_id: str) -> tuple[int, list[str]]:
    """How many facts were compared, and one sentence for each that lacks its other half."""
    rows = Counter(_facts_of_rows(connection, company_id))
    quantities: Counter[Fact] = Counter()
    standing: dict[str, str] = {}
    events: Counter[Fact] = Counter()
    for stream, event, data in _happened(connection, company_id):
        if event in _SUBJECT:
            events[event, _SUBJECT[event](stream, data)] += 1
        if event == "EntryBooked":
            events.update(_paid_in(data))
        if event in _QUANTITIES:
            quantities[event, _of_stream(stream, data)] += _millionths(data)
        if event in _RESTRICTIONS:
            standing[_of_stream(stream, data)] = event
    wrong = [f"{subject}: its {event} is not in the journal" for event, subject in rows - events]
    wrong += [
        f"{subject}: {event} is in the journal and what it made is not stored"
        for event, subject in _surplus(events, rows)
    ]
    wrong += _pieces(connection, company_id, quantities)
    wrong += _restrictions(connection, company_id, standing)
    return rows.total(), sorted(wrong)


def _surplus(events: Counter[Fact], rows: Counter[Fact]) -> Iterator[Fact]:
    for fact in events - rows:
        if fact[0] not in _PASSING and not (fact[0] in _MENDED and fact in rows):
            yield fact


def _paid_in(data: Mapping[str, Any]) -> Iterator[Fact]:
    """What a bank entry did to items taken over: they have no order whose timeline would tell it."""
    for number, *_ in data.get("applied", ()):
        yield "PaymentApplied", f"{data.get('payment')} {number}"
    for number in data.get("paid", ()):
        yield "InvoicePaid", number


def _happened(connection: Connection, company_id: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    query = (
        select(journal.c.stream, journal.c.event, journal.c.data)
        .where(journal.c.company_id == company_id)
        .order_by(journal.c.stream, journal.c.seq)
    )
    for row in connection.execute(query.execution_options(yield_per=1000)):
        try:
            data = json.loads(row.data)
        except ValueError:  # reported as a broken journal row
            continue
        if isinstance(data, Mapping):
            yield row.stream, row.event, data


def _millionths(data: Mapping[str, Any]) -> int:
    try:
        return sum(int(Decimal(line["quantity"]).scaleb(6)) for line in data["lines"])
    except (LookupError, TypeError, ArithmeticError):  # reported as a broken journal row
        return 0


# --- what the rows say must have happened --------------------------------------------------------
def _facts_of_rows(connection: Connection, company_id: str) -> Iterator[Fact]:
    def rows(*columns: Any) -> Iterator[Any]:
        query: Select[Any] = select(*columns).where(columns[0].table.c.company_id == company_id)
        return iter(connection.execute(query.execution_options(yield_per=1000)))

    for order in rows(sales_order.c.order_id, sales_order.c.state):
        yield "OrderReceived", order.order_id
        if order.state == "cancelled":
            yield "OrderCancelled", order.order_id
    of = decision.c
    for made in rows(of.subject_id, of.line_id, of.policy, of.outcome, of.body):
        yield from _of_decision(made)
    for left in rows(shipment.c.shipment_id, shipment.c.billing):
        yield "GoodsShipped", left.shipment_id
        if left.billing == "stopped":
            yield "BillingStopped", left.shipment_id
    for issued in rows(invoice.c.number):
        yield "InvoiceIssued", issued.number
    for one in rows(item.c.number, item.c.gross_minor, item.c.open_minor):
        if one.open_minor == 0 < one.gross_minor:
            yield "InvoicePaid", one.number
    for file in rows(statement.c.statement_id):
        yield "StatementImported", file.statement_id
    for money in rows(payment.c.payment_id, payment.c.state, payment.c.reason):
        yield "EntryBooked", money.payment_id
        if money.state == "unmatched" and money.reason != "undone":
            yield "PaymentUnmatched", money.payment_id
    for part in rows(allocation.c.payment_id, allocation.c.invoice_number, allocation.c.rule):
        if part.rule not in (allocations.UNDO, allocations.RETURN):
            yield "PaymentApplied", f"{part.payment_id} {part.invoice_number}"
    for words in rows(notice.c.order_id, notice.c.kind):
        if words.kind == "order-answer":
            yield "OrderAnswered", words.order_id
        elif words.kind == "referral-late":
            yield "ReferralLate", words.order_id
    for given in rows(*as_stored(credit_limit)):
        said = (given.limit_id, given.kind, given.amount_minor, given.valid_from, given.valid_until)
        event = "CreditLimitGranted" if given.replaces is None else "CreditLimitEnded"
        yield event, " ".join(map(str, said))
    for goods in rows(stock_receipt.c.reference, stock_receipt.c.received_at, stock_receipt.c.cancelled_at):
        yield "ReceiptAnnounced", goods.reference
        if goods.received_at is not None:
            yield "GoodsReceived", goods.reference
        if goods.cancelled_at is not None:
            yield "ReceiptCancelled", goods.reference
    for message in rows(delivery.c.message_id, delivery.c.kind, delivery.c.state):
        if message.state == "sent":
            yield _SENT[message.kind], message.message_id
        elif message.state in _UNSENT:
            yield _UNSENT[message.state], message.message_id
    yield from _about_receivables(rows)
    for table, facts_of in ((rule_proposal, _of_proposal), (rulebook, _of_activation)):
        for row in connection.execute(select(*as_stored(table)).where(table.c.company_id == company_id)):
            yield from facts_of(row)


def _of_proposal(row: Any) -> Iterator[Fact]:
    about = f"{row.proposal_id} {row.sha256}"
    yield "RulesProposed", f"{about} {row.base_sha256} {row.author}"
    if row.approver is not None or row.state in ("approved", "shadow", "scheduled"):
        yield "RulesApproved", f"{about} {row.approver}"
    if row.shadow_from is not None or row.state == "shadow":
        yield "RulesShadowed", about
    if row.closed_by is not None or row.state in ("rejected", "withdrawn"):
        yield "RulesRejected" if row.state == "rejected" else "RulesWithdrawn", f"{about} {row.closed_by}"


def _of_activation(row: Any) -> Iterator[Fact]:
    """The first file of a policy comes with the company; every other one was somebody's act."""
    if row.number == 1 and row.proposal_id is None and row.reason is None:
        return
    at_once = row.active_from == row.activated_at
    event = "RulesRolledBack" if row.reason else "RulesActivated" if at_once else "RulesScheduled"
    yield event, f"{row.policy} {row.number} {row.sha256} {row.active_from} {row.activated_by}"


def _of_decision(row: Any) -> Iterator[Fact]:
    try:
        made = json.loads(row.body)
        if row.policy == "credit" and row.line_id is None:
            yield approve.EVENTS[judge.STATES[made["outcome"]]], row.subject_id
        elif row.policy == "dunning" and _led_to_a_review(row.outcome, made):
            yield "InvoiceFlagged", row.subject_id
            yield "InvoiceReviewed", row.subject_id
    except (ValueError, KeyError, TypeError):  # so changed that it does not read: no event is like it
        yield "Decision", row.subject_id


def _led_to_a_review(done: str, made: Mapping[str, Any]) -> bool:
    """The law may have kept a letter back that the rules wanted: then ``done`` is not what they said."""
    return done in _SPEAKS and made["outcome"] in _SPEAKS and made.get("actions", {}).get("review") == "yes"


def _about_receivables(rows: Callable[..., Iterator[Any]]) -> Iterator[Fact]:
    """Disputes, promises, blocks and late charges."""
    for one in rows(dispute.c.dispute_id, dispute.c.state, dispute.c.late_told_at):
        yield "DisputeOpened", one.dispute_id
        if one.state != "open":
            yield "DisputeClosed", one.dispute_id
        if one.late_told_at is not None:
            yield "DisputeLate", one.dispute_id
    for one in rows(promise.c.promise_id, promise.c.state):
        yield "PromiseMade", one.promise_id
        if one.state != "running":
            yield f"Promise{one.state.capitalize()}", one.promise_id
    for one in rows(dunning_block.c.block_id, dunning_block.c.lifted_at):
        yield "DunningBlocked", one.block_id
        if one.lifted_at is not None:
            yield "DunningUnblocked", one.block_id
    for one in rows(late_charge.c.charge_id, late_charge.c.cause):
        yield "LateChargeClaimed" if one.cause == "claimed" else "LateChargeCancelled", one.charge_id


# --- what can only be compared by amount or by the last word -------------------------------------
def _pieces(connection: Connection, company_id: str, told: Mapping[Fact, int]) -> Iterator[str]:
    """Pieces of each order against what the journal says was reserved, cancelled and shipped."""
    query = select(sales_order.c.order_id, sales_order.c.parts).where(sales_order.c.company_id == company_id)
    for row in connection.execute(query.execution_options(yield_per=1000)):
        try:
            parts = unpack_all(OrderPart, row.parts)
        except (O2CError, ValueError, TypeError):
            yield f"order {row.order_id}: its parts cannot be read"
            continue
        now: Counter[PartState] = Counter()
        for part in parts:
            now[part.state] += int(part.quantity.scaleb(6))
        was = {event: told.get((event, row.order_id), 0) for event in _QUANTITIES}
        if (
            was["GoodsShipped"] != now[PartState.SHIPPED]
            or was["LineCancelled"] != now[PartState.CANCELLED]
            or was["StockReserved"] < now[PartState.RESERVED] + now[PartState.SHIPPED]
            or was["LineBackordered"] < now[PartState.BACKORDERED]
        ):
            yield f"order {row.order_id}: its pieces are not what the journal tells of them"


def _restrictions(connection: Connection, company_id: str, standing: Mapping[str, str]) -> Iterator[str]:
    """An account is flagged or on hold exactly if the last word on its stream says so."""
    query = select(customer.c.customer_id, customer.c.flagged_at, customer.c.held_at)
    for row in connection.execute(query.where(customer.c.company_id == company_id)):
        restricted = row.flagged_at is not None or row.held_at is not None
        told = standing.get(row.customer_id, "CreditReleased") != "CreditReleased"
        if restricted != told:
            yield f"customer {row.customer_id}: flag and hold are not what the journal says"
