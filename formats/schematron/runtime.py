"""What translated expressions call: sequences, nodes and texts.

Governed by XPath 2.0 and its functions and operators. Lists stand for sequences; see ``code`` for how items
look. Every name here is one that ``code``, ``translate``, ``paths`` and ``functions`` write.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Iterator
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import chain
from math import nan
from typing import Any

from formats.schematron.document import NO_NODES as NONE
from formats.schematron.document import NOTHING, Document, Node, Nodes, Shape, in_order
from formats.schematron.values import (
    COMPARE,
    Day,
    Failure,
    Untyped,
    arithmetic,
    boolean,
    day,
    decimal,
    decimal_of,
    double,
    double_of,
    integer,
    integer_of,
    is_number,
    number_of,
    round_half_up,
    text_of,
    total,
    value,
)

# Only translated expressions call these three.
from formats.schematron.values import beside_double as beside_double
from formats.schematron.values import beside_whole as beside_whole
from formats.schematron.values import signed as signed

U: Any = type("Unset", (), {})()  # a variable that has not been worked out


class State:
    """One document under one rule set; ``at`` are the shapes of the paths the rules look up."""

    __slots__ = ("at", "document", "groups", "names", "root")

    def __init__(self, document: Document, at: list[Shape]) -> None:
        self.document = document
        self.at = at
        self.groups = document.groups
        self.names = document.names
        self.root = document.root

    def everything(self) -> Nodes:
        """All elements, in no particular order."""
        return list(chain.from_iterable(self.groups.values()))

    def all_nodes(self) -> Nodes:
        """The document and all elements, in no particular order."""
        return [self.document, *self.everything()]


# --- how many -------------------------------------------------------------------------------------------


def _too_many(found: int) -> Failure:
    return Failure("XPTY0004", f"{found} items where one may stand")


def one(items: Any) -> Any:
    """The only item, None if there is none."""
    if type(items) is not list:
        items = list(items)
    if not items:
        return None
    if len(items) > 1:
        raise _too_many(len(items))
    return items[0]


def exactly_one(items: Any) -> Any:
    """The only item."""
    items = list(items)
    if len(items) != 1:
        raise Failure("FORG0005", f"{len(items)} items where exactly one must stand")
    return items[0]


def at_most_one(items: Any) -> list[Any]:
    """The items, at most one."""
    found: list[Any] = list(items)
    if len(found) > 1:
        raise Failure("FORG0003", f"{len(found)} items where one may stand")
    return found


def must(item: Any) -> Any:
    """The item, which has to be there."""
    return missing() if item is None else item


def missing() -> Any:
    """No item where one has to be."""
    raise Failure("XPTY0004", "nothing where one item must stand")


def opt(function: Callable[[Any], Any], item: Any) -> Any:
    """The function of the item, None of none."""
    return None if item is None else function(item)


def opt_list(item: Any) -> Any:
    """No or one item as a sequence."""
    return () if item is None else (item,)


def node_list(node: Node) -> Any:
    """No or one node as a sequence."""
    return () if node is NOTHING else (node,)


def as_list(items: Iterable[Any]) -> list[Any]:
    """A sequence that can be read twice."""
    return items if isinstance(items, list) else list(items)


def any_item(items: Any) -> bool:
    """Whether there is an item."""
    return any(True for _ in items)


# --- atoms and texts --------------------------------------------------------------------------------------


def data(items: Iterable[Any]) -> list[Any]:
    """Atomised."""
    return [Untyped(item.value) if isinstance(item, Node) else item for item in items]


def nodes(items: Iterable[Any]) -> Nodes:
    """Items that have to be nodes."""
    found = list(items)
    if not all(isinstance(item, Node) for item in found):
        raise Failure("XPTY0019", "a path through items that are no nodes")
    return found


def opt_value(node: Node) -> str | None:
    """A node's value, None of none."""
    return None if node is NOTHING else node.value


def one_value(found: Nodes) -> str | None:
    """The value of the only node."""
    if not found:
        return None
    if len(found) > 1:
        raise _too_many(len(found))
    return found[0].value


def value_or_empty(found: Nodes) -> str:
    """The value of the only node, '' of none."""
    if not found:
        return ""
    if len(found) > 1:
        raise _too_many(len(found))
    return found[0].value


def text_or_empty(items: Any) -> str:
    """The only text, '' of none."""
    return one(items) or ""


def any_text(items: Any) -> str:
    """A text from an atom of unknown type."""
    item = one(items)
    if item is None:
        return ""
    if not isinstance(item, str):
        raise Failure("XPTY0004", "a value that is no text")
    return str(item)


