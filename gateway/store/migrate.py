"""Brings a database to the schema of this release. Migrations travel inside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from gateway.store.database import Database

_FOLDER = Path(__file__).with_name("migrations")


def upgrade(database: Database) -> None:
    """Apply what is missing; safe to run in several processes at once (they wait for each other)."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["database"] = database
    command.upgrade(config, "head")


def missing(database: Database) -> list[str]:
    """The migrations that this database lacks, oldest first. Reads only."""
    with database.read() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory(str(_FOLDER))
    newer = [one.revision for one in script.iterate_revisions("head", current or "base")]
    return newer[::-1]
