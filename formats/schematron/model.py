"""A rule set as values: what every reader makes and the compiler takes.

Governed by ISO/IEC 19757-3. Expressions are XPath 2.0 texts, not yet parsed. Abstract rules and
patterns, includes and phases are resolved by the readers: what is here, runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from formats.findings import Severity


@dataclass(frozen=True, slots=True)
class Let:
    """A variable: ``select`` is its XPath, or ``text`` its literal (untyped) value; one of the two."""

    name: str
    select: str | None = None
    text: str | None = None
    type: str | None = None


@dataclass(frozen=True, slots=True)
class ValueOf:
    """A computed part of a message; an XPath in the context of the rule."""

    select: str


@dataclass(frozen=True, slots=True)
class Assert:
    """One check. ``report`` turns it round: it fires when ``test`` is true."""

    rule: str
    test: str
    severity: Severity
    message: tuple[str | ValueOf, ...] = ()
    report: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """The checks of every node that ``context`` (an XSLT match pattern) matches."""

    context: str
    asserts: tuple[Assert, ...]
    lets: tuple[Let, ...] = ()


@dataclass(frozen=True, slots=True)
class Pattern:
    """Rules of which each node takes the first that matches."""

    name: str
    rules: tuple[Rule, ...]
    lets: tuple[Let, ...] = ()


@dataclass(frozen=True, slots=True)
class Give:
    """A step of a function: these items are part of its result, ``as_text`` their text put together."""

    select: str
    as_text: bool = False


@dataclass(frozen=True, slots=True)
class Choose:
    """A step of a function: the first branch whose test holds (``otherwise`` if none)."""

    branches: tuple[tuple[str, tuple[Step, ...]], ...]
    otherwise: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Bind:
    """A step of a function: a variable whose value other steps give."""

    name: str
    steps: tuple[Step, ...]
    type: str | None = None


Step = Let | Bind | Give | Choose


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter of a function; ``type`` is an XPath sequence type, None for any."""

    name: str
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Function:
    """A function that a rule set brings, called by its prefixed name."""

    name: str
    parameters: tuple[Parameter, ...]
    steps: tuple[Step, ...]
    type: str | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """An index: nodes that ``match`` (a match pattern), by the values of ``use``."""

    name: str
    match: str
    use: str


@dataclass(frozen=True, slots=True)
class RuleSource:
    """A whole rule set, ready to be compiled. ``namespaces`` are prefix -> URI."""

    title: str
    namespaces: Mapping[str, str]
    patterns: tuple[Pattern, ...]
    lets: tuple[Let, ...] = ()
    functions: tuple[Function, ...] = ()
    keys: tuple[Key, ...] = field(default=())


class Unreadable(Exception):
    """A rule file is not what its form asks for; the text says where."""
