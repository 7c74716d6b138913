"""What the world outside sends in the demo: a customer's Peppol order and a bank's statement file.

Governed by Peppol BIS Order Only 3 (transaction T01) and ISO 20022 camt.053.001.08. They are written
as a customer's and a bank's own systems would, so the product reads them like anybody else's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from xml.sax.saxutils import escape, quoteattr

from formats.peppol.bis3 import ORDER, ORDER_ONLY_PROCESS
from o2c.money import plain
from o2c.order import Order, OrderLine, Tax
from o2c.party import Party

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"


# --- the customer --------------------------------------------------------------------------------
def peppol_order(order: Order, seller: Party) -> bytes:
    """The order as a Peppol BIS Order."""
    lines = "".join(_order_line(line, order.currency) for line in order.lines)
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Order xmlns="{_UBL}:Order-2"
    xmlns:cac="{_UBL}:CommonAggregateComponents-2" xmlns:cbc="{_UBL}:CommonBasicComponents-2">
  <cbc:CustomizationID>{ORDER}</cbc:CustomizationID>
  <cbc:ProfileID>{ORDER_ONLY_PROCESS}</cbc:ProfileID>
  <cbc:ID>{escape(order.document_id)}</cbc:ID>
  <cbc:IssueDate>{order.ordered_on}</cbc:IssueDate>
  <cbc:DocumentCurrencyCode>{order.currency}</cbc:DocumentCurrencyCode>
  <cbc:CustomerReference>{escape(order.buyer_reference or "")}</cbc:CustomerReference>
  <cac:ValidityPeriod><cbc:EndDate>{order.valid_until}</cbc:EndDate></cac:ValidityPeriod>
  <cac:BuyerCustomerParty>{_party(order.buyer)}</cac:BuyerCustomerParty>
  <cac:SellerSupplierParty>{_party(seller)}</cac:SellerSupplierParty>
{lines}</Order>
""".encode()


def _party(who: Party) -> str:
    assert who.endpoint is not None
    address, contact, endpoint = who.address, who.contact, who.endpoint
    return f"""
    <cac:Party>
      <cbc:EndpointID schemeID={quoteattr(endpoint.scheme or "")}>{escape(endpoint.value)}</cbc:EndpointID>
      <cac:PostalAddress>
        <cbc:StreetName>{escape(address.street or "")}</cbc:StreetName>
        <cbc:CityName>{escape(address.city or "")}</cbc:CityName>
        <cbc:PostalZone>{escape(address.postcode or "")}</cbc:PostalZone>
        <cac:Country><cbc:IdentificationCode>{address.country}</cbc:IdentificationCode></cac:Country>
      </cac:PostalAddress>
      <cac:PartyLegalEntity>
        <cbc:RegistrationName>{escape(who.name)}</cbc:RegistrationName>{_legal_id(who)}
      </cac:PartyLegalEntity>
      <cac:Contact>
        <cbc:Name>{escape(contact.name or "")}</cbc:Name>
        <cbc:ElectronicMail>{escape(contact.email or "")}</cbc:ElectronicMail>
      </cac:Contact>
    </cac:Party>
  """


def _legal_id(who: Party) -> str:
    if who.legal_id is None or who.legal_id.scheme is None:
        return ""
    scheme = quoteattr(who.legal_id.scheme)
    return f"\n        <cbc:CompanyID schemeID={scheme}>{escape(who.legal_id.value)}</cbc:CompanyID>"


def _order_line(line: OrderLine, currency: str) -> str:
    net = plain(line.quantity.value * line.net_price)
    return f"""  <cac:OrderLine>
    <cac:LineItem>
      <cbc:ID>{line.line_id}</cbc:ID>
      <cbc:Quantity unitCode="{line.quantity.unit}">{plain(line.quantity.value)}</cbc:Quantity>
      <cbc:LineExtensionAmount currencyID="{currency}">{net}</cbc:LineExtensionAmount>
      <cac:Price><cbc:PriceAmount currencyID="{currency}">{line.net_price}</cbc:PriceAmount></cac:Price>
      <cac:Item>
        <cbc:Name>{escape(line.name)}</cbc:Name>
        <cac:SellersItemIdentification>
          <cbc:ID>{escape(line.seller_item_id or "")}</cbc:ID>
        </cac:SellersItemIdentification>
{_tax(line.tax)}      </cac:Item>
    </cac:LineItem>
  </cac:OrderLine>
"""


