"""The commands under `bihuan db`."""

import os
from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import WRONG_SETTINGS, AsJson, database_commands, fail, message, run, show, show_json, with_hub
from hub.mirror.upgrade import head_revision
from hub.settings import SettingsError, database_url


@database_commands.command()
def upgrade(as_json: AsJson = False) -> None:
    """Bring the database's tables up to this version."""

    async def upgraded(_hub: Hub) -> int | None:
        if as_json:
            show_json({"revision": head_revision()})
        else:
            typer.echo("the database is up to date")
        return None

    with_hub(upgraded, upgrading=True)


@database_commands.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    as_json: AsJson = False,
) -> None:
    """Remove what was kept longer than HUB_KEEP_*_DAYS say, in short transactions; `serve` and `work` do it by themselves."""

    async def pruning(hub: Hub) -> int | None:
        went = await hub.keeping.prune("command line", dry_run=dry_run)
        show([{"kind": kind, "would go" if dry_run else "gone": count} for kind, count in went.items()], as_json)
        return None

    with_hub(pruning)


@database_commands.command()
def copy(
    to: Annotated[str, typer.Option(help="URL of a new, empty database; a password is taken from PGPASSWORD or ~/.pgpass too.")],
    source: Annotated[str | None, typer.Option("--from", help="URL of the database to copy (HUB_DATABASE_URL).")] = None,
    as_json: AsJson = False,
) -> None:
    """Copy everything into a new, empty database: from SQLite up to PostgreSQL, or back. The hub must be stopped.

    Every table is compared at the end, by count and by digest; where one differs nothing is kept.
    """
    from hub.mirror.copying import CannotCopy, copy_database  # noqa: PLC0415  (only needed here)

    if not to.startswith(("postgresql://", "postgresql+asyncpg://", "sqlite:///")):
        fail(["--to: give postgresql://user@host/name or sqlite:///path"], WRONG_SETTINGS)
    try:
        given = source or database_url(os.environ)
    except SettingsError as error:
        fail(error.problems, WRONG_SETTINGS)

    async def copying() -> int | None:
        try:
            copied = await copy_database(given, to)
        except CannotCopy as error:
            fail([str(error)])
        lines = [{"table": name, "rows": each.rows, "digest": f"{each.digest:064x}"[:16]} for name, each in copied.items()]
        show(lines, as_json)
        total = sum(each.rows for each in copied.values())
        message(f"copied {total} rows; every table has the same count and digest on both sides")
        message("next: set HUB_DATABASE_URL to the new database and start the hub; never start one on the old again")
        return None

    run(copying())
