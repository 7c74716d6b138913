"""The process as one printed table: every document's states, what moves it, and in which stage.

``docs/process.md`` is generated from here. A change of state that the table does not know is
``Broken``. An order's own state is never stored: it is derived from its documents.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from o2c.errors import Broken
from o2c.order import OrderPart, PartState

# Journal events and what they say. The list is closed: a new one is added here first.
EVENTS: dict[str, str] = {
    "OrderReceived": "An order came in, was understood and is stored as received.",
    "OrderApproved": "The credit rules or a person let the order go on.",
    "OrderReferred": "The credit rules want a person to decide.",
    "OrderHeld": "The order waits, e.g. until overdue invoices are settled.",
    "OrderRefused": "The order is not accepted on these terms.",
    "ApprovalRecorded": "One person approved; the amount asks for a second one.",
    "ReferralLate": "Nobody has answered in time; the finance desk was told.",
    "OrderCancelled": "The whole order is off.",
    "StockReserved": "Pieces are set aside for the order.",
    "LineBackordered": "Pieces of a line will follow when there is stock.",
    "LineCancelled": "Pieces of a line will not be supplied.",
    "StockReallocated": "What is scarce was shared out anew by rank.",
    "ReceiptAnnounced": "Goods are expected in a warehouse.",
    "ReceiptCancelled": "Announced goods will not come.",
    "GoodsReceived": "Announced goods came in.",
    "OrderAnswered": "The buyer was told what becomes of the order.",
    "GoodsShipped": "Pieces left a warehouse.",
    "BillingStopped": "A shipment could not be billed: its draft invoice has errors.",
    "InvoiceIssued": "An invoice got its number, is archived and posted.",
    "AnswerSent": "The answer to an order was handed to its channel.",
    "InvoiceSent": "An invoice was handed to its channel.",
    "SendFailed": "A channel did not take a document.",
    "EntryBooked": "A bank entry is in the ledger.",
    "PaymentApplied": "Money was allocated to invoices.",
    "PaymentAllocated": "A person said what money that waited is for.",
    "PaymentUnmatched": "Money waits for a person to say what it is for.",
    "PaymentReturned": "A payment came back: what it had paid is open again.",
    "PaymentUndone": "What became of a payment was taken back.",
    "BatchDetailed": "A notification told a batch apart into its payments.",
    "CashRequested": "A payment moved by hand waits for a second person.",
    "CashApproved": "A second person agreed to a payment moved by hand.",
    "CashRefused": "A second person did not agree to a payment moved by hand.",
    "InvoicePaid": "Nothing is open on the invoice any more.",
    "InvoiceFlagged": "The invoice reached its early check day or fell overdue.",
    "InvoiceReviewed": "The invoice was searched for errors that could delay payment.",
    "NoticeSent": "A reminder or other notice went out.",
    "NoticeWithdrawn": "A letter was held back at the door: its items are paid meanwhile.",
    "AccountFlagged": "A customer's account has overdue invoices.",
    "CreditHeld": "No new credit for the customer for now.",
    "CreditReleased": "The customer has credit again.",
    "CreditLimitGranted": "A dated limit was given to a customer or a group.",
    "CreditLimitEnded": "A dated limit was given another last day, or taken back.",
    "DisputeOpened": "A customer questions an invoice or part of it; that part is left alone.",
    "DisputeLate": "Nobody has answered a dispute by its day.",
    "DisputeClosed": "A dispute was accepted, rejected or settled.",
    "DisputeReopened": "The money that settled a dispute was taken back.",
    "PromiseMade": "A customer promises to pay by a day; letters wait.",
    "PromiseKept": "What was promised was paid in time.",
    "PromiseResumed": "The money that kept a promise was taken back; it runs again.",
    "PromiseBroken": "The day of a promise passed without the money; letters go on.",
    "PromiseWithdrawn": "A promise was let fall by hand.",
    "DunningBlocked": "Somebody keeps an invoice or a customer from being reminded until a day.",
    "DunningUnblocked": "A dunning block was lifted before its day.",
    "LateChargeClaimed": "A letter claims a fee, interest or the lump sum.",
    "LateChargeCancelled": "A late charge is not claimed any more.",
    "ReportIssued": "A report or SAF-T file was made.",
    "OpenItemsTakenOver": "Open items of a former system are in the books as an opening balance.",
    "StatementImported": "A bank file was read, proved and stored.",
    "StatementUndone": "A statement was taken back whole; its file may come again.",
    "RulesProposed": "Somebody wants another rule file; it passed every check and its own tests.",
    "RulesApproved": "A second person agreed to a proposed rule file.",
    "RulesRejected": "A second person did not agree to a proposed rule file.",
    "RulesWithdrawn": "A proposed or scheduled rule file will not come.",
    "RulesShadowed": "A rule file decides beside the one in force, for comparison only.",
    "RulesScheduled": "A rule file will decide from an instant on.",
    "RulesActivated": "A rule file decides from now on.",
    "RulesRolledBack": "A rule file that was in force before decides again.",
}


class Document(StrEnum):
    """What has states."""

    ORDER = "order"
    PART = "order part"
    INVOICE = "invoice"
    DELIVERY = "delivery"
    PAYMENT = "bank payment"
    NOTICE = "notice"
    CREDIT = "credit account"
    RULES = "rule file"
    RECEIPT = "receipt of goods"
    DISPUTE = "dispute"
    PROMISE = "promise to pay"
    BLOCK = "dunning block"
    CHARGE = "late charge"
    JOB = "job"


class OrderStatus(StrEnum):
    """Where an order stands, derived."""

    RECEIVED = "received"
    REFERRED = "referred"
    HELD = "held"
    REFUSED = "refused"
    APPROVED = "approved"
    RESERVED_PARTLY = "partly reserved"
    RESERVED = "reserved"
    SHIPPED_PARTLY = "partly shipped"
    SHIPPED = "shipped"
    INVOICED = "invoiced"
    PAID = "paid"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Transition:
    """``event`` moves ``document`` from one state to another in ``stage``.

    A job's events are its own and not journalled; all others are in ``EVENTS``.
    """

    document: Document
    from_state: str
    event: str
    to_state: str
    stage: str


NEW = "new"  # the document does not exist yet

# document: from state | event | to state | stage
_TABLE: dict[Document, str] = {
    Document.ORDER: """
        new             | OrderReceived   | received        | receive
        received        | OrderApproved   | approved        | approve
        received        | OrderReferred   | referred        | approve
        received        | OrderHeld       | held            | approve
        received        | OrderRefused    | refused         | approve
        referred        | OrderApproved   | approved        | approve
        referred        | OrderRefused    | refused         | approve
        referred        | OrderCancelled  | cancelled       | approve
        referred        | ApprovalRecorded | referred       | approve
        referred        | ReferralLate    | referred        | approve
        held            | OrderApproved   | approved        | approve
        held            | OrderReferred   | referred        | approve
        held            | OrderRefused    | refused         | approve
        held            | OrderCancelled  | cancelled       | approve
        held            | ApprovalRecorded | held           | approve
        held            | ReferralLate    | held            | approve
        approved        | StockReserved   | reserved        | fulfil
        approved        | StockReserved   | partly reserved | fulfil
        approved        | LineBackordered | approved        | fulfil
        approved        | OrderAnswered   | approved        | approve
        approved        | OrderCancelled  | cancelled       | fulfil
        partly reserved | StockReserved   | reserved        | fulfil
        partly reserved | LineBackordered | approved        | fulfil
        partly reserved | LineCancelled   | reserved        | fulfil
        partly reserved | LineCancelled   | approved        | fulfil
        partly reserved | OrderCancelled  | cancelled       | fulfil
        partly reserved | GoodsShipped    | partly shipped  | fulfil
        reserved        | OrderAnswered   | reserved        | approve
        reserved        | LineBackordered | partly reserved | fulfil
        reserved        | LineBackordered | approved        | fulfil
        reserved        | OrderCancelled  | cancelled       | fulfil
        reserved        | GoodsShipped    | partly shipped  | fulfil
        reserved        | GoodsShipped    | shipped         | fulfil
        partly shipped  | StockReserved   | partly shipped  | fulfil
        partly shipped  | InvoiceIssued   | partly shipped  | bill
        partly shipped  | InvoicePaid     | partly shipped  | settle
        partly shipped  | GoodsShipped    | shipped         | fulfil
        partly shipped  | LineCancelled   | shipped         | fulfil
        partly shipped  | LineCancelled   | invoiced        | fulfil
        partly shipped  | LineCancelled   | paid            | fulfil
        shipped         | BillingStopped  | shipped         | bill
        shipped         | InvoiceIssued   | invoiced        | bill
        shipped         | InvoiceIssued   | paid            | bill
        invoiced        | InvoicePaid     | paid            | settle
        """,
    Document.PART: """
        new         | StockReserved   | reserved    | fulfil
        new         | LineBackordered | backordered | fulfil
        new         | LineCancelled   | cancelled   | fulfil
        backordered | StockReserved   | reserved    | fulfil
        backordered | LineCancelled   | cancelled   | fulfil
        reserved    | LineCancelled   | cancelled   | fulfil
        reserved    | LineBackordered | backordered | fulfil
        reserved    | GoodsShipped    | shipped     | fulfil
        """,
    Document.INVOICE: """
        new         | InvoiceIssued   | open        | bill
        new         | OpenItemsTakenOver | open        | takeover
        open        | InvoiceFlagged  | open        | remind
        open        | InvoiceReviewed | open        | remind
        open        | PaymentApplied  | partly paid | settle
        open        | InvoicePaid     | paid        | settle
        partly paid | InvoiceFlagged  | partly paid | remind
        partly paid | InvoiceReviewed | partly paid | remind
        partly paid | PaymentApplied  | partly paid | settle
        partly paid | InvoicePaid     | paid        | settle
        partly paid | PaymentReturned | open        | settle
        paid        | PaymentReturned | open        | settle
        partly paid | PaymentUndone   | open        | undo
        paid        | PaymentUndone   | open        | undo
        """,
    # What failed waits in the queue again once a person says so; that alone is no event.
    Document.DELIVERY: """
        new    | InvoiceIssued | queued | bill
        new    | OrderAnswered | queued | approve
        queued | InvoiceSent   | sent   | send
        queued | AnswerSent    | sent   | send
        queued | SendFailed    | failed | send
        failed | InvoiceSent   | sent   | send
        failed | AnswerSent    | sent   | send
        """,
    Document.PAYMENT: """
        new | PaymentApplied   | applied   | settle
        new       | PaymentUnmatched | unmatched | settle
        new       | EntryBooked      | ignored   | settle
        new       | PaymentReturned  | applied   | settle
        applied   | PaymentReturned  | returned  | settle
        unmatched | PaymentReturned  | returned  | settle
        unmatched | PaymentAllocated | applied   | apply
        unmatched | BatchDetailed    | ignored   | settle
        applied   | PaymentUndone    | unmatched | undo
        returned  | PaymentUndone    | applied   | undo
        applied   | StatementUndone  | undone    | undo
        unmatched | StatementUndone  | undone    | undo
        ignored   | StatementUndone  | undone    | undo
        returned  | StatementUndone  | undone    | undo
        """,
    Document.NOTICE: """
        new    | OrderReferred   | queued    | approve
        new    | OrderHeld       | queued    | approve
        new    | OrderApproved   | queued    | approve
        new    | OrderAnswered   | queued    | approve
        new    | ReferralLate    | queued    | approve
        new    | GoodsShipped    | queued    | fulfil
        new    | BillingStopped  | queued    | bill
        new    | InvoiceFlagged  | queued    | remind
        new    | AccountFlagged  | queued    | remind
        new    | RulesRolledBack | queued    | rulefiles
        queued | NoticeSent      | sent      | send
        queued | NoticeWithdrawn | withdrawn | send
        queued | SendFailed      | failed    | send
        failed | NoticeSent      | sent      | send
        """,
    Document.CREDIT: """
        new     | OrderReceived  | clear   | receive
        clear   | AccountFlagged | flagged | remind
        clear   | CreditHeld     | held    | remind
        flagged | CreditHeld     | held    | remind
        flagged | CreditReleased | clear   | settle
        held    | CreditReleased | clear   | settle
        """,
    # A scheduled file becomes active by the clock, and an earlier one is superseded by the next:
    # neither is an event of its own.
    Document.RULES: """
        new       | RulesProposed   | proposed   | rulefiles
        proposed  | RulesApproved   | approved   | rulefiles
        proposed  | RulesRejected   | rejected   | rulefiles
        proposed  | RulesWithdrawn  | withdrawn  | rulefiles
        proposed  | RulesActivated  | superseded | rulefiles
        proposed  | RulesRolledBack | superseded | rulefiles
        approved  | RulesShadowed   | shadow     | rulefiles
        approved  | RulesScheduled  | scheduled  | rulefiles
        approved  | RulesActivated  | active     | rulefiles
        approved  | RulesRejected   | rejected   | rulefiles
        approved  | RulesWithdrawn  | withdrawn  | rulefiles
        approved  | RulesActivated  | superseded | rulefiles
        approved  | RulesRolledBack | superseded | rulefiles
        shadow    | RulesScheduled  | scheduled  | rulefiles
        shadow    | RulesActivated  | active     | rulefiles
        shadow    | RulesRejected   | rejected   | rulefiles
        shadow    | RulesWithdrawn  | withdrawn  | rulefiles
        shadow    | RulesActivated  | superseded | rulefiles
        shadow    | RulesRolledBack | superseded | rulefiles
        scheduled | RulesWithdrawn  | withdrawn  | rulefiles
        active    | RulesActivated  | superseded | rulefiles
        active    | RulesRolledBack | superseded | rulefiles
        """,
    Document.RECEIPT: """
        new       | ReceiptAnnounced | announced | fulfil
        announced | ReceiptAnnounced | announced | fulfil
        announced | GoodsReceived    | received  | fulfil
        announced | ReceiptCancelled | cancelled | fulfil
        """,
    Document.DISPUTE: """
        new  | DisputeOpened | open     | remind
        open | DisputeLate   | open     | remind
        open | DisputeClosed | accepted | remind
        open | DisputeClosed | rejected | remind
        open | DisputeClosed | settled  | remind
        open | DisputeClosed | settled  | settle
        """,
    # A bank file that comes in late may show that a promise was kept after all.
    Document.PROMISE: """
        new     | PromiseMade      | running   | remind
        running | PromiseKept      | kept      | settle
        running | PromiseBroken    | broken    | settle
        running | PromiseBroken    | broken    | remind
        running | PromiseWithdrawn | withdrawn | remind
        broken  | PromiseKept      | kept      | settle
        """,
    Document.BLOCK: """
        new      | DunningBlocked   | standing | remind
        standing | DunningUnblocked | lifted   | remind
        """,
    Document.CHARGE: """
        new     | LateChargeClaimed   | claimed   | remind
        claimed | LateChargeCancelled | cancelled | remind
        claimed | LateChargeCancelled | cancelled | send
        """,
    Document.JOB: """
        new    | committed     | queued | any
        queued | lease taken   | leased | any
        leased | finished      | done   | any
        leased | failed        | queued | any
        leased | lease expired | queued | any
        leased | gave up       | parked | any
        parked | tried again   | queued | any
        """,
}


def _read(document: Document, table: str) -> list[Transition]:
    rows = ([cell.strip() for cell in line.split("|")] for line in table.strip().splitlines())
    return [Transition(document, *row) for row in rows]


TRANSITIONS: tuple[Transition, ...] = tuple(
    transition for document, table in _TABLE.items() for transition in _read(document, table)
)
_MOVES = frozenset((row.document, row.from_state, row.to_state) for row in TRANSITIONS)


def check(document: Document, from_state: str, to_state: str) -> None:
    """Raises ``Broken('transition')`` unless the table declares the change."""
    if (document, from_state, to_state) not in _MOVES:
        raise Broken("transition", f"{document} cannot go from {from_state!r} to {to_state!r}.")


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What an order's documents say. ``credit`` is the standing outcome (approve, refer, hold, reject),
    a person's word included; ``invoiced`` counts pieces on invoices; ``open_minor`` is unpaid on them."""

    credit: str | None = None
    cancelled: bool = False
    parts: Sequence[OrderPart] = ()
    invoiced: Decimal = Decimal(0)
    open_minor: int = 0


