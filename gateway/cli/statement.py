"""``o2c import statement``: bank files, named one by one or as they arrive in a folder."""

from __future__ import annotations

import json
import signal
import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, as_json, example, findings, problem_data, progress
from gateway.cli.office import at_desk, for_company
from o2c.errors import O2CError, Refused

if TYPE_CHECKING:
    from gateway.stages.desk import Desk
    from gateway.stages.settle import Imported

_COUNTS = ("lines", "applied", "unmatched", "ignored", "not_booked")
_UNFINISHED = (".part", ".tmp", ".filepart", ".crdownload")  # what a transfer calls a file until it is whole


@click.command(
    epilog=example(
        "o2c import statement 2026-03-02.xml",
        "o2c import statement --watch /srv/bank --every 30",
        "o2c import statement 2026-03-02.xml --override-balance 'the bank confirmed it by telephone'",
    )
)
@click.argument("paths", nargs=-1, metavar="FILE...", type=click.Path(exists=True, path_type=Path))
@click.option("--override-balance", metavar="REASON", help="Take balances that do not add up, and say why.")
@click.option(
    "--watch",
    metavar="FOLDER",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Take every file that arrives, until Ctrl-C; each goes to done/ or refused/ there.",
)
@click.option("--every", type=click.FloatRange(0.1), default=10.0, show_default=True, metavar="SECONDS")
@for_company
@answers_json
def statement(
    paths: tuple[Path, ...],
    override_balance: str | None,
    watch: Path | None,
    every: float,
    code: str | None,
    talk: Talk,
) -> None:
    """Bank files (camt.053, and camt.054 to detail a batch). A file is posted whole or not at all."""
    if bool(paths) == bool(watch):
        raise click.UsageError("Name files, or one folder to --watch.")
    with at_desk(code) as (house, desk):
        work = _Work(talk, desk, house.settings.bank_file_limit, override_balance)
        if watch is None:
            for path in paths:
                work.take(path)
        else:
            _watch(work, watch, every)
    work.close()


@dataclass(slots=True)
class _Work:
    """Takes files and tells what became of each statement."""

    talk: Talk
    desk: Desk
    limit: int
    override: str | None
    counts: Counter[str] = field(default_factory=Counter)

    def take(self, path: Path) -> Refused | None:
        """Import one file; the refusal, where it is refused."""
        from gateway.stages.settle import import_statements

        try:
            with progress(f"importing {path.name}", None) as advance:
                done = import_statements(self.desk, path, self.limit, override=self.override, advance=advance)
        except Refused as error:
            self._refused(path, error)
            return error
        for one in done:
            self._told(path, one)
        return None

    def _refused(self, path: Path, error: O2CError) -> None:
        self.counts["refused"] += 1
        data = {"file": str(path), "line": None, "result": "refused", "problem": problem_data(error)}
        self.talk.say(data, f"{path}: {error}")

    def _told(self, path: Path, one: Imported) -> None:
        result = "known" if one.duplicate else "posted" if one.kind == "statement" else one.kind
        self.counts[result] += 1
        counts = {name: getattr(one, name) for name in _COUNTS}
        data: dict[str, Any] = {
            "file": str(path),
            "line": None,
            "result": result,
            "id": one.statement_id,
            "account": one.account,
            "bank_statement_id": one.bank_statement_id,
            "sha256": one.sha256,
            "warnings": list(one.warnings),
            **counts,
            "decisions": one.decisions,
        }
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        self.talk.say(data, f"{path}: {one.account} {one.bank_statement_id}: {result}, {words}")
        for warning in one.warnings:
            self.talk.note(f"  {warning}")

    def close(self) -> None:
        """The sum; exit code 1 if anything was refused."""
        words = ", ".join(f"{count} {result}" for result, count in self.counts.items())
        self.talk.note(words or "nothing to import")
        if self.counts["refused"]:
            findings()


# --- a folder ------------------------------------------------------------------------------------
def _watch(work: _Work, folder: Path, every: float) -> None:
    """Take what arrives until somebody stops it; a file that is being taken is finished first."""
    seen: dict[Path, tuple[int, int]] = {}
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    while not stop.is_set():
        for path in _arrived(folder, seen):
            _put_away(path, work.take(path))
            if stop.is_set():
                break
        stop.wait(every)
    work.talk.note("stopped")


def _arrived(folder: Path, seen: dict[Path, tuple[int, int]]) -> Iterator[Path]:
    """Files that have not changed since the last look: they are whole. The oldest first."""
    now: dict[Path, tuple[int, int]] = {}
    for path in folder.iterdir():
        if path.is_file() and not path.name.startswith(".") and path.suffix.lower() not in _UNFINISHED:
            facts = path.stat()
            now[path] = (facts.st_mtime_ns, facts.st_size)
    whole = [path for path, facts in now.items() if seen.get(path) == facts]
    seen.clear()
    seen.update(now)
    yield from sorted(whole, key=lambda path: (now[path][0], path.name))


def _put_away(path: Path, refused: Refused | None) -> None:
    """Out of the way, and why it was refused beside it."""
    place = path.parent / ("done" if refused is None else "refused")
    place.mkdir(exist_ok=True)
    target, count = place / path.name, 1
    while target.exists():
        target, count = place / f"{path.stem}-{count}{path.suffix}", count + 1
    path.rename(target)
    if refused is not None:
        problem = json.loads(as_json(problem_data(refused)))
        target.with_name(f"{target.name}.problem.json").write_text(
            json.dumps(problem, ensure_ascii=False, indent=2) + "\n", encoding="utf-8"
        )
