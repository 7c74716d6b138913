"""Many at once: numbers, stock, credit and jobs hold when everybody comes at the same moment.

Threads share a process where the database alone has to decide; real processes do where death or
separate connections matter. A barrier stands where a race would otherwise be left to luck.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select

from formats.findings import Report
from gateway import jobs
from gateway.stages import audit, fulfil, receive, restock, settle
from gateway.stages.fulfil import Despatch, Shipped
from gateway.stages.gathering import Gathering
from gateway.stages.grant import Grant, grant_limit
from gateway.stages.receive import Received
from gateway.stages.settle import Imported
from gateway.store import bank, customers, invoices, items, payments
from gateway.store.schema import customer, invoice, job, sales_order, shipment, stock
from gateway.wiring import House
from o2c.credit import LimitKind
from o2c.money import Money
from o2c.shipment import ShipmentLine
from tests.conftest import ROOT
from tests.journeys.bank_file import Line, statement
from tests.store.at_once import at_once
from tests.store.shop import COMPANY, IBAN, START, VALIDATOR, buyer, furnish, incoming, open_shop

PAY_DAY = (START + timedelta(days=3)).date()


def play(scene: str, folder: Path, url: str) -> dict[str, Any]:
    """What a scene of ``race_driver`` says."""
    command = [sys.executable, "-m", "tests.journeys.race_driver", scene, str(folder), url]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-4000:]
    result: dict[str, Any] = json.loads((folder / "seen.json").read_text())
    return result


@pytest.fixture
def house(database_url: str, tmp_path: Path) -> Iterator[House]:
    house = open_shop(database_url, tmp_path)
    yield house
    house.close()


@pytest.fixture
def postgres_house(postgres_url: str, tmp_path: Path) -> Iterator[House]:
    house = open_shop(postgres_url, tmp_path)
    furnish(house)
    yield house
    house.close()


def faults(house: House) -> list[str]:
    return [words for checked in audit.verify(house.desk(COMPANY)) for words in checked.wrong]


def scalar(house: House, query: Any) -> Any:
    with house.database.read() as connection:
        return connection.execute(query).scalar_one()


# --- processes -----------------------------------------------------------------------------------
@pytest.mark.slow
def test_eight_processes_take_a_thousand_numbers_without_gap_or_double(
    postgres_url: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    seen = play("invoices", tmp_path, postgres_url)
    assert seen["exits"] == [0] * 8
    assert seen["numbers"] == [f"INV-{place:05d}" for place in range(1, 1001)]
    assert seen["audit"] == []
    record_property("invoices_per_second", round(1000 / seen["seconds"]))


def test_a_worker_dies_in_mid_job_and_nothing_is_lost_or_doubled(postgres_url: str, tmp_path: Path) -> None:
    seen = play("workers", tmp_path, postgres_url)
    assert seen["exits"] == [-9, 0, 0]
    assert seen["left"] == []
    assert seen["sequences"] == list(range(1, 25))
    # Each order: an answer, a word that goods have left, and an invoice.
    assert seen["deliveries"] == {"sent": 72}
    assert seen["files"] == 72
    happened = {name: seen["events"][name] for name in ("InvoiceIssued", "InvoiceSent", "NoticeSent")}
    assert happened == {"InvoiceIssued": 24, "InvoiceSent": 24, "NoticeSent": 48}
    assert len(seen["by_worker"]) == 3, "every worker had its share"
    assert len(seen["tries"]) == 72
    assert sorted(seen["tries"].values())[-1] == 2, "what the dead worker held was sent again"
    assert sum(seen["tries"].values()) <= 72 + 2, "a worker has two threads: it cannot have held more"
    assert seen["audit"] == []


# --- stock and credit ----------------------------------------------------------------------------
def test_fifty_orders_at_once_never_promise_the_eleventh_piece(house: House) -> None:
    furnish(house, buyers=5, stock=10)
    desk = house.desk(COMPANY)

    def order(place: int) -> Received:
        return receive.receive_order(desk, incoming(f"E-{place}", 1, customer=f"C-{place % 5 + 1}"))

    taken = at_once(50, order)
    assert [one for one in taken if not isinstance(one, Received)] == []
    assert scalar(house, select(stock.c.reserved)) == 10_000_000
    promised = [one for one in taken if isinstance(one, Received) and one.stored.parts[0].state == "reserved"]
    assert len(promised) == 10
    assert faults(house) == []


def test_twenty_orders_at_once_never_pass_the_credit_limit(house: House) -> None:
    furnish(house, stock=1000, limit=100)
    desk = house.desk(COMPANY)
    taken = at_once(20, lambda place: receive.receive_order(desk, incoming(f"E-{place}", 1)))
    assert [one for one in taken if not isinstance(one, Received)] == []
    approved = select(func.count()).where(sales_order.c.state == "approved")
    assert scalar(house, approved) == 8  # of 12.50 each: 100.00 in all
    assert scalar(house, select(customer.c.open_orders_minor)) == 10_000
    assert faults(house) == []


def in_a_group(house: House, limit: int) -> None:
    """C-1 and C-2 may owe a million each, and ``limit`` EUR together."""
    furnish(house, buyers=2, stock=1000)
    members = [replace(buyer(f"C-{place}", 1_000_000), group_id="FJORD") for place in (1, 2)]
    for who in members:
        house.database.write(lambda c, who=who: customers.save(c, COMPANY, who, START))
    shared = Grant(LimitKind.GROUP, Money(Decimal(limit), "EUR"), "guarantee", group_id="FJORD")
    grant_limit(house.desk(COMPANY), shared)


def test_members_at_once_never_pass_the_limit_of_their_group(house: House) -> None:
    in_a_group(house, 100)
    desk = house.desk(COMPANY)
    taken = at_once(
        20,
        lambda place: receive.receive_order(desk, incoming(f"E-{place}", 1, customer=f"C-{place % 2 + 1}")),
    )
    assert [one for one in taken if not isinstance(one, Received)] == []
    approved = select(func.count()).where(sales_order.c.state == "approved")
    assert scalar(house, approved) == 8  # of 12.50 each: 100.00 in all
    assert scalar(house, select(func.sum(customer.c.open_orders_minor))) == 10_000
    assert faults(house) == []


def test_two_members_that_have_both_claimed_see_each_other_before_they_are_judged(
    postgres_url: str, tmp_path: Path
) -> None:
    """Each holds its own account when the other looks at the group: only one of them may be approved."""
    house = open_shop(postgres_url, tmp_path)
    in_a_group(house, 100)
    both_have_claimed = threading.Barrier(2)
    claimed = threading.local()

    @event.listens_for(house.database.engine, "after_cursor_execute")
    def executed(_c: Any, _cursor: Any, words: str, *_rest: Any) -> None:
        if "UPDATE customer SET open_orders_minor" in words and not hasattr(claimed, "once"):
            claimed.once = True
            both_have_claimed.wait(10)

    # A desk of its own for each: orders of one desk would be written as one set.
    desks = [house.desk(COMPANY), replace(house.desk(COMPANY), intake=Gathering(receive.receive_set))]
    taken = at_once(
        2,
        lambda place: receive.receive_order(
            desks[place], incoming(f"E-{place}", 6, customer=f"C-{place + 1}")
        ),
    )
    states = sorted(one.stored.state for one in taken if isinstance(one, Received))
    assert states == ["approved", "held"]
    assert faults(house) == []
    house.close()


def test_two_runs_and_a_shipment_at_once_lose_no_piece(house: House) -> None:
    furnish(house, buyers=3, stock=10)
    desk = house.desk(COMPANY)
    held = [receive.receive_order(desk, incoming(f"E-{n}", 4, customer=f"C-{n}")).stored for n in (1, 2, 3)]
    urgent = replace(buyer("C-3", 1_000_000), priority="high")
    house.database.write(lambda c: customers.save(c, COMPANY, urgent, START))
    actions: list[Callable[[], object]] = [
        lambda: restock.reallocate(desk, "SN-33"),
        lambda: restock.reallocate(desk, "SN-33"),
        lambda: fulfil.ship(desk, held[1].order_id, Despatch("D-1", (ShipmentLine("1", Decimal(1)),))),
        lambda: house.database.write(lambda c: restock.refill(desk, c, "SN-33")),
    ]
    taken = at_once(4, lambda place: actions[place]())
    assert [one for one in taken if isinstance(one, Exception)] == []
    told = restock.reallocate(desk, "SN-33")
    assert [(one.customer_id, int(one.after)) for one in told] == [("C-3", 4), ("C-1", 4), ("C-2", 1)]
    assert scalar(house, select(stock.c.reserved)) == 9_000_000
    assert faults(house) == []


# --- the same twice at once ----------------------------------------------------------------------
def test_one_order_sent_twice_at_once_is_one_order(house: House) -> None:
    furnish(house)
    desk = house.desk(COMPANY)
    taken = at_once(8, lambda _: receive.receive_order(desk, incoming("A", 3)))
    assert sorted(one.replayed for one in taken if isinstance(one, Received)) == [False] + [True] * 7
    assert scalar(house, select(func.count()).select_from(sales_order)) == 1
    assert faults(house) == []


def test_one_shipment_reported_twice_at_once_is_one_shipment(house: House) -> None:
    furnish(house)
    desk = house.desk(COMPANY)
    order_id = receive.receive_order(desk, incoming("A", 3)).stored.order_id
    taken = at_once(8, lambda _: fulfil.ship(desk, order_id, Despatch("D-1")))
    assert sorted(one.replayed for one in taken if isinstance(one, Shipped)) == [False] + [True] * 7
    assert scalar(house, select(func.count()).select_from(shipment)) == 1
    assert faults(house) == []


def invoiced(house: House, pieces: int = 2) -> None:
    """``INV-00001`` is issued and sent."""
    desk = house.desk(COMPANY)
    order_id = receive.receive_order(desk, incoming("A", pieces)).stored.order_id
    fulfil.ship(desk, order_id, Despatch("D-1"))
    jobs.run_due(house)


def bank_file(house: House, number: int) -> bytes:
    """A statement that pays ``INV-00001`` in full."""
    with house.database.read() as connection:
        issued = invoices.find(connection, COMPANY, "INV-00001").invoice
    line = Line(str(issued.totals.payable), issued.payment.reference)
    return statement(IBAN, [line], number=number, on=PAY_DAY)


def test_one_bank_file_sent_twice_at_once_is_booked_once(house: House) -> None:
    furnish(house)
    invoiced(house)
    content, desk = bank_file(house, 1), house.desk(COMPANY)
    taken = at_once(6, lambda _: settle.import_statements(desk, content)[0].duplicate)
    assert sorted(taken, key=str) == [False] + [True] * 5
    assert faults(house) == []


def test_two_bank_files_at_once_do_not_settle_an_invoice_twice(postgres_house: House) -> None:
    house = postgres_house
    invoiced(house)
    asked: set[int] = set()
    both_have_asked = threading.Event()

    @event.listens_for(house.database.engine, "before_cursor_execute")
    def executing(_c: Any, _cursor: Any, words: str, *_rest: Any) -> None:
        if "FROM company" in words.replace("\n", " ") and words.endswith("FOR UPDATE"):
            asked.add(threading.get_ident())
            if len(asked) == 2:
                both_have_asked.set()
        elif words.startswith("INSERT INTO payment"):  # whoever has the lock has decided by now
            assert both_have_asked.wait(10), "the other importer never came"

    desk, files = house.desk(COMPANY), [bank_file(house, 1), bank_file(house, 2)]
    taken = at_once(2, lambda place: settle.import_statements(desk, files[place])[0])
    decisions = [one.decisions for one in taken if isinstance(one, Imported)]
    assert sorted(decisions, key=str) == [{"match": 1}, {"unapplied": 1}]
    with house.database.read() as connection:
        assert items.open_amount(connection, COMPANY, "INV-00001") == 0
        paid = [bank.stored(one) for one in payments.page(connection, COMPANY, "", 10)]
    # The second finds the invoice settled: its money lies on the customer's account.
    told = [(one.rule, one.unallocated, one.customer_id) for one in paid]
    assert told == [("reference-exact", 0, "C-1"), ("settled-only", 2500, "C-1")]
    assert faults(house) == []


class Together:
    """The validator's port, held until two drafts of one order are on the table."""

    def __init__(self) -> None:
        self._first = threading.Barrier(2)
        self._met = threading.local()

    def validate(self, content: bytes) -> Report:
        if not hasattr(self._met, "once"):
            self._met.once = True
            self._first.wait(10)
        return VALIDATOR.validate(content)


def test_two_shipments_of_one_order_billed_at_once_share_its_claim(house: House) -> None:
    furnish(house)
    desk = house.desk(COMPANY)
    order_id = receive.receive_order(desk, incoming("A", 5)).stored.order_id
    for place, pieces in ((1, 3), (2, 2)):
        fulfil.ship(desk, order_id, Despatch(f"D-{place}", (ShipmentLine("1", Decimal(pieces)),)))
    with house.database.read() as connection:
        due = list(connection.execute(select(job.c.job_id).where(job.c.kind == "bill")).scalars())
    house.validator = Together()  # type: ignore[assignment]
    assert at_once(2, lambda place: jobs.run_job(house, COMPANY, due[place])) == [True, True]
    assert scalar(house, select(func.count()).select_from(invoice)) == 2
    assert scalar(house, select(customer.c.open_orders_minor)) == 0
    assert scalar(house, select(sales_order.c.claimed_minor)) == 0
    assert faults(house) == []
