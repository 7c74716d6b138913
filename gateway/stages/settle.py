"""Settle: a bank file is read, proved whole and posted in one transaction.

Any doubt about the file and nothing of it is kept. A camt.053 is posted, a camt.054 only details a
batch that a statement has booked (``enrich``), a camt.052 is shown and never posted. What explains
itself settles items, the rest waits for a person and holds reminders back meanwhile.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from formats.camt.reader import Passing, Stream, wholes
from formats.camt.statements import Head
from gateway.ids import new_id
from gateway.stages import enrich, match, reading
from gateway.stages.batch import Origin
from gateway.stages.books import Books, Here
from gateway.stages.cycles import no_cycles
from gateway.stages.desk import Desk
from gateway.stages.match import Run
from gateway.stages.reading import BankFile, Begun, Block, Ended, Read
from gateway.store import archive, statements
from gateway.store.archive import Document
from gateway.store.database import is_duplicate
from gateway.store.journal import Event
from o2c.errors import Conflict, Fault, Refused
from o2c.statement import EntryStatus, MessageKind, Statement

LIMIT = 200_000_000  # bytes of a file
MANY = 8_000_000  # bytes that are worth a process of their own: 12,000 payments or so

Advance = Callable[[int], None]  # is told how many payments are done


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one statement. ``duplicate``: it was here before and posted nothing now.

    ``decisions`` counts match, review, unapplied, unrelated and return; ``not_booked`` are the pending
    and informative lines, which are never posted.
    """

    statement_id: str
    account: str
    bank_statement_id: str
    duplicate: bool
    lines: int
    applied: int
    unmatched: int
    ignored: int
    warnings: tuple[str, ...]
    kind: str = "statement"
    sha256: str = ""
    decisions: dict[str, int] = field(default_factory=dict)
    not_booked: int = 0


def _silent(_done: int) -> None:
    """Nobody watches."""


def import_statements(
    desk: Desk,
    source: bytes | Path,
    limit: int = LIMIT,
    *,
    override: str | None = None,
    advance: Advance = _silent,
) -> list[Imported]:
    """Read, prove and post a bank file. Raises ``Refused`` with the reader's code (nothing is posted),
    or ``Conflict('conflict')`` for a known statement with other content.

    ``override`` is a person's reason to take a file whose balances do not add up. ``advance`` is told
    how many payments have been decided since it was last told.
    """
    accounts = (account.account for account in desk.company.bank_accounts)
    file = BankFile.of(source, accounts, limit, override)
    beside = desk.beside
    if beside is not None and file.size >= MANY:
        return _again(lambda: beside(desk, lambda books: _while_read(desk, books, file, advance)))
    stream = file.stream()
    proved = _proved(stream)
    return _again(
        lambda: desk.database.write(
            lambda connection: _take(desk, Here(desk, connection), file, stream.kind, proved, advance)
        )
    )


def _proved(stream: Stream) -> list[Passing]:
    """All of a file that is not large, before anything is begun."""
    with no_cycles():
        return list(stream)


def _while_read(desk: Desk, books: Books, file: BankFile, advance: Advance) -> list[Imported]:
    stream = file.stream()
    return _take(desk, books, file, stream.kind, stream, advance)


def _again(work: Callable[[], list[Imported]]) -> list[Imported]:
    """Where the same came in at the same moment, once more: now it is known."""
    try:
        return work()
    except IntegrityError as error:
        if not _is_repeat(error):
            raise
    return work()


def _is_repeat(error: IntegrityError) -> bool:
    statement = "statement.company_id, statement.account, statement.bank_statement_id"
    return is_duplicate(error, "uq_statement_natural_key", statement) or is_duplicate(
        error, "uq_payment_natural_key", "payment.company_id, payment.account, payment.key"
    )


def _check_currency(desk: Desk, head: Head | Statement) -> None:
    kept = next(a.currency for a in desk.company.bank_accounts if a.account == head.account)
    if kept != head.currency:
        raise Refused(
            "currency",
            f"statement {head.statement_id} is in {head.currency}; the account is kept in {kept}.",
            next_step="Correct the account's currency in the company's settings, or ask the bank.",
        )


def _open(desk: Desk, connection: Connection, source: bytes | Path, sha256: str) -> None:
    """The company's cash is ours alone until the end, and the file's bytes are in the archive; they are
    in memory no longer than that takes."""
    statements.lock_cash(connection, desk.company_id)
    content = source if isinstance(source, bytes) else source.read_bytes()
    kept = archive.keep(
        connection, desk.company_id, desk.clock.now(), Document("statement", "application/xml", content)
    )
    if kept != sha256:
        raise Refused("malformed", "the file was changed while it was read.", next_step="Import it again.")


def _take(
    desk: Desk,
    books: Books,
    file: BankFile,
    kind: MessageKind,
    passing: Iterable[Passing],
    advance: Advance,
) -> list[Imported]:
    """Every statement of the file. Where it is not proved yet but passes by, a doubt that shows at the end
    undoes all of it."""
    books.tell(_open, file.source, file.sha256)
    run = match.start(desk, books)
    with no_cycles():
        if kind is MessageKind.STATEMENT:
            read = reading.blocks(passing, run.shapes)
            return [_import(run, file, one.head, read, advance) for one in read if isinstance(one, Begun)]
        take = _shown if kind is MessageKind.REPORT else _enriched
        return [take(run, one, file.sha256) for one in wholes(passing)]


