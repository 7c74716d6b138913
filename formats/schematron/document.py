"""A document as the compiled rules see it: plain nodes, grouped by the path of names they stand at.

Governed by the XPath 2.0 data model, as far as rules reach: elements with their attributes and texts,
comments and processing instructions are passed over. A ``Shape`` is one path of names from the
root; shapes live as long as the process, so whatever depends on names alone is decided once for all
documents. Values are worked out when first asked for.
"""

from __future__ import annotations

from typing import Any, cast

from lxml import etree

from formats.limits import MOST_BYTES, MOST_ELEMENTS, MOST_LEVELS, TooMuch
from formats.schematron.values import Failure

_MOST_SHAPES = 20_000  # beyond this a document gets shapes of its own, so that no input fills memory

_string = etree.XPath("string()", smart_strings=False)
_texts = etree.XPath("text()", smart_strings=False)

Attributes = dict[str, str]
Nodes = list["Node"]

NO_NODES: Nodes = []
_NO_KIDS: dict[str, Nodes] = {}
_NO_ATTRIBUTES: Attributes = {}


class Shape:
    """A path of element names; ``kids`` are the paths one name longer. The top one is the document's."""

    __slots__ = ("kids", "level", "parent", "tag")

    def __init__(self, tag: str, parent: Shape | None) -> None:
        self.level: int = 0 if parent is None else parent.level + 1
        self.tag = tag
        self.parent = parent
        self.kids: dict[str, Shape] = {}

    def kid(self, tag: str) -> Shape:
        """The path one name longer."""
        found = self.kids.get(tag)
        if found is None:
            found = self.kids.setdefault(tag, Shape(tag, self))
        return found


class Node:
    """An element or the document itself (its tag is empty). Slots not set yet are worked out on demand."""

    __slots__ = ("attributes", "children", "document", "element", "kids", "order", "parent", "shape", "value")

    parent: Node
    shape: Shape
    element: Any
    document: Document
    kids: dict[str, Nodes]  # children by name, each list in document order
    attributes: Attributes
    value: str  # the string value
    order: int  # place in document order
    children: Nodes

    def __getattr__(self, name: str) -> Any:
        # Reached for slots that are not set: most documents never ask for them.
        if name == "value":
            self.value = self.document.string(self.element) if self.element is not None else ""
        elif name == "order":
            _number(self)
        elif name == "children":
            self.children = sorted((n for nodes in self.kids.values() for n in nodes), key=_order)
        else:
            raise AttributeError(name)
        return getattr(self, name)

    @property
    def tag(self) -> str:
        """Clark notation, empty for the document."""
        return self.shape.tag

    def texts(self) -> list[str]:
        """The values of the text nodes below this one, none of them empty."""
        if not self.kids and len(self.element) == 0:
            return [self.value] if self.value else []
        return cast("list[str]", _texts(self.element))

    def name(self) -> str:
        """The name with the prefix the document gives it."""
        if self.element is None:
            return ""
        local = self.tag.rpartition("}")[2]
        prefix = self.element.prefix
        return f"{prefix}:{local}" if prefix else local

    def below(self) -> Nodes:
        """All elements below, in document order."""
        found: Nodes = []
        waiting = self.children[::-1]
        while waiting:
            node = waiting.pop()
            found.append(node)
            if node.kids:
                waiting.extend(node.children[::-1])
        return found


class Document(Node):
    """The document node. ``groups`` has every element by its shape, each list in document order."""

    __slots__ = ("by_attribute", "groups", "joined", "names", "root")

    groups: dict[Shape, Nodes]
    names: dict[str, Nodes]  # by tag, in no particular order
    by_attribute: dict[str, Nodes]  # by the name of an attribute, in no particular order
    root: Node
    joined: int  # characters of texts that were put together from several elements

    def __getattr__(self, name: str) -> Any:
        if name == "names":
            self.names = _by_name(self.groups)
            return self.names
        if name == "by_attribute":
            self.by_attribute = _by_attribute(self.groups)
            return self.by_attribute
        if name == "value":
            self.value = self.root.value
            return self.value
        return super().__getattr__(name)

    def string(self, element: Any) -> str:
        """The string value of an element with others in it; raises ``Failure``.

        A text at the bottom of many levels is part of the value of each, so there must be an end.
        """
        value = cast(str, _string(element))
        self.joined += len(value)
        if self.joined > MOST_BYTES:
            raise Failure("FOER0000", "the values of all elements together are too long")
        return value

    def all(self) -> Nodes:
        """Every element in document order."""
        return sorted((node for nodes in self.groups.values() for node in nodes), key=_order)


