"""Schematron files (.sch) into the model.

Governed by ISO/IEC 19757-3: patterns, rules, lets, abstract patterns and rules, includes and extends, with
the XSLT functions and keys that query binding xslt2 allows. All patterns run, as without a phase.
What the form knows and we do not is an error, never passed over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from formats import xml
from formats.findings import Severity
from formats.schematron.model import (
    Assert,
    Bind,
    Choose,
    Function,
    Give,
    Key,
    Let,
    Parameter,
    Pattern,
    Rule,
    RuleSource,
    Step,
    Unreadable,
    ValueOf,
)
from o2c.errors import Refused

SCH = "{http://purl.oclc.org/dsdl/schematron}"
XSL = "{http://www.w3.org/1999/XSL/Transform}"
_SEVERITIES = {
    "warning": Severity.WARNING,
    "warn": Severity.WARNING,
    "information": Severity.INFORMATION,
    "info": Severity.INFORMATION,
}
_SPACES = re.compile(r"\s+")
_WORDS = frozenset("emph span dir".split())
_IGNORED = frozenset("title p ns phase diagnostics properties".split())

Include = Callable[[str], bytes]
Fill = Callable[[str], str]


def severity_of(flag: str | None) -> Severity:
    """A flag or role as a severity; what is not known is an error."""
    return _SEVERITIES.get((flag or "").strip().lower(), Severity.ERROR)


def read(content: bytes, include: Include | None = None) -> RuleSource:
    """The rule set in a .sch file; ``include`` gives a file by its href. Raises ``Unreadable``."""
    root = _parse(content)
    if root.tag != f"{SCH}schema":
        raise Unreadable(f"the root element is {root.tag}, not a Schematron schema")
    _resolve(root, include, 0)
    return _Reader(root).source()


def _parse(content: bytes) -> Any:
    try:
        return xml.parse(content)
    except Refused as refused:
        raise Unreadable(str(refused)) from None


def _resolve(element: Any, include: Include | None, depth: int) -> None:
    """Puts what is included in the place of ``include``, and of ``extends`` with an href."""
    for child in list(element):
        href = child.get("href")
        if child.tag in (f"{SCH}include", f"{SCH}extends") and href:
            if include is None or depth > 10:
                raise Unreadable(f"{href} is included and not at hand")
            found = _parse(include(href))
            _resolve(found, include, depth + 1)
            parts = list(found) if child.tag == f"{SCH}extends" else [found]
            for place, part in enumerate(parts, element.index(child)):
                element.insert(place, part)
            element.remove(child)
        elif child.tag.startswith(SCH):
            _resolve(child, include, depth)


def words(parts: Iterable[str | ValueOf]) -> tuple[str | ValueOf, ...]:
    """A message with its white space collapsed, texts that meet put together."""
    made: list[str | ValueOf] = []
    for part in parts:
        if isinstance(part, str) and made and isinstance(made[-1], str):
            made[-1] += part
        else:
            made.append(part)
    made = [_SPACES.sub(" ", part) if isinstance(part, str) else part for part in made]
    if made and isinstance(made[0], str):
        made[0] = made[0].lstrip()
    if made and isinstance(made[-1], str):
        made[-1] = made[-1].rstrip()
    return tuple(part for part in made if part != "")


class _Reader:
    def __init__(self, root: Any) -> None:
        self._root = root
        self._abstract_rules = {
            rule.get("id"): rule for rule in root.iter(f"{SCH}rule") if rule.get("abstract") == "true"
        }
        self._abstract_patterns = {
            pattern.get("id"): pattern
            for pattern in root.iter(f"{SCH}pattern")
            if pattern.get("abstract") == "true"
        }

    def source(self) -> RuleSource:
        root = self._root
        self._check(root, {"let", "pattern", *_IGNORED})
        prefixes = {ns.get("prefix"): ns.get("uri") for ns in root.iter(f"{SCH}ns")}
        patterns = [one for one in root.iterchildren(f"{SCH}pattern") if one.get("abstract") != "true"]
        return RuleSource(
            "".join(root.findtext(f"{SCH}title") or "").strip(),
            prefixes,
            tuple(self._pattern(pattern, number) for number, pattern in enumerate(patterns, 1)),
            tuple(_lets(root)),
            tuple(function_of(one) for one in root.iterchildren(f"{XSL}function")),
            tuple(key_of(one) for one in root.iterchildren(f"{XSL}key")),
        )

    def _check(self, element: Any, known: set[str]) -> None:
        for child in element:
            name = child.tag.rpartition("}")[2]
            if child.tag.startswith(SCH) and name not in known:
                raise Unreadable(f"{name} in {element.tag.rpartition('}')[2]} is not known")
            if child.tag.startswith(XSL) and name not in ("function", "key"):
                raise Unreadable(f"xsl:{name} is not known here")

    def _pattern(self, pattern: Any, number: int) -> Pattern:
        name = pattern.get("id") or f"pattern {number}"
        fill: Fill = _same
        if pattern.get("is-a"):
            values = {one.get("name"): one.get("value") for one in pattern.iterchildren(f"{SCH}param")}
            if pattern.get("is-a") not in self._abstract_patterns:
                raise Unreadable(f"{name} is made from {pattern.get('is-a')}, which is not there")
            pattern, fill = self._abstract_patterns[pattern.get("is-a")], _filler(values)
        self._check(pattern, {"let", "rule", "param", *_IGNORED})
        rules = [one for one in pattern.iterchildren(f"{SCH}rule") if one.get("abstract") != "true"]
        return Pattern(name, tuple(self._rule(rule, fill) for rule in rules), tuple(_lets(pattern, fill)))

    def _rule(self, rule: Any, fill: Fill) -> Rule:
        context = rule.get("context")
        if not context:
            raise Unreadable("a rule has no context")
        asserts, lets = self._content(rule, fill, 0)
        return Rule(fill(context), tuple(asserts), tuple(lets))

    def _content(self, rule: Any, fill: Fill, depth: int) -> tuple[list[Assert], list[Let]]:
        self._check(rule, {"let", "assert", "report", "extends", *_IGNORED})
        asserts: list[Assert] = []
        lets: list[Let] = []
        for child in rule:
            if child.tag == f"{SCH}extends":
                base = self._abstract_rules.get(child.get("rule"))
                if base is None or depth > 20:
                    raise Unreadable(f"a rule extends {child.get('rule')}, which is not there")
                more, further = self._content(base, fill, depth + 1)
                asserts += more
                lets += further
            elif child.tag == f"{SCH}let":
                lets.append(_let(child, fill))
            elif child.tag in (f"{SCH}assert", f"{SCH}report"):
                asserts.append(_assert(child, fill))
        return asserts, lets


def _same(text: str) -> str:
    return text


def _filler(values: dict[str, str]) -> Fill:
    """Puts the parameters of an abstract pattern in, the longest names first."""
    names = sorted(values, key=len, reverse=True)

    def fill(text: str) -> str:
        for name in names:
            text = text.replace(f"${name}", values[name])
        return text

    return fill


def _lets(element: Any, fill: Fill = _same) -> Iterator[Let]:
    for let in element.iterchildren(f"{SCH}let"):
        yield _let(let, fill)


def _let(let: Any, fill: Fill) -> Let:
    if let.get("value") is None:
        if len(let):
            raise Unreadable(f"the variable {let.get('name')} holds elements")
        return Let(let.get("name"), text=let.text or "")
    return Let(let.get("name"), fill(let.get("value")), type=let.get("as"))


def _assert(check: Any, fill: Fill) -> Assert:
    if check.get("test") is None:
        raise Unreadable(f"{check.get('id')} has no test")
    return Assert(
        check.get("id") or "UNNAMED",
        fill(check.get("test")),
        severity_of(check.get("flag") or check.get("role")),
        words(_message(check, fill)),
        report=check.tag == f"{SCH}report",
    )


def _message(element: Any, fill: Fill) -> Iterator[str | ValueOf]:
    yield element.text or ""
    for child in element:
        name = child.tag.rpartition("}")[2]
        if name == "value-of":
            yield ValueOf(fill(child.get("select")))
        elif name == "name":
            path = child.get("path")
            yield ValueOf(f"name({fill(path)})" if path else "name()")
        elif name in _WORDS or not child.tag.startswith(SCH):
            yield from _message(child, fill)
        else:
            raise Unreadable(f"{name} in a message is not known")
        yield child.tail or ""


# --- XSLT parts -------------------------------------------------------------------------------------------


def key_of(element: Any) -> Key:
    """An xsl:key."""
    if element.get("use") is None:
        raise Unreadable(f"the key {element.get('name')} has no use")
    return Key(element.get("name"), element.get("match"), element.get("use"))


def function_of(element: Any) -> Function:
    """An xsl:function."""
    parameters = tuple(
        Parameter(one.get("name"), one.get("as")) for one in element.iterchildren(f"{XSL}param")
    )
    body = [child for child in element if child.tag != f"{XSL}param"]
    return Function(element.get("name"), parameters, tuple(map(_step, body)), element.get("as"))


def _steps(element: Any) -> tuple[Step, ...]:
    if not len(element) and (element.text or "").strip():
        raise Unreadable(f"text in {element.tag.rpartition('}')[2]} is not known")
    return tuple(map(_step, element))


def _step(element: Any) -> Step:
    name = element.tag.rpartition("}")[2] if element.tag.startswith(XSL) else ""
    if name == "variable":
        return _variable(element)
    if name == "sequence" and element.get("select") is not None:
        return Give(element.get("select"))
    if name == "value-of" and element.get("separator") is None:
        return Give(element.get("select"), as_text=True)
    if name == "if":
        return Choose(((element.get("test"), _steps(element)),))
    if name == "choose":
        branches = tuple((one.get("test"), _steps(one)) for one in element.iterchildren(f"{XSL}when"))
        otherwise = element.find(f"{XSL}otherwise")
        return Choose(branches, () if otherwise is None else _steps(otherwise))
    raise Unreadable(f"{element.tag.rpartition('}')[2]} in a function is not known")


def _variable(element: Any) -> Step:
    name, kind = element.get("name"), element.get("as")
    if element.get("select") is not None:
        return Let(name, element.get("select"), type=kind)
    if len(element):
        if kind is None:
            raise Unreadable(f"the variable {name} holds a tree")
        return Bind(name, _steps(element), kind)
    return Let(name, text=element.text or "", type=kind)
