"""Schematron reports (SVRL) as firings.

Governed by ISO/IEC 19757-3 annex D. Every failed assert and every successful report becomes one; none is
left out, and one without a severity counts as an error.
"""

from __future__ import annotations

import re

from lxml import etree

from formats.schematron.program import Firing
from formats.schematron.read_sch import severity_of
from formats.ubl.paths import locate

_SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_SPACES = re.compile(r"\s+")


def firing(text: str, root: etree._Element) -> Firing:
    """What one SVRL element, given as XML, says about the document ``root``."""
    fired = etree.fromstring(text)
    element, attribute = locate(root, fired.get("location") or "")
    severity = severity_of(fired.get("flag") or fired.get("role"))
    return Firing(fired.get("id") or "UNNAMED", severity.value, _words(fired), element, attribute=attribute)


def _words(fired: etree._Element) -> str:
    text = "".join(str(part) for child in fired.iter(f"{_SVRL}text") for part in child.itertext())
    return _SPACES.sub(" ", text).strip()
