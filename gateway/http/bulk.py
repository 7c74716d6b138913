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
from gateway.http.messages import NDJSON
from gateway.http.operation import BINARY, Answer, operation
from gateway.http.orders import Sent, forgiven, read_json
from gateway.stages.desk import Desk
from gateway.stages.receive import Received, receive_orders
from o2c.errors import O2CError, Refused

blueprint = APIBlueprint("bulk", __name__, tag="Orders")

GROUP = 100
LINE_LIMIT = 5_000_000  # bytes


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of the request: an order to store, or why it is none."""

    index: int
    content: Sent | O2CError


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
            yield _Line(index, Refused("too-large", words, next_step="Send the rest by itself."))
            return
        if not content:
            return
        if len(content) > LINE_LIMIT:
            words = f"line {index} is longer than {LINE_LIMIT:,} bytes; it and what follows was not read."
            yield _Line(index, Refused("too-large", words, next_step="Send it as POST /v1/orders."))
            return
        if content.strip():
            yield _Line(index, _read(desk, content))
            index += 1


def _read(desk: Desk, content: bytes) -> Sent | O2CError:
    try:
        return read_json(desk, content.strip())
    except O2CError as error:
        return error


def _receive(desk: Desk, group: Sequence[_Line]) -> list[Received | O2CError]:
    good = [line.content for line in group if isinstance(line.content, Sent)]
    results = iter(_store(desk, good))
    return [next(results) if isinstance(line.content, Sent) else line.content for line in group]


def _store(desk: Desk, good: Sequence[Sent]) -> list[Received | O2CError]:
    results = receive_orders(desk, [sent.incoming for sent in good]) if good else []
    return [forgiven(desk, sent, result) for sent, result in zip(good, results, strict=True)]


def _told(index: int, result: Received | O2CError) -> dict[str, Any]:
    if isinstance(result, Received):
        stored = result.stored
        status = 200 if result.replayed else 201
        return {"index": index, "status": status, "order_id": stored.order_id, "state": stored.state}
    status = problems.status_of(result)
    told = problems.as_data(status, result.code, result.message, result.next_step, result.faults)
    return {"index": index, "status": status, "problem": told}
