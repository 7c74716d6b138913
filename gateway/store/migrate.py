"""Brings a database to the schema of this release. Migrations travel inside the package."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config

from gateway.store.database import Database

_FOLDER = Path(__file__).with_name("migrations")


def upgrade(database: Database) -> None:
    """Apply what is missing; safe to run in several processes at once (they wait for each other)."""
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.attributes["database"] = database
    command.upgrade(config, "head")
