"""One decision table as CSV for a spreadsheet, and back into its rule file.

Governed by RFC 4180, as spreadsheets bend it: out goes UTF-8 with a byte order mark and ``;``; in
comes ``;``, ``,`` or tab, with or without the mark, lines ended either way. A cell that a spreadsheet
would run as a formula carries an apostrophe in front. Two tests in one cell are joined by ``and``.

Coming back, only the rows that changed are written into the YAML: every other character of the file,
comments and blanks included, stays where it was, and what comes out has been loaded and tested.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from o2c.errors import NotFound, Refused
from rules.document import Entries, Extent, Faults, Items, Node, Text, read, unknown
from rules.rulebook import load
from rules.vocabulary import POLICIES

_MARK = b"\xef\xbb\xbf"
_DELIMITERS = ";,\t"
_JOINED = " and "
_FORMULA = re.compile(r"[=+@\t\r]|-(?!$|[0-9.]+$)|'[=+@\t\r'-]")  # what a spreadsheet might run
_GUARDED = re.compile(r"'[=+@\t\r'-]")
# What needs no quotes inside [..]: a word, then letters, digits and marks that mean nothing to YAML.
_PLAIN = re.compile(r"[^\W_](?:[\w .%/()'+-]*[\w.%)])?")

Row = tuple[str, ...]
Edit = tuple[Extent, str]


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it stands in a file: column names, and each row's node beside its cells."""

    text: str
    columns: Row
    facts: frozenset[str]
    items: Items
    nodes: tuple[Items, ...]
    rows: tuple[Row, ...]

    @property
    def in_lines(self) -> bool:
        """Whether each row has a line of its own that starts with a dash."""
        return self.items.dashed


def to_csv(content: bytes, table: str, *, delimiter: str = ";") -> bytes:
    """The rows of ``table`` with a heading. ``NotFound('table')`` if the file has none of that id,
    ``Refused('rulebook-invalid')`` if the file is not sound."""
    found = _find(content, table)
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    writer.writerow(found.columns)
    writer.writerows([_guard(cell) for cell in row] for row in found.rows)
    return _MARK + out.getvalue().encode()


def from_csv(content: bytes, table: str, csv: bytes) -> bytes:
    """The file with the rows of ``table`` as in ``csv``; unchanged rows keep every byte.

    Raises ``NotFound('table')``, ``Refused('table-csv')`` where the CSV does not fit the table, and
    ``Refused('rulebook-invalid')`` where the file would not be sound with these rows.
    """
    found = _find(content, table)
    wanted = _rows(found, csv)
    text = _edited(found.text, sorted(_edits(found, wanted)))
    changed = (_MARK if content.startswith(_MARK) else b"") + text.encode()
    if _find(changed, table, accepted=False).rows != tuple(wanted):
        raise Refused("table-layout", f"rows laid out as in {table} cannot be rewritten one by one.",
                      next_step="Write each row on a line of its own: - [cell, cell]")  # fmt: skip
    return changed


# --- the table in the file -----------------------------------------------------------------------
def _find(content: bytes, name: str, *, accepted: bool = True) -> _Table:
    book = load(content, name=f"the file with table {name}", accepted=accepted)
    top = read(content, Faults("the rule file"))
    tables = {_id(node): node for node in _values(top.get("tables")) if isinstance(node, Entries)}
    if name not in tables:
        raise NotFound("table", unknown(name, "table", tables) if tables else "the file has no table.")
    items = tables[name].get("rows")
    assert isinstance(items, Items)  # the file was loaded
    nodes = tuple(node for node in items.values if isinstance(node, Items))
    columns = tuple(_words(node) for node in _values(tables[name].get("columns")))
    facts = frozenset(columns) - {"then", *POLICIES[book.policy].actions}
    rows = tuple(tuple(_words(cell) for cell in node.values) for node in nodes)
    return _Table(content.decode("utf-8-sig"), columns, facts, items, nodes, rows)


def _id(table: Entries) -> str:
    return _words(table.get("id") or Text("", ""))


def _values(node: Node | None) -> tuple[Node, ...]:
    return node.values if isinstance(node, Items) else ()


def _words(node: Node) -> str:
    """A cell in one line: ``> 0 and < ordered`` where the file lists two tests."""
    if isinstance(node, Items):
        return _JOINED.join(_words(item) for item in node.values)
    return " ".join(node.value.split()) if isinstance(node, Text) else ""


