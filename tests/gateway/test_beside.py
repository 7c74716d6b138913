"""The books in a process beside: what is done there is kept whole or not at all, and errors come back as
they were raised."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select
from sqlalchemy.exc import IntegrityError

from gateway.stages.books import Books
from gateway.stages.desk import Desk
from gateway.store import jobs
from gateway.store.database import Stale, is_duplicate
from gateway.store.jobs import NewJob
from gateway.store.schema import job, number_series
from gateway.wiring import House
from o2c.errors import Fault, Refused, Unavailable
from tests.store.shop import COMPANY, furnish, open_shop


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    house = open_shop(database_url, tmp_path)
    furnish(house)
    yield house
    house.close()


def queue(desk: Desk, connection: Connection, *keys: str) -> None:
    """Something that is kept."""
    jobs.enqueue(connection, desk.company_id, [NewJob("reconsider", key, {"order": key}) for key in keys])


def kept(desk: Desk, connection: Connection) -> int:
    """How much of it there is."""
    mine = job.c.company_id == desk.company_id, job.c.kind == "reconsider"
    return connection.execute(select(func.count()).where(*mine)).scalar_one()


def actor(desk: Desk, _: Connection) -> tuple[str, int]:
    """Whose desk it is, and in which process."""
    return desk.actor, os.getpid()


def refuse(_: Desk, __: Connection) -> None:
    """What a person can mend."""
    raise Refused("too-late", "it is too late.", next_step="Come again.", faults=[Fault("/a", "b", "c", 3)])


def meet_a_fresher_row(desk: Desk, connection: Connection, times: int) -> None:
    """A conflict that passes."""
    if kept(desk, connection) < times:
        raise Stale


def enter_twice(desk: Desk, connection: Connection) -> None:
    """What the database refuses."""
    row = {"company_id": desk.company_id, "series": "TWICE", "last": 0}
    connection.execute(insert(number_series), row)
    connection.execute(insert(number_series), row)


def test_work_is_done_in_order_in_another_process_and_the_queue_hears_of_its_jobs(house: House) -> None:
    heard: list[tuple[str, str]] = []
    house.database.on_job(heard.append)
    desk = house.desk(COMPANY, "clerk")

    def unit(books: Books) -> tuple[int, int, tuple[str, int]]:
        first = books.ask(kept)
        books.tell(queue, "one", "two")
        second, who = books.ask(kept), books.ask(actor)
        assert heard == []
        return first(), second(), who()

    before, after, (name, process) = house.beside(desk, unit)
    assert (before, after, name) == (0, 2, "clerk")
    assert process != os.getpid()
    assert [company for company, _ in heard] == [COMPANY, COMPANY]
    with house.database.read() as connection:
        assert kept(desk, connection) == 2


def test_an_error_there_comes_back_whole_and_nothing_is_kept(house: House) -> None:
    desk = house.desk(COMPANY)

    def unit(books: Books) -> None:
        books.tell(queue, "one")
        books.tell(refuse)

    with pytest.raises(Refused) as caught:
        house.beside(desk, unit)
    error = caught.value
    assert (error.code, error.message, error.next_step) == ("too-late", "it is too late.", "Come again.")
    assert error.faults == (Fault("/a", "b", "c", 3),)
    with house.database.read() as connection:
        assert kept(desk, connection) == 0


def test_what_the_database_refuses_there_is_known_here(house: House) -> None:
    with pytest.raises(IntegrityError) as caught:
        house.beside(house.desk(COMPANY), lambda books: books.ask(enter_twice)())
    columns = "number_series.company_id, number_series.series"
    assert is_duplicate(caught.value, "pk_number_series", columns)


def test_an_error_here_leaves_nothing_there(house: House) -> None:
    desk = house.desk(COMPANY)

    def unit(books: Books) -> None:
        books.tell(queue, "one")
        assert books.ask(kept)() == 1
        raise Refused("no", "no.")

    with pytest.raises(Refused, match=r"no\."):
        house.beside(desk, unit)
    with house.database.read() as connection:
        assert kept(desk, connection) == 0


def test_a_process_that_dies_keeps_nothing_and_is_missed(house: House) -> None:
    desk = house.desk(COMPANY)

    def unit(books: Books) -> None:
        books.tell(queue, "one")
        _, process = books.ask(actor)()
        os.kill(process, signal.SIGKILL)

    with pytest.raises(Unavailable, match="has gone; nothing was kept"):
        house.beside(desk, unit)
    with house.database.read() as connection:
        assert kept(desk, connection) == 0


def test_a_conflict_begins_the_unit_anew(house: House) -> None:
    desk, tries = house.desk(COMPANY), []

    def unit(books: Books) -> None:
        tries.append(1)
        books.tell(queue, *map(str, range(len(tries))))
        books.tell(meet_a_fresher_row, 3)

    house.beside(desk, unit)
    assert len(tries) == 3