def _shown(run: Run, read: Statement, sha256: str) -> Imported:
    _check_currency(run.desk, read)
    lines = sum(len(entry.details) for entry in read.entries)
    words = ("A camt.052 tells what is not yet booked: nothing of it is posted.", *read.warnings)
    return Imported(
        *("", read.account, read.statement_id, False, lines, 0, 0, 0, words),
        kind=MessageKind.REPORT.value,
        sha256=sha256,
        not_booked=lines,
    )


def _enriched(run: Run, read: Statement, sha256: str) -> Imported:
    _check_currency(run.desk, read)
    before = Counter(run.counts)
    words = enrich.take(run, read)
    made = run.counts - before
    not_booked = sum(len(e.details) for e in read.entries if e.status is not EntryStatus.BOOKED)
    return _counted(
        Imported(
            *("", read.account, read.statement_id, False, 0, 0, 0, 0, (*words, *read.warnings)),
            kind=MessageKind.NOTIFICATION.value,
            sha256=sha256,
            not_booked=not_booked,
        ),
        made,
    )


# --- a statement ---------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _New:
    """A statement that begins, under the id it would have here."""

    statement_id: str
    head: Head
    document_sha256: str
    override: str | None


@dataclass(frozen=True, slots=True)
class _Entered:
    """``known`` since an earlier import: our id of it, its content and its document."""

    known: tuple[str, str, str] | None = None
    warnings: tuple[str, ...] = ()


def _import(run: Run, file: BankFile, head: Head, read: Iterator[Read], advance: Advance) -> Imported:
    _check_currency(run.desk, head)
    statement_id = new_id("stm", run.desk.clock.now())
    entered = run.books.ask(_enter, _New(statement_id, head, file.sha256, file.override))()
    blocks = _Blocks(read)
    if entered.known is not None:
        for _ in blocks:
            pass
        _check_same(entered.known, blocks.ended.content_sha256, file.sha256, head)
        words = blocks.ended.proof.warnings
        known = (entered.known[0], head.account, head.statement_id, True, 0, 0, 0, 0, words)
        return Imported(*known, sha256=file.sha256)
    before = Counter(run.counts)
    match.take(run, Origin(statement_id, head.account), blocks, advance)
    proof, content, not_booked = blocks.ended
    warnings = (*proof.warnings, *entered.warnings)
    run.books.tell(_complete, statement_id, statements.End(content, proof.opening, proof.closing, warnings))
    return _counted(
        Imported(
            *(statement_id, head.account, head.statement_id, False, 0, 0, 0, 0, warnings),
            kind=MessageKind.STATEMENT.value,
            sha256=file.sha256,
            not_booked=not_booked,
        ),
        run.counts - before,
    )


@dataclass(slots=True)
class _Blocks:
    """The blocks of the statement that has begun, and then how it ended."""

    read: Iterator[Read]
    ended: Ended = field(init=False)

    def __iter__(self) -> Iterator[Block]:
        for one in self.read:
            if isinstance(one, Ended):
                self.ended = one
                return
            assert isinstance(one, Block)
            yield one


def _enter(desk: Desk, connection: Connection, new: _New) -> _Entered:
    """The statement itself goes into the books, unless it is there."""
    head = new.head
    known = statements.find_statement(connection, desk.company_id, head)
    if known is not None:
        return _Entered((known.statement_id, known.content_sha256, known.document_sha256))
    now = desk.clock.now()
    statements.add_statement(
        connection,
        desk.company_id,
        new.statement_id,
        head,
        document_sha256=new.document_sha256,
        override=None if new.override is None else (new.override, desk.actor),
        at=now,
    )
    told = _told(new)
    desk.record(connection, now, [told], fresh=[told.stream])
    return _Entered(warnings=_gap(connection, desk, head))


def _complete(desk: Desk, connection: Connection, statement_id: str, end: statements.End) -> None:
    statements.complete_statement(connection, desk.company_id, statement_id, end)


def _check_same(known: tuple[str, str, str], content: str, sha256: str, head: Head) -> None:
    name, its_content, its_document = known
    if content != its_content and sha256 != its_document:
        raise Conflict(
            "conflict",
            f"statement {head.statement_id} of this account was imported with other content.",
            next_step="Ask the bank which of the two files is right; nothing of this one was posted.",
            faults=[Fault("/Document/BkToCstmrStmt/Stmt/Id", "changed", f"imported as {name}")],
        )


def _gap(connection: Connection, desk: Desk, head: Head) -> tuple[str, ...]:
    """The statements that are missing between this one and the one before it."""
    last = statements.last_sequence(connection, desk.company_id, head)
    if last is None or head.sequence is None or head.sequence <= last + 1:
        return ()
    first, end = last + 1, head.sequence - 1
    numbers = str(first) if first == end else f"{first} to {end}"
    return (f"Statement {numbers} of this account is missing before number {head.sequence}.",)


def _told(new: _New) -> Event:
    data = {"account": new.head.account, "statement": new.head.statement_id}
    if new.override is not None:
        data["override"] = new.override
    stream = Origin(new.statement_id, new.head.account).stream
    return Event(stream, "StatementImported", data, document_sha256=new.document_sha256)


def _counted(one: Imported, made: Counter[str]) -> Imported:
    """With what was made of its payments."""
    decisions = {
        name.removeprefix("decision:"): count
        for name, count in sorted(made.items())
        if name.startswith("decision:")
    }
    return replace(
        one,
        lines=made["lines"],
        applied=made["applied"],
        unmatched=made["unmatched"],
        ignored=made["ignored"],
        decisions=decisions,
    )
