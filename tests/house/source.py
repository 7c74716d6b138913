"""The product's source files as syntax trees: the material of the house tests.

Reads and parses, judges nothing. Imports are found wherever they stand, also inside functions.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("o2c", "rules", "formats", "connectors", "gateway")


@dataclass(frozen=True, slots=True)
class Module:
    """One file: its dotted name, its place in the repository and its tree."""

    name: str
    path: str
    tree: ast.Module

    @property
    def package(self) -> str:
        """The top-level folder."""
        return self.name.partition(".")[0]

    def at(self, node: ast.expr | ast.stmt) -> str:
        """``o2c/money.py:12``, for messages."""
        return f"{self.path}:{node.lineno}"


@cache
def modules(*folders: str) -> tuple[Module, ...]:
    """Every Python file below ``folders``, in order of path."""
    files = [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return tuple(parse(path.read_text(encoding="utf-8"), path.relative_to(ROOT)) for path in files)


def product() -> tuple[Module, ...]:
    """Every file that runs at the customer's."""
    return modules(*PACKAGES)


def parse(text: str, path: Path) -> Module:
    """A module from its text; ``path`` is relative to the repository."""
    parts = path.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    return Module(name, path.as_posix(), ast.parse(text))


def imports(module: Module) -> Iterator[tuple[str, str]]:
    """(dotted name of what is imported, place). ``from gateway import store`` -> ``gateway.store``."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, module.at(node)) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _base(module, node)
            yield from ((f"{base}.{alias.name}", module.at(node)) for alias in node.names)


def _base(module: Module, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    is_package = module.path.endswith("__init__.py")
    parents = module.name.split(".")
    parents = parents[: len(parents) - node.level + is_package]
    return ".".join([*parents, *([node.module] if node.module else [])])


def dotted(node: ast.expr) -> str:
    """``datetime.now`` for an attribute chain of names, else an empty string."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (left := dotted(node.value)):
        return f"{left}.{node.attr}"
    return ""
