"""Valid documents made wrong, by a seeded hand: what users and their systems do to an invoice.

Each mutant is the same for the same seed, whatever ran before it.
"""

from __future__ import annotations

import copy
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lxml import etree

VALUES = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1",
        "1.00",
        "-0.00",
        "0.005",
        "0.015",
        "1.005",
        "100",
        "99999999999999.99",
        ".5",
        "5.",
    ),
    *(
        "abc",
        "value",
        "true",
        "false",
        "TRUE",
        "NaN",
        "INF",
        "-INF",
        "1e3",
        "1E-2",
        "+1",
        "0x10",
        "1,00",
        "1 000",
    ),
    *(
        "\u00a0",
        "1\u00a0",
        "\u0661",
        "\u00df",
        "x" * 300,
        "  padded  ",
        "two words",
        "line\nbreak",
        "a@b.c",
        "@",
    ),
    *(
        "DE",
        "NO",
        "SE",
        "DK",
        "IT",
        "NL",
        "GR",
        "EL",
        "IS",
        "FR",
        "XX",
        "de",
        "SE556677889901",
        "NO999999999MVA",
    ),
    *(
        "S",
        "Z",
        "E",
        "AE",
        "K",
        "G",
        "O",
        "L",
        "M",
        "B",
        "s",
        "VAT",
        "vat",
        "GST",
        "LOC",
        "VATEX-EU-G",
        "VATEX-EU-O",
    ),
    *(
        "EUR",
        "NOK",
        "XXX",
        "eur",
        "C62",
        "KGM",
        "30",
        "58",
        "59",
        "48",
        "49",
        "380",
        "381",
        "326",
        "384",
        "130",
        "50",
    ),
    *(
        "0088",
        "0192",
        "0184",
        "0208",
        "0007",
        "9930",
        "9956",
        "0000",
        "EM",
        "987654325",
        "987654321",
        "12345678",
    ),
    *(
        "2026-03-01",
        "2026-02-30",
        "2026-3-1",
        "20260301",
        "2026-03-01Z",
        "2026-03-01+01:00",
        "0000-01-01",
        "today",
    ),
    *(
        "urn:cen.eu:en16931:2017",
        "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0",
        "#SKONTO#TAGE=14#PROZENT=2.00#",
    ),
    *(
        "DE89370400440532013000",
        "NO9386011117947",
        "true ",
        " false",
        "1 ",
        "application/pdf",
        "text/csv",
        "FI",
        "HUF",
    ),
)


@dataclass(frozen=True)
class Mutant:
    """A changed document and what was done to it."""

    document: bytes
    words: str


def mutant(root: Any, seed: str) -> Mutant:
    """One mutant of a document: mostly one change, sometimes two or three."""
    hand = random.Random(seed)
    changed = copy.deepcopy(root)
    words = [_change(changed, hand) for _ in range(hand.choice((1, 1, 1, 1, 2, 3)))]
    return Mutant(etree.tostring(changed), "; ".join(words))


def _change(root: Any, hand: random.Random) -> str:
    for _ in range(100):
        made = hand.choice(_CHANGES)
        words = made(root, hand)
        if words:
            return f"{made.__name__.strip('_')} {words}"
    return "nothing"


def _path(element: Any) -> str:
    names = [etree.QName(one).localname for one in (*reversed(list(element.iterancestors())), element)]
    return "/".join(names)


def _any(root: Any, hand: random.Random) -> Any:
    return hand.choice([one for one in root.iter("*") if one is not root])


def _leaf(root: Any, hand: random.Random, wanted: Callable[[str], bool] = lambda _: True) -> Any:
    leaves = [one for one in root.iter("*") if not len(one) and wanted(one.text or "")]
    return hand.choice(leaves) if leaves else None


def _drop(root: Any, hand: random.Random) -> str:
    element = _any(root, hand)
    words = _path(element)
    element.getparent().remove(element)
    return words


def _double(root: Any, hand: random.Random) -> str:
    element = _any(root, hand)
    element.addnext(copy.deepcopy(element))
    return _path(element)


def _empty(root: Any, hand: random.Random) -> str:
    element = _any(root, hand)
    for child in list(element):
        element.remove(child)
    element.text = hand.choice((None, "", " "))
    return _path(element)


def _swap(root: Any, hand: random.Random) -> str:
    first, second = _leaf(root, hand), _leaf(root, hand)
    first.text, second.text = second.text, first.text
    return f"{_path(first)} and {_path(second)}"


def _move(root: Any, hand: random.Random) -> str:
    element, place = _any(root, hand), _any(root, hand)
    if element in place.iterancestors() or element is place:
        return ""
    words = f"{_path(element)} to {_path(place)}"
    (place.append if hand.random() < 0.5 and len(place) else place.addnext)(element)
    return words


def _value(root: Any, hand: random.Random) -> str:
    element = _leaf(root, hand)
    element.text = hand.choice(VALUES)
    return f"{_path(element)} = {element.text!r}"


def _like(root: Any, hand: random.Random) -> str:
    """A value that a place of the same name has elsewhere, or one that is nearly right."""
    element = _leaf(root, hand)
    others = [one.text for one in root.iter(element.tag) if one.text != element.text]
    text = element.text or ""
    element.text = hand.choice(
        [*others, text.lower(), text.upper(), text + " ", " " + text, text[:-1], text + "1"]
    )
    return f"{_path(element)} = {element.text!r}"


def _attribute(root: Any, hand: random.Random) -> str:
    found = [one for one in root.iter("*") if one.attrib]
    if not found:
        return ""
    element = hand.choice(found)
    name = hand.choice(list(element.attrib))
    value = hand.choice((None, "", *VALUES))
    if value is None:
        del element.attrib[name]
    else:
        element.set(name, value)
    return f"{_path(element)}/@{name} = {value!r}"


def _scheme(root: Any, hand: random.Random) -> str:
    names = ("schemeID", "currencyID", "unitCode", "listID", "mimeCode", "name")
    element = _leaf(root, hand)
    name, value = hand.choice(names), hand.choice(VALUES)
    element.set(name, value)
    return f"{_path(element)}/@{name} = {value!r}"


def _sign(root: Any, hand: random.Random) -> str:
    element = _leaf(root, hand, lambda text: text.strip().replace(".", "", 1).isdigit())
    if element is None:
        return ""
    element.text = f"-{element.text}"
    return _path(element)


def _amount(root: Any, hand: random.Random) -> str:
    element = _leaf(root, hand, lambda text: "." in text and text.strip().replace(".", "", 1).isdigit())
    if element is None:
        return ""
    element.text = f"{element.text.strip()}{hand.choice(('1', '0', '01', '5', '9'))}"
    return f"{_path(element)} = {element.text}"


_CHANGES: Sequence[Callable[[Any, random.Random], str]] = (
    *(_drop, _drop, _double, _double, _empty, _swap, _move, _value, _value, _value, _like, _like),
    *(_attribute, _attribute, _scheme, _sign, _amount),
)
