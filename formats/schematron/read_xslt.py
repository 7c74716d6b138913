"""Rule sets that were published as XSLT in the form of the ISO skeleton, back into the model.

The skeleton writes a template per rule, in a mode per pattern, the first rule with the highest priority; an
assert is a choose whose otherwise holds svrl:failed-assert. What does not look like that is
``Unreadable``: an XSLT we do not fully understand is run as XSLT, not guessed at.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from formats import xml
from formats.schematron.model import (
    Assert,
    Function,
    Key,
    Let,
    Pattern,
    Rule,
    RuleSource,
    Unreadable,
    ValueOf,
)
from formats.schematron.read_sch import XSL, function_of, key_of, severity_of, words
from o2c.errors import Refused

SVRL = "{http://purl.oclc.org/dsdl/svrl}"
_MODE = re.compile(r"M\d+")
# What the skeleton itself declares, which no rule reads.
_OWN = frozenset(
    "archiveDirParameter archiveNameParameter fileNameParameter fileDirParameter document-uri".split()
)


def read(content: bytes) -> RuleSource:
    """The rule set in an XSLT of the skeleton's form; raises ``Unreadable``."""
    try:
        root = xml.parse(content)
    except Refused as refused:
        raise Unreadable(str(refused)) from None
    if root.tag != f"{XSL}stylesheet":
        raise Unreadable(f"the root element is {root.tag}, not a stylesheet")
    return _Reader(root).source()


class _Reader:
    def __init__(self, root: Any) -> None:
        self._modes: dict[str, list[tuple[float, Any]]] = {}
        self._lets: list[Let] = []
        self._functions: list[Function] = []
        self._keys: list[Key] = []
        self._root = root
        for child in root:
            self._take(child)

    def source(self) -> RuleSource:
        prefixes = {prefix: uri for prefix, uri in self._root.nsmap.items() if prefix}
        if not self._modes:
            raise Unreadable("no template is a rule of the skeleton's form")
        patterns = tuple(_pattern(mode, templates) for mode, templates in self._modes.items())
        title = self._root.findtext(f"{SVRL}text") or ""
        return RuleSource(
            title, prefixes, patterns, tuple(self._lets), tuple(self._functions), tuple(self._keys)
        )

    def _take(self, child: Any) -> None:
        name = child.tag.rpartition("}")[2]
        if not child.tag.startswith(XSL) or name == "output":
            return  # titles between the templates
        if name == "template":
            self._template(child)
        elif name in ("param", "variable"):
            if child.get("name") not in _OWN:
                self._lets.append(_let(child))
        elif name == "function":
            self._functions.append(function_of(child))
        elif name == "key":
            self._keys.append(key_of(child))
        else:
            raise Unreadable(f"xsl:{name} is not of the skeleton's form")

    def _template(self, template: Any) -> None:
        mode = template.get("mode") or ""
        fired = template.find(f"{SVRL}fired-rule")
        if not _MODE.fullmatch(mode):
            if fired is not None:
                raise Unreadable("a rule without a pattern")
            return
        if fired is None:
            if template.find(f".//{SVRL}failed-assert") is not None:
                raise Unreadable("an assert without a rule")
            return
        self._modes.setdefault(mode, []).append((float(template.get("priority")), template))


def _pattern(mode: str, templates: list[tuple[float, Any]]) -> Pattern:
    ordered = sorted(templates, key=lambda one: -one[0])
    if len({priority for priority, _ in templates}) < len(templates):
        raise Unreadable("two rules of one priority")
    return Pattern(mode, tuple(_rule(template) for _, template in ordered))


def _rule(template: Any) -> Rule:
    asserts: list[Assert] = []
    lets: list[Let] = []
    for child in template:
        if child.tag == f"{XSL}variable":
            lets.append(_let(child))
        elif child.tag == f"{XSL}choose":
            asserts.append(_assert(child))
        elif child.tag == f"{XSL}if":
            asserts.append(_report(child))
        elif child.tag not in (f"{SVRL}fired-rule", f"{XSL}apply-templates"):
            raise Unreadable(f"{child.tag.rpartition('}')[2]} in a rule")
    return Rule(template.get("match"), tuple(asserts), tuple(lets))


def _let(element: Any) -> Let:
    if element.get("select") is None and len(element):
        raise Unreadable(f"the variable {element.get('name')} holds a tree")
    if element.get("select") is None:
        return Let(element.get("name"), text=element.text or "")
    return Let(element.get("name"), element.get("select"), type=element.get("as"))


def _assert(choose: Any) -> Assert:
    parts = list(choose)
    if [one.tag for one in parts] != [f"{XSL}when", f"{XSL}otherwise"] or len(parts[0]):
        raise Unreadable("a choose that is no assert")
    return _check(parts[1], f"{SVRL}failed-assert", parts[0].get("test"), report=False)


def _report(condition: Any) -> Assert:
    return _check(condition, f"{SVRL}successful-report", condition.get("test"), report=True)


def _check(element: Any, tag: str, test: str, *, report: bool) -> Assert:
    if [one.tag for one in element] != [tag]:
        raise Unreadable("a condition that is no assert")
    found = element[0]
    said = {one.get("name"): "".join(one.itertext()).strip() for one in found.iterchildren(f"{XSL}attribute")}
    message = found.find(f"{SVRL}text")
    return Assert(
        said.get("id") or "UNNAMED",
        test,
        severity_of(said.get("flag") or said.get("role")),
        words(_message(message)) if message is not None else (),
        report,
    )


def _message(element: Any) -> Iterator[str | ValueOf]:
    yield element.text or ""
    for child in element:
        if child.tag == f"{XSL}value-of":
            yield ValueOf(child.get("select"))
        elif child.tag == f"{XSL}text":
            yield child.text or ""
        else:
            yield from _message(child)
        yield child.tail or ""
