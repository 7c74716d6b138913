"""``o2c clock``: the hand-turned clock of a sandbox company.

Time passes day by day: on each day its reminder run is started and everything due is done, as a
server would have done it.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

import click

from gateway.cli.answers import Talk, answers_json, example, following
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import DAY
from o2c.errors import Refused

if TYPE_CHECKING:
    from gateway.stages.desk import Desk
    from gateway.wiring import House


@click.group()
def clock() -> None:
    """The clock of a sandbox company."""


@clock.command(epilog=example("o2c clock show"))
@for_company
@answers_json
def show(code: str | None, talk: Talk) -> None:
    """Show what time it is for a company."""
    with at_desk(code) as (_house, desk):
        _say(desk, desk.clock.now(), 0, talk)


def _say(desk: Desk, now: datetime, ran: int, talk: Talk) -> None:
    sandbox = desk.company.sandbox_at is not None
    words = "turned by hand" if sandbox else "the real clock"
    data = {"company": desk.company_id, "now": now, "sandbox": sandbox, "jobs": ran}
    talk.say(
        data, f"{desk.company_id}: {now:%Y-%m-%d %H:%M} UTC, {words}" + (f"; {ran} jobs ran" if ran else "")
    )


@clock.command("turn-to", epilog=example("o2c clock turn-to 2026-04-15"))
@click.argument("day", type=DAY)
@for_company
@answers_json
def turn_to(day: date, code: str | None, talk: Talk) -> None:
    """Let the days pass until DAY."""
    with at_desk(code) as (house, desk):
        _pass(house, desk, (day - desk.clock.today()).days, talk)


@clock.command(epilog=example("o2c clock advance 14"))
@click.argument("days", type=click.IntRange(1))
@for_company
@answers_json
def advance(days: int, code: str | None, talk: Talk) -> None:
    """Let DAYS days pass."""
    with at_desk(code) as (house, desk):
        _pass(house, desk, days, talk)


def _pass(house: House, desk: Desk, days: int, talk: Talk) -> None:
    from gateway import jobs
    from gateway.store import companies

    if days < 0 or desk.company.sandbox_at is None:
        # The store has the words for both: it refuses a real company, and turning back.
        back = desk.clock.now() + timedelta(days=min(days, 0))
        desk.database.write(lambda c: companies.turn_clock(c, desk.company_id, back))
        raise Refused("not-a-sandbox", f"{desk.company_id} lives by the real clock.")
    ran = jobs.run_due(house)
    now = desk.clock.now()
    for _ in following("days", range(days), days):
        now += timedelta(days=1)
        desk.database.write(partial(companies.turn_clock, company_id=desk.company_id, to=now))
        house.forget(desk.company_id)
        jobs.start_day(house)
        ran += jobs.run_due(house)
    _say(desk, now, ran, talk)
