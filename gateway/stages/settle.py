"""Settle: a bank file is read and proved whole, then posted in one transaction.

Any doubt about the file and nothing of it is kept. A camt.053 is posted, a camt.054 only details a
batch that a statement has booked (``enrich``), a camt.052 is shown and never posted. What explains
itself settles items, the rest waits for a person and holds reminders back meanwhile.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row
from sqlalchemy.exc import IntegrityError

from formats.camt.reader import Message, read_file
from gateway.ids import new_id
from gateway.stages import enrich, match
from gateway.stages.batch import Origin
from gateway.stages.cycles import no_cycles
from gateway.stages.desk import Desk
from gateway.stages.match import Pair, Run
from gateway.store import archive, bank
from gateway.store.archive import Document
from gateway.store.database import is_duplicate
from gateway.store.journal import Event
from o2c.errors import Conflict, Fault, Refused
from o2c.statement import EntryStatus, MessageKind, Statement

LIMIT = 200_000_000  # bytes of a file


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
    advance: Callable[[int], None] = _silent,
) -> list[Imported]:
    """Read, prove and post a bank file. Raises ``Refused`` with the reader's code (nothing is posted),
    or ``Conflict('conflict')`` for a known statement with other content.

    ``override`` is a person's reason to take a file whose balances do not add up. ``advance`` is told
    how many payments have been decided since it was last told.
    """
    accounts = [account.account for account in desk.company.bank_accounts]
    sha256 = _sha256(source)
    with no_cycles():
        message = read_file(source, accounts, limit=limit, override_balance=override is not None)
    for one in message.statements:
        _check_currency(desk, one)

    def unit(connection: Connection) -> list[Imported]:
        bank.lock_cash(connection, desk.company_id)
        _keep(desk, connection, source, sha256)
        with no_cycles():
            return _take(desk, connection, message, sha256, override, advance)

    try:
        return desk.database.write(unit)
    except IntegrityError as error:
        if not _is_repeat(error):
            raise
    return desk.database.write(unit)  # the same came in at the same moment; now it is known


def _sha256(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _keep(desk: Desk, connection: Connection, source: bytes | Path, sha256: str) -> None:
    """Put the file's bytes into the archive; they are in memory no longer than that takes."""
    content = source if isinstance(source, bytes) else source.read_bytes()
    kept = archive.keep(
        connection, desk.company_id, desk.clock.now(), Document("statement", "application/xml", content)
    )
    if kept != sha256:
        raise Refused("malformed", "the file was changed while it was read.", next_step="Import it again.")


def _is_repeat(error: IntegrityError) -> bool:
    statement = "statement.company_id, statement.account, statement.bank_statement_id"
    return is_duplicate(error, "uq_statement_natural_key", statement) or is_duplicate(
        error, "uq_payment_natural_key", "payment.company_id, payment.account, payment.key"
    )


def _check_currency(desk: Desk, read: Statement) -> None:
    kept = next(a.currency for a in desk.company.bank_accounts if a.account == read.account)
    if kept != read.currency:
        raise Refused(
            "currency",
            f"statement {read.statement_id} is in {read.currency}; the account is kept in {kept}.",
            next_step="Correct the account's currency in the company's settings, or ask the bank.",
        )


def _take(
    desk: Desk,
    connection: Connection,
    message: Message,
    sha256: str,
    override: str | None,
    advance: Callable[[int], None],
) -> list[Imported]:
    if message.kind is MessageKind.REPORT:
        return [_only_shown(one, sha256) for one in message.statements]
    run = match.start(desk, connection)
    if message.kind is MessageKind.NOTIFICATION:
        return [_enriched(run, one, sha256) for one in message.statements]
    return [_import(run, one, sha256, override, advance) for one in message.statements]


def _only_shown(read: Statement, sha256: str) -> Imported:
    lines = sum(len(entry.details) for entry in read.entries)
    words = ("A camt.052 tells what is not yet booked: nothing of it is posted.", *read.warnings)
    return Imported(
        *("", read.account, read.statement_id, False, lines, 0, 0, 0, words),
        kind=MessageKind.REPORT.value,
        sha256=sha256,
        not_booked=lines,
    )


def _enriched(run: Run, read: Statement, sha256: str) -> Imported:
    before = Counter(run.counts)
    words = enrich.take(run, read)
    made = run.counts - before
    return _counted("", read, sha256, made, (*words, *read.warnings), MessageKind.NOTIFICATION)


