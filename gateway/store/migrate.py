"""Brings a database to the schema of this release. Migrations travel inside the package.

Alembic is imported only where something is missing: most processes find nothing to do.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text

from gateway.store.database import Database

_FOLDER = Path(__file__).with_name("migrations")


def upgrade(database: Database, to: str = "head") -> None:
    """Apply what is missing up to a step; safe to run in several processes at once (they wait for
    each other)."""
    if not missing(database):
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["database"] = database
    command.upgrade(config, to)


def missing(database: Database) -> list[str]:
    """The migrations that this database lacks, oldest first. Reads only."""
    known = sorted(path.stem.partition("_")[0] for path in (_FOLDER / "versions").glob("[0-9]*.py"))
    with database.read() as connection:
        current = ""
        if inspect(connection).has_table("alembic_version"):
            current = connection.execute(text("SELECT version_num FROM alembic_version")).scalar() or ""
    return [revision for revision in known if revision > current]
