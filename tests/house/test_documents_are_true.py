"""What is written for people agrees with what runs: commands, settings, the process table."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from typing import cast

import click
import pytest
from pydantic_settings import BaseSettings

from tests.house.source import ROOT


def read(path: str) -> str:
    """A document of the repository."""
    return (ROOT / path).read_text(encoding="utf-8")


def verbs(group: click.Group, above: str = "o2c") -> Iterator[str]:
    """Every command that does something: ``o2c company add``."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, f"{above} {name} is listed but cannot be loaded"
        if command.hidden:
            continue
        if isinstance(command, click.Group):
            yield from verbs(command, f"{above} {name}")
        else:
            yield f"{above} {name}"


def the_cli() -> click.Group:
    """The outermost click group of ``gateway.cli``."""
    module = importlib.import_module("gateway.cli")
    groups = [value for value in vars(module).values() if isinstance(value, click.Group)]
    nested = {id(command) for group in groups for command in group.commands.values()}
    [outermost] = [group for group in groups if id(group) not in nested]
    return outermost


def setting_names() -> set[str]:
    """The environment variable of every setting."""
    module = importlib.import_module("gateway.settings")
    settings = cast(type[BaseSettings], module.Settings)
    prefix = settings.model_config.get("env_prefix", "")
    return {_alias(field.validation_alias) or prefix + name for name, field in settings.model_fields.items()}


def _alias(alias: object) -> str:
    return alias if isinstance(alias, str) else ""


def test_every_command_is_in_the_readme() -> None:
    readme = read("README.md")
    unsaid = [verb for verb in verbs(the_cli()) if not re.search(rf"\b{re.escape(verb)}\b", readme)]
    assert unsaid == []


def test_the_readme_names_no_command_that_is_not_there() -> None:
    first_words = {verb.split()[1] for verb in verbs(the_cli())}
    named = set(re.findall(r"^(?:\$ )?\./run o2c ([a-z][a-z-]*)", read("README.md"), re.MULTILINE))
    assert named
    assert named <= first_words


def test_every_setting_is_in_the_operations_guide() -> None:
    guide = read("docs/operations.md")
    assert [name.upper() for name in sorted(setting_names()) if name.upper() not in guide] == []


def test_the_process_table_is_printed_from_the_code() -> None:
    process = importlib.import_module("o2c.process")
    assert read("docs/process.md") == process.as_markdown(), (
        "write o2c.process.as_markdown() to docs/process.md"
    )


@pytest.mark.parametrize("path", sorted(p.name for p in (ROOT / "docs/adr").glob("*.md")))
def test_a_decision_record_fits_one_glance(path: str) -> None:
    text = read(f"docs/adr/{path}")
    assert re.fullmatch(r"\d{4}-[a-z0-9-]+\.md", path)
    assert text.startswith("# ")
    assert len(text.splitlines()) <= 25


def test_the_changelog_speaks_of_the_version_being_built() -> None:
    version = re.search(r'^version = "(.+)"', read("pyproject.toml"), re.MULTILINE)
    assert version is not None
    assert re.search(rf"^## .*{re.escape(version[1])}", read("CHANGELOG.md"), re.MULTILINE)


def test_verbs_are_found_at_every_depth() -> None:
    tree = click.Group(
        "o2c",
        commands=[
            click.Command("demo"),
            click.Command("secret", hidden=True),
            click.Group("company", commands=[click.Command("add"), click.Command("list")]),
        ],
    )
    assert list(verbs(tree)) == ["o2c company add", "o2c company list", "o2c demo"]
