"""What a bank file says it is: which message, which version; told from its first elements alone.

Some banks put an envelope around ``Document``, some leave the namespace out; the name of the message
decides. A namespace that names another message or an unknown version is refused, as nobody knows
whether it is read rightly.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from lxml import etree

from formats.camt.source import Source
from formats.camt.values import ASK_BANK, local_name
from o2c.errors import Refused
from o2c.statement import MessageKind

_MESSAGES = {
    "BkToCstmrAcctRpt": (MessageKind.REPORT, "2"),
    "BkToCstmrStmt": (MessageKind.STATEMENT, "3"),
    "BkToCstmrDbtCdtNtfctn": (MessageKind.NOTIFICATION, "4"),
}
_DRAFT = re.compile(r"V[0-9]{2}$")  # version 01 writes BkToCstmrStmtV01
_IDENTIFIER = re.compile(r"[a-z]{3,5}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2}$")
_VERSION = re.compile(r"camt\.05([234])\.001\.([0-9]{2})$")
_LATEST = 14
_ENVELOPE = 200  # elements that may stand before the message
_SEND = "Send the bank's camt.053 statement (or camt.052, camt.054) in version 01 to 14."


@dataclass(frozen=True, slots=True)
class Opening:
    """``version`` reads ``camt.053.001.08``, or "" where the file does not say."""

    kind: MessageKind
    version: str
    is_enveloped: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know of a file that is read all the same."""
        return () if self.version else ("The file names no version of its message; read as the newest.",)


def opening_of(source: Source) -> Opening:
    """Raises ``Refused`` with code ``doctype`` or ``message``, or lxml's ``XMLSyntaxError``."""
    root = ""
    for element in source.first_elements(_ENVELOPE):
        name = str(element.tag)
        if not root:
            _refuse_doctype(element)
            root = name
        known = _MESSAGES.get(_DRAFT.sub("", local_name(name)))
        if known is not None:
            kind, digit = known
            return Opening(kind, _version(element, digit), local_name(root) != "Document")
    namespace, _, name = root.rpartition("}")
    message = f"line 1: <{name}> of namespace {namespace[1:]!r} holds no camt.052, .053 or .054 message."
    raise Refused("message", message, next_step=_SEND)


def _refuse_doctype(root: etree._Element) -> None:
    """Refused on the first element: an entity that is merely not resolved would vanish from a name."""
    info: Any = root.getroottree().docinfo
    if info.doctype:
        message = "The file has a DOCTYPE; bank messages have none and it can hide text."
        raise Refused("doctype", message, next_step=ASK_BANK)


def _version(element: etree._Element, digit: str) -> str:
    namespace = etree.QName(element).namespace or ""
    version = _VERSION.search(namespace)
    if version and version[1] == digit and 1 <= int(version[2]) <= _LATEST:
        return version[0]
    if version or _IDENTIFIER.search(namespace):
        name = local_name(str(element.tag))
        message = f"line {element.sourceline}: <{name}> of namespace {namespace!r} is not "
        message += f"camt.05{digit}.001.01 to .{_LATEST}."
        raise Refused("message", message, next_step=_SEND)
    return ""
