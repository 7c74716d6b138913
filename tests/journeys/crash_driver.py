"""Kills an installation at every commit and every send of a whole journey, and starts it again.

Run as ``python -m tests.journeys.crash_driver SCENE FOLDER URL [STEP]``; writes ``FOLDER/runs.json``.
This process only supervises: it lives once itself to have everything loaded, closes that database
and forks each life from there, so that a life costs milliseconds. A life kills itself with SIGKILL
at its n-th point; points stand before and after each commit (the database driver's own call) and
before and after each send. What the callers outside do, they do again in each life: same order,
same keys, same files.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import signal
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql
from sqlalchemy import Connection, make_url, select

from connectors.file_drop import FileDrop, file_name
from gateway import jobs
from gateway.stages import audit, fulfil, receive, settle
from gateway.stages.fulfil import Despatch
from gateway.store import companies, invoices, ledger, orders
from gateway.store.schema import delivery, job, journal
from gateway.wiring import House
from o2c.order import PartState
from o2c.ports import DeliveryChannel, Parcel
from tests.journeys.bank_file import Line, statement
from tests.store.shop import COMPANY, IBAN, START, WAREHOUSE, furnish, incoming, open_shop

OVERDUE = START + timedelta(days=31)
_LEASE_SECONDS = 0.05  # the next life must not wait for the leases of the one before


# --- one life ------------------------------------------------------------------------------------
@dataclass(slots=True)
class Points:
    """Counts the moments at which a process may die, and dies at the chosen one."""

    fatal: int
    passed: int = 0

    def here(self) -> None:
        """One more moment."""
        self.passed += 1
        if self.passed == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A channel that writes down every try, durably, before it is made."""

    channel: DeliveryChannel
    points: Points
    log: Path

    def send(self, parcel: Parcel) -> str:
        """Sends through the real channel, between two points."""
        said = sha256(parcel.content or parcel.body.encode()).hexdigest()
        with self.log.open("a") as log:
            log.write(f"{parcel.message_id} {said}\n")
            log.flush()
            os.fsync(log.fileno())
        self.points.here()
        evidence = self.channel.send(parcel)
        self.points.here()
        return evidence


def live(url: str, folder: Path, fatal: int) -> dict[str, Any]:
    """One life: everything that is still to be done, up to the fatal point; what is then to be seen."""
    house = open_shop(url, folder, lease_seconds=_LEASE_SECONDS)
    points = Points(fatal)
    house.channels = {"folder": Witnessed(FileDrop(folder / "outbox"), points, folder / "sends.log")}
    dialect: Any = house.database.engine.dialect
    commit = dialect.do_commit

    def counted(connection: Any) -> None:
        points.here()
        commit(connection)
        points.here()

    dialect.do_commit = counted
    journey(house)
    passed = points.passed
    seen = asdict(look(house, folder))
    house.close()
    return seen | {"points": passed}


def journey(house: House) -> None:
    """Two orders, three invoices, a backorder, a reminder, a hold and two bank files."""
    desk = house.desk(COMPANY)
    first = receive.receive_order(desk, incoming("A", 12)).stored.order_id
    work(house)
    fulfil.ship(desk, first, Despatch("D-1"))
    work(house)
    restock(house, first)
    work(house)
    fulfil.ship(desk, first, Despatch("D-2"))
    work(house)
    turn(house, OVERDUE)
    jobs.start_day(house)
    work(house)
    second = receive.receive_order(house.desk(COMPANY), incoming("B", 1)).stored.order_id
    work(house)
    pay(house, 1, ["INV-00001", "INV-00002"])
    work(house)
    fulfil.ship(house.desk(COMPANY), second, Despatch("D-3"))
    work(house)
    pay(house, 2, ["INV-00003"])
    work(house)


def work(house: House) -> None:
    """What workers do, until nothing is left; a dead worker's lease has to run out first."""
    while True:
        jobs.run_due(house)
        with house.database.read() as connection:
            left = connection.execute(
                select(job.c.kind, job.c.last_error, job.c.parked_at).where(job.c.done_at.is_(None))
            ).all()
        if not left:
            return
        if any(row.parked_at or row.last_error for row in left):
            raise RuntimeError(f"a job failed: {left}")
        time.sleep(0.01)


def restock(house: House, order_id: str) -> None:
    """The warehouse counts what has come in, if an order still waits for it."""
    with house.database.read() as connection:
        parts = orders.find(connection, COMPANY, order_id).parts
    if any(part.state is PartState.BACKORDERED for part in parts):
        fulfil.count_stock(house.desk(COMPANY), "SN-33", WAREHOUSE, Decimal(3))


def turn(house: House, to: datetime) -> None:
    """The hand-turned clock, which is kept in the database, goes on."""
    if house.desk(COMPANY).clock.now() < to:
        house.database.write(lambda connection: companies.turn_clock(connection, COMPANY, to))


def pay(house: House, number: int, named: list[str]) -> None:
    """The bank's file: these invoices are paid in full, each by its reference."""
    with house.database.read() as connection:
        issued = [invoices.find(connection, COMPANY, name) for name in named]
    lines = [
        Line(str(one.invoice.totals.payable), one.invoice.payment.reference, payer="Fjord Hotel AS")
        for one in issued
    ]
    settle.import_statements(house.desk(COMPANY), statement(IBAN, lines, number=number, on=OVERDUE.date()))


# --- what is to be seen in the end ---------------------------------------------------------------
@dataclass(slots=True)
class Seen:
    """The end of a journey. ``books`` are balances by account, minor units."""

    sequences: list[int] = field(default_factory=list)
    books: dict[str, int] = field(default_factory=dict)
    events: dict[str, int] = field(default_factory=dict)
    orders: list[list[str]] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)
    files: list[str] = field(default_factory=list)
    tries: dict[str, list[str]] = field(default_factory=dict)
    audit: list[str] = field(default_factory=list)


