"""``OrderAnswer`` -> UBL 2.1 OrderResponse under Peppol BIS Order Response (T76).

Governed by Peppol BIS Ordering 3, transaction T76. Only a conditional acceptance (CA) carries
lines (PEPPOL-T76-R007 to R009); accepted and rejected answers speak for the whole order.
"""

from __future__ import annotations

from datetime import datetime

from formats.peppol import bis3
from formats.ubl.writing import (
    checked_currency,
    document,
    element,
    identifier,
    needed,
    number,
    tax_category,
    wrapped,
)
from formats.xml import attribute
from o2c.answer import LineAnswer, OrderAnswer, ResponseCode
from o2c.errors import Refused
from o2c.order import Order, OrderLine
from o2c.party import Identifier, Party


def write_order_response(
    order: Order, answer: OrderAnswer, *, response_id: str, issued_at: datetime
) -> bytes:
    """The seller's answer to ``order``, issued at ``issued_at`` under the number ``response_id``.

    Raises ``Refused``: ``endpoint-missing`` (a party without electronic address), ``no-lines`` (a
    conditional acceptance must say of which lines), ``line-unknown`` (an answer to a line the
    order does not have), ``missing``, ``currency``, ``number``, ``character``.
    """
    head = _head(order, answer, response_id, issued_at)
    parties = _party("SellerSupplierParty", order.seller, "seller")
    parties += _party("BuyerCustomerParty", order.buyer, "buyer")
    return document("OrderResponse", head + parties + _lines(order, answer))


def _head(order: Order, answer: OrderAnswer, response_id: str, issued_at: datetime) -> str:
    return (
        element("CustomizationID", bis3.ORDER_RESPONSE)
        + element("ProfileID", bis3.ORDERING_PROCESS)
        + needed("ID", response_id, "the number of the order response")
        + element("IssueDate", issued_at.date().isoformat())
        + element("IssueTime", issued_at.strftime("%H:%M:%S"))
        + element("OrderResponseCode", answer.code.value)
        + element("Note", answer.note)
        + element("DocumentCurrencyCode", checked_currency(order.currency))
        + element("CustomerReference", order.buyer_reference)
        + wrapped("OrderReference", needed("ID", order.document_id, "the number of the order"))
    )


def _party(name: str, party: Party | None, role: str) -> str:
    if party is None or party.endpoint is None or not party.endpoint.scheme:
        who = f"the {role} {party.name}" if party else f"the {role}"
        raise Refused(
            "endpoint-missing",
            f"{who} has no electronic address with a scheme, so no order response can reach it.",
            next_step="Ask for the address (scheme and id), or answer by another channel.",
        )
    identifiers = wrapped("PartyIdentification", "".join(identifier("ID", i) for i in party.identifiers[:1]))
    legal = wrapped("PartyLegalEntity", element("RegistrationName", party.name))
    return wrapped(name, wrapped("Party", identifier("EndpointID", party.endpoint) + identifiers + legal))


def _lines(order: Order, answer: OrderAnswer) -> str:
    if answer.code is not ResponseCode.CONDITIONAL:
        return ""
    if not answer.lines:
        raise Refused("no-lines", "a conditional acceptance (CA) needs at least one line (PEPPOL-T76-R007).")
    ordered = {line.line_id: line for line in order.lines}
    return "".join(_line(line, ordered.get(line.line_id), order) for line in answer.lines)


def _line(answer: LineAnswer, ordered: OrderLine | None, order: Order) -> str:
    if ordered is None:
        raise Refused("line-unknown", f"order {order.document_id} has no line {answer.line_id} to answer.")
    item = (
        element("ID", answer.line_id)
        + element("Note", answer.note)
        + element("LineStatusCode", answer.status.value)
        + _quantity(answer, ordered)
        + _item(answer, ordered)
    )
    reference = wrapped("OrderLineReference", element("LineID", answer.line_id))
    return wrapped("OrderLine", wrapped("LineItem", item) + _substitute(answer) + reference)


def _quantity(answer: LineAnswer, ordered: OrderLine) -> str:
    if answer.quantity is None:
        return ""
    unit = attribute(ordered.quantity.unit)
    return f'<cbc:Quantity unitCode="{unit}">{number(answer.quantity)}</cbc:Quantity>\n'


def _item(answer: LineAnswer, ordered: OrderLine) -> str:
    name = needed("Name", answer.name, f"the name of line {answer.line_id}")
    buyers = wrapped("BuyersItemIdentification", element("ID", ordered.buyer_item_id))
    if answer.item is not None:
        return wrapped("Item", name + buyers + _numbers(answer.item.product_id, answer.item.standard_id))
    return wrapped("Item", name + buyers + _numbers(ordered.seller_item_id, ordered.standard_item_id))


def _numbers(sellers: str | None, standard: Identifier | None) -> str:
    """The seller's number of an item and its standard number, which needs a scheme (PEPPOL-T76-B06401)."""
    known = standard if standard and standard.scheme else None
    return wrapped("SellersItemIdentification", element("ID", sellers)) + wrapped(
        "StandardItemIdentification", identifier("ID", known)
    )


def _substitute(answer: LineAnswer) -> str:
    product = answer.substitute
    if product is None:
        return ""
    item = element("Name", product.name) + _numbers(product.product_id, product.standard_id)
    item += tax_category("ClassifiedTaxCategory", product.tax) if product.tax else ""
    item += "".join(_property(name, value) for name, value in product.properties)
    return wrapped("SellerSubstitutedLineItem", element("ID", answer.line_id) + wrapped("Item", item))


def _property(name: str, value: str) -> str:
    return wrapped("AdditionalItemProperty", element("Name", name) + element("Value", value))
