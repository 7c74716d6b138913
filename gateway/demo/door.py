"""The way in after the story: the API key, lines to copy, and the server itself."""

from __future__ import annotations

import json
import os
import shlex
import socket
from dataclasses import dataclass

from rich.console import Console
from rich.text import Text

from gateway.clock import machine_time
from gateway.demo.page import heading
from gateway.demo.place import Place
from gateway.store import keys
from gateway.store.keys import SCOPES, KeyRing
from gateway.wiring import House

_HOST = "127.0.0.1"
_ORDER = {
    "external_id": "mine-1",
    "currency": "NOK",
    "customer_id": "N-101",
    "lines": [
        {
            "line_id": "1",
            "name": "Kaffebønner Fjell, 1 kg",
            "quantity": {"value": "5", "unit": "C62"},
            "net_price": "189.00",
            "seller_item_id": "KB-1",
        }
    ],
}


@dataclass(frozen=True, slots=True)
class Door:
    """How to reach the API: its port on this machine and the key of NO1."""

    port: int
    key: str

    @property
    def url(self) -> str:
        """Where the API answers."""
        return f"http://{_HOST}:{self.port}"


def key_of(house: House, company_id: str, place: Place) -> str:
    """The demo's API key: the one of the run before, or a new one that may do everything at this company."""
    known = place.key_file.read_text().strip() if place.key_file.is_file() else ""
    if known and KeyRing(house.database).open(known):
        return known
    _, text = house.database.write(
        lambda connection: keys.create(connection, company_id, "demo", SCOPES, None, machine_time())
    )
    with os.fdopen(os.open(place.key_file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text + "\n")
    return text


def free_port(wanted: int) -> int:
    """``wanted`` if nothing listens there, else another free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_HOST, port))
            except OSError:
                continue
            number: int = probe.getsockname()[1]
            return number
    return wanted  # nothing can be had; the server will say why


def curl_lines(door: Door, place: Place, order_id: str) -> tuple[tuple[str, str], ...]:
    """(what it does, the line to copy): they work as printed while the demo serves."""
    key = f'-H "Authorization: Bearer $(cat {shlex.quote(str(place.key_file))})"'
    body = json.dumps(_ORDER, ensure_ascii=False, separators=(",", ":"))
    content = "-H 'Content-Type: application/json'"
    return (
        ("which orders are held", f"curl -s {key} '{door.url}/v1/orders?state=held'"),
        ("put in an order of your own", f"curl -s {key} {content} -d '{body}' {door.url}/v1/orders"),
        ("the way of the order above", f"curl -s {key} {door.url}/v1/orders/{order_id}/timeline"),
    )


def shell_lines(place: Place, order_id: str) -> tuple[str, ...]:
    """Commands that look at the demo's data."""
    return (
        f"export O2C_DATABASE_URL={shlex.quote(place.database_url)}",
        f"export O2C_OUTBOX_DIR={shlex.quote(str(place.outbox))}",
        "./run o2c orders list --company NO1 --state held",
        f"./run o2c orders timeline {order_id} --company NO1",
        "./run o2c payments list --company NO1",
        "./run o2c report --company NO1 --from 2026-01-01 --to 2026-03-31",
        "./run o2c clock advance 1 --company NO1",
    )


def show_next(screen: Console, door: Door, place: Place, order_id: str, *, serving: bool) -> None:
    """Address, key, and lines to copy, each unwrapped so that it can be copied whole."""
    heading(screen, "What next")
    if not serving:
        screen.print("Without --no-serve the demo goes on as a server, and then these lines work as printed.")
    screen.print(f"API {door.url}   its documentation {door.url}/docs")
    screen.print("Its key for NO1, good for this demo only, is in the file api-key:")
    _line(screen, door.key)
    for what, line in curl_lines(door, place, order_id):
        screen.print(Text(f"\n# {what}", style="dim"))
        _line(screen, line)
    screen.print(Text("\n# look around on the command line; the last one lets a day pass", style="dim"))
    for line in shell_lines(place, order_id):
        _line(screen, line)
    screen.print()


def _line(screen: Console, words: str) -> None:
    screen.print(Text(words, style="cyan"), overflow="ignore", no_wrap=True, crop=False, soft_wrap=True)


def serve(place: Place, port: int) -> None:
    """Serve the API on loopback, as ``o2c serve`` does, until Ctrl-C."""
    from gateway.cli.serve import serve as command

    os.environ.update(place.environment())
    command.main(["--host", _HOST, "--port", str(port)], standalone_mode=False)
