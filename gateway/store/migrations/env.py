"""How Alembic reaches our database: through the one we were given, one upgrade at a time."""

from __future__ import annotations

from alembic import context
from sqlalchemy import text

from gateway.store.database import Database
from gateway.store.schema import metadata

_LOCK = 62_737  # any number, the same in every process

database: Database = context.config.attributes["database"]
with database.engine.execution_options(writing=True).connect() as connection, connection.begin():
    if not database.is_sqlite:  # SQLite's BEGIN IMMEDIATE is such a lock already
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    context.run_migrations()
