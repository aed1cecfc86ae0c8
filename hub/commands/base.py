"""What all commands share: the application they hang on, settings or a clear end, an opened hub, a table or JSON."""

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, NoReturn

import typer
import uvloop
from rich.console import Console
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

app = typer.Typer(
    name="bihuan",
    help="闭环 closed loop: bridges a city's platforms; every approval is verified, every breach recorded, every tip answered.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=True,
)
database_commands = typer.Typer(help="The hub's database.", no_args_is_help=True)
app.add_typer(database_commands, name="db")

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


def show(lines: list[dict[str, Any]], as_json: bool) -> None:
    """Print rows as a table for people, or as JSON."""
    if as_json:
        show_json(lines)
        return
    table = Table(*(lines[0] if lines else ()), header_style="bold")
    for line in lines:
        table.add_row(*("-" if value is None else str(value) for value in line.values()))
    Console().print(table)
