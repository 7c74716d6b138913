"""``o2c rules``: what looks at rule files alone. Checked word by word, proved by their own tests,
compared by what they say, and one table at a time for a spreadsheet."""

from __future__ import annotations

import os
import re
from dataclasses import asdict
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example, findings
from gateway.cli.office import at_desk, for_company
from o2c.errors import Fault, Refused

if TYPE_CHECKING:
    from rules.difference import Change
    from rules.rulebook import Rulebook

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_file = click.argument("file", type=_FILE)
POLICY = click.Choice(["credit", "stock", "dunning", "cash"])
_PLACE = re.compile(r"line (\d+), column (\d+)")
of_policy = click.option("--policy", type=POLICY, help="Whose live or default file is meant.")


def place_of(pointer: str) -> tuple[int | None, int | None]:
    """Line and column of a fault or remark."""
    match = _PLACE.fullmatch(pointer)
    return (int(match[1]), int(match[2])) if match else (None, None)


def _finding(file: Path, severity: str, fault: Fault) -> tuple[dict[str, Any], str]:
    line, column = place_of(fault.pointer)
    data = {
        "file": str(file),
        "severity": severity,
        "line": line,
        "column": column,
        "code": fault.code,
        "message": fault.message,
    }
    return data, f"{file}:{line}:{column}: {severity}: {fault.message}"


@click.command(epilog=example("o2c rules check credit.yaml", "o2c rules check credit.yaml --json"))
@_file
@answers_json
def check(file: Path, talk: Talk) -> None:
    """Read a rule file and say everything about it.

    Faults (exit code 1) keep it from being used, remarks do not; each with line and column. The last line
    names the policy and the SHA-256 of a file without faults."""
    from rules.rulebook import load

    try:
        book = load(file.read_bytes(), name=str(file))
    except Refused as refused:
        if not refused.faults:
            raise
        for fault in refused.faults:
            talk.say(*_finding(file, "fault", fault))
        findings()
    for remark in book.remarks:
        talk.say(*_finding(file, "remark", remark))
    data = {
        "file": str(file),
        "policy": book.policy,
        "sha256": book.sha256,
        "currency": book.currency,
        "rules": len(book.program.clauses),
        "tests": len(book.examples),
        "remarks": len(book.remarks),
    }
    words = f"{data['rules']} rules, {data['tests']} tests, {data['remarks']} remarks"
    talk.say(data, f"{file}: {book.policy}, {words}, SHA-256 {book.sha256}")


@click.command(epilog=example("o2c rules test credit.yaml"))
@_file
@answers_json
def test(file: Path, talk: Talk) -> None:
    """Run a rule file's own tests, in the engine and beside it."""
    from rules.closures import ClosureExecutor
    from rules.durable import CagedRuleset
    from rules.rulebook import load

    book = load(file.read_bytes(), name=str(file))
    engine, closures = CagedRuleset(book.program), ClosureExecutor(book.program)
    failed = 0
    for one in book.examples:
        said = {
            name: executor.run(one.figures) for name, executor in (("engine", engine), ("closures", closures))
        }
        outcomes = {name: verdict.outcome for name, verdict in said.items()}
        passed = set(outcomes.values()) == {one.expect}
        failed += not passed
        rule = said["engine"].rule or "otherwise"
        data = {"test": one.name, "expect": one.expect, "rule": rule, "passed": passed, **outcomes}
        talk.say(data, f"{'ok  ' if passed else 'FAIL'} {one.name}: {said['engine'].outcome} by {rule}")
    engine.close()
    talk.note(f"{len(book.examples)} tests, {failed} failed")
    if failed:
        findings()


@click.command(epilog=example("o2c rules schema credit > credit.schema.json"))
@click.argument("policy", type=POLICY)
@click.option("--language", type=click.Choice(["en", "de", "nb"]), default="en", show_default=True)
@answers_json
def schema(policy: str, language: str, talk: Talk) -> None:
    """The JSON Schema of a policy's files, for an editor that completes and underlines."""
    import json

    from rules.schema import json_schema

    made = json_schema(policy, language)
    talk.say(made, json.dumps(made, ensure_ascii=False, indent=2))