_TOP = Shape("", None)
_shapes = 0


def read(root: Any) -> Document:
    """The nodes of an lxml tree; O(elements), about a microsecond each. Raises ``TooMuch``."""
    document = Document()
    document.parent = NOTHING
    document.shape = _top()
    document.element = None
    document.document = document
    document.attributes = _NO_ATTRIBUTES
    document.groups = groups = {}
    document.joined = 0
    top = _node(root, document, document.shape.kid(root.tag))
    document.kids = {root.tag: [top]}
    document.children = [top]
    document.root = top
    groups[top.shape] = [top]
    _read_below(top, document, groups)
    return document


def _top() -> Shape:
    return _TOP if _shapes < _MOST_SHAPES else Shape("", None)


def _node(element: Any, parent: Node, shape: Shape) -> Node:
    node = Node()
    node.element = element
    node.parent = parent
    node.shape = shape
    node.document = parent.document
    node.kids = _NO_KIDS
    pairs = element.items()
    node.attributes = dict(pairs) if pairs else _NO_ATTRIBUTES
    if not len(element):
        node.value = element.text or ""
    return node


def _read_below(top: Node, document: Document, groups: dict[Shape, Nodes]) -> None:
    # Breadth first: elements of one shape stand at one depth, so each group comes out in document order.
    global _shapes
    queue = [top] if len(top.element) else []
    push = queue.append
    new = Node
    seen = 0
    for parent in queue:
        seen += len(parent.element)
        if seen > MOST_ELEMENTS:
            raise TooMuch(f"has more than {MOST_ELEMENTS:,} elements")
        known = parent.shape.kids
        kids: dict[str, Nodes] = {}
        for element in parent.element:
            tag = element.tag
            shape = known.get(tag)
            if shape is None:
                if type(tag) is not str:
                    continue  # a comment or an instruction
                if parent.shape.level >= MOST_LEVELS:
                    raise TooMuch(f"is nested deeper than {MOST_LEVELS} levels")
                shape = parent.shape.kid(tag)
                _shapes += 1
            node = new()
            node.element = element
            node.parent = parent
            node.shape = shape
            node.document = document
            node.kids = _NO_KIDS
            pairs = element.items()
            node.attributes = dict(pairs) if pairs else _NO_ATTRIBUTES
            if len(element):
                push(node)
            else:
                node.value = element.text or ""
            if tag in kids:
                kids[tag].append(node)
            else:
                kids[tag] = [node]
            if shape in groups:
                groups[shape].append(node)
            else:
                groups[shape] = [node]
        parent.kids = kids


def _number(node: Node) -> None:
    document = node.document
    document.order = 0
    places = {element: place for place, element in enumerate(document.root.element.iter(), 1)}
    for nodes in document.groups.values():
        for one in nodes:
            one.order = places[one.element]


def _by_name(groups: dict[Shape, Nodes]) -> dict[str, Nodes]:
    names: dict[str, Nodes] = {}
    for shape, nodes in groups.items():
        tag = shape.tag
        names[tag] = names[tag] + nodes if tag in names else nodes
    return names


def _by_attribute(groups: dict[Shape, Nodes]) -> dict[str, Nodes]:
    found: dict[str, Nodes] = {}
    for nodes in groups.values():
        for node in nodes:
            for name in node.attributes:
                found.setdefault(name, []).append(node)
    return found


def _order(node: Node) -> int:
    return node.order


def in_order(nodes: list[Node]) -> Nodes:
    """Each node once, in document order."""
    return sorted(dict.fromkeys(nodes), key=_order) if len(nodes) > 1 else nodes


def _nothing() -> Node:
    node = Node()
    node.parent = node
    node.shape = Shape("", None)
    node.element = None
    node.kids = _NO_KIDS
    node.attributes = _NO_ATTRIBUTES
    node.value = ""
    node.order = -1
    node.children = NO_NODES
    return node


NOTHING = _nothing()  # the parent of the document: a step from it finds nothing
