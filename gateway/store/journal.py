"""The journal: what happened, who did it, on which rules and documents.

One append-only row in the same transaction as every state change. Rows of one stream (an order,
a customer's account, a bank statement, the company) are chained: each carries the SHA-256 of the
one before it, so that an order's timeline is evidence by itself.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from json.encoder import encode_basestring as quoted
from typing import Any

from sqlalchemy import Connection, RowMapping, and_, bindparam, func, insert, or_, select, tuple_

from formats import canonical
from gateway.store.bulk import Rows, insert_rows
from gateway.store.rows import pack
from gateway.store.schema import journal, journal_link, stamp
from o2c.errors import Broken
from o2c.process import EVENTS

GENESIS = "0" * 64


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened. ``orders`` are the orders on whose timeline it also belongs."""

    stream: str
    event: str
    data: Mapping[str, Any] = field(default_factory=dict)
    rulebook_sha256: str | None = None
    document_sha256: str | None = None
    orders: tuple[str, ...] = ()


def plain(events: Iterable[Event]) -> Rows:
    """Events as rows; ``Event(*row)`` is one again."""
    return Rows(
        (one.stream, one.event, one.data, one.rulebook_sha256, one.document_sha256, one.orders)
        for one in events
    )


def order_stream(order_id: str) -> str:
    """The stream of an order's timeline."""
    return f"order:{order_id}"


def customer_stream(customer_id: str) -> str:
    """The stream of a customer's account."""
    return f"customer:{customer_id}"


def item_stream(order_id: str | None, customer_id: str) -> str:
    """Where what happens to a receivable item is told: with its order; where it was taken over from a
    former system and has none here, on the customer's account."""
    return customer_stream(customer_id) if order_id is None else order_stream(order_id)


def group_stream(group_id: str) -> str:
    """The stream of a group of customers."""
    return f"group:{group_id}"


def product_stream(product_id: str) -> str:
    """The stream of a product's goods."""
    return f"product:{product_id}"


def digest(row: Mapping[str, Any]) -> str:
    """The SHA-256 that a journal row must carry: over all its fields (``at`` as it is stored) and
    the previous hash."""
    parts = [
        row["previous"],
        row["company_id"],
        row["stream"],
        row["seq"],
        row["at"],
        row["event"],
        row["actor"],
        row["rulebook_sha256"] or "",
        row["document_sha256"] or "",
        row["data"],
    ]
    return canonical.sha256(canonical.dumps(parts))


def _digest(
    company_id: str,
    stream: str,
    seq: int,
    at: str,
    event: str,
    actor: str,
    rulebook_sha256: str | None,
    document_sha256: str | None,
    data: str,
    previous: str,
) -> str:
    """``digest`` for hot paths: the same canonical JSON, written by hand (a test compares them)."""
    words = (
        f'["{previous}",{quoted(company_id)},{quoted(stream)},{seq},"{at}","{event}",{quoted(actor)},'
        f'"{rulebook_sha256 or ""}","{document_sha256 or ""}",{quoted(data)}]'
    )
    return hashlib.sha256(words.encode()).hexdigest()


_COLUMNS = (
    *("company_id", "stream", "seq", "at", "event", "actor", "rulebook_sha256", "document_sha256"),
    *("data", "previous", "sha256"),
)
_LINK = insert(journal_link)


