"""A bank file on its way to be decided on: its payments in blocks, with what each names.

A large file is read while it is decided on, block by block, and is in memory no longer than that takes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import NamedTuple

from formats.camt.reader import Passing, Stream
from formats.camt.statements import Head, Proof, whole
from o2c.errors import Broken
from o2c.matching import Keys, Shapes, keys_of
from o2c.statement import Entry, EntryStatus, MessageKind, Statement, TransactionDetails

BLOCK = 2_500  # payments decided together: what they need is in memory at once
Pair = tuple[Entry, TransactionDetails]


@dataclass(frozen=True, slots=True)
class BankFile:
    """A bank file, and how it is read. ``override``: its balances need not add up."""

    source: bytes | Path
    accounts: tuple[str, ...]
    limit: int
    override: bool

    def stream(self) -> Stream:
        """Begin to read; raises ``Refused`` with the reader's code."""
        return Stream(self.source, self.accounts, limit=self.limit, override_balance=self.override)


class Begun(NamedTuple):
    """A statement whose payments follow."""

    head: Head


class Block(NamedTuple):
    """Booked payments, each with its entry (of which the other payments are left out) and its keys."""

    pairs: list[Pair]
    keys: list[Keys]


class Ended(NamedTuple):
    """The statement is proved. ``content_sha256`` is over all that it says."""

    proof: Proof
    content_sha256: str
    not_booked: int


class Whole(NamedTuple):
    """A report or a notification."""

    statement: Statement


Read = Begun | Block | Ended | Whole


def blocks(kind: MessageKind, passing: Iterable[Passing], shapes: Shapes, size: int) -> Iterator[Read]:
    """What a reader gives, in blocks of at most ``size`` payments."""
    things = iter(passing)
    for head in things:
        if not isinstance(head, Head):
            raise Broken("camt-order", "an entry came before the head of its statement.")
        if kind is MessageKind.STATEMENT:
            yield Begun(head)
            yield from _statement(head, things, shapes, size)
        else:
            yield _whole(head, things)


def _whole(head: Head, things: Iterator[Passing]) -> Whole:
    entries: list[Entry] = []
    for one in things:
        if isinstance(one, Proof):
            return Whole(whole(head, entries, one))
        assert isinstance(one, Entry)
        entries.append(one)
    raise Broken("camt-order", "a statement ended without its proof.")


def _statement(head: Head, things: Iterator[Passing], shapes: Shapes, size: int) -> Iterator[Block | Ended]:
    content, not_booked = hashlib.sha256(), 0
    pairs: list[Pair] = []
    for one in things:
        if isinstance(one, Proof):
            if pairs:
                yield _block(pairs, shapes)
            yield Ended(one, _seal(head, one, content.hexdigest()), not_booked)
            return
        assert isinstance(one, Entry)
        content.update(_content(one))
        if one.status is not EntryStatus.BOOKED:
            not_booked += len(one.details)
            continue
        entry = replace(one, details=())
        for details in one.details:
            pairs.append((entry, details))
            if len(pairs) == size:
                yield _block(pairs, shapes)
                pairs = []


def in_blocks(entry: Entry, shapes: Shapes) -> Iterator[Block]:
    """The payments of one entry."""
    for start in range(0, len(entry.details), BLOCK):
        yield _block([(entry, details) for details in entry.details[start : start + BLOCK]], shapes)


def _block(pairs: list[Pair], shapes: Shapes) -> Block:
    return Block(pairs, [keys_of(details, shapes) for _, details in pairs])


def _content(entry: Entry) -> bytes:
    """What an entry says, payment by payment."""
    payments = (
        repr((one.key, one.amount.minor, one.is_credit, one.references, one.text, one.counterparty))
        for one in entry.details
    )
    head = f"{entry.booked_on} {entry.status.value} {entry.amount} {entry.is_credit}"
    return "".join(chain((head,), payments)).encode()


def _seal(head: Head, proof: Proof, content: str) -> str:
    """Over whose account it is, its balances and its content."""
    words = f"{head.account} {head.statement_id} {proof.opening} {proof.closing} {content}"
    return hashlib.sha256(words.encode()).hexdigest()
