"""One decorator per endpoint: it lets the right caller in, and knows how to document itself.

Governed by OpenAPI 3.1. What an endpoint reads and answers is said once, in Python types; the
document at /openapi.json is made from those, so it cannot drift from the code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

from apiflask import APIFlask
from flask import Response, current_app
from pydantic import BaseModel, TypeAdapter

from formats.characters import illegal_character
from gateway.http import auth
from gateway.http.fields import EXTERNAL_LIMIT
from gateway.http.messages import JSON
from gateway.http.problems import MEDIA_TYPE, RETRY_SECONDS
from gateway.http.schema import Problem, TrueSchema
from gateway.stages.desk import Desk
from gateway.store.keys import SCOPES, KeyRing
from gateway.wiring import House
from o2c.errors import NotFound

_PATH_PART = re.compile(r"<(?:[^<:]+:)?([^>]+)>")
_REFERENCE = "#/components/schemas/{model}"
BINARY: Mapping[str, Any] = {"type": "string", "format": "binary"}


@dataclass(frozen=True, slots=True)
class Answer:
    """One documented answer: per content type what it holds (a type, or a ready schema)."""

    description: str
    content: Mapping[str, Any] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def answers(kind: Any, description: str, **headers: str) -> Answer:
    """A JSON answer of that type. ``Idempotent_Replayed`` stands for ``Idempotent-Replayed``."""
    return Answer(description, {JSON: kind}, {name.replace("_", "-"): told for name, told in headers.items()})


@dataclass(frozen=True, slots=True)
class Operation:
    """What is said of an endpoint."""

    scope: str | None
    good: Mapping[int, Answer]
    reads: Mapping[str, Any]  # content type -> type or schema of the request body
    query: type[BaseModel] | None
    headers: Mapping[str, str]
    conflicts: str | None


@dataclass(frozen=True, slots=True)
class Door:
    """What the endpoints need of the installation."""

    house: House
    keys: KeyRing


def door() -> Door:
    """The door of the running app."""
    found: Door = current_app.extensions["o2c"]
    return found


View = Callable[..., Response]


def operation(
    scope: str,
    good: Mapping[int, Answer],
    *,
    reads: Mapping[str, Any] | None = None,
    query: type[BaseModel] | None = None,
    headers: Mapping[str, str] | None = None,
    conflicts: str | None = None,
) -> Callable[[View], View]:
    """The view is called with the caller's ``Desk`` and the parts of the path."""
    told = Operation(scope, good, reads or {}, query, headers or {}, conflicts)

    def decorate(view: View) -> View:
        @wraps(view)
        def entered(**parts: str) -> Response:
            here = door()
            desk: Desk = auth.enter(here.house, here.keys, scope)
            for name, value in parts.items():
                if len(value) > EXTERNAL_LIMIT or illegal_character(value):
                    raise NotFound("path", f"{name} in the path is no id of ours.")
            return view(desk, **parts)

        entered.operation = told  # type: ignore[attr-defined]
        return entered

    return decorate


def public(good: Mapping[int, Answer]) -> Callable[[View], View]:
    """An endpoint that needs no key."""

    def decorate(view: View) -> View:
        view.operation = Operation(None, good, {}, None, {}, None)  # type: ignore[attr-defined]
        return view

    return decorate


# --- the OpenAPI document ------------------------------------------------------------------------
_PROBLEMS = {
    400: "The request cannot be read.",
    401: "No API key, or one that is wrong, revoked or expired.",
    403: "The API key lacks the scope.",
    404: "Not found.",
    413: "The body is larger than the limit.",
    415: "The content type is not read here.",
    422: "Understood and refused: the fields are named in `errors`.",
    500: "Our fault; the request id finds the log line.",
    503: f"Not at the moment; try again after {RETRY_SECONDS} seconds.",
}


