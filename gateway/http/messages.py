"""Bytes of requests -> values, and values -> bytes of answers.

Governed by RFC 8259 and RFC 9110. Numbers with a fraction are read as ``Decimal``, never through a
binary float. What is absent is left out of an answer; decimals are text; instants and days are
ISO 8601.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from functools import cache
from operator import attrgetter
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
    except RecursionError:
        raise Refused("json", "the body is nested too deeply.", next_step="Send it flatter.") from None
    except ValueError as error:
        told = f"the body is not JSON: {str(error)[:200]}."
        raise Refused("json", told, next_step="Send one JSON value in UTF-8.") from None


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


def named_by_path(field: str, name: str) -> dict[str, Any]:
    """The request's JSON object, whose ``field`` is what the path says; saying otherwise is refused."""
    media_type(JSON)
    data = json_object(request.get_data())
    if data.get(field) not in (None, name):
        told = f"differs from the path, which says {name[:80]!r}."
        raise Refused("request-invalid", f"/{field}: {told}", faults=[Fault(f"/{field}", "changed", told)])
    return data | {field: name}


def query(model: type[Body]) -> Body:
    """The request's query parameters as ``model``."""
    return model.model_validate(request.args.to_dict())


@cache
def _reader(kind: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """The names of a dataclass's fields, and what reads them all at once."""
    names = tuple(each.name for each in fields(kind))
    return names, attrgetter(*names) if len(names) > 1 else lambda value: (getattr(value, names[0]),)


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, date):  # a datetime is a date
        return value.isoformat()
    kind: Any = type(value)
    names, read = _reader(kind)  # fields() refuses what is no dataclass
    return {name: item for name, item in zip(names, read(value), strict=True) if item is not None}


_ENCODER = json.JSONEncoder(default=_plain, separators=(",", ":"))


def dumps(value: Any) -> str:
    """JSON text of plain data, dataclasses, decimals and days."""
    return _ENCODER.encode(value)


def answer(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer."""
    response = Response(dumps(value), status, content_type=JSON)
    if headers:
        response.headers.update(headers)
    return response


def document(content: bytes, media: str) -> Response:
    """Archived bytes exactly as they are."""
    return Response(content, 200, content_type=media)
