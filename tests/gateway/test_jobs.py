"""The clockwork: a job is run until it is done, once, and people see what cannot be done.

Machine time is turned by moving ``run_at``, never by waiting.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Row, func, select, update

from connectors.memory import MemoryChannel
from gateway import jobs
from gateway.clock import machine_time
from gateway.jobs import Clockwork
from gateway.stages import receive
from gateway.store import jobs as store
from gateway.store import outbox
from gateway.store.jobs import LeaseLost, NewJob
from gateway.store.outbox import Delivery, Notice
from gateway.store.schema import delivery, job, journal
from gateway.wiring import House
from o2c.errors import Broken, Refused, Unavailable
from o2c.ports import Parcel
from tests.store.at_once import at_once
from tests.store.shop import COMPANY, START, furnish, incoming, open_shop

HOUR = 3600


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    house = open_shop(database_url, tmp_path)
    house.channels = {"folder": MemoryChannel()}
    furnish(house)
    yield house
    house.close()


def channel(house: House) -> MemoryChannel:
    found = house.channels["folder"]
    assert isinstance(found, MemoryChannel)
    return found


def given(house: House, *new: NewJob) -> list[str]:
    """Jobs without a story; their ids."""
    house.database.write(lambda c: store.enqueue(c, COMPANY, new))
    with house.database.read() as connection:
        return [
            connection.execute(select(job.c.job_id).where(job.c.key == one.key)).scalar_one() for one in new
        ]


def given_letter(house: House) -> str:
    """A notice that waits in the outbox; the id of its send job."""

    def unit(connection: Any) -> None:
        notice = Notice("ntc_1", "shipped", "Goods shipped", "They are on their way.", "C-1")
        outbox.add_notices(connection, COMPANY, START, [notice])
        message = Delivery("msg_1@no1.o2c", "notice", "ntc_1", "folder", "C-1")
        outbox.add_deliveries(connection, COMPANY, START, [message])

    house.database.write(unit)
    return given(house, NewJob("send", "send:msg_1", {"message": "msg_1@no1.o2c"}))[0]


def look(house: House, job_id: str) -> Row[Any]:
    with house.database.read() as connection:
        return connection.execute(select(job).where(job.c.job_id == job_id)).one()


def time_passes(house: House, job_id: str) -> None:
    """Until the job is due."""
    due = update(job).where(job.c.job_id == job_id).values(run_at=machine_time())
    house.database.write(lambda c: c.execute(due))


def told(house: House, event: str) -> int:
    with house.database.read() as connection:
        query = select(func.count()).select_from(journal).where(journal.c.event == event)
        return int(connection.execute(query).scalar_one())


def busy() -> Unavailable:
    return Unavailable("folder", "the disk is full.", next_step="Make room.")


# --- tries ---------------------------------------------------------------------------------------
def test_what_the_world_stands_in_the_way_of_is_tried_again_later_and_later(house: House) -> None:
    job_id = given_letter(house)
    channel(house).fail_next(*[busy()] * 14)
    waits = []
    for attempt in range(1, 14):
        before = machine_time()
        assert jobs.run_job(house, COMPANY, job_id)
        row = look(house, job_id)
        assert (row.attempts, row.parked_at, row.lease_until) == (attempt, None, None)
        assert row.last_error == "folder: the disk is full. Make room."
        waits.append(round((row.run_at - before).total_seconds()))
        time_passes(house, job_id)
    six_hours = 6 * HOUR
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1920, 3840, 7680, 15360, six_hours, six_hours]
    jobs.run_job(house, COMPANY, job_id)
    assert look(house, job_id).parked_at is not None, "after most of a day people are to see it"
    assert channel(house).sent == []


def test_an_id_that_comes_twice_does_not_shorten_the_wait(house: House) -> None:
    job_id = given_letter(house)
    channel(house).fail_next(busy())
    assert jobs.run_job(house, COMPANY, job_id)
    assert not jobs.run_job(house, COMPANY, job_id)
    assert jobs.run_due(house) == 0
    assert look(house, job_id).attempts == 1
    time_passes(house, job_id)
    assert jobs.run_due(house) == 1
    assert look(house, job_id).done_at is not None
    assert [parcel.message_id for parcel in channel(house).sent] == ["msg_1@no1.o2c"]


def test_what_we_must_mend_is_parked_at_once(house: House) -> None:
    job_id = given_letter(house)
    channel(house).fail_next(Broken("message-changed", "other bytes under one id."))
    jobs.run_job(house, COMPANY, job_id)
    row = look(house, job_id)
    assert (row.attempts, row.last_error) == (1, "message-changed: other bytes under one id.")
    assert row.parked_at is not None


def test_what_the_caller_must_mend_is_parked_at_once(house: House) -> None:
    (job_id,) = given(house, NewJob("reconsider", "reconsider:nowhere", {"order": "ord_nowhere"}))
    jobs.run_job(house, COMPANY, job_id)
    row = look(house, job_id)
    assert (row.attempts, row.last_error) == (1, "order: there is no order ord_nowhere.")
    assert row.parked_at is not None


def test_a_receiver_that_refuses_ends_the_message_and_not_the_job(house: House) -> None:
    job_id = given_letter(house)
    channel(house).fail_next(Refused("mail-refused", "no such mailbox."))
    jobs.run_job(house, COMPANY, job_id)
    assert look(house, job_id).done_at is not None
    with house.database.read() as connection:
        assert connection.execute(select(delivery.c.state, delivery.c.last_error)).one() == (
            "failed",
            "mail-refused: no such mailbox.",
        )
    assert told(house, "SendFailed") == 1


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (NewJob("reconsider", "reconsider:?", {}), "KeyError: 'order'"),
        (NewJob("dance", "dance", {}), "KeyError: 'dance'"),
    ],
)
def test_what_nobody_foresaw_is_tried_three_times(house: House, new: NewJob, words: str) -> None:
    (job_id,) = given(house, new)
    for attempt in (1, 2, 3):
        assert look(house, job_id).parked_at is None
        assert jobs.run_job(house, COMPANY, job_id)
        assert look(house, job_id).attempts == attempt
        time_passes(house, job_id)
    assert look(house, job_id).parked_at is not None
    assert look(house, job_id).last_error == words


def test_a_job_that_kills_its_workers_is_parked_in_the_end(house: House) -> None:
    job_id = given_letter(house)
    for _ in range(14):
        assert lease(house, job_id, seconds=-1) is not None  # and nobody is heard of again
    jobs.run_job(house, COMPANY, job_id)
    assert look(house, job_id).last_error.startswith("worker-lost")
    assert look(house, job_id).parked_at is not None
    assert channel(house).sent == []


# --- once ----------------------------------------------------------------------------------------
def test_a_job_that_is_run_many_times_at_once_is_run_once(house: House) -> None:
    job_id = given_letter(house)
    ran = at_once(8, lambda _: jobs.run_job(house, COMPANY, job_id))
    assert sorted(ran, key=str) == [False] * 7 + [True]
    assert told(house, "NoticeSent") == 1


def test_a_key_is_one_job_and_is_pushed_once(house: House) -> None:
    pushed: list[tuple[str, str]] = []
    house.database.on_job(pushed.append)
    new = NewJob("reconsider", "reconsider:1", {"order": "ord_1"})
    first = given(house, new)
    assert given(house, new) == first
    at_once(6, lambda _: house.database.write(lambda c: store.enqueue(c, COMPANY, [new])))
    assert pushed == [(COMPANY, first[0])]
    with house.database.read() as connection:
        assert connection.execute(select(func.count()).select_from(job)).scalar_one() == 1


def test_a_job_that_is_done_stays_done_whoever_asks_again(house: House) -> None:
    job_id = given_letter(house)
    jobs.run_job(house, COMPANY, job_id)
    assert given(house, NewJob("send", "send:msg_1", {"message": "msg_1@no1.o2c"})) == [job_id]
    assert not jobs.run_job(house, COMPANY, job_id)
    assert told(house, "NoticeSent") == 1


def test_a_message_queued_by_two_jobs_is_recorded_once(house: House) -> None:
    first = given_letter(house)
    (second,) = given(house, NewJob("send", "send:msg_1:again", {"message": "msg_1@no1.o2c"}))
    house.channels = {"folder": Meeting(2)}
    assert at_once(2, lambda place: jobs.run_job(house, COMPANY, (first, second)[place])) == [True, True]
    assert told(house, "NoticeSent") == 1


class Meeting:
    """A channel that lets nobody through before so many are at its door."""

    def __init__(self, count: int) -> None:
        self._door = threading.Barrier(count)

    def send(self, parcel: Parcel) -> str:
        self._door.wait(10)
        return "met"


# --- leases --------------------------------------------------------------------------------------
class Slow:
    """A channel that takes its time."""

    def __init__(self) -> None:
        self.busy, self.go = threading.Event(), threading.Event()
        self.tries: list[str] = []

    def send(self, parcel: Parcel) -> str:
        self.tries.append(parcel.message_id)
        self.busy.set()
        self.go.wait(10)
        return "slow"


def lease(house: House, job_id: str, seconds: float) -> store.Job | None:
    now = machine_time()
    return house.database.write(lambda c: store.lease(c, COMPANY, job_id, now, timedelta(seconds=seconds)))


def test_a_leased_job_is_in_one_hand(house: House) -> None:
    job_id = given_letter(house)
    assert lease(house, job_id, HOUR) is not None
    assert lease(house, job_id, HOUR) is None
    assert jobs.run_due(house) == 0


def test_an_expired_lease_is_taken_up_and_the_late_worker_changes_nothing(house: House) -> None:
    job_id = given_letter(house)
    slow = Slow()
    house.channels = {"folder": slow}
    house.settings.lease_seconds = 0.05
    late = threading.Thread(target=jobs.run_job, args=(house, COMPANY, job_id))
    late.start()
    slow.busy.wait(10)
    house.settings.lease_seconds = HOUR
    house.channels = {"folder": MemoryChannel()}
    time.sleep(0.06)
    assert jobs.run_due(house) == 1
    finished = look(house, job_id)
    slow.go.set()
    late.join(10)
    assert look(house, job_id) == finished, "the late worker left the row alone"
    assert finished.attempts == 2
    assert told(house, "NoticeSent") == 1
    assert slow.tries == [parcel.message_id for parcel in channel(house).sent], "under the same id"


@pytest.mark.parametrize("end", ["done", "retry", "park"])
def test_whoever_lost_the_lease_cannot_end_the_job(house: House, end: str) -> None:
    job_id = given_letter(house)
    late = lease(house, job_id, -1)
    holder = lease(house, job_id, HOUR)
    assert late is not None
    assert holder is not None
    ends = {
        "done": lambda c: store.done(c, late),
        "retry": lambda c: store.retry(c, late, START, "late"),
        "park": lambda c: store.park(c, late, START, "late"),
    }
    with pytest.raises(LeaseLost):
        house.database.write(ends[end])
    assert look(house, job_id).lease_until == holder.until


# --- people --------------------------------------------------------------------------------------
def test_a_parked_job_is_seen_and_taken_up_again(house: House) -> None:
    job_id = given_letter(house)
    channel(house).fail_next(Broken("x", "y"))
    jobs.run_due(house)
    with house.database.read() as connection:
        assert [(row["job_id"], row["last_error"]) for row in store.waiting(connection, COMPANY)] == [
            (job_id, "x: y")
        ]
    pushed: list[tuple[str, str]] = []
    house.database.on_job(pushed.append)
    assert jobs.release(house, COMPANY, job_id)
    assert pushed == [(COMPANY, job_id)]
    assert jobs.run_due(house) == 1
    assert look(house, job_id).done_at is not None


def test_only_a_parked_job_can_be_released(house: House) -> None:
    job_id = given_letter(house)
    pushed: list[tuple[str, str]] = []
    house.database.on_job(pushed.append)
    assert not jobs.release(house, COMPANY, job_id)
    assert not jobs.release(house, COMPANY, "job_nobody")
    assert not jobs.release(house, "ELSEWHERE", job_id)
    assert pushed == []


# --- the clockwork -------------------------------------------------------------------------------
def wait_until_done(house: House, job_id: str) -> datetime | None:
    deadline = time.monotonic() + 15
    while look(house, job_id).done_at is None and time.monotonic() < deadline:
        time.sleep(0.02)
    done_at: datetime | None = look(house, job_id).done_at
    return done_at


def test_a_job_that_the_queue_never_had_is_found_by_the_sweep(house: House) -> None:
    job_id = given_letter(house)  # before there is a queue
    clockwork = Clockwork(house)
    clockwork.start(workers=1, sweep_every=0.1)
    try:
        assert wait_until_done(house, job_id)
    finally:
        clockwork.stop()
    assert told(house, "NoticeSent") == 1


def test_a_committed_job_reaches_the_queue_at_once(house: House) -> None:
    clockwork = Clockwork(house)
    clockwork.start(workers=2, sweep_every=HOUR)  # it cannot be the sweep
    try:
        order_id = receive.receive_order(house.desk(COMPANY), incoming("A", 1)).stored.order_id
        answered = f"answer:{order_id}:approved"
        with house.database.read() as connection:
            job_id = connection.execute(select(job.c.job_id).where(job.c.key == answered)).scalar_one()
        assert wait_until_done(house, job_id)
    finally:
        clockwork.stop()


def test_a_worker_goes_on_after_a_job_that_failed(house: House) -> None:
    (bad,) = given(house, NewJob("dance", "dance", {}))
    good = given_letter(house)
    clockwork = Clockwork(house)
    clockwork.start(workers=1, sweep_every=0.1)
    try:
        assert wait_until_done(house, good)
    finally:
        clockwork.stop()
    assert look(house, bad).last_error == "KeyError: 'dance'"


def test_each_day_is_started_once(house: House) -> None:
    at_once(4, lambda _: jobs.start_day(house))
    jobs.start_day(house)
    with house.database.read() as connection:
        keys = list(connection.execute(select(job.c.key)).scalars())
    assert sorted(keys) == [f"behaviour:{START.date()}", f"remind:{START.date()}"]
