"""Brings a database to the shape that this code needs. Called at start (app.py) and by `bihuan db upgrade`.

Alembic does it. It is imported only when there is something to do: a start with nothing to do is quicker without it.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from hub.mirror.database import Database, lock_names

if TYPE_CHECKING:
    from alembic.config import Config

FOLDER = Path(__file__).parent / "migrations"


class SchemaUnknown(Exception):
    """The database has a shape that this version of the hub does not know: start the newer version that made it."""


async def upgrade(database: Database) -> str:
    """Run all steps that are missing, in one transaction, and return the revision reached; raise SchemaUnknown.

    Processes that start together wait for each other: the first one does it, the others find it done. Within one process,
    one upgrade may run at a time (Alembic keeps its context in a global).
    """
    head = head_revision()
    if await current_revision(database) == head:
        return head
    return await database.write(run_migrations)


async def current_revision(database: Database) -> str | None:
    """Return the revision that the database has, None when it is empty. Compare with `head_revision()`."""
    return await database.read(revision_of)


def head_revision() -> str:
    """Return the revision that this code needs: the number that the newest migration's file begins with."""
    numbers = sorted(path.stem.partition("_")[0] for path in (FOLDER / "versions").glob("[0-9]*.py"))
    if not numbers:
        raise SchemaUnknown(f"{FOLDER / 'versions'}: holds no migration; write it with python -m hub.mirror.migrations.regenerate")
    return numbers[-1]


def run_migrations(connection: Connection) -> str:
    """Bring the database behind a connection to the head, inside the caller's transaction; return the head."""
    from alembic import command  # noqa: PLC0415  (see above)
    from alembic.util import CommandError  # noqa: PLC0415

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
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return found


def configuration(connection: Connection | None) -> "Config":
    """Return Alembic's configuration without any file; steps run on the given connection."""
    from alembic.config import Config  # noqa: PLC0415  (see above)

    config = Config()
    config.set_main_option("script_location", str(FOLDER).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config
