"""How the command starts: what it does not import, what help says, which exit code means what."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from formats.ubl.write_invoice import write_invoice
from gateway.cli import main
from tests.conftest import ROOT
from tests.formats.ubl.documents import invoice as an_invoice
from tests.gateway.cli.conftest import Cli

HEAVY = ("flask", "sqlalchemy", "pydantic", "pydantic_settings", "xmlschema", "signxml", "requests")


def loaded_after(*args: str, data: Path) -> tuple[int, set[str], str]:
    """Exit code, the heavy modules that are loaded when the command ends, and its output."""
    program = (
        "import json, sys\nfrom gateway.cli import main\n"
        "try:\n    main(prog_name='o2c')\nexcept SystemExit as ended:\n    code = ended.code\n"
        f"print(json.dumps(sorted(set(sys.modules) & set({HEAVY!r}))), file=sys.stderr)\nsys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *args],
        cwd=ROOT,
        env=os.environ | {"XDG_DATA_HOME": str(data), "O2C_RULES_CACHE": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, set(json.loads(done.stderr.splitlines()[-1])), done.stdout


def test_help_imports_nothing_heavy(tmp_path: Path) -> None:
    code, loaded, text = loaded_after("--help", data=tmp_path)
    assert (code, loaded) == (0, set())
    assert "validate" in text


def test_validate_imports_nothing_heavy_even_at_its_end(tmp_path: Path) -> None:
    path = tmp_path / "invoice.xml"
    path.write_bytes(write_invoice(an_invoice()))
    code, loaded, text = loaded_after(
        "validate", str(path), "--json", "--profile", "en-16931-invoice", data=tmp_path
    )
    assert (code, loaded) == (0, set()), text
    assert json.loads(text)["valid"] is True


def test_validate_finds_the_rules_where_the_settings_do(alone: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    from gateway.folders import rules_cache, schema_cache
    from gateway.settings import Settings

    for name in ("O2C_RULES_CACHE", "O2C_SCHEMA_CACHE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("XDG_DATA_HOME", str(alone.folder))
    assert (Settings().rules_cache, Settings().schema_cache) == (rules_cache(), schema_cache())
    monkeypatch.setenv("O2C_RULES_CACHE", "elsewhere")
    assert Settings().rules_cache == rules_cache() == Path("elsewhere")


def commands(group: click.Group, words: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every verb with its words."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, f"{words}{name} ")
        else:
            yield f"{words}{name}", command


@pytest.mark.parametrize("words", [words for words, _ in commands(main)])
def test_every_verb_explains_itself_with_an_example(alone: Cli, words: str) -> None:
    told = alone(f"{words} --help").stdout
    assert f"Example:\n    o2c {words}" in told or f"| o2c {words}" in told
    assert "--json" in told or words == "demo"


def test_every_verb_is_where_the_table_says() -> None:
    assert {words.split()[0] for words, _ in commands(main)} == set(main.list_commands(click.Context(main)))


def test_a_wrong_word_is_usage(alone: Cli) -> None:
    alone("frobnicate", code=2)
    alone("orders list --state lost", code=2)
    alone("validate no-such-file.xml", code=2)


def test_a_database_that_does_not_answer_is_no_finding_and_shows_no_password(alone: Cli) -> None:
    alone.environ["O2C_DATABASE_URL"] = "postgresql+psycopg://eva:s3cret@127.0.0.1:1/o2c"
    result = alone("company list", code=3)
    assert "database-unreachable: the database postgresql+psycopg://eva:***@127.0.0.1:1/o2c" in result.stderr
    assert "s3cret" not in result.output
    failed = {line["check"]: line for line in alone.json("doctor", code=1) if line["status"] == "fail"}
    assert set(failed) == {"database"}
    assert "s3cret" not in alone("doctor", code=1).output


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("O2C_DATABASE_URL", "a file", "O2C_DATABASE_URL is no database address"),
        ("O2C_SMTP_PORT", "many", "O2C_SMTP_PORT"),
    ],
)
def test_a_setting_that_cannot_be_read_is_named(alone: Cli, name: str, value: str, words: str) -> None:
    alone.environ[name] = value
    assert words in alone("company list", code=2).stderr


def test_what_nobody_foresaw_is_our_fault(alone: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("formats.validation.Validator.validate", lambda *_args, **_more: 1 // 0)
    file = alone.file("x.xml", b"<x/>")
    result = alone("validate", file, code=3)
    assert "internal: ZeroDivisionError" in result.stderr
