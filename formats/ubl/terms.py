"""EN 16931 terms and where UBL keeps them: one table for writer, findings and messages.

Governed by EN 16931-1 (business terms) and CEN/TS 16931-3-2 (their places in a UBL Invoice).
Paths start below the root element; ``Line`` stands for InvoiceLine or CreditNoteLine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Term:
    """A business term: ``id`` such as BT-49, its name in words, its place in UBL."""

    id: str
    name: str
    path: str

    def __str__(self) -> str:
        return f"{self.id} {self.name}"


_SELLER = "cac:AccountingSupplierParty/cac:Party"
_BUYER = "cac:AccountingCustomerParty/cac:Party"
_SHIP_TO = "cac:Delivery/cac:DeliveryLocation"
_VAT = "cac:TaxTotal/cac:TaxSubtotal/cac:TaxCategory"
_TABLE = f"""
BT-1   | invoice number                     | cbc:ID
BT-2   | issue date                         | cbc:IssueDate
BT-3   | invoice type code                  | cbc:InvoiceTypeCode
BT-5   | invoice currency                   | cbc:DocumentCurrencyCode
BT-9   | payment due date                   | cbc:DueDate
BT-10  | buyer reference                    | cbc:BuyerReference
BT-12  | contract reference                 | cac:ContractDocumentReference/cbc:ID
BT-13  | purchase order reference           | cac:OrderReference/cbc:ID
BT-16  | despatch advice reference          | cac:DespatchDocumentReference/cbc:ID
BT-19  | buyer accounting reference         | cbc:AccountingCost
BT-20  | payment terms                      | cac:PaymentTerms/cbc:Note
BT-22  | note                               | cbc:Note
BT-23  | business process                   | cbc:ProfileID
BT-24  | specification identifier           | cbc:CustomizationID
BT-25  | preceding invoice number           | cac:BillingReference/cac:InvoiceDocumentReference/cbc:ID
BT-27  | seller name                        | {_SELLER}/cac:PartyLegalEntity/cbc:RegistrationName
BT-28  | seller trading name                | {_SELLER}/cac:PartyName/cbc:Name
BT-29  | seller identifier                  | {_SELLER}/cac:PartyIdentification/cbc:ID
BT-30  | seller legal registration          | {_SELLER}/cac:PartyLegalEntity/cbc:CompanyID
BT-31  | seller VAT identifier              | {_SELLER}/cac:PartyTaxScheme/cbc:CompanyID
BT-34  | seller electronic address          | {_SELLER}/cbc:EndpointID
BT-35  | seller street                      | {_SELLER}/cac:PostalAddress/cbc:StreetName
BT-37  | seller city                        | {_SELLER}/cac:PostalAddress/cbc:CityName
BT-38  | seller post code                   | {_SELLER}/cac:PostalAddress/cbc:PostalZone
BT-40  | seller country                     | {_SELLER}/cac:PostalAddress/cac:Country/cbc:IdentificationCode
BT-41  | seller contact                     | {_SELLER}/cac:Contact/cbc:Name
BT-42  | seller telephone                   | {_SELLER}/cac:Contact/cbc:Telephone
BT-43  | seller e-mail                      | {_SELLER}/cac:Contact/cbc:ElectronicMail
BT-44  | buyer name                         | {_BUYER}/cac:PartyLegalEntity/cbc:RegistrationName
BT-45  | buyer trading name                 | {_BUYER}/cac:PartyName/cbc:Name
BT-46  | buyer identifier                   | {_BUYER}/cac:PartyIdentification/cbc:ID
BT-47  | buyer legal registration           | {_BUYER}/cac:PartyLegalEntity/cbc:CompanyID
BT-48  | buyer VAT identifier               | {_BUYER}/cac:PartyTaxScheme/cbc:CompanyID
BT-49  | buyer electronic address           | {_BUYER}/cbc:EndpointID
BT-50  | buyer street                       | {_BUYER}/cac:PostalAddress/cbc:StreetName
BT-52  | buyer city                         | {_BUYER}/cac:PostalAddress/cbc:CityName
BT-53  | buyer post code                    | {_BUYER}/cac:PostalAddress/cbc:PostalZone
BT-55  | buyer country                      | {_BUYER}/cac:PostalAddress/cac:Country/cbc:IdentificationCode
BT-56  | buyer contact                      | {_BUYER}/cac:Contact/cbc:Name
BT-57  | buyer telephone                    | {_BUYER}/cac:Contact/cbc:Telephone
BT-58  | buyer e-mail                       | {_BUYER}/cac:Contact/cbc:ElectronicMail
BT-70  | deliver to name                    | cac:Delivery/cac:DeliveryParty/cac:PartyName/cbc:Name
BT-71  | deliver to location                | {_SHIP_TO}/cbc:ID
BT-72  | delivery date                      | cac:Delivery/cbc:ActualDeliveryDate
BT-80  | deliver to country                 | {_SHIP_TO}/cac:Address/cac:Country/cbc:IdentificationCode
BT-81  | payment means                      | cac:PaymentMeans/cbc:PaymentMeansCode
BT-83  | payment reference                  | cac:PaymentMeans/cbc:PaymentID
BT-84  | account to pay to                  | cac:PaymentMeans/cac:PayeeFinancialAccount/cbc:ID
BT-92  | document allowance or charge       | cac:AllowanceCharge/cbc:Amount
BT-95  | allowance or charge VAT category   | cac:AllowanceCharge/cac:TaxCategory/cbc:ID
BT-97  | allowance or charge reason         | cac:AllowanceCharge/cbc:AllowanceChargeReason
BT-106 | sum of line amounts                | cac:LegalMonetaryTotal/cbc:LineExtensionAmount
BT-107 | sum of allowances                  | cac:LegalMonetaryTotal/cbc:AllowanceTotalAmount
BT-108 | sum of charges                     | cac:LegalMonetaryTotal/cbc:ChargeTotalAmount
BT-109 | total without VAT                  | cac:LegalMonetaryTotal/cbc:TaxExclusiveAmount
BT-110 | total VAT                          | cac:TaxTotal/cbc:TaxAmount
BT-112 | total with VAT                     | cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount
BT-113 | paid amount                        | cac:LegalMonetaryTotal/cbc:PrepaidAmount
BT-114 | rounding amount                    | cac:LegalMonetaryTotal/cbc:PayableRoundingAmount
BT-115 | amount due                         | cac:LegalMonetaryTotal/cbc:PayableAmount
BT-116 | VAT category taxable amount        | cac:TaxTotal/cac:TaxSubtotal/cbc:TaxableAmount
BT-117 | VAT category tax amount            | cac:TaxTotal/cac:TaxSubtotal/cbc:TaxAmount
BT-118 | VAT category                       | {_VAT}/cbc:ID
BT-119 | VAT rate                           | {_VAT}/cbc:Percent
BT-120 | VAT exemption reason               | {_VAT}/cbc:TaxExemptionReason
BT-121 | VAT exemption reason code          | {_VAT}/cbc:TaxExemptionReasonCode
BT-126 | line number                        | Line/cbc:ID
BT-127 | line note                          | Line/cbc:Note
BT-129 | invoiced quantity                  | Line/cbc:InvoicedQuantity
BT-130 | unit of the quantity               | Line/cbc:InvoicedQuantity/@unitCode
BT-131 | line net amount                    | Line/cbc:LineExtensionAmount
BT-132 | order line reference               | Line/cac:OrderLineReference/cbc:LineID
BT-133 | line accounting reference          | Line/cbc:AccountingCost
BT-136 | line allowance or charge           | Line/cac:AllowanceCharge/cbc:Amount
BT-146 | item net price                     | Line/cac:Price/cbc:PriceAmount
BT-147 | item price discount                | Line/cac:Price/cac:AllowanceCharge/cbc:Amount
BT-148 | item gross price                   | Line/cac:Price/cac:AllowanceCharge/cbc:BaseAmount
BT-149 | price base quantity                | Line/cac:Price/cbc:BaseQuantity
BT-151 | line VAT category                  | Line/cac:Item/cac:ClassifiedTaxCategory/cbc:ID
BT-152 | line VAT rate                      | Line/cac:Item/cac:ClassifiedTaxCategory/cbc:Percent
BT-153 | item name                          | Line/cac:Item/cbc:Name
BT-154 | item description                   | Line/cac:Item/cbc:Description
BT-155 | seller's item number               | Line/cac:Item/cac:SellersItemIdentification/cbc:ID
BT-156 | buyer's item number                | Line/cac:Item/cac:BuyersItemIdentification/cbc:ID
BT-157 | standard item number               | Line/cac:Item/cac:StandardItemIdentification/cbc:ID
BT-160 | item property name                 | Line/cac:Item/cac:AdditionalItemProperty/cbc:Name
BT-161 | item property value                | Line/cac:Item/cac:AdditionalItemProperty/cbc:Value
"""


def _read(table: str) -> dict[str, Term]:
    rows = (line.split("|") for line in table.strip().splitlines())
    return {term: Term(term, name, path) for term, name, path in ((c.strip() for c in row) for row in rows)}


TERMS = _read(_TABLE)
_BY_PATH = {term.path: term for term in TERMS.values()}
_POSITION = re.compile(r"\[\d+\]")
_LINE = re.compile(r"^cac:(?:Invoice|CreditNote)Line(?=/)")


def term_at(path: str) -> Term | None:
    """The term at a short path such as ``/Invoice/cac:InvoiceLine[2]/cac:Item/cbc:Name``."""
    below_root = _POSITION.sub("", path).lstrip("/").partition("/")[2]
    return _BY_PATH.get(_LINE.sub("Line", below_root))