def _tax(tax: Tax | None) -> str:
    if tax is None:
        return ""
    return f"""        <cac:ClassifiedTaxCategory>
          <cbc:ID>{tax.category}</cbc:ID>
          <cbc:Percent>{plain(tax.rate)}</cbc:Percent>
          <cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>
        </cac:ClassifiedTaxCategory>
"""


# --- the bank ------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class BankLine:
    """Money that came in; a negative amount went out. ``reference`` is structured, ``text`` free."""

    amount: Decimal
    payer: str
    reference: str | None = None
    text: str | None = None


def bank_file(
    account: str, currency: str, on: date, number: int, opening: Decimal, lines: Sequence[BankLine]
) -> bytes:
    """The statement of one account and day; its balances add up."""
    closing = opening + sum((line.amount for line in lines), Decimal(0))
    entries = "".join(
        _entry(line, currency, on, f"{on:%y%m%d}{number:03d}{n:02d}") for n, line in enumerate(lines, 1)
    )
    return f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08">
  <BkToCstmrStmt>
    <GrpHdr><MsgId>{account[-6:]}-{number}</MsgId><CreDtTm>{on}T05:30:00Z</CreDtTm></GrpHdr>
    <Stmt>
      <Id>{account[-6:]}-{on:%Y%m%d}</Id>
      <ElctrncSeqNb>{number}</ElctrncSeqNb>
      <CreDtTm>{on}T05:30:00Z</CreDtTm>
      <FrToDt><FrDtTm>{on}T00:00:00Z</FrDtTm><ToDtTm>{on}T23:59:59Z</ToDtTm></FrToDt>
      <Acct><Id><IBAN>{account}</IBAN></Id><Ccy>{currency}</Ccy></Acct>
{_balance("OPBD", opening, currency, on)}{_balance("CLBD", closing, currency, on)}{entries}    </Stmt>
  </BkToCstmrStmt>
</Document>
""".encode()


def _money(amount: Decimal, currency: str) -> str:
    side = "DBIT" if amount < 0 else "CRDT"
    return f'<Amt Ccy="{currency}">{abs(amount):.2f}</Amt><CdtDbtInd>{side}</CdtDbtInd>'


def _balance(code: str, amount: Decimal, currency: str, on: date) -> str:
    kind = f"<Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp>"
    return f"      <Bal>{kind}{_money(amount, currency)}<Dt><Dt>{on}</Dt></Dt></Bal>\n"


def _entry(line: BankLine, currency: str, on: date, key: str) -> str:
    money = _money(line.amount, currency)
    family = "<Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly>"
    side = "Dbtr"
    if line.amount < 0:
        family, side = "<Fmly><Cd>MDOP</Cd><SubFmlyCd>CHRG</SubFmlyCd></Fmly>", "Cdtr"
    return f"""      <Ntry>
        {money}<Sts><Cd>BOOK</Cd></Sts>
        <BookgDt><Dt>{on}</Dt></BookgDt><ValDt><Dt>{on}</Dt></ValDt><AcctSvcrRef>{key}</AcctSvcrRef>
        <BkTxCd><Domn><Cd>PMNT</Cd>{family}</Domn></BkTxCd>
        <NtryDtls><TxDtls>
          <Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs>{money}
          <RltdPties><{side}><Pty><Nm>{escape(line.payer)}</Nm></Pty></{side}></RltdPties>{_remittance(line)}
        </TxDtls></NtryDtls>
      </Ntry>
"""


def _remittance(line: BankLine) -> str:
    if line.text:
        return f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf>"
    if line.reference is None:
        return ""
    kind = "<Tp><CdOrPrtry><Cd>SCOR</Cd></CdOrPrtry></Tp>"
    return f"<RmtInf><Strd><CdtrRefInf>{kind}<Ref>{line.reference}</Ref></CdtrRefInf></Strd></RmtInf>"
