"""The bank's files (camt.052, .053 and .054, versions 01 to 14) -> proved statements, or nothing.

Governed by ISO 20022 cash management. Read in one pass, entry by entry, so that memory does not grow with
the file. Elements are known by local name, which is the same in every version. ``read_file`` returns only
what is proved whole: a parser finds a truncated file after it has handed out the entries before the cut.
So whoever takes entries one by one from ``Stream`` keeps them apart until it has ended without an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from lxml import etree

from formats.camt.entries import entry_layouts
from formats.camt.opening import opening_of
from formats.camt.parts import Part, part_layouts
from formats.camt.schema import Check
from formats.camt.source import DEFAULT_LIMIT, Source
from formats.camt.statements import Head, OpenStatement, Proof, whole
from formats.camt.values import at_line, compact, drop, local_name
from o2c.errors import Refused
from o2c.statement import Entry, MessageKind, Statement

Passing: TypeAlias = Head | Entry | Proof

_NAMES = {
    MessageKind.REPORT: "Rpt",
    MessageKind.STATEMENT: "Stmt",
    MessageKind.NOTIFICATION: "Ntfctn",
}
_TAGS = tuple("{*}" + name for name in (*_NAMES.values(), "Ntry", "TxDtls"))


@dataclass(frozen=True, slots=True)
class Message:
    """One bank file: what it is, and its statements, each proved.

    ``version`` reads ``camt.053.001.08``, or "" where the file does not say. ``warnings`` are about the
    file as a whole; a statement has its own.
    """

    kind: MessageKind
    version: str
    statements: tuple[Statement, ...]
    warnings: tuple[str, ...] = ()
    is_schema_checked: bool = False


def read_file(
    source: bytes | Path,
    accounts: Iterable[str],
    *,
    limit: int = DEFAULT_LIMIT,
    schemas: Path | None = None,
    override_balance: bool = False,
) -> Message:
    """Every statement of the file, proved: opening balance + booked entries = closing balance.

    ``accounts`` are our own account numbers (IBAN or other), blanks and case aside; ``limit`` is in
    bytes; ``schemas`` a folder of the camt schemas, whose complaints become warnings, as do sums that
    differ with ``override_balance``. Raises ``Refused`` with code ``too-large``, ``empty``, ``doctype``,
    ``encoding``, ``malformed``, ``message``, ``account``, ``currency``, ``amount`` or ``balance``.
    """
    return collected(
        Stream(source, accounts, limit=limit, schemas=schemas, override_balance=override_balance)
    )


def collected(stream: Stream) -> Message:
    """All of a file that is not read yet; raises as ``read_file`` does."""
    statements = tuple(wholes(stream))
    return Message(stream.kind, stream.version, statements, stream.warnings, stream.is_schema_checked)


def wholes(passing: Iterable[Passing]) -> Iterator[Statement]:
    """The statements of what a ``Stream`` gives, each with all its entries."""
    entries: list[Entry] = []
    head: Head | None = None
    for each in passing:
        if isinstance(each, Entry):
            entries.append(each)
        elif isinstance(each, Head):
            head = each
        elif head is not None:
            yield whole(head, entries, each)
            entries = []


class Stream:
    """A file while it is read, in constant memory. Iterate over it once.

    For every statement comes its ``Head``, its entries in order, and its ``Proof``. ``warnings`` are
    complete when it has ended.
    """

    def __init__(
        self,
        source: bytes | Path,
        accounts: Iterable[str],
        *,
        limit: int = DEFAULT_LIMIT,
        schemas: Path | None = None,
        override_balance: bool = False,
    ) -> None:
        """Looks at the beginning of the file; raises ``Refused`` as ``read_file`` does."""
        self._own: Mapping[str, str] = {compact(account): account for account in accounts}
        self._override = override_balance
        self._source = Source(source, limit)
        try:
            self._opening = opening_of(self._source)
        except etree.XMLSyntaxError as error:
            raise self._source.refusal(error) from None
        self._check = Check(schemas, self._opening)
        self._part_layouts = part_layouts()
        self._entry_layouts = entry_layouts()

    @property
    def kind(self) -> MessageKind:
        return self._opening.kind

    @property
    def version(self) -> str:
        return self._opening.version

    @property
    def is_schema_checked(self) -> bool:
        return self._check.is_done

    @property
    def warnings(self) -> tuple[str, ...]:
        return (*self._opening.warnings, *self._check.warnings)

    def __iter__(self) -> Iterator[Passing]:
        name = _NAMES[self.kind]
        count = 0
        try:
            for passing in self._statements(self._source.ends(_TAGS), name):
                count += isinstance(passing, Proof)
                yield passing
        except etree.XMLSyntaxError as error:
            raise self._source.refusal(error) from None
        finally:
            self._source.close()
        if not count:
            message = f"The file holds no statement ({name})."
            raise Refused("empty", message, next_step="Send the camt.053 statement of the account.")
        self._check.run(self._source, _TAGS)

    def _statements(self, events: Iterable[tuple[str, etree._Element]], name: str) -> Iterator[Passing]:
        """The event loop: details and entries are read and dropped as they close."""
        statement: OpenStatement | None = None
        parts: list[Part] = []
        count = 0
        for _, element in events:
            closing = local_name(element.tag)
            if closing == "TxDtls":
                parts.append(self._part_layouts.read(element))
            elif closing == "Ntry":
                if statement is None:
                    count += 1
                    statement = self._open(element.getparent(), f"/{name}[{count}]")
                    yield statement.head
                yield self._entry(statement, element, parts)
                parts = []
                self._source.mark()
            else:
                if statement is None:
                    count += 1
                    statement = self._open(element, f"/{name}[{count}]")
                    yield statement.head
                elif closing != name:
                    raise _out_of_place(element, f"/{name}[{count}]")
                yield _proved(statement, element)
                statement = None
            drop(element)

    def _open(self, element: etree._Element | None, place: str) -> OpenStatement:
        if element is None or local_name(str(element.tag)) != place[1 : place.index("[")]:
            raise _out_of_place(element, place)
        try:
            return OpenStatement(element, self.kind, place, self._own, self._override)
        except Refused as refusal:
            raise at_line(refusal, element) from None

    def _entry(self, statement: OpenStatement, element: etree._Element, parts: list[Part]) -> Entry:
        plan, texts = self._entry_layouts.read(element)
        try:
            return statement.add(plan, texts, parts)
        except Refused as refusal:
            raise at_line(refusal, element) from None


def _proved(statement: OpenStatement, element: etree._Element) -> Proof:
    try:
        return statement.close()
    except Refused as refusal:
        raise at_line(refusal, element) from None


def _out_of_place(element: etree._Element | None, place: str) -> Refused:
    """Two kinds of message in one file, or an entry outside a statement."""
    found = "nothing" if element is None else local_name(str(element.tag))
    message = f"{place}: <{found}> stands where <{place[1 : place.index('[')]}> is expected."
    refusal = Refused("message", message, next_step="Send each message as a file of its own.")
    return at_line(refusal, element)
