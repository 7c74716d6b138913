"""A WSGI application in a server of its own, and callers that keep their connections.

Both sides of a bench are served alike: granian, one process, the same threads. The server's CPU time
is read from the operating system, so the callers' own cost is in no figure.
"""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.conftest import ROOT

_THREADS = 16


def ours() -> Flask:
    """Factory for granian: the gateway on ``O2C_DATABASE_URL``."""
    from gateway.http.app import create_app
    from gateway.wiring import open_house

    return create_app(open_house())


def bare() -> Flask:
    """Factory for granian: the anchor on ``BENCH_DATABASE_URL``."""
    from tests.bench.bare import bare_app

    return bare_app(os.environ["BENCH_DATABASE_URL"])


@dataclass(frozen=True, slots=True)
class Server:
    """A running server on loopback."""

    port: int
    pid: int

    def cpu(self) -> float:
        """CPU-seconds of the server and its worker so far."""
        ticks = 0
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                name, _, rest = stat.read_text().rpartition(")")
            except OSError:  # it ended while we looked
                continue
            fields = rest.split()
            if int(name.split()[0]) == self.pid or int(fields[1]) == self.pid:
                ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(factory: str, **environment: str) -> Iterator[Server]:
    """A granian server of ``tests.bench.served:FACTORY``, stopped at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--factory", "--host", "127.0.0.1"]
    command += [
        "--port",
        str(port),
        "--workers",
        "1",
        "--blocking-threads",
        str(_THREADS),
        "--log-level",
        "error",
    ]
    environ = {**os.environ, "PYTHONPATH": str(ROOT), "O2C_LOG_LEVEL": "WARNING", **environment}
    process = subprocess.Popen([*command, f"tests.bench.served:{factory}"], env=environ, cwd=ROOT)
    try:
        _wait_for(port)
        yield Server(port, process.pid)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int) -> None:
    for _ in range(300):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("the server did not start")


def post_all(
    server: Server,
    path: str,
    bodies: Sequence[bytes],
    key: str,
    callers: int,
    media_type: str = "application/json",
) -> list[bytes]:
    """POST every body over ``callers`` kept connections; anything but success ends the bench."""
    shares = [list(bodies[place::callers]) for place in range(callers)]
    headers = {"Authorization": f"Bearer {key}", "Content-Type": media_type}

    def caller(share: list[bytes]) -> list[bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
        answers = []
        for body in share:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answers.append(response.read())
            if response.status not in (200, 201):
                raise SystemExit(f"{path} answered {response.status}: {answers[-1][:300]!r}")
        connection.close()
        return answers

    with ThreadPoolExecutor(callers) as pool:
        return [answer for share in pool.map(caller, shares) for answer in share]