_BY_CREDIT = {
    None: OrderStatus.RECEIVED,
    "refer": OrderStatus.REFERRED,
    "hold": OrderStatus.HELD,
    "reject": OrderStatus.REFUSED,
}


def order_status(facts: OrderFacts) -> OrderStatus:
    """The one status that follows from an order's documents.

    Raises ``Broken('order-credit')`` for a credit outcome that is none of the four.
    """
    kept = [part for part in facts.parts if part.state is not PartState.CANCELLED]
    if facts.cancelled or (facts.parts and not kept):
        return OrderStatus.CANCELLED
    if facts.credit in _BY_CREDIT:
        return _BY_CREDIT[facts.credit]
    if facts.credit != "approve":
        raise Broken("order-credit", f"no order status follows from the credit outcome {facts.credit!r}.")
    states = {part.state for part in kept}
    if states == {PartState.SHIPPED}:
        return _billed(facts, sum((part.quantity for part in kept), Decimal(0)))
    if PartState.SHIPPED in states:
        return OrderStatus.SHIPPED_PARTLY
    if PartState.RESERVED in states:
        wholly = PartState.BACKORDERED not in states
        return OrderStatus.RESERVED if wholly else OrderStatus.RESERVED_PARTLY
    return OrderStatus.APPROVED


