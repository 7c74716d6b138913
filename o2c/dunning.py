"""What is due to be said to whom: facts per open invoice, one letter per customer, the early review.

The levels (L0 friendly, L1 .. L3, collection) and their days are decided by the dunning rules. This
module never asks for money that is in sight, disputed, blocked or promised, and never writes twice to
one customer in one run.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from o2c.country import known_country
from o2c.decision import Decision, FactValue
from o2c.invoice import Invoice, InvoiceLine, categories
from o2c.ledger import OpenItem
from o2c.money import Money, plain, round_half_up
from o2c.order import Customer, Order, OrderLine, VatCategory
from o2c.xrechnung import leitweg_doubt

NO_LEVEL = "none"
LEVELS = ("L0", "L1", "L2", "L3", "collection")  # mildest first
NEVER = 9999  # days since the last notice where there was none
_NEEDS_VAT_ID = {VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY}  # BR-AE-02, BR-IC-02


@dataclass(frozen=True, slots=True)
class Receivable:
    """An open invoice, or the disputed or undisputed part of one, and what has been said about it.

    ``level`` is ``none`` or one of ``LEVELS``. ``withheld`` is what must not be asked for, minor units
    of the invoice's currency; ``disputed`` tells that this is that part.
    """

    item: OpenItem
    order_id: str | None  # None where it was taken over from a former system
    level: str = NO_LEVEL
    last_notice_on: date | None = None
    disputed: bool = False
    promise_on: date | None = None
    withheld: int = 0
    promise_broken: bool = False
    blocked: bool = False
    notices_sent: int = 0  # letters about it that bore a fee


@dataclass(frozen=True, slots=True)
class Letter:
    """One notice to one customer: its level, the letter the rules name, and everything it lists."""

    customer_id: str
    level: str
    letter: str
    listed: tuple[Receivable, ...]

    @property
    def items(self) -> tuple[OpenItem, ...]:
        """What it asks for: of an invoice in dispute the undisputed part."""
        return tuple(receivable.item for receivable in self.listed)


@dataclass(frozen=True, slots=True)
class ReviewPoint:
    """Something on a sent invoice that could delay its payment."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class Ageing:
    """Open amounts of one currency by days overdue, in minor units."""

    not_due: int = 0
    days_1_30: int = 0
    days_31_60: int = 0
    days_61_90: int = 0
    over_90: int = 0


def parts(receivable: Receivable) -> tuple[Receivable, ...]:
    """An invoice as it is decided: whole, or its undisputed and its disputed part apart."""
    item, withheld = receivable.item, min(receivable.withheld, receivable.item.open)
    if withheld <= 0:
        return (replace(receivable, withheld=0),)
    base = int(round_half_up(Decimal(item.base_open * withheld) / item.open, 0))
    disputed = replace(
        receivable, item=item._replace(open=withheld, base_open=base), disputed=True, withheld=withheld
    )
    if withheld == item.open:
        return (disputed,)
    rest = item._replace(open=item.open - withheld, base_open=item.base_open - base)
    return replace(receivable, item=rest, withheld=withheld), disputed


def facts(
    receivable: Receivable, customer: Customer, today: date, money_in_sight: bool
) -> dict[str, FactValue]:
    """The facts of the dunning policy for one invoice on one day.

    Amounts are in the company's currency; ``days_overdue`` is negative before the due day, and so is
    ``promise_to_pay_days_left`` where no promise runs.
    """
    item, last, promise = receivable.item, receivable.last_notice_on, receivable.promise_on
    return {
        "dispute_open": receivable.disputed,
        "dunning_block": customer.dunning_block or receivable.blocked,
        "consumer": customer.consumer,
        "country": known_country(customer.party.address.country),
        "promise_to_pay_days_left": -NEVER if promise is None else (promise - today).days,
        "open_amount": Money.from_minor(item.base_open, item.base_currency).amount,
        "level_now": receivable.level,
        "days_since_invoice": (today - item.issued_on).days,
        "days_overdue": (today - item.due_on).days,
        "days_since_last": NEVER if last is None else (today - last).days,
        "money_in_sight": money_in_sight,
        "grace_days": customer.grace_days,
        "disputed_amount": _withheld_in_base(receivable),
        "promise_broken": receivable.promise_broken,
        "notices_sent": receivable.notices_sent,
    }


def letters(decided: Sequence[tuple[Receivable, Decision]]) -> tuple[Letter, ...]:
    """At most one letter per customer, at the highest level decided for any of its invoices.

    A friendly letter (L0) lists what it was decided for. From L1 on the letter lists every overdue
    item, also one whose own decision was to wait (its last notice is too fresh), but nothing before
    its due day: a reminder must not read as dunning.
    """
    by_customer: dict[str, list[tuple[Receivable, Decision]]] = {}
    for receivable, decision in decided:
        by_customer.setdefault(receivable.item.customer_id, []).append((receivable, decision))
    written = (_letter(customer_id, rows) for customer_id, rows in by_customer.items())
    return tuple(letter for letter in written if letter is not None)


