"""A company with plenty of stock and credit, and as many three-line orders as a bench wants."""

from __future__ import annotations

import json
import os
import sys
from decimal import Decimal
from io import BytesIO
from pathlib import Path
from typing import Any

from flask import Flask

from formats import rulesets
from gateway.clock import machine_time
from gateway.store import keys
from o2c.money import Money
from tests.conftest import ROOT
from tests.journeys.world import World, open_world

ITEMS = ("P-1", "P-2", "P-3")


def open_trade(database_url: str, folder: Path) -> tuple[World, str]:
    """The world of the bench and an API key."""
    cache = folder / "rulesets"
    reference = Path(os.environ.get("O2C_SHARED") or ROOT.parent / "shared") / "conformance"
    if reference.is_dir():
        rulesets.fetch(reference, cache)
    world = open_world(database_url, folder, cache, at=machine_time())
    world.given_customer(credit_limit=Money(Decimal(10**12), "EUR"))
    world.given_stock({item: {"BERGEN": 10**9} for item in ITEMS})
    scopes = ("orders:write", "orders:read", "shipments:write", "invoices:read")
    _, key = world.house.database.write(
        lambda c: keys.create(c, world.company_id, "bench", scopes, None, machine_time())
    )
    return world, key


def order_json(number: int) -> dict[str, Any]:
    """Our JSON of one order of three lines, 78.75 EUR."""
    return {
        "external_id": f"E-{number}",
        "currency": "EUR",
        "customer_id": "C-1",
        "lines": [
            {
                "line_id": str(place),
                "name": f"Item {item}",
                "quantity": {"value": "2", "unit": "C62"},
                "net_price": "10.50",
                "tax": {"category": "S", "rate": "25"},
                "seller_item_id": item,
            }
            for place, item in enumerate(ITEMS, start=1)
        ],
    }


def call(
    app: Flask, path: str, body: bytes, key: str, media_type: str = "application/json"
) -> tuple[int, bytes]:
    """One POST through the WSGI interface itself: no client's own cost in the figure."""
    status: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": path,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
        "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "CONTENT_TYPE": media_type,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_AUTHORIZATION": f"Bearer {key}",
    }
    chunks = app.wsgi_app(environ, lambda line, headers, exc_info=None: status.append(line))
    content = b"".join(chunks)
    return int(status[0].split()[0]), content


def bodies(start: int, count: int) -> list[bytes]:
    """Orders ``start`` .. as request bodies."""
    return [json.dumps(order_json(start + number)).encode() for number in range(count)]
