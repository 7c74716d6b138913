"""Orders per CPU-second from POST to validated, archived, posted invoice.

The path is POST /v1/orders, POST .../shipments, and the billing job, one order at a time as three
different parties would cause them. Answers, notices and sends happen too; they are told apart.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from gateway import jobs
from gateway.http.app import create_app
from gateway.store import invoices
from gateway.store.schema import job
from tests.bench.measure import Result, calibration, median, spent
from tests.bench.trade import bodies, call, open_trade
from tests.journeys.world import World

_ORDERS = 100
_ROUNDS = 5


def run() -> Result:
    """On SQLite, with every layer that is live."""
    result = Result("order-to-invoice")
    result.figures["calibration before (loops per CPU-s)"] = calibration()
    with tempfile.TemporaryDirectory() as folder:
        world, key = open_trade(f"sqlite:///{folder}/ours.sqlite", Path(folder))
        app = create_app(world.house)
        _one_round(world, app, key, 0)  # warm: rule sets compiled, statements cached
        rounds = [_one_round(world, app, key, number) for number in range(1, _ROUNDS + 1)]
        layers = _layers(world)
        world.house.close()
    for name in rounds[0]:
        result.figures[f"{name}, CPU-ms an order"] = median([taken[name] for taken in rounds]) * 1000
    posted = median([taken["intake"] + taken["ship"] + taken["bill"] for taken in rounds])
    everything = median([sum(taken.values()) for taken in rounds])
    result.figures["validation layers live"] = layers
    result.figures["with answers, notices and sends, orders per CPU-s"] = 1 / everything
    result.figures["calibration after (loops per CPU-s)"] = calibration()
    result.bar("POST to posted invoice, orders per CPU-s", 1 / posted, 40.0)
    return result


def _one_round(world: World, app: object, key: str, number: int) -> dict[str, float]:
    """CPU-seconds an order of each part of the way."""
    made = bodies(number * _ORDERS, _ORDERS)
    ids: list[str] = []

    def intake() -> None:
        for body in made:
            status, content = call(app, "/v1/orders", body, key)  # type: ignore[arg-type]
            assert status == 201, content
            ids.append(json.loads(content)["id"])

    def ship() -> None:
        for order_id in ids:
            status, content = call(app, f"/v1/orders/{order_id}/shipments", b'{"external_id":"D-1"}', key)  # type: ignore[arg-type]
            assert status == 201, content

    taken = {
        "intake": spent(intake).cpu,
        "answer": spent(lambda: _run(world, {"answer", "send"})).cpu,
        "ship": spent(ship).cpu,
        "bill": spent(lambda: _run(world, {"bill"})).cpu,
        "send": spent(lambda: _run(world, {"send"})).cpu,
    }
    return {name: seconds / _ORDERS for name, seconds in taken.items()}


def _run(world: World, kinds: set[str]) -> None:
    """Run the waiting jobs of these kinds as a worker would."""
    while waiting := _waiting(world, kinds):
        for company_id, job_id in waiting:
            jobs.run_job(world.house, company_id, job_id)


def _waiting(world: World, kinds: set[str]) -> list[tuple[str, str]]:
    with world.house.database.read() as connection:
        query = job.select().where(job.c.done_at.is_(None), job.c.parked_at.is_(None), job.c.kind.in_(kinds))
        rows = connection.execute(query.order_by(job.c.run_at, job.c.job_id))
        return [(row.company_id, row.job_id) for row in rows]


def _layers(world: World) -> float:
    """How many layers judged the last invoice."""
    with world.house.database.read() as connection:
        report = json.loads(invoices.find(connection, world.company_id, "INV-00001").report)
    return float(sum(1 for layer in report["layers"] if layer["status"] == "valid"))
