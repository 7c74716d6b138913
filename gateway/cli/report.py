"""``o2c report``: the figures of a period, on one line of JSON or one page."""

from __future__ import annotations

from datetime import date
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import DAY


@click.command(epilog=example("o2c report --from 2026-03-01 --to 2026-03-31"))
@click.option("--from", "first", type=DAY, help="[default: the first of this month]")
@click.option("--to", "last", type=DAY, help="[default: today]")
@for_company
@answers_json
def report(first: date | None, last: date | None, code: str | None, talk: Talk) -> None:
    """Touchless share, lead times, queues, ageing, days sales outstanding, goods not invoiced."""
    from gateway.stages.report import kpi_report

    with at_desk(code) as (_house, desk):
        until = last or desk.clock.today()
        since = first or until.replace(day=1)
        if until < since:
            raise click.UsageError("--to lies before --from.")
        figures = kpi_report(desk, since, until)
    talk.say(figures, "\n".join(_page(figures)))


def _page(figures: dict[str, Any]) -> list[str]:
    lines = [
        f"{figures['from']} to {figures['to']}",
        f"orders                 {figures['orders']}",
        f"without a human hand   {_percent(figures['touchless_percent'])}",
        f"payments               {figures['payments']}, matched alone {_percent(figures['matched_percent'])}",
        f"receivables            {figures['receivables']}",
        f"days sales outstanding {_or_dash(figures['dso_days'])}",
        f"shipped, not invoiced  {len(figures['shipped_not_invoiced'])}",
        f"longest queue          {_or_dash(figures['worst_queue'])}",
    ]
    for stage in figures["stages"]:
        times = f"half in {_or_dash(stage['p50_seconds'])} s, 95 % in {_or_dash(stage['p95_seconds'])} s"
        lines.append(f"  {stage['stage']:<8} done {stage['done']}, {times}, waiting {stage['queue']}")
    for currency, buckets in figures["ageing"].items():
        lines.append(f"open in {currency}: " + ", ".join(f"{name} {sum_}" for name, sum_ in buckets.items()))
    return lines


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)


def _percent(value: object) -> str:
    return "-" if value is None else f"{value} %"
