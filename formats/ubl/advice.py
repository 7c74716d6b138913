"""What to do about the rules people meet most, in words and with the party's name.

Rule ids are those of EN 16931 (CEN 1.3) and Peppol BIS Billing 3; the advice is ours. A rule
that is not listed keeps its official text alone.
"""

from __future__ import annotations

from lxml import etree

from formats.ubl.paths import CAC, CBC
from formats.ubl.terms import TERMS

# rule -> (term, advice); {seller}, {buyer} and {line} are filled from the document.
_ADVICE: dict[str, tuple[str, str]] = {
    "PEPPOL-EN16931-R003": (
        "BT-13",
        "Give the order number (BT-13) or the buyer reference (BT-10) that {buyer} asked for.",
    ),
    "PEPPOL-EN16931-R010": (
        "BT-49",
        '{buyer} has no electronic address: add one to the customer, or choose channel "mail".',
    ),
    "PEPPOL-EN16931-R020": (
        "BT-34",
        "{seller} has no electronic address: add the endpoint of your own company.",
    ),
    "PEPPOL-EN16931-R007": ("BT-23", "Name the billing process of Peppol BIS Billing 3."),
    "PEPPOL-EN16931-R004": ("BT-24", "Name Peppol BIS Billing 3 as the specification."),
    "PEPPOL-EN16931-R008": ("", "Leave the element out, or give it a value."),
    "PEPPOL-EN16931-R040": ("BT-92", "Make the amount the base times the percentage."),
    "PEPPOL-EN16931-R041": ("BT-92", "Give the base amount beside the percentage, or neither."),
    "PEPPOL-EN16931-R042": ("BT-92", "Give the percentage beside the base amount, or neither."),
    "PEPPOL-EN16931-R046": ("BT-148", "Make the net price the gross price less the discount."),
    "PEPPOL-EN16931-R051": ("BT-5", "State every amount in the currency of the invoice."),
    "PEPPOL-EN16931-R120": (
        "BT-131",
        "{line} does not come to quantity x price / base quantity + charges - allowances: recompute it.",
    ),
    "PEPPOL-EN16931-R130": ("BT-149", "Use the same unit for the price base and the quantity of {line}."),
    "PEPPOL-COMMON-R040": ("", "Correct the GLN: its last digit must be the GS1 check digit."),
    "PEPPOL-COMMON-R041": ("", "Correct the Norwegian organisation number (nine digits, check digit)."),
    "PEPPOL-COMMON-R049": ("", "Correct the Swedish organisation number: ten digits with check digit."),
    "NO-R-001": ("BT-31", "Write the VAT number of {seller} as NO, nine digits, MVA."),
    "NO-R-002": ("BT-32", 'If it applies, set the tax registration of {seller} to "Foretaksregisteret".'),
    "BR-01": ("BT-24", "Name the specification the invoice follows."),
    "BR-02": ("BT-1", "Give the invoice a number."),
    "BR-05": ("BT-5", "Give the currency of the invoice."),
    "BR-06": ("BT-27", "Give the registered name of the seller."),
    "BR-07": ("BT-44", "Give the registered name of the buyer."),
    "BR-09": ("BT-40", "Add the country to the address of {seller}."),
    "BR-11": ("BT-55", "Add the country to the address of {buyer}."),
    "BR-16": ("BT-126", "An invoice needs at least one line."),
    "BR-50": ("BT-84", "Add the bank account of {seller}: a credit transfer must say where to."),
    "BR-61": ("BT-84", "Add the bank account of {seller}: a credit transfer must say where to."),
    "BR-62": ("BT-34", "Add the scheme of the electronic address of {seller}, e.g. 0088 or 0192."),
    "BR-63": ("BT-49", "Add the scheme of the electronic address of {buyer}, e.g. 0088 or 0192."),
    "BR-CO-09": ("BT-31", "Begin the VAT number with the two letters of its country."),
    "BR-CO-10": ("BT-106", "Make it the sum of the net amounts of all lines."),
    "BR-CO-11": ("BT-107", "Make it the sum of the document's allowances."),
    "BR-CO-12": ("BT-108", "Make it the sum of the document's charges."),
    "BR-CO-13": ("BT-109", "Make it the sum of lines less allowances plus charges."),
    "BR-CO-14": ("BT-110", "Make it the sum of the VAT of all categories."),
    "BR-CO-15": ("BT-112", "Make it the total without VAT plus the total VAT."),
    "BR-CO-16": ("BT-115", "Make it the total with VAT less what is paid plus the rounding."),
    "BR-CO-17": ("BT-117", "Make it the taxable amount times the rate, rounded to two decimals."),
    "BR-CO-18": ("BT-118", "Add a VAT breakdown with one entry per category and rate."),
    "BR-CO-25": ("BT-9", "Give a due date or payment terms: there is an amount to pay."),
    "BR-CO-26": ("BT-29", "Give {seller} an identifier, a legal registration or a VAT number."),
    "BR-S-02": ("BT-31", "{seller} charges VAT: add its VAT number (BT-31) or its tax registration (BT-32)."),
    "BR-S-05": ("BT-152", "A standard rated line needs a rate above zero."),
    "BR-S-08": ("BT-116", "Make it the sum of the lines, charges and allowances of this rate."),
    "BR-S-09": ("BT-117", "Make it the taxable amount times the rate."),
    "BR-Z-02": ("BT-31", "{seller} sells at zero rate: add its VAT number or its tax registration."),
    "BR-E-02": ("BT-31", "{seller} sells exempt goods: add its VAT number or its tax registration."),
    "BR-E-10": ("BT-120", "Say why the supply is exempt from VAT."),
    "BR-AE-02": ("BT-48", "Reverse charge needs the VAT numbers of both {seller} and {buyer}."),
    "BR-AE-10": ("BT-120", 'Give the exemption reason, e.g. "Reverse charge".'),
    "BR-IC-02": ("BT-48", "An intra-community supply needs the VAT numbers of both {seller} and {buyer}."),
    "BR-IC-10": ("BT-120", 'Give the exemption reason, e.g. "Intra-community supply".'),
    "BR-IC-11": ("BT-72", "Give the delivery date of the intra-community supply."),
    "BR-IC-12": ("BT-80", "Give the country the goods were delivered to."),
    "BR-G-02": ("BT-31", "An export needs the VAT number of {seller}."),
    "BR-G-10": ("BT-120", 'Give the exemption reason, e.g. "Export outside the EU".'),
    "BR-O-02": ("BT-31", "Take the VAT numbers out: nothing on this invoice is within the scope of VAT."),
    "BR-O-10": ("BT-120", 'Give the exemption reason, e.g. "Not subject to VAT".'),
}


def advice(rule: str, element: etree._Element) -> tuple[str | None, str | None]:
    """(term id, what to do) for a rule that failed at ``element``; (None, None) if we have none."""
    entry = _ADVICE.get(rule)
    if entry is None:
        return None, None
    term, words = entry
    seller, buyer = _party(element, "Supplier"), _party(element, "Customer")
    told = words.format(seller=seller, buyer=buyer, line=_line(element))
    told = told[0].upper() + told[1:]
    return (term, f"{TERMS[term]}: {told}" if term in TERMS else told) if term else (None, told)


def _party(element: etree._Element, role: str) -> str:
    party = element.getroottree().getroot().find(f"{{{CAC}}}Accounting{role}Party/{{{CAC}}}Party")
    name = None if party is None else party.findtext(f"{{{CAC}}}PartyLegalEntity/{{{CBC}}}RegistrationName")
    return (name or "").strip() or {"Supplier": "the seller", "Customer": "the buyer"}[role]


def _line(element: etree._Element) -> str:
    for node in (element, *element.iterancestors()):
        if str(node.tag).endswith("Line"):
            return f"line {(node.findtext(f'{{{CBC}}}ID') or '?').strip()}"
    return "the line"
