"""The reader of bank files beside bare lxml on the same file, and the memory it takes.

A file of one statement is written, of single payments and batches with the fields that banks fill.
Time is CPU, in one process, the two in turn, each by its best pass; memory is that of a process of its
own which reads the file as a stream and forgets it, at two sizes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from lxml import etree

from formats.camt.reader import Stream
from o2c.statement import Entry
from tests.bench.measure import Result, calibration
from tests.bench.statement_file import OURS, write

_SIZES = (10, 80)  # MB
_PASSES = 3
_ALONE = """
import sys
from pathlib import Path
from formats.camt.reader import Stream
payments = sum(len(getattr(each, "details", ())) for each in Stream(Path(sys.argv[1]), [sys.argv[2]]))
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(payments, int(peak.split()[1]) / 1024)
"""


def run() -> Result:
    """Measure; needs room for 90 MB of temporary files."""
    result = Result("camt")
    result.figures["calibration loops/s"] = calibration()
    with tempfile.TemporaryDirectory() as place:
        for size in _SIZES:
            path = Path(place) / f"{size}.xml"
            written = write(path, size * 1_000_000)
            _speed(result, path, size, written)
            _memory(result, path, size, written)
    return result


def _best(work: Callable[[Path], int], path: Path, expected: int) -> float:
    """CPU-seconds of one pass that has to find all payments."""
    start = time.process_time()
    found = work(path)
    took = time.process_time() - start
    if found != expected:
        raise SystemExit(f"{found} payments were read, {expected} were written")
    return took


def _ours(path: Path) -> int:
    return sum(len(each.details) for each in Stream(path, [OURS]) if isinstance(each, Entry))


def bare_iterparse(path: Path) -> int:
    """No more than lxml's events of the same elements, each freed as it closes."""
    found = 0
    for _, element in etree.iterparse(path, events=("end",), tag=("{*}Ntry", "{*}TxDtls")):
        found += element.tag.endswith("}TxDtls")
        element.clear()
        previous = element.getprevious()
        if previous is not None and previous.tag == element.tag:
            element.getparent().remove(previous)  # type: ignore[union-attr]  # it has a sibling
    return found


def _speed(result: Result, path: Path, size: int, written: int) -> None:
    ours, bare = [], []
    for _ in range(_PASSES):  # in turn, so that a busy moment meets both
        ours.append(_best(_ours, path, written))
        bare.append(_best(bare_iterparse, path, written))
    megabytes = path.stat().st_size / 1e6
    result.figures[f"bytes a payment, {size} MB"] = megabytes * 1e6 / written
    result.figures[f"bare iterparse, {size} MB: MB/s"] = megabytes / min(bare)
    result.figures[f"reader, {size} MB: payments/s"] = written / min(ours)
    result.figures[f"reader / bare iterparse, {size} MB"] = min(bare) / min(ours)
    result.bar(f"reader, {size} MB: MB/s", megabytes / min(ours), at_least=15)


def _memory(result: Result, path: Path, size: int, written: int) -> None:
    command = [sys.executable, "-c", _ALONE, str(path), OURS]
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root, env=environment)
    payments, peak = done.stdout.split()
    if int(payments) != written:
        raise SystemExit(f"{payments} payments were read, {written} were written")
    result.ceiling(f"reader, {size} MB: peak MB", float(peak), at_most=60)
