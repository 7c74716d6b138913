"""How Alembic reaches our database: through the one we were given, one upgrade at a time."""

from __future__ import annotations

from alembic import context

from gateway.store.database import Database
from gateway.store.schema import metadata

database: Database = context.config.attributes["database"]
with database.alone() as connection:
    context.configure(connection=connection, target_metadata=metadata, transactional_ddl=True)
    context.run_migrations()
