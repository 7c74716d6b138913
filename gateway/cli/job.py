"""``o2c jobs``: work that waits, and work that was parked because somebody must look at it."""

from __future__ import annotations

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company, open_house
from o2c.errors import NotFound


@click.group()
def jobs() -> None:
    """Work that waits or was parked."""


@jobs.command("list", epilog=example("o2c jobs list"))
@for_company
@answers_json
def list_jobs(code: str | None, talk: Talk) -> None:
    """List jobs that are not done, parked ones first."""
    from gateway.store.jobs import waiting

    with at_desk(code) as (_house, desk), desk.database.read() as connection:
        rows = waiting(connection, desk.company_id)
    talk.table(rows, "job_id", "kind", "run_at", "attempts", "parked_at", "last_error", empty="nothing waits")


@jobs.command(epilog=example("o2c jobs run"))
@answers_json
def run(talk: Talk) -> None:
    """Do everything that is due now, of every company, and what follows from it. Needs no server."""
    from gateway import jobs as clockwork

    with open_house() as house:
        clockwork.start_day(house)
        ran = clockwork.run_due(house)
    talk.say({"ran": ran}, f"{ran} jobs ran")


@jobs.command(epilog=example("o2c jobs release job_01k..."))
@click.argument("job_id", metavar="ID")
@for_company
@answers_json
def release(job_id: str, code: str | None, talk: Talk) -> None:
    """Take up a parked job again, after its cause is mended."""
    from gateway import jobs as clockwork

    with at_desk(code) as (house, desk):
        if not clockwork.release(house, desk.company_id, job_id):
            raise NotFound("job", f"there is no parked job {job_id}.", next_step="See: o2c jobs list")
    talk.say({"job_id": job_id, "released": True}, f"{job_id} is tried again")
