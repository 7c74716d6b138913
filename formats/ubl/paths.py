"""UBL names and places: namespaces, and the short path people read.

Governed by UBL 2.1. Paths look like ``/Invoice/cac:InvoiceLine[2]/cbc:ID``: the customary
prefixes whatever the document itself uses, and a position only where siblings share a name.
"""

from __future__ import annotations

import re
from typing import cast

from lxml import etree

CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"

_PREFIX = {CBC: "cbc:", CAC: "cac:"}
_CLARK = re.compile(r"\{([^}]*)\}")
# One step of the locations that Schematron processors write: `*:ID[namespace-uri()='...'][2]`
# (ISO skeleton), `Q{...}ID[2]` (SchXslt), or an attribute at the end.
_STEP = re.compile(
    r"/(?:(?P<attribute>@)?)(?:\*:|Q\{(?P<q>[^}]*)\}|\w+:)?(?P<name>[\w.-]+)"
    r"(?:\[namespace-uri\(\)='(?P<ns>[^']*)'\])?(?:\[(?P<nth>\d+)\])?"
)


def ubl_namespace(root: str) -> str:
    """Namespace of a UBL 2 document type, e.g. of ``Invoice``."""
    return f"urn:oasis:names:specification:ubl:schema:xsd:{root}-2"


def readable(text: str) -> str:
    """``{urn:...}Name`` in a text -> ``cac:Name``."""
    return _CLARK.sub(lambda match: _PREFIX.get(match[1], ""), text)


def path_of(element: etree._Element) -> str:
    """The short path of an element."""
    steps = []
    node: etree._Element | None = element
    while node is not None:
        parent = node.getparent()
        steps.append(readable(str(node.tag)) + _position(node, parent))
        node = parent
    return "/" + "/".join(reversed(steps))


def _position(node: etree._Element, parent: etree._Element | None) -> str:
    if parent is None:
        return ""
    same = parent.findall(str(node.tag))
    return f"[{same.index(node) + 1}]" if len(same) > 1 else ""


class Places:
    """Short paths of many elements of one document: siblings are counted once, not for each of them."""

    def __init__(self) -> None:
        self._positions: dict[tuple[etree._Element, str], dict[etree._Element, int]] = {}

    def path_of(self, element: etree._Element) -> str:
        """The short path of an element."""
        steps = []
        node: etree._Element | None = element
        while node is not None:
            parent = node.getparent()
            steps.append(readable(str(node.tag)) + self._position(node, parent))
            node = parent
        return "/" + "/".join(reversed(steps))

    def _position(self, node: etree._Element, parent: etree._Element | None) -> str:
        if parent is None:
            return ""
        key = (parent, str(node.tag))
        if key not in self._positions:
            self._positions[key] = {one: place for place, one in enumerate(parent.findall(key[1]), 1)}
        places = self._positions[key]
        return f"[{places[node]}]" if len(places) > 1 else ""


def line_of(element: etree._Element) -> int | None:
    """The line an element starts on, counted from 1."""
    return cast("int | None", element.sourceline)


def value_of(element: etree._Element) -> str | None:
    """The trimmed text of an element without child elements."""
    if any(isinstance(child.tag, str) for child in element):
        return None
    pieces = [element.text, *(child.tail for child in element)]  # a comment may stand between
    return "".join(filter(None, pieces)).strip() or None


def locate(root: etree._Element, location: str) -> tuple[etree._Element, str | None]:
    """The element (and attribute name) that a Schematron location means; the root if it is unclear."""
    node, first = root, True
    for step in _STEP.finditer(location):
        if step["attribute"]:
            return node, step["name"]
        if first:
            first = False
            continue
        found = node.findall(f"{{{step['q'] or step['ns'] or ''}}}{step['name']}")
        nth = int(step["nth"] or 1)
        if nth > len(found):
            return root, None
        node = found[nth - 1]
    return node, None
