"""The figures of the month: touchless share, lead times, days sales outstanding, leakage.

Pure arithmetic over rows that the report stage reads; every definition stands in its docstring, and
None means "nothing to measure", never zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from o2c.money import round_half_up


@dataclass(frozen=True, slots=True)
class StageTime:
    """One order's stay in one stage; ``left_at`` is None while it is still there."""

    order_id: str
    stage: str
    entered_at: datetime
    left_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class StageFigures:
    """A stage over a period. Lead times are of the orders that left, the queue is who has not."""

    stage: str
    done: int
    p50_seconds: int | None
    p95_seconds: int | None
    queue: int
    oldest_seconds: int | None


@dataclass(frozen=True, slots=True)
class Unbilled:
    """Pieces of an order line that left and are on no invoice."""

    order_id: str
    line_id: str
    quantity: Decimal


def touchless_share(human_actions: Iterable[int]) -> Decimal | None:
    """Percent, one decimal, of invoices without a human action from acceptance to delivery."""
    counts = tuple(human_actions)
    untouched = sum(1 for count in counts if count == 0)
    return round_half_up(Decimal(100 * untouched) / len(counts), 1) if counts else None


def stage_figures(rows: Iterable[StageTime], now: datetime) -> tuple[StageFigures, ...]:
    """Lead time and queue of every stage, in first-seen order."""
    by_stage: dict[str, list[StageTime]] = {}
    for row in rows:
        by_stage.setdefault(row.stage, []).append(row)
    return tuple(_figures(stage, stays, now) for stage, stays in by_stage.items())


def worst_queue(figures: Iterable[StageFigures]) -> StageFigures | None:
    """The stage where most orders wait; among equals the one with the oldest."""
    waiting = [figure for figure in figures if figure.queue]
    return max(waiting, key=lambda figure: (figure.queue, figure.oldest_seconds or 0), default=None)


def percentile(values: Sequence[int], percent: int) -> int | None:
    """Nearest rank: the smallest value that at least ``percent`` % of all do not exceed."""
    ranked = sorted(values)
    rank = max(-(-len(ranked) * percent // 100), 1)
    return ranked[rank - 1] if ranked else None


def days_sales_outstanding(receivables: int, sales: int, days: int) -> int | None:
    """Receivables at the end / gross sales of the period x its days, half up; same minor units."""
    return (2 * receivables * days + sales) // (2 * sales) if sales > 0 else None


def shipped_not_invoiced(
    shipped: Mapping[tuple[str, str], Decimal], invoiced: Mapping[tuple[str, str], Decimal]
) -> tuple[Unbilled, ...]:
    """What left and was never billed, from quantities by (order id, line id)."""
    return tuple(
        Unbilled(*key, quantity - invoiced.get(key, Decimal(0)))
        for key, quantity in shipped.items()
        if quantity > invoiced.get(key, Decimal(0))
    )


def _figures(stage: str, stays: Sequence[StageTime], now: datetime) -> StageFigures:
    times = [_seconds(stay.entered_at, stay.left_at) for stay in stays if stay.left_at is not None]
    waits = [_seconds(stay.entered_at, now) for stay in stays if stay.left_at is None]
    p50, p95 = percentile(times, 50), percentile(times, 95)
    return StageFigures(stage, len(times), p50, p95, len(waits), max(waits, default=None))


def _seconds(start: datetime, end: datetime) -> int:
    elapsed = end - start
    return elapsed.days * 86_400 + elapsed.seconds  # whole seconds; total_seconds() would be a float