def review(
    order: Order, invoice: Invoice, customer: Customer, *, delivered: bool, bounced: bool
) -> tuple[ReviewPoint, ...]:
    """Errors on a sent invoice that could delay its payment; empty means nothing is wrong."""
    ordered = {line.line_id: line for line in order.lines}
    points = [point for line in invoice.lines for point in _line_points(line, ordered)]
    number, buyer = invoice.number, invoice.buyer
    if not invoice.buyer_reference and not invoice.order_reference:
        points.append(ReviewPoint("reference-missing", f"{number} has neither BT-10 nor BT-13."))
    if buyer.endpoint is None and customer.party.endpoint is None and not customer.email:
        words = f"customer {customer.customer_id} has neither an electronic address (BT-49) nor an e-mail."
        points.append(ReviewPoint("address-missing", words))
    doubt = leitweg_doubt(invoice)
    if doubt:
        points.append(ReviewPoint("leitweg-id", f"{number}: {doubt}"))
    if not delivered:
        points.append(ReviewPoint("not-delivered", f"{number} has not reached the customer; send it again."))
    if bounced:
        points.append(ReviewPoint("bounced", f"{number} came back; correct the address and send it again."))
    if categories(invoice.lines) & _NEEDS_VAT_ID and not buyer.vat_id:
        points.append(ReviewPoint("vat-id-missing", f"{number} needs the buyer's VAT identifier (BT-48)."))
    return tuple(points)


def ageing(items: Iterable[OpenItem], today: date) -> dict[str, Ageing]:
    """Open amounts by currency and days overdue."""
    buckets: dict[str, Ageing] = {}
    for item in items:
        bucket = _bucket((today - item.due_on).days)
        before = buckets.get(item.currency, Ageing())
        buckets[item.currency] = replace(before, **{bucket: getattr(before, bucket) + item.open})
    return buckets


def _letter(customer_id: str, rows: Sequence[tuple[Receivable, Decision]]) -> Letter | None:
    levels = [decision.outcome for _, decision in rows if decision.outcome in LEVELS]
    if not levels:
        return None
    level = max(levels, key=LEVELS.index)
    named = next(decision for _, decision in rows if decision.outcome == level)
    listed = [receivable for receivable, decision in rows if _is_listed(receivable, decision, level)]
    if not listed:
        return None
    listed.sort(key=lambda receivable: (receivable.item.due_on, receivable.item.invoice_number))
    return Letter(customer_id, level, named.actions.get("letter", level), tuple(listed))


def _is_listed(receivable: Receivable, decision: Decision, level: str) -> bool:
    if receivable.disputed or decision.outcome not in (*LEVELS, "wait"):
        return False
    if level == "L0":
        return decision.outcome == level
    seen = decision.facts
    spared = seen["money_in_sight"] or seen["dunning_block"] or _number(seen["promise_to_pay_days_left"]) >= 0
    return not spared and _number(seen["days_overdue"]) > 0


def _withheld_in_base(receivable: Receivable) -> Decimal:
    item = receivable.item
    if not receivable.withheld or not item.open:
        return Decimal(0)
    minor = round_half_up(Decimal(item.base_open * receivable.withheld) / item.open, 0)
    return Money.from_minor(int(minor), item.base_currency).amount


def _number(value: FactValue) -> Decimal:
    return Decimal(value)


def _line_points(line: InvoiceLine, ordered: dict[str, OrderLine]) -> list[ReviewPoint]:
    source = ordered.get(line.order_line_id or "")
    if source is None:
        return [ReviewPoint("line-unknown", f"line {line.line_id} ({line.name}) was not ordered.")]
    points = []
    if line.net_price * source.price_base != source.net_price * line.price_base:
        words = (
            f"line {line.line_id}: the price is {plain(line.net_price)}, ordered {plain(source.net_price)}."
        )
        points.append(ReviewPoint("price-differs", words))
    if line.quantity.unit != source.quantity.unit or line.quantity.value > source.quantity.value:
        words = f"line {line.line_id}: {line.quantity} invoiced, {source.quantity} ordered."
        points.append(ReviewPoint("quantity-differs", words))
    return points


def _bucket(overdue_days: int) -> str:
    for name, last in (("not_due", 0), ("days_1_30", 30), ("days_31_60", 60), ("days_61_90", 90)):
        if overdue_days <= last:
            return name
    return "over_90"
