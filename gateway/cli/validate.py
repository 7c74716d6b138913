"""``o2c validate``: documents against XML Schema, EN 16931 and the rules of their profiles.

Needs no database and no company. Skipped is never valid: a document is good only when every layer of
its profile has run and found no error. Many documents are shared out over processes.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example, findings, following
from gateway.folders import rules_cache
from o2c.errors import Refused

if TYPE_CHECKING:
    from formats.findings import Report
    from formats.profile import Profile
    from formats.validation import Validator

_LAYER_KEYS = ("layer", "status", "ruleset", "release", "origin")
_SHOWN = 100  # findings of one document, in text
_ENOUGH = 16  # documents that are worth starting further processes

Judged = tuple[dict[str, Any], str]


@click.command(
    epilog=example(
        "o2c validate invoice.xml",
        "o2c validate outbox/ --json",
        "o2c validate --sets cen,peppol invoice.xml",
        "o2c validate --sets ./PEPPOL-EN16931-UBL.sch invoice.xml",
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
@click.option(
    "--sets",
    metavar="S,S...",
    help="Run these rule sets instead of a profile: cen, peppol, xrechnung, T01, T16, T71, T76, T111,"
    " or files (.sch, .xslt, .toml).",
)
@click.option("--explain", is_flag=True, help="Schema errors in more words; takes seconds.")
@click.option("--jobs", type=click.IntRange(1), help="Processes for many documents. [default: one per core]")
@answers_json
def validate(
    paths: tuple[Path, ...],
    name: str | None,
    sets: str | None,
    explain: bool,
    jobs: int | None,
    talk: Talk,
) -> None:
    """Validate documents: files, folders of .xml files, or - for standard input."""
    if name and sets:
        raise click.UsageError("Give --profile or --sets, not both.")
    if name:
        _profile(name)
    judge = _Judge(rules_cache(), name, _sets(sets) if sets else None, explain)
    files = list(_files(paths))
    bad = 0
    with _spread(judge, files, jobs) as judged:
        for data, text in following("validating", judged, len(files)):
            bad += not data["valid"]
            talk.say(data, text)
    if len(files) != 1:
        talk.note(f"{len(files)} documents, {len(files) - bad} valid")
    if bad:
        findings()


class _Judge:
    """Judges one file; goes to other processes, so it holds only what was asked for."""

    def __init__(self, cache: Path, profile: str | None, sets: tuple[str, ...] | None, explain: bool) -> None:
        self._asked = (cache, profile, sets, explain)
        self._validator: Validator | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"_asked": self._asked, "_validator": None}

    def __call__(self, file: Path) -> Judged:
        from formats.validation import Validator

        cache, profile, sets, explain = self._asked
        self._validator = self._validator or Validator(cache)
        try:
            content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
            report = self._validator.validate(
                content, profile=_profile(profile) if profile else None, sets=sets, explain=explain
            )
        except OSError as error:
            refused = Refused("unreadable", f"the file cannot be read: {error.strerror}.")
            return _unreadable(file, refused), f"{file}: INVALID\n  {refused}"
        except Refused as refused:
            return _unreadable(file, refused), f"{file}: INVALID\n  {refused}"
        # as_json() promises no more than objects; its layers are a list of dicts.
        layers = [{key: layer[key] for key in _LAYER_KEYS} for layer in report.as_json()["layers"]]  # type: ignore[attr-defined]
        return {"file": str(file), **report.as_json(), "layers": layers}, "\n".join(_words(file, report))


@contextmanager
def _spread(judge: _Judge, files: list[Path], jobs: int | None) -> Iterator[Iterator[Judged]]:
    """The files judged in their order, by several processes where that pays."""
    processes = jobs or (os.cpu_count() or 1)
    if len(files) < _ENOUGH or processes == 1 or Path("-") in files:
        yield map(judge, files)
        return
    import multiprocessing

    # Before the first validation and before any thread of ours, so that a fork copies no lock.
    methods = multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if "fork" in methods else "spawn")
    with context.Pool(min(processes, len(files)), _use, (judge,)) as pool:
        yield pool.imap(_in_process, files, chunksize=4)


_judge: _Judge | None = None


def _use(judge: _Judge) -> None:
    global _judge
    _judge = judge


def _in_process(file: Path) -> Judged:
    assert _judge is not None
    return _judge(file)


def _sets(text: str) -> tuple[str, ...]:
    from formats.profile import SETS

    names = tuple(name.strip() for name in text.split(",") if name.strip())
    for name in names:
        if name not in SETS and not Path(name).is_file():
            raise click.UsageError(f"There is no rule set {name}. Known are: {', '.join(SETS)}, or a file.")
    return names


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
