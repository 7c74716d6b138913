"""The month's figures by hand-checked tables."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from o2c.kpi import (
    StageFigures,
    StageTime,
    Unbilled,
    days_sales_outstanding,
    percentile,
    shipped_not_invoiced,
    stage_figures,
    touchless_share,
    worst_queue,
)

START = datetime(2026, 3, 1, 8, tzinfo=UTC)


def stay(order: str, stage: str, seconds: int | None) -> StageTime:
    return StageTime(order, stage, START, None if seconds is None else START + timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("actions", "share"),
    [([0, 0, 1], "66.7"), ([0], "100.0"), ([2, 1], "0.0"), ([0] * 838 + [1] * 162, "83.8")],
)
def test_touchless_share(actions: list[int], share: str) -> None:
    assert touchless_share(actions) == Decimal(share)


def test_nothing_to_measure_is_not_zero() -> None:
    assert touchless_share([]) is None
    assert percentile([], 50) is None
    assert days_sales_outstanding(100, 0, 30) is None
    assert worst_queue([]) is None


@pytest.mark.parametrize(("percent", "value"), [(50, 50), (95, 95), (100, 100), (1, 1)])
def test_percentiles_are_values_that_occurred(percent: int, value: int) -> None:
    assert percentile(list(range(100, 0, -1)), percent) == value


def test_stages_tell_lead_time_and_queue() -> None:
    rows = [stay("1", "approve", 10), stay("2", "approve", 30), stay("3", "approve", 86_401)]
    rows += [stay("1", "bill", None), stay("2", "bill", 5)]
    figures = stage_figures(rows, START + timedelta(hours=2))
    assert figures == (
        StageFigures("approve", 3, 30, 86_401, 0, None),
        StageFigures("bill", 1, 5, 5, 1, 7200),
    )
    assert worst_queue(figures) == figures[1]


def test_among_equal_queues_the_one_with_the_oldest_is_worst() -> None:
    young, old = StageFigures("send", 0, None, None, 2, 60), StageFigures("bill", 0, None, None, 2, 90)
    assert worst_queue([young, old]) == old


@pytest.mark.parametrize(
    ("receivables", "sales", "days", "dso"), [(500, 1000, 30, 15), (1, 3, 31, 10), (1, 2, 31, 16)]
)
def test_days_sales_outstanding(receivables: int, sales: int, days: int, dso: int) -> None:
    assert days_sales_outstanding(receivables, sales, days) == dso


def test_leakage_is_what_left_and_was_never_billed() -> None:
    shipped = {("O-1", "1"): Decimal(10), ("O-1", "2"): Decimal(5), ("O-2", "1"): Decimal("0.5")}
    invoiced = {("O-1", "1"): Decimal(10), ("O-1", "2"): Decimal(3)}
    assert shipped_not_invoiced(shipped, invoiced) == (
        Unbilled("O-1", "2", Decimal(2)),
        Unbilled("O-2", "1", Decimal("0.5")),
    )
