"""Row <-> dataclass: JSON columns hold the frozen values of ``o2c`` in canonical JSON."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from datetime import date
from decimal import Decimal
from enum import Enum
from typing import Any, TypeVar

from formats import canonical

T = TypeVar("T")


def jsonable(value: Any) -> Any:
    """Plain JSON data of a value of the core, or of a mapping or sequence of such values."""
    if is_dataclass(value):
        return canonical.encode(value)
    if isinstance(value, Mapping):
        return {key: jsonable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.isoformat() if isinstance(value, date) else value


def pack(value: Any) -> str:
    """Any value of the core as canonical JSON text: what JSON does not know goes through ``jsonable``."""
    return canonical.pack(value, jsonable).decode()


def unpack(cls: type[T], text: str) -> T:
    """The value that ``pack`` wrote."""
    return canonical.decode(cls, canonical.loads(text))


_MOST_PROFILES = 4096
_profiles: dict[tuple[type[Any], str], Any] = {}


def unpack_profile(cls: type[T], text: str) -> T:
    """``unpack`` for master data, which is read far more often than it changes. Values are frozen,
    and the text is the key, so what is remembered can never be out of date."""
    value: T | None = _profiles.get((cls, text))
    if value is None:
        if len(_profiles) >= _MOST_PROFILES:
            _profiles.clear()
        value = _profiles[cls, text] = unpack(cls, text)
    return value


def unpack_all(cls: type[T], text: str) -> tuple[T, ...]:
    """A tuple of values from a JSON array."""
    return tuple(canonical.decode(cls, item) for item in canonical.loads(text))


def chunks(values: Iterable[T], size: int = 900) -> Iterator[Sequence[T]]:
    """Pieces of a list that fit into one ``IN (...)``."""
    items = list(values)
    for start in range(0, len(items), size):
        yield items[start : start + size]
