"""The texts of an element and where they stand, found once for every layout instead of node by node.

A bank writes thousands of entries with the same elements and only other texts. An element is
serialised and cut at its texts in two C calls; what is left, the markup, is its layout. A layout seen
before says at which index each field's text stands; a new one is worked out on the same markup with the
indexes in place of the texts. So a path is walked once for each layout, and a text costs no node object.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Generic, TypeAlias, TypeVar, cast
from xml.sax.saxutils import unescape

from lxml import etree

from formats.camt.values import local_name

Texts: TypeAlias = list[str]  # the last one is "": the text of whatever is not there
Slots: TypeAlias = Mapping[str, list[int]]  # "RmtInf/Ustrd" -> indexes of its texts, in document order
NOWHERE = -1  # the slot of an element that is empty or absent

# A text between two tags without the blanks around it; blanks alone are layout. The serialiser writes
# "<" and ">" as entities everywhere but in tags.
_cut = re.compile(r">\s*([^<\s](?:[^<]*[^<\s])?)\s*<").split
_SLOT = ">\0<"  # NUL cannot occur in XML
_MOST = 2_000  # layouts kept; a file that never repeats itself is read slower, not into more memory
_LONGEST = 20_000  # characters of a layout worth keeping
Plan = TypeVar("Plan")


class Layouts(Generic[Plan]):
    """The layouts met so far of one kind of element, each with its plan: what stands where."""

    def __init__(self, plan: Callable[[etree._Element], Plan]) -> None:
        self._plan = plan
        self._known: dict[str, Plan] = {}

    def read(self, element: etree._Element) -> tuple[Plan, Texts]:
        """The plan of the element's layout and its texts."""
        written = etree.tostring(element, encoding="unicode", with_tail=False)
        pieces = _cut(written)
        layout = _SLOT.join(pieces[::2])
        plan = self._known.get(layout)
        if plan is None:
            plan = self._learn(layout)
        texts = pieces[1::2]
        if "&" in written:
            texts = [unescape(text, {"&#13;": "\r"}) for text in texts]
        texts.append("")
        return plan, texts

    def _learn(self, layout: str) -> Plan:
        if len(self._known) >= _MOST:
            self._known.clear()
        markup, *rest = layout.split(_SLOT)
        numbered = markup + "".join(f">{slot}<{piece}" for slot, piece in enumerate(rest))
        plan = self._plan(etree.fromstring(numbered, _PARSER))
        if len(layout) <= _LONGEST:
            self._known[layout] = plan
        return plan


_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)


def slots(element: etree._Element) -> dict[str, list[int]]:
    """The slots below ``element``, the root or a part of a numbered layout, by path of local names."""
    found: dict[str, list[int]] = {}
    _collect(element, "", found)
    return found


def _collect(element: etree._Element, prefix: str, found: dict[str, list[int]]) -> None:
    for child in element:
        path = prefix + local_name(str(child.tag))
        if len(child):
            _collect(child, path + "/", found)
        else:
            found.setdefault(path, []).append(slot_of(child))


def slot_of(leaf: etree._Element) -> int:
    """The slot of one element without children."""
    text = (leaf.text or "").strip()
    return int(text) if text else NOWHERE


def first_slot(found: Slots, *paths: str) -> int:
    """The first slot with a text at the first of ``paths`` that has one."""
    return next((slot for path in paths for slot in found.get(path, ()) if slot != NOWHERE), NOWHERE)


def picker(found: Slots, places: Sequence[Sequence[str]]) -> Callable[[Texts], tuple[str, ...]]:
    """Takes the text of each of the ``places`` in one call; "" for what the layout does not have."""
    pick = itemgetter(*(first_slot(found, *paths) for paths in places))
    return cast(Callable[[Texts], tuple[str, ...]], pick)


def children(element: etree._Element, *names: str) -> Iterator[etree._Element]:
    """The elements at the path ``names`` below ``element``, by local name, in document order."""
    if not names:
        yield element
        return
    for child in element:
        if local_name(str(child.tag)) == names[0]:
            yield from children(child, *names[1:])
