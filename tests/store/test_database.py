"""Units of work: whole or not at all, many to a commit, run again when they met a conflict."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from gateway.store import jobs, journal
from gateway.store.database import Database, Stale
from gateway.store.jobs import NewJob
from gateway.store.journal import Event
from gateway.store.schema import as_stored, number_series
from gateway.store.schema import job as job_table
from gateway.store.schema import journal as journal_table
from gateway.wiring import House
from o2c.errors import Unavailable
from tests.store.at_once import at_once
from tests.store.shop import COMPANY, START, open_shop


@pytest.fixture
def sqlite_house(tmp_path: Any) -> Iterator[House]:
    house = open_shop(f"sqlite:///{tmp_path / 'o2c.sqlite'}", tmp_path)
    yield house
    house.close()


def series(name: str) -> Callable[[Connection], str]:
    """A unit that writes one row."""

    def unit(connection: Connection) -> str:
        connection.execute(insert(number_series), {"company_id": COMPANY, "series": name, "last": 0})
        return name

    return unit


def written(database: Database) -> set[str]:
    with database.read() as connection:
        rows = connection.execute(select(number_series.c.series).where(number_series.c.series != "INV"))
        return set(rows.scalars())


@contextmanager
def one_group(database: Database) -> Iterator[Callable[[Callable[[Connection], Any]], Future[Any]]]:
    """What is submitted inside is committed together: a unit before it holds the writer until the end."""
    held, go = threading.Event(), threading.Event()

    def hold(_: Connection) -> None:
        held.set()
        go.wait(10)

    with ThreadPoolExecutor(20) as threads:
        first = threads.submit(database.write, hold)
        held.wait(10)

        def submit(unit: Callable[[Connection], Any]) -> Future[Any]:
            waiting = _queued(database)
            future = threads.submit(database.write, unit)
            while _queued(database) == waiting:
                pass  # the order of submission is the order in the queue
            return future

        yield submit
        go.set()
        first.result(10)


def _queued(database: Database) -> int:
    assert database._writer is not None
    return database._writer._queue.qsize()


# --- how the files are opened --------------------------------------------------------------------
@pytest.mark.parametrize("writing", [True, False])
def test_sqlite_survives_a_power_cut_and_readers_do_not_wait(sqlite_house: House, writing: bool) -> None:
    engine = sqlite_house.database.engine.execution_options(writing=writing)
    with engine.connect() as connection:
        modes = {
            name: connection.execute(text(f"PRAGMA {name}")).scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "recursive_triggers")
        }
    full = 2
    assert modes == {"journal_mode": "wal", "synchronous": full, "foreign_keys": 1, "recursive_triggers": 1}


def test_the_writer_itself_runs_with_them(sqlite_house: House) -> None:
    modes = sqlite_house.database.write(
        lambda c: [c.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("journal_mode", "synchronous")]
    )
    assert modes == ["wal", 2]


def test_a_reader_sees_one_moment(house: House) -> None:
    with house.database.read() as connection:
        before = connection.execute(select(func.count()).select_from(number_series)).scalar_one()
        house.database.write(series("LATER"))
        assert connection.execute(select(func.count()).select_from(number_series)).scalar_one() == before


# --- one unit ------------------------------------------------------------------------------------
def test_a_unit_that_raises_leaves_nothing(house: House) -> None:
    def unit(connection: Connection) -> None:
        series("A")(connection)
        raise LookupError("no")

    with pytest.raises(LookupError):
        house.database.write(unit)
    assert written(house.database) == set()


def test_a_stale_unit_is_run_again_on_what_is_there_now(house: House) -> None:
    tries = []

    def unit(connection: Connection) -> int:
        series("A")(connection)  # twice would be refused
        tries.append(1)
        if len(tries) < 3:
            raise Stale
        return len(tries)

    assert house.database.write(unit) == 3
    assert written(house.database) == {"A"}


def test_who_finds_the_file_locked_by_another_process_waits_on(sqlite_house: House, tmp_path: Any) -> None:
    database = sqlite_house.database
    database.write(lambda c: c.exec_driver_sql("PRAGMA busy_timeout=100"))  # milliseconds of one try
    other = sqlite3.connect(tmp_path / "o2c.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    end = threading.Timer(0.5, other.rollback)
    end.start()
    assert database.write(series("A")) == "A"
    end.join()
    other.close()


def test_a_unit_that_stays_stale_is_given_up_in_words(house: House) -> None:
    def unit(_: Connection) -> None:
        raise Stale

    with pytest.raises(Unavailable) as given_up:
        house.database.write(unit)
    assert given_up.value.code == "database-busy"


def test_a_duplicate_goes_to_the_caller(house: House) -> None:
    house.database.write(series("A"))
    with pytest.raises(IntegrityError):
        house.database.write(series("A"))


def test_jobs_are_heard_of_after_their_commit_and_never_of_what_was_taken_back(house: House) -> None:
    heard: list[tuple[str, bool]] = []

    def listen(job: tuple[str, str]) -> None:
        with house.database.read() as connection:
            row = connection.execute(select(job_table.c.kind).where(job_table.c.job_id == job[1])).first()
        heard.append((row.kind if row else "?", row is not None))

    def unit(name: str, fails: bool) -> Callable[[Connection], None]:
        def run(connection: Connection) -> None:
            jobs.enqueue(connection, COMPANY, [NewJob(name, name, {})])
            if fails:
                raise LookupError

        return run

    house.database.on_job(listen)
    with pytest.raises(LookupError):
        house.database.write(unit("lost", True))
    house.database.write(unit("kept", False))
    house.database.write(unit("kept", False))  # the same key: no new job, nothing to hear of
    assert heard == [("kept", True)]


# --- many units ----------------------------------------------------------------------------------
def test_a_group_shares_one_commit(sqlite_house: House) -> None:
    database = sqlite_house.database
    commits: list[Connection] = []
    with one_group(database) as submit:
        event.listen(database.engine, "commit", commits.append)
        futures = [submit(series(f"S{place}")) for place in range(10)]
    assert [future.result(10) for future in futures] == [f"S{place}" for place in range(10)]
    assert len(commits) == 2  # the unit that held the writer, and the ten


def test_who_raises_in_a_group_does_not_disturb_the_others(sqlite_house: House) -> None:
    database = sqlite_house.database
    heard: list[tuple[str, str]] = []
    database.on_job(heard.append)

    def bad(connection: Connection) -> None:
        jobs.enqueue(connection, COMPANY, [NewJob("bad", "bad", {})])
        series("BAD")(connection)
        raise LookupError

    def good(connection: Connection) -> None:
        jobs.enqueue(connection, COMPANY, [NewJob("good", "good", {})])

    with one_group(database) as submit:
        futures = [submit(unit) for unit in (series("A"), bad, good, series("A"), series("B"))]
    raised = [type(future.exception(10)) for future in futures]
    assert raised == [type(None), LookupError, type(None), IntegrityError, type(None)]
    assert written(database) == {"A", "B"}
    with database.read() as connection:
        kept = connection.execute(select(job_table.c.job_id, job_table.c.key)).all()
    assert [row.key for row in kept] == ["good"]
    assert heard == [(COMPANY, kept[0].job_id)]


def test_who_fails_in_a_group_hears_of_it_when_the_others_are_durable(sqlite_house: House) -> None:
    # Else a repeated order would look for the first one before it is there.
    database = sqlite_house.database

    def seen_when_refused() -> set[str]:
        try:
            database.write(series("A"))
        except IntegrityError:
            return written(database)
        return set()

    for _ in range(20):
        assert {"A"} in at_once(2, lambda _: seen_when_refused())
        database.write(lambda c: c.execute(number_series.delete().where(number_series.c.series == "A")))


def test_a_stale_unit_in_a_group_is_run_again(sqlite_house: House) -> None:
    tries = []

    def unit(connection: Connection) -> str:
        tries.append(1)
        if len(tries) == 1:
            raise Stale
        return series("LATE")(connection)

    with one_group(sqlite_house.database) as submit:
        futures = [submit(series("A")), submit(unit), submit(series("B"))]
    assert [future.result(10) for future in futures] == ["A", "LATE", "B"]
    assert written(sqlite_house.database) == {"A", "B", "LATE"}


def test_a_group_keeps_the_order_of_the_journal(sqlite_house: House) -> None:
    def note(place: int) -> Callable[[Connection], None]:
        happened = Event("company", "ReportIssued", {"place": place})
        return lambda connection: journal.append(connection, COMPANY, START, "test", [happened])

    with one_group(sqlite_house.database) as submit:
        for place in range(15):
            submit(note(place))
    assert [row["data"] for row in chain(sqlite_house)] == [f'{{"place":{place}}}' for place in range(15)]


def chain(house: House) -> list[Any]:
    """The company's stream, which is whole."""
    with house.database.read() as connection:
        query = select(*as_stored(journal_table)).where(journal_table.c.stream == "company")
        rows = list(connection.execute(query.order_by(journal_table.c.seq)).mappings())
    assert journal.breaks(rows) == []
    return rows


