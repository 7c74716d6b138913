"""XML in and out: a hardened parser, and escaping for the template writers.

Governed by XML 1.0 (fifth edition). The parser never follows an entity, never reads a DTD,
never opens a file or a socket: a document with a DOCTYPE is refused on sight, because no
business document needs one and every known XML attack does.
"""

from __future__ import annotations

import re
from typing import Any

from lxml import etree

from formats.characters import illegal_character
from o2c.errors import Refused

# What may stand before the root element. Possessive, so that no input makes it backtrack.
_DOCTYPE = re.compile(rb"\A[\xef\xbb\xbf\xfe\xff]*+(?:\s++|<\?.*?\?>|<!--.*?-->)*+<!DOCTYPE", re.DOTALL)
_ENCODINGS = frozenset(
    ("utf-8", "utf-16", "utf-16le", "utf-16be", "us-ascii", "ascii", "iso-8859-1", "windows-1252")
)
_SPECIAL = re.compile('[&<>"\x00-\x1f\ud800-\udfff\ufffe\uffff]')
_TEXT = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("\r", "&#13;"))  # & first, or it escapes itself
_ATTRIBUTE = (*_TEXT, ('"', "&quot;"), ("\n", "&#10;"), ("\t", "&#9;"))


def parse(content: bytes, *, limit: int = 200_000_000, comments: bool = False) -> etree._Element:
    """The root element of ``content`` (at most ``limit`` bytes), without comments unless they are asked for.

    Raises ``Refused`` with code ``empty``, ``too-large``, ``doctype``, ``encoding`` or
    ``malformed`` (the message names the line). Nesting is bounded by libxml2 (2,048 levels).
    """
    if len(content) > limit:
        raise Refused("too-large", f"the document has {len(content)} bytes; at most {limit} are read.")
    if not content.strip(b"\0 \t\r\n\xef\xbb\xbf\xfe\xff"):
        raise Refused("empty", "the document is empty.")
    _refuse_doctype(content)
    try:
        root = etree.fromstring(content, _parser(comments))
    except etree.XMLSyntaxError as error:
        raise _refusal(error) from None
    _check_prolog(root)
    return root


def _parser(comments: bool) -> etree.XMLParser:
    # New for each document, as threads must not share one. huge_tree lets big attachments through;
    # comments and instructions go, as a text with a comment inside would be read only half.
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=True,
        remove_comments=not comments,
        remove_pis=not comments,
    )


def _refuse_doctype(content: bytes) -> None:
    # UTF-16 hides the letters between NULs; without them its ASCII part reads like ASCII.
    seen = content.replace(b"\0", b"") if b"\0" in content[:4] else content
    if _DOCTYPE.match(seen):
        raise Refused("doctype", "the document has a DOCTYPE.", next_step="Send it without one.")


def _refusal(error: etree.XMLSyntaxError) -> Refused:
    reason = error.msg or "not well-formed"
    if "encoding" in reason.lower() or "not proper UTF-8" in reason or "conversion failed" in reason:
        return Refused("encoding", f"the characters cannot be read: {reason}.", next_step="Send UTF-8.")
    return Refused("malformed", f"the document is not well-formed XML at line {error.lineno}: {reason}.")


def _check_prolog(root: etree._Element) -> None:
    info: Any = root.getroottree().docinfo
    if info.doctype:
        raise Refused("doctype", "the document has a DOCTYPE.", next_step="Send it without one.")
    if info.encoding and info.encoding.lower() not in _ENCODINGS:
        raise Refused("encoding", f"encoding {info.encoding} is not read here.", next_step="Send UTF-8.")


def _escape(value: str, table: tuple[tuple[str, str], ...]) -> str:
    bad = illegal_character(value)
    if bad:
        raise Refused(
            "character",
            f"{value[:40]!r} holds the control character {bad}, which no XML document can carry.",
            next_step="Remove it at its source.",
        )
    for character, entity in table:
        value = value.replace(character, entity)
    return value


def text(value: str) -> str:
    """``value`` as element content; raises ``Refused('character')`` for what XML 1.0 cannot carry."""
    return _escape(value, _TEXT) if _SPECIAL.search(value) else value


def attribute(value: str) -> str:
    """``value`` as an attribute between double quotes; raises ``Refused('character')``."""
    return _escape(value, _ATTRIBUTE) if _SPECIAL.search(value) else value
