"""XML Schema: is the document built as its type says?

Governed by W3C XML Schema 1.0. lxml gives the verdict (fractions of a millisecond); xmlschema,
which needs seconds to load a UBL schema, only puts an error into words for a person.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, cast

from lxml import etree

from formats.findings import Finding, Severity
from formats.ubl.paths import line_of, path_of, readable, value_of
from formats.ubl.terms import term_at

if TYPE_CHECKING:
    from xmlschema import XMLSchema

LAYER = "xsd"

_lock = Lock()  # a schema object keeps the error log of its last run


def check(root: etree._Element, schema: Path) -> list[Finding]:
    """What the schema (a file and what it includes) has against the document, in document order."""
    with _lock:
        compiled = _compiled(schema)
        if compiled.validate(root):
            return []
        return [_finding(root, error) for error in iter(compiled.error_log)]  # type: ignore[call-overload]


def explain(root: etree._Element, schema: Path) -> list[Finding]:
    """The same in xmlschema's fuller words. Takes seconds on first use."""
    return list(_explained(root, _explaining(schema)))


@lru_cache(maxsize=16)
def _compiled(schema: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(schema)))


@lru_cache(maxsize=4)
def _explaining(schema: Path) -> XMLSchema:
    from xmlschema import XMLSchema

    return XMLSchema(str(schema))


def _finding(root: etree._Element, error: etree._LogEntry) -> Finding:
    rule = error.type_name.removeprefix("SCHEMAV_")
    return _at(_element(root, error.path), rule, readable(error.message), error.line)


def _element(root: etree._Element, path: str | None) -> etree._Element:
    # The path uses the prefixes of the document; one declared further down cannot be resolved.
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found = root.xpath(path or "/*", namespaces=prefixes)
    except etree.XPathError:
        return root
    return cast("list[etree._Element]", found)[0] if found else root


def _explained(root: etree._Element, schema: XMLSchema) -> Iterator[Finding]:
    for error in schema.iter_errors(root):
        element = root if error.elem is None else cast(etree._Element, error.elem)
        yield _at(element, "XSD", readable(error.reason or "is not valid."), line_of(element))


def _at(element: etree._Element, rule: str, message: str, line: int | None) -> Finding:
    path = path_of(element)
    term = term_at(path)
    name = term.id if term else None
    return Finding(LAYER, rule, Severity.ERROR, path, message, line, value_of(element), term=name)
