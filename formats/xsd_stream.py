"""XML Schema on documents of very many elements: a stream of tags instead of the tree.

Judging a tree, lxml writes the path of each element it finds wrong and counts all siblings for that: of
100,000 wrong lines that makes hours. A stream has no paths, and an error is about the element whose tag was
read last. Errors, words and order are those of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from lxml import etree

from formats.limits import bounded

_lxml: Any = etree  # its stubs know neither error logs nor targets that ask for tags alone


def errors(root: etree._Element, schema: etree.XMLSchema) -> Iterator[tuple[etree._Element, Any]]:
    """What the schema has against the document: elements and lxml's log entries, in document order.

    Raises ``TooMuch``.
    """
    content = etree.tostring(root)
    with ThreadPoolExecutor(1) as own:  # lxml keeps one listener for errors per thread, for good
        found = own.submit(_listen, content, schema).result()
    wanted = {place for place, _ in found}
    elements = {place: one for place, one in enumerate(root.iter("*")) if place in wanted}
    return ((elements[place], error) for place, error in found)


def _listen(content: bytes, schema: etree.XMLSchema) -> list[tuple[int, Any]]:
    tags = _Tags()
    _lxml.use_global_python_log(_Listener(tags))
    parser = _lxml.XMLParser(schema=schema, target=tags, huge_tree=True, resolve_entities=False)
    try:
        etree.fromstring(content, parser)
    except etree.XMLSyntaxError:
        if not tags.errors:  # it was not the schema that spoke
            raise
    return tags.errors


class _Tags:
    """Counts elements; ``place`` is the number of the one whose tag was read last."""

    def __init__(self) -> None:
        self.errors: list[tuple[int, Any]] = []
        self.place = -1
        self._begun = -1
        self._open: list[int] = []

    def start(self, _tag: str, _attributes: Any) -> None:
        """A start tag."""
        self.place = self._begun = self._begun + 1
        self._open.append(self.place)

    def end(self, _tag: str) -> None:
        """An end tag."""
        bounded(len(self.errors))
        self.place = self._open.pop()

    def close(self) -> None:
        """The end of the document."""


class _Listener(_lxml.PyErrorLog):  # type: ignore[misc]  # the stubs do not know it
    """Hears of each error as it is found."""

    def __init__(self, tags: _Tags) -> None:
        super().__init__()
        self._tags = tags

    def receive(self, entry: Any) -> None:
        """Keep an error with its place."""
        self._tags.errors.append((self._tags.place, entry))
