"""What to do about a rule that fired, in words and with the names of the parties and the line.

Rule ids are those of EN 16931 (CEN 1.3), Peppol BIS Billing 3 and XRechnung; the words are ours (see
``formats.explanations``).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import chain, islice

from lxml import etree

from formats.explanations import Explanation, explanation, unnamed
from formats.ubl.paths import CAC, CBC
from formats.ubl.terms import TERMS

_LINE_WORD = {"en": "line", "de": "Position", "nb": "linje"}
_LEVELS = 12  # that a place of UBL can stand below its line
_KEPT = 1_000  # texts; findings of one kind or one line come in a row


class Adviser:
    """Says what to do about the findings of one document; its parties are looked up once."""

    def __init__(self, root: etree._Element, language: str = "en") -> None:
        self._language = language
        self._seller = _party(root, "Supplier") or unnamed("seller", language)
        self._buyer = _party(root, "Customer") or unnamed("buyer", language)
        self._explained = lru_cache(_KEPT)(self._explain)
        self._last: tuple[etree._Element, str] | None = None

    def advice(self, rule: str, element: etree._Element) -> tuple[str | None, str | None]:
        """(term id, what to do) for a rule that failed at ``element``; (None, None) if we have none."""
        return self._explained(rule, self._line(element))

    def _explain(self, rule: str, line: str) -> tuple[str | None, str | None]:
        found = explanation(rule, self._language, seller=self._seller, buyer=self._buyer, line=line)
        return (None, None) if found is None else (found.term, self._named(found))

    def _named(self, found: Explanation) -> str:
        # The names of the terms are English.
        named = TERMS.get(found.term or "") if self._language == "en" else None
        return f"{named}: {found.advice}" if named else found.advice

    def _line(self, element: etree._Element) -> str:
        if self._last is None or self._last[0] is not element:
            self._last = element, _line(element, self._language)
        return self._last[1]


def _party(root: etree._Element, role: str) -> str:
    party = root.find(f"{{{CAC}}}Accounting{role}Party/{{{CAC}}}Party")
    name = None if party is None else party.findtext(f"{{{CAC}}}PartyLegalEntity/{{{CBC}}}RegistrationName")
    return (name or "").strip()


def _line(element: etree._Element, language: str) -> str:
    for node in islice(chain((element,), element.iterancestors()), _LEVELS):
        if str(node.tag).endswith("Line"):
            number = (node.findtext(f"{{{CBC}}}ID") or "?").strip()
            return f"{_LINE_WORD.get(language, 'line')} {number}"
    return unnamed("line", language)
