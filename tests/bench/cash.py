"""A bank file against many open items: read, proved, matched and posted by ``o2c import statement``.

A company with its items is taken over once; each statement is then imported into a fresh copy of the
database by a process of its own, as a user would: wall time, CPU and peak memory are those of that process
and of the one it starts for the books. The statements are the beginnings of one generated file
(``tests.cash``), so they differ in length only. Where PostgreSQL's programs are, the largest is posted
there as well. CPU by stage is taken apart in a run of its own, whose clocks cost something; bare lxml reads
the same file in the same run as anchor.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.bench.camt import bare_iterparse
from tests.bench.measure import Result, calibration
from tests.cash import files
from tests.postgres import find_programs, running_cluster

SEED = 2026
_ROOT = Path(__file__).parents[2]
_COMPANY = ("company", "add", "BENCH", "--name", "Bench", "--country", "DE", "--currency", "EUR")
_ANY_SIZE = str(10**9)  # bytes: the largest is beyond the usual limit
_ENTRY = re.compile(r'<Ntry><Amt Ccy="EUR">(\d+)\.(\d\d)</Amt><CdtDbtInd>(CRDT|DBIT)<')
_STAGES = """
import json, sys
from pathlib import Path
from tests.bench.cash import stages
print(json.dumps(stages(sys.argv[1], Path(sys.argv[2]))))
"""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command took: seconds of wall and CPU, megabytes at its peak, and what it printed last."""

    wall: float
    cpu: float
    peak: float
    said: dict[str, object]


def run(payments: int = 100_000, items: int = 1_000_000) -> Result:
    """Measure; a tenth, all and three times ``payments`` against ``items``. The bars are those of
    100,000 against 1,000,000. Needs 5 GB of temporary files and some minutes."""
    result = Result("cash")
    result.figures["calibration loops/s"] = calibration()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        files.write(folder, SEED, 3 * payments, items)
        sizes = (payments // 10, payments, 3 * payments)
        cut = {size: _beginning(folder, size) for size in sizes}
        _on_sqlite(result, folder, cut, payments)
        _on_postgresql(result, folder, cut[payments], payments)
    return result


def _on_sqlite(result: Result, folder: Path, cut: dict[int, Path], payments: int) -> None:
    base, used = folder / "base.sqlite", folder / "used.sqlite"
    taken = _take_over(folder, f"sqlite:///{base}")
    result.figures["items taken over: wall s"] = taken.wall
    cost: dict[int, float] = {}
    for size, path in cut.items():
        shutil.copyfile(base, used)
        ran = _o2c(f"sqlite:///{used}", "import", "statement", str(path), "--json")
        _check(ran, size)
        cost[size] = ran.cpu / size
        _tell(result, f"SQLite, {size:,} payments", ran)
        if size == payments:
            _hold(result, "SQLite", ran)
            _stages(result, base, used, path)
    largest = max(cost)
    result.ceiling(
        f"CPU a payment, {largest:,} / {payments:,} payments", cost[largest] / cost[payments], at_most=1.1
    )


def _on_postgresql(result: Result, folder: Path, path: Path, payments: int) -> None:
    programs = find_programs()
    if programs is None:
        return
    with running_cluster(programs) as cluster:
        url = cluster.url(cluster.create_database())
        _take_over(folder, url)
        ran = _o2c(url, "import", "statement", str(path), "--json")
        _check(ran, payments)
        _tell(result, f"PostgreSQL, {payments:,} payments", ran)
        _hold(result, "PostgreSQL", ran)


def _tell(result: Result, name: str, ran: Ran) -> None:
    result.figures[f"{name}: wall s"] = ran.wall
    result.figures[f"{name}: CPU s"] = ran.cpu
    result.figures[f"{name}: peak MB"] = ran.peak


def _hold(result: Result, database: str, ran: Ran) -> None:
    result.ceiling(f"{database}: wall s", ran.wall, at_most=30)
    result.ceiling(f"{database}: peak MB", ran.peak, at_most=500)


def _check(ran: Ran, size: int) -> None:
    if ran.said.get("lines") != size:
        raise SystemExit(f"{size} payments were written: {ran.said}")


# --- the company and its files -------------------------------------------------------------------
def _take_over(folder: Path, url: str) -> Ran:
    _o2c(url, *_COMPANY, "--iban", files.ACCOUNT)
    _o2c(url, "import", "customers", str(folder / "customers.jsonl"), "--json")
    return _o2c(url, "import", "open-items", str(folder / "items.jsonl"), "--json")


def _beginning(folder: Path, size: int) -> Path:
    """The statement's first ``size`` entries as a statement of their own."""
    entries, path, closing = folder / "entries", folder / f"first-{size}.xml", files.OPENING
    with entries.open("w", encoding="utf-8") as out:
        for line in _entry_lines(folder / "statement.xml", size):
            found = _ENTRY.match(line)
            assert found is not None
            minor = int(found[1] + found[2])
            closing += minor if found[3] == "CRDT" else -minor
            out.write(line)
    files.statement(path, entries, closing)
    return path


def _entry_lines(path: Path, size: int) -> Iterator[str]:
    left = size
    with path.open(encoding="utf-8") as whole:
        for line in whole:
            if left and line.startswith("<Ntry>"):
                left -= 1
                yield line


def _o2c(url: str, *words: str) -> Ran:
    """A command in a process of its own, and what it took of the machine."""
    ours = {"O2C_DATABASE_URL": url, "PYTHONPATH": str(_ROOT), "O2C_BANK_FILE_LIMIT": _ANY_SIZE}
    read, write = os.pipe()
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", *words], stdout=write, env={**os.environ, **ours}, cwd=_ROOT
    )
    os.close(write)
    with os.fdopen(read, encoding="utf-8") as answers, _Memory(process.pid) as memory:
        lines = answers.read().splitlines()
        _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.perf_counter() - start
    if process.returncode:
        raise SystemExit(f"o2c {words[0]} {words[1]} ended with {process.returncode}: {lines[-3:]}")
    said = json.loads(lines[-1]) if "--json" in words else {}
    return Ran(wall, used.ru_utime + used.ru_stime, max(memory.peak, used.ru_maxrss / 1024), said)


