"""``o2c serve`` and ``o2c worker``: the processes that stay.

``serve`` answers HTTP and does the work that follows in threads beside it; ``worker`` only does the
work. Any number of both may run on one PostgreSQL; SQLite has one writer and gets one process.
Stopped by SIGTERM or SIGINT: what runs is finished, what waits is in the database.
"""

from __future__ import annotations

import signal
import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import open_house, read_settings, shown
from o2c.errors import Refused

if TYPE_CHECKING:
    from gateway.jobs import Clockwork
    from gateway.wiring import House

_REQUEST_THREADS = 32  # as many as there are connections to PostgreSQL
_PATIENCE = 60  # seconds that a process may take to finish what runs, before it is ended
_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_threads = click.option(
    "--workers",
    type=click.IntRange(0),
    help="Threads that do jobs, in each process. [default: O2C_WORKERS]",
)


@click.command(epilog=example("o2c serve", "o2c serve --host 0.0.0.0 --port 8080 --processes 4 --workers 2"))
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=8080, show_default=True)
@_threads
@click.option("--processes", type=click.IntRange(1), default=1, show_default=True, help="PostgreSQL only.")
@answers_json
def serve(host: str, port: int, workers: int | None, processes: int, talk: Talk) -> None:
    """Answer HTTP, and do the work that follows. Put TLS before it where others can reach it."""
    settings = read_settings()
    if processes > 1 and settings.database_url.startswith("sqlite"):
        raise click.UsageError("SQLite has one writer: more than one process needs PostgreSQL.")
    threads = settings.workers if workers is None else workers
    _refuse_taken(host, port)
    with open_house():  # migrates, and says what is wrong before anything listens
        pass
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    server = _server(host, port, processes)
    words = f"o2c starts at {url} (API: {url}/docs). Stop it with Ctrl-C."
    if host not in _LOOPBACK:
        words += "\nIt can be reached from outside and speaks no TLS itself: put a proxy before it."
    server.on_startup(lambda: talk.say({"url": url, "processes": processes, "workers": threads}, words))
    server.serve(target_loader=partial(application, threads), wrap_loader=False)


def _refuse_taken(host: str, port: int) -> None:
    # The server's own socket would share the port with another server and take half its requests.
    import socket

    try:
        [family, kind, *_, address], *_ = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise Refused(
            "address-in-use",
            f"nothing can listen on {host} port {port}: {error.strerror or error}.",
            next_step="Choose another --port, or stop what listens there.",
        ) from None


def _server(host: str, port: int, processes: int) -> Any:
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LOGGING_CONFIG, LogLevels

    logging: dict[str, Any] = LOGGING_CONFIG

    # Standard output is for answers; what the server has to say goes where the log goes.
    handlers = {name: one | {"stream": "ext://sys.stderr"} for name, one in logging["handlers"].items()}
    return Granian(
        "o2c",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=processes,
        blocking_threads=_REQUEST_THREADS,
        websockets=False,
        workers_kill_timeout=_PATIENCE,
        log_level=LogLevels.error,
        log_dictconfig={"handlers": handlers},
    )


def application(threads: int) -> Any:
    """The WSGI application of one server process, with its clockwork beside it."""
    from multiprocessing.util import Finalize

    from gateway.http.app import create_app
    from gateway.jobs import Clockwork
    from gateway.wiring import open_house

    house = open_house(read_settings())
    clockwork = Clockwork(house)
    if threads:
        clockwork.start(threads)
    Finalize(None, _close, args=(clockwork, house), exitpriority=10)  # when the process has served
    return create_app(house)


def _close(clockwork: Clockwork, house: House) -> None:
    clockwork.stop()
    house.close()


@click.command(epilog=example("o2c worker", "o2c worker --workers 4"))
@_threads
@answers_json
def worker(workers: int | None, talk: Talk) -> None:
    """Do jobs and nothing else: start as many as the work needs, on PostgreSQL."""
    from gateway.jobs import Clockwork

    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with open_house() as house:
        threads = workers or house.settings.workers
        clockwork = Clockwork(house)
        clockwork.start(threads)
        database = shown(house.settings.database_url)
        talk.say(
            {"database": database, "workers": threads}, f"{threads} workers on {database}. Stop with Ctrl-C."
        )
        stop.wait()
        clockwork.stop()