def look(house: House, folder: Path) -> Seen:
    """Numbers, books, journal, messages and files, and what the audit says."""
    desk, seen = house.desk(COMPANY), Seen()
    with house.database.read() as connection:
        seen.sequences = [one.sequence for one in invoices.page(connection, COMPANY, 0, 100)]
        seen.books = dict(ledger.balances(connection, COMPANY, (OVERDUE + timedelta(days=1)).date()))
        seen.events, seen.orders = _events(connection)
        rows = connection.execute(select(delivery.c.message_id).where(delivery.c.state == "sent"))
        seen.messages = sorted(rows.scalars())
    files = (path for path in (folder / "outbox").rglob("*") if path.is_file())
    seen.files = sorted(path.stem for path in files if not path.name.startswith("."))
    seen.messages = [file_name(message) for message in seen.messages]
    for line in (folder / "sends.log").read_text().splitlines():
        message, said = line.split()
        seen.tries.setdefault(said, []).append(message)
    seen.audit = [words for checked in audit.verify(desk) for words in checked.wrong]
    return seen


def _events(connection: Connection) -> tuple[dict[str, int], list[list[str]]]:
    rows = connection.execute(select(journal.c.stream, journal.c.event).order_by(journal.c.entry_no)).all()
    streams: dict[str, list[str]] = {}
    for row in rows:
        streams.setdefault(row.stream, []).append(row.event)
    # Jobs that do not depend on each other may change places when one is taken up again.
    told = [sorted(events) for stream, events in streams.items() if stream.startswith("order:")]
    return dict(Counter(row.event for row in rows)), told


# --- the supervisor ------------------------------------------------------------------------------
@dataclass(slots=True)
class Places:
    """Fresh copies of one furnished database, each with a folder of its own."""

    folder: Path
    url: str
    made: int = 0

    def furnish(self) -> None:
        """Make the original."""
        ended = in_child(lambda: _furnish(self.url, self.folder), self.folder / "furnish.json")
        assert ended == 0, "the original could not be furnished"

    def fresh(self) -> tuple[str, Path]:
        """URL and folder of a new copy."""
        self.made += 1
        folder = self.folder / f"copy-{self.made}"
        folder.mkdir()
        url = make_url(self.url)
        if url.get_backend_name() == "sqlite":
            assert url.database is not None
            shutil.copy(url.database, folder / "o2c.sqlite")
            return f"sqlite:///{folder / 'o2c.sqlite'}", folder
        name = f"{url.database}_{self.made}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE {}"), name, str(url.database))
        # Only clients die here, never the server: what it has committed is safe without a flush.
        url = url.set(database=name).update_query_dict({"options": "-c synchronous_commit=off"})
        return url.render_as_string(hide_password=False), folder

    def drop(self, url: str, folder: Path) -> None:
        """Done with a copy."""
        shutil.rmtree(folder)
        if url.startswith("postgresql"):
            self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)"), str(make_url(url).database))

    def _run(self, statement: sql.SQL, *names: str) -> None:
        url = make_url(self.url)
        place = {"host": url.host, "port": url.port, "user": url.username, "dbname": "postgres"}
        with psycopg.connect(**place, autocommit=True) as connection:  # type: ignore[arg-type]
            connection.execute(statement.format(*(sql.Identifier(name) for name in names)))


def _furnish(url: str, folder: Path) -> dict[str, Any]:
    house = open_shop(url, folder)
    furnish(house)
    house.close()
    return {}


def in_child(action: Callable[[], dict[str, Any]], result: Path) -> int:
    """Run it in a fork and write what it returns; the exit code, negative if a signal ended it."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            result.write_text(json.dumps(action()))
            code = 0
        except BaseException:
            traceback.print_exc()
        os._exit(code)  # nothing of the supervisor may run on in here
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def once(places: Places, fatal: int, *, again: bool = False) -> dict[str, Any]:
    """Die at one point (``again``: in each life) and live on until the journey ends."""
    url, folder = places.fresh()
    result = folder / "seen.json"
    lives, ended = 1, in_child(lambda: live(url, folder, fatal), result)
    while ended == -signal.SIGKILL:
        lives, ended = lives + 1, in_child(lambda: live(url, folder, fatal if again else 0), result)
    seen: dict[str, Any] = json.loads(result.read_text()) if ended == 0 else {"failed": ended}
    places.drop(url, folder)
    return seen | {"fatal": fatal, "lives": lives}


def every_point(places: Places, step: int) -> list[dict[str, Any]]:
    """Undisturbed (the first), then dying at point 1, 1 + step, ... and at the last one."""
    runs = [once(places, 0)]
    total = runs[0].get("points", 0)
    for fatal in sorted({*range(1, total + 1, step), total}):
        runs.append(once(places, fatal))
    runs.append(once(places, total + 1))
    return runs


def warm_up(folder: Path) -> None:
    """One undisturbed life in this process; afterwards nothing of it is open."""
    folder.mkdir()
    url = f"sqlite:///{folder / 'o2c.sqlite'}"
    _furnish(url, folder)
    live(url, folder, 0)
    gc.collect()
    gc.freeze()  # what is loaded by now is shared with every life and never touched by its collector


def main(scene: str, folder: str, url: str, step: str = "1") -> None:
    """Play one scene and write down its runs."""
    warm_up(Path(folder) / "warm")
    places = Places(Path(folder), url)
    places.furnish()
    if scene == "once":
        runs = every_point(places, int(step))
    else:
        runs = [once(places, 0), once(places, int(step), again=True)]
    (Path(folder) / "runs.json").write_text(json.dumps(runs))


if __name__ == "__main__":
    main(*sys.argv[1:])