def append(
    connection: Connection,
    company_id: str,
    at: datetime,
    actor: str,
    events: Sequence[Event],
    *,
    fresh: Iterable[str] = (),
) -> None:
    """Append ``events`` in order. ``fresh`` names streams known to be empty (no look-up needed).

    Two writers on one stream are told apart by the unique (stream, seq): the second runs again.
    """
    if not events:
        return
    known: dict[str, tuple[int, str]] = dict.fromkeys(fresh, (0, GENESIS))
    heads = known | _heads(connection, company_id, {e.stream for e in events} - known.keys())
    rows: list[tuple[Any, ...]] = []
    links = []
    when = stamp(at)
    for happened in events:
        if happened.event not in EVENTS:
            raise Broken("journal-event", f"{happened.event} is not an event of the process table.")
        seq, previous = heads.get(happened.stream, (0, GENESIS))
        data = pack(happened.data)
        row = (
            *(company_id, happened.stream, seq + 1, when, happened.event, actor),
            *(happened.rulebook_sha256, happened.document_sha256, data, previous),
        )
        sha256 = _digest(*row)
        heads[happened.stream] = (seq + 1, sha256)
        rows.append((*row, sha256))
        links += [
            {"company_id": company_id, "order_id": order, "stream": happened.stream, "seq": seq + 1}
            for order in happened.orders
        ]
    insert_rows(connection, journal, _COLUMNS, rows)
    if links:
        connection.execute(_LINK, links)


_HEAD = (
    select(journal.c.seq, journal.c.sha256)
    .where(journal.c.company_id == bindparam("of"), journal.c.stream == bindparam("name"))
    .order_by(journal.c.seq.desc())
    .limit(1)
)


def _heads(connection: Connection, company_id: str, streams: set[str]) -> dict[str, tuple[int, str]]:
    """The last (seq, hash) of each stream: one query for one, one for up to 500."""
    names = sorted(streams)
    if len(names) == 1:
        row = connection.execute(_HEAD, {"of": company_id, "name": names[0]}).one_or_none()
        return {} if row is None else {names[0]: (row.seq, row.sha256)}
    heads: dict[str, tuple[int, str]] = {}
    for start in range(0, len(names), 500):
        last = (
            select(journal.c.stream, func.max(journal.c.seq).label("seq"))
            .where(journal.c.company_id == company_id, journal.c.stream.in_(names[start : start + 500]))
            .group_by(journal.c.stream)
            .subquery()
        )
        rows = connection.execute(
            select(journal.c.stream, journal.c.seq, journal.c.sha256)
            .join(last, and_(journal.c.stream == last.c.stream, journal.c.seq == last.c.seq))
            .where(journal.c.company_id == company_id)
        )
        heads |= {row.stream: (row.seq, row.sha256) for row in rows}
    return heads


def timeline(connection: Connection, company_id: str, order_id: str) -> list[RowMapping]:
    """Every event of one order, its own and those of accounts and statements it takes part in."""
    linked = select(journal_link.c.stream, journal_link.c.seq).where(
        journal_link.c.company_id == company_id, journal_link.c.order_id == order_id
    )
    query = (
        select(journal)
        .where(
            journal.c.company_id == company_id,
            or_(
                journal.c.stream == order_stream(order_id),
                tuple_(journal.c.stream, journal.c.seq).in_(linked),
            ),
        )
        .order_by(journal.c.entry_no)
    )
    return list(connection.execute(query).mappings())


def breaks(rows: Iterable[RowMapping]) -> list[str]:
    """What is wrong with journal rows, given as stored and in (stream, seq) order: one sentence each."""
    wrong: list[str] = []
    heads: dict[str, tuple[int, str, int]] = defaultdict(lambda: (0, GENESIS, 0))
    for row in rows:
        seq, previous, entry_no = heads[row["stream"]]
        name = f"journal {row['stream']} #{row['seq']} ({row['event']})"
        if row["seq"] != seq + 1:
            wrong.append(f"{name}: the row before it is missing")
        elif row["previous"] != previous:
            wrong.append(f"{name}: does not follow the row before it")
        elif row["entry_no"] <= entry_no:
            wrong.append(f"{name}: stands before the row it follows")
        if digest({**row}) != row["sha256"]:
            wrong.append(f"{name}: its content does not match its hash")
        heads[row["stream"]] = (row["seq"], row["sha256"], row["entry_no"])
    return wrong


def latest(connection: Connection, company_id: str, stream: str, event: str) -> str | None:
    """The data (JSON) of the last such event of a stream."""
    query = select(journal.c.data).where(
        journal.c.company_id == company_id, journal.c.stream == stream, journal.c.event == event
    )
    return connection.execute(query.order_by(journal.c.seq.desc()).limit(1)).scalar()
