"""Orders in files: found, read, and stored in groups, as the API would store them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from formats.ubl.read_order import read_order
from gateway.cli.records import records
from gateway.http import acceptable
from gateway.http.orders import Sent, forgiven, read_json
from gateway.stages.answer import PEPPOL
from gateway.stages.desk import Desk
from gateway.stages.receive import Incoming, Received, receive_orders
from gateway.store.archive import Document
from o2c.errors import O2CError, Refused
from o2c.order import Order

_SUFFIXES = (".xml", ".json", ".ndjson", ".jsonl")


@dataclass(frozen=True, slots=True)
class Reading:
    """An order as read from a file, or why it is none."""

    path: Path
    line: int | None
    order: Sent | O2CError


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
        return Reading(path, None, error)
    document = Document("order", "application/xml", content)
    return Reading(path, None, Sent(Incoming(order, document), undated=False))


def _json(desk: Desk, path: Path) -> Iterator[Reading]:
    try:
        for record in records(path, Order):
            try:
                yield Reading(path, record.line, read_json(desk, record.text.encode()))
            except Refused as error:
                yield Reading(path, record.line, error)
    except Refused as error:
        yield Reading(path, None, error)


def accept(desk: Desk, group: Sequence[Reading]) -> list[tuple[Reading, Received | O2CError]]:
    """Store a group with one commit; each order stands or falls alone."""
    sent = [one.order for one in group if isinstance(one.order, Sent)]
    results = iter(receive_orders(desk, [one.incoming for one in sent]) if sent else [])
    return [
        (one, forgiven(desk, one.order, next(results)) if isinstance(one.order, Sent) else one.order)
        for one in group
    ]
