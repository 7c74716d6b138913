"""From JSON to the business values of ``o2c``: every problem found, each with its place.

Governed by RFC 8259 (JSON) and RFC 6901 (pointers). A decoder is compiled once per class from
its type hints. It never guesses and never stops at the first fault; a JSON float is refused,
because it lost its digits before we saw it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from difflib import get_close_matches
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from formats.characters import illegal_character
from o2c.errors import Fault, Refused
from o2c.money import parse_decimal

Decoder = Callable[[Any, str, list[Fault]], Any]

_BAD: Any = object()  # stands for a value that could not be read; its fault is already on the list
_DIGITS = 28  # beyond this, decimal arithmetic rounds without telling


def plain_hint(hint: Any) -> Any:
    """``NewType`` -> what it stands for; ``X | None`` -> ``X``: absence is the object's business."""
    hint = getattr(hint, "__supertype__", hint)
    if get_origin(hint) in (Union, UnionType):
        rest = [arg for arg in get_args(hint) if arg is not NoneType]
        if len(rest) == 1:
            return plain_hint(rest[0])
    return hint


def is_optional(hint: Any) -> bool:
    """Whether a field may be absent by its type (``X | None``)."""
    return get_origin(hint) in (Union, UnionType) and NoneType in get_args(hint)


def token(key: object) -> str:
    """One step of a JSON pointer (RFC 6901 section 3)."""
    return str(key).replace("~", "~0").replace("/", "~1")


def has_default(field: Field[Any]) -> bool:
    """Whether the field may be left out of the data."""
    return field.default is not MISSING or field.default_factory is not MISSING


@cache
def decoder(hint: Any) -> Decoder:
    """Reads data (value, pointer, faults) as the type ``hint``."""
    hint = plain_hint(hint)
    if is_dataclass(hint):
        return _object_decoder(hint)
    origin = get_origin(hint)
    if origin is tuple:
        return _tuple_decoder(get_args(hint))
    if origin is not None and issubclass(origin, Mapping):
        return _mapping_decoder(get_args(hint)[1])
    if isinstance(hint, UnionType):
        return _decode_fact
    if isinstance(hint, type) and issubclass(hint, Enum):
        return _enum_decoder(hint)
    return _LEAVES[hint]


def _fault(faults: list[Fault], pointer: str, code: str, message: str) -> Any:
    faults.append(Fault(pointer, code, message))
    return _BAD


def _kind(value: object) -> str:
    names = {bool: "a truth value", int: "a number", float: "a number", str: "text", list: "a list"}
    return "null" if value is None else names.get(type(value), "an object")


def _decode_text(value: Any, pointer: str, faults: list[Fault]) -> Any:
    if type(value) is not str:
        return _fault(faults, pointer, "type", f"must be text, not {_kind(value)}.")
    bad = illegal_character(value)
    if bad:
        return _fault(faults, pointer, "character", f"holds {bad}, which no business document can carry.")
    return value


def _decode_decimal(value: Any, pointer: str, faults: list[Fault]) -> Any:
    if type(value) is str:
        try:
            value = parse_decimal(value)
        except Refused as refused:
            return _fault(faults, pointer, "number", refused.message)
    elif type(value) is int:
        value = Decimal(value)
    elif type(value) is float:
        told = f'must be text such as "{value:.2f}": a JSON number with a fraction is a binary float.'
        return _fault(faults, pointer, "number", told)
    if not isinstance(value, Decimal) or not value.is_finite():
        return _fault(faults, pointer, "type", f'must be a number as text, e.g. "12.50", not {_kind(value)}.')
    if len(value.as_tuple().digits) > _DIGITS or abs(value.adjusted()) > _DIGITS:
        return _fault(faults, pointer, "number", f"has more than {_DIGITS} digits.")
    return value


def _decode_int(value: Any, pointer: str, faults: list[Fault]) -> Any:
    if type(value) is not int:
        return _fault(faults, pointer, "type", f"must be a whole number, not {_kind(value)}.")
    return value


def _decode_bool(value: Any, pointer: str, faults: list[Fault]) -> Any:
    if type(value) is not bool:
        return _fault(faults, pointer, "type", f"must be true or false, not {_kind(value)}.")
    return value


