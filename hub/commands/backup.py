"""The commands `bihuan db backup`, `restore` and `restored`; docs/backup.md says how they go together."""

import os
from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import make_url

from hub.app import Hub
from hub.commands.base import WRONG_SETTINGS, AsJson, database_commands, fail, settings_or_fail, show_json, with_hub
from hub.mirror.backup import BackupRefused, back_up
from hub.mirror.backup import restore as restore_file
from hub.mirror.restored import mark_restored
from hub.settings import SettingsError, database_url


@database_commands.command()
def backup(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist.", dir_okay=False)], as_json: AsJson = False
) -> None:
    """Copy the embedded database while the hub runs. A PostgreSQL server has its own tools: docs/backup.md."""
    try:
        source = _embedded()
        size = back_up(source, file)
    except BackupRefused as refused:
        fail([str(refused)])
    if as_json:
        show_json({"file": str(file), "bytes": size})
    else:
        typer.echo(f"{size} bytes in {file}")


@database_commands.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `bihuan db backup` wrote.", exists=True, dir_okay=False)],
    as_json: AsJson = False,
) -> None:
    """Put a backup in the place of the embedded database, while no hub runs; what stood there is moved aside."""
    settings_or_fail()  # before anything is moved
    database = _embedded()
    aside = database.with_name(f"{database.name}.before-{datetime.now().astimezone():%Y%m%dT%H%M%S}")
    try:
        restore_file(file, database, aside)
    except BackupRefused as refused:
        fail([str(refused)])
    kept = str(aside) if aside.exists() else None
    if not as_json:
        typer.echo(f"{database} is the backup now" + (f"; what stood there is {kept}" if kept else ""))
    _mark(as_json, {"database": str(database), "aside": kept})


@database_commands.command()
def restored(as_json: AsJson = False) -> None:
    """Say that the database came out of a backup: what it takes for unsent may have been sent since. Before any hub starts."""
    _mark(as_json, {})


def _mark(as_json: bool, before: dict[str, str | None]) -> None:

    async def marking(hub: Hub) -> int | None:
        count = await hub.database.write(mark_restored, hub.rows, "command line", hub.world.clock())
        if as_json:
            show_json(before | {"looked_up_first": count})
        else:
            typer.echo(f"{count} open obligations are looked up before they are sent; read the streams now: bihuan sync")
        return None

    with_hub(marking)


def _embedded() -> Path:
    """Return the file of the embedded database, or end."""
    try:
        url = make_url(database_url(os.environ))
    except SettingsError as error:
        fail(error.problems, WRONG_SETTINGS)
    if url.get_backend_name() != "sqlite" or not url.database:
        fail(["HUB_DATABASE_URL names a server: it is copied by pg_basebackup, docs/backup.md has the commands"], WRONG_SETTINGS)
    return Path(url.database)
