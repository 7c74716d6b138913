"""The demo as a newcomer runs it: killed halfway, run again, run once more, and its lines copied.

One story serves all tests here. It is told with the rules that come with the libraries; what it sent is
then judged by the official ones, where they are at hand.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from lxml import etree
from sqlalchemy import create_engine, func, select
from stdnum import iban
from stdnum.ch import uid
from stdnum.de import vat
from stdnum.no import orgnr

from formats import rulesets
from formats.saft.check import check, validate_xsd
from formats.validation import Validator
from gateway.demo import run
from gateway.demo.companies import markets
from gateway.demo.door import free_port
from gateway.demo.place import Place
from gateway.stages import audit
from gateway.store.schema import metadata
from gateway.wiring import open_house
from o2c.errors import Conflict
from tests.house.source import ROOT

pytestmark = pytest.mark.slow


@dataclass(frozen=True, slots=True)
class Told:
    """What is left of the runs: the folder, each run's output, and the rows after each."""

    place: Place
    first: str
    again: str
    rows_first: dict[str, int]
    rows_again: dict[str, int]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A run killed in its story, the run after it, and one more."""
    folder = tmp_path_factory.mktemp("a folder") / "demo"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("O2C_RULES_CACHE", str(folder.parent / "no-rules"))
        place = Place(folder)
        kill_halfway(place)
        first = output(place)
        rows = count(place)
        yield Told(place, first, output(place), rows, count(place))


def kill_halfway(place: Place) -> None:
    """Start the command and end it without warning once the first invoice has left."""
    process = command(place, "--no-serve")
    deadline = time.monotonic() + 60
    while not any(place.outbox.rglob("*.xml")):
        assert process.poll() is None, "the demo ended before its first invoice"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    stop(process)
    assert place.is_broken


def command(place: Place, *more: str) -> subprocess.Popen[str]:
    """``o2c demo`` as ``./run`` starts it."""
    return subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", "demo", "--folder", str(place.folder), *more],
        cwd=place.folder.parent,
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # the server has a process of its own, which must not outlive a failed test
    )


def stop(process: subprocess.Popen[str]) -> None:
    """End the command and what it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def output(place: Place) -> str:
    """Run the demo here without serving; what it printed."""
    screen = io.StringIO()
    with contextlib.redirect_stdout(screen):
        assert run(serve=False, folder=place.folder) == 0
    return screen.getvalue()


def count(place: Place) -> dict[str, int]:
    """Rows of every table."""
    engine = create_engine(place.database_url)
    with engine.connect() as connection:
        rows = {
            name: connection.scalar(select(func.count()).select_from(t))
            for name, t in metadata.tables.items()
        }
    engine.dispose()
    return {name: found or 0 for name, found in rows.items()}


def section(text: str, heading: str) -> list[str]:
    """The lines below a heading, up to the next empty line."""
    lines = text.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith(heading)) + 1
    end = next((place for place in range(start, len(lines)) if not lines[place].strip()), len(lines))
    return lines[start:end]


def test_what_a_killed_run_left_is_replaced(told: Told) -> None:
    assert told.first.startswith(f"An earlier run in {told.place.folder}".split("/")[0])
    assert "was cut short. Its data is replaced." in " ".join(told.first.split())


def test_the_story_has_the_same_figures_on_every_run(told: Told) -> None:
    assert [line.strip() for line in section(told.first, "What the eight stages did")] == [
        "1 receive  79 orders",
        "2 approve  72 approved, 8 held, 4 referred to a person, 2 refused",
        "3 fulfil   69 shipments, 3 times a line waited for stock, 4 times a line was not supplied",
        "4 bill     69 invoices, each validated before it was numbered, 1 stopped until mended",
        "5 send     69 invoices, 6 order responses, 229 notices",
        "6 settle   47 bank files, 55 payments applied, 2 left to a person",
        "7 remind   62 reviews on day 14, 6 accounts put on hold, 5 released by payment",
        "8 report   1 SAF-T file",
    ]
    assert [line.split() for line in section(told.first, "The three companies")[1:4]] == [
        "NO1 30 26 27828.60 NOK 18589.50 NOK 96.0 % 95.5 % 12 days".split(),
        "DE1 25 23 13178.85 EUR 0.00 EUR 90.9 % 94.7 % 23 days".split(),
        "CH1 24 20 2911.85 CHF 0.00 CHF 100.0 % 100.0 % 9 days".split(),
    ]


def test_the_timeline_goes_from_the_order_to_the_tax_file(told: Told) -> None:
    steps = re.findall(r"^(\d\d \w{3}) \d\d:\d\d  (\S+(?: \S+)*)", told.first, re.MULTILINE)
    assert steps == [
        ("02 Mar", "Order received"),
        ("02 Mar", "Approved"),
        ("02 Mar", "Stock reserved"),
        ("02 Mar", "Order answered"),
        ("02 Mar", "Customer told"),
        ("02 Mar", "Answer sent"),
        ("03 Mar", "Goods shipped"),
        ("03 Mar", "Invoice INV-00020"),
        ("03 Mar", "Customer told"),
        ("03 Mar", "Invoice sent"),
        ("17 Mar", "Day 14"),
        ("17 Mar", "Early review"),
        ("17 Mar", "Customer told"),
        ("24 Mar", "Bank line booked"),
        ("24 Mar", "Payment applied"),
        ("24 Mar", "Invoice paid"),
        ("01 Apr", "In the tax file"),
        ("01 Apr", "In the tax file"),
    ]
    words = " ".join(told.first.split())
    assert "rule C50" in words
    assert "XML schema valid, EN 16931 1.3.16" in re.sub(r"\s+", " ", words)
    assert "Peppol 3.0.21 valid (own pack)" in words
    assert "Peppol's official rules are not on this machine" in words


