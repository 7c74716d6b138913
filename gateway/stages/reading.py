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
from formats.camt.statements import Head, Proof
from o2c.matching import Keys, Shapes, keys_of
from o2c.statement import Entry, EntryStatus, TransactionDetails

BLOCK = 2_500  # payments decided together: what they need is in memory at once
Pair = tuple[Entry, TransactionDetails]


@dataclass(frozen=True, slots=True)
class BankFile:
    """A bank file, and how it is read. ``override`` is a person's reason to take it though its balances
    do not add up."""

    source: bytes | Path
    sha256: str
    accounts: tuple[str, ...]
    limit: int
    override: str | None

    @classmethod
    def of(
        cls, source: bytes | Path, accounts: Iterable[str], limit: int, override: str | None = None
    ) -> BankFile:
        """With the seal of its bytes."""
        return cls(source, _sha256(source), tuple(accounts), limit, override)

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.source) if isinstance(self.source, bytes) else self.source.stat().st_size

    def stream(self) -> Stream:
        """Begin to read; raises ``Refused`` with the reader's code."""
        override = self.override is not None
        return Stream(self.source, self.accounts, limit=self.limit, override_balance=override)


def _sha256(source: bytes | Path) -> str:
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


Read = Begun | Block | Ended


def blocks(passing: Iterable[Passing], shapes: Shapes) -> Iterator[Read]:
    """What a ``Stream`` gives: of each statement that it begins, its payments in blocks, that it ended."""
    content, not_booked = hashlib.sha256(), 0
    pairs: list[Pair] = []
    head: Head | None = None
    for one in passing:
        if isinstance(one, Head):
            head, content, not_booked = one, hashlib.sha256(), 0
            yield Begun(one)
        elif isinstance(one, Entry):
            content.update(_content(one))
            if one.status is not EntryStatus.BOOKED:
                not_booked += len(one.details)
                continue
            entry = replace(one, details=())
            for details in one.details:
                pairs.append((entry, details))
                if len(pairs) == BLOCK:
                    yield _block(pairs, shapes)
                    pairs = []
        elif head is not None:
            if pairs:
                yield _block(pairs, shapes)
                pairs = []
            yield Ended(one, _seal(head, one, content.hexdigest()), not_booked)


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
