"""EN 16931 arithmetic, held to the rules as they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from o2c.billing import build_invoice, numbered
from o2c.errors import Refused
from o2c.invoice import Invoice
from o2c.money import Money, Quantity, document_digits
from o2c.order import (
    AllowanceCharge,
    Order,
    OrderLine,
    OrderPart,
    PartState,
    Product,
    ProductId,
    Tax,
    VatCategory,
)
from o2c.party import Address, Identifier, Party
from o2c.shipment import ShipmentLine
from o2c.totals import Progress, line_net, order_value, parts_value

SELLER = Party("The Supplier AB", Address("NO"))
BUYER = Party("City Hospital", Address("SE"))
STANDARD = Tax(VatCategory.STANDARD, Decimal(25))
D = Decimal


def line(line_id: str, quantity: str, price: str, tax: Tax | None = STANDARD, **more: object) -> OrderLine:
    return replace(
        OrderLine(line_id, f"item {line_id}", Quantity(D(quantity), "NAR"), D(price), tax=tax),
        **more,  # type: ignore[arg-type]
    )


def order(*lines: OrderLine, currency: str = "EUR", extras: tuple[AllowanceCharge, ...] = ()) -> Order:
    return Order("erp", "1", "1", date(2013, 7, 1), currency, BUYER, lines, allowance_charges=extras)


def bill(
    an_order: Order,
    shipped: list[ShipmentLine] | None = None,
    billed: dict[str, Decimal] | None = None,
    products: dict[str, Product] | None = None,
) -> Invoice:
    return build_invoice(
        order=an_order,
        shipped=shipped or [ShipmentLine(one.line_id, one.quantity.value) for one in an_order.lines],
        seller=SELLER,
        buyer=BUYER,
        number="INV-2026-0001",
        reference="RF18",
        issued_on=date(2026, 3, 1),
        terms_days=30,
        products=products or {},
        billed=billed or {},
    )


UC1 = order(
    line("1", "10", "4", seller_item_id="SN-33"),
    line("2", "5", "6", seller_item_id="SN-34"),
    line("3", "15", "3", seller_item_id="SN-35"),
)
UC4 = order(
    line("1", "50", "1", Tax(VatCategory.STANDARD, D(10)), price_discount=D(1), gross_price=D(2)),
    extras=(AllowanceCharge(True, D(10), "Freight cost"), AllowanceCharge(False, D(10), "Agreed discount")),
)


def test_the_city_hospital_order_comes_to_what_it_says() -> None:
    totals = bill(UC1).totals
    assert (totals.tax_exclusive, totals.tax, totals.payable) == (D("115.00"), D("28.75"), D("143.75"))
    assert order_value(UC1) == Money(D("143.75"), "EUR")


def test_freight_and_discount_of_the_snow_shovels_cancel_out() -> None:
    totals = bill(UC4).totals
    assert (totals.line_net, totals.charges, totals.allowances) == (D(50), D(10), D(10))
    assert (totals.tax, totals.payable) == (D(5), D(55))
    assert order_value(UC4) == Money(D("55.00"), "EUR")


def test_the_invoice_carries_the_references_and_dates_of_the_order() -> None:
    invoice = bill(UC1)
    assert (invoice.order_reference, invoice.buyer_reference) == ("1", None)
    assert invoice.due_on == date(2026, 3, 31)
    assert [(one.line_id, one.order_line_id) for one in invoice.lines] == [("1", "1"), ("2", "2"), ("3", "3")]
    final = numbered(invoice, "INV-2026-0007", "RF71")
    assert (final.number, final.payment.reference, final.totals) == ("INV-2026-0007", "RF71", invoice.totals)


def test_the_line_amount_is_rounded_once() -> None:
    halves = line("1", "1", "0.005", allowance_charges=(AllowanceCharge(True, D("0.005")),))
    assert line_net(halves, D(1), "EUR") == D("0.01")  # rounding on the way would give 0.02


def test_what_is_cancelled_costs_nothing_and_takes_its_share_of_the_freight_along() -> None:
    freight = replace(UC1, allowance_charges=(AllowanceCharge(True, D("11.50"), "Freight"),))
    invoice = bill(freight, [ShipmentLine("1", D(10)), ShipmentLine("3", D(15))])
    assert (invoice.totals.line_net, invoice.totals.charges) == (D(85), D("8.50"))
    parts = [OrderPart("1", PartState.SHIPPED, D(10)), OrderPart("3", PartState.RESERVED, D(15))]
    assert parts_value(freight, parts) == Money(invoice.totals.payable, "EUR")


def test_pieces_from_two_warehouses_make_one_invoice_line() -> None:
    invoice = bill(UC1, [ShipmentLine("1", D(6), "W1"), ShipmentLine("1", D(4), "W2")])
    assert [(one.quantity.value, one.net_amount) for one in invoice.lines] == [(D(10), D(40))]


def test_a_substitute_takes_the_price_of_the_line_and_its_own_name() -> None:
    gtin = Identifier("8722700577588", "0160")
    mild = Product(ProductId("SN-36"), "Mild pepper", standard_id=gtin, properties=(("Heat", "mild"),))
    described = replace(UC1.lines[2], description="Hot pepper sauce", properties=(("Heat", "hot"),))
    invoice = bill(order(described), [ShipmentLine("3", D(15), product_id="SN-36")], products={"SN-36": mild})
    (sold,) = invoice.lines
    assert (sold.name, sold.seller_item_id, sold.standard_item_id) == (
        "Mild pepper",
        "SN-36",
        mild.standard_id,
    )
    assert (sold.description, sold.properties) == (None, (("Heat", "mild"),))
    assert (sold.net_price, sold.net_amount, sold.tax) == (D(3), D(45), STANDARD)


def test_a_line_without_vat_takes_that_of_the_product() -> None:
    untaxed = order(line("1", "1", "400", tax=None, name="Translation"))
    service = Product(ProductId("TR"), "Translation", tax=Tax(VatCategory.EXEMPT), stocked=False)
    invoice = bill(untaxed, products={"TR": service})
    (entry,) = invoice.breakdown
    assert (entry.tax.category, entry.exemption_reason) == (VatCategory.EXEMPT, "Exempt from VAT")
    assert (invoice.lines[0].seller_item_id, invoice.totals.payable) == ("TR", D(400))


def test_the_value_of_an_order_takes_vat_from_the_product_and_else_counts_none() -> None:
    untaxed = order(line("1", "1", "400", tax=None), extras=(AllowanceCharge(True, D(10)),))
    assert order_value(untaxed) == Money(D("410.00"), "EUR")
    taxed = Product(ProductId("TR"), "Translation", tax=STANDARD)
    assert order_value(untaxed, {"1": taxed}) == Money(D("512.50"), "EUR")


def test_a_share_of_a_percentage_is_an_amount_of_its_own() -> None:
    tenth = AllowanceCharge(False, D("4.00"), "Rebate", base_amount=D("40.001"), percent=D(10))
    rebated = order(line("1", "10", "4", allowance_charges=(tenth,)))
    (whole,) = bill(rebated).lines[0].allowance_charges
    assert (whole.amount, whole.base_amount, whole.percent) == (D("4.00"), D("40.00"), D(10))
    (part,) = bill(rebated, [ShipmentLine("1", D(3))]).lines[0].allowance_charges
    assert (part.amount, part.base_amount, part.percent) == (D("1.20"), None, None)


def test_freight_of_free_goods_is_shared_by_pieces() -> None:
    samples = order(line("1", "4", "0"), extras=(AllowanceCharge(True, D(10), "Freight"),))
    first = bill(samples, [ShipmentLine("1", D(1))])
    last = bill(samples, [ShipmentLine("1", D(3))], {"1": D(1)})
    assert (first.totals.charges, last.totals.charges) == (D("2.50"), D("7.50"))


def test_where_there_is_nothing_to_share_by_the_charge_is_whole() -> None:
    nothing = order(line("1", "0", "4"), extras=(AllowanceCharge(True, D(10), "Freight"),))
    assert order_value(nothing) == Money(D("10.00"), "EUR")


@given(st.decimals("0", "10", places=3), st.decimals("0.001", "1000", places=28))
def test_a_division_never_costs_the_last_cent(amount: Decimal, whole: Decimal) -> None:
    assert Progress(D(0), whole, whole).share(amount, 2) == half_up(amount, "EUR")


MIXED = (line("1", "1", "10"), line("2", "1", "10", Tax(VatCategory.STANDARD, D(15))))


@pytest.mark.parametrize(
    ("an_order", "shipped", "code", "names"),
    [
        (order(line("7", "1", "1", tax=None)), None, "vat-category-missing", "line 7 (item 7)"),
        (
            order(*MIXED, extras=(AllowanceCharge(True, D(5), "Freight"),)),
            None,
            "vat-category-missing",
            "Freight",
        ),
        (order(line("1", "1", "1", Tax(VatCategory.STANDARD))), None, "vat-rate", "line 1"),
        (order(line("1", "1", "1", Tax(VatCategory.EXPORT, D(25)))), None, "vat-rate", "line 1"),
        (
            order(line("1", "1", "1"), line("2", "1", "1", Tax(VatCategory.OUTSIDE_SCOPE))),
            None,
            "vat-category-mixed",
            "category O",
        ),
        (order(line("1", "1", "-1")), None, "price", "line 1"),
        (order(line("1", "1", "1", price_base=D(0))), None, "price", "line 1"),
        (UC1, [ShipmentLine("9", D(1))], "shipment-line", "'9'"),
        (UC1, [ShipmentLine("1", D(11))], "shipment-quantity", "line 1: 11"),
        (UC1, [ShipmentLine("1", D(6)), ShipmentLine("1", D(5), product_id="X")], "shipment-quantity", "5"),
        (UC1, [ShipmentLine("1", D(0))], "shipment-quantity", "line 1: 0"),
        (UC1, [ShipmentLine("1", D(1), product_id="SN-99")], "product-unknown", "SN-99"),
    ],
)
def test_what_cannot_be_billed_is_refused_by_name(
    an_order: Order, shipped: list[ShipmentLine] | None, code: str, names: str
) -> None:
    x = Product(ProductId("X"), "X")
    with pytest.raises(Refused) as refusal:
        bill(an_order, shipped, products={"X": x})
    assert refusal.value.code == code
    assert names in refusal.value.message


def test_nothing_is_billed_twice() -> None:
    with pytest.raises(Refused, match="8 are billed"):
        bill(UC1, [ShipmentLine("1", D(3))], billed={"1": D(8)})


# Properties ---------------------------------------------------------------------------------------

CURRENCIES = st.sampled_from(["EUR", "NOK", "JPY", "BHD"])
QUANTITIES = st.decimals("0.001", "500", places=3)
AMOUNTS = st.decimals("0", "300", places=2)
TAXES = st.sampled_from(
    [Tax(VatCategory.STANDARD, D(rate)) for rate in ("25", "15", "19", "5.5", "8.1")]
    + [Tax(VatCategory(category)) for category in ("Z", "E", "AE", "K", "G")]
)
ONLY_OUTSIDE = st.just(Tax(VatCategory.OUTSIDE_SCOPE))


@st.composite
def orders(draw: st.DrawFn) -> Order:
    taxes = draw(st.sampled_from([TAXES, TAXES, TAXES, ONLY_OUTSIDE]))
    line_extras = st.builds(AllowanceCharge, st.booleans(), AMOUNTS)
    extras = st.builds(AllowanceCharge, st.booleans(), AMOUNTS, tax=taxes)
    lines = [
        OrderLine(
            line_id=str(number),
            name="thing",
            quantity=Quantity(draw(QUANTITIES), "C62"),
            net_price=draw(st.decimals("0", "2000", places=4)),
            price_base=draw(st.sampled_from([D(1), D(3), D(100)])),
            tax=draw(taxes),
            allowance_charges=tuple(draw(st.lists(line_extras, max_size=2))),
        )
        for number in range(1, draw(st.integers(1, 5)) + 1)
    ]
    document = tuple(draw(st.lists(extras, max_size=3)))
    return order(*lines, currency=draw(CURRENCIES), extras=document)


def half_up(value: Decimal, currency: str) -> Decimal:
    return value.quantize(D(1).scaleb(-document_digits(currency)), ROUND_HALF_UP)


@given(orders())
def test_the_arithmetic_rules_hold_as_written(an_order: Order) -> None:
    invoice, zero = bill(an_order), D(0)
    totals, extras = invoice.totals, invoice.allowance_charges
    assert totals.line_net == sum((one.net_amount for one in invoice.lines), zero)  # BR-CO-10
    assert totals.allowances == sum((e.amount for e in extras if not e.is_charge), zero)  # BR-CO-11
    assert totals.charges == sum((e.amount for e in extras if e.is_charge), zero)  # BR-CO-12
    assert totals.tax_exclusive == totals.line_net - totals.allowances + totals.charges  # BR-CO-13
    assert totals.tax == sum((entry.tax_amount for entry in invoice.breakdown), zero)  # BR-CO-14
    assert totals.tax_inclusive == totals.tax_exclusive + totals.tax  # BR-CO-15
    assert totals.payable == totals.tax_inclusive - totals.prepaid + totals.rounding  # BR-CO-16
    for entry in invoice.breakdown:  # BR-CO-17, and -09 of the categories without VAT
        assert entry.tax_amount == half_up(entry.taxable_amount * entry.tax.rate / 100, invoice.currency)
        assert entry.tax.category is VatCategory.STANDARD or entry.tax_amount == 0


@given(orders())
def test_every_category_and_rate_is_broken_down_once_and_fully(an_order: Order) -> None:
    invoice = bill(an_order)
    used = {one.tax for one in invoice.lines} | {e.tax for e in invoice.allowance_charges}
    assert sorted(map(repr, used)) == sorted(repr(entry.tax) for entry in invoice.breakdown)  # BR-CO-18
    for entry in invoice.breakdown:  # BR-S-08, BR-Z-08, BR-E-08, BR-AE-08, BR-IC-08, BR-G-08, BR-O-08
        nets = [one.net_amount for one in invoice.lines if one.tax == entry.tax]
        nets += [
            e.amount if e.is_charge else -e.amount for e in invoice.allowance_charges if e.tax == entry.tax
        ]
        assert entry.taxable_amount == sum(nets)
        assert (entry.exemption_reason is None) == (entry.tax.category.value in ("S", "Z"))


@given(orders())
def test_no_amount_has_more_decimals_than_the_currency_or_two(an_order: Order) -> None:
    invoice = bill(an_order)
    totals = invoice.totals
    amounts = [one.net_amount for one in invoice.lines]
    amounts += [e.amount for one in invoice.lines for e in one.allowance_charges]
    amounts += [e.amount for e in invoice.allowance_charges]
    amounts += [totals.line_net, totals.tax_exclusive, totals.tax, totals.tax_inclusive, totals.payable]
    for amount in amounts:  # BR-DEC-*
        assert amount == half_up(amount, invoice.currency)


@given(orders(), st.data())
def test_any_split_into_shipments_bills_the_allowances_and_charges_exactly_once(
    an_order: Order, data: st.DataObject
) -> None:
    count = data.draw(st.integers(2, 4), "shipments")
    billed = {one.line_id: D(0) for one in an_order.lines}
    invoices = []
    for number in range(1, count + 1):
        shipped = []
        for one in an_order.lines:
            left = one.quantity.value - billed[one.line_id]
            part = left if number == count else data.draw(st.decimals(0, left, places=3), "pieces")
            if part:
                shipped.append(ShipmentLine(one.line_id, part))
        if shipped:
            invoices.append(bill(an_order, shipped, dict(billed)))
        for piece in shipped:
            billed[piece.line_id] += piece.quantity
    whole = bill(an_order)
    assert extras_total(invoices) == extras_total([whole])
    assert line_extras_total(invoices) == line_extras_total([whole])
    ordered = {one.line_id: one.quantity.value for one in an_order.lines}
    assert billed == ordered


def extras_total(invoices: list[Invoice]) -> tuple[Decimal, Decimal]:
    zero = D(0)
    return (
        sum((i.totals.allowances for i in invoices), zero),
        sum((i.totals.charges for i in invoices), zero),
    )


def line_extras_total(invoices: list[Invoice]) -> dict[tuple[str | None, bool], Decimal]:
    sums: dict[tuple[str | None, bool], Decimal] = {}
    for invoice in invoices:
        for one in invoice.lines:
            for extra in one.allowance_charges:
                key = (one.order_line_id, extra.is_charge)
                sums[key] = sums.get(key, D(0)) + extra.amount
    return sums


@given(orders())
def test_the_value_of_an_order_is_what_its_invoice_will_say(an_order: Order) -> None:
    assert order_value(an_order).amount == bill(an_order).totals.payable