class _Memory(threading.Thread):
    """The most megabytes that a process and those it started held at one time, looked at ten times a
    second; what they share is counted once."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._pid, self._over, self.peak = pid, threading.Event(), 0.0

    def __enter__(self) -> _Memory:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        while not self._over.wait(0.1):
            self.peak = max(self.peak, sum(map(_held, _family(self._pid))))


def _family(pid: int) -> list[int]:
    """A process and its children."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
        tasks = [path.name for path in Path(f"/proc/{pid}/task").iterdir() if path.name != str(pid)]
        for task in tasks:
            children += Path(f"/proc/{pid}/task/{task}/children").read_text(encoding="ascii").split()
    except OSError:  # it has just ended
        return [pid]
    return [pid, *map(int, children)]


def _held(pid: int) -> float:
    """Megabytes, shared pages by their share (Pss)."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("Pss:")), 0.0)


# --- CPU by stage --------------------------------------------------------------------------------
def _stages(result: Result, base: Path, used: Path, path: Path) -> None:
    shutil.copyfile(base, used)
    command = [sys.executable, "-c", _STAGES, f"sqlite:///{used}", str(path)]
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=_ROOT, env=environment)
    for name, seconds in json.loads(done.stdout).items():
        result.figures[f"  of it {name}: CPU s"] = seconds
    start = time.process_time()
    bare_iterparse(path)
    result.figures["  bare iterparse of the same file: CPU s"] = time.process_time() - start


def stages(url: str, path: Path) -> dict[str, float]:
    """CPU-seconds by stage of one import, all of it in this process; what is called inside another stage
    counts there only."""
    from gateway.settings import Settings
    from gateway.stages import lookup, match, post, reading, settle
    from gateway.wiring import open_house

    spent: dict[str, float] = {}
    watched = (
        ("reading and proving", settle, "_proved"),
        ("what payments name", reading, "_block"),
        ("fetching: what is named", lookup, "named"),
        ("fetching: what those may owe who paid", lookup, "owing"),
        ("deciding", match, "decide"),
        ("making entries and words", post, "take"),
        ("making rows", post, "bundled"),
        ("writing them", post, "write"),
    )
    house = open_house(Settings(database_url=url))
    start = time.process_time()
    settle.MANY = sys.maxsize  # nothing goes to a process beside, where no clock would see it
    with _clocked(spent, watched):
        settle.import_statements(house.desk("BENCH", "bench"), path)
    spent["everything else"] = time.process_time() - start - sum(spent.values())
    house.close()
    return spent


@contextmanager
def _clocked(spent: dict[str, float], watched: Sequence[tuple[str, object, str]]) -> Iterator[None]:
    """Functions of modules with a clock around them, for as long as this lasts."""
    inner: list[float] = []

    def timed(name: str, work: object, *given: object, **named: object) -> object:
        inner.append(0.0)
        begun = time.process_time()
        try:
            return work(*given, **named)  # type: ignore[operator]  # a function of the watched module
        finally:
            took = time.process_time() - begun
            spent[name] = spent.get(name, 0.0) + took - inner.pop()
            if inner:
                inner[-1] += took

    before = [(module, name, getattr(module, name)) for _, module, name in watched]
    for (stage, module, name), (_, _, work) in zip(watched, before, strict=True):
        setattr(module, name, partial(timed, stage, work))
    try:
        yield
    finally:
        for module, name, work in before:
            setattr(module, name, work)
