"""Our JSON: the business values of ``o2c`` as plain data, and back without a loss.

Governed by RFC 8259 (JSON) and RFC 6901 (pointers). One object per dataclass, field names as
they are; decimals are text, dates are ISO 8601, code lists are their official code; what is
absent is left out. A JSON float is never an amount: it lost its digits before we saw it. The
codec is compiled once per class from its type hints, so a new field needs no line here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import orjson

from formats.decoding import decoder, has_default, is_optional, plain_hint, token
from o2c.errors import Broken, Fault, Refused

T = TypeVar("T")
Encoder = Callable[[Any], Any]

_ABSENT: Any = object()
_JSON = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
# Values of the core are never written as the library would: they go through our own codec.
_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


def encode(value: object) -> Any:
    """JSON-able data of a dataclass of ``o2c``.

    Absent fields are left out, and so is an empty list or object where its absence reads back
    as empty; a required list that is empty (an order without lines) stays visible as ``[]``.
    """
    kind: Any = type(value)
    return _encoder(kind)(value)


def decode(cls: type[T], data: object, pointer: str = "", *, code: str = "order-invalid") -> T:
    """The value of ``cls`` that ``data`` (as from ``json.loads``) describes.

    Raises ``Refused(code)`` with one ``Fault`` for every problem found; pointers start with
    ``pointer``. Fault codes: ``missing``, ``unknown``, ``type``, ``number``, ``date``, ``choice``,
    ``character``.
    """
    faults: list[Fault] = []
    kind: Any = cls
    value: T = decoder(kind)(data, pointer, faults)
    if faults:
        first = f"{faults[0].pointer or '/'}: {faults[0].message}"
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        raise Refused(code, f"{first}{more}", faults=faults)
    return value


def dumps(data: object) -> bytes:
    """The one JSON text of ``data``: keys sorted, no spaces, UTF-8. Same data, same bytes."""
    return _JSON.encode(data).encode()


def pack(value: object, default: Callable[[Any], Any]) -> bytes:
    """The same text, seven times as fast, for values of our own making: a number that is none (NaN) is
    not refused. ``default`` turns what JSON does not know into what it knows."""
    return orjson.dumps(value, default, _OPTIONS)


def loads(text: str | bytes) -> Any:
    """The data of a JSON text of our own; what others send is judged where it comes in."""
    return orjson.loads(text)


def sha256(data: bytes) -> str:
    """SHA-256 of ``data`` in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def differences(a: object, b: object) -> list[str]:
    """Pointers to the fields in which two JSON values differ, in sorted order of keys."""
    return list(_differences(a, b, ""))


def _differences(a: object, b: object, pointer: str) -> Iterator[str]:
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(a.keys() | b.keys()):
            yield from _differences(a.get(key, _ABSENT), b.get(key, _ABSENT), f"{pointer}/{token(key)}")
    elif isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for index, (left, right) in enumerate(zip(a, b, strict=True)):
            yield from _differences(left, right, f"{pointer}/{index}")
    elif a != b or isinstance(a, bool) != isinstance(b, bool):
        yield pointer


@cache
def _encoder(hint: Any) -> Encoder:
    hint = plain_hint(hint)
    if is_dataclass(hint):
        return _object_encoder(hint)
    origin = get_origin(hint)
    if origin is tuple:
        return _tuple_encoder(get_args(hint))
    if origin is not None and issubclass(origin, Mapping):
        item = _encoder(get_args(hint)[1])
        return lambda value: {key: item(each) for key, each in value.items()}
    if isinstance(hint, UnionType):
        return _union_encoder(get_args(hint))
    return _leaf_encoder(hint)


def _leaf_encoder(hint: Any) -> Encoder:
    if hint in (str, int, bool):
        return lambda value: value
    if hint is Decimal:
        return lambda value: format(value, "f")
    if hint in (date, datetime):
        return lambda value: value.isoformat()
    if isinstance(hint, type) and issubclass(hint, Enum):
        return lambda value: value.value
    raise Broken("canonical-type", f"there is no JSON form for {hint!r}.")


def _tuple_encoder(args: tuple[Any, ...]) -> Encoder:
    if len(args) == 2 and args[1] is Ellipsis:
        item = _encoder(args[0])
        return lambda value: [item(each) for each in value]
    items = [_encoder(arg) for arg in args]
    return lambda value: [item(each) for item, each in zip(items, value, strict=True)]


def _union_encoder(args: tuple[Any, ...]) -> Encoder:
    encoders = {arg: _encoder(arg) for arg in args}
    if Decimal in encoders and str in encoders:
        # Both are JSON text; the decimal says so, or it would come back as text.
        encoders[Decimal] = lambda value: {"decimal": format(value, "f")}
    return lambda value: encoders[type(value)](value)


def _object_encoder(cls: Any) -> Encoder:
    hints = get_type_hints(cls)
    # An empty value is left out only where leaving it out reads back as empty.
    plan = [(each.name, _encoder(hints[each.name]), _may_vanish(each, hints)) for each in fields(cls)]

    def encode_object(value: Any) -> dict[str, Any]:
        data = {}
        for name, encoder, may_vanish in plan:
            item = getattr(value, name)
            if item is not None:
                encoded = encoder(item)
                if encoded or not may_vanish:
                    data[name] = encoded
        return data

    return encode_object


def _may_vanish(field: Field[Any], hints: dict[str, Any]) -> bool:
    hint = hints[field.name]
    contains = is_dataclass(hint) or get_origin(hint) is not None
    return contains and has_default(field) and not is_optional(hint)
