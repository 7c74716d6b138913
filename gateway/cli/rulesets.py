"""``o2c rulesets``: the official validation rules, from a folder or their publishers, by their SHA-256."""

from __future__ import annotations

import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gateway.cli.answers import Talk, answers_json, example, findings, following
from gateway.folders import rules_cache
from o2c.errors import Refused, Unavailable

if TYPE_CHECKING:
    from formats.rulesets import Installed

_SECONDS = 60  # for a publisher to answer
_MOST_BYTES = 200_000_000  # of one download, packed or not


@click.group()
def rulesets() -> None:
    """The official validation rules. The project ships none of them."""


@rulesets.command(
    epilog=example(
        "o2c rulesets fetch",
        "o2c rulesets fetch --from ~/Downloads/rules",
        "o2c rulesets fetch --from ~/Downloads/rules --new",
    )
)
@click.option(
    "--from",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder that holds the official files, at any depth. [default: download them]",
)
@click.option(
    "--new", is_flag=True, help="Take releases not known here too: by their names, and pinned from now on."
)
@answers_json
def fetch(folder: Path | None, new: bool, talk: Talk) -> None:
    """Put every file that is known by its SHA-256 into the cache."""
    from formats import rulesets as store

    if folder is None:
        with tempfile.TemporaryDirectory() as place:
            _download(Path(place))
            installed = store.fetch(Path(place), rules_cache())
    else:
        installed = store.fetch(folder, rules_cache())
        if new:
            installed = [*_adopt(folder), *installed]
    if not installed:
        raise Refused(
            "rulesets",
            f"{folder or 'What was downloaded'} holds no complete rule set that we know.",
            next_step="See which are known: o2c rulesets list. A release that is new: --from DIR --new",
        )
    talk.table([_row(one) for one in installed], "ruleset", "layer", "release", "origin")


def _row(one: Installed) -> dict[str, Any]:
    return {
        "coordinate": one.rules.coordinate,
        "ruleset": one.rules.ruleset,
        "layer": one.rules.layer,
        "release": one.rules.release,
        "valid_from": one.rules.valid_from,
        "valid_to": one.rules.valid_to,
        "sha256": one.rules.main.sha256,
        "origin": one.origin,
        "path": str(one.path),
    }


def _adopt(folder: Path) -> list[Installed]:
    from formats import rulesets as store

    known = {rules.main.sha256 for rules in (*store.RULE_SETS, *store.adopted(rules_cache()))}
    files = [file for file in sorted(folder.rglob("*")) if store.is_named(file) and file.is_file()]
    unknown = [file for file in files if store.sha256_of(file) not in known]
    try:
        return [store.adopt(file, rules_cache()) for file in unknown]
    except ValueError as error:
        raise Refused("rulesets", f"{error}.", next_step="Put it there and fetch again.") from None


def _download(place: Path) -> None:
    """Everything its publishers offer, of the names we know; what it is worth, its SHA-256 decides."""
    from formats import rulesets as store

    addresses = dict.fromkeys(rules.address for rules in store.RULE_SETS if rules.address)
    names = {file.name for rules in store.RULE_SETS for file in rules.files}
    failed = []
    for number, address in enumerate(following("downloading", list(addresses), len(addresses))):
        try:
            _unpack(_get(address), place / str(number), names)
        except (OSError, zipfile.BadZipFile) as error:
            failed.append(f"{address}: {error}")
    if len(failed) == len(addresses):
        raise Unavailable("rulesets", f"no publisher could be reached ({failed[0]}). Fetch with --from DIR.")
    for words in failed:
        click.echo(f"not fetched: {words}", err=True)


def _get(address: str) -> bytes:
    from urllib.request import urlopen

    if not address.startswith("https://"):
        raise OSError("not a secure address")
    with urlopen(address, timeout=_SECONDS) as answer:
        content: bytes = answer.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise OSError("more than a rule set can be")
    return content


def _unpack(content: bytes, place: Path, names: set[str]) -> None:
    import io

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for number, member in enumerate(archive.infolist()):
            name = member.filename.rpartition("/")[2]
            if name in names and member.file_size <= _MOST_BYTES:
                target = place / str(number) / name  # the archive's own folders are not trusted
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(archive.read(member))


@rulesets.command("list", epilog=example("o2c rulesets list"))
@answers_json
def list_rulesets(talk: Talk) -> None:
    """List the rule sets and where each would be taken from."""
    from formats import rulesets as store

    layers = {rules.ruleset: rules.layer for rules in store.RULE_SETS}
    rows = [
        {
            "coordinate": found and found.rules.coordinate,
            "ruleset": name,
            "layer": layers[name],
            "status": "live" if found else "absent",
            "release": found and found.rules.release,
            "valid_from": found and found.rules.valid_from,
            "valid_to": found and found.rules.valid_to,
            "sha256": found and found.rules.main.sha256,
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
