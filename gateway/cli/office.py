"""The installation and the company that a verb works on. Imports the house only when asked for it."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from o2c.errors import NotFound, Refused, Unavailable

if TYPE_CHECKING:
    from gateway.settings import Settings
    from gateway.stages.desk import Desk
    from gateway.wiring import House

for_company = click.option("--company", "code", metavar="CODE", help="Which company. [default: the only one]")


def actor() -> str:
    """The name in the journal: ``cli:`` and the operating system's user."""
    try:
        return f"cli:{getpass.getuser()}"
    except (KeyError, OSError):  # a container may run under a number without a name
        return f"cli:{os.getuid()}"


def read_settings() -> Settings:
    """The settings; a usage error names the variables that cannot be read."""
    from pydantic import ValidationError
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    from gateway.settings import Settings

    try:
        settings = Settings()
        make_url(settings.database_url)
    except ValidationError as error:
        wrong = "; ".join(f"O2C_{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors())
        raise click.UsageError(f"{wrong}. See docs/operations.md.") from None
    except ArgumentError:
        raise click.UsageError(
            "O2C_DATABASE_URL is no database address: sqlite:///FILE or postgresql+psycopg://..."
        ) from None
    return settings


def shown(url: str) -> str:
    """A database or queue address without its password."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(url).render_as_string(hide_password=True)
    except ArgumentError:
        return url.rpartition("@")[2]


@contextmanager
def open_house() -> Iterator[House]:
    """The installation, its log on standard error, closed afterwards.

    ``Unavailable('database-unreachable')`` where the database does not answer.
    """
    settings = read_settings()
    from sqlalchemy.exc import InterfaceError, OperationalError

    from gateway import wiring
    from gateway.http.request_log import configure

    configure(settings.log_level)
    try:
        house = wiring.open_house(settings)
        try:
            yield house
        finally:
            house.close()
    except (OperationalError, InterfaceError) as error:
        raise unreachable(settings, error) from error


def unreachable(settings: Settings, error: Exception) -> Unavailable:
    """The words for a database that does not answer; never with its password."""
    reason = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    return Unavailable(
        "database-unreachable",
        f"the database {shown(settings.database_url)} does not answer: {reason[0]}",
        next_step="See that it runs and that O2C_DATABASE_URL is right: o2c doctor",
    )


def choose(house: House, code: str | None) -> str:
    """The company that is meant. The only one needs no naming."""
    codes = house.companies()
    if code is not None and code not in codes:
        there = f"There are: {', '.join(codes)}." if codes else "There is none yet: o2c company add"
        raise NotFound("company", f"there is no company {code}.", next_step=there)
    if code is None and not codes:
        raise Refused("company", "there is no company yet.", next_step="Add one: o2c company add --help")
    if code is None and len(codes) > 1:
        raise click.UsageError(f"There are several companies; choose one with --company: {', '.join(codes)}.")
    return code or codes[0]


@contextmanager
def at_desk(code: str | None) -> Iterator[tuple[House, Desk]]:
    """The house and the desk of the company that is meant, for this user."""
    with open_house() as house:
        yield house, house.desk(choose(house, code), actor())
