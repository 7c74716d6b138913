"""A file that must be a statement (camt.053): the reader, and a refusal of the other two messages.

A camt.052 reports what is not yet booked and a camt.054 only details what a camt.053 books; whoever
posts at once asks here.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from formats.camt.reader import Stream, collected
from formats.camt.source import DEFAULT_LIMIT
from o2c.errors import Refused
from o2c.statement import MessageKind, Statement

_OTHERS = {
    MessageKind.REPORT: "camt.052, an intraday report: it is never posted",
    MessageKind.NOTIFICATION: "camt.054, a notification: it only details what a camt.053 books",
}


def read(
    content: bytes | Path,
    accounts: Iterable[str],
    *,
    limit: int = DEFAULT_LIMIT,
    schemas: Path | None = None,
) -> tuple[Statement, ...]:
    """``read_file`` for statements alone; raises ``Refused('message')`` for a report or notification."""
    stream = Stream(content, accounts, limit=limit, schemas=schemas)
    other = _OTHERS.get(stream.kind)
    if other is not None:
        next_step = "Send the camt.053 statement of the account."
        raise Refused("message", f"This is a {other}.", next_step=next_step)
    return collected(stream).statements