def not_text(items: Any) -> str:
    """A text from atoms that are none: an error unless there is no item."""
    return any_text(items)


_spaces = re.compile("[ \t\r\n]+")


def normalize_space(text: str) -> str:
    """fn:normalize-space; Python's idea of white space is wider."""
    if text.isalnum():
        return text
    if text.isascii():
        return " ".join(text.split())
    return _spaces.sub(" ", text).strip(" ")


def substring(text: str, start: Any, length: Any = None) -> str:
    """fn:substring."""
    first = double(round_half_up(start))
    last = math.inf if length is None else first + double(round_half_up(length))
    if math.isnan(first) or math.isnan(last):
        return ""
    low = max(first, 1.0)
    if low == math.inf or last <= low:
        return ""
    return text[int(low) - 1 : None if last == math.inf else int(last) - 1]


def substring_before(text: str, mark: str) -> str:
    """fn:substring-before."""
    place = text.find(mark)
    return text[:place] if place > 0 else ""


def substring_after(text: str, mark: str) -> str:
    """fn:substring-after."""
    place = text.find(mark)
    return text[place + len(mark) :] if place >= 0 else ""


def translate(text: str, source: str, target: str) -> str:
    """fn:translate."""
    table: dict[int, str | None] = {}
    for place, character in enumerate(source):
        table.setdefault(ord(character), target[place] if place < len(target) else None)
    return text.translate(table)


def compare_texts(a: str, b: str) -> int:
    """fn:compare."""
    return (a > b) - (a < b)


def codepoints_text(codepoints: Iterable[Any]) -> str:
    """fn:codepoints-to-string."""
    try:
        return "".join(map(chr, map(integer, codepoints)))
    except (ValueError, OverflowError):
        raise Failure("FOCH0001", "a code point that is no character") from None


# --- truth and comparison -------------------------------------------------------------------------------


def effective(items: Any) -> bool:
    """The effective boolean value."""
    found = list(items)
    if not found:
        return False
    first = found[0]
    if isinstance(first, Node):
        return True
    if len(found) > 1 or isinstance(first, Day):
        raise Failure("FORG0006", "a sequence that is neither true nor false")
    return double_truth(first) if isinstance(first, float) else bool(first)


def double_truth(number: float | None) -> bool:
    """The effective boolean value of a double."""
    return bool(number) and number == number


def either(left: Callable[[], Any], right: Callable[[], Any]) -> bool:
    """``or``: true if one operand is, even where the other fails."""
    try:
        found = left()
    except Exception:  # any failure of an operand counts, and is raised again if the other does not decide
        if right():
            return True
        raise
    return bool(found or right())


def both_hold(left: Callable[[], Any], right: Callable[[], Any]) -> bool:
    """``and``: false if one operand is, even where the other fails."""
    try:
        found = left()
    except Exception:  # as in ``either``
        if not right():
            return False
        raise
    return bool(found and right())


def at_position(items: Any, position: int) -> bool:
    """Whether a predicate keeps the item at a position."""
    found = list(items)
    if len(found) == 1 and is_number(found[0]):
        return bool(found[0] == position)
    return effective(found)


def meet(left: Iterable[str], right: Any) -> bool:
    """Whether two sequences of texts share one."""
    return any(item in right for item in left)


def some(op: str, left: Iterable[Any], right: Iterable[Any]) -> bool:
    """Whether any pair compares; all of one type."""
    compare = COMPARE[op]
    others = list(right)
    return any(compare(a, b) for a in left for b in others)


def any_eq(left: Iterable[Any], b: Any) -> bool:
    """Whether any is equal."""
    return any(a == b for a in left)


def any_ne(left: Iterable[Any], b: Any) -> bool:
    """Whether any differs."""
    return any(a != b for a in left)


def any_lt(left: Iterable[Any], b: Any) -> bool:
    """Whether any is less."""
    return any(a < b for a in left)


def any_le(left: Iterable[Any], b: Any) -> bool:
    """Whether any is less or equal."""
    return any(a <= b for a in left)


def any_gt(left: Iterable[Any], b: Any) -> bool:
    """Whether any is greater."""
    return any(a > b for a in left)


def any_ge(left: Iterable[Any], b: Any) -> bool:
    """Whether any is greater or equal."""
    return any(a >= b for a in left)


def value_opt(op: str, left: Any, right: Any) -> bool | None:
    """A value comparison of at most one item each."""
    a, b = one(left), one(right)
    return None if a is None or b is None else value(op, a, b)


# --- numbers --------------------------------------------------------------------------------------------


def compute(op: str, left: Any, right: Any) -> Any:
    """An operation on at most one item each, of any type."""
    return compute_opt(op, one(left), one(right))


