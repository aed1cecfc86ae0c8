"""Brings a database to the shape that this code needs. Called at start (app.py) and by `bihuan db upgrade`."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from hub.mirror.database import Database, lock_names

FOLDER = Path(__file__).parent / "migrations"


class SchemaUnknown(Exception):
    """The database has a shape that this version of the hub does not know: start the newer version that made it."""


async def upgrade(database: Database) -> str:
    """Run all steps that are missing, in one transaction, and return the revision reached; raise SchemaUnknown.

    Processes that start together wait for each other: the first one does it, the others find it done. Within one process,
    one upgrade may run at a time (Alembic keeps its context in a global).
    """
    return await database.write(run_migrations)


async def current_revision(database: Database) -> str | None:
    """Return the revision that the database has, None when it is empty. Compare with `head_revision()`."""
    return await database.read(revision_of)


def head_revision() -> str:
    """Return the revision that this code needs."""
    head = ScriptDirectory.from_config(configuration(None)).get_current_head()
    if head is None:
        raise SchemaUnknown(f"{FOLDER / 'versions'}: holds no migration; write it with python -m hub.mirror.migrations.regenerate")
    return head


def run_migrations(connection: Connection) -> str:
    """Bring the database behind a connection to the head, inside the caller's transaction; return the head."""
    lock_names(connection, ["migrations"])
    try:
        command.upgrade(configuration(connection), "head")
    except CommandError as error:
        raise SchemaUnknown(
            f"the database is at revision {revision_of(connection)}, and this version of the hub knows up to {head_revision()} "
            f"({error}); start the version that upgraded it, or restore the backup from before"
        ) from error
    return head_revision()


def revision_of(connection: Connection) -> str | None:
    """Return the revision of the database behind a connection, None when it is empty."""
    return MigrationContext.configure(connection).get_current_revision()


def configuration(connection: Connection | None) -> Config:
    """Return Alembic's configuration without any file; steps run on the given connection."""
    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
