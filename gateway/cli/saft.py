"""``o2c saft``: the Norwegian SAF-T Financial file, made from the ledger, and checked from anywhere."""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Any

import click

from gateway.cli.answers import Talk, answers_json, example, findings, progress
from gateway.cli.office import at_desk, for_company
from gateway.cli.parameters import DAY
from o2c.errors import Fault, Refused

_VERSIONS = click.Choice(("1.30", "1.40"))


@click.group()
def saft() -> None:
    """SAF-T Financial (Norway)."""


@saft.command(epilog=example("o2c saft export --from 2026-01-01 --to 2026-12-31 --out reports"))
@click.option("--from", "first", type=DAY, required=True)
@click.option("--to", "last", type=DAY, required=True)
@click.option("--version", type=_VERSIONS, default="1.40", show_default=True)
@click.option(
    "--out",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=".",
    help="[default: this folder]",
)
@for_company
@answers_json
def export(first: date, last: date, version: str, folder: Path, code: str | None, talk: Talk) -> None:
    """Write the file of a period. It is proved while it is written; a faulty one is never left behind."""
    from gateway.stages.report import saft as stream

    if last < first:
        raise click.UsageError("--to lies before --from.")
    folder.mkdir(parents=True, exist_ok=True)
    with at_desk(code) as (_house, desk):
        name, chunks = stream(desk, first, last, version)
        target = folder / name
        size, digest = _write(target, chunks)
    data = {
        "file": str(target),
        "bytes": size,
        "sha256": digest,
        "version": version,
        "from": first,
        "to": last,
    }
    talk.say(data, f"{target}: {size} bytes, SHA-256 {digest}")


def _write(target: Path, chunks: Any) -> tuple[int, str]:
    import hashlib

    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    digest, size = hashlib.sha256(), 0
    try:
        with part.open("wb") as file, progress("writing", None) as advance:
            for chunk in chunks:
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
                advance(len(chunk))
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    return size, digest.hexdigest()


@saft.command(epilog=example("o2c saft check audit.xml", "o2c saft check audit.xml --schema 1.40"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--schema", type=_VERSIONS, help="Validate against this registered schema, too.")
@answers_json
def check(file: Path, schema: str | None, talk: Talk) -> None:
    """Check any SAF-T file, ours or another's: sums, keys, dates, and the schema if asked."""
    from formats.saft.check import check as consistency

    faults: list[Fault] = []
    if schema:
        faults += [Fault("", "xsd", message) for message in _by_schema(file, schema)]
    faults += consistency(file)
    for fault in faults:
        talk.say(
            {"file": str(file), "code": fault.code, "path": fault.pointer, "message": fault.message},
            f"{fault.code} {fault.pointer or file}: {fault.message}",
        )
    if faults:
        talk.note(f"{file}: {len(faults)} findings")
        findings()
    talk.note(f"{file}: nothing wrong" + ("" if schema else " (the schema was not asked: --schema 1.40)"))


def _by_schema(file: Path, version: str) -> list[str]:
    from formats.saft import schemas as registered
    from formats.saft.check import validate_xsd
    from formats.saft.records import Version
    from gateway.folders import schema_cache

    path = registered.find(Version(version), schema_cache(), unpinned=True)
    if path is None:
        raise Refused(
            "saft-schema",
            f"the schema of version {version} is not registered.",
            next_step=f"Download {registered.official_name(Version(version))} and: o2c saft schemas add FILE",
        )
    return validate_xsd(file, path)


@saft.group()
def schemas() -> None:
    """The tax authority's schemas. The project ships none: you register what you downloaded."""


@schemas.command(epilog=example("o2c saft schemas add Norwegian_SAF-T_Financial_Schema_v_1.40.xsd"))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--unpinned", is_flag=True, help="Take it although its bytes are not the official ones.")
@click.option("--version", type=_VERSIONS, help="Its version; needed with --unpinned.")
@answers_json
def add(file: Path, unpinned: bool, version: str | None, talk: Talk) -> None:
    """Register a schema file; it is known by its SHA-256."""
    from formats.saft.records import Version
    from formats.saft.schemas import register
    from gateway.folders import schema_cache

    found = register(file, schema_cache(), version=Version(version) if version else None, unpinned=unpinned)
    talk.say({"file": str(file), "version": str(found)}, f"{file} is registered as version {found}")


@schemas.command("list", epilog=example("o2c saft schemas list"))
@answers_json
def list_schemas(talk: Talk) -> None:
    """List the versions and where their schema lies."""
    from formats.saft.records import Version
    from formats.saft.schemas import PINNED, find
    from gateway.folders import schema_cache

    rows = []
    for version in Version:
        path = find(version, schema_cache(), unpinned=True)
        pinned = path is not None and find(version, schema_cache()) is not None
        status = "official" if pinned else "unpinned" if path else "absent"
        rows.append(
            {"version": str(version), "status": status, "path": path and str(path), "sha256": PINNED[version]}
        )
    talk.table(rows, "version", "status", "path")
