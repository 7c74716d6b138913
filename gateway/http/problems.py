"""Every error as a problem document.

Governed by RFC 9457 (application/problem+json). ``code`` is stable, ``errors`` point at the fields
(RFC 6901 for JSON bodies), ``next_step`` says what to do, ``request_id`` finds the log line. A
problem never shows our insides: what we must mend ourselves is told by its request id only.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import structlog
from flask import Response, g
from pydantic import ValidationError
from sqlalchemy.exc import DataError, IntegrityError, InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException

from o2c.errors import Broken, Conflict, Fault, NotFound, O2CError, Refused, Unavailable

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 5
_SHOWN_ERRORS = 100

_TITLES = {
    400: "The request cannot be read",
    401: "Who are you?",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    409: "Contradicts what is stored",
    413: "Too large",
    415: "Not a type we read",
    422: "Understood and refused",
    500: "Our fault",
    503: "Not at the moment",
}
# What the web server's own errors are called here, and what to do about them.
_WEB = {
    404: ("path", "See /docs for every path."),
    405: ("method", "See the Allow header and /docs."),
    413: ("too-large", "Send less at once."),
}
_UNREADABLE = frozenset({"json", "body"})
# Pydantic's error types by our own codes; the others keep their name.
_CODES = {
    "missing": "missing",
    "extra_forbidden": "unknown",
    "string_too_long": "too-long",
    "string_too_short": "too-short",
    "string_type": "type",
    "int_type": "type",
    "bool_type": "type",
    "list_type": "type",
    "tuple_type": "type",
    "model_type": "type",
    "string_unicode": "character",
    "literal_error": "choice",
    "enum": "choice",
    "string_pattern_mismatch": "pattern",
}
_log = structlog.get_logger()


class Unauthorised(Refused):
    """Nobody we know: 401."""


class Forbidden(Refused):
    """Known, and not allowed: 403."""


class UnsupportedMedia(Refused):
    """A content type that is not read here: 415."""


class Unfit(ValueError):
    """Raised inside a field's check: what is wrong with the value, under a code of ours."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@contextmanager
def named_in_body(pointer: str) -> Iterator[None]:
    """What is missing was named in the body, not in the path: 422 with the field, not 404."""
    try:
        yield
    except NotFound as missing:
        fault = Fault(pointer, "unknown", missing.message)
        raise Refused(missing.code, missing.message, next_step=missing.next_step, faults=[fault]) from None


def problem(
    status: int,
    code: str,
    detail: str,
    next_step: str = "",
    faults: Iterable[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """One problem document as a response."""
    content = json.dumps(as_data(status, code, detail, next_step, faults))
    response = Response(content, status, content_type=MEDIA_TYPE)
    response.headers.update(headers or {})
    return response


def as_data(
    status: int, code: str, detail: str, next_step: str = "", faults: Iterable[Fault] = ()
) -> dict[str, Any]:
    """The members of a problem document."""
    data: dict[str, Any] = {
        "type": f"/problems/{code}",
        "title": _TITLES.get(status, "Refused"),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": g.request_id,
    }
    errors = [fault_data(fault) for fault in faults]
    if errors:
        data["errors"] = errors[:_SHOWN_ERRORS]
    return data | ({"next_step": next_step} if next_step else {})


def fault_data(fault: Fault) -> dict[str, Any]:
    """One fault; the line only where it is in a file."""
    data: dict[str, Any] = {"pointer": fault.pointer, "code": fault.code, "message": fault.message}
    return data if fault.line is None else data | {"line": fault.line}


def status_of(error: O2CError) -> int:
    """The HTTP status that an error of the house means."""
    by_kind = (
        (Unauthorised, 401),
        (Forbidden, 403),
        (UnsupportedMedia, 415),
        (NotFound, 404),
        (Conflict, 409),
        (Unavailable, 503),
        (Broken, 500),
    )
    for kind, status in by_kind:
        if isinstance(error, kind):
            return status
    return 413 if error.code == "too-large" else 400 if error.code in _UNREADABLE else 422


def explained(error: Exception) -> O2CError:
    """Any error as one of the house. What nobody foresaw is ``Broken``, and logged."""
    if isinstance(error, O2CError):
        if isinstance(error, Broken):
            _log.error("broken", request_id=g.request_id, code=error.code, error=str(error), exc_info=error)
            return _our_fault(error.code)
        return error
    if isinstance(error, ValidationError):
        return _invalid(error)
    if isinstance(error, DataError | ArithmeticError):
        # A figure or text that passed every check of ours and still does not fit a column.
        _log.warning("does not fit", request_id=g.request_id, error=type(error).__name__, exc_info=error)
        return Refused(
            "out-of-range", "a figure or text is larger than can be stored.", next_step="Send smaller ones."
        )
    if isinstance(error, IntegrityError):
        _log.warning("crossed", request_id=g.request_id, exc_info=error)
        return Conflict("crossed", "another request changed the same thing.", next_step="Send it again.")
    if isinstance(error, OperationalError | InterfaceError):
        _log.error("database", request_id=g.request_id, exc_info=error)
        return Unavailable("database-unreachable", "the database does not answer.", next_step="Try again.")
    _log.error("failed", request_id=g.request_id, exc_info=error)
    return _our_fault("internal")


def _our_fault(code: str) -> Broken:
    return Broken(code, "something broke on our side; it is logged.", next_step="Report the request_id.")


def _invalid(error: ValidationError) -> Refused:
    faults = [_fault(each) for each in error.errors(include_url=False, include_input=False)]
    first = f"{faults[0].pointer or '/'}: {faults[0].message}"
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    return Refused("request-invalid", f"{first}{more}", faults=faults)


def _fault(each: Mapping[str, Any]) -> Fault:
    cause = each.get("ctx", {}).get("error")
    if isinstance(cause, Unfit):
        return Fault(_pointer(each["loc"]), cause.code, str(cause))
    code = _CODES.get(each["type"], each["type"].replace("_", "-"))
    return Fault(_pointer(each["loc"]), code, each["msg"])


def _pointer(location: tuple[int | str, ...]) -> str:
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in location)


def handle(error: Exception) -> Response:
    """The one error handler of the app."""
    if isinstance(error, HTTPException):
        return _web_problem(error)
    known = explained(error)
    headers = {}
    if isinstance(known, Unavailable):
        headers["Retry-After"] = str(RETRY_SECONDS)
    if isinstance(known, Unauthorised):
        headers["WWW-Authenticate"] = 'Bearer realm="o2c"'
    return problem(
        status_of(known), known.code, _sentence(known.message), known.next_step, known.faults, headers
    )


def _sentence(message: str) -> str:
    """A message with a full stop; those of the house mostly have one."""
    return message if message.endswith((".", "!", "?")) else f"{message}."


def _web_problem(error: HTTPException) -> Response:
    status = error.code or 500
    code, next_step = _WEB.get(status, ("http", ""))
    headers = {name: value for name, value in error.get_headers() if name == "Allow"}
    return problem(status, code, error.description or error.name, next_step, headers=headers)
