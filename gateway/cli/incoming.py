"""Orders in files: found, read, and stored in groups, as the API would store them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from formats.ubl.read_order import read_order
from gateway.cli.records import records
from gateway.http import acceptable
from gateway.http.orders import read_json, same_but_for
from gateway.stages.answer import PEPPOL
from gateway.stages.desk import Desk
from gateway.stages.receive import Incoming, Received, receive_orders
from gateway.store.archive import Document
from o2c.errors import Conflict, Fault, O2CError, Refused
from o2c.order import Order

_SUFFIXES = (".xml", ".json", ".ndjson", ".jsonl")


@dataclass(frozen=True, slots=True)
class Reading:
    """An order as read, or why it is none. ``filled`` are the fields that we filled in."""

    path: Path
    line: int | None
    incoming: Incoming | None = None
    filled: frozenset[str] = frozenset()
    error: O2CError | None = None


def readings(desk: Desk, paths: Sequence[Path]) -> Iterator[Reading]:
    """Every order of the files, and of the files in the folders."""
    for path in paths:
        inside = (
            sorted(p for p in path.rglob("*") if p.suffix.lower() in _SUFFIXES) if path.is_dir() else [path]
        )
        for file in inside:
            yield from [_xml(file)] if file.suffix.lower() == ".xml" else _json(desk, file)


def _xml(path: Path) -> Reading:
    content = path.read_bytes()
    try:
        order = read_order(content, PEPPOL)
        acceptable.order(order)
    except Refused as error:
        return Reading(path, None, error=error)
    return Reading(path, None, Incoming(order, Document("order", "application/xml", content)))


def _json(desk: Desk, path: Path) -> Iterator[Reading]:
    try:
        for record in records(path, Order):
            try:
                if not isinstance(record.data, dict):
                    raise Refused(
                        "order-invalid", "an order is an object.", faults=[Fault("", "type", "no object")]
                    )
                order, filled = read_json(desk, record.data)
            except Refused as error:
                yield Reading(path, record.line, error=error)
            else:
                document = Document("order", "application/json", record.text.encode())
                yield Reading(path, record.line, Incoming(order, document), filled)
    except Refused as error:
        yield Reading(path, None, error=error)


def accept(desk: Desk, group: Sequence[Reading]) -> list[tuple[Reading, Received | O2CError]]:
    """Store a group with one commit; each order stands or falls alone."""
    good = [one for one in group if one.incoming is not None]
    results = receive_orders(desk, [one.incoming for one in good if one.incoming is not None]) if good else []
    became = {id(one): _forgiven(desk, one, result) for one, result in zip(good, results, strict=True)}
    return [(one, one.error or became[id(one)]) for one in group]


def _forgiven(desk: Desk, one: Reading, result: Received | O2CError) -> Received | O2CError:
    """A repeat that differs only in what we filled in is the same order."""
    if isinstance(result, Conflict) and one.incoming is not None:
        return same_but_for(desk, one.incoming, one.filled, result) or result
    return result
