"""The bank's statement file (camt.053, versions 02 to 14) -> proved statements, or nothing.

Governed by ISO 20022 BankToCustomerStatement. The whole file is read and proved before a single
statement is returned: a parser finds a truncated file only after it has handed out the entries
before the cut. Streams entry by entry, so memory does not grow with the XML. It never reads a
DOCTYPE, never guesses an encoding or an amount, and never takes a camt.052 or camt.054 for a
statement: the first reports what is not yet booked, the second only explains what is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from io import BytesIO

from lxml import etree

from formats.camt.open_statement import OpenStatement, drop
from formats.camt.values import ASK_BANK, compact, local_name
from o2c.errors import Refused
from o2c.statement import Statement

DEFAULT_LIMIT = 200_000_000  # bytes
_VERSION = re.compile(r"camt\.05([0-9])\.001\.([0-9]{2})$")
_STATEMENTS = "BkToCstmrStmt"
_OTHERS = {
    "BkToCstmrAcctRpt": "camt.052, an intraday report: it is never posted",
    "BkToCstmrDbtCdtNtfctn": "camt.054, a notification: it only details what a camt.053 books",
}
_EVENT_TAGS = tuple("{*}" + name for name in (_STATEMENTS, *_OTHERS, "Stmt", "Ntry", "TxDtls"))
_SEND_053 = "Send the camt.053 statement of the account."


def read(content: bytes, accounts: Iterable[str], *, limit: int = DEFAULT_LIMIT) -> tuple[Statement, ...]:
    """Every statement of the file, proved: opening balance + booked entries = closing balance.

    ``accounts`` are our own account numbers (IBAN or other), blanks and case aside. Raises
    ``Refused`` with code ``too-large``, ``empty``, ``doctype``, ``encoding``, ``malformed``,
    ``message``, ``account``, ``currency``, ``amount`` or ``balance``.
    """
    if len(content) > limit:
        raise Refused(
            "too-large",
            f"The bank file has {len(content):,} bytes, the limit is {limit:,}.",
            next_step="Ask the bank for one file a day or raise the limit.",
        )
    if not content.strip():
        raise Refused("empty", "The bank file is empty.", next_step="Fetch it from the bank again.")
    own = {compact(account): account for account in accounts}
    try:
        _refuse_doctype(content)
        statements = tuple(_statements(content, own))
    except etree.XMLSyntaxError as error:
        raise _syntax_refusal(content, error) from None
    if not statements:
        raise Refused("empty", "The file holds no statement (Stmt).", next_step=_SEND_053)
    return statements


def _events(content: bytes, events: tuple[str, ...], tags: tuple[str, ...] | None) -> etree.iterparse:
    return etree.iterparse(
        BytesIO(content),
        events=events,
        tag=tags,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )


def _refuse_doctype(content: bytes) -> None:
    """Refused on the first element: an entity that is merely not resolved would vanish from a name."""
    _, root = next(iter(_events(content, ("start",), None)))
    if root.getroottree().docinfo.doctype:
        raise Refused(
            "doctype",
            "The file has a DOCTYPE; bank messages have none and it can hide text.",
            next_step=ASK_BANK,
        )


def _statements(content: bytes, own: Mapping[str, str]) -> Iterator[Statement]:
    """The event loop: details and entries are read and dropped as they close."""
    statement: OpenStatement | None = None
    count = 0
    for event, element in _events(content, ("start", "end"), _EVENT_TAGS):
        name = local_name(element.tag)
        if event == "start":
            if name == "Stmt":
                count += 1
                statement = OpenStatement(element, f"/Stmt[{count}]", own)
            elif name not in ("Ntry", "TxDtls"):
                _check_message(element)
        elif statement is None:
            continue
        elif name == "TxDtls":
            statement.add_details(element)
        elif name == "Ntry":
            statement.add_entry(element)
        elif name == "Stmt":
            yield statement.close()
            drop(element)
            statement = None


def _check_message(element: etree._Element) -> None:
    """Refuses another message than camt.053 and a version that is not known to be read rightly."""
    namespace = etree.QName(element).namespace or ""
    other = _OTHERS.get(local_name(str(element.tag)))
    if other is not None:
        raise Refused("message", f"This is a {other} (namespace {namespace!r}).", next_step=_SEND_053)
    version = _VERSION.search(namespace)
    if version and (version[1] != "3" or not 2 <= int(version[2]) <= 14):
        message = f"Namespace {namespace!r} is not camt.053.001.02 to .14."
        raise Refused("message", message, next_step=_SEND_053)


def _syntax_refusal(content: bytes, error: etree.XMLSyntaxError) -> Refused:
    offset = _undecodable_at(content)
    if offset is not None:
        return Refused(
            "encoding",
            f"Byte {offset:,} is not valid in the encoding the file declares.",
            next_step="Ask the bank for a file in its declared encoding; it is not guessed.",
        )
    line, column = error.position
    reason = re.sub(r", line [0-9]+, column [0-9]+.*", "", error.msg or "")
    return Refused(
        "malformed",
        f"The XML is broken at line {line}, column {column}: {reason}.",
        next_step="Fetch the file again; it may have been cut off.",
    )


def _undecodable_at(content: bytes) -> int | None:
    """The first byte that the declared encoding does not have, or None if it decodes."""
    declared = re.match(rb"""\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""", content[:200])
    name = declared[1].decode() if declared else "utf-8"
    try:
        content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else name)
    except UnicodeDecodeError as error:
        return error.start
    except LookupError:
        return 0
    return None
