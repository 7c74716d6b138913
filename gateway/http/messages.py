"""Bytes of requests -> values, and values -> bytes of answers.

Governed by RFC 8259 and RFC 9110. Numbers with a fraction are read as ``Decimal``, never through a
binary float. What is absent is left out of an answer; decimals are text; instants and days are
ISO 8601.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any, TypeVar

from flask import Response, request
from pydantic import BaseModel

from gateway.http.problems import UnsupportedMedia
from o2c.errors import Fault, Refused

Body = TypeVar("Body", bound=BaseModel)

JSON = "application/json"
XML = "application/xml"
NDJSON = "application/x-ndjson"
_ALIASES = {"text/xml": XML, "application/ndjson": NDJSON, "application/jsonl": NDJSON}


def media_type(*known: str) -> str:
    """The content type of the request if it is one of ``known``; else ``UnsupportedMedia``."""
    said = _ALIASES.get(request.mimetype, request.mimetype)
    if said not in known:
        raise UnsupportedMedia(
            "media-type",
            f"the content type {request.mimetype or '(none)'!r} is not read here.",
            next_step=f"Send Content-Type: {' or '.join(known)}.",
        )
    return said


def wants_xml() -> bool:
    """Whether the caller would rather have XML than JSON (Accept)."""
    return request.accept_mimetypes.best_match((JSON, XML, "text/xml")) in (XML, "text/xml")


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


def parse(content: bytes) -> Any:
    """The JSON value; ``Refused('json')`` says where it cannot be read."""
    try:
        return _DECODER.decode(content.decode())
    except (ValueError, RecursionError) as error:
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise Refused("json", f"the body is not JSON: {reason[:200]}.", next_step="Send one JSON value.") from None


def json_object(content: bytes) -> dict[str, Any]:
    """The JSON object; ``Refused('json')`` or ``Refused('request-invalid')``."""
    data = parse(content)
    if type(data) is not dict:
        raise Refused(
            "request-invalid",
            "the body must be a JSON object.",
            faults=[Fault("", "type", "must be an object.")],
        )
    return data


def body(model: type[Body]) -> Body:
    """The request's JSON body as ``model``; pydantic's errors become a problem."""
    media_type(JSON)
    return model.model_validate(json_object(request.get_data()))


def query(model: type[Body]) -> Body:
    """The request's query parameters as ``model``."""
    return model.model_validate(request.args.to_dict())


@cache
def _names(cls: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cls))


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    if is_dataclass(value):
        pairs = ((name, getattr(value, name)) for name in _names(type(value)))
        return {name: item for name, item in pairs if item is not None}
    raise TypeError(f"{type(value).__name__} has no JSON form")


def dumps(value: Any) -> str:
    """JSON text of plain data, dataclasses, decimals and days."""
    return json.dumps(value, default=_plain, separators=(",", ":"))


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    response = Response(dumps(value), status, content_type=JSON)
    if headers:
        response.headers.update(headers)
    return response


def document(content: bytes, media: str) -> Response:
    """Archived bytes exactly as they are."""
    return Response(content, 200, content_type=media)
