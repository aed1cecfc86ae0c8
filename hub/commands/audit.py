"""The commands under `bihuan audit`: they read the database, or a file, without the hub's keys and without a running hub."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from sqlalchemy import Connection
from sqlalchemy.exc import DatabaseError

from hub.commands.base import WRONG_SETTINGS, AsJson, app, fail, run, show_json
from hub.mirror import audit_sealing
from hub.mirror.audit_chain import Head
from hub.mirror.audit_check import Checked
from hub.mirror.audit_export import check_export, write_export
from hub.mirror.audit_reading import chain, check_database
from hub.mirror.database import Database, SQLiteDatabase, open_database
from hub.mirror.upgrade import current_revision, head_revision
from hub.settings import SettingsError, database_url

T = TypeVar("T")
MOST_SHOWN = 100

audit_commands = typer.Typer(help="The chain of blocks that seals the change history and the audit.", no_args_is_help=True)
app.add_typer(audit_commands, name="audit")

HEADS = Annotated[
    list[str] | None,
    typer.Option("--head", help="A head that was noted earlier, as `bihuan audit head` prints it; may be repeated."),
]


@audit_commands.command()
def head(as_json: AsJson = False) -> None:
    """Print the chain's head, number:hash. Kept elsewhere, it proves later that nothing before it was changed or cut off."""
    found = _read(audit_sealing.head)
    if found is None:
        fail(["nothing has been sealed yet; `bihuan serve` and `bihuan work` seal every HUB_SEAL_SECONDS"])
    if as_json:
        show_json({"block": found.number, "hash": found.hash.hex(), "head": str(found)})
    else:
        typer.echo(str(found))


@audit_commands.command()
def verify(
    export: Annotated[
        Path | None, typer.Option("--from", exists=True, dir_okay=False, help="Check this export instead of the database.")
    ] = None,
    head: HEADS = None,
    as_json: AsJson = False,
) -> None:
    """Check that nothing sealed was changed, deleted, inserted or reordered. Exit code 1 on a difference."""
    try:
        heads = [Head.read(text) for text in head or ()]
    except ValueError as error:
        fail([f"--head: {error}"], WRONG_SETTINGS)
    if export is not None:
        with export.open("rb") as file:
            _tell(check_export(file, heads), as_json)
    else:
        _tell(_read(lambda connection: check_database(connection, heads)), as_json)


@audit_commands.command(name="export")
def export_chain(
    file: Annotated[Path, typer.Argument(help="File to write; it must not exist.", dir_okay=False)], as_json: AsJson = False
) -> None:
    """Write all blocks and changes as JSON lines, for `bihuan audit verify --from` on another machine. Contents stay encrypted."""
    try:
        with file.open("xb") as opened:
            found, count = _read(lambda connection: write_export(opened, chain(connection)))
    except FileExistsError:
        fail([f"{file}: exists already; name a new file"], WRONG_SETTINGS)
    if as_json:
        show_json({"file": str(file), "changes": count, "head": str(found) if found else None})
    else:
        typer.echo(f"{count} changes, head {found or 'none'}")


def _tell(checked: Checked, as_json: bool) -> None:
    if as_json:
        told = checked._asdict() | {
            "head": str(checked.head) if checked.head else None,
            "differences": [each._asdict() for each in checked.differences],
        }
        show_json(told)
        raise typer.Exit(int(bool(checked.differences)))
    pruned = f", {checked.pruned} deleted by retention" if checked.pruned else ""
    typer.echo(f"blocks {checked.blocks}, changes {checked.changes}{pruned}, head {checked.head or 'none'}")
    for difference in checked.differences[:MOST_SHOWN]:
        typer.echo(str(difference), err=True)
    if len(checked.differences) > MOST_SHOWN:
        typer.echo(f"and {len(checked.differences) - MOST_SHOWN} more", err=True)
    if checked.differences:
        raise typer.Exit(1)
    typer.echo("nothing differs from what was sealed")


def _read(work: Callable[[Connection], T]) -> T:
    """Run something on the database in one snapshot, or end saying why not."""
    found: list[T] = []

    async def reading(database: Database) -> int | None:
        try:
            if (revision := await current_revision(database)) != head_revision():
                fail([f"the database is at revision {revision or 'none'}; run `bihuan db upgrade` once, then check again"])
            found.append(await database.read(work))
        finally:
            await database.close()
        return None

    try:
        run(reading(_database()))
    except DatabaseError as error:
        fail([f"the database cannot be read, it is damaged: {error.orig}"])
    (result,) = found
    return result


def _database() -> Database:
    try:
        url = database_url(os.environ)
        database = open_database(url)
    except SettingsError as error:
        fail(error.problems, WRONG_SETTINGS)
    if isinstance(database, SQLiteDatabase) and not Path(path := database.engine.url.database or "").is_file():
        fail([f"HUB_DATABASE_URL: there is no file '{path}'"], WRONG_SETTINGS)
    return database
