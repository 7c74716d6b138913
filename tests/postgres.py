"""A private PostgreSQL cluster for tests: made in a temporary folder, gone afterwards.

Needs the server's programs (Debian: ``postgresql``), no running service and no rights: PostgreSQL
refuses to run as root, so root hands the folder to an unprivileged user. Must never touch a
cluster it did not start; each test process has its own, so parallel runs cannot meet.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TypedDict

import psycopg
from psycopg import sql

_START_SECONDS = 60
_numbers = count(1)


class _Identity(TypedDict, total=False):
    """Extra arguments of ``subprocess`` that give up root."""

    user: int
    group: int
    extra_groups: list[int]


def find_programs(environ: Mapping[str, str] = os.environ) -> Path | None:
    """The folder with ``initdb`` and ``postgres``, or None. ``O2C_POSTGRES_BIN`` names it outright;
    else ``pg_config`` is asked, then Debian's folders are tried, newest first."""
    if named := environ.get("O2C_POSTGRES_BIN"):
        candidates = [Path(named)]
    else:
        debian = Path("/usr/lib/postgresql").glob("*/bin")
        candidates = [*_asked(), *sorted(debian, key=lambda p: -int(p.parent.name.split(".")[0]))]
    return next((p for p in candidates if (p / "initdb").exists() and (p / "postgres").exists()), None)


def _asked() -> list[Path]:
    if not (program := shutil.which("pg_config")):
        return []
    answer = subprocess.run([program, "--bindir"], capture_output=True, text=True, check=False)
    return [Path(answer.stdout.strip())] if answer.returncode == 0 else []


def may_be_missing(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether tests may skip without PostgreSQL: not in CI, unless ``O2C_ALLOW_NO_POSTGRES=1``."""
    return environ.get("CI", "") not in ("true", "1") or environ.get("O2C_ALLOW_NO_POSTGRES") == "1"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running server on 127.0.0.1; every local connection is the superuser ``o2c``."""

    port: int
    pid: int
    folder: Path

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://o2c@127.0.0.1:{self.port}/{database}"

    def create_database(self) -> str:
        """A fresh, empty database; its name."""
        name = f"test_{next(_numbers)}"
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return name

    def drop_database(self, name: str) -> None:
        """Removes it, closing connections a failed test left open."""
        self._run(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(
            host="127.0.0.1", port=self.port, user="o2c", dbname="postgres", autocommit=True
        ) as c:
            c.execute(statement)


@contextmanager
def running_cluster(programs: Path) -> Iterator[Cluster]:
    """A new cluster, started and at the end stopped by its own pid."""
    folder = Path(tempfile.mkdtemp(prefix="o2c-postgres-"))
    try:
        identity = _give_up_root(folder)
        _init(programs, folder, identity)
        server = _start(programs, folder, port := _free_port(), identity)
        try:
            _wait_until_it_answers(server, port, folder)
            yield Cluster(port, server.pid, folder)
        finally:
            _stop(server)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _give_up_root(folder: Path) -> _Identity:
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _environment() -> dict[str, str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return ours | {"LC_ALL": "C"}


def _init(programs: Path, folder: Path, identity: _Identity) -> None:
    command = [str(programs / "initdb"), "-D", str(folder / "data"), "-U", "o2c", "-A", "trust", "-E", "UTF8"]
    done = subprocess.run(
        [*command, "--no-sync", "--no-instructions"],  # an empty cluster is not worth a flush
        cwd=folder,
        env=_environment(),
        capture_output=True,
        text=True,
        check=False,
        **identity,
    )
    if done.returncode != 0:
        raise RuntimeError(f"initdb failed in {folder}: {done.stderr or done.stdout}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _start(programs: Path, folder: Path, port: int, identity: _Identity) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "127.0.0.1",
        "port": port,
        "unix_socket_directories": folder,
        "shared_buffers": "32MB",
        "max_connections": 60,
        "logging_collector": "off",
    }
    options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
    # Where the system can, the server goes down with us even if we are killed outright.
    leash: list[str | Path] = ["setpriv", "--pdeathsig", "INT"] if shutil.which("setpriv") else []
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(
            [*leash, programs / "postgres", "-D", folder / "data", *options],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **identity,
        )


def _wait_until_it_answers(server: subprocess.Popen[bytes], port: int, folder: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while server.poll() is None and time.monotonic() < deadline:
        try:
            psycopg.connect(host="127.0.0.1", port=port, user="o2c", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            time.sleep(0.05)
    raise RuntimeError(f"PostgreSQL did not start: {(folder / 'server.log').read_text()[-2000:]}")


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGINT)  # "fast shutdown": ends sessions, keeps the files whole
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait(20)
