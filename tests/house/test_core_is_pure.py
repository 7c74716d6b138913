"""o2c knows no float and no SQL, and nobody but gateway/clock.py knows the time.

A test can turn the clock by hand only where every instant comes through the ``Clock`` port.
``time.monotonic`` and ``perf_counter`` measure durations and are free.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.house.source import Module, dotted, imports, modules, parse, product

CLOCK = "gateway/clock.py"
READS_THE_CLOCK = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.(time|time_ns|gmtime|localtime|ctime)"
    r"|func\.(now|current_timestamp|current_date|current_time))$"
)
SQL = re.compile(r"\b(SELECT\b.+\bFROM|INSERT INTO|UPDATE \w+ SET|DELETE FROM|CREATE TABLE)\b", re.DOTALL)


def clock_faults(module: Module) -> list[str]:
    """Places that read the time by themselves."""
    read = [
        f"{module.at(node)}: {dotted(node)} reads the clock; take it from the Clock port"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and READS_THE_CLOCK.search(dotted(node))
    ]
    taken = [
        f"{place}: {name} reads the clock; take it from the Clock port"
        for name, place in imports(module)
        if re.fullmatch(r"time\.(time|time_ns|gmtime|localtime|ctime)", name)
    ]
    return read + taken


def float_faults(module: Module) -> list[str]:
    """Places where a binary fraction enters."""
    return [
        f"{module.at(node)}: a float; money and quantities are Decimal"
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Name) and node.id == "float")
    ]


def sql_faults(module: Module) -> list[str]:
    """Strings that look like SQL."""
    return [
        f"{module.at(node)}: SQL belongs in gateway/store"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value)
    ]


def test_only_the_clock_reads_the_time() -> None:
    assert [f for module in product() if module.path != CLOCK for f in clock_faults(module)] == []


def test_the_one_clock_is_where_it_should_be() -> None:
    [clock] = [module for module in product() if module.path == CLOCK]
    assert clock_faults(clock), f"{CLOCK} does not read the time; who does?"


def test_the_core_knows_no_float() -> None:
    assert [fault for module in modules("o2c") for fault in float_faults(module)] == []


def test_the_core_knows_no_sql() -> None:
    assert [fault for module in modules("o2c") for fault in sql_faults(module)] == []


@pytest.mark.parametrize(
    "text",
    [
        "datetime.now(UTC)",
        "datetime.datetime.utcnow()",
        "date.today()",
        "field(default_factory=datetime.now)",
        "time.time()",
        "from time import time",
        "Column(server_default=func.now())",
    ],
)
def test_a_glance_at_the_clock_is_found(text: str) -> None:
    assert len(clock_faults(parse(text, Path("gateway/x.py")))) == 1


@pytest.mark.parametrize("text", ["clock.now()", "self.clock.today()", "time.monotonic()", "entry.date.year"])
def test_asking_the_port_is_no_glance(text: str) -> None:
    assert clock_faults(parse(text, Path("gateway/x.py"))) == []


@pytest.mark.parametrize("text", ["x = 1.5", "def f(x: float): ...", "float('1')"])
def test_a_float_is_found(text: str) -> None:
    assert len(float_faults(parse(text, Path("o2c/x.py")))) == 1


def test_sql_is_found() -> None:
    assert len(sql_faults(parse("q = 'SELECT a FROM b'", Path("o2c/x.py")))) == 1
