"""``o2c validate``: a document against XML Schema, EN 16931 and the rules of its profile.

Needs no database and no company. Skipped is never valid: a document is good only when every layer of
its profile has run and found no error.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example, findings, following
from gateway.folders import rules_cache
from o2c.errors import Refused

if TYPE_CHECKING:
    from formats.findings import Report
    from formats.profile import Profile

_LAYER_KEYS = ("layer", "status", "ruleset", "release", "origin")
_SHOWN = 100  # findings of one document, in text


@click.command(
    epilog=example(
        "o2c validate invoice.xml",
        "o2c validate outbox/ --json",
        "curl -s https://example.com/invoice.xml | o2c validate -",
    )
)
@click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    type=click.Path(exists=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--profile", "name", metavar="P", help="The profile to use. [default: the one a document names]"
)
@click.option("--explain", is_flag=True, help="Schema errors in more words; takes seconds.")
@answers_json
def validate(paths: tuple[Path, ...], name: str | None, explain: bool, talk: Talk) -> None:
    """Validate documents: files, folders of .xml files, or - for standard input."""
    from formats.validation import Validator

    validator = Validator(rules_cache())
    profile = _profile(name) if name else None
    files = list(_files(paths))
    bad = 0
    for file in following("validating", files, len(files)):
        data, text = _judge(validator, file, profile, explain)
        bad += not data["valid"]
        talk.say(data, text)
    if len(files) != 1:
        talk.note(f"{len(files)} documents, {len(files) - bad} valid")
    if bad:
        findings()


def _profile(name: str) -> Profile:
    from formats.profile import PROFILES

    known = {_slug(profile.name): profile for profile in PROFILES}
    if _slug(name) not in known:
        raise click.UsageError(f"There is no profile {name}. Known are: {', '.join(known)}.")
    return known[_slug(name)]


def _slug(name: str) -> str:
    """``Peppol BIS Order (T01)`` -> ``peppol-bis-order-t01``."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    for path in paths:
        yield from sorted(path.rglob("*.xml")) if path.is_dir() else [path]


def _judge(validator: Any, file: Path, profile: Profile | None, explain: bool) -> tuple[dict[str, Any], str]:
    content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
    try:
        report = validator.validate(content, profile=profile, explain=explain)
    except Refused as refused:
        return _unreadable(file, refused), f"{file}: INVALID\n  {refused}"
    layers = [{key: layer[key] for key in _LAYER_KEYS} for layer in report.as_json()["layers"]]
    return {"file": str(file), **report.as_json(), "layers": layers}, "\n".join(_words(file, report))


def _unreadable(file: Path, refused: Refused) -> dict[str, Any]:
    """The same shape for bytes that are no XML we read: no layer could run."""
    finding = {
        "layer": "xml",
        "rule": refused.code,
        "severity": "error",
        "path": "/",
        "line": None,
        "value": None,
        "message": refused.message,
        "fix": refused.next_step or None,
    }
    return {"file": str(file), "profile": None, "valid": False, "layers": [], "findings": [finding]}


def _words(file: Path, report: Report) -> list[str]:
    lines = [f"{file}: {'valid' if report.valid else 'INVALID'} ({report.profile})"]
    for layer in report.layers:
        release = f" {layer.ruleset} {layer.release}" if layer.release else ""
        lines.append(
            f"  {layer.layer}: {layer.status}{release}" + (f": {layer.reason}" if layer.reason else "")
        )
    lines += [f"  {finding.severity} {finding}" for finding in report.findings[:_SHOWN]]
    if len(report.findings) > _SHOWN:
        lines.append(f"  ... and {len(report.findings) - _SHOWN} more: use --json")
    return lines
