"""Alembic's entry: runs steps on the connection that upgrade.py hands over, inside its transaction."""

from alembic import context

from hub.mirror.tables import METADATA

# compare_server_default stays off: no column has one, and PostgreSQL's counters would show as such.
context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
