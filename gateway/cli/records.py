"""Files of records: JSON (one value, a list, or values in a row) and CSV with the canonical names.

Governed by RFC 8259 and RFC 4180. A CSV column is the path to a field, ``party.address.country`` or
``identifiers.0.value``; an empty cell is an absent field. Numbers never pass through a binary float.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, is_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from formats.decoding import plain_hint
from o2c.errors import Refused

_BETWEEN = re.compile(r"[\s,]*")


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its line (counted from 1), its data, and the exact text it was."""

    line: int
    data: Any
    text: str


def records(path: Path, kind: type) -> Iterator[Record]:
    """The records of a file that should each describe a ``kind``.

    ``Refused('json')``, ``Refused('csv')`` or ``Refused('encoding')`` where the file cannot be read on.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused(
            "encoding", f"{path} is not UTF-8: {error.reason}.", next_step="Save it as UTF-8."
        ) from None
    return _rows(path, text, kind) if path.suffix.lower() == ".csv" else _values(path, text)


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


_DECODER = json.JSONDecoder(parse_float=Decimal, parse_constant=_no_constant)


def _values(path: Path, text: str) -> Iterator[Record]:
    at, line = 0, 1
    in_list = text.lstrip().startswith("[")
    if in_list:
        at = text.index("[") + 1
    while True:
        start = _end_of_gap(text, at)
        line += text.count("\n", at, start)
        if start == len(text) or (in_list and text[start] == "]"):
            return
        try:
            value, at = _DECODER.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            raise Refused(
                "json",
                f"{path} line {line} is not JSON: {error}.",
                next_step="Mend the line and import again.",
            ) from None
        yield Record(line, value, text[start:at])
        line += text.count("\n", start, at)


def _end_of_gap(text: str, at: int) -> int:
    found = _BETWEEN.match(text, at)
    return found.end() if found else at


def _rows(path: Path, text: str, kind: type) -> Iterator[Record]:
    lines = text.splitlines()
    header = lines[0] if lines else ""
    reader = csv.reader(lines, delimiter=";" if header.count(";") > header.count(",") else ",", strict=True)
    try:
        names = [name.strip() for name in next(reader, [])]
        for cells in reader:
            if any(cells):
                yield Record(reader.line_num, _nested(names, cells, kind), ",".join(cells))
    except csv.Error as error:
        raise Refused(
            "csv",
            f"{path} line {reader.line_num} is not CSV: {error}.",
            next_step="Mend the line and import again.",
        ) from None


def _nested(names: Sequence[str], cells: Sequence[str], kind: type) -> dict[str, Any]:
    data: dict[str, Any] = {}
    for name, cell in zip(names, cells, strict=False):
        if cell != "":
            *above, last = name.split(".")
            place = data
            for step in above:
                place = place.setdefault(step, {})
            place[last] = _typed(kind, name.split("."), cell)
    listed: dict[str, Any] = _lists(data)
    return listed


def _lists(value: Any) -> Any:
    """Objects whose names are 0, 1, 2 ... are lists."""
    if not isinstance(value, dict):
        return value
    if value and all(name.isdecimal() for name in value):
        return [_lists(value[name]) for name in sorted(value, key=int)]
    return {name: _lists(item) for name, item in value.items()}


def _typed(hint: Any, path: Sequence[str], cell: str) -> Any:
    """A cell as what its field is: a whole number, a truth value, else text."""
    for step in path:
        hint = plain_hint(hint)
        if get_origin(hint) is tuple:
            hint = get_args(hint)[0]
        else:
            hint = get_type_hints(hint).get(step, str) if is_dataclass(hint) else str
    hint = plain_hint(hint)
    if hint is int and re.fullmatch(r"-?[0-9]{1,18}", cell):
        return int(cell)
    if hint is bool and cell.lower() in ("true", "false", "yes", "no", "1", "0"):
        return cell.lower() in ("true", "yes", "1")
    return cell
