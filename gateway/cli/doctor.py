"""``o2c doctor``: is everything here that the work needs? Looks only; changes and migrates nothing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from gateway.cli.answers import Talk, answers_json, example, findings
from gateway.cli.office import read_settings, shown, unreachable

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gateway.settings import Settings
    from gateway.store.database import Database

_REACH_SECONDS = 3
_SKEW = timedelta(seconds=2)  # more than this between our clock and the database's is worth a word


@dataclass(frozen=True, slots=True)
class Line:
    """One thing looked at. ``status``: ok, warn (works without) or fail (does not work)."""

    check: str
    status: str
    message: str
    next_step: str = ""


@click.command(epilog=example("o2c doctor", "o2c doctor --json"))
@answers_json
def doctor(talk: Talk) -> None:
    """Look at the database, the queue, the folders, mail, rules, schemas, engine and clock."""
    failed = False
    for line in _lines(read_settings()):
        failed |= line.status == "fail"
        data = {
            "check": line.check,
            "status": line.status,
            "message": line.message,
            "next_step": line.next_step or None,
        }
        step = f"\n       {line.next_step}" if line.next_step else ""
        talk.say(data, f"{line.status:<5}{line.check}: {line.message}{step}")
    if failed:
        findings()


def _lines(settings: Settings) -> Iterator[Line]:
    yield from _database(settings)
    yield _queue(settings)
    yield _outbox(settings.outbox_dir)
    yield _mail(settings)
    yield from _layers(settings.rules_cache)
    yield from _schemas(settings.schema_cache)
    yield _engine()


def _database(settings: Settings) -> Iterator[Line]:
    from sqlalchemy.exc import DBAPIError

    from gateway.store.database import Database

    place = shown(settings.database_url)
    if settings.database_url.startswith("sqlite:///"):
        file = Path(settings.database_url.removeprefix("sqlite:///"))
        if not file.exists():
            yield Line(
                "database",
                "warn",
                f"{file} is not there yet.",
                "The first command makes it: o2c company add --help",
            )
            yield _clock(None)
            return
    try:
        with closing(Database(settings.database_url)) as database:
            yield from _inside(database, place)
    except DBAPIError as error:
        problem = unreachable(settings, error)
        yield Line(
            "database", "fail", problem.message, "See that it runs and that O2C_DATABASE_URL is right."
        )
        yield _clock(None)
    except ModuleNotFoundError as error:
        yield Line(
            "database", "fail", f"the driver {error.name} is missing.", "Install the extra: o2c[scale]"
        )
        yield _clock(None)


def _inside(database: Database, place: str) -> Iterator[Line]:
    from gateway.store import companies, migrate

    missing = migrate.missing(database)
    if missing:
        words = f"{place} answers; migrations {', '.join(missing)} are missing."
        yield Line(
            "database",
            "warn",
            words,
            "The next start of any command or server applies them. Back it up first.",
        )
    with database.read() as connection:
        if not missing:
            count = len(companies.codes(connection))
            step = "" if count else "Add a company: o2c company add --help"
            yield Line(
                "database",
                "ok" if count else "warn",
                f"{place} answers and is up to date; {count} companies.",
                step,
            )
            yield _jobs(connection)
        yield _clock(connection)


def _jobs(connection: Connection) -> Line:
    from gateway.clock import machine_time
    from gateway.store import jobs

    found = jobs.backlog(connection, machine_time())
    words = f"{found.due} due, {found.parked} parked."
    if found.parked:
        return Line("jobs", "warn", words, "See why: o2c jobs list. Then: o2c jobs release ID")
    late = found.oldest is not None and machine_time() - found.oldest > timedelta(minutes=5)
    step = "Nobody seems to work: o2c serve, o2c worker, or once: o2c jobs run" if late else ""
    return Line("jobs", "warn" if late else "ok", words, step)


def _queue(settings: Settings) -> Line:
    url = settings.queue_url or settings.database_url
    if url.startswith("sqlite:///"):
        folder = Path(url.removeprefix("sqlite:///")).parent
        return _folder("queue", folder, "O2C_QUEUE_URL")
    if not url.startswith(("redis", "rediss")):
        return Line("queue", "ok", f"{shown(url)}.")
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    return _reached(
        "queue", parts.hostname or "", parts.port or 6379, "Jobs run all the same, found by the sweep."
    )


def _folder(check: str, folder: Path, setting: str) -> Line:
    import tempfile

    existing = next(place for place in (folder, *folder.parents) if place.exists())
    try:
        if existing == folder:
            with tempfile.TemporaryFile(dir=folder):
                pass
        elif not os.access(existing, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        return Line(
            check,
            "fail",
            f"{folder} cannot be written to: {error.strerror}.",
            f"Mend its rights, or set {setting}.",
        )
    return Line(check, "ok", f"{folder} can be written to.")


def _outbox(folder: Path) -> Line:
    return _folder("outbox", folder, "O2C_OUTBOX_DIR")


def _mail(settings: Settings) -> Line:
    if not settings.smtp_host:
        return Line(
            "mail",
            "warn",
            "not set up: words to customers go to the outbox.",
            "Set O2C_SMTP_HOST and O2C_SMTP_SENDER.",
        )
    return _reached("mail", settings.smtp_host, settings.smtp_port, "Messages wait and are tried again.")


def _reached(check: str, host: str, port: int, step: str) -> Line:
    import socket

    try:
        socket.create_connection((host, port), _REACH_SECONDS).close()
    except OSError as error:
        return Line(check, "fail", f"{host}:{port} cannot be reached: {error.strerror or error}.", step)
    return Line(check, "ok", f"{host}:{port} can be reached.")


def _layers(cache: Path) -> Iterator[Line]:
    from formats import rulesets

    for name, found in rulesets.live(cache).items():
        if found:
            yield Line("rules", "ok", f"{name} {found.rules.release} from {found.origin}.")
        else:
            step = "Put its official files into a folder DIR and: o2c rulesets fetch --from DIR"
            yield Line(
                "rules",
                "warn",
                f"{name} is not here; its layer is skipped, and skipped is never valid.",
                step,
            )
    for changed in rulesets.verify(cache):
        yield Line(
            "rules", "fail", f"{changed.path} was changed.", "Fetch it again: o2c rulesets fetch --from DIR"
        )


def _schemas(cache: Path) -> Iterator[Line]:
    from formats.saft import schemas
    from formats.saft.records import Version
    from o2c.errors import Refused

    for version in Version:
        name = f"SAF-T {version}"
        try:
            found = schemas.find(version, cache)
        except Refused as refused:
            yield Line("schema", "fail", refused.message, refused.next_step)
            continue
        step = f"Download {schemas.official_name(version)} and: o2c saft schemas add FILE"
        yield (
            Line("schema", "ok", f"{name} is registered.")
            if found
            else Line(
                "schema", "warn", f"{name} is not registered; files are checked, but not against it.", step
            )
        )


def _engine() -> Line:
    try:
        from rules.durable import ENGINE
    except Exception as error:  # whatever a C extension may raise when it does not fit this Python
        return Line(
            "engine", "fail", f"the rules engine cannot be loaded: {error}.", "Set up again: ./run o2c --help"
        )
    return Line("engine", "ok", f"{ENGINE}.")


def _clock(connection: Connection | None) -> Line:
    from sqlalchemy import text

    from gateway.clock import machine_time

    now = machine_time()
    if connection is not None and connection.dialect.name == "postgresql":
        theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        if abs(theirs - now) > _SKEW:
            words = f"{now:%Y-%m-%d %H:%M:%S} UTC here, {abs(theirs - now).seconds} s beside the database's."
            return Line("clock", "warn", words, "Let both machines follow one time server (NTP).")
    return Line("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC.")
