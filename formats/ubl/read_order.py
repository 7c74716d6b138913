"""Peppol BIS Order (transaction T01) -> ``Order``, every line kept as the buyer sent it.

Governed by UBL 2.1 Order and Peppol BIS Order Only 3. All problems are collected, each with
its XPath and in words; nothing is computed, rounded or guessed here.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from lxml import etree

from formats import xml
from formats.ubl.paths import CBC, ubl_namespace
from formats.ubl.read_party import delivery, party
from formats.ubl.reading import Place, Reading, joined
from o2c.errors import Refused
from o2c.money import Quantity
from o2c.order import AllowanceCharge, Order, OrderLine, Tax, VatCategory
from o2c.party import Address, Party

_ROOT = f"{{{ubl_namespace('Order')}}}Order"
_NO_DAY = date.min  # stands in for a missing issue date, which is a fault


def read_order(content: bytes, source: str) -> Order:
    """The order in ``content``, as received from ``source``.

    ``external_id`` is the addresses of buyer and seller and the order number: buyers count their
    orders from 1, and each seller's anew. Raises ``Refused``: the codes of ``xml.parse``; ``message``
    where the document is no UBL order; ``order-invalid`` with one fault per problem.
    """
    root = xml.parse(content)
    if root.tag != _ROOT:
        raise Refused("message", f"this is no UBL 2 Order but {_name(root)}.", next_step="Send an Order.")
    reading = Reading((root.findtext(f"{{{CBC}}}DocumentCurrencyCode") or "").strip())
    place = Place(root, reading)
    place.call("the order")
    order = _order(place, source)
    faults = reading.faults
    if faults:
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refused("order-invalid", f"{faults[0].message}{more}", faults=faults)
    return order


def _name(root: etree._Element) -> str:
    name = etree.QName(root)
    return f"{name.localname} of {name.namespace or 'no namespace'}"


def _order(at: Place, source: str) -> Order:
    number = at.need("cbc:ID", "the order number")
    issued = at.day("cbc:IssueDate", "the issue date")
    if issued is None:
        at.need("cbc:IssueDate", "the issue date")
    currency = at.need("cbc:DocumentCurrencyCode", "the currency")
    buyer = _buyer(at)
    seller = party(at, "cac:SellerSupplierParty", "the seller")
    return Order(
        source=source,
        external_id="/".join([_address_of(buyer), *([_address_of(seller)] if seller else []), number]),
        document_id=number,
        ordered_on=issued or _NO_DAY,
        currency=currency,
        buyer=buyer,
        lines=_lines(at),
        seller=seller,
        invoicee=party(at, "cac:AccountingCustomerParty", "the invoicee"),
        delivery=delivery(at),
        allowance_charges=_allowance_charges(at),
        buyer_reference=at.text("cbc:CustomerReference"),
        accounting_cost=at.text("cbc:AccountingCost"),
        contract_id=at.text("cac:Contract/cbc:ID"),
        note=at.texts("cbc:Note"),
        valid_until=at.day("cac:ValidityPeriod/cbc:EndDate", "the end of validity"),
        stated_payable=at.amount("cac:AnticipatedMonetaryTotal/cbc:PayableAmount", "the payable amount"),
    )


def _address_of(who: Party) -> str:
    """What tells parties apart: the electronic address, else an identifier, else the name."""
    known = next(filter(None, (who.endpoint, *who.identifiers, who.legal_id)), None)
    if known is None:
        return who.name
    return f"{known.scheme}:{known.value}" if known.scheme else known.value


def _buyer(at: Place) -> Party:
    buyer = party(at, "cac:BuyerCustomerParty", "the buyer")
    if buyer is None:
        at.fault("cac:BuyerCustomerParty/cac:Party", "missing", "the buyer is missing.")
    return buyer or Party("", Address(""))


def _allowance_charges(at: Place) -> tuple[AllowanceCharge, ...]:
    return tuple(_allowance_charge(place) for place in at.children("cac:AllowanceCharge"))


def _allowance_charge(at: Place) -> AllowanceCharge:
    is_charge = at.flag("cbc:ChargeIndicator", "the charge indicator")
    if is_charge is None:
        at.need("cbc:ChargeIndicator", "the charge indicator (true: charge, false: allowance)")
    return AllowanceCharge(
        is_charge=bool(is_charge),
        amount=_needed(at, "cbc:Amount", "the amount of the allowance or charge"),
        reason=at.text("cbc:AllowanceChargeReason"),
        reason_code=at.text("cbc:AllowanceChargeReasonCode"),
        base_amount=at.amount("cbc:BaseAmount", "the base amount"),
        percent=at.number("cbc:MultiplierFactorNumeric", "the percentage"),
        tax=_tax(at, "cac:TaxCategory"),
    )


def _needed(at: Place, path: str, what: str) -> Decimal:
    found = at.amount(path, what)
    if found is None:
        at.need(path, what)
    return found or Decimal(0)


def _tax(at: Place, path: str) -> Tax | None:
    here = at.child(path)
    if here is None:
        return None
    code = here.need("cbc:ID", "the VAT category")
    if code not in list(VatCategory):
        if code:
            known = ", ".join(VatCategory)
            here.fault("cbc:ID", "choice", f"the VAT category must be one of {known}, not {code!r}.")
        return None
    rate = here.number("cbc:Percent", "the VAT rate")
    if rate is None and code != VatCategory.OUTSIDE_SCOPE:
        here.need("cbc:Percent", "the VAT rate")
    return Tax(VatCategory(code), rate or Decimal(0))


def _lines(at: Place) -> tuple[OrderLine, ...]:
    places = at.children("cac:OrderLine")
    if not places:
        at.fault("cac:OrderLine", "missing", "there is no order line.")
    seen: set[str] = set()
    lines = []
    for position, place in enumerate(places, 1):
        line = _line(place, position)
        if line.line_id and line.line_id in seen:
            place.fault("cac:LineItem/cbc:ID", "duplicate", f"line number {line.line_id} is used twice.")
        seen.add(line.line_id)
        lines.append(line)
    return tuple(lines)


def _line(at: Place, position: int) -> OrderLine:
    here = at.child("cac:LineItem")
    if here is None:
        at.fault("cac:LineItem", "missing", f"order line {position} is empty.")
        return OrderLine("", "", Quantity(Decimal(0), ""), Decimal(0))
    name = here.text("cac:Item/cbc:Name")
    number = here.text("cbc:ID") or f"at position {position}"
    here.call(f"line {number} ({name})" if name else f"line {number}")
    quantity = _quantity(here)
    return OrderLine(
        line_id=here.need("cbc:ID", "the line number"),
        name=here.need("cac:Item/cbc:Name", "the item name"),
        quantity=quantity,
        net_price=_price(here),
        price_base=_price_base(here, quantity.unit),
        price_discount=here.amount("cac:Price/cac:AllowanceCharge/cbc:Amount", "the price discount"),
        gross_price=here.amount("cac:Price/cac:AllowanceCharge/cbc:BaseAmount", "the gross price"),
        tax=_tax(here, "cac:Item/cac:ClassifiedTaxCategory"),
        seller_item_id=here.text("cac:Item/cac:SellersItemIdentification/cbc:ID"),
        buyer_item_id=here.text("cac:Item/cac:BuyersItemIdentification/cbc:ID"),
        standard_item_id=here.identifier("cac:Item/cac:StandardItemIdentification/cbc:ID"),
        description=here.text("cac:Item/cbc:Description"),
        properties=_properties(here),
        allowance_charges=_allowance_charges(here),
        partial_delivery=here.flag("cbc:PartialDeliveryIndicator", "the partial delivery indicator"),
        accounting_cost=here.text("cbc:AccountingCost"),
        note=joined("\n", (at.texts("cbc:Note"), here.texts("cbc:Note"))),
    )


def _quantity(here: Place) -> Quantity:
    place = here.child("cbc:Quantity")
    value = here.number("cbc:Quantity", "the quantity")
    unit = (place.element.get("unitCode") or "") if place else ""
    if value is None:
        here.need("cbc:Quantity", "the quantity")
    elif value < 0:
        here.fault("cbc:Quantity", "number", f"the quantity must not be negative: {value}.")
    elif not unit:
        here.fault("cbc:Quantity/@unitCode", "missing", "the unit of the quantity is missing, e.g. C62.")
    return Quantity(value or Decimal(0), unit)


def _price(here: Place) -> Decimal:
    price = _needed(here, "cac:Price/cbc:PriceAmount", "the price")
    if price < 0:
        here.fault("cac:Price/cbc:PriceAmount", "number", f"the price must not be negative: {price}.")
    return price


def _price_base(here: Place, unit: str) -> Decimal:
    path = "cac:Price/cbc:BaseQuantity"
    place = here.child(path)
    base = here.number(path, "the price base quantity")
    if place is None or base is None:
        return Decimal(1)
    stated = place.element.get("unitCode")
    if stated and unit and stated != unit:
        here.fault(f"{path}/@unitCode", "unit", f"the price is per {stated}, the quantity in {unit}.")
    if base <= 0:
        here.fault(path, "number", f"the price base quantity must be above zero: {base}.")
        return Decimal(1)
    return base


def _properties(here: Place) -> tuple[tuple[str, str], ...]:
    item = here.child("cac:Item")
    return tuple(map(_property, item.children("cac:AdditionalItemProperty"))) if item else ()


def _property(here: Place) -> tuple[str, str]:
    return here.need("cbc:Name", "the name of a property"), here.need("cbc:Value", "the value of a property")
