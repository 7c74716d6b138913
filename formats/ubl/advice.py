"""What to do about a rule that fired, in words and with the names of the parties and the line.

Rule ids are those of EN 16931 (CEN 1.3), Peppol BIS Billing 3 and XRechnung; the words are ours (see
``formats.explanations``).
"""

from __future__ import annotations

from lxml import etree

from formats.explanations import Explanation, explanation, unnamed
from formats.ubl.paths import CAC, CBC
from formats.ubl.terms import TERMS

_LINE_WORD = {"en": "line", "de": "Position", "nb": "linje"}


def advice(rule: str, element: etree._Element, language: str = "en") -> tuple[str | None, str | None]:
    """(term id, what to do) for a rule that failed at ``element``; (None, None) if we have none."""
    found = explain(rule, element, language)
    if found is None:
        return None, None
    # The names of the terms are English.
    named = TERMS.get(found.term or "") if language == "en" else None
    return found.term, f"{named}: {found.advice}" if named else found.advice


def explain(rule: str, element: etree._Element, language: str = "en") -> Explanation | None:
    """What a rule that failed at ``element`` means and what to do, None if we have no words for it."""
    return explanation(
        rule,
        language,
        seller=_party(element, "Supplier", unnamed("seller", language)),
        buyer=_party(element, "Customer", unnamed("buyer", language)),
        line=_line(element, language),
    )


def _party(element: etree._Element, role: str, otherwise: str) -> str:
    party = element.getroottree().getroot().find(f"{{{CAC}}}Accounting{role}Party/{{{CAC}}}Party")
    name = None if party is None else party.findtext(f"{{{CAC}}}PartyLegalEntity/{{{CBC}}}RegistrationName")
    return (name or "").strip() or otherwise


def _line(element: etree._Element, language: str) -> str:
    for node in (element, *element.iterancestors()):
        if str(node.tag).endswith("Line"):
            number = (node.findtext(f"{{{CBC}}}ID") or "?").strip()
            return f"{_LINE_WORD.get(language, 'line')} {number}"
    return unnamed("line", language)