@dataclass(slots=True)
class _Types:
    """The Python types that the document speaks of, each referred to by a stand-in until the end."""

    wanted: list[tuple[str, Any]] = field(default_factory=list)

    def stand_in(self, kind: Any, mode: str) -> Any:
        """A schema for ``kind``: itself if it is one already."""
        if isinstance(kind, Mapping):
            return dict(kind)
        if (mode, kind) not in self.wanted:
            self.wanted.append((mode, kind))
        return {"o2c": self.wanted.index((mode, kind))}

    def settle(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with every stand-in replaced and every schema among its components."""
        inputs: list[Any] = [(n, mode, TypeAdapter(kind)) for n, (mode, kind) in enumerate(self.wanted)]
        found, shared = TypeAdapter.json_schemas(inputs, ref_template=_REFERENCE, schema_generator=TrueSchema)
        by_number = {number: schema for (number, _), schema in found.items()}
        document.setdefault("components", {})["schemas"] = shared.get("$defs", {})
        settled: dict[str, Any] = _replace(document, by_number)
        return settled


def _replace(node: Any, schemas: Mapping[Any, Any]) -> Any:
    if isinstance(node, dict):
        if "o2c" in node:
            return schemas[node["o2c"]]
        return {key: _replace(item, schemas) for key, item in node.items()}
    return [_replace(item, schemas) for item in node] if isinstance(node, list) else node


def describe(app: APIFlask, document: Any) -> Any:
    """Complete the document that APIFlask has begun: bodies, queries, answers and problems."""
    types = _Types()
    document["tags"] = list({tag["name"]: tag for tag in document["tags"]}.values())
    for rule in app.url_map.iter_rules():
        told: Operation | None = getattr(app.view_functions[rule.endpoint], "operation", None)
        if told is not None:
            path = document["paths"][_PATH_PART.sub(r"{\1}", rule.rule)]
            for method in (rule.methods or set()) & {"GET", "POST", "PUT", "DELETE"}:
                _complete(path[method.lower()], rule.endpoint, told, bool(rule.arguments), types)
    return types.settle(document)


def _complete(node: dict[str, Any], endpoint: str, told: Operation, has_path: bool, types: _Types) -> None:
    node["operationId"] = endpoint.rpartition(".")[2]
    node["parameters"] = [_path_part(each) for each in node.get("parameters", [])]
    node["parameters"] += _query(told) + [_header(name, words) for name, words in told.headers.items()]
    if told.scope:
        node["security"] = [{"key": [told.scope]}]
        node["description"] = f"{node.get('description', '')}\n\nScope: `{told.scope}`.".strip()
    if told.reads:
        content = {
            media: {"schema": types.stand_in(kind, "validation")} for media, kind in told.reads.items()
        }
        node["requestBody"] = {"required": True, "content": content}
    node["responses"] = {str(status): _good(answer, types) for status, answer in told.good.items()}
    for status in _bad(told, has_path):
        words = told.conflicts if status == 409 and told.conflicts else _PROBLEMS.get(status, "")
        node["responses"][str(status)] = _problem(status, words, types)


def _path_part(parameter: dict[str, Any]) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": EXTERNAL_LIMIT}
    return {**parameter, "required": True, "schema": schema}


def _query(told: Operation) -> list[dict[str, Any]]:
    if told.query is None:
        return []
    schema = told.query.model_json_schema(schema_generator=TrueSchema)
    required = schema.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": each}
        for name, each in schema["properties"].items()
    ]


def _header(name: str, words: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": EXTERNAL_LIMIT, "pattern": "^[!-~]+$"}
    return {"name": name, "in": "header", "required": False, "description": words, "schema": schema}


def _good(answer: Answer, types: _Types) -> dict[str, Any]:
    node: dict[str, Any] = {"description": answer.description, "headers": _headers(answer.headers)}
    if answer.content:
        node["content"] = {
            media: {"schema": types.stand_in(kind, "serialization")} for media, kind in answer.content.items()
        }
    return node


def _headers(more: Mapping[str, str]) -> dict[str, Any]:
    told = {"X-Request-Id": "Names this request in our log.", **more}
    return {name: {"description": words, "schema": {"type": "string"}} for name, words in told.items()}


def _bad(told: Operation, has_path: bool) -> list[int]:
    bad = [500, 503]
    bad += [401, 403] if told.scope else []
    bad += [404] if has_path else []
    bad += [409] if told.conflicts else []
    bad += [400, 409, 413, 415, 422] if told.reads else []
    bad += [422] if told.query or has_path else []
    return sorted(set(bad) - told.good.keys())


def _problem(status: int, words: str, types: _Types) -> dict[str, Any]:
    more = {"Retry-After": "Seconds to wait."} if status == 503 else {}
    more |= {"WWW-Authenticate": "Bearer."} if status == 401 else {}
    content = {MEDIA_TYPE: {"schema": types.stand_in(Problem, "serialization")}}
    return {
        "description": words or "Contradicts what is stored.",
        "headers": _headers(more),
        "content": content,
    }


def security_scheme() -> dict[str, Any]:
    """How to show a key, for the document."""
    words = "An API key of the company: `o2c_...`. Scopes: " + ", ".join(f"`{s}`" for s in SCOPES) + "."
    return {"type": "http", "scheme": "bearer", "description": words}
