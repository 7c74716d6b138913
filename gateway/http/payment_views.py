"""Payments as answers: what became of each and why, from the same lines that the CLI prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row

from gateway.http.order_views import total
from gateway.http.rule_views import ExplanationView, explanation
from gateway.http.schema import Sum
from gateway.stages import foureyes, shown
from gateway.stages.desk import Desk
from gateway.stages.shown import Told
from gateway.store import payments
from gateway.store.requests import CashRequest


@dataclass(frozen=True, slots=True)
class EvidenceView:
    """What one field of the payment speaks for."""

    field: str
    words: str


@dataclass(frozen=True, slots=True)
class ShareView:
    """What one item gets. Negative: a credit note is used up. `closes`: nothing of the item is left open."""

    item: str
    amount: Sum
    closes: bool


@dataclass(frozen=True, slots=True)
class SuggestionView:
    """One explanation to take or leave. `score`: 0 to 100."""

    customer_id: str
    score: int
    items: list[ShareView]
    evidence: list[EvidenceView]


@dataclass(frozen=True, slots=True)
class PaymentView:
    """`state`: applied, unmatched (a person decides; `reason` and `words` say why), ignored (no receipt),
    returned (taken back by the bank) or undone (with its statement). `decision`: match, review, unapplied
    (ours, and nothing open for it), unrelated or return, made by `rule`. `allocations` are what stands;
    `discount`, `write_off` and `charges` closed the rest of items. `unapplied` was left on the customer's
    account, `unallocated` is what is left by now. `suggestions`: the best first, while a person decides.
    `request_id` asks for a second person's word. `of_payment_id`: the payment that this one takes back;
    `part_of`: the batch it was booked in."""

    payment_id: str
    statement_id: str
    account: str
    booked_on: date
    amount: Sum
    is_credit: bool
    unallocated: Sum
    unapplied: Sum
    state: str
    decision: str
    rule: str
    evidence: list[EvidenceView]
    allocations: list[ShareView]
    discount: Sum
    write_off: Sum
    charges: Sum
    suggestions: list[SuggestionView]
    bank_reference: str | None = None
    customer_id: str | None = None
    reason: str | None = None
    words: str | None = None
    counterparty: str | None = None
    text: str | None = None
    of_payment_id: str | None = None
    part_of: str | None = None
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class PaymentPage:
    """One page. `next` is the `after` of the page that follows; absent on the last one."""

    items: list[PaymentView]
    next: str | None = None


@dataclass(frozen=True, slots=True)
class AllocationView:
    """A row of what was allocated, as it was written; what is taken back is a row of its own with the
    opposite signs (`rule`: undo by us, return by the bank). `entry_id`: its entry in the ledger."""

    item: str
    amount: Sum
    discount: Sum
    write_off: Sum
    charges: Sum
    closes: bool
    rule: str
    evidence: list[EvidenceView]
    allocated_at: datetime
    entry_id: str


@dataclass(frozen=True, slots=True)
class PaymentWhole:
    """A payment, every row of its allocations in the order they were written, and what the cash rules
    decided about differences."""

    payment: PaymentView
    history: list[AllocationView]
    decisions: list[ExplanationView]


@dataclass(frozen=True, slots=True)
class WishedShare:
    """No `amount`: as much as is open and there."""

    item: str
    amount: str | None = None


@dataclass(frozen=True, slots=True)
class CashRequestView:
    """A wish above the company's amount. `action`: apply or undo; `amount`: the payment in the company's
    currency; `shares`, `write_off`, `discount` and `on_account` are what is asked for, in the payment's.
    `state`: open, approved or refused."""

    id: str
    payment_id: str
    action: str
    amount: Sum
    shares: list[WishedShare]
    requested_by: str
    requested_at: datetime
    state: str
    write_off: str | None = None
    discount: str | None = None
    on_account: str | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class CashDone:
    """The payment as it stands now, and the request about it where it takes or took a second person."""

    payment: PaymentView
    request: CashRequestView | None = None


def views(desk: Desk, connection: Connection, rows: Iterable[Row[Any]]) -> list[PaymentView]:
    """Stored payments as they stand."""
    lines = list(shown.lines(connection, desk.company_id, rows))
    asked = payments.asked_about(connection, desk.company_id, [line["payment_id"] for line in lines])
    return [view(line, asked.get(line["payment_id"])) for line in lines]


def view(line: Mapping[str, Any], request_id: str | None = None) -> PaymentView:
    """One line of `shown` as an answer."""
    currency, theirs = line["currency"], line["items_currency"]
    return PaymentView(
        line["payment_id"],
        line["statement_id"],
        line["account"],
        line["booked_on"],
        Sum(line["amount"], currency),
        line["is_credit"],
        Sum(line["unallocated"], currency),
        Sum(line["unapplied"], currency),
        line["state"],
        line["decision"] or "review",
        line["rule"] or "",
        _evidence(line["evidence"]),
        _shares(line["alloc"], theirs),
        Sum(line["discount"], theirs),
        Sum(line["writeoff"], theirs),
        Sum(line["charges"], theirs),
        [_suggestion(one, currency) for one in line.get("suggestions", ())],
        line["tx"],
        line["customer_id"],
        line["reason"],
        line["words"],
        line["counterparty"],
        line["text"],
        line["of_payment_id"],
        line["part_of"],
        request_id,
    )


def _evidence(told: Iterable[Mapping[str, str]]) -> list[EvidenceView]:
    return [EvidenceView(one["field"], one["words"]) for one in told]


def _shares(parts: Iterable[tuple[str, str, bool]], currency: str) -> list[ShareView]:
    return [ShareView(number, Sum(amount, currency), bool(closes)) for number, amount, closes in parts]


def _suggestion(one: Mapping[str, Any], currency: str) -> SuggestionView:
    return SuggestionView(
        one["customer_id"], one["score"], _shares(one["alloc"], currency), _evidence(one["evidence"])
    )


def whole(told: Told, request_id: str | None) -> PaymentWhole:
    """A payment explained."""
    return PaymentWhole(
        view(told.line, request_id),
        [_allocation(one) for one in told.allocations],
        [explanation(one) for one in told.made],
    )


def _allocation(one: Mapping[str, Any]) -> AllocationView:
    currency = one["currency"]
    return AllocationView(
        one["number"],
        Sum(one["amount"], currency),
        Sum(one["discount"], currency),
        Sum(one["writeoff"], currency),
        Sum(one["charges"], currency),
        one["closes"],
        one["rule"],
        _evidence(one["evidence"]),
        one["allocated_at"],
        one["entry_id"],
    )


def request_view(one: CashRequest, currency: str) -> CashRequestView:
    """A request; ``currency`` is that of the company's books."""
    wish = foureyes.wish_of(one)

    def text(amount: Any) -> str | None:
        return None if amount is None else format(amount, "f")

    return CashRequestView(
        one.request_id,
        one.payment_id,
        one.action,
        total(one.amount, currency),
        [WishedShare(share.number, text(share.amount)) for share in wish.items],
        one.requested_by,
        one.requested_at,
        one.state,
        text(wish.write_off),
        text(wish.discount),
        wish.on_account,
        one.decided_by,
        one.decided_at,
    )
