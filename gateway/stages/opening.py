"""Lines of open items, from a file or a request: read one by one, taken over in pieces.

The whole is never in memory. Each line stands or falls alone and is named by its number.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Any

from gateway.stages.cycles import no_cycles
from gateway.stages.desk import Desk
from gateway.stages.takeover import Books, take_over
from o2c.errors import Refused
from o2c.opening import ITEM_FIELDS, TakenOver, read_item

PIECE = 40_000  # lines that share one commit

Line = tuple[int, bytes]  # its number, counted from 1, and its content


@dataclass(frozen=True, slots=True)
class Piece:
    """What became of some lines: refusals by line, fields that nobody reads, and how many new items of
    which currency had no exchange rate. ``size`` is in bytes."""

    new: int
    known: int
    refused: Sequence[tuple[int, Refused]]
    unused: frozenset[str]
    unvalued: Counter[str]
    size: int


def take_lines(desk: Desk, lines: Iterable[Line]) -> Iterator[Piece]:
    """Take the items of these lines over; each piece is told of once it is durable."""
    books, source = Books(desk), iter(lines)
    while some := list(islice(source, PIECE)):
        with no_cycles():
            piece = _take(books, some)
        yield piece


def _take(books: Books, lines: Sequence[Line]) -> Piece:
    good: list[TakenOver] = []
    places: list[int] = []
    refused: list[tuple[int, Refused]] = []
    unused: set[str] = set()
    for number, content in lines:
        if content.isspace():
            continue
        try:
            data = _json(content)
            good.append(read_item(data))
            places.append(number)
        except Refused as error:
            refused.append((number, error))
        else:
            if not data.keys() <= ITEM_FIELDS:
                unused |= data.keys() - ITEM_FIELDS
    taken = take_over(books, good)
    refused += ((places[place], reason) for place, reason in taken.refused.items())
    size = sum(len(content) for _, content in lines)
    refused.sort(key=_by_line)
    return Piece(taken.new, taken.known, refused, frozenset(unused), taken.unvalued, size)


def _by_line(one: tuple[int, Refused]) -> int:
    return one[0]


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_decode = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant).decode


def _json(content: bytes) -> Any:
    try:
        return _decode(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        told = f"the line is not JSON: {error}."
        raise Refused("json", told, next_step="Mend the line and send it again.") from None
