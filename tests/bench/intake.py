"""Orders durably accepted per second, decision included, beside bare Flask with the same inserts.

"Single" is one caller that posts one order after the other; the race with the anchor is run by many
callers at once, as shops and ERPs come, and the anchor is given the number of callers it likes best.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.bench.measure import Result, calibration, median
from tests.bench.served import Server, post_all, serving
from tests.bench.trade import bodies, open_trade, order_json
from tests.postgres import find_programs, running_cluster

_CALLERS = 16
_ORDERS = 320
_ROUNDS = 5


def run() -> Result:
    """SQLite always, PostgreSQL where its programs are."""
    result = Result("intake")
    result.figures["calibration before (loops per CPU-s)"] = calibration()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        _measure(result, "sqlite", f"sqlite:///{place}/ours.sqlite", f"sqlite:///{place}/bare.sqlite", place)
        if programs := find_programs():
            with running_cluster(programs) as cluster:
                ours, bare = (cluster.url(cluster.create_database()) for _ in range(2))
                _measure(result, "postgresql", ours, bare, place / "pg")
    result.figures["calibration after (loops per CPU-s)"] = calibration()
    return result


@dataclass(slots=True)
class _Rates:
    """Orders per second and per CPU-second of the server, one figure a round."""

    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)


def _measure(result: Result, kind: str, ours_url: str, bare_url: str, folder: Path) -> None:
    world, key = open_trade(ours_url, folder)
    world.house.close()
    environment = {"O2C_DATABASE_URL": ours_url, "O2C_RULES_CACHE": str(folder / "rulesets")}
    with serving("ours", **environment) as ours, serving("bare", BENCH_DATABASE_URL=bare_url) as bare:
        rates = _race(ours, bare, key)
    for name, taken in rates.items():
        result.figures[f"{kind}: {name}, orders/s"] = median(taken.wall)
        result.figures[f"{kind}: {name}, orders per CPU-s of the server"] = median(taken.cpu)
    wall = {name: median(taken.wall) for name, taken in rates.items()}
    anchor = max(wall["bare, one caller"], wall[f"bare, {_CALLERS} callers"])
    result.bar(f"{kind}: ours / bare at its best", wall[f"ours, {_CALLERS} callers"] / anchor, 0.5)
    result.bar(f"{kind}: bulk / single", wall["bulk"] / wall["ours, one caller"], 5.0)


def _race(ours: Server, bare: Server, key: str) -> dict[str, _Rates]:
    batch = iter(range(1_000_000))

    def singles(server: Server, callers: int) -> tuple[Server, Callable[[], object]]:
        made = bodies(next(batch) * _ORDERS, _ORDERS)
        return server, lambda: post_all(server, "/v1/orders", made, key, callers)

    def bulk() -> tuple[Server, Callable[[], object]]:
        start = next(batch) * _ORDERS
        body = b"\n".join(json.dumps(order_json(start + number)).encode() for number in range(_ORDERS))
        return ours, lambda: _bulk(ours, body, key)

    for server in (ours, bare):
        singles(server, _CALLERS)[1]()  # warm
    rates: dict[str, _Rates] = {}
    for _ in range(_ROUNDS):
        for name, (server, work) in {
            f"ours, {_CALLERS} callers": singles(ours, _CALLERS),
            f"bare, {_CALLERS} callers": singles(bare, _CALLERS),
            "ours, one caller": singles(ours, 1),
            "bare, one caller": singles(bare, 1),
            "bulk": bulk(),
        }.items():
            wall, cpu = time.perf_counter(), server.cpu()
            work()
            taken = rates.setdefault(name, _Rates())
            taken.wall.append(_ORDERS / (time.perf_counter() - wall))
            taken.cpu.append(_ORDERS / max(server.cpu() - cpu, 0.01))
    return rates


def _bulk(server: Server, body: bytes, key: str) -> None:
    (content,) = post_all(server, "/v1/orders/bulk", [body], key, 1, "application/x-ndjson")
    accepted = [json.loads(line) for line in content.splitlines()]
    if sum(1 for line in accepted if line.get("status") == 201) != _ORDERS:
        raise SystemExit(f"bulk intake answered: {content[:300]!r}")