def test_writers_on_one_stream_make_one_chain(house: House) -> None:
    happened = Event("company", "ReportIssued", {})
    done = at_once(
        16, lambda _: house.database.write(lambda c: journal.append(c, COMPANY, START, "test", [happened]))
    )
    assert done == [None] * 16
    assert len(chain(house)) == 16


def test_closing_while_others_write_leaves_nobody_waiting(sqlite_house: House) -> None:
    database = sqlite_house.database

    def act(place: int) -> None:
        for turn in range(20):
            if place == 0:
                database.close()
            else:
                database.write(series(f"{place}-{turn}"))

    assert at_once(5, act) == [None] * 5
    assert len(written(database)) == 80


# --- conflicts of PostgreSQL ---------------------------------------------------------------------
def test_a_deadlock_is_run_again(postgres_url: str, tmp_path: Any) -> None:
    house = open_shop(postgres_url, tmp_path)
    house.database.write(lambda c: [series("A")(c), series("B")(c)])
    crossing = threading.Barrier(2)
    runs: list[int] = []

    def take(connection: Connection, name: str) -> None:
        mine = update(number_series).where(number_series.c.series == name)
        connection.execute(mine.values(last=number_series.c.last + 1))

    def both_ways(place: int) -> None:
        order = ["A", "B"] if place else ["B", "A"]

        def unit(connection: Connection) -> None:
            runs.append(place)
            take(connection, order[0])
            if runs.count(place) == 1:
                crossing.wait(10)
            take(connection, order[1])

        house.database.write(unit)

    assert at_once(2, both_ways) == [None, None]
    assert len(runs) > 2, "a victim went again"
    with house.database.read() as connection:
        assert set(connection.execute(select(number_series.c.last)).scalars()) == {2}
    house.close()
