"""Work per order is counted, not hoped for, and does not grow with history.

Every SQL statement from the request to the commit counts, authentication and views included;
transaction control does not. Statements do not depend on the machine, so they are asserted.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import Table, insert, select

from gateway import jobs
from gateway.clock import machine_time
from gateway.http.app import create_app
from gateway.stages import restock
from gateway.store import catalogue, keys
from gateway.store.receipts import Receipt
from gateway.store.schema import decision, invoice, item, job, journal, ledger_entry, ledger_line, sales_order
from tests.journeys.world import World, count_statements

SCOPES = ("orders:write", "orders:read", "shipments:write")
HISTORY = 20_000  # of each of six tables


@pytest.fixture
def door(world: World) -> FlaskClient:
    """The API with a key that may order and ship; one order has gone before, so nothing is cold."""
    _, key = world.house.database.write(
        lambda c: keys.create(c, world.company_id, "count", SCOPES, None, machine_time())
    )
    client = create_app(world.house).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    world.given_stock({name: {"BERGEN": 1000} for name in ("P-1", "P-2", "P-3")})
    ordered_and_billed(world, client, list, "warm")
    return client


def post(client: FlaskClient, path: str, body: dict[str, Any]) -> Any:
    answered = client.post(path, json=body)
    assert answered.status_code == 201, answered.text
    return answered.json


def order(external_id: str) -> dict[str, Any]:
    """Three lines in our JSON."""
    lines = [
        {
            "line_id": str(place),
            "name": f"Item {item}",
            "quantity": {"value": "1", "unit": "C62"},
            "net_price": "10",
            "tax": {"category": "S", "rate": "25"},
            "seller_item_id": item,
        }
        for place, item in enumerate(("P-1", "P-2", "P-3"), start=1)
    ]
    return {"external_id": external_id, "currency": "EUR", "customer_id": "C-1", "lines": lines}


def ordered_and_billed(
    world: World, client: FlaskClient, taken: Callable[[], list[str]], external_id: str
) -> tuple[list[str], list[str]]:
    """The statements of the intake alone, and of the whole way to the posted invoice."""
    order_id = post(client, "/v1/orders", order(external_id))["id"]
    intake = taken()
    with world.house.database.read() as connection:
        answers = waiting(connection, "answer")
    taken()
    for job_id in answers:  # what the buyer is told is no step on the way to the invoice
        jobs.run_job(world.house, world.company_id, job_id)
    taken()
    post(client, f"/v1/orders/{order_id}/shipments", {"external_id": "D-1"})
    shipped = taken()
    with world.house.database.read() as connection:
        (bill,) = waiting(connection, "bill")
    taken()
    jobs.run_job(world.house, world.company_id, bill)
    return intake, [*intake, *shipped, *taken()]


def waiting(connection: Any, kind: str) -> list[str]:
    query = select(job.c.job_id).where(job.c.done_at.is_(None), job.c.kind == kind)
    return list(connection.execute(query).scalars())


def test_intake_and_the_whole_way_keep_to_their_number(world: World, door: FlaskClient) -> None:
    taken = count_statements(world.house)
    intake, whole = ordered_and_billed(world, door, taken, "counted")
    assert len(intake) <= 8, "\n".join(intake)
    assert len(whole) <= 40, "\n".join(whole)
    issued = world.invoice("INV-00002")
    assert issued.gross == 3750


def test_a_group_costs_its_lock_and_its_sum(world: World, door: FlaskClient) -> None:
    """SQLite has one writer and needs no lock."""
    world.given_customer("C-1", group_id="FJORD")
    ordered_and_billed(world, door, list, "warm again")
    taken = count_statements(world.house)
    intake, _ = ordered_and_billed(world, door, taken, "counted")
    assert len(intake) <= 8 + (1 if world.house.database.is_sqlite else 2), "\n".join(intake)


@pytest.mark.parametrize("run", ["refill", "reallocate"])
def test_sharing_out_costs_the_same_for_few_and_for_many(world: World, run: str) -> None:
    def statements(product: str, waiting: int) -> list[str]:
        world.given_stock({product: {"BERGEN": 0}})
        expected = Receipt(f"PO-{product}", product, "BERGEN", Decimal(500), date(2026, 3, 5))
        restock.announce(world.desk, expected)
        for place in range(waiting):
            world.orders(f"{product}-{place}", (product, 2, "10"))
        goods = Decimal(waiting + 3)
        desk = world.desk
        desk.database.write(lambda c: catalogue.receive(c, desk.company_id, product, "BERGEN", goods))
        taken = count_statements(world.house)
        if run == "refill":
            desk.database.write(lambda c: restock.refill(desk, c, product))
        else:
            restock.reallocate(desk, product)
        return taken()

    few, many = statements("P-FEW", 2), statements("P-MANY", 25)
    assert len(many) == len(few), "\n".join(many)
    assert world.faults() == []


def test_they_do_not_grow_with_100_000_rows_of_history(world: World, door: FlaskClient) -> None:
    taken = count_statements(world.house)
    before = ordered_and_billed(world, door, taken, "before")
    grow(world)
    ordered_and_billed(world, door, taken, "warm again")  # memories of keys and settings last seconds
    after = ordered_and_billed(world, door, taken, "after")
    assert [len(part) for part in after] == [len(part) for part in before]


def grow(world: World) -> None:
    """20,000 settled invoices of the same customer, with order, journal, decision and ledger rows."""
    with world.house.database.read() as connection:
        one = {
            table.name: dict(connection.execute(select(table).limit(1)).mappings().one())
            for table in (sales_order, invoice, item, journal, decision, ledger_entry, ledger_line)
        }
    event = {name: value for name, value in one["journal"].items() if name != "entry_no"}

    def rows(number: int) -> dict[Table, dict[str, Any]]:
        due = date(2019, 1, 1) + timedelta(days=number % 365)
        called = {"number": f"H-{number}", "reference": f"R{number}", "due_on": due}
        settled = {"settled_at": machine_time(), "open_minor": 0, "base_open_minor": 0}
        placed = {"sequence": 10**6 + number, "shipment_id": f"s{number}"}
        past = {"order_id": f"o{number}", "external_id": f"h{number}", "claimed_minor": 0}
        entry = {"entry_id": f"l{number}"}
        return {
            sales_order: one["sales_order"] | past,
            invoice: one["invoice"] | called | placed | {"order_id": f"o{number}"},
            item: one["item"] | called | settled | {"order_id": f"o{number}"},
            journal: event | {"stream": f"order:o{number}"},
            decision: one["decision"] | {"decision_id": f"d{number}", "subject_id": f"o{number}"},
            ledger_entry: one["ledger_entry"] | entry,
            ledger_line: one["ledger_line"] | entry | {"invoice_number": f"H-{number}"},
        }

    def copies(connection: Any, start: int) -> None:
        made = [rows(number) for number in range(start, start + 10_000)]
        for table in made[0]:
            connection.execute(insert(table), [row[table] for row in made])

    for start in range(0, HISTORY, 10_000):
        world.house.database.write(partial(copies, start=start))
