"""What a rule means and what to do about it, in English, German and Norwegian, in our own words.

The texts are data (``rules.toml``), read when the first one is asked for. Rule ids are the official
ones; the official texts are not here. A rule that is not explained keeps its official text alone.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = ("en", "de", "nb")
_PATH = Path(__file__).with_name("rules.toml")
# BR-S-08: a VAT category and the number that its rule has in every category.
_CATEGORY = re.compile(r"BR-(?P<category>[A-Z]{1,2})-(?P<number>\d\d)\Z")
_CHARGED = {"06": "BT-95", "07": "BT-95"}  # the same rules, on allowances and charges


@dataclass(frozen=True, slots=True)
class Explanation:
    """``meaning``: what is wrong; ``advice``: what to do; ``term``: the EN 16931 term it is about."""

    rule: str
    term: str | None
    meaning: str
    advice: str


def explanation(rule: str, language: str = "en", **names: str) -> Explanation | None:
    """The explanation of a rule, None if we have none; a language we do not speak is English.

    ``names`` say who is meant: ``seller``, ``buyer`` and ``line``.
    """
    entry = _texts()["rule"].get(rule)
    spoken = language if language in LANGUAGES else "en"
    if entry is not None:
        return _told(rule, entry.get("term"), entry[spoken], names)
    found = _CATEGORY.match(rule)
    category = _texts()["category"].get(found["category"]) if found else None
    if found is None or category is None or found["number"] not in category["families"]:
        return None
    family = _texts()["family"][category["families"][found["number"]]]
    term = _CHARGED.get(found["number"], family["term"])
    return _told(rule, term, family[spoken], {**names, "category": category[spoken]})


def explained() -> frozenset[str]:
    """Every rule that has an explanation."""
    texts = _texts()
    families = {
        f"BR-{name}-{number}" for name, one in texts["category"].items() for number in one["families"]
    }
    return frozenset(families | texts["rule"].keys())


_UNNAMED = {
    "en": {"seller": "the seller", "buyer": "the buyer", "line": "the line"},
    "de": {"seller": "Verkäufer", "buyer": "Käufer", "line": "Position"},
    "nb": {"seller": "selgeren", "buyer": "kjøperen", "line": "linjen"},
}


def unnamed(role: str, language: str = "en") -> str:
    """What to call a seller, buyer or line that has no name."""
    return _UNNAMED.get(language, _UNNAMED["en"])[role]


def _told(rule: str, term: str | None, texts: list[str], names: Mapping[str, str]) -> Explanation:
    meaning, advice = (_filled(text, names) for text in texts)
    return Explanation(rule, term, meaning, advice)


def _filled(text: str, names: Mapping[str, str]) -> str:
    told = text.format_map({role: unnamed(role) for role in ("seller", "buyer", "line")} | dict(names))
    return told[:1].upper() + told[1:]


@cache
def _texts() -> dict[str, dict[str, Any]]:
    return tomllib.loads(_PATH.read_text(encoding="utf-8"))
