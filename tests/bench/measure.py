"""Clocks, calibration, and the one shape in which every bench answers."""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Result:
    """Figures of one bench and the bars they are held against."""

    bench: str
    figures: dict[str, float] = field(default_factory=dict)
    bars: dict[str, dict[str, float | bool]] = field(default_factory=dict)
    ceilings: set[str] = field(default_factory=set)  # the bars that must not be passed

    def bar(self, name: str, value: float, at_least: float) -> None:
        """Hold a figure against its bar."""
        self.bars[name] = {"value": round(value, 3), "limit": at_least, "holds": value >= at_least}

    def ceiling(self, name: str, value: float, at_most: float) -> None:
        """Hold a figure below its bar."""
        self.ceilings.add(name)
        self.bars[name] = {"value": round(value, 3), "limit": at_most, "holds": value <= at_most}

    def as_json(self) -> str:
        """One line: bench, figures, bars."""
        figures = {name: round(value, 3) for name, value in self.figures.items()}
        return json.dumps({"bench": self.bench, "figures": figures, "bars": self.bars})

    def as_table(self) -> str:
        """The same for people."""
        lines = [f"{self.bench}  (CPython {platform.python_version()}, load {os.getloadavg()[0]:.1f})", ""]
        lines += [f"  {name:<52} {value:>12,.2f}" for name, value in self.figures.items()]
        for name, bar in self.bars.items():
            verdict = "holds" if bar["holds"] else "MISSED"
            sense = "at most" if name in self.ceilings else "at least"
            lines.append(f"  {name:<52} {bar['value']:>12,.2f}  {sense} {bar['limit']:g}: {verdict}")
        return "\n".join(lines)


def calibration() -> float:
    """Runs of a fixed 10,000-step loop per CPU-second: tells machines and moments apart."""
    rates = []
    for _ in range(5):
        start, runs = time.process_time(), 0
        while time.process_time() - start < 0.1:
            total = 0
            for step in range(10_000):
                total += step * step % 7
            runs += 1
        rates.append(runs / (time.process_time() - start))
    return statistics.median(rates)


@dataclass(frozen=True, slots=True)
class Spent:
    """What a stretch of work took, in seconds."""

    wall: float
    cpu: float


def spent(work: Callable[[], object]) -> Spent:
    """Wall and CPU time (all threads of this process) of ``work``."""
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Spent(time.perf_counter() - wall, time.process_time() - cpu)


def median(values: list[float]) -> float:
    """The middle of several rounds."""
    return statistics.median(values)
