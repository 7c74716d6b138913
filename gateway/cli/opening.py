"""Files of a former system: its customers and its open items, a million of them if need be.

Lines of JSON are read one by one and taken in pieces with one commit each; a file that was stopped in
the middle is simply imported again.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gateway.cli.answers import Talk, problem_data, progress
from gateway.cli.records import Record, records
from o2c.errors import Refused
from o2c.order import Customer

if TYPE_CHECKING:
    from gateway.stages.desk import Desk

_LINES = (".jsonl", ".ndjson")


@dataclass(slots=True)
class _Told:
    """What became of one file's records."""

    talk: Talk
    path: Path
    counts: Counter[str] = field(default_factory=Counter)
    unused: set[str] = field(default_factory=set)  # fields that nobody reads
    unvalued: Counter[str] = field(default_factory=Counter)  # items by currency that had no rate

    def refused(self, line: int, error: Refused) -> None:
        """A record that was not taken."""
        self.counts["refused"] += 1
        said = {"file": str(self.path), "line": line, "result": "refused", "problem": problem_data(error)}
        self.talk.say(said, f"{self.path}:{line}: {error}")

    def close(self) -> None:
        """The summary of the file."""
        counts = {name: self.counts[name] for name in ("created", "known", "refused")}
        more: dict[str, Any] = {"unused": sorted(self.unused)} if self.unused else {}
        more |= {"unvalued": dict(sorted(self.unvalued.items()))} if self.unvalued else {}
        self.talk.say({"file": str(self.path), "result": "done", **counts, **more})
        words = ", ".join(f"{count} {name}" for name, count in counts.items())
        self.talk.note(f"{self.path}: {words}")
        if self.unused:
            self.talk.note(f"  fields that were not used: {', '.join(sorted(self.unused))}")
        for currency, count in sorted(self.unvalued.items()):
            self.talk.note(
                f"  {count} items in {currency} had no exchange rate of their day: they are worth nothing in"
                " the books until they are paid. Import rates (o2c import rates) before such items."
            )


def import_items(desk: Desk, talk: Talk, paths: Sequence[Path]) -> bool:
    """Take the open items of these files over; False if anything was refused."""
    good = True
    for path in paths:
        told = _Told(talk, path)
        try:
            _import_file(desk, told)
        except Refused as error:  # the file cannot be read on
            told.refused(0, error)
        told.close()
        good = good and not told.counts["refused"]
    return good


def _import_file(desk: Desk, told: _Told) -> None:
    from gateway.stages.opening import take_lines

    size = told.path.stat().st_size
    with progress(f"taking over {told.path.name}", size) as advance:
        for piece in take_lines(desk, _lines(told.path)):
            told.counts["created"] += piece.new
            told.counts["known"] += piece.known
            told.unused |= piece.unused
            told.unvalued += piece.unvalued
            for line, error in piece.refused:
                told.refused(line, error)
            advance(piece.size)


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    if path.suffix.lower() in _LINES:
        with path.open("rb") as file:
            yield from enumerate(file, start=1)
    else:
        for record in records(path, dict):
            yield record.line, record.text.encode()


# --- customers -----------------------------------------------------------------------------------
def is_plain(data: object) -> bool:
    """Is it ``{id, name, postcode, ibans}``, and not our own richer form?"""
    return isinstance(data, dict) and "id" in data and "party" not in data


def plain_customer(record: Record, country: str) -> Customer:
    """The customer of a plain record; ``country`` where it names none, and what is no field of ours is
    left out. ``Refused('customer-invalid')``."""
    from formats import canonical

    ours = {*Customer.__dataclass_fields__, "id", "name", "postcode", "country", "ibans"}
    data = {name: value for name, value in record.data.items() if name in ours}
    ibans = [str(one).replace(" ", "").upper() for one in data.pop("ibans", None) or ()]
    address = {"country": data.pop("country", None) or country}
    if postcode := data.pop("postcode", None):
        address["postcode"] = str(postcode)
    whole = {
        "customer_id": data.pop("id"),
        "party": {"name": data.pop("name", ""), "address": address},
        "ibans": list(dict.fromkeys(ibans)),
        **data,
    }
    customer: Customer = canonical.decode(Customer, whole, code="customer-invalid")
    return customer
