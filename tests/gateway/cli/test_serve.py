"""The processes that stay: they answer, they work, they end when told to."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from tests.conftest import ROOT
from tests.gateway.cli.conftest import Cli, order

_PATIENCE = 60.0


def started(cli: Cli, *args: str) -> subprocess.Popen[str]:
    """``o2c args`` as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "gateway.cli", *args, "--json"],
        cwd=ROOT,
        env=os.environ | cli.environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    """Told to stop: its exit code and what it said to the log."""
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=_PATIENCE)
    return process.returncode, log


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def status_of(url: str) -> int:
    """The HTTP status, once somebody answers."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                return int(response.status)
        except urllib.error.HTTPError as error:
            return error.code
        except OSError:
            assert time.monotonic() < until, f"nobody answers at {url}"
            time.sleep(0.1)


def test_a_server_answers_does_the_work_and_ends_in_order(trading: Cli) -> None:
    port = free_port()
    process = started(trading, "serve", "--port", str(port), "--workers", "1")
    try:
        url = f"http://127.0.0.1:{port}"
        assert status_of(f"{url}/v1/orders") == 401
        assert process.stdout is not None
        assert json.loads(process.stdout.readline()) == {"url": url, "processes": 1, "workers": 1}
        assert trading.refusal(f"serve --port {port}")[0] == "address-in-use"
        trading(
            "import orders", trading.file("order.json", order("A-1"))
        )  # of another process: the sweep finds it
        until = time.monotonic() + _PATIENCE
        while trading.json("jobs list"):
            assert time.monotonic() < until, "the job was never done"
            time.sleep(0.5)
        code, log = ended(process)
    finally:
        process.kill()
    assert (code, "Traceback" in log) == (0, False), log


def test_a_worker_does_the_work_and_ends_in_order(trading: Cli) -> None:
    trading("import orders", trading.file("order.json", order("A-1")))
    process = started(trading, "worker", "--workers", "1")
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["workers"] == 1
        until = time.monotonic() + _PATIENCE
        while trading.json("jobs list"):
            assert time.monotonic() < until, "the job was never done"
            time.sleep(0.5)
        code, log = ended(process)
    finally:
        process.kill()
    assert (code, "Traceback" in log) == (0, False), log


def test_sqlite_gets_one_process(alone: Cli) -> None:
    assert "SQLite has one writer" in alone("serve --processes 2", code=2).stderr
