"""Imports go down only, and each library has one home.

gateway -> rules | formats | connectors (which do not know each other) -> o2c -> standard library;
inside gateway the doors (http, web, cli, jobs) -> stages -> store, and only wiring names a connector.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.house.source import PACKAGES, Module, imports, parse, product

BELOW = {
    "o2c": {"o2c"},
    "rules": {"rules", "o2c"},
    "formats": {"formats", "o2c"},
    "connectors": {"connectors", "o2c"},
    "gateway": set(PACKAGES),
}

# Where a library may be imported. A library that is not here has no home yet: give it one.
HOME = {
    **dict.fromkeys(
        ["lxml", "xmlschema", "elementpath", "signxml", "saxonche", "facturx", "orjson"], "formats"
    ),
    **dict.fromkeys(["durable", "ruamel", "jsonschema"], "rules"),
    **dict.fromkeys(["requests", "urllib3", "standardwebhooks"], "connectors"),
    **dict.fromkeys(["flask", "apiflask", "werkzeug", "marshmallow", "swagger_ui", "granian"], "gateway"),
    **dict.fromkeys(["sqlalchemy", "alembic", "psycopg", "psycopg_pool", "huey"], "gateway"),
    **dict.fromkeys(["pydantic", "pydantic_settings", "structlog", "click", "rich", "stdnum"], "gateway"),
}

# Inside gateway: a module imports its own height or lower. What is not listed is a leaf, height 0.
HEIGHT = {
    "store": 1,
    "stages": 2,
    "http": 3,
    "web": 3,
    "cli": 3,
    "demo": 3,
    "jobs": 3,
    "wiring": 3,
    "beside": 3,
}


def layer_faults(module: Module) -> list[str]:
    """What this module imports although it may not."""
    return [fault for name, place in imports(module) if (fault := _fault(module, name, place))]


def _fault(module: Module, name: str, place: str) -> str:
    top = name.partition(".")[0]
    if top in PACKAGES:
        if top not in BELOW[module.package]:
            return f"{place}: {module.package} must not import {name}"
        return _fault_inside_gateway(module, name, place) if module.package == "gateway" else ""
    if top in sys.stdlib_module_names:
        return ""
    if top not in HOME:
        return f"{place}: {top} has no home; add it to HOME in {Path(__file__).name}"
    return "" if module.package == HOME[top] else f"{place}: {top} lives in {HOME[top]}/ only"


def _fault_inside_gateway(module: Module, name: str, place: str) -> str:
    if module.name == "gateway.wiring":
        return ""
    if name.startswith("connectors"):
        return f"{place}: only gateway/wiring.py names a connector, not {module.path}"
    if name.startswith("gateway.") and _height(name) > _height(module.name):
        return f"{place}: {module.name} must not import {name}, which lies above it"
    return ""


def _height(name: str) -> int:
    return HEIGHT.get(name.partition(".")[2].partition(".")[0], 0)


def test_imports_go_down_only_and_each_library_has_one_home() -> None:
    assert [fault for module in product() for fault in layer_faults(module)] == []


def test_all_five_packages_are_looked_at() -> None:
    assert {module.package for module in product()} == set(PACKAGES)


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        ("o2c/x.py", "import requests", "requests lives in connectors/ only"),
        ("o2c/x.py", "from gateway import store", "o2c must not import gateway.store"),
        ("o2c/x.py", "def f():\n    import lxml.etree", "o2c/x.py:2: lxml lives in formats/ only"),
        ("rules/x.py", "from formats.ubl import terms", "rules must not import formats.ubl.terms"),
        ("formats/ubl/x.py", "from ...connectors import mail", "formats must not import connectors.mail"),
        ("connectors/x.py", "import sqlalchemy", "sqlalchemy lives in gateway/ only"),
        ("gateway/stages/x.py", "from connectors.mail import Mail", "only gateway/wiring.py"),
        ("gateway/stages/x.py", "from gateway.http import app", "lies above it"),
        ("gateway/store/x.py", "from ..stages import bill", "lies above it"),
        ("gateway/clock.py", "from gateway import wiring", "lies above it"),
        ("gateway/x.py", "import numpy", "numpy has no home"),
    ],
)
def test_a_breach_is_found(path: str, text: str, words: str) -> None:
    [fault] = layer_faults(parse(text, Path(path)))
    assert words in fault


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("o2c/x.py", "from o2c.money import Money\nimport decimal"),
        ("formats/ubl/x.py", "from . import terms\nimport lxml.etree\nfrom o2c import money"),
        ("gateway/wiring.py", "from connectors.mail import Mail\nfrom gateway.http import app"),
        ("gateway/http/x.py", "from gateway.stages import bill\nfrom gateway import store, clock"),
        ("gateway/stages/__init__.py", "from .bill import bill\nfrom ..store import rows"),
    ],
)
def test_what_is_allowed_passes(path: str, text: str) -> None:
    assert layer_faults(parse(text, Path(path))) == []
