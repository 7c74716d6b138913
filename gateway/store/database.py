"""One door to the database: short read snapshots, and units of work that commit whole.

SQLite (WAL, ``synchronous=FULL``) has one writer: all units go through one thread that commits
them in groups, each in its own savepoint, so that a hundred waiting requests share one fsync and
none fights for the lock. PostgreSQL runs each unit in its own transaction. A unit may be run
again when it meets a conflict, so it must have no effect outside the connection it is given.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import ConnectionPoolEntry

from o2c.errors import Unavailable

T = TypeVar("T")
Jobs = list[tuple[str, str]]  # (company id, job id)

_ALONE = 62_737  # the advisory lock of `alone`: any number, the same in every process
_PRAGMAS = (
    "synchronous=FULL",
    "foreign_keys=ON",
    "recursive_triggers=ON",  # else REPLACE would delete an append-only row past its trigger
    "busy_timeout=30000",
)
_GROUP_LIMIT = 256
_WAL_TRIES, _WAL_WAIT = 300, 0.1  # seconds: half a minute in all
_TRIES = 50  # of a unit that keeps meeting fresher rows; each try starts from what the last one saw


class Stale(Exception):
    """A row changed between reading and writing it: run the unit again on what is there now."""


class Database:
    """Opens ``sqlite:///file`` or ``postgresql+psycopg://...``."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.is_sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite_engine(url) if self.is_sqlite else _postgres_engine(url)
        self._committed: list[Callable[[tuple[str, str]], None]] = []
        self._writer = _GroupWriter(self.engine) if self.is_sqlite else None

    def on_job(self, listener: Callable[[tuple[str, str]], None]) -> None:
        """Call ``listener((company_id, job_id))`` for each job row, after its commit."""
        self._committed.append(listener)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection in one read snapshot; nothing it does is kept."""
        with self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ")
            yield connection

    def write(self, unit: Callable[[Connection], T]) -> T:
        """Run ``unit`` in one transaction and return its result once it is durable.

        Raises whatever the unit raises (then nothing is kept) and ``Unavailable('database-busy')``.
        """
        return self.until_it_holds(lambda: self.once(unit))

    def until_it_holds(self, attempt: Callable[[], tuple[T, Jobs]]) -> T:
        """Repeat an ``attempt`` at a transaction that meets a conflict; the queue hears of its jobs."""
        for _ in range(_TRIES):
            try:
                result, jobs = attempt()
            except Stale:
                continue
            except DBAPIError as error:
                if _is_conflict(error):
                    continue
                raise
            for job in jobs:
                for listener in self._committed:
                    listener(job)
            return result
        raise Unavailable(
            "database-busy", "the database is too busy for this change.", next_step="Try again."
        )

    def once(self, unit: Callable[[Connection], T]) -> tuple[T, Jobs]:
        """``unit`` in one transaction, tried once: its result and the jobs it has written. The queue does
        not hear of them."""
        if self._writer:
            return self._writer.run(unit)
        with self.engine.begin() as connection:
            return _run(connection, unit)

    @contextmanager
    def alone(self) -> Iterator[Connection]:
        """One transaction that no other process of this installation has at the same time: for
        changes of the schema, which two could not make together."""
        with self.engine.execution_options(writing=True).connect() as connection, connection.begin():
            if not self.is_sqlite:  # SQLite's BEGIN IMMEDIATE is such a lock already
                connection.execute(select(func.pg_advisory_xact_lock(_ALONE)))
            yield connection

    def close(self) -> None:
        """Stop the writer and let every connection go."""
        if self._writer:
            self._writer.close()
        self.engine.dispose()


def _is_conflict(error: DBAPIError) -> bool:
    """Worth another try: a deadlock or serialisation failure (SQLSTATE class 40), another process that
    has been writing to a SQLite file for long, or two units that appended to one journal stream at the
    same moment."""
    if isinstance(error, IntegrityError):
        return is_duplicate(error, "uq_journal_chain", "journal.company_id, journal.stream, journal.seq")
    is_locked = isinstance(error.orig, sqlite3.OperationalError) and "locked" in str(error.orig)
    return is_locked or str(getattr(error.orig, "sqlstate", "") or "").startswith("40")


def is_duplicate(error: IntegrityError, constraint: str, columns: str) -> bool:
    """Did this unique key refuse the row? PostgreSQL names the constraint, SQLite its columns."""
    words = str(error.orig)
    return constraint in words or columns in words


def _sqlite_engine(url: str) -> Engine:
    engine = create_engine(url, connect_args={"timeout": 30, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def connected(connection: Any, _record: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # BEGIN is ours, see `begin`
        _enter_wal(connection)
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes the lock at once: upgrading a reader's lock later could only fail.
        writing = connection.get_execution_options().get("writing")
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    return engine


def _enter_wal(connection: sqlite3.Connection) -> None:
    """Set the file's journal mode. Where several processes open a fresh file at once, SQLite refuses
    all but one at once, whatever the timeout says; the others find it set a moment later."""
    for _ in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise
            threading.Event().wait(_WAL_WAIT)
    raise Unavailable("database-busy", "the database file stays locked.", next_step="See who holds it.")


def _postgres_engine(url: str) -> Engine:
    return create_engine(url, pool_size=16, max_overflow=16, pool_pre_ping=False)


class _GroupWriter:
    """The one writer thread of a SQLite file, started at the first unit."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine.execution_options(writing=True)
        self._queue: queue.SimpleQueue[tuple[Callable[[Connection], Any], Future[Any]] | None] = (
            queue.SimpleQueue()
        )
        self._thread: threading.Thread | None = None
        self._start = threading.Lock()

    def run(self, unit: Callable[[Connection], Any]) -> tuple[Any, Jobs]:
        """Queue the unit and wait until its group is durable."""
        with self._start:
            if self._thread is None:
                self._thread = threading.Thread(target=self._loop, name="o2c-writer", daemon=True)
                self._thread.start()
            future: Future[Any] = Future()
            self._queue.put((unit, future))  # under the lock: nothing may come after `close`'s None
        result: tuple[Any, Jobs] = future.result()
        return result

    def close(self) -> None:
        with self._start:
            if self._thread is not None:
                self._queue.put(None)
                self._thread.join()
                self._thread = None

    def _loop(self) -> None:
        while (first := self._queue.get()) is not None:
            group = [first]
            stop = False
            while len(group) < _GROUP_LIMIT and not self._queue.empty():
                following = self._queue.get()
                if following is None:
                    stop = True
                    break
                group.append(following)
            self._commit(group)
            if stop:
                return

    def _commit(self, group: list[tuple[Callable[[Connection], Any], Future[Any]]]) -> None:
        """Nobody hears of a unit, done or failed, before the group is durable: what made one fail
        may be a row of its neighbour, which its caller will look for."""
        outcomes: list[tuple[Any, Jobs] | BaseException] = []
        try:
            with self._engine.begin() as connection:
                if len(group) == 1:  # nobody to protect from each other
                    outcomes.append(_run(connection, group[0][0]))
                else:
                    outcomes += [_run_apart(connection, unit) for unit, _ in group]
        except BaseException as error:
            outcomes = [error] * len(group)
        for (_, future), outcome in zip(group, outcomes, strict=True):
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)


def _run(connection: Connection, unit: Callable[[Connection], T]) -> tuple[T, Jobs]:
    """The unit's result and the jobs it has written."""
    connection.info["jobs"] = []
    return unit(connection), connection.info["jobs"]


def _run_apart(connection: Connection, unit: Callable[[Connection], T]) -> tuple[T, Jobs] | BaseException:
    """The same in a savepoint: what the unit raises is its own affair."""
    savepoint = connection.begin_nested()
    try:
        outcome = _run(connection, unit)
        savepoint.commit()
        return outcome
    except BaseException as error:
        savepoint.rollback()
        return error