# --- naming a file -------------------------------------------------------------------------------
def books(code: str | None, policy: str | None, *names: str) -> list[Rulebook]:
    """The rule files that are meant. The installation is opened only where one of them lies in it.

    ``live`` and ``default`` are of the policy that another one of them is about, or of ``--policy``.
    """
    loaded = {name: _from_path(name) for name in names if Path(name).is_file()}
    policy = policy or next((book.policy for book in loaded.values()), None)
    rest = [name for name in names if name not in loaded and name not in ("live", "default")]
    if rest or "live" in names:
        from gateway.stages.rehearse import live_book, stored_book

        with at_desk(code) as (_house, desk):
            for name in rest:
                loaded[name] = stored_book(desk, name)
            policy = policy or next((book.policy for book in loaded.values()), None)
            if "live" in names:
                loaded["live"] = live_book(desk, _needed(policy))
    if "default" in names:
        from rules.rulebook import default_content, load

        loaded["default"] = load(default_content(_needed(policy)), name="default")
    return [loaded[name] for name in names]


def _from_path(name: str) -> Rulebook:
    from rules.rulebook import load

    return load(Path(name).read_bytes(), name=name)


def _needed(policy: str | None) -> str:
    if policy is None:
        raise click.UsageError("Of which policy? Give --policy.")
    return policy


@click.command(
    epilog=example("o2c rules diff live credit.yaml", "o2c rules diff default live --policy dunning")
)
@click.argument("old")
@click.argument("new")
@of_policy
@for_company
@answers_json
def diff(old: str, new: str, policy: str | None, code: str | None, talk: Talk) -> None:
    """What NEW says otherwise than OLD: settings, rules, rows and tests, not spelling.

    Each is a file, a SHA-256 (or its beginning), a proposal's id, `live` or `default`. Exit code 0 also
    where they differ."""
    from rules.difference import difference

    before, after = books(code, policy, old, new)
    if before.policy != after.policy:
        raise Refused(
            "rules-policy", f"{before.name} is about {before.policy}, {after.name} about {after.policy}."
        )
    changes = difference(before, after)
    for change in changes:
        talk.say(asdict(change), change_words(change))
    if not changes:
        talk.note("They say the same.")


def change_words(change: Change) -> str:
    """A difference in one line: ``rule C40 changed this_order: <= 500.00 -> <= 400.00 (line 20 -> 20)``."""
    what = f"{change.part} {change.name} {change.kind}"
    field = f" {change.field}" if change.field else ""
    sides = [side for side in (change.old, change.new) if side is not None]
    lines = [str(line) for line in (change.old_line, change.new_line) if line is not None]
    return f"{what}{field}: {' -> '.join(sides)} (line {' -> '.join(lines)})"


# --- one table for a spreadsheet -----------------------------------------------------------------
@click.group()
def table() -> None:
    """One decision table as CSV, for a spreadsheet."""


@table.command("export", epilog=example("o2c rules table export credit.yaml C60 > C60.csv"))
@_file
@click.argument("name", metavar="TABLE")
@click.option("--delimiter", type=click.Choice([";", ","]), default=";", show_default=True)
@answers_json
def export_table(file: Path, name: str, delimiter: str, talk: Talk) -> None:
    """Write a table of a rule file as CSV."""
    from rules.tables import to_csv

    made = to_csv(file.read_bytes(), name, delimiter=delimiter)
    if talk.in_json:
        talk.say({"file": str(file), "table": name, "csv": made.decode("utf-8-sig")})
    else:
        click.echo(made, nl=False)


@table.command("import", epilog=example("o2c rules table import credit.yaml C60 C60.csv --write"))
@_file
@click.argument("name", metavar="TABLE")
@click.argument("csv", type=_FILE)
@click.option("--write", is_flag=True, help="Change FILE in place, wholly or not at all. [default: print it]")
@answers_json
def import_table(file: Path, name: str, csv: Path, write: bool, talk: Talk) -> None:
    """Put the rows of a CSV file into a table. Every other byte of the rule file stays as it is."""
    from formats.canonical import sha256
    from rules.tables import from_csv

    before = file.read_bytes()
    made = from_csv(before, name, csv.read_bytes())
    data = {"file": str(file), "table": name, "changed": made != before, "sha256": sha256(made)}
    if write:
        _replace(file, made)
        talk.say(data | {"written": True}, f"{file} is written, SHA-256 {data['sha256']}")
    elif talk.in_json:
        talk.say(data | {"written": False, "content": made.decode()})
    else:
        click.echo(made, nl=False)


def _replace(file: Path, content: bytes) -> None:
    """The file is either as before or as it shall be, whenever the power fails."""
    file = file.resolve()
    with NamedTemporaryFile(dir=file.parent, prefix=f".{file.name}.", delete=False) as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    os.chmod(new.name, file.stat().st_mode)
    os.replace(new.name, file)


VERBS = (check, test, schema, diff, table)
