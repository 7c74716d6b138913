"""The official verdicts on published documents: one case for each line of expected.jsonl.

A case is a whole file, one ``<test>`` of a test set, or one mutation that an ``<?xmute?>`` instruction
asks for. Which rules fired was found with Saxon from the official files.
"""

from __future__ import annotations

import copy
import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from lxml import etree

Fired = Counter[tuple[str, str, str]]
STOPPED = "DYNAMIC-ERROR"  # what the verdict says of a rule set that gave up


@dataclass(frozen=True)
class Case:
    """A document, the rule sets to run, and the verdict; ``xsd`` is None where it was not asked for."""

    name: str
    sets: tuple[str, ...]
    xsd: bool | None
    fired: Fired
    document: bytes

    def stopped(self) -> set[str]:
        """The rule sets that gave no verdict but an error."""
        return {name for name, rule, _ in self.fired if rule == STOPPED}


def cases(conformance: Path, folder: str = "", every: int = 1) -> Iterator[Case]:
    """Every n-th case of the files whose name contains ``folder``, in the order of the file."""
    lines = (conformance / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in map(json.loads, lines) if folder in line["file"]]
    for line in wanted[::every]:
        yield _case(conformance, line)


def _case(conformance: Path, line: dict[str, Any]) -> Case:
    fired = Counter({(name, rule, severity): times for name, rule, severity, times in line["fired"]})
    document = _document(conformance / line["file"], line["case"])
    return Case(f"{line['file']}#{line['case']}", tuple(line["sets"]), line["xsd"], fired, document)


def _document(file: Path, case: str) -> bytes:
    if not case:
        return file.read_bytes()
    tree = _tree(file)
    return _mutation(tree, case) if "#" in case else _test(tree, int(case))


@lru_cache(maxsize=4)
def _tree(file: Path) -> Any:
    return etree.parse(str(file), etree.XMLParser(remove_comments=True)).getroot()


def _test(root: Any, number: int) -> bytes:
    test = list(root.iter("{*}test"))[number - 1]
    (document,) = (e for e in test if e.tag is not etree.PI and etree.QName(e).localname != "assert")
    return etree.tostring(document, with_tail=False)


def _mutation(root: Any, case: str) -> bytes:
    instruction, variant = map(int, case.rpartition("#")[2].split("."))
    changed = copy.deepcopy(root)
    found = [e for e in changed.iter(etree.PI) if e.target == "xmute"][instruction]
    asked = dict(re.findall(r'([\w-]+)="([^"]*)"', found.text or ""))
    element = next(e for e in found.itersiblings() if isinstance(e.tag, str))
    _change(element, asked, variant)
    etree.strip_tags(changed, etree.PI)
    return etree.tostring(changed)


def _change(element: Any, asked: dict[str, str], variant: int) -> None:
    attribute = asked.get("attribute")
    match asked["mutator"]:
        case "remove" if attribute:
            del element.attrib[attribute]
        case "remove":
            element.getparent().remove(element)
        case "empty" if attribute:
            element.set(attribute, "")
        case "empty":
            for child in list(element):
                element.remove(child)
            element.text = ""
        case "code":
            value = asked["values"].split(",")[variant].strip()
            if attribute:
                element.set(attribute, value)
            else:
                element.text = value
