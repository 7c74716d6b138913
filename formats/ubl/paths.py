"""UBL names and places: namespaces, and the short path people read.

Governed by UBL 2.1. Paths look like ``/Invoice/cac:InvoiceLine[2]/cbc:ID``: the customary
prefixes whatever the document itself uses, and a position only where siblings share a name. Of a place
deeper than any of UBL the middle is left out, as ``//`` says in XPath.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import cast

from lxml import etree

from formats.ubl.terms import term_at

CBC = "urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"
CAC = "urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"

_PREFIX = {CBC: "cbc:", CAC: "cac:"}
_LONGEST = 1_000  # characters of a path that are written in full
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


@lru_cache(maxsize=4096)
def readable(text: str) -> str:
    """``{urn:...}Name`` in a text -> ``cac:Name``."""
    return _CLARK.sub(lambda match: _PREFIX.get(match[1], ""), text)


@dataclass(frozen=True, slots=True)
class Place:
    """What a finding says of the element it is about."""

    path: str
    line: int | None
    value: str | None
    term: str | None  # the EN 16931 term that is kept there


class Places:
    """Places of one document. Siblings are counted once, not for each of them.

    Findings come in document order, so that the element asked for is often the one asked for before.
    """

    def __init__(self) -> None:
        self._positions: dict[tuple[etree._Element, str], dict[etree._Element, int]] = {}
        self._paths: dict[etree._Element, str] = {}  # of elements that have others below them
        self._last: tuple[etree._Element, Place] | None = None

    def of(self, element: etree._Element) -> Place:
        """Where an element stands and what it holds."""
        if self._last is None or self._last[0] is not element:
            path = self.path_of(element)
            term = term_at(path)
            place = Place(path, line_of(element), value_of(element), term.id if term else None)
            self._last = element, place
        return self._last[1]

    def path_of(self, element: etree._Element) -> str:
        """The short path of an element."""
        above = []
        parent = element.getparent()
        while parent is not None and parent not in self._paths:
            above.append(parent)
            parent = parent.getparent()
        for one in reversed(above):
            self._paths[one] = self._step(one)
        return self._step(element)

    def _step(self, element: etree._Element) -> str:
        """The path, where that of the parent is known."""
        name = readable(str(element.tag))
        parent = element.getparent()
        if parent is None:
            return f"/{name}"
        path = self._paths[parent]
        if len(path) > _LONGEST:
            path = f"{path[: path.index('/', 1)]}/"
        return f"{path}/{name}{self._position(element, parent)}"

    def _position(self, node: etree._Element, parent: etree._Element) -> str:
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
