"""A bank file as a source of XML events: bytes or a path, read once and never whole.

Hardened: no DOCTYPE, no entity, no network, no more than the limits; a wrong encoding is told by its
byte, not guessed. What libxml2 finds wrong becomes a ``Refused``.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from lxml import etree

from formats.camt.values import ASK_BANK
from o2c.errors import Fault, Refused

DEFAULT_LIMIT = 200_000_000  # bytes of a file
ENTRY_LIMIT = 20_000_000  # bytes of one entry, or of anything else between two of them
_BLOCK = 1 << 16
_DECLARED = re.compile(rb"""\s*<\?xml[^>]*encoding=["']([A-Za-z0-9._-]+)["']""")


class Source:
    """The file as the parser draws it. ``mark`` says that an entry has ended."""

    def __init__(self, content: bytes | Path, limit: int) -> None:
        self._content = content
        self._limit = limit
        self._read = 0
        self._marked = 0
        size = len(content) if isinstance(content, bytes) else content.stat().st_size
        if size > limit:
            raise Refused(
                "too-large",
                f"The bank file has {size:,} bytes, the limit is {limit:,}.",
                next_step="Ask the bank for one file a day or raise the limit.",
            )
        if not size or (size <= _BLOCK and not self._whole().strip()):
            raise Refused("malformed", "The bank file is empty.", next_step="Fetch it from the bank again.")
        self._stream: BinaryIO | None = None

    def _open(self) -> BinaryIO:
        return BytesIO(self._content) if isinstance(self._content, bytes) else self._content.open("rb")

    def _whole(self) -> bytes:
        return self._content if isinstance(self._content, bytes) else self._content.read_bytes()

    def read(self, size: int) -> bytes:
        """The next bytes for the parser; refuses what has grown too large since the last mark."""
        if self._stream is None:
            self._stream = self._open()
        block = self._stream.read(max(size, _BLOCK))
        self._read += len(block)
        if self._read - self._marked > ENTRY_LIMIT + _BLOCK:
            raise Refused(
                "too-large",
                f"One entry has more than {ENTRY_LIMIT:,} bytes (before byte {self._read:,}).",
                next_step="Ask the bank for the details as a file of their own (camt.054).",
            )
        return block

    def mark(self) -> None:
        """An entry has ended here, as far as one can tell from what the parser has drawn."""
        self._marked = self._read

    def close(self) -> None:
        """The pass is over, or was given up."""
        if self._stream is not None:
            self._stream.close()

    def first_elements(self, most: int) -> Iterator[etree._Element]:
        """The first elements as they open, of a pass of its own, without what is in them."""
        with self._open() as stream:
            events = _events(stream, ("start",), None, None)
            for _, (_, element) in zip(range(most), events, strict=False):
                yield element

    def ends(self, tags: tuple[str, ...]) -> etree.iterparse:
        """The elements of those ``tags`` as they close."""
        return _events(self, ("end",), tags, None)

    def validated(self, tags: tuple[str, ...], schema: etree.XMLSchema) -> etree.iterparse:
        """The same of a pass of its own for its ``error_log``: it proves nothing of the syntax."""
        source = BytesIO(self._content) if isinstance(self._content, bytes) else str(self._content)
        return _events(source, ("end",), tags, schema)

    def refusal(self, error: etree.XMLSyntaxError) -> Refused:
        """What a syntax error means: ``encoding`` with the byte, else ``malformed`` with the line."""
        offset = self._undecodable_at()
        if offset is not None:
            return Refused(
                "encoding",
                f"Byte {offset:,} is not valid in the encoding the file declares.",
                next_step="Ask the bank for a file in its declared encoding; it is not guessed.",
            )
        line, column = error.position
        reason = re.sub(r", line [0-9]+, column [0-9]+.*", "", error.msg or "")
        if "huge" in reason.lower():
            message = f"A text at line {line} is larger than the parser takes: {reason}."
            return Refused("too-large", message, next_step=ASK_BANK)
        return Refused(
            "malformed",
            f"The XML is broken at line {line}, column {column}: {reason}.",
            next_step="Fetch the file again; it may have been cut off.",
            faults=[Fault("", "malformed", reason, line)],
        )

    def _undecodable_at(self) -> int | None:
        """The first byte that the declared encoding does not have, or None if all decodes."""
        with self._open() as stream:
            start = stream.read(200)
            declared = _DECLARED.match(start)
            name = declared[1].decode() if declared else "utf-8"
            is_wide = start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
            try:
                decoder = codecs.getincrementaldecoder("utf-16" if is_wide else name)()
            except LookupError:
                return 0
            return _first_undecodable(stream, decoder, start)


def _first_undecodable(stream: BinaryIO, decoder: codecs.IncrementalDecoder, block: bytes) -> int | None:
    before = 0
    while block:
        waiting = len(decoder.getstate()[0])  # bytes of a character that the last block cut
        try:
            decoder.decode(block)
        except UnicodeDecodeError as error:
            return before - waiting + error.start
        before += len(block)
        block = stream.read(_BLOCK)
    return None


def _events(
    stream: BinaryIO | Source | str,
    events: tuple[str, ...],
    tags: tuple[str, ...] | None,
    schema: etree.XMLSchema | None,
) -> etree.iterparse:
    return etree.iterparse(
        stream,
        events=events,
        tag=tags,
        schema=schema,
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        remove_comments=True,
        remove_pis=True,
        huge_tree=False,
    )
