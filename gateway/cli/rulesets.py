"""``o2c rulesets``: the official validation rules, taken from a folder and known by their SHA-256."""

from __future__ import annotations

from pathlib import Path

import click

from gateway.cli.answers import Talk, answers_json, example, findings
from gateway.folders import rules_cache
from o2c.errors import Refused


@click.group()
def rulesets() -> None:
    """The official validation rules. The project ships none of them."""


@rulesets.command(epilog=example("o2c rulesets fetch --from ~/Downloads/rules"))
@click.option(
    "--from",
    "folder",
    required=True,
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder that holds the official files, at any depth.",
)
@answers_json
def fetch(folder: Path, talk: Talk) -> None:
    """Copy every file that is known by its SHA-256 into the cache."""
    from formats import rulesets as store

    installed = store.fetch(folder, rules_cache())
    rows = [
        {
            "ruleset": one.rules.ruleset,
            "layer": one.rules.layer,
            "release": one.rules.release,
            "path": str(one.path),
        }
        for one in installed
    ]
    if not rows:
        raise Refused(
            "rulesets",
            f"{folder} holds no complete rule set that we know.",
            next_step="See which are known: o2c rulesets list",
        )
    talk.table(rows, "ruleset", "layer", "release")


@rulesets.command("list", epilog=example("o2c rulesets list"))
@answers_json
def list_rulesets(talk: Talk) -> None:
    """List the rule sets and where each would be taken from."""
    from formats import rulesets as store

    layers = {rules.ruleset: rules.layer for rules in store.RULE_SETS}
    rows = [
        {
            "ruleset": name,
            "layer": layers[name],
            "status": "live" if found else "absent",
            "release": found and found.rules.release,
            "origin": found and found.origin,
            "path": found and str(found.path),
        }
        for name, found in store.live(rules_cache()).items()
    ]
    talk.table(rows, "ruleset", "layer", "status", "release", "origin")


@rulesets.command(epilog=example("o2c rulesets verify"))
@answers_json
def verify(talk: Talk) -> None:
    """Prove every file of the cache anew."""
    from formats import rulesets as store

    changed = store.verify(rules_cache())
    for one in changed:
        data = {
            "file": one.file.path,
            "path": str(one.path),
            "sha256": one.sha256,
            "expected": one.file.sha256,
        }
        talk.say(data, f"{one.path} was changed. Fetch it again: o2c rulesets fetch --from DIR")
    if changed:
        findings()
    talk.note("Every file of the cache is as it was published.")
