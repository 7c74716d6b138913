"""A streaming checker for any SAF-T Norway Financial file, ours or another's.

Governed by the Norwegian technical description; finds what the schema cannot state (its key
references select nothing). Memory grows with accounts and customers, never with transactions.
It reads versions 1.10 to 1.40 by local name and never stops at the first fault.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from formats.saft.checks import Findings, Ledger, local_name
from o2c.errors import Fault, Refused

MAX_FINDINGS = 1000
_RECORDS = ("Header", "Account", "Customer", "Supplier", "TaxCodeDetails", "Transaction")
_TOTALS = ("NumberOfEntries", "TotalDebit", "TotalCredit")
_RECORD_END = re.compile(rb"</(?:[\w.-]+:)?(?:%s)\s*>" % "|".join(_RECORDS).encode())
_TAIL = 4096
_END = re.compile(rb"</(?:[\w.-]+:)?AuditFile\s*>(?:\s|<!--.*?-->)*\Z", re.DOTALL)
_RECORD_TAGS = tuple("{*}" + name for name in _RECORDS)
_TAGS = (*_RECORD_TAGS, *("{*}" + name for name in _TOTALS))


def check(source: Path | bytes, *, max_findings: int = MAX_FINDINGS) -> tuple[Fault, ...]:
    """What is wrong with the file, in the order met: F01 to F11 and F14, each with its record.

    Raises ``Refused`` with ``doctype`` or ``malformed`` where the XML itself cannot be read.
    """
    findings = Findings(max_findings)
    ledger = Ledger(findings)
    with _opened(source) as stream:
        for element in _elements(stream, _TAGS, None):
            ledger.add(element)
    ledger.close()
    return findings.faults()


def validate_xsd(source: Path | bytes, schema_path: Path, *, max_messages: int = 100) -> list[str]:
    """Every schema violation with the record it is in; empty if the file is valid.

    The file streams through the schema, so its size does not matter. lxml raises only at the end
    and without a place; but its error log grows as it reads, so it is fed record by record and
    the log is read at the end of each.
    """
    schema = etree.XMLSchema(etree.parse(str(schema_path)))
    messages: list[str] = []
    with _opened(source) as stream:
        reader = _RecordReader(stream)
        events = _open(reader, _RECORD_TAGS, schema)
        seen = 0
        try:
            for element in _guarded(events):
                for entry in list(events.error_log)[seen:]:
                    messages.append(f"{_place(element)}: {entry.message}")
                seen = len(events.error_log)
                _drop(element)
                if len(messages) >= max_messages:
                    return messages[:max_messages]
        except etree.XMLSyntaxError as error:
            rest = [f"end of file: {entry.message}" for entry in list(events.error_log)[seen:]]
            messages.extend(rest)
            if not messages:
                messages.append(f"line {error.lineno}: {error.msg}")
        else:
            if not _END.search(reader.tail):  # with a schema, libxml2 keeps silent where a text is cut off
                messages.append("end of file: it ends before its last element does.")
    return messages


class _RecordReader:
    """A stream whose every piece ends with a record, so that an event is that piece's own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._block = b""
        self._at = 0
        self.tail = b""  # the last bytes that were read

    def read(self, size: int) -> bytes:
        """The next piece."""
        piece = self._piece(size)
        self.tail = (self.tail + piece)[-_TAIL:]
        return piece

    def _piece(self, size: int) -> bytes:
        while (end := _RECORD_END.search(self._block, self._at)) is None:
            more = self._stream.read(max(size, 1 << 16))
            rest = self._block[self._at :]
            self._block, self._at = (rest + more, 0) if more else (b"", 0)
            if not more:
                return rest
        start, self._at = self._at, end.end()
        return self._block[start : self._at]


def _opened(source: Path | bytes) -> BinaryIO:
    return BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _open(
    stream: BinaryIO | _RecordReader, tags: tuple[str, ...], schema: etree.XMLSchema | None
) -> etree.iterparse:
    return etree.iterparse(
        stream,
        events=("end",),
        tag=tags,
        schema=schema,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
    )


def _guarded(events: etree.iterparse) -> Iterator[etree._Element]:
    """The elements, once the first has shown that there is no DOCTYPE."""
    is_first = True
    for _, element in events:
        if is_first and element.getroottree().docinfo.doctype:
            raise Refused("doctype", "The file has a DOCTYPE; SAF-T files have none.", next_step="Remove it.")
        is_first = False
        yield element


def _elements(
    stream: BinaryIO, tags: tuple[str, ...], schema: etree.XMLSchema | None
) -> Iterator[etree._Element]:
    try:
        for element in _guarded(_open(stream, tags, schema)):
            yield element
            _drop(element)
    except etree.XMLSyntaxError as error:
        message = f"The XML is broken: {error.msg}."
        raise Refused("malformed", message, next_step="Export the file again.") from None


def _drop(element: etree._Element) -> None:
    """Frees a record that was read; the parser still hangs the tail on the last one."""
    if local_name(element.tag) in _TOTALS:
        return
    element.clear()
    previous = element.getprevious()
    parent = element.getparent()
    if previous is not None and parent is not None and previous.tag == element.tag:
        parent.remove(previous)


def _place(element: etree._Element) -> str:
    """``Transaction 42`` for a record that names itself, else its kind and line."""
    name = local_name(element.tag)
    for child in element:
        if local_name(child.tag) in ("TransactionID", "AccountID", "CustomerID", "SupplierID", "TaxCode"):
            return f"{name} {child.text}"
    return f"{name} in line {element.sourceline}"