# --- a statement ---------------------------------------------------------------------------------
def _import(
    run: Run, read: Statement, sha256: str, override: str | None, advance: Callable[[int], None]
) -> Imported:
    desk, connection = run.desk, run.connection
    content = content_sha256(read)
    known = bank.find_statement(connection, desk.company_id, read)
    if known is not None:
        _check_same(known, content, sha256, read)
        words = tuple(read.warnings)
        return Imported(
            *(known.statement_id, read.account, read.statement_id, True, 0, 0, 0, 0, words), sha256=sha256
        )
    now = desk.clock.now()
    origin = Origin(new_id("stm", now), read.account)
    warnings = (*read.warnings, *_gap(connection, desk, read))
    bank.add_statement(
        connection,
        desk.company_id,
        origin.statement_id,
        read,
        content_sha256=content,
        document_sha256=sha256,
        warnings=warnings,
        override=None if override is None else (override, desk.actor),
        at=now,
    )
    desk.record(connection, now, [_told(origin, read, sha256, override)], fresh=[origin.stream])
    before = Counter(run.counts)
    for some in match.pieces(pairs(read)):
        match.take_block(run, origin, some)
        advance(len(some))
    made = run.counts - before
    return _counted(origin.statement_id, read, sha256, made, warnings, MessageKind.STATEMENT)


def pairs(read: Statement) -> Iterator[Pair]:
    """The booked payments of a statement, each with its entry."""
    for entry in read.entries:
        if entry.status is EntryStatus.BOOKED:
            for details in entry.details:
                yield entry, details


def content_sha256(read: Statement) -> str:
    """SHA-256 over what a statement says, payment by payment."""
    digest = hashlib.sha256(f"{read.account} {read.statement_id} {read.opening} {read.closing}".encode())
    for entry in read.entries:
        digest.update(f"{entry.booked_on} {entry.status.value} {entry.amount} {entry.is_credit}".encode())
        for one in entry.details:
            parts = (one.key, one.amount.minor, one.is_credit, one.references, one.text, one.counterparty)
            digest.update(repr(parts).encode())
    return digest.hexdigest()


def _check_same(known: Row[Any], content: str, sha256: str, read: Statement) -> None:
    if content != known.content_sha256 and sha256 != known.document_sha256:
        raise Conflict(
            "conflict",
            f"statement {read.statement_id} of this account was imported with other content.",
            next_step="Ask the bank which of the two files is right; nothing of this one was posted.",
            faults=[Fault("/Document/BkToCstmrStmt/Stmt/Id", "changed", f"imported as {known.statement_id}")],
        )


def _gap(connection: Connection, desk: Desk, read: Statement) -> tuple[str, ...]:
    """The statements that are missing between this one and the one before it."""
    last = bank.last_sequence(connection, desk.company_id, read)
    if last is None or read.sequence is None or read.sequence <= last + 1:
        return ()
    first, end = last + 1, read.sequence - 1
    numbers = str(first) if first == end else f"{first} to {end}"
    return (f"Statement {numbers} of this account is missing before number {read.sequence}.",)


def _told(origin: Origin, read: Statement, sha256: str, override: str | None) -> Event:
    data = {
        "account": read.account,
        "statement": read.statement_id,
        "closing": read.closing and str(read.closing),
        "lines": sum(1 for _ in pairs(read)),
    }
    if override is not None:
        data["override"] = override
    return Event(origin.stream, "StatementImported", data, document_sha256=sha256)


def _counted(
    statement_id: str,
    read: Statement,
    sha256: str,
    made: Counter[str],
    warnings: Sequence[str],
    kind: MessageKind,
) -> Imported:
    decisions = {
        name.removeprefix("decision:"): count
        for name, count in sorted(made.items())
        if name.startswith("decision:")
    }
    not_booked = sum(len(e.details) for e in read.entries if e.status is not EntryStatus.BOOKED)
    return Imported(
        statement_id,
        read.account,
        read.statement_id,
        duplicate=False,
        lines=made["lines"],
        applied=made["applied"],
        unmatched=made["unmatched"],
        ignored=made["ignored"],
        warnings=tuple(warnings),
        kind=kind.value,
        sha256=sha256,
        decisions=decisions,
        not_booked=not_booked,
    )
