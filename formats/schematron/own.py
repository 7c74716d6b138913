"""Our own rule sets: one TOML file each, read into the same model as the official files.

The format (expressions are XPath 2.0; contexts are XSLT match patterns such as ``cac:InvoiceLine``;
a literal string ``'''...'''`` takes them as they are):

    title = "..."                      # what the set is
    [namespaces]                       # prefix -> URI; xs is known
    cbc = "urn:oasis:..."

    [variables]                        # global, computed when first used, may use the ones above it
    currency = "/*/cbc:DocumentCurrencyCode"

    [[function]]                       # optional
    name = "u:slack"                   # its prefix is one of the namespaces
    parameters = ["exp as xs:decimal", "val as xs:decimal"]      # "val" alone takes anything
    returns = "xs:boolean"             # optional
    variables = { half = "$exp div 2" }                          # optional, in order
    result = "$half >= $val"

    [[pattern]]                        # a node takes the first rule of a pattern whose context it matches
    name = "lines"                     # optional
    variables = { codes = "('a', 'b')" }                         # optional
    [[pattern.rule]]
    context = "cac:InvoiceLine"
    variables = { net = "xs:decimal(cbc:LineExtensionAmount)" }  # optional
    [[pattern.rule.assert]]
    id = "OWN-01"
    severity = "error"                 # error (if absent), warning or information
    test = "$net >= 0"                 # fires where this is false
    message = "The net amount is {cbc:LineExtensionAmount}, below zero."   # {XPath} is put in as text

Everything the official files may use may be used here; ``{{`` is a brace in a message.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from formats.findings import Severity
from formats.schematron.model import (
    Assert,
    Function,
    Give,
    Let,
    Parameter,
    Pattern,
    Rule,
    RuleSource,
    Unreadable,
    ValueOf,
)

_PART = re.compile(r"\{\{|\}\}|\{(?P<select>[^{}]+)\}|[^{}]+")
_KEYS = {
    "set": {"title", "namespaces", "variables", "function", "pattern"},
    "function": {"name", "parameters", "returns", "variables", "result"},
    "pattern": {"name", "variables", "rule"},
    "rule": {"context", "variables", "assert"},
    "assert": {"id", "severity", "test", "message"},
}


def read(content: bytes) -> RuleSource:
    """The rule set in a file of ours; raises ``Unreadable`` naming the place."""
    try:
        data = tomllib.loads(content.decode())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Unreadable(f"not TOML: {error}") from None
    _known(data, "set", "the file")
    return RuleSource(
        str(data.get("title", "")),
        {"xs": "http://www.w3.org/2001/XMLSchema", **_table(data, "namespaces")},
        tuple(_pattern(item, number) for number, item in enumerate(data.get("pattern", ()), 1)),
        tuple(_lets(data)),
        tuple(_function(item) for item in data.get("function", ())),
    )


def _pattern(data: Mapping[str, Any], number: int) -> Pattern:
    name = str(data.get("name", f"pattern {number}"))
    _known(data, "pattern", name)
    return Pattern(name, tuple(_rule(item, name) for item in data.get("rule", ())), tuple(_lets(data)))


def _rule(data: Mapping[str, Any], place: str) -> Rule:
    context = _need(data, "context", f"a rule of {place}")
    _known(data, "rule", context)
    return Rule(context, tuple(_assert(item, context) for item in data.get("assert", ())), tuple(_lets(data)))


def _assert(data: Mapping[str, Any], place: str) -> Assert:
    rule = _need(data, "id", f"an assert of {place}")
    _known(data, "assert", rule)
    severity = data.get("severity", "error")
    if severity not in list(Severity):
        raise Unreadable(f"{rule}: severity {severity!r} is none of {', '.join(Severity)}")
    message = tuple(_parts(str(data.get("message", "")), rule))
    return Assert(rule, _need(data, "test", rule), Severity(severity), message)


def _parts(message: str, rule: str) -> Iterator[str | ValueOf]:
    place = 0
    while place < len(message):
        part = _PART.match(message, place)
        if part is None:
            raise Unreadable(f"{rule}: a brace of the message stands alone; write it twice")
        select = part["select"]
        yield ValueOf(select) if select else part[0].replace("{{", "{").replace("}}", "}")
        place = part.end()


def _function(data: Mapping[str, Any]) -> Function:
    name = _need(data, "name", "a function")
    _known(data, "function", name)
    parameters = tuple(_parameter(str(text)) for text in data.get("parameters", ()))
    result = Give(_need(data, "result", name))
    return Function(name, parameters, (*_lets(data), result), data.get("returns"))


def _parameter(text: str) -> Parameter:
    name, _, kind = text.partition(" as ")
    return Parameter(name.strip(), kind.strip() or None)


def _lets(data: Mapping[str, Any]) -> Iterator[Let]:
    for name, select in _table(data, "variables").items():
        yield Let(name, str(select))


def _table(data: Mapping[str, Any], key: str) -> dict[str, Any]:
    return dict(data.get(key, {}))


def _need(data: Mapping[str, Any], key: str, place: str) -> str:
    if not isinstance(data.get(key), str):
        raise Unreadable(f"{place} has no {key}")
    return str(data[key])


def _known(data: Mapping[str, Any], kind: str, place: str) -> None:
    unknown = data.keys() - _KEYS[kind]
    if unknown:
        raise Unreadable(f"{place}: {', '.join(sorted(unknown))} is not known here")
