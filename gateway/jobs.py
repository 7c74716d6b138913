"""The clockwork: job rows are run, retried with backoff, parked; the daily runs are started.

Embedded and scaled are one code path. The queue (huey: SQLite beside the database, PostgreSQL, or
Redis) only carries ids. A worker takes a lease in the database, so an id that comes twice is run
once, and the sweep finds what the queue has lost.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

import structlog
from huey import Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from sqlalchemy import Connection

from gateway.clock import machine_time
from gateway.stages import answer, approve, bill, grant, publish, remind, restock, send
from gateway.stages.desk import Desk
from gateway.store import jobs, referrals
from gateway.store.jobs import Job, LeaseLost, NewJob
from gateway.wiring import House
from o2c.errors import Broken, Refused, Unavailable

_log = structlog.get_logger()

_FIRST_WAIT = timedelta(seconds=15)
_LONGEST_WAIT = timedelta(hours=6)
_TRIES = 14  # of a job the world stands in the way of: about a day, then people see it
_FAULT_TRIES = 3  # of a job that fails for a reason nobody foresaw
_QUEUE_LIMIT = 1000  # ids; a sweep never makes a longer queue longer


def _within_one_transaction(work: Callable[..., None], *subject: str) -> Callable[[Desk, Job], None]:
    """A handler for work on one thing (``subject`` names it in the payload), or on the whole company,
    that needs nothing outside the database."""

    def handler(desk: Desk, job: Job) -> None:
        def unit(connection: Connection) -> None:
            work(desk, connection, *(job.payload[name] for name in subject))
            jobs.done(connection, job)

        desk.database.write(unit)

    return handler


HANDLERS: dict[str, Callable[[Desk, Job], None]] = {
    "answer": answer.answer_order,
    "bill": bill.bill_shipment,
    "send": send.send_message,
    "remind": remind.remind,
    "refill": _within_one_transaction(restock.refill, "product"),
    "reconsider": _within_one_transaction(approve.reconsider, "order"),
    "referrals": _within_one_transaction(approve.tell_of_late_answers),
    "behaviour": _within_one_transaction(grant.refresh_behaviour),
    "webhook": publish.publish_event,
}


def run_job(house: House, company_id: str, job_id: str) -> bool:
    """Lease and run one job; False if it is done, parked or in other hands. Never raises for a job's
    own failure: that is written on its row."""
    length = timedelta(seconds=house.settings.lease_seconds)
    leased = house.database.write(lambda c: jobs.lease(c, company_id, job_id, machine_time(), length))
    if leased is None:
        return False
    try:
        if leased.attempts > _TRIES:  # no try ended by its own words, or it would be parked by now
            _park(house, leased, "worker-lost: each worker that took the job died or was too slow.")
        else:
            _run(house, leased)
    except LeaseLost:
        _log.warning("job taken over by another worker", company=company_id, job=job_id, kind=leased.kind)
    return True


def _run(house: House, leased: Job) -> None:
    try:
        HANDLERS[leased.kind](house.desk(leased.company_id), leased)
    except LeaseLost:
        raise
    except Unavailable as problem:
        _try_later(house, leased, str(problem), _TRIES)
    except (Refused, Broken) as problem:
        _park(house, leased, str(problem))
    except Exception as fault:  # what nobody foresaw must not end the worker, nor be lost
        _log.exception("job failed", company=leased.company_id, job=leased.job_id, kind=leased.kind)
        _try_later(house, leased, f"{type(fault).__name__}: {fault}", _FAULT_TRIES)


def _try_later(house: House, leased: Job, words: str, tries: int) -> None:
    if leased.attempts >= tries:
        _park(house, leased, words)
        return
    wait = min(_FIRST_WAIT * 2 ** (leased.attempts - 1), _LONGEST_WAIT)
    house.database.write(lambda c: jobs.retry(c, leased, machine_time() + wait, words))


def _park(house: House, leased: Job, words: str) -> None:
    _log.error("job parked", company=leased.company_id, job=leased.job_id, kind=leased.kind, error=words)
    house.database.write(lambda c: jobs.park(c, leased, machine_time(), words))


def start_day(house: House, started: dict[str, date] | None = None) -> None:
    """Write today's jobs of every company, and those for deadlines that have passed; the same again
    changes nothing.

    ``started`` remembers the last day by company, so that a sweep need not write to find that out.
    """
    days = {} if started is None else started
    for company_id in house.companies():
        desk = house.desk(company_id)
        today = desk.clock.today()
        if days.get(company_id) != today:
            work = [NewJob("behaviour", f"behaviour:{today}", {}), remind.remind_job(today)]
            desk.database.write(partial(jobs.enqueue, company_id=company_id, jobs=work))
            days[company_id] = today
    _watch_deadlines(house)


def _watch_deadlines(house: House) -> None:
    """One query for the whole installation; a job only where an answer is late."""
    with house.database.read() as connection:
        nearest = referrals.deadlines(connection)
    for company_id, deadline in nearest.items():
        desk = house.desk(company_id)
        if deadline < desk.clock.now():
            work = [approve.late_job(deadline)]
            desk.database.write(partial(jobs.enqueue, company_id=company_id, jobs=work))


def run_due(house: House, limit: int = 100_000) -> int:
    """Run everything that is due, and what that causes, until nothing is; returns how many ran."""
    ran = 0
    while ran < limit:
        with house.database.read() as connection:
            due = jobs.due(connection, machine_time())
        progress = sum(run_job(house, company_id, job_id) for company_id, job_id in due)
        if not progress:
            return ran
        ran += progress
    return ran


def _queue(house: House) -> Huey:
    url = house.settings.queue_url or house.settings.database_url
    if url.startswith("sqlite:///"):
        # fsync is not needed: what the queue loses the sweep finds.
        filename = f"{url.removeprefix('sqlite:///')}-queue"
        return SqliteHuey("o2c", results=False, filename=filename, fsync=False)
    if url.startswith("postgresql"):
        dsn = url.replace("postgresql+psycopg://", "postgresql://")
        with house.database.alone():  # it makes its tables, which two processes at once cannot
            return PostgresHuey("o2c", results=False, dsn=dsn)
    return RedisHuey("o2c", results=False, url=url)


class Clockwork:
    """Workers and the sweep of one process, beside its queue."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._huey = _queue(house)
        self._run = self._huey.task(name="o2c.run_job")(self._work)
        self._consumer: Consumer | None = None
        self._stop = threading.Event()
        self._days: dict[str, date] = {}
        self._sweeper: threading.Thread | None = None
        house.database.on_job(self.push)

    def push(self, job: tuple[str, str]) -> None:
        """Put one job's id on the queue. Losing it only delays it until the next sweep."""
        try:
            self._run(*job)
        except Exception:  # the job row is committed; the queue is a courtesy
            _log.warning("queue did not take a job; the sweep will", job=job[1], exc_info=True)

    def _work(self, company_id: str, job_id: str) -> None:
        run_job(self._house, company_id, job_id)

    def start(self, workers: int, sweep_every: float = 5.0) -> None:
        """Start the workers and the sweep (every so many seconds) in this process's threads."""
        self._consumer = _QuietConsumer(
            self._huey, workers=workers, periodic=False, initial_delay=0.02, max_delay=0.25
        )
        self._consumer.start()
        self._sweeper = threading.Thread(
            target=self._sweep, args=(sweep_every,), name="o2c-sweep", daemon=True
        )
        self._sweeper.start()

    def stop(self) -> None:
        """Finish what is running and stop."""
        self._stop.set()
        if self._sweeper is not None:
            self._sweeper.join()
        if self._consumer is not None:
            self._consumer.stop(graceful=True)

    def _sweep(self, every: float) -> None:
        while not self._stop.is_set():
            try:
                start_day(self._house, self._days)
                self._refill_queue()
            except Exception:  # the next sweep tries again; the rows are safe
                _log.exception("sweep failed")
            self._stop.wait(every)

    def _refill_queue(self) -> None:
        """Push what is due and perhaps lost. An id pushed twice is run once (see ``lease``)."""
        room = _QUEUE_LIMIT - self._huey.pending_count()
        if room <= 0:
            return
        with self._house.database.read() as connection:
            due = jobs.due(connection, machine_time(), room)
        for job in due:
            self.push(job)


class _QuietConsumer(Consumer):  # type: ignore[misc]
    """A consumer inside a process that has its own signal handlers."""

    def _set_signal_handlers(self) -> None:
        pass


def release(house: House, company_id: str, job_id: str) -> bool:
    """Take a parked job up again."""
    return house.database.write(lambda c: jobs.release(c, company_id, job_id, machine_time()))
