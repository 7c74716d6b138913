"""Many orders in one request, as lines of JSON (NDJSON), answered line by line while they are read.

Orders are stored in groups of ``GROUP`` with one commit each; every line stands or falls alone, and
its answer says what became of it. A line that cannot be stored never takes others with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader
from itertools import islice
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, stream_with_context
from werkzeug.exceptions import HTTPException

from gateway.http import messages, problems
from gateway.http.messages import JSON, NDJSON
from gateway.http.operation import BINARY, Answer, operation
from gateway.http.orders import read_json, receive, same_but_for
from gateway.stages.desk import Desk
from gateway.stages.receive import Incoming, Received, receive_orders
from gateway.store.archive import Document
from o2c.errors import Conflict, O2CError, Refused

blueprint = APIBlueprint("bulk", __name__, tag="Orders")

GROUP = 100
LINE_LIMIT = 5_000_000  # bytes


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the request: an order to store, or why it is none."""

    index: int
    incoming: Incoming | None = None
    filled: frozenset[str] = frozenset()
    error: O2CError | None = None


@blueprint.post("/v1/orders/bulk")
@operation(
    "orders:write",
    {
        200: Answer(
            "A line each: `index`, `status`, and `order_id` with `state`, or `problem`.", {NDJSON: BINARY}
        )
    },
    reads={NDJSON: BINARY},
)
def create_orders(desk: Desk) -> Response:
    """Put in many orders

    Each line is an order as in `POST /v1/orders`; the lines of the answer are in the same order."""
    messages.media_type(NDJSON)
    reader = BufferedReader(request.stream)  # type: ignore[type-var]  # werkzeug's stream is a RawIOBase
    return Response(stream_with_context(_answers(desk, reader)), content_type=NDJSON)


def _answers(desk: Desk, reader: BufferedReader[Any]) -> Iterator[str]:
    lines = _lines(desk, reader)
    while group := list(islice(lines, GROUP)):
        for line, result in zip(group, _receive(desk, group), strict=True):
            yield messages.dumps(_told(line.index, result)) + "\n"


def _lines(desk: Desk, reader: BufferedReader[Any]) -> Iterator[_Line]:
    index = 0
    while True:
        try:
            content = reader.readline(LINE_LIMIT + 1)
        except HTTPException as error:  # larger than the limit, or the caller has gone
            words = error.description or error.name
            yield _Line(index, error=Refused("too-large", words, next_step="Send the rest by itself."))
            return
        if not content:
            return
        if len(content) > LINE_LIMIT:
            words = f"line {index} is longer than {LINE_LIMIT:,} bytes; it and what follows was not read."
            yield _Line(index, error=Refused("too-large", words, next_step="Send it as POST /v1/orders."))
            return
        if content.strip():
            yield _read(desk, index, content)
            index += 1


def _read(desk: Desk, index: int, content: bytes) -> _Line:
    try:
        order, filled = read_json(desk, messages.json_object(content))
    except O2CError as error:
        return _Line(index, error=error)
    return _Line(index, Incoming(order, Document("order", JSON, content.strip())), filled)


def _receive(desk: Desk, group: Sequence[_Line]) -> list[Received | O2CError]:
    good = [line for line in group if line.incoming is not None]
    results = dict(zip((line.index for line in good), _store(desk, good), strict=True))
    return [line.error or results[line.index] for line in group]


def _store(desk: Desk, good: Sequence[_Line]) -> list[Received | O2CError]:
    if not good:
        return []
    try:
        stored = receive_orders(desk, [line.incoming for line in good if line.incoming is not None])
    except Exception:  # one of them broke the group's transaction: each gets its own
        return [_alone(desk, line) for line in good]
    return [_forgiven(desk, line, result) for line, result in zip(good, stored, strict=True)]


def _alone(desk: Desk, line: _Line) -> Received | O2CError:
    assert line.incoming is not None
    try:
        return receive(desk, line.incoming, line.filled)
    except Exception as error:
        return problems.explained(error)


def _forgiven(desk: Desk, line: _Line, result: Received | O2CError) -> Received | O2CError:
    """A repeat that differs only in what we filled in is the same order."""
    if isinstance(result, Conflict) and line.incoming is not None:
        return same_but_for(desk, line.incoming, line.filled, result) or result
    return problems.explained(result) if isinstance(result, O2CError) else result


def _told(index: int, result: Received | O2CError) -> dict[str, Any]:
    if isinstance(result, Received):
        stored = result.stored
        status = 200 if result.replayed else 201
        return {"index": index, "status": status, "order_id": stored.order_id, "state": stored.state}
    status = problems.status_of(result)
    told = problems.as_data(status, result.code, result.message, result.next_step, result.faults)
    return {"index": index, "status": status, "problem": told}
