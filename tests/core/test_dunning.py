"""Who is reminded of what, and who is left in peace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from o2c.billing import build_invoice
from o2c.decision import Decision
from o2c.dunning import NEVER, Ageing, Letter, Receivable, ageing, facts, letters, parts, review
from o2c.invoice import Invoice
from o2c.ledger import OpenItem
from o2c.money import Quantity
from o2c.order import Customer, CustomerId, Order, OrderLine, Tax, VatCategory
from o2c.party import Address, Identifier, Party
from o2c.shipment import ShipmentLine

D = Decimal
TODAY = date(2026, 4, 15)
BUYER = Party("City Hospital", Address("SE"), endpoint=Identifier("7300010000001", "0088"))
CUSTOMER = Customer(CustomerId("C-17"), BUYER)


def owed(
    number: str, overdue: int, owner: str = "C-17", minor: int = 14375, currency: str = "EUR"
) -> Receivable:
    due = TODAY - timedelta(days=overdue)
    issued = due - timedelta(days=30)
    item = OpenItem(number, owner, "City Hospital", "RF18", currency, minor, "NOK", minor * 11, issued, due)
    return Receivable(item, "O-1")


def decided(
    receivable: Receivable,
    outcome: str,
    actions: Mapping[str, str] | None = None,
    customer: Customer = CUSTOMER,
    in_sight: bool = False,
) -> tuple[Receivable, Decision]:
    seen = facts(receivable, customer, TODAY, in_sight)
    return receivable, Decision("dunning", outcome, "D50", "", seen, "sha", "closures", actions or {})


def told(written: tuple[Letter, ...]) -> list[str]:
    return [
        f"{one.customer_id} {one.level} {' '.join(i.invoice_number for i in one.items)}" for one in written
    ]


def test_the_facts_of_a_quiet_invoice() -> None:
    assert facts(owed("A", -16), CUSTOMER, TODAY, False) == {
        "dispute_open": False,
        "dunning_block": False,
        "consumer": False,
        "country": "SE",
        "promise_to_pay_days_left": -NEVER,
        "open_amount": D("1581.25"),
        "level_now": "none",
        "days_since_invoice": 14,
        "days_overdue": -16,
        "days_since_last": NEVER,
        "money_in_sight": False,
        "grace_days": 0,
        "disputed_amount": 0,
        "promise_broken": False,
        "notices_sent": 0,
    }


def test_the_facts_of_an_invoice_with_a_history() -> None:
    spoken = replace(
        owed("A", 20),
        level="L1",
        last_notice_on=TODAY - timedelta(days=9),
        disputed=True,
        promise_on=TODAY + timedelta(days=3),
    )
    seen = facts(spoken, replace(CUSTOMER, dunning_block=True, consumer=True), TODAY, True)
    assert {key: seen[key] for key in ("level_now", "days_since_last", "promise_to_pay_days_left")} == {
        "level_now": "L1",
        "days_since_last": 9,
        "promise_to_pay_days_left": 3,
    }
    assert all(seen[key] is True for key in ("dispute_open", "dunning_block", "consumer", "money_in_sight"))


def test_a_customer_gets_one_letter_at_the_highest_level_with_all_that_is_overdue() -> None:
    rows = [
        decided(owed("B", 5), "L1", {"letter": "first notice"}),
        decided(owed("A", 30), "L2", {"letter": "second notice"}),
        decided(owed("C", 40), "wait"),
        decided(owed("D", -16), "L0", {"letter": "friendly"}),
        decided(owed("E", -20), "wait"),
        decided(owed("F", 1, owner="C-18"), "L1"),
    ]
    written = letters(rows)
    assert told(written) == ["C-17 L2 C A B", "C-18 L1 F"]
    assert [one.letter for one in written] == ["second notice", "L1"]


def test_friendly_reminders_share_one_letter_and_name_nothing_else() -> None:
    rows = [decided(owed("B", -16), "L0"), decided(owed("A", -16), "L0"), decided(owed("C", 3), "wait")]
    assert told(letters(rows)) == ["C-17 L0 A B"]


def test_what_is_disputed_promised_blocked_or_in_sight_is_never_listed() -> None:
    blocked = replace(CUSTOMER, dunning_block=True)
    rows = [
        decided(owed("A", 30), "L2"),
        decided(replace(owed("B", 30), disputed=True), "stop"),
        decided(replace(owed("C", 30), promise_on=TODAY), "wait"),
        decided(owed("D", 30), "wait", in_sight=True),
        decided(owed("E", 30), "wait", customer=blocked),
        decided(replace(owed("F", 30), disputed=True), "wait"),
    ]
    assert told(letters(rows)) == ["C-17 L2 A"]


def test_a_notice_before_the_due_day_lists_nothing_and_is_none() -> None:
    assert letters([decided(owed("A", -3), "L1")]) == ()


def test_an_invoice_in_dispute_is_decided_in_two_parts() -> None:
    whole = replace(owed("A", 5), withheld=4000)
    rest, disputed = parts(whole)
    assert (rest.item.open, rest.disputed, disputed.item.open, disputed.disputed) == (
        10375,
        False,
        4000,
        True,
    )
    assert rest.item.base_open + disputed.item.base_open == whole.item.base_open
    seen = facts(rest, CUSTOMER, TODAY, False)
    assert (seen["open_amount"], seen["disputed_amount"], seen["dispute_open"]) == (
        D("1141.25"),
        D("440.00"),
        False,
    )
    told_apart = facts(disputed, CUSTOMER, TODAY, False)
    assert (told_apart["open_amount"], told_apart["dispute_open"]) == (D("440.00"), True)


def test_an_invoice_wholly_in_dispute_or_not_at_all_is_one_part() -> None:
    assert [part.disputed for part in parts(replace(owed("A", 5), withheld=20000))] == [True]
    assert parts(owed("A", 5)) == (owed("A", 5),)


def test_where_everything_waits_nobody_is_written_to() -> None:
    assert letters([decided(owed("A", 30), "wait"), decided(owed("B", 30), "stop")]) == ()


def test_ageing_sorts_by_currency_and_days() -> None:
    days = (-5, 0, 1, 30, 31, 60, 61, 90, 91)
    items = [owed(str(number), overdue, minor=10**number).item for number, overdue in enumerate(days)]
    items.append(owed("NOK", 400, minor=7, currency="NOK").item)
    assert ageing(items, TODAY) == {
        "EUR": Ageing(11, 1100, 110000, 11000000, 100000000),
        "NOK": Ageing(over_90=7),
    }


# The early review ---------------------------------------------------------------------------------

LINE = OrderLine("1", "Sauce", Quantity(D(10), "NAR"), D(4), tax=Tax(VatCategory.STANDARD, D(25)))
ORDER = Order("erp", "1", "1", date(2026, 3, 1), "EUR", BUYER, (LINE,))


def bill(order: Order) -> Invoice:
    return build_invoice(
        order=order,
        shipped=[ShipmentLine("1", D(6))],
        seller=Party("The Supplier AB", Address("NO")),
        buyer=order.buyer,
        number="INV-1",
        reference="RF18",
        issued_on=date(2026, 3, 1),
        terms_days=30,
        products={},
    )


def points(order: Order, invoice: Invoice, customer: Customer = CUSTOMER) -> list[str]:
    return [point.code for point in review(order, invoice, customer, delivered=True, bounced=False)]


def test_a_right_invoice_passes_the_review() -> None:
    assert points(ORDER, bill(ORDER)) == []


@pytest.mark.parametrize(
    ("changed", "codes"),
    [
        ({"net_price": D("4.01")}, ["price-differs"]),
        ({"net_price": D("40"), "price_base": D(10)}, []),
        ({"quantity": Quantity(D(5), "NAR")}, ["quantity-differs"]),
        ({"quantity": Quantity(D(10), "C62")}, ["quantity-differs"]),
        ({"line_id": "2"}, ["line-unknown"]),
    ],
)
def test_the_review_compares_lines_with_the_order(changed: dict[str, object], codes: list[str]) -> None:
    other = replace(ORDER, lines=(replace(LINE, **changed),))  # type: ignore[arg-type]
    assert points(other, bill(ORDER)) == codes


def test_the_review_looks_for_references_addresses_and_delivery() -> None:
    invoice = bill(ORDER)
    assert points(ORDER, replace(invoice, order_reference=None)) == ["reference-missing"]
    assert points(ORDER, replace(invoice, order_reference=None, buyer_reference="04011000-12345-03")) == []
    silent = replace(BUYER, endpoint=None)
    unreachable = replace(CUSTOMER, party=silent)
    assert points(ORDER, replace(invoice, buyer=silent), unreachable) == ["address-missing"]
    assert points(ORDER, replace(invoice, buyer=silent), replace(unreachable, email="ap@city.example")) == []
    lost = review(ORDER, invoice, CUSTOMER, delivered=False, bounced=True)
    assert [point.code for point in lost] == ["not-delivered", "bounced"]


@pytest.mark.parametrize("category", [VatCategory.REVERSE_CHARGE, VatCategory.INTRA_COMMUNITY])
def test_the_review_asks_for_the_vat_identifier_where_the_buyer_owes_the_tax(category: VatCategory) -> None:
    order = replace(ORDER, lines=(replace(LINE, tax=Tax(category)),))
    invoice = bill(order)
    assert points(order, invoice) == ["vat-id-missing"]
    assert points(order, replace(invoice, buyer=replace(BUYER, vat_id="SE554127771101"))) == []
