"""Orders durably accepted per second, decision included, beside bare Flask with the same inserts."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from flask import Flask

from gateway.http.app import create_app
from tests.bench.bare import bare_app
from tests.bench.measure import Result, calibration, median, spent
from tests.bench.trade import bodies, call, open_trade, order_json, post_all
from tests.postgres import find_programs, running_cluster

_CALLERS = 16
_ORDERS = 400
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


def _measure(result: Result, kind: str, ours_url: str, bare_url: str, folder: Path) -> None:
    world, key = open_trade(ours_url, folder)
    ours, bare = create_app(world.house), bare_app(bare_url)
    counter = iter(range(10**9))

    def singles(app: Flask, callers: int) -> Callable[[], None]:
        made = bodies(next(counter) * _ORDERS, _ORDERS)
        return lambda: post_all(app, "/v1/orders", made, key, callers)

    def bulk() -> Callable[[], None]:
        start = next(counter) * _ORDERS
        body = b"\n".join(json.dumps(order_json(start + n)).encode() for n in range(_ORDERS))
        return lambda: _bulk(ours, body, key)

    singles(ours, 1)(), singles(bare, 1)()  # warm
    rates: dict[str, list[float]] = {"ours": [], "bare": [], "bare, one caller": [], "bulk": []}
    cpu: dict[str, list[float]] = {name: [] for name in rates}
    for _ in range(_ROUNDS):
        for name, work in (
            ("ours", singles(ours, _CALLERS)),
            ("bare", singles(bare, _CALLERS)),
            ("bare, one caller", singles(bare, 1)),
            ("bulk", bulk()),
        ):
            took = spent(work)
            rates[name].append(_ORDERS / took.wall)
            cpu[name].append(_ORDERS / took.cpu)
    for name in rates:
        result.figures[f"{kind}: {name}, orders/s"] = median(rates[name])
        result.figures[f"{kind}: {name}, orders per CPU-s"] = median(cpu[name])
    anchor = max(median(rates["bare"]), median(rates["bare, one caller"]))
    result.bar(
        f"{kind}: ours / bare (the better of 1 and {_CALLERS} callers)", median(rates["ours"]) / anchor, 0.5
    )
    result.bar(f"{kind}: bulk / single", median(rates["bulk"]) / median(rates["ours"]), 5.0)
    world.house.close()


def _bulk(app: Flask, body: bytes, key: str) -> None:
    status, content = call(app, "/v1/orders/bulk", body, key, "application/x-ndjson")
    accepted = [json.loads(line) for line in content.splitlines()]
    if status != 200 or sum(1 for line in accepted if line.get("status") == 201) != _ORDERS:
        raise SystemExit(f"bulk intake answered {status}: {content[:300]!r}")
