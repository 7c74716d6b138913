"""Several real processes on one database at the same time.

Run as ``python -m tests.journeys.race_driver SCENE FOLDER URL``; writes ``FOLDER/seen.json``. Like
``crash_driver`` this process forks the others before it opens the database itself.

``invoices``: 8 processes bill 125 shipments each, all in one number series.
``workers``: 3 processes run the clockwork, one of them dies in the middle of a send.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.file_drop import FileDrop
from gateway import jobs
from gateway.jobs import Clockwork
from gateway.stages import audit, fulfil, receive
from gateway.stages.fulfil import Despatch
from gateway.stages.receive import Received
from gateway.store.schema import delivery, invoice, job, journal
from gateway.wiring import House
from tests.journeys.crash_driver import Points, Witnessed, in_child, warm_up
from tests.store.shop import COMPANY, furnish, incoming, open_shop

BILLERS, EACH = 8, 125
WORKERS, ORDERS = 3, 24
_FORK = multiprocessing.get_context("fork")
_PATIENCE = 60.0  # seconds


def _furnish(url: str, folder: Path, buyers: int) -> dict[str, Any]:
    house = open_shop(url, folder)
    furnish(house, buyers=buyers, stock=BILLERS * EACH)
    house.close()
    return {}


def sell(house: House, customer: str, count: int) -> list[str]:
    """So many orders of one customer, received and shipped; their ids."""
    desk = house.desk(COMPANY)
    batch = [incoming(f"{customer}-{place}", 1, customer=customer) for place in range(count)]
    taken = [one for one in receive.receive_orders(desk, batch) if isinstance(one, Received)]
    for one in taken:
        fulfil.ship(desk, one.stored.order_id, Despatch("D-1"))
    return [one.stored.order_id for one in taken]


# --- one series, many billers --------------------------------------------------------------------
def bill(url: str, folder: Path, customer: str, ready: Any, times: Any) -> None:
    """One biller: prepares its shipments, waits for all the others, then issues its invoices."""
    house = open_shop(url, folder)
    mine = set(sell(house, customer, EACH))
    with house.database.read() as connection:
        rows = connection.execute(select(job.c.job_id, job.c.payload).where(job.c.kind == "bill")).all()
    due = [row.job_id for row in rows if json.loads(row.payload)["order"] in mine]
    ready.wait()
    started = time.monotonic()
    for job_id in due:
        jobs.run_job(house, COMPANY, job_id)
    times.put((started, time.monotonic()))
    house.close()


def invoices(url: str, folder: Path) -> dict[str, Any]:
    """The numbers that came out and how long it took from the first start to the last end."""
    in_child(lambda: _furnish(url, folder, BILLERS), folder / "furnish.json")
    ready, times = _FORK.Barrier(BILLERS), _FORK.SimpleQueue()
    billers = [
        _FORK.Process(target=bill, args=(url, folder, f"C-{place}", ready, times))
        for place in range(1, BILLERS + 1)
    ]
    exits = _run(billers)
    spans = [times.get() for _ in billers]
    house = open_shop(url, folder)
    with house.database.read() as connection:
        numbers = list(connection.execute(select(invoice.c.number).order_by(invoice.c.number)).scalars())
    seconds = max(end for _, end in spans) - min(start for start, _ in spans)
    return {"exits": exits, "numbers": numbers, "seconds": seconds, "audit": _faults(house)}


def _run(processes: Sequence[BaseProcess]) -> list[int | None]:
    for process in processes:
        process.start()
    for process in processes:
        process.join(_PATIENCE)
    return [process.exitcode for process in processes]


def _faults(house: House) -> list[str]:
    return [words for checked in audit.verify(house.desk(COMPANY)) for words in checked.wrong]


# --- many workers, one dies ----------------------------------------------------------------------
def work(url: str, folder: Path, fatal: int, parent: int, ready: Any) -> None:
    """One worker process, until it is told to stop, reaches its fatal point (see ``Witnessed``) or
    has lost its parent."""
    house = open_shop(url, folder, lease_seconds=1.0)
    log = folder / f"sends-{os.getpid()}.log"
    house.channels = {"folder": Witnessed(FileDrop(folder / "outbox"), Points(fatal), log)}
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    clockwork = Clockwork(house)
    clockwork.start(workers=2, sweep_every=0.3)
    ready.wait()
    while os.getppid() == parent and not stop.wait(0.5):
        pass
    clockwork.stop()
    house.close()


def workers(url: str, folder: Path) -> dict[str, Any]:
    """What became of every order while one worker of three was killed before its fifth send."""
    in_child(lambda: _furnish(url, folder, 2), folder / "furnish.json")
    fatal = [9, 0, 0]
    ready = _FORK.Barrier(WORKERS + 1)
    staff = [_FORK.Process(target=work, args=(url, folder, point, os.getpid(), ready)) for point in fatal]
    for process in staff:
        process.start()
    house = open_shop(url, folder)
    ready.wait()
    Clockwork(house)  # not started: this process only puts ids on the queue, as a web process would
    for customer in ("C-1", "C-2"):
        sell(house, customer, ORDERS // 2)
    left = _until_idle(house)
    for process in staff[1:]:
        process.terminate()
    for process in staff:
        process.join(_PATIENCE)
    with house.database.read() as connection:
        events = list(connection.execute(select(journal.c.event)).scalars())
        sequences = list(
            connection.execute(select(invoice.c.sequence).order_by(invoice.c.sequence)).scalars()
        )
        states = list(connection.execute(select(delivery.c.state)).scalars())
    tries = _tries(folder)
    return {
        "exits": [process.exitcode for process in staff],
        "left": left,
        "events": Counter(events),
        "sequences": sequences,
        "deliveries": Counter(states),
        "tries": Counter(message for made in tries.values() for message in made),
        "by_worker": {pid: len(made) for pid, made in tries.items()},
        "files": len([path for path in (folder / "outbox").rglob("*") if path.is_file()]),
        "audit": _faults(house),
    }


def _until_idle(house: House) -> list[str]:
    """Wait until no job is left; those that still are when patience ends."""
    deadline = time.monotonic() + _PATIENCE
    while True:
        with house.database.read() as connection:
            rows = connection.execute(select(job).where(job.c.done_at.is_(None))).all()
        if not rows or time.monotonic() > deadline:
            return [f"{row.kind} {row.attempts} {row.last_error}" for row in rows]
        time.sleep(0.1)


def _tries(folder: Path) -> dict[str, list[str]]:
    return {
        log.stem: [line.split()[0] for line in log.read_text().splitlines()]
        for log in folder.glob("sends-*.log")
    }


def main(scene: str, folder: str, url: str) -> None:
    """Play one scene and write down what is to be seen."""
    place = Path(folder)
    warm_up(place / "warm")
    seen = {"invoices": invoices, "workers": workers}[scene](url, place)
    (place / "seen.json").write_text(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
