"""A generated company's bank files through the command: taken back whole, raced, from a watched folder."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, func, select

from gateway.stages import reading, settle
from gateway.store.schema import customer, item, ledger_line, payer_account
from tests.cash import files
from tests.gateway.cli.conftest import Cli

COMPANY = "company add GMBH --name Muster --country DE --currency EUR --iban"
_PATIENCE = 60  # seconds


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """400 payments of every kind against 2,000 items."""
    folder = tmp_path_factory.mktemp("generated")
    files.write(folder, 77, 400, 2000)
    return folder


@pytest.fixture
def muster(cli: Cli, generated: Path) -> Cli:
    """The company with its customers and open items."""
    cli(f"{COMPANY} {files.ACCOUNT}")
    cli("import customers", generated / "customers.jsonl")
    cli("import open-items", generated / "items.jsonl")
    return cli


def picture(cli: Cli) -> list[Any]:
    """Items, customers, balances of accounts and payer accounts: what an undo has to restore to the cent."""
    line = ledger_line.c
    balances = select(
        line.account, func.sum(line.debit - line.credit), func.sum(line.base_debit - line.base_credit)
    )
    queries = (
        select(item.c.number, item.c.open_minor, item.c.base_open_minor, item.c.level,
               item.c.settled_at.is_(None)),
        select(customer.c.customer_id, customer.c.open_invoices_minor, customer.c.unallocated_minor,
               customer.c.held_at, customer.c.flagged_at),
        balances.group_by(line.account).having(func.sum(line.base_debit - line.base_credit) != 0),
        select(payer_account.c.iban, payer_account.c.customer_id, payer_account.c["count"]),
    )  # fmt: skip
    engine = create_engine(cli.environ["O2C_DATABASE_URL"])
    with engine.connect() as connection:
        found = [sorted(map(tuple, connection.execute(query))) for query in queries]
    engine.dispose()
    return found


def decisions(cli: Cli, path: Path) -> list[tuple[Any, ...]]:
    """What each transaction of a file came to."""
    sha = sha256(path.read_bytes()).hexdigest()
    names = ("tx", "decision", "rule", "alloc", "discount", "writeoff", "charges", "unapplied", "of")
    return [tuple(map(line.get, names)) for line in cli.json("payments list --file", sha)]


def test_a_file_of_every_kind_is_taken_back_to_the_cent_and_comes_in_again(
    muster: Cli, generated: Path
) -> None:
    path, before = generated / "statement.xml", picture(muster)
    assert muster.one("import statement", path)["lines"] == 400
    first, after = decisions(muster, path), picture(muster)
    assert {line[1] for line in first} == {"match", "review", "unapplied", "unrelated", "return"}
    assert (muster.one("import statement", path)["result"], picture(muster)) == ("known", after)
    undone = muster.one("payments undo --file", sha256(path.read_bytes()).hexdigest())
    assert undone["payments"] == 400
    assert picture(muster) == before
    assert muster.one("import statement", path)["result"] == "posted"
    assert (decisions(muster, path), picture(muster)) == (first, after)
    assert all(checked["wrong"] == [] for checked in muster.json("archive verify"))


def test_a_large_file_goes_through_a_process_beside_with_the_same_outcome(
    muster: Cli, generated: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks are fetched ahead and written behind: what each moves is seen by the next."""
    path, before = generated / "statement.xml", picture(muster)
    monkeypatch.setattr(reading, "BLOCK", 30)
    monkeypatch.setattr(settle, "MANY", 0)
    assert muster.one("import statement", path)["lines"] == 400
    first, after = decisions(muster, path), picture(muster)
    assert all(checked["wrong"] == [] for checked in muster.json("archive verify"))
    assert muster.one("import statement", path)["result"] == "known"
    muster.one("payments undo --file", sha256(path.read_bytes()).hexdigest())
    assert picture(muster) == before
    monkeypatch.undo()
    muster.one("import statement", path)
    assert (decisions(muster, path), picture(muster)) == (first, after)


_KILLED = """
import os, signal, sys
from gateway.cli import main
from gateway.stages import match, reading, settle
settle.MANY, reading.BLOCK = 0, 30
left, decide = int(sys.argv.pop(1)), match._Block.decide
def deciding(block):
    global left
    decide(block)
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
match._Block.decide = deciding
main(prog_name="o2c")
"""


