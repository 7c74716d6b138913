"""``o2c rules``: a rule file, checked word by word and proved by its own tests."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.answers import Talk, answers_json, example, findings

_file = click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))


@click.group()
def rules() -> None:
    """Rule files: credit, stock, dunning."""


@rules.command(epilog=example("o2c rules check credit.yaml"))
@_file
@answers_json
def check(file: Path, talk: Talk) -> None:
    """Read a rule file and say everything that is wrong with it, each with line and column."""
    from rules.rulebook import load

    book = load(file.read_bytes(), name=str(file))
    data = {
        "file": str(file),
        "policy": book.policy,
        "sha256": book.sha256,
        "currency": book.currency,
        "rules": len(book.program.clauses),
        "tests": len(book.examples),
    }
    talk.say(
        data, f"{file}: {book.policy}, {data['rules']} rules, {data['tests']} tests, SHA-256 {book.sha256}"
    )


@rules.command(epilog=example("o2c rules test credit.yaml"))
@_file
@answers_json
def test(file: Path, talk: Talk) -> None:
    """Run a rule file's own tests, in the engine and beside it."""
    from rules.closures import ClosureExecutor
    from rules.durable import CagedRuleset
    from rules.rulebook import load

    book = load(file.read_bytes(), name=str(file))
    engine, closures = CagedRuleset(book.program), ClosureExecutor(book.program, book.currency)
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