def as_markdown() -> str:
    """The table as the page ``docs/process.md``."""
    lines = [
        "# The process",
        "",
        "Generated from `o2c/process.py`; to write it again, in the repository:",
        "",
        "```",
        "PYTHONPATH=. .venv/bin/python -m o2c.process > docs/process.md",
        "```",
        "",
        "An order's status is derived from its documents and never stored.",
    ]
    for document in Document:
        lines += [
            "",
            f"## {document.capitalize()}",
            "",
            "| from | event | to | stage |",
            "| --- | --- | --- | --- |",
        ]
        rows = (row for row in TRANSITIONS if row.document is document)
        lines += [f"| {row.from_state} | {row.event} | {row.to_state} | {row.stage} |" for row in rows]
    lines += ["", "## Journal events", "", "| event | meaning |", "| --- | --- |"]
    lines += [f"| {event} | {meaning} |" for event, meaning in EVENTS.items()]
    return "\n".join(lines) + "\n"


def _billed(facts: OrderFacts, shipped: Decimal) -> OrderStatus:
    if facts.invoiced < shipped:
        return OrderStatus.SHIPPED
    return OrderStatus.INVOICED if facts.open_minor else OrderStatus.PAID


if __name__ == "__main__":
    sys.stdout.write(as_markdown())
