"""Where in our own data the cause of a finding lies: order line, order, customer, or our company.

Governed by EN 16931-1: each business term comes from one place of ours. Only for documents we wrote
ourselves; a place that is not known is not guessed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from formats.findings import Finding
from formats.ubl.terms import TERMS, term_at
from o2c.invoice import Invoice
from o2c.order import InvoiceProfile

_LINE = re.compile(r"/cac:(?:Invoice|CreditNote)Line(?:\[(\d+)\])?")

# What of a party (below ``party.`` for a customer, in the company's settings for ourselves).
_PARTY = {
    "name": "name", "trading name": "trading_name", "identifier": "identifiers",
    "legal registration": "legal_id", "VAT identifier": "vat_id", "electronic address": "endpoint",
    "street": "address.street",
    "city": "address.city", "post code": "address.postcode", "country": "address.country",
    "contact": "contact.name", "telephone": "contact.phone", "e-mail": "contact.email",
}  # fmt: skip
_ORDER = {
    "BT-5": "currency", "BT-10": "buyer_reference", "BT-12": "contract_id", "BT-13": "document_id",
    "BT-19": "accounting_cost", "BT-22": "note", "BT-70": "delivery.party_name",
    "BT-71": "delivery.location_id", "BT-80": "delivery.address.country", "BT-92": "allowance_charges",
    "BT-95": "allowance_charges", "BT-97": "allowance_charges",
}  # fmt: skip
_ORDER_LINE = {
    "BT-127": "note", "BT-129": "quantity", "BT-130": "quantity.unit", "BT-131": "net_price",
    "BT-133": "accounting_cost", "BT-136": "allowance_charges", "BT-146": "net_price",
    "BT-147": "price_discount", "BT-148": "gross_price", "BT-149": "price_base", "BT-151": "tax.category",
    "BT-152": "tax.rate", "BT-153": "name", "BT-154": "description", "BT-155": "seller_item_id",
    "BT-156": "buyer_item_id", "BT-157": "standard_item_id", "BT-160": "properties", "BT-161": "properties",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Origin:
    """``order line 2: quantity.unit`` of order ``ord_1``, or ``customer C-17: party.endpoint``."""

    owner: str  # order line, order, customer, company
    name: str  # the line's id, or the owner's own
    field: str | None = None

    def __str__(self) -> str:
        return f"{self.owner} {self.name}" + (f": {self.field}" if self.field else "")


@dataclass(frozen=True, slots=True)
class Source:
    """Whose data an invoice of ours was made from."""

    invoice: Invoice
    order_id: str
    customer_id: str
    company_id: str


def origin(finding: Finding, source: Source) -> Origin | None:
    """The place to look at, None where nothing of ours caused it (a sum we computed, say)."""
    term = finding.term or _term_at(finding.path)
    line = _LINE.search(finding.path)
    if line:
        return _line_origin(source, int(line[1] or 1), term, finding.path)
    return term_origin(term, source) if term else None


def term_origin(term: str, source: Source) -> Origin | None:
    """The place a business term of the document's head comes from."""
    if term == "BT-10" and source.invoice.profile is InvoiceProfile.XRECHNUNG:
        return Origin("customer", source.customer_id, "leitweg_id")
    if term in _ORDER:
        return Origin("order", source.order_id, _ORDER[term])
    if term in ("BT-84", "BT-81"):
        return Origin("company", source.company_id, "bank account")
    return _party_origin(TERMS[term].name, source) if term in TERMS else None


def _party_origin(name: str, source: Source) -> Origin | None:
    role, _, what = name.partition(" ")
    if what not in _PARTY:
        return None
    if role == "seller":
        return Origin("company", source.company_id, _PARTY[what])
    return Origin("customer", source.customer_id, f"party.{_PARTY[what]}") if role == "buyer" else None


def _line_origin(source: Source, position: int, term: str | None, path: str) -> Origin | None:
    if position > len(source.invoice.lines):
        return None
    line = source.invoice.lines[position - 1]
    field = "quantity.unit" if path.endswith("/@unitCode") else _ORDER_LINE.get(term or "")
    return Origin("order line", line.order_line_id or line.line_id, field)


def _term_at(path: str) -> str | None:
    found = term_at(path)
    return found.id if found else None