@pytest.mark.parametrize("blocks", [1, 6, 14])
def test_a_killed_importer_leaves_nothing_in_the_books_beside(
    muster: Cli, generated: Path, blocks: int
) -> None:
    path, before = generated / "statement.xml", picture(muster)
    command = [sys.executable, "-c", _KILLED, str(blocks), "import", "statement", str(path), "--json"]
    ended = subprocess.run(command, env={**os.environ, **muster.environ}, capture_output=True, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert picture(muster) == before
    assert muster.one("import statement", path)["lines"] == 400  # once the process beside has seen it
    assert all(checked["wrong"] == [] for checked in muster.json("archive verify"))


# --- several processes ---------------------------------------------------------------------------
def started(cli: Cli, *words: object) -> subprocess.Popen[str]:
    """``o2c words`` in a process of its own."""
    command = [sys.executable, "-m", "gateway.cli", *map(str, words), "--json"]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, env={**os.environ, **cli.environ}, **pipes)


def ended(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Its last line; it ended well."""
    out, err = process.communicate(timeout=_PATIENCE)
    assert process.returncode == 0, err
    said: dict[str, Any] = json.loads(out.splitlines()[-1])
    return said


def test_importers_at_once_double_and_lose_nothing(muster: Cli, generated: Path, tmp_path: Path) -> None:
    """One file twice, and another statement that pays the very same items, all at the same moment."""
    path = generated / "statement.xml"
    other = tmp_path / "other.xml"
    text = path.read_text(encoding="utf-8").replace("<Id>S1</Id>", "<Id>S2</Id>").replace(">TX", ">TY")
    other.write_text(text.replace("<ElctrncSeqNb>1<", "<ElctrncSeqNb>2<"), encoding="utf-8")
    running = [started(muster, "import", "statement", file) for file in (path, path, other)]
    said = [ended(process) for process in running]
    assert sorted((one["bank_statement_id"], one["result"], one["lines"]) for one in said) == [
        ("S1", "known", 0),
        ("S1", "posted", 400),
        ("S2", "posted", 400),
    ]
    paid: dict[str, list[str]] = {}
    for tx, _, _, alloc, *_ in (*decisions(muster, path), *decisions(muster, other)):
        for number, _, closes in alloc:
            paid.setdefault(number, []).extend([tx] if closes else [])
    opened = {number: left for number, left, *_ in picture(muster)[0]}
    assert all(opened[number] == 0 for number, closers in paid.items() if len(closers) == 1)
    assert all(checked["wrong"] == [] for checked in muster.json("archive verify"))


# --- a watched folder ----------------------------------------------------------------------------
@contextmanager
def watching(cli: Cli, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that watches a folder, ended as a service is."""
    process = started(cli, "import", "statement", "--watch", folder, "--every", "0.1")
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=_PATIENCE)


def wait_for(what: Callable[[], bool]) -> None:
    """Until it is so."""
    give_up = time.monotonic() + _PATIENCE
    while not what():
        assert time.monotonic() < give_up
        time.sleep(0.05)


def test_a_watched_folder_takes_whole_files_once(muster: Cli, generated: Path, tmp_path: Path) -> None:
    content = (generated / "statement.xml").read_bytes()
    folder = tmp_path / "bank"
    folder.mkdir()
    done, refused = folder / "done" / "bank.xml", folder / "refused" / "broken.xml"
    (folder / "later.xml.part").write_bytes(content)
    with watching(muster, folder) as process:
        (folder / "bank.xml").write_bytes(content)
        (folder / "broken.xml").write_bytes(content[:5000])
        wait_for(lambda: done.exists() and refused.with_name("broken.xml.problem.json").exists())
    assert process.returncode == 1  # something was refused
    assert refused.read_bytes() == content[:5000]
    problem = json.loads(refused.with_name("broken.xml.problem.json").read_text(encoding="utf-8"))
    assert problem["code"] == "malformed"
    assert (folder / "later.xml.part").exists()
    assert len(decisions(muster, done)) == 400