# --- the CSV -------------------------------------------------------------------------------------
def _guard(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _rows(table: _Table, content: bytes) -> list[Row]:
    """The rows of the CSV with their cells in the order of the table's columns."""
    lines = _lines(table, content)
    heading = lines[0]
    order = [heading.index(name) for name in table.columns]
    rows = []
    for number, cells in enumerate(lines[1:], 2):
        cells = cells + [""] * (len(heading) - len(cells))  # a spreadsheet drops empty cells at the end
        if any(cells[len(heading) :]):
            raise _misfit(f"line {number} has {len(cells)} cells, the heading has {len(heading)}.")
        if any(cells):
            rows.append(tuple(_cell(cells[place], number, table.columns) for place in order))
    if not rows:
        raise _misfit("there is no row below the heading; a table has at least one.")
    return rows


def _cell(cell: str, number: int, columns: Row) -> str:
    words = " ".join(cell.split())
    if not words:
        return "-"
    if any(ord(sign) < 32 for sign in words):
        raise _misfit(f"line {number}: {words[:40]!r} holds a control character.")
    return words[1:] if _GUARDED.match(words) else words


def _lines(table: _Table, content: bytes) -> list[list[str]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _misfit("it is not UTF-8.", "Save it as 'CSV UTF-8'.") from None
    first: list[str] = []
    for delimiter in _DELIMITERS:
        heading = [name.strip(' \r"') for name in text.lstrip().partition("\n")[0].split(delimiter)]
        while heading and not heading[-1]:
            heading.pop()
        if sorted(heading) == sorted(table.columns):
            return [heading, *_read(text, delimiter)[1:]]
        first = max(first, heading, key=len)
    missing = [name for name in table.columns if name not in first]
    odd = [name for name in first if name not in table.columns] or first
    words = f"lacks {', '.join(missing)}" if missing else f"has {', '.join(odd)} too many"
    raise _misfit(f"its heading {words}.", f"The columns are: {', '.join(table.columns)}.")


def _read(text: str, delimiter: str) -> list[list[str]]:
    # Strict, or a quote that nobody closed would swallow the rows below it.
    reader = csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True)
    try:
        return [line for line in reader if line]
    except csv.Error as error:
        raise _misfit(f"line {reader.line_num}: {error}.", "Is a quote left open?") from None


def _misfit(what: str, next_step: str = "") -> Refused:
    return Refused("table-csv", f"the CSV does not fit: {what}", next_step=next_step)


# --- the changes ---------------------------------------------------------------------------------
def _edits(table: _Table, wanted: Sequence[Row]) -> Iterator[Edit]:
    """What to write where. Rows are matched by content, so an inserted row changes no other."""
    matcher = SequenceMatcher(None, table.rows, wanted, autojunk=False)
    for tag, a, b, c, d in matcher.get_opcodes():
        if tag == "equal":
            continue
        common = min(b - a, d - c)
        for step in range(common):
            yield from _rewritten(table, a + step, wanted[c + step])
        for old in range(a + common, b):
            yield _removed(table, old)
        if new := wanted[c + common : d]:
            yield _inserted(table, a + common, new)


def _rewritten(table: _Table, number: int, wanted: Row) -> Iterator[Edit]:
    """The changed cells of one row; the blanks behind them give way, so that columns stay in line."""
    cells = zip(table.columns, table.nodes[number].values, table.rows[number], wanted, strict=True)
    for column, node, old, new in cells:
        if old == new:
            continue
        start, end = _extent(node)
        text = _yaml(table, column, new)
        blanks = re.match(r",( +)(?=[^\s#])", table.text[end:])
        if blanks:
            room = len(blanks[1]) + end - start - len(text)
            yield (start, end + blanks.end()), f"{text},{' ' * max(1, room)}"
        else:
            yield (start, end), text


def _removed(table: _Table, number: int) -> Edit:
    """A row goes with its line; in a list on one line it goes with the comma behind it."""
    start, end = _extent(table.nodes[number])
    if table.in_lines:
        return (table.text.rindex("\n", 0, _dash(table, number)) + 1, _line_end(table, number)), ""
    comma = re.match(r" *, *", table.text[end:])
    return (start, end + comma.end() if comma else end), ""  # YAML allows the comma before the bracket


def _inserted(table: _Table, at: int, rows: Sequence[Row]) -> Edit:
    """New rows behind the one that comes before them, written as their neighbours are."""
    cells = ([_yaml(table, *cell) for cell in zip(table.columns, row, strict=True)] for row in rows)
    lists = [f"[{', '.join(row)}]" for row in cells]
    if not table.in_lines:
        place = table.nodes[at - 1].extent[1] if at else table.nodes[0].extent[0]
        return (place, place), "".join(f", {row}" if at else f"{row}, " for row in lists)
    dash = _dash(table, max(at - 1, 0))
    first = table.text.rindex("\n", 0, dash) + 1
    place = _line_end(table, at - 1) if at else first
    end = "\r\n" if table.text[:first].endswith("\r\n") else "\n"
    lines = "".join(f"{table.text[first:dash]}- {row}{end}" for row in lists)
    return (place, place), lines if table.text[:place].endswith("\n") else end + lines


def _dash(table: _Table, number: int) -> int:
    return table.text.rindex("-", 0, _extent(table.nodes[number])[0])


def _line_end(table: _Table, number: int) -> int:
    return table.text.find("\n", _extent(table.nodes[number])[1]) + 1 or len(table.text)


def _extent(node: Node) -> Extent:
    """Where a row or cell stands. A list written with dashes ends where its last item does."""
    if not isinstance(node, Text | Items):
        return 0, 0
    start, end = node.extent
    return (start, _extent(node.values[-1])[1]) if isinstance(node, Items) and node.dashed else (start, end)


def _yaml(table: _Table, column: str, cell: str) -> str:
    if column in table.facts and _JOINED in cell:
        return f"[{', '.join(_scalar(test.strip()) for test in cell.split(_JOINED))}]"
    return _scalar(cell)


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _edited(text: str, edits: Iterable[Edit]) -> str:
    done, parts = 0, []
    for (start, end), new in edits:
        parts += [text[done:start], new]
        done = end
    return "".join([*parts, text[done:]])
