"""Rule files made ready to run: compiled where the compiler can, else by Saxon, and kept compiled.

A file's form is told by its name: .sch, .xslt or .toml (our own). Compiled programs are kept in the user's
cache under the SHA-256 of their sources and our version, never in the project. What cannot be compiled
says why and runs whole with saxonche; without saxonche it cannot run, and its layer is skipped.
"""

from __future__ import annotations

import hashlib
import marshal
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING, Any, Protocol

from lxml import etree

from formats.schematron import document as nodes
from formats.schematron.document import Document
from formats.schematron.model import RuleSource, Unreadable
from formats.schematron.program import Firing, Program

if TYPE_CHECKING:
    from formats import saxon

_FORM = 5  # of a program and of its cached copy: a new number makes all of them anew


class Subject:
    """One document for all rule sets: its nodes, and Saxon's copy of it, each made when first needed."""

    def __init__(self, root: etree._Element) -> None:
        self.root = root

    @cached_property
    def document(self) -> Document:
        """The nodes for compiled rules."""
        return nodes.read(self.root)

    @cached_property
    def saxon(self) -> saxon.Document:
        """The copy for Saxon; it gets what our parser made of the bytes, so no DOCTYPE reaches it."""
        from formats.saxon import Document as SaxonDocument

        return SaxonDocument(etree.tostring(self.root, encoding="unicode"))


class Unavailable(Exception):
    """The rules are there and nothing on this machine can run them; the text says why."""


class Rules(Protocol):
    """A rule set ready to run. ``refused`` says why it was not compiled, None if it was."""

    refused: str | None

    def run(self, subject: Subject) -> list[Firing]:
        """What fires, in document order."""
        ...


@dataclass
class Compiled:
    """Rules as Python."""

    program: Program
    refused: str | None = None

    def run(self, subject: Subject) -> list[Firing]:
        """What fires, in document order."""
        return self.program.run(subject.document)


@dataclass
class BySaxon:
    """Rules as XSLT, run by Saxon. An error of XPath there stops the whole set."""

    stylesheet: Path | str
    refused: str | None

    def run(self, subject: Subject) -> list[Firing]:
        """What fires, in the report's order."""
        try:
            from formats import saxon, svrl

            fired = subject.saxon.fired(self.stylesheet)
        except ModuleNotFoundError:
            raise Unavailable(f"saxonche is not installed and the rules need it: {self.refused}") from None
        except saxon.RunFailed as failure:
            return [Firing("", "error", "", subject.root, str(failure))]
        return [svrl.firing(element, subject.root) for element in fired]


def load(main: Path, parts: Sequence[Path] = (), cache: Path | None = None) -> Rules:
    """The rules in a file (``parts`` are what it includes), compiled or taken from ``cache``.

    Raises ``Unreadable`` where the file is no rule set, ``OSError`` where it cannot be read.
    """
    content = main.read_bytes()
    kept = _Kept(cache, (content, *(part.read_bytes() for part in parts)))
    known = kept.read()
    if known is None:
        known = _compile(content, main)
        kept.write(known)
    code, refused = known
    if code is not None:
        return Compiled(Program(code))
    return _fallback(content, main, str(refused))


def source(content: bytes, main: Path) -> RuleSource:
    """The rule set in the model; raises ``Unreadable``."""
    if main.suffix == ".toml":
        from formats.schematron import own

        return own.read(content)
    if main.suffix in (".xsl", ".xslt"):
        from formats.schematron import read_xslt

        return read_xslt.read(content)
    from formats.schematron import read_sch

    return read_sch.read(content, lambda href: _included(main, href))


def _included(main: Path, href: str) -> bytes:
    try:
        return (main.parent / href).read_bytes()
    except OSError:
        raise Unreadable(f"{main.name} includes {href}, which is not at hand") from None


_Known = tuple[CodeType | None, str | None]


def _compile(content: bytes, main: Path) -> _Known:
    from formats.schematron.code import Untranslatable
    from formats.schematron.compile import source_of

    try:
        text = source_of(source(content, main))
    except Untranslatable as refusal:
        return None, str(refusal)
    except Unreadable as refusal:
        if main.suffix not in (".xsl", ".xslt"):
            raise
        return None, str(refusal)
    return compile(text, f"<rules {main.name}>", "exec"), None


def _fallback(content: bytes, main: Path, refused: str) -> BySaxon:
    if main.suffix in (".xsl", ".xslt"):
        return BySaxon(main, refused)
    from formats.schematron.stylesheet import stylesheet_of

    return BySaxon(stylesheet_of(source(content, main)), refused)


class _Kept:
    """The cached copy of one program: its SHA-256, then the program or why there is none."""

    def __init__(self, cache: Path | None, sources: Sequence[bytes]) -> None:
        digest = hashlib.sha256()
        for part in (f"{_FORM} {sys.implementation.cache_tag}".encode(), *sources):
            digest.update(hashlib.sha256(part).digest())
        self._file = cache / f"{digest.hexdigest()}.rules" if cache else None

    def read(self) -> _Known | None:
        if self._file is None:
            return None
        try:
            held = self._file.read_bytes()
        except OSError:
            return None
        if hashlib.sha256(held[32:]).digest() != held[:32]:
            return None  # cut short or changed: made anew
        found: Any = marshal.loads(held[32:])
        return found if isinstance(found, tuple) and len(found) == 2 else None

    def write(self, known: _Known) -> None:
        if self._file is None:
            return
        held = marshal.dumps(known)
        try:
            self._file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            part = self._file.with_name(f"{self._file.name}.{os.getpid()}.part")
            part.write_bytes(hashlib.sha256(held).digest() + held)
            part.replace(self._file)
        except OSError:
            return  # a cache that cannot be written costs time, nothing else
