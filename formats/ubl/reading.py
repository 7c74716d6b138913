"""A place in a UBL document, and what can be read there.

Reading never stops at the first problem: what is missing or wrong is noted with its XPath, and
a stand-in of the right type lets the reader go on. Whoever reads a document must look at the
list of faults before using anything it made.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from lxml import etree

from formats.ubl.paths import readable
from o2c.errors import Fault, Refused
from o2c.money import parse_decimal
from o2c.party import Identifier

_DIGITS = 28  # beyond this, decimal arithmetic rounds without telling

_short = lru_cache(maxsize=2000)(readable)


class Reading:
    """What all places of one document share: the faults found and the document's currency."""

    __slots__ = ("currency", "faults")

    def __init__(self, currency: str) -> None:
        self.currency = currency
        self.faults: list[Fault] = []


class Place:
    """One element. Its ``label`` names the thing in messages, e.g. ``line 2 (White sauce)``."""

    __slots__ = ("_children", "_label", "_parent", "element", "name", "reading")

    def __init__(self, element: etree._Element, reading: Reading, parent: Place | None = None) -> None:
        self.element = element
        self.reading = reading
        self.name = _short(str(element.tag))
        self._parent = parent
        self._label: str | None = None
        self._children: dict[str, list[Place]] | None = None

    def call(self, label: str) -> None:
        """Name this place and everything below it in messages."""
        self._label = label

    @property
    def label(self) -> str:
        """The nearest name given on the way up."""
        return self._label or (self._parent.label if self._parent else self.name)

    @property
    def path(self) -> str:
        """The XPath, with a position where siblings share a name."""
        if self._parent is None:
            return f"/{self.name}"
        same = self._parent.children(self.name)
        position = f"[{same.index(self) + 1}]" if len(same) > 1 else ""
        return f"{self._parent.path}/{self.name}{position}"

    def fault(self, below: str, code: str, message: str) -> None:
        """Note a fault at the path ``below`` this place; the message follows the label."""
        where = f"{self.path}/{below}"
        self.reading.faults.append(Fault(where, code, f"{self.label}: {message}"))

    def children(self, name: str) -> list[Place]:
        """The children of one name, in document order."""
        if self._children is None:
            self._children = {}
            for element in self.element:
                place = Place(element, self.reading, self)
                self._children.setdefault(place.name, []).append(place)
        return self._children.get(name, [])

    def child(self, path: str) -> Place | None:
        """The first element at a path such as ``cac:Price/cac:AllowanceCharge``."""
        place = self
        for name in path.split("/"):
            found = place.children(name)
            if not found:
                return None
            place = found[0]
        return place

    def own_text(self) -> str | None:
        """The trimmed text of this element, None if there is none."""
        return (self.element.text or "").strip() or None

    def text(self, path: str) -> str | None:
        """The trimmed text at ``path``; None where it is absent or empty."""
        place = self.child(path)
        return place.own_text() if place else None

    def texts(self, path: str) -> str | None:
        """All texts of one name, a line each."""
        return joined("\n", (place.own_text() for place in self.children(path)))

    def need(self, path: str, what: str) -> str:
        """The text at ``path``; notes ``missing`` and answers "" where there is none."""
        found = self.text(path)
        if found is None:
            self.fault(path, "missing", f"{what} is missing. Ask the buyer to send the order with it.")
        return found or ""

    def identifier(self, path: str) -> Identifier | None:
        """The identifier and its ``schemeID`` at ``path``."""
        place = self.child(path)
        value = place.own_text() if place else None
        return Identifier(value, place.element.get("schemeID")) if place and value else None

    def number(self, path: str, what: str) -> Decimal | None:
        """The plain decimal at ``path``, None where it is absent; notes ``number``."""
        found = self.text(path)
        if found is None:
            return None
        try:
            value = parse_decimal(found, what=what)
        except Refused as refused:
            self.fault(path, "number", refused.message)
            return Decimal(0)
        if len(value.as_tuple().digits) > _DIGITS:
            self.fault(path, "number", f"{what} has more than {_DIGITS} digits.")
        return value

    def amount(self, path: str, what: str) -> Decimal | None:
        """The amount at ``path`` in the order's currency; notes ``number`` and ``currency``."""
        place = self.child(path)
        stated = place.element.get("currencyID") if place else None
        currency = self.reading.currency
        if stated and currency and stated != currency:
            self.fault(f"{path}/@currencyID", "currency", f"{what} is in {stated}, the order in {currency}.")
        return self.number(path, what)

    def day(self, path: str, what: str) -> date | None:
        """The date at ``path``, None where it is absent; notes ``date``."""
        found = self.text(path)
        if found is None:
            return None
        try:
            if len(found) == 10:  # PEPPOL-COMMON-R030: YYYY-MM-DD, no time zone
                return date.fromisoformat(found)
        except ValueError:
            pass
        self.fault(path, "date", f"{what} must be a date such as 2026-03-01, not {found!r}.")
        return None

    def flag(self, path: str, what: str) -> bool | None:
        """The indicator at ``path``, None where it is absent; notes ``choice``."""
        found = self.text(path)
        if found not in (None, "true", "false"):
            self.fault(path, "choice", f"{what} must be true or false, not {found!r}.")
        return None if found is None else found == "true"


def joined(between: str, texts: Iterable[str | None]) -> str | None:
    """The texts that are there, joined; None if there is none."""
    return between.join(filter(None, texts)) or None
