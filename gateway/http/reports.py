"""Figures for the CFO, and the tax office's file."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import chain
from typing import Literal

from apiflask import APIBlueprint
from flask import Response
from pydantic import Field

from gateway.http import messages
from gateway.http.fields import Day, Query
from gateway.http.messages import JSON, XML, answer
from gateway.http.operation import BINARY, Answer, operation
from gateway.stages.desk import Desk
from o2c.errors import Fault, Refused

blueprint = APIBlueprint("reports", __name__, tag="Reports")


class Period(Query):
    """The days ``from`` to ``to``, both included."""

    first: Day = Field(alias="from")
    last: Day = Field(alias="to")


class TaxPeriod(Period):
    """With the version of the SAF-T Financial schema."""

    version: Literal["1.30", "1.40"] = "1.40"


def _days(asked: Period) -> tuple[date, date]:
    if asked.last < asked.first:
        told = f"{asked.last} is before {asked.first}."
        raise Refused("period", told, faults=[Fault("to", "period", told)])
    return asked.first, asked.last


@blueprint.get("/v1/reports/kpi")
@operation("reports:read", {200: Answer("The figures.", {JSON: {"type": "object"}})}, query=Period)
def show_figures(desk: Desk) -> Response:
    """Show the figures of a period"""
    from gateway.stages import report

    first, last = _days(messages.query(Period))
    return answer(report.kpi_report(desk, first, last))


@blueprint.get("/v1/reports/saft")
@operation(
    "reports:read",
    {200: Answer("The file.", {XML: BINARY}, {"Content-Disposition": "The official file name."})},
    query=TaxPeriod,
)
def export_saft(desk: Desk) -> Response:
    """Export SAF-T Financial"""
    from gateway.stages import report

    asked = messages.query(TaxPeriod)
    first, last = _days(asked)
    name, chunks = report.saft(desk, first, last, asked.version)
    headers = {"Content-Disposition": f'attachment; filename="{_plain(name)}"'}
    return Response(_begun(chunks), content_type=XML, headers=headers)


def _begun(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The same chunks with the first one made: what is refused at once is still a problem document."""
    return chain([next(chunks, b"")], chunks)


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "._- ") else "_" for c in name)