def _decode_date(value: Any, pointer: str, faults: list[Fault]) -> Any:
    try:
        if len(value) == 10:  # date.fromisoformat also takes 20260301 and week dates
            return date.fromisoformat(value)
    except (TypeError, ValueError):
        pass
    return _fault(faults, pointer, "date", f'must be a date such as "2026-03-01", not {value!r:.40}.')


def _decode_instant(value: Any, pointer: str, faults: list[Fault]) -> Any:
    try:
        instant = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        instant = None
    if instant is None or instant.tzinfo is None:
        told = f'must be an instant such as "2026-03-01T12:00:00+00:00", not {value!r:.40}.'
        return _fault(faults, pointer, "date", told)
    return instant


def _decode_fact(value: Any, pointer: str, faults: list[Fault]) -> Any:
    """``bool | int | Decimal | str``, see ``_union_encoder``."""
    if type(value) is dict and value.keys() == {"decimal"}:
        return _decode_decimal(value["decimal"], f"{pointer}/decimal", faults)
    if type(value) in (bool, int):
        return value
    return _decode_text(value, pointer, faults)


_LEAVES: dict[Any, Decoder] = {
    str: _decode_text,
    int: _decode_int,
    bool: _decode_bool,
    Decimal: _decode_decimal,
    date: _decode_date,
    datetime: _decode_instant,
}


def _enum_decoder(cls: type[Enum]) -> Decoder:
    known = {member.value: member for member in cls}
    told = f"must be one of {', '.join(map(str, known))}"

    def decode_enum(value: Any, pointer: str, faults: list[Fault]) -> Any:
        found = known.get(value) if type(value) is str else None
        return found or _fault(faults, pointer, "choice", f"{told}, not {value!r:.40}.")

    return decode_enum


def _tuple_decoder(args: tuple[Any, ...]) -> Decoder:
    many = args[-1] is Ellipsis
    items = [decoder(arg) for arg in args if arg is not Ellipsis]

    def decode_tuple(value: Any, pointer: str, faults: list[Fault]) -> Any:
        if type(value) not in (list, tuple):
            return _fault(faults, pointer, "type", f"must be a list, not {_kind(value)}.")
        each = items * len(value) if many else items
        if len(value) != len(each):
            return _fault(faults, pointer, "type", f"must be a list of {len(each)}, not of {len(value)}.")
        pairs = zip(each, value, strict=True)
        return tuple([item(one, f"{pointer}/{i}", faults) for i, (item, one) in enumerate(pairs)])

    return decode_tuple


def _mapping_decoder(hint: Any) -> Decoder:
    item = decoder(hint)

    def decode_mapping(value: Any, pointer: str, faults: list[Fault]) -> Any:
        if type(value) is not dict:
            return _fault(faults, pointer, "type", f"must be an object, not {_kind(value)}.")
        return {key: item(one, f"{pointer}/{token(key)}", faults) for key, one in value.items()}

    return decode_mapping


def _object_decoder(cls: Any) -> Decoder:
    hints = get_type_hints(cls)
    plan = {field.name: decoder(hints[field.name]) for field in fields(cls)}
    bare = [field.name for field in fields(cls) if not has_default(field)]
    required = frozenset(name for name in bare if not is_optional(hints[name]))
    absent = dict.fromkeys(set(bare) - required)

    def decode_object(value: Any, pointer: str, faults: list[Fault]) -> Any:
        if type(value) is not dict:
            return _fault(faults, pointer, "type", f"must be an object, not {_kind(value)}.")
        before = len(faults)
        found: dict[str, Any] = dict(absent)
        for name, item in value.items():
            read = plan.get(name)
            if read is None:
                _unknown(name, plan, pointer, faults)
            elif item is not None:
                found[name] = read(item, f"{pointer}/{name}", faults)
        for name in sorted(required - found.keys()):
            _fault(faults, f"{pointer}/{name}", "missing", "is missing.")
        return cls(**found) if len(faults) == before else _BAD

    return decode_object


def _unknown(name: str, plan: Mapping[str, object], pointer: str, faults: list[Fault]) -> None:
    close = get_close_matches(name, plan, 1)
    told = f"did you mean {close[0]!r}?" if close else f"known are {', '.join(sorted(plan))}."
    _fault(faults, f"{pointer}/{token(name)}", "unknown", f"is not a field here; {told}")
