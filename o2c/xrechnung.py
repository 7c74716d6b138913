"""What the German CIUS XRechnung asks of our own invoices beyond Peppol's.

Governed by XRechnung 3.0 (BR-DE-1 .. BR-DE-31). It puts in what is known and was not said: the
Leitweg-ID, electronic addresses, the SEPA payment means. It never invents a value; what is not
known is left out, and the rules stop the invoice before it has a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from o2c import leitweg
from o2c.invoice import Invoice, Payment
from o2c.order import InvoiceProfile
from o2c.party import Identifier, Party


@dataclass(frozen=True, slots=True)
class Demand:
    """Something XRechnung asks for that the invoice does not have: the official rule, and its term."""

    rule: str
    term: str
    message: str


# EAS codes (BT-34-1, BT-49-1): an e-mail address, a Leitweg-ID.
_MAIL, _LEITWEG = "EM", "0204"
# UNTDID 4461 (BT-81).
_CREDIT_TRANSFER, _SEPA_CREDIT_TRANSFER = "30", "58"


def as_xrechnung(invoice: Invoice, leitweg_id: str | None) -> Invoice:
    """The invoice for a buyer who wants XRechnung; ``leitweg_id`` is the one the customer is known by.

    BT-49 falls back to the Leitweg-ID and then to the buyer's e-mail, BT-34 to the seller's e-mail.
    """
    reference = buyer_reference(invoice.buyer_reference, leitweg_id)
    addressed = Identifier(reference, _LEITWEG) if reference and leitweg.looks_like_one(reference) else None
    return replace(
        invoice,
        profile=InvoiceProfile.XRECHNUNG,
        buyer_reference=reference,
        seller=_reachable(invoice.seller),
        buyer=_reachable(invoice.buyer, addressed),
        payment=_payment(invoice.payment, invoice.currency),
    )


def buyer_reference(ordered: str | None, leitweg_id: str | None) -> str | None:
    """BT-10: the Leitweg-ID of the order, else the customer's, else what the order says instead."""
    if ordered and ordered.strip() and (not leitweg_id or leitweg.looks_like_one(ordered)):
        return ordered.strip()
    return (leitweg_id or "").strip() or None


def unmet(invoice: Invoice) -> Iterator[Demand]:
    """What the CIUS demands of every invoice and this one lacks, known without the official rules."""
    seller, buyer, contact = invoice.seller, invoice.buyer, invoice.seller.contact
    transfer = invoice.payment.means_code in (_CREDIT_TRANSFER, _SEPA_CREDIT_TRANSFER)
    wanted = (
        ("BR-DE-15", "BT-10", invoice.buyer_reference, "the Leitweg-ID (buyer reference)"),
        ("BR-DE-5", "BT-41", contact.name, "whom to ask at the seller"),
        ("BR-DE-6", "BT-42", contact.phone, "the telephone number of the seller"),
        ("BR-DE-7", "BT-43", contact.email, "the e-mail address of the seller"),
        ("BR-DE-3", "BT-37", seller.address.city, "the city of the seller"),
        ("BR-DE-4", "BT-38", seller.address.postcode, "the post code of the seller"),
        ("BR-DE-8", "BT-52", buyer.address.city, "the city of the buyer"),
        ("BR-DE-9", "BT-53", buyer.address.postcode, "the post code of the buyer"),
        ("BR-DE-23-a", "BT-84", invoice.payment.iban if transfer else "-", "the account to pay to"),
        ("PEPPOL-EN16931-R020", "BT-34", seller.endpoint and seller.endpoint.value, "the seller's address"),
        ("PEPPOL-EN16931-R010", "BT-49", buyer.endpoint and buyer.endpoint.value, "the buyer's address"),
    )
    for rule, term, value, what in wanted:
        if not (value or "").strip():
            yield Demand(rule, term, f"{term} {what} is missing, and XRechnung demands it.")


def leitweg_doubt(invoice: Invoice) -> str | None:
    """What speaks against the Leitweg-ID of an XRechnung; never a reason to refuse it."""
    if invoice.profile is not InvoiceProfile.XRECHNUNG or not invoice.buyer_reference:
        return None
    return leitweg.doubt(invoice.buyer_reference)


def _reachable(party: Party, address: Identifier | None = None) -> Party:
    mail = Identifier(party.contact.email, _MAIL) if party.contact.email else None
    return replace(party, endpoint=party.endpoint or address or mail)


def _payment(payment: Payment, currency: str) -> Payment:
    # An IBAN begins with its country; the bank's own account number has no SEPA.
    sepa = currency == "EUR" and (payment.iban or "")[:2].isalpha() and bool(payment.iban)
    if payment.means_code != _CREDIT_TRANSFER or not sepa:
        return payment
    return replace(payment, means_code=_SEPA_CREDIT_TRANSFER)