def test_every_file_it_names_is_there(told: Told) -> None:
    listed = [line.split(maxsplit=1) for line in section(told.first, "Files of this order")]
    paths = [re.split(r"\s{2,}", " ".join(line).strip())[-1] for line in listed]
    names = re.findall(
        r"(?:received|outbox|bank|saft)/.+$", "\n".join(" ".join(line) for line in listed), re.M
    )
    assert len(names) == len(paths) == 8
    assert [name for name in names if not (told.place.folder / name).is_file()] == []


def test_a_second_run_adds_nothing(told: Told) -> None:
    assert "Nothing is added to it." in " ".join(told.again.split())
    assert told.rows_again == told.rows_first
    assert told.again.partition("What the eight")[2] == told.first.partition("What the eight")[2]


def test_the_proofs_hold(told: Told) -> None:
    assert check(told.place.saft) == ()
    house = open_house(told.place.settings())
    wrong = [w for code in house.companies() for one in audit.verify(house.desk(code)) for w in one.wrong]
    house.close()
    assert wrong == []
    assert "nothing is missing or changed" in told.first
    assert told.place.key_file.stat().st_mode & 0o077 == 0
    assert told.place.key_file.read_text().strip() not in told.place.summary.read_text()


def test_the_official_rules_find_nothing_in_what_was_sent(told: Told, shared: Path, tmp_path: Path) -> None:
    rulesets.fetch(shared / "conformance", tmp_path)
    validator = Validator(tmp_path)
    papers = [*told.place.folder.glob("received/*.xml"), *told.place.outbox.rglob("*.xml")]
    reports = {path.name: validator.validate(path.read_bytes()) for path in papers}
    assert len(reports) == 6 + 69 + 6
    assert {name: one.findings for name, one in reports.items() if not one.valid or one.findings} == {}


def test_bank_and_tax_files_fit_their_schemas(told: Told, shared: Path) -> None:
    schema = etree.XMLSchema(etree.parse(str(shared / "camt/xsd/camt.053.001.08.xsd")))
    files = sorted(told.place.folder.glob("bank/*.xml"))
    assert [path.name for path in files if not schema.validate(etree.parse(str(path)))] == []
    [saft_schema] = (shared / "saft").rglob("Norwegian_SAF-T_Financial_Schema_v_1.40*.xsd")
    assert validate_xsd(told.place.saft, saft_schema) == []


def test_invented_numbers_have_right_check_digits() -> None:
    proofs = {"0192": orgnr.is_valid, "9930": vat.is_valid, "0183": uid.is_valid, "0216": str.isdigit}
    parties = [m.company.profile.party for m in markets()] + [c.party for m in markets() for c in m.customers]
    ids = [party.endpoint for party in parties]
    assert [one for one in ids if one is None or not proofs[one.scheme or ""](one.value)] == []
    accounts = [account.account for market in markets() for account in market.company.bank_accounts]
    assert [account for account in accounts if not iban.is_valid(account)] == []
    assert all((party.contact.email or "").endswith(".example") for party in parties)


def test_two_demos_in_one_folder_do_not_meet(told: Told) -> None:
    with told.place.locked(), pytest.raises(Conflict, match="another demo is running"):
        run(serve=False, folder=told.place.folder)


def test_a_taken_port_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        other = free_port(port)
    assert other != port
    assert free_port(other) == other


@pytest.mark.skipif(not shutil.which("curl"), reason="the printed lines are unchecked: no curl here")
def test_the_printed_lines_work_as_they_are_while_it_serves(told: Told, tmp_path: Path) -> None:
    place = Place(Path(shutil.copytree(told.place.folder, tmp_path / "copied demo")))
    process = command(place)
    try:
        text = until_it_answers(process)
        lines = [line for line in text.splitlines() if line.startswith("curl ")]
        held, put, way = (json.loads(shell(line)) for line in lines)
        assert [order["document_id"] for order in held["items"]] == ["PO-8025", "PO-8028"]
        assert (put["state"], put["external_id"]) == ("approved", "mine-1")
        assert way["items"][0]["event"] == "OrderReceived"
        [docs] = set(re.findall(r"http://\S+/docs", text.partition("What next")[2].partition("# ")[0]))
        assert "o2c API" in shell(f"curl -s {docs}")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        stop(process)


def until_it_answers(process: subprocess.Popen[str]) -> str:
    """What is printed until the server says where it is."""
    assert process.stdout is not None
    text = ""
    for line in process.stdout:
        text += line
        if address := re.match(r"o2c starts at http://127.0.0.1:(\d+) ", line):
            wait_for(int(address[1]))
            return text
    pytest.fail(f"the demo ended without serving:\n{text}")


def wait_for(port: int) -> None:
    """The server's own process listens a moment after it was announced."""
    deadline = time.monotonic() + 30
    while True:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        assert time.monotonic() < deadline, f"nothing listens on port {port}"
        time.sleep(0.05)


def shell(line: str) -> str:
    """A copied line, run as a person would."""
    return subprocess.run(["sh", "-c", line], capture_output=True, text=True, check=True).stdout
