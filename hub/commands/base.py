"""What all commands share: the application they hang on, settings or a clear end, an opened hub, a table or JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from importlib.metadata import version
from typing import Annotated, Any, NoReturn, TypeVar

import typer
import uvloop
from rich.cells import cell_len
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table
from rich.text import Text

from hub.app import Hub, SchemaOutdated
from hub.commands.interruption import Interruption
from hub.domain.errors import PolicyError
from hub.mirror.database import DatabaseUnavailable
from hub.mirror.sealing import SealError
from hub.mirror.upgrade import SchemaUnknown
from hub.settings import Settings, SettingsError, load_settings
from hub.telemetry import configure_logs

T = TypeVar("T")
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, in the shape that docs/commands.md gives.")]

app = typer.Typer(
    name="bihuan",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
database_commands = typer.Typer(help="The hub's database.", no_args_is_help=True)
app.add_typer(database_commands, name="db")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bihuan {version('bihuan')}")
        raise typer.Exit


@app.callback()
def everywhere(
    told: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")] = False,
) -> None:
    """闭环 closed loop: bridges a city's platforms; every approval is verified, every breach recorded, every tip answered.

    Results go to standard output, messages to standard error. Colours and progress bars are for terminals only, and NO_COLOR takes
    colours away.
    """


WRONG_SETTINGS = 2
Doing = Callable[[Hub], Awaitable[int | None]]


def fail(problems: list[str], code: int = 1) -> NoReturn:
    """Print each problem on standard error and end."""
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    for problem in problems:
        console.print(Text.assemble(("bihuan: ", "red"), problem))  # a problem may quote [what looks like markup]
    raise typer.Exit(code)


def settings_or_fail() -> Settings:
    """Return the settings, or end naming everything that is wrong with them."""
    try:
        settings = load_settings(os.environ)
    except SettingsError as error:
        fail(error.problems, WRONG_SETTINGS)
    configure_logs(settings.hub.log_level, as_json=settings.hub.log_json)
    return settings


def hub_or_fail() -> Hub:
    """Return the hub, or end naming what is wrong with settings, keys or policy."""
    settings = settings_or_fail()
    try:
        return Hub(settings)
    except PolicyError as error:
        fail([str(problem) for problem in error.problems], WRONG_SETTINGS)
    except (SealError, ValueError) as error:
        fail([str(error)], WRONG_SETTINGS)


def run(work: Coroutine[Any, Any, int | None], *, interrupted: int = 130) -> None:
    """Run a command's coroutine; end with the code it returns. Ctrl-C ends it quietly and in order, with `interrupted`."""
    interruption = Interruption()
    try:
        with interruption.heard():
            code = uvloop.run(interruption.obeyed(work))
    except (KeyboardInterrupt, asyncio.CancelledError):
        code = interrupted
    except (SchemaOutdated, SchemaUnknown) as error:
        fail([str(error)])
    except DatabaseUnavailable as error:
        fail([f"{error}; is HUB_DATABASE_URL right, and the database up?"])
    if code:
        raise typer.Exit(code)


def with_hub(doing: Doing, *, upgrading: bool = False) -> None:
    """Open the hub, do one thing, close it."""

    async def work(hub: Hub) -> int | None:
        async with hub.opened(upgrading=upgrading):
            return await doing(hub)

    run(work(hub_or_fail()))


def show_json(content: object) -> None:
    """Print anything as JSON."""
    json.dump(content, sys.stdout, ensure_ascii=False, indent=2, default=str)
    sys.stdout.write("\n")


def show(lines: Sequence[Mapping[str, Any]], as_json: bool) -> None:
    """Print rows: on a terminal as a table, in a pipe as aligned columns that are never cut, or as JSON with snake_case keys."""
    if as_json:
        show_json([{_key(name): value for name, value in line.items()} for line in lines])
        return
    if not lines:
        typer.echo("none", err=True)
        return
    rows = [["-" if value is None else str(value) for value in line.values()] for line in lines]
    console = Console()
    if console.is_terminal:
        table = Table(*lines[0], header_style="bold")
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))  # a reason may quote [what looks like markup]
        console.print(table)
        return
    _show_plain([list(lines[0]), *rows])


def _show_plain(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(cell_len(row[at]) for row in rows) for at in range(len(rows[0]))]
    for row in rows:
        cells = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True))
        typer.echo("  ".join(cells).rstrip())


def _key(header: str) -> str:
    return header.replace(" (s)", "_seconds").rstrip("?").replace(" ", "_")


def message(text: str) -> None:
    """Tell something beside the result, on standard error."""
    typer.echo(f"bihuan: {text}", err=True)


def counted(items: Iterable[T], total: int, doing: str) -> Iterator[T]:
    """Yield the items, with a progress bar on standard error where that is a terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield from items
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[at]}")
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(doing, total=total, at="")
        for item in items:
            progress.update(task, at=str(item))
            yield item
            progress.advance(task)
