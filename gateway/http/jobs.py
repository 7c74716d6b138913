"""Work that waits or was parked, and the button that takes it up again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from apiflask import APIBlueprint
from flask import Response

from gateway import jobs
from gateway.http.messages import answer
from gateway.http.operation import Answer, answers, door, operation
from gateway.stages.desk import Desk
from gateway.store.jobs import waiting
from o2c.errors import NotFound

blueprint = APIBlueprint("jobs", __name__, tag="Jobs")


@dataclass(frozen=True, slots=True)
class JobView:
    """``parked_at`` is set where we have stopped trying; ``last_error`` says why."""

    job_id: str
    kind: str
    run_at: datetime
    attempts: int
    parked_at: datetime | None = None
    last_error: str | None = None


@dataclass(frozen=True, slots=True)
class Jobs:
    """At most 200, parked ones first."""

    items: list[JobView]


@blueprint.get("/v1/jobs")
@operation("reports:read", {200: answers(Jobs, "Parked ones first.")})
def list_jobs(desk: Desk) -> Response:
    """List waiting and parked jobs"""
    with desk.database.read() as connection:
        found = waiting(connection, desk.company_id)
    return answer(Jobs([JobView(**row) for row in found]))


@blueprint.post("/v1/jobs/<job_id>/release")
@operation("rules:admin", {202: Answer("It is tried again.")})
def release_job(desk: Desk, job_id: str) -> Response:
    """Take up a parked job again"""
    if not jobs.release(door().house, desk.company_id, job_id):
        raise NotFound("job", f"there is no parked job {job_id}.", next_step="See GET /v1/jobs.")
    return Response(status=202)