def compute_opt(op: str, a: Any, b: Any) -> Any:
    """An operation on two items that may be absent."""
    return None if a is None or b is None else arithmetic(op, a, b)


def plus(a: Any, b: Any) -> Any:
    """The sum of two exact numbers that may be absent."""
    return None if a is None or b is None else a + b


def minus(a: Any, b: Any) -> Any:
    """The difference of two exact numbers that may be absent."""
    return None if a is None or b is None else a - b


def times(a: Any, b: Any) -> Any:
    """The product of two exact numbers that may be absent."""
    return None if a is None or b is None else a * b


def node_decimal(found: Nodes) -> Decimal | None:
    """The value of the only node as xs:decimal."""
    if not found:
        return None
    if len(found) > 1:
        raise _too_many(len(found))
    return decimal_of(found[0].value)


def node_decimals(found: Nodes) -> list[Decimal]:
    """The same as a sequence."""
    number = node_decimal(found)
    return [] if number is None else [number]


def node_words(found: Nodes) -> str:
    """The normalised value of the only node, '' of none."""
    if not found:
        return ""
    if len(found) > 1:
        raise _too_many(len(found))
    text = found[0].value
    return text if text.isalnum() else normalize_space(text)


def number_or_nan(item: Any) -> float:
    """fn:number of an item that may be absent."""
    return nan if item is None else number_of(item)


def any_integer(item: Any) -> int | None:
    """A whole number from an atom of unknown type."""
    if item is None:
        return None
    if type(item) is Untyped:
        return integer_of(item)
    if isinstance(item, bool) or not isinstance(item, int):
        raise Failure("XPTY0004", "a value that is no whole number")
    return item


_MOST = 100_000


def span(first: int | None, last: int | None) -> Any:
    """``first to last``."""
    if first is None or last is None:
        return ()
    if last - first > _MOST:
        raise Failure("FOAR0002", f"a range of {last - first} numbers")
    return range(first, last + 1)


def opt_number(function: Callable[[Any], Any], items: Any) -> Any:
    """A numeric function of at most one item of any type."""
    item = one(items)
    if item is None:
        return None
    item = double_of(item) if type(item) is Untyped else item
    if not is_number(item):
        raise Failure("XPTY0004", "a value that is no number")
    return function(item)


def floor(number: Any) -> Any:
    """fn:floor."""
    if isinstance(number, Decimal):
        return number.to_integral_value(ROUND_FLOOR)
    return number if isinstance(number, int) or not math.isfinite(number) else float(math.floor(number))


def ceiling(number: Any) -> Any:
    """fn:ceiling."""
    if isinstance(number, Decimal):
        return number.to_integral_value(ROUND_CEILING)
    return number if isinstance(number, int) or not math.isfinite(number) else float(math.ceil(number))


def _comparable(items: Any) -> list[Any]:
    found = [double_of(item) if type(item) is Untyped else item for item in items]
    if any(isinstance(item, float) for item in found):
        found = [double(item) for item in found]
    if len({str if isinstance(item, str) else is_number(item) for item in found}) > 1:
        raise Failure("FORG0006", "values of different types")
    return found


def smallest(items: Any) -> Any:
    """fn:min."""
    found = _comparable(items)
    return nan if any(item != item for item in found) else min(found, default=None)


def greatest(items: Any) -> Any:
    """fn:max."""
    found = _comparable(items)
    return nan if any(item != item for item in found) else max(found, default=None)


def average(items: Any) -> Any:
    """fn:avg."""
    found = list(items)
    return arithmetic("div", total(found), len(found)) if found else None


# --- conversion -----------------------------------------------------------------------------------------

_CAST: dict[str, Callable[[Any], Any]] = {
    "str": text_of,
    "bool": boolean,
    "dec": decimal,
    "int": integer,
    "dbl": double,
    "day": day,
    "unt": text_of,
}
_PYTHON: dict[str, Any] = {"str": str, "bool": bool, "dec": (Decimal, int), "int": int, "day": Day}


def convert_one(items: Any, kind: str) -> Any:
    """The function conversion rules for at most one item of any type."""
    item = one(items)
    return None if item is None else _converted(item, kind)


def convert_all(items: Any, kind: str) -> list[Any]:
    """The function conversion rules for a sequence of any type."""
    return [_converted(item, kind) for item in items]


def _converted(item: Any, kind: str) -> Any:
    if isinstance(item, Node):
        item = Untyped(item.value)
    if type(item) is Untyped:
        return _CAST[kind](str(item))
    if kind == "dbl" and is_number(item):
        return double(item)
    if not isinstance(item, _PYTHON.get(kind, float)) or (kind != "bool" and isinstance(item, bool)):
        raise Failure("XPTY0004", f"a value that is no {kind}")
    return item


