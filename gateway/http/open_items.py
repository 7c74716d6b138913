"""Open items of a former system in one request, as lines of JSON (NDJSON), taken while they are read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from io import BufferedReader
from typing import Any

from apiflask import APIBlueprint
from flask import Response, request, stream_with_context
from werkzeug.exceptions import HTTPException

from gateway.http import messages, problems
from gateway.http.messages import NDJSON
from gateway.http.operation import BINARY, Answer, operation
from gateway.stages.desk import Desk
from gateway.stages.opening import take_lines
from o2c.errors import Refused

blueprint = APIBlueprint("open_items", __name__, tag="Receivables")

_LINE_LIMIT = 100_000  # bytes


@blueprint.post("/v1/open-items")
@operation(
    "receivables:write",
    {
        200: Answer(
            "A line for each item that was refused: `line`, `status`, `problem`; the last line counts:"
            " `created`, `known`, `refused`, and fields that were `unused`.",
            {NDJSON: BINARY},
        )
    },
    reads={NDJSON: BINARY},
)
def take_over_items(desk: Desk) -> Response:
    """Take open items of a former system over

    Each line is `{number, kind, customer, issued, due, open, currency, discount, reference}`. They are
    booked against the opening balance; sending them again changes nothing."""
    messages.media_type(NDJSON)
    reader = BufferedReader(request.stream)  # type: ignore[type-var]  # werkzeug's stream is a RawIOBase
    return Response(stream_with_context(_answers(desk, reader)), content_type=NDJSON)


def _answers(desk: Desk, reader: BufferedReader[Any]) -> Iterator[str]:
    counts: Counter[str] = Counter()
    unused: set[str] = set()
    unvalued: Counter[str] = Counter()
    cut: list[tuple[int, Refused]] = []
    for piece in take_lines(desk, _lines(reader, cut)):
        counts.update(created=piece.new, known=piece.known, refused=len(piece.refused))
        unused |= piece.unused
        unvalued += piece.unvalued
        yield from (_told(line, error) for line, error in piece.refused)
    counts.update(refused=len(cut))
    yield from (_told(line, error) for line, error in cut)
    sums = {name: counts[name] for name in ("created", "known", "refused")}
    yield messages.dumps(sums | {"unused": sorted(unused), "unvalued": unvalued}) + "\n"


def _lines(reader: BufferedReader[Any], cut: list[tuple[int, Refused]]) -> Iterator[tuple[int, bytes]]:
    """The lines of the body; why it could not be read to its end is added to ``cut``."""
    number = 0
    while True:
        number += 1
        try:
            content = reader.readline(_LINE_LIMIT + 1)
        except HTTPException as error:  # larger than the limit, or the caller has gone
            words = error.description or error.name
            cut.append((number, Refused("too-large", words, next_step="Send the rest by itself.")))
            return
        if len(content) > _LINE_LIMIT:
            words = f"the line is longer than {_LINE_LIMIT:,} bytes; it and what follows was not read."
            cut.append((number, Refused("too-large", words, next_step="Mend the line.")))
            return
        if not content:
            return
        yield number, content


def _told(line: int, error: Refused) -> str:
    status = problems.status_of(error)
    told = problems.as_data(status, error.code, error.message, error.next_step, error.faults)
    return messages.dumps({"line": line, "status": status, "problem": told}) + "\n"
