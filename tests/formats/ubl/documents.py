"""Invoices and an order of our own, made to be varied by the tests."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from decimal import Decimal

from o2c.invoice import DocumentTotals, Invoice, InvoiceLine, InvoiceType, Payment, VatBreakdown
from o2c.money import Quantity, round_half_up
from o2c.order import AllowanceCharge, Delivery, Tax, VatCategory
from o2c.party import Address, Contact, Identifier, Party

D = Decimal
STANDARD = Tax(VatCategory.STANDARD, D(25))

SELLER = Party(
    name="Fjordmat AS",
    address=Address("NO", "Havnegata 1", "Kai 4", "Port 2", "Bergen", "5003", "Vestland"),
    trading_name="Fjordmat",
    identifiers=(Identifier("987654325", "0192"),),
    legal_id=Identifier("987654325", "0192"),
    vat_id="NO987654325MVA",
    tax_registration="Foretaksregisteret",
    endpoint=Identifier("987654325", "0192"),
    contact=Contact("Kari Nordmann", "+47 55 00 00 00", "kari@fjordmat.example"),
)
BUYER = Party(
    name="Storstadens sjukhus AB",
    address=Address("SE", "Storgatan 5", city="Stockholm", postcode="11120"),
    identifiers=(Identifier("7300010000001", "0088"),),
    legal_id=Identifier("5541277710", "0007"),
    vat_id="SE554127771001",
    endpoint=Identifier("7300010000001", "0088"),
    contact=Contact("Per Persson"),
)
SHIP_TO = Delivery(
    party_name="Ward 7",
    address=Address("SE", "Lasarettsgatan 2", city="Uppsala", postcode="75185"),
    location_id=Identifier("7300010000001", "0088"),
)


def line(number: int = 1, *, quantity: str = "10", price: str = "4", tax: Tax = STANDARD) -> InvoiceLine:
    """A priced line of brown sauce."""
    net = round_half_up(D(quantity) * D(price), 2)
    return InvoiceLine(
        line_id=str(number),
        name="Brown sauce",
        quantity=Quantity(D(quantity), "C62"),
        net_price=D(price),
        net_amount=net,
        tax=tax,
        seller_item_id=f"SN-{number}",
        order_line_id=str(number),
    )


def invoice(
    lines: Iterable[InvoiceLine] = (),
    allowance_charges: tuple[AllowanceCharge, ...] = (),
    reason: str | None = None,
) -> Invoice:
    """An invoice over ``lines`` with its sums; ``reason`` is the exemption reason where one is due."""
    lines = tuple(lines) or (line(1), line(2, quantity="5", price="6"), line(3, quantity="15", price="3"))
    taxable: dict[Tax, Decimal] = {}
    for each in lines:
        taxable[each.tax] = taxable.get(each.tax, D(0)) + each.net_amount
    for extra in allowance_charges:
        tax = extra.tax or lines[0].tax
        taxable[tax] = taxable.get(tax, D(0)) + (extra.amount if extra.is_charge else -extra.amount)
    breakdown = tuple(
        VatBreakdown(tax, net, round_half_up(net * tax.rate / 100, 2), _reason(tax, reason))
        for tax, net in taxable.items()
    )
    return Invoice(
        number="INV-2026-0001",
        issued_on=date(2026, 3, 2),
        due_on=date(2026, 4, 1),
        type=InvoiceType.INVOICE,
        currency="EUR",
        seller=SELLER,
        buyer=BUYER,
        lines=lines,
        breakdown=breakdown,
        totals=_totals(lines, allowance_charges, breakdown),
        payment=Payment("RF18539007547034", "NO9386011117947", "DNBANOKK", terms="30 days net"),
        allowance_charges=allowance_charges,
        delivery=SHIP_TO,
        delivered_on=date(2026, 2, 27),
        order_reference="4711",
    )


def _reason(tax: Tax, reason: str | None) -> str | None:
    return None if tax.category in (VatCategory.STANDARD, VatCategory.ZERO) else reason


def _totals(
    lines: tuple[InvoiceLine, ...],
    extras: tuple[AllowanceCharge, ...],
    breakdown: tuple[VatBreakdown, ...],
) -> DocumentTotals:
    net = sum((each.net_amount for each in lines), D(0))
    allowances = sum((e.amount for e in extras if not e.is_charge), D(0))
    charges = sum((e.amount for e in extras if e.is_charge), D(0))
    tax = sum((entry.tax_amount for entry in breakdown), D(0))
    exclusive = net - allowances + charges
    total = exclusive + tax
    return DocumentTotals(net, allowances, charges, exclusive, tax, total, D(0), D(0), total)


def outside_vat(party: Party) -> Party:
    """The party without any VAT registration, as category O demands."""
    return replace(party, vat_id=None, tax_registration=None)


ORDER = """<?xml version="1.0" encoding="UTF-8"?>
<o:Order xmlns:o="urn:oasis:names:specification:ubl:schema:xsd:Order-2"
         xmlns:a="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"
         xmlns:b="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2">
  <b:CustomizationID>urn:fdc:peppol.eu:poacc:trns:order:3</b:CustomizationID>
  <b:ProfileID>urn:fdc:peppol.eu:poacc:bis:ordering:3</b:ProfileID>
  <b:ID>4711</b:ID>
  <b:IssueDate>2026-02-20</b:IssueDate>
  <b:Note>Ring twice</b:Note>
  <b:DocumentCurrencyCode>SEK</b:DocumentCurrencyCode>
  <b:CustomerReference>Ward 7 &amp; kitchen</b:CustomerReference>
  <a:BuyerCustomerParty><a:Party>
    <b:EndpointID schemeID="0088">7300010000001</b:EndpointID>
    <a:PostalAddress><a:Country><b:IdentificationCode>SE</b:IdentificationCode></a:Country></a:PostalAddress>
    <a:PartyLegalEntity><b:RegistrationName>Storstadens sjukhus AB</b:RegistrationName></a:PartyLegalEntity>
  </a:Party></a:BuyerCustomerParty>
  <a:SellerSupplierParty><a:Party>
    <b:EndpointID schemeID="0192">987654325</b:EndpointID>
    <a:PostalAddress><a:Country><b:IdentificationCode>NO</b:IdentificationCode></a:Country></a:PostalAddress>
    <a:PartyLegalEntity><b:RegistrationName>Fjordmat AS</b:RegistrationName></a:PartyLegalEntity>
  </a:Party></a:SellerSupplierParty>
  <a:OrderLine>
    <b:Note>Cold</b:Note>
    <a:LineItem>
      <b:ID>1</b:ID>
      <b:Quantity unitCode="C62">10</b:Quantity>
      <b:LineExtensionAmount currencyID="SEK">40.00</b:LineExtensionAmount>
      <a:Price>
        <b:PriceAmount currencyID="SEK">400</b:PriceAmount><b:BaseQuantity unitCode="C62">100</b:BaseQuantity>
      </a:Price>
      <a:Item>
        <b:Name>Brown sauce</b:Name>
        <a:ClassifiedTaxCategory>
          <b:ID>S</b:ID><b:Percent>25</b:Percent><a:TaxScheme><b:ID>VAT</b:ID></a:TaxScheme>
        </a:ClassifiedTaxCategory>
      </a:Item>
    </a:LineItem>
  </a:OrderLine>
  <a:OrderLine>
    <a:LineItem>
      <b:ID>2</b:ID>
      <b:Quantity unitCode="KGM">2.5</b:Quantity>
      <b:PartialDeliveryIndicator>false</b:PartialDeliveryIndicator>
      <a:AllowanceCharge>
        <b:ChargeIndicator>false</b:ChargeIndicator>
        <b:AllowanceChargeReason>Promised</b:AllowanceChargeReason>
        <b:Amount currencyID="SEK">1.50</b:Amount>
      </a:AllowanceCharge>
      <a:Price><b:PriceAmount currencyID="SEK">6</b:PriceAmount></a:Price>
      <a:Item><b:Name>White sauce</b:Name></a:Item>
    </a:LineItem>
  </a:OrderLine>
</o:Order>
"""