def castable(items: Any, kind: str, optional: bool) -> bool:
    """``castable as``."""
    found = list(items)
    if len(found) != 1:
        return optional and not found
    try:
        _CAST[kind](found[0])
    except Failure:
        return False
    return True


# --- sequences ------------------------------------------------------------------------------------------


def distinct_values(items: Any) -> list[Any]:
    """fn:distinct-values."""
    found: list[Any] = []
    for item in items:
        item = str(item) if isinstance(item, str) else item
        if not any(type(known) is type(item) and known == item for known in found):
            found.append(item)
    return found


def index_of(items: Any, wanted: Any) -> list[int]:
    """fn:index-of."""
    item = one(wanted)
    return [place for place, other in enumerate(items, 1) if _same(other, item)]


def _same(a: Any, b: Any) -> bool:
    try:
        return value("=", a, b)
    except Failure:
        return False


def subsequence(items: Any, start: Any, length: Any = None) -> list[Any]:
    """fn:subsequence."""
    first = double(round_half_up(start))
    last = math.inf if length is None else first + double(round_half_up(length))
    return [item for place, item in enumerate(items, 1) if first <= place < last]


def deep_equal(left: Any, right: Any) -> bool:
    """fn:deep-equal of atoms."""
    a, b = list(left), list(right)
    return len(a) == len(b) and all(_same(one_, other) for one_, other in zip(a, b, strict=True))


# --- nodes ----------------------------------------------------------------------------------------------


def local(tag: str) -> str:
    """The local part of a name."""
    return tag.rpartition("}")[2]


def uri(tag: str) -> str:
    """The namespace of a name."""
    return tag[1:].partition("}")[0] if tag.startswith("{") else ""


def first_name(found: Any, name: Callable[[Node], str]) -> str:
    """The name of the only node, '' of none."""
    node = one(found)
    return "" if node is None else name(node)


def distinct(found: Nodes) -> Nodes:
    """Each node once."""
    return list(dict.fromkeys(found)) if len(found) > 1 else found


def union(left: Any, right: Any) -> Nodes:
    """``|``, in no particular order."""
    if not left:
        return as_list(right)
    if not right:
        return as_list(left)
    return list(dict.fromkeys(chain(left, right)))


def both(left: Any, right: Any) -> Nodes:
    """``intersect``."""
    others = set(right)
    return in_order([node for node in left if node in others])


def without(left: Any, right: Any) -> Nodes:
    """``except``."""
    others = set(right)
    return in_order([node for node in left if node not in others])


def compare_nodes(op: str, left: Any, right: Any) -> bool | None:
    """``is``, ``<<`` and ``>>``."""
    a, b = one(left), one(right)
    if a is None or b is None:
        return None
    if op == "is":
        return a is b
    return bool(a.order < b.order) if op == "<<" else bool(a.order > b.order)


def ancestors(node: Node) -> Iterator[Node]:
    """From the parent upwards, the document last."""
    while (node := node.parent) is not NOTHING:
        yield node


def ancestors_or_self(node: Node) -> Iterator[Node]:
    """From the node upwards."""
    yield node
    yield from ancestors(node)


def siblings_before(node: Node) -> Nodes:
    """Preceding siblings, the nearest first."""
    around = node.parent.children
    return around[: around.index(node)][::-1] if node in around else NONE


def siblings_after(node: Node) -> Nodes:
    """Following siblings."""
    around = node.parent.children
    return around[around.index(node) + 1 :] if node in around else NONE


def below(node: Node) -> Nodes:
    """Descendants in document order."""
    return node.below()


def family(node: Node) -> Nodes:
    """The node and its descendants."""
    return [node, *node.below()]


def before(node: Node) -> Nodes:
    """The preceding axis, the nearest first."""
    above = set(ancestors_or_self(node))
    return [
        other for other in reversed(node.document.all()) if other.order < node.order and other not in above
    ]


def before_named(node: Node, tag: str) -> Nodes:
    """The preceding axis for one name, the nearest first."""
    around = node.document.names.get(tag, NONE)
    if len(around) < 2 and (not around or around[0] is node):
        return NONE
    shape = node.shape
    if all(other.shape is shape for other in around):  # one depth, so none above another, and in order
        return around[: around.index(node)][::-1]
    above = set(ancestors_or_self(node))
    earlier = [other for other in in_order(around) if other.order < node.order and other not in above]
    return earlier[::-1]


def after(node: Node) -> Nodes:
    """The following axis."""
    own = set(family(node))
    return [other for other in node.document.all() if other.order > node.order and other not in own]
