"""A document's verdict (parsing, XML Schema, EN 16931, Peppol) beside warm Saxon on the same rules.

CPU time, each document by its best of several passes, in one process. The anchor runs the published XSLT with
saxonche, compiled once, on the same documents; what it takes to parse and for XML Schema is not counted
against us alone: it is in neither ratio.
"""

from __future__ import annotations

import copy
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

from formats import rulesets, saxon, xml, xsd
from formats.schematron.engine import Subject
from formats.validation import Validator, ready
from tests.bench.measure import Result, calibration
from tests.official.corpus import cases
from tests.official.sets import STYLESHEETS

_SETS = ("cen", "peppol")
_NAMES = {"cen": "EN16931-UBL", "peppol": "PEPPOL-EN16931-UBL"}
_FOLDERS = ("ubl/examples", "rules/examples", "xrechnung-testsuite")
_MANY_LINES = 1_000
_COLD = """
import sys, time
from formats.validation import Validator
from pathlib import Path
report = Validator(Path(sys.argv[1])).validate(Path(sys.argv[2]).read_bytes())
assert report.valid
held = next(line for line in open("/proc/self/status") if line.startswith("VmRSS"))
print(time.process_time(), int(held.split()[1]) / 1024)
"""


def run() -> Result:
    """Measure; needs the reference folder in O2C_SHARED (or ../shared)."""
    conformance = Path(os.environ.get("O2C_SHARED") or Path(__file__).parents[3] / "shared") / "conformance"
    result = Result("validate")
    result.figures["calibration loops/s"] = calibration()
    with tempfile.TemporaryDirectory() as place:
        cache = Path(place)
        rulesets.fetch(conformance, cache)
        validator = Validator(cache)
        _documents(result, conformance, validator, cache)
        _many_lines(result, conformance, validator)
        _cold(result, conformance, cache)
    return result


def _best(work: Callable[[], Any], passes: int = 7) -> float:
    """Milliseconds of CPU of the best pass."""
    found = []
    for _ in range(passes):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return min(found) * 1000


def _whole(conformance: Path) -> list[bytes]:
    found = [case.document for folder in _FOLDERS for case in cases(conformance, folder)]
    return [one for one in found if etree.QName(xml.parse(one)).localname in ("Invoice", "CreditNote")]


def _documents(result: Result, conformance: Path, validator: Validator, cache: Path) -> None:
    documents = _whole(conformance)
    rules = [ready(found, cache) for name in _SETS if (found := rulesets.find(_NAMES[name], cache))]
    ours, all_rules, schema, parsing, theirs = [], [], [], [], []
    for content in documents:
        root = xml.parse(content, comments=True)
        text = etree.tostring(root, encoding="unicode")
        # Each lambda is called at once, so it sees the values of its own round (B023 fears otherwise).
        ours.append(_best(lambda: validator.validate(content, sets=_SETS)))  # noqa: B023
        all_rules.append(_best(lambda: [one.run(subject) for subject in [Subject(root)] for one in rules]))  # noqa: B023
        parsing.append(_best(lambda: xml.parse(content, comments=True)))  # noqa: B023
        file = cache / f"ubl-2.1/maindoc/UBL-{etree.QName(root).localname}-2.1.xsd"
        schema.append(_best(lambda: xsd.check(root, file)))  # noqa: B023
        theirs.append(_best(lambda: _saxon(conformance, text), 4))  # noqa: B023
    result.figures["documents"] = len(documents)
    result.figures["median bytes"] = statistics.median(map(len, documents))
    result.figures["parsing, ms CPU median"] = statistics.median(parsing)
    result.figures["XML Schema, ms CPU median"] = statistics.median(schema)
    result.figures["nodes and rules, ms CPU median"] = statistics.median(all_rules)
    result.figures["Saxon: tree and rules, ms CPU median"] = statistics.median(theirs)
    result.ceiling("whole verdict, ms CPU median", statistics.median(ours), 2.0)
    faster = statistics.median(b / a for a, b in zip(all_rules, theirs, strict=True))
    result.bar("rules: times faster than warm Saxon, median", faster, 4.0)


def _saxon(conformance: Path, text: str) -> None:
    document = saxon.Document(text)
    for name in _SETS:
        document.fired(conformance / STYLESHEETS[name])


def _many_lines(result: Result, conformance: Path, validator: Validator) -> None:
    root = xml.parse(_base(conformance).read_bytes())
    lines = root.findall("{*}InvoiceLine")
    for number in range(_MANY_LINES - len(lines)):
        line = copy.deepcopy(lines[number % len(lines)])
        root.append(line)
    content = etree.tostring(root)
    took = _best(lambda: validator.validate(content, sets=_SETS), 3)
    result.ceiling("1,000 lines, ms CPU", took, 250)


def _base(conformance: Path) -> Path:
    return conformance / "OpenPEPPOL/peppol-bis-invoice-3/rules/examples/base-example.xml"


def _cold(result: Result, conformance: Path, cache: Path) -> None:
    """A process of its own, from the start of Python; the compiled rules are in the cache."""
    command = [sys.executable, "-c", _COLD, str(cache), str(_base(conformance))]
    runs = [subprocess.run(command, capture_output=True, text=True, check=True).stdout for _ in range(5)]
    seconds, memory = zip(*(map(float, one.split()) for one in runs), strict=True)
    result.ceiling("Python's start to first verdict, s CPU", min(seconds), 0.5)
    result.ceiling("resident memory after it, MB", max(memory), 80)
