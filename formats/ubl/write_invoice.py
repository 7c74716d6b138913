"""``Invoice`` -> UBL 2.1 Invoice or CreditNote under Peppol BIS Billing 3 or XRechnung 3.0.

Governed by EN 16931-1, CEN/TS 16931-3-2 (its UBL syntax), Peppol BIS Billing 3 and the CIUS
XRechnung. Which document and which specification the invoice itself says. Text templates, one
small function per aggregate, in document order. It computes nothing and rounds nothing: what it
is given is what is written, and what cannot be written is refused. Same invoice, same bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from formats import xrechnung
from formats.peppol import bis3
from formats.ubl import write_party
from formats.ubl.writing import (
    amount,
    checked_currency,
    document,
    element,
    identifier,
    needed,
    number,
    tax_category,
    wrapped,
)
from formats.xml import attribute, text
from o2c.errors import Refused
from o2c.invoice import Invoice, InvoiceLine, InvoiceType, VatBreakdown
from o2c.order import AllowanceCharge, Delivery, InvoiceProfile, Tax

_SPECIFICATION = {
    InvoiceProfile.PEPPOL: bis3.BILLING,
    InvoiceProfile.XRECHNUNG: xrechnung.CIUS,
}


@dataclass(frozen=True, slots=True)
class _Syntax:
    """What the two document types call the same things."""

    root: str
    type_code: str
    line: str
    quantity: str


_INVOICE = _Syntax("Invoice", "InvoiceTypeCode", "InvoiceLine", "InvoicedQuantity")
_CREDIT_NOTE = _Syntax("CreditNote", "CreditNoteTypeCode", "CreditNoteLine", "CreditedQuantity")


def write_invoice(invoice: Invoice) -> bytes:
    """The document in UTF-8, one element a line.

    Raises ``Refused``: ``missing`` (number, party or item name; what a credit note credits),
    ``no-lines``, ``allowance-tax`` (a document allowance or charge whose VAT category is not
    clear), ``currency``, ``amount-digits``, ``number``, ``character``.
    """
    if not invoice.lines:
        raise Refused("no-lines", f"invoice {invoice.number} has no lines (BR-16).")
    syntax, currency = _syntax(invoice), checked_currency(invoice.currency)
    lines = "".join([_line(line, syntax, currency) for line in invoice.lines])
    return document(syntax.root, _head(invoice, syntax) + _parties(invoice) + _money(invoice) + lines)


def _syntax(invoice: Invoice) -> _Syntax:
    if invoice.type is not InvoiceType.CREDIT_NOTE:
        return _INVOICE
    if not invoice.preceding:
        told = f"credit note {invoice.number} does not say which invoice it credits (BT-25)."
        raise Refused("missing", told, next_step="Name the invoice.")
    return _CREDIT_NOTE


def _head(invoice: Invoice, syntax: _Syntax) -> str:
    # A CreditNote has no due date of its own; it stands at the payment means.
    due = f"<cbc:DueDate>{invoice.due_on.isoformat()}</cbc:DueDate>\n" if syntax is _INVOICE else ""
    return (
        f"<cbc:CustomizationID>{_SPECIFICATION[invoice.profile]}</cbc:CustomizationID>\n"
        f"<cbc:ProfileID>{bis3.BILLING_PROCESS}</cbc:ProfileID>\n"
        + needed("ID", invoice.number, "the invoice number (BT-1)")
        + f"<cbc:IssueDate>{invoice.issued_on.isoformat()}</cbc:IssueDate>\n"
        f"{due}<cbc:{syntax.type_code}>{invoice.type}</cbc:{syntax.type_code}>\n"
        + element("Note", invoice.note)
        + f"<cbc:DocumentCurrencyCode>{invoice.currency}</cbc:DocumentCurrencyCode>\n"
        + element("AccountingCost", invoice.accounting_cost)
        + element("BuyerReference", invoice.buyer_reference)
        + _references(invoice)
    )


def _references(invoice: Invoice) -> str:
    preceding = (wrapped("InvoiceDocumentReference", element("ID", number)) for number in invoice.preceding)
    return (
        wrapped("OrderReference", element("ID", invoice.order_reference))
        + "".join(wrapped("BillingReference", reference) for reference in preceding)
        + wrapped("DespatchDocumentReference", element("ID", invoice.despatch_reference))
        + wrapped("ContractDocumentReference", element("ID", invoice.contract_reference))
    )


def _parties(invoice: Invoice) -> str:
    return (
        wrapped("AccountingSupplierParty", write_party.seller(invoice.seller))
        + wrapped("AccountingCustomerParty", write_party.buyer(invoice.buyer))
        + wrapped("Delivery", _delivery(invoice))
    )


def _delivery(invoice: Invoice) -> str:
    place = invoice.delivery or Delivery()
    on = invoice.delivered_on
    location = identifier("ID", place.location_id)
    location += write_party.address("Address", place.address) if place.address else ""
    return (
        (f"<cbc:ActualDeliveryDate>{on.isoformat()}</cbc:ActualDeliveryDate>\n" if on else "")
        + wrapped("DeliveryLocation", location)
        + wrapped("DeliveryParty", wrapped("PartyName", element("Name", place.party_name)))
    )


def _money(invoice: Invoice) -> str:
    return (
        _payment(invoice)
        + wrapped("PaymentTerms", element("Note", invoice.payment.terms))
        + "".join(_document_allowance_charge(each, invoice) for each in invoice.allowance_charges)
        + _tax_total(invoice)
        + _totals(invoice)
    )


def _payment(invoice: Invoice) -> str:
    payment, due = invoice.payment, ""
    if invoice.type is InvoiceType.CREDIT_NOTE:
        due = element("PaymentDueDate", invoice.due_on.isoformat())
    branch = wrapped("FinancialInstitutionBranch", element("ID", payment.bic))
    account = element("ID", payment.iban) + element("Name", payment.account_name) + branch
    return (
        f"<cac:PaymentMeans>\n<cbc:PaymentMeansCode>{text(payment.means_code)}</cbc:PaymentMeansCode>\n"
        + due
        + element("PaymentID", payment.reference)
        + (wrapped("PayeeFinancialAccount", account) if payment.iban else "")
        + "</cac:PaymentMeans>\n"
    )


# --- allowances, charges, tax ---------------------------------------------------------------------


def _document_allowance_charge(each: AllowanceCharge, invoice: Invoice) -> str:
    tax = each.tax or _only_tax(each, invoice)
    return _allowance_charge(each, invoice.currency, tax_category("TaxCategory", tax))


def _only_tax(each: AllowanceCharge, invoice: Invoice) -> Tax:
    if len(invoice.breakdown) != 1:
        what = "charge" if each.is_charge else "allowance"
        raise Refused(
            "allowance-tax",
            f"the {what} of {each.amount} {invoice.currency} names no VAT category (BT-95, BT-102).",
            next_step=f"Give it one of the {len(invoice.breakdown)} categories of the invoice.",
        )
    return invoice.breakdown[0].tax


def _allowance_charge(each: AllowanceCharge, currency: str, tax: str = "") -> str:
    # A percentage without its base, or the reverse, may not be written (R041, R042); the amount counts.
    percent = base = ""
    if each.percent is not None and each.base_amount is not None:
        percent = element("MultiplierFactorNumeric", number(each.percent))
        base = amount("BaseAmount", each.base_amount, currency)
    return wrapped(
        "AllowanceCharge",
        element("ChargeIndicator", "true" if each.is_charge else "false")
        + element("AllowanceChargeReasonCode", each.reason_code)
        + element("AllowanceChargeReason", each.reason)
        + percent
        + amount("Amount", each.amount, currency)
        + base
        + tax,
    )


def _tax_total(invoice: Invoice) -> str:
    subtotals = "".join(_tax_subtotal(entry, invoice) for entry in invoice.breakdown)
    return wrapped("TaxTotal", amount("TaxAmount", invoice.totals.tax, invoice.currency) + subtotals)


def _tax_subtotal(entry: VatBreakdown, invoice: Invoice) -> str:
    currency = invoice.currency
    # XRechnung wants a rate in every breakdown, also outside the scope of VAT (BR-DE-14).
    rated = invoice.profile is InvoiceProfile.XRECHNUNG
    category = tax_category(
        "TaxCategory", entry.tax, entry.exemption_code, entry.exemption_reason, rated=rated
    )
    taxable = amount("TaxableAmount", entry.taxable_amount, currency)
    return wrapped("TaxSubtotal", taxable + amount("TaxAmount", entry.tax_amount, currency) + category)


def _totals(invoice: Invoice) -> str:
    totals = invoice.totals
    kinds = {each.is_charge for each in invoice.allowance_charges}
    # BT-107 and BT-108 must be there as soon as there is one such amount, even of zero (BR-CO-11, -12).
    written = (
        ("LineExtensionAmount", totals.line_net, True),
        ("TaxExclusiveAmount", totals.tax_exclusive, True),
        ("TaxInclusiveAmount", totals.tax_inclusive, True),
        ("AllowanceTotalAmount", totals.allowances, False in kinds),
        ("ChargeTotalAmount", totals.charges, True in kinds),
        ("PrepaidAmount", totals.prepaid, False),
        ("PayableRoundingAmount", totals.rounding, False),
        ("PayableAmount", totals.payable, True),
    )
    currency = invoice.currency
    body = (amount(name, value, currency) for name, value, always in written if always or value)
    return wrapped("LegalMonetaryTotal", "".join(body))


# --- lines: the only part that is written a thousand times ----------------------------------------


def _line(line: InvoiceLine, syntax: _Syntax, currency: str) -> str:
    unit = attribute(line.quantity.unit)
    line_id = needed("ID", line.line_id, "a line number (BT-126)")
    order_line = element("LineID", line.order_line_id)
    return (
        f"<cac:{syntax.line}>\n{line_id}{element('Note', line.note)}"
        f'<cbc:{syntax.quantity} unitCode="{unit}">{number(line.quantity.value)}</cbc:{syntax.quantity}>\n'
        f"{amount('LineExtensionAmount', line.net_amount, currency)}"
        f"{element('AccountingCost', line.accounting_cost)}{wrapped('OrderLineReference', order_line)}"
        f"{''.join([_allowance_charge(each, currency) for each in line.allowance_charges])}"
        f"{_item(line)}{_price(line, unit, currency)}</cac:{syntax.line}>\n"
    )


def _item(line: InvoiceLine) -> str:
    buyers, sellers = element("ID", line.buyer_item_id), element("ID", line.seller_item_id)
    standard = identifier("ID", line.standard_item_id)
    return (
        f"<cac:Item>\n{element('Description', line.description)}"
        f"{needed('Name', line.name, 'an item name (BT-153)')}{wrapped('BuyersItemIdentification', buyers)}"
        f"{wrapped('SellersItemIdentification', sellers)}{wrapped('StandardItemIdentification', standard)}"
        f"{tax_category('ClassifiedTaxCategory', line.tax)}"
        f"{''.join([_property(name, value) for name, value in line.properties])}</cac:Item>\n"
    )


def _property(name: str, value: str) -> str:
    # Both or neither (BR-54).
    named, valued = element("Name", name), element("Value", value)
    return wrapped("AdditionalItemProperty", named + valued) if named and valued else ""


def _price(line: InvoiceLine, unit: str, currency: str) -> str:
    base = ""
    if line.price_base != 1:
        base = f'<cbc:BaseQuantity unitCode="{unit}">{number(line.price_base)}</cbc:BaseQuantity>\n'
    return (
        f'<cac:Price>\n<cbc:PriceAmount currencyID="{currency}">{number(line.net_price)}</cbc:PriceAmount>\n'
        f"{base}{_price_discount(line, currency)}</cac:Price>\n"
    )


def _price_discount(line: InvoiceLine, currency: str) -> str:
    if line.price_discount is None and line.gross_price is None:
        return ""
    discount = line.price_discount
    gross = line.gross_price
    if discount is None:
        discount = (gross or line.net_price) - line.net_price
    stated = "" if gross is None else _unit_amount("BaseAmount", gross, currency)
    return (
        "<cac:AllowanceCharge>\n<cbc:ChargeIndicator>false</cbc:ChargeIndicator>\n"
        f"{_unit_amount('Amount', discount, currency)}{stated}</cac:AllowanceCharge>\n"
    )


def _unit_amount(name: str, value: Decimal, currency: str) -> str:
    # Prices may have any number of decimals.
    return f'<cbc:{name} currencyID="{currency}">{number(value)}</cbc:{name}>\n'
