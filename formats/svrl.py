"""Schematron reports (SVRL) as findings.

Governed by ISO/IEC 19757-3 annex D. Every failed assert and every successful report becomes a
finding; none is left out, and one without a severity counts as an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from lxml import etree

from formats.findings import Finding, Severity
from formats.ubl.advice import advice
from formats.ubl.paths import line_of, locate, path_of, value_of
from formats.ubl.terms import term_at

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_SEVERITY = {
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "information": Severity.INFORMATION,
    "info": Severity.INFORMATION,
}
_RULE_ID = re.compile(r"^\[[^\]]+\]\s*-?\s*")
_SPACES = re.compile(r"\s+")


def findings(layer: str, fired: Iterable[str], root: etree._Element) -> Iterator[Finding]:
    """The findings that SVRL elements make about the document ``root``, in their order."""
    for element in fired:
        yield _finding(layer, etree.fromstring(element), root)


def _finding(layer: str, fired: etree._Element, root: etree._Element) -> Finding:
    rule = fired.get("id") or "UNNAMED"
    element, attribute = locate(root, fired.get("location") or "")
    path = path_of(element) + (f"/@{attribute}" if attribute else "")
    term, fix = advice(rule, element)
    place = term_at(path)
    return Finding(
        layer,
        rule,
        _SEVERITY.get(fired.get("flag") or fired.get("role") or "", Severity.ERROR),
        path,
        _words(fired),
        line_of(element),
        element.get(attribute) if attribute else value_of(element),
        fix,
        term or (place.id if place else None),
    )


def _words(fired: etree._Element) -> str:
    # The rule id leads the official text; it already stands in its own field.
    text = "".join(str(part) for child in fired.iter(f"{_SVRL}text") for part in child.itertext())
    return _RULE_ID.sub("", _SPACES.sub(" ", text).strip())
