"""XML Schema: is the document built as its type says?

Governed by W3C XML Schema 1.0. lxml gives the verdict (fractions of a millisecond); xmlschema,
which needs seconds to load a UBL schema, only puts an error into words for a person.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, cast

from lxml import etree

from formats import xsd_stream
from formats.findings import Finding, Severity
from formats.ubl.paths import Places, readable

if TYPE_CHECKING:
    from xmlschema import XMLSchema

LAYER = "xsd"
_MANY = 20_000  # elements from which on it pays to have no tree
_count = etree.XPath("count(//*)")

_lock = Lock()  # a schema object keeps the error log of its last run


def check(root: etree._Element, schema: Path) -> list[Finding]:
    """What the schema (a file and what it includes) has against the document, in document order."""
    places = Places()
    with _lock:
        return [
            _at(places, element, error.type_name.removeprefix("SCHEMAV_"), error.message)
            for element, error in _errors(root, _compiled(schema))
        ]


def explain(root: etree._Element, schema: Path) -> list[Finding]:
    """The same in xmlschema's fuller words. Takes seconds on first use."""
    found = _explaining(schema).iter_errors(root)
    return list(_explained(root, ((error.elem, error.reason) for error in found)))


@lru_cache(maxsize=16)
def _compiled(schema: Path) -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(schema)))


@lru_cache(maxsize=4)
def _explaining(schema: Path) -> XMLSchema:
    from xmlschema import XMLSchema

    return XMLSchema(str(schema))


def _errors(root: etree._Element, schema: etree.XMLSchema) -> Iterable[tuple[etree._Element, Any]]:
    """Elements and lxml's log entries."""
    if cast(float, _count(root)) > _MANY:
        return xsd_stream.errors(root, schema)
    if schema.validate(root):
        return ()
    log = cast("Iterable[Any]", schema.error_log)
    return [(_element(root, error.path), error) for error in log]


def _element(root: etree._Element, path: str | None) -> etree._Element:
    # The path uses the prefixes of the document; one declared further down cannot be resolved.
    prefixes = {prefix: uri for prefix, uri in root.nsmap.items() if prefix}
    try:
        found = root.xpath(path or "/*", namespaces=prefixes)
    except etree.XPathError:
        return root
    return cast("list[etree._Element]", found)[0] if found else root


def _explained(root: etree._Element, errors: Iterable[tuple[Any, str | None]]) -> Iterator[Finding]:
    places = Places()
    for found, reason in errors:
        yield _at(places, root if found is None else found, "XSD", reason or "is not valid.")


def _at(places: Places, element: etree._Element, rule: str, message: str) -> Finding:
    place = places.of(element)
    return Finding(
        LAYER,
        rule,
        Severity.ERROR,
        place.path,
        readable(message),
        place.line,
        place.value,
        term=place.term,
    )
