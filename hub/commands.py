"""The commands of `bihuan`. Each reads the settings, builds a `Hub` and does one thing. cli.py loads them.

Exit codes are in docs/operations.md.
"""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
import uvloop
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hub.app import Hub, SchemaOutdated
from hub.domain.errors import PolicyError
from hub.mirror.database import DatabaseUnavailable
from hub.mirror.sealing import SealError
from hub.mirror.upgrade import SchemaUnknown
from hub.settings import Settings, SettingsError, load_settings, reference
from hub.telemetry import configure_logs
from hub.web.serving import CannotListen, Server, address_of, listen

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
    """Run a command's coroutine; end with the code it returns. Ctrl-C ends quietly, with `interrupted`."""
    try:
        code = uvloop.run(work)
    except KeyboardInterrupt:
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


@app.command()
def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on (HUB_HOST).")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on, 0 picks a free one (HUB_PORT).")] = None,
) -> None:
    """Serve webhooks, graph and health; with the worker inside unless HUB_WORKER_INSIDE=false."""
    hub = hub_or_fail()
    try:
        listening = listen(host or hub.settings.hub.host, hub.settings.hub.port if port is None else port)
    except CannotListen as error:
        fail([str(error)])
    typer.echo(f"graph: {address_of(listening)}/graphql", err=True)
    run(serve_on(hub, listening))


async def serve_on(hub: Hub, listening: socket.socket) -> int | None:
    """Serve until a signal comes; requests under way are answered first."""
    async with hub.opened():
        server = Server(hub.web(), signals=True)
        await server.serve(sockets=[listening])
    return None if server.started else 3


@app.command()
def work() -> None:
    """Poll, discharge and sweep until a signal comes, without serving: beside any number of `bihuan serve` on PostgreSQL."""

    async def working(hub: Hub) -> int | None:
        stopped = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        async with hub.running(intake=False):
            typer.echo(f"working for {', '.join(hub.connectors)}", err=True)
            await stopped.wait()
        return None

    with_hub(working)


@app.command()
def sync(
    platform: Annotated[str | None, typer.Option(help="Only this platform.")] = None,
    stream: Annotated[str | None, typer.Option(help="Only this stream of it.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Read every stream to its present end, once. Exit code 1 when one could not be read."""

    async def syncing(hub: Hub) -> int | None:
        wanted = [
            (name, each.name)
            for name, connector in hub.connectors.items()
            for each in connector.streams
            if platform in {None, name} and stream in {None, each.name}
        ]
        if not wanted:
            known = ", ".join(f"{name}/{each.name}" for name, connector in hub.connectors.items() for each in connector.streams)
            fail([f"no stream '{platform or '*'}/{stream or '*'}'; there are {known}"], WRONG_SETTINGS)
        lines, failed = [], False
        for name, each in wanted:
            result = await hub.poller.read_on(name, each)
            failed |= result is None
            applied, bad = (result.applied, result.quarantined) if result else (None, None)
            lines.append({"stream": f"{name}/{each}", "applied": applied, "quarantined": bad, "read": result is not None})
        show(lines, as_json)
        return int(failed)

    with_hub(syncing)


@app.command()
def reconcile(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Ask every rule about everything, discharge what is due now, recount statistics. Exit code 1 when something is stuck."""

    async def reconciling(hub: Hub) -> int | None:
        while await hub.applier.apply_deliveries():
            pass
        await hub.worker.rescue()
        swept = await hub.sweep.everything()
        discharged = {name: await hub.worker.work_once(name, 1000) for name in hub.connectors}
        miscounted = await hub.tally.everything()
        show([{"rule": rule, "causes": count} for rule, count in swept.causes.items()], as_json)
        stuck = [health.stuck for health in await hub.operator.platforms()]
        if not as_json:
            typer.echo(f"discharged: {', '.join(f'{name} {count}' for name, count in discharged.items())}; stuck: {sum(stuck)}")
            typer.echo(f"statistics that differed from the mirror and are right now: {miscounted}")
        return int(any(stuck))

    with_hub(reconciling)


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show each platform: last success, lag, backlog, stuck."""

    async def showing(hub: Hub) -> int | None:
        lines = [
            {
                "platform": health.name,
                "last success": health.last_success.astimezone().isoformat(timespec="seconds") if health.last_success else None,
                "lag (s)": None if health.lag_seconds is None else round(health.lag_seconds, 1),
                "backlog": health.backlog,
                "stuck": health.stuck,
                "failure": health.failure,
            }
            for health in await hub.operator.status()
        ]
        show(lines, as_json)
        return None

    with_hub(showing)


@app.command()
def replay(
    delivery: Annotated[list[str] | None, typer.Option(help="Delivery id; may be repeated.")] = None,
    platform: Annotated[str | None, typer.Option(help="All deliveries of this platform ...")] = None,
    since: Annotated[datetime | None, typer.Option(help="... since then (local time unless a zone is given).")] = None,
) -> None:
    """Apply kept deliveries once more."""
    if not delivery and not (platform and since):
        fail(["say what to replay: --delivery ID, or --platform NAME with --since TIME"], WRONG_SETTINGS)

    async def replaying(hub: Hub) -> int | None:
        outcome = (
            await hub.operator.replay(delivery, "command line")
            if delivery
            else await hub.operator.replay_since(platform or "", since.astimezone() if since else hub.world.clock(), "command line")
        )
        while await hub.applier.apply_deliveries():
            pass
        typer.echo(f"applied again: {len(outcome.done)}")
        for refused in outcome.refused:
            typer.echo(f"refused: {refused.message}", err=True)
        return int(bool(outcome.refused))

    with_hub(replaying)


@app.command()
def schema() -> None:
    """Print the graph's SDL."""
    from hub.graph.schema import sdl  # noqa: PLC0415  (the schema is built only when it is asked for)

    typer.echo(sdl().rstrip())


@app.command(name="settings")
def print_settings() -> None:
    """Print the reference of all settings, as Markdown."""
    typer.echo(reference().rstrip())


@app.command()
def demo(
    port: Annotated[int, typer.Option(help="Port of the hub, 0 picks a free one.")] = 8000,
    data: Annotated[Path | None, typer.Option(help="Folder that keeps the demo's data between starts.")] = None,
    approvals: Annotated[int, typer.Option(help="Approvals that the city grants.")] = 60,
    seed: Annotated[int, typer.Option(help="What the city is made from.")] = 7,
    check: Annotated[
        bool, typer.Option("--check", help="Run under faults until every obligation is closed, then ask the platforms.")
    ] = False,
    timeout: Annotated[float, typer.Option(help="Seconds after which --check gives up with exit code 2.")] = 600.0,
    json_file: Annotated[Path | None, typer.Option("--json", help="Also write the result of --check there.")] = None,
    breaches: Annotated[int, typer.Option(help="Extra breaches that wait from the beginning.")] = 0,
    faults: Annotated[bool, typer.Option(help="Whether the platforms misbehave under --check.")] = True,
    case: Annotated[int | None, typer.Option(help="Play one of the ten cases of 2019 on a simulated clock: 1 to 10.")] = None,
    city: Annotated[bool, typer.Option("--city", help="Replay the city of 2019 and compare with its published figures.")] = False,
    leave_out: Annotated[
        str | None, typer.Option(help="With --city: leave one record of a kind out, and see the comparison fail.")
    ] = None,
) -> None:
    """Run a whole city: mock platforms, the hub and its worker, and watch the loops close.

    With --case or --city hub and platforms run in this process on a simulated clock; with --check any difference ends with 1.
    """
    if case is not None or city or leave_out is not None:
        code = _simulated(case, city=city, leave_out=leave_out, check=check, seed=seed, json_file=json_file)
        raise typer.Exit(code)
    from hub.demo import Demo  # noqa: PLC0415  (mocks are imported only when the demo is called)

    if approvals < 1:
        fail([f"--approvals {approvals}: a city without approvals proves nothing; give 1 or more"], WRONG_SETTINGS)
    running = Demo(
        port=port,
        data=data,
        approvals=approvals,
        seed=seed,
        check=check,
        timeout=timeout,
        json_file=json_file,
        breaches=breaches,
        faults=faults,
    )
    run(running.run(), interrupted=130 if check else 0)


def _simulated(case: int | None, *, city: bool, leave_out: str | None, check: bool, seed: int, json_file: Path | None) -> int:
    """Play a case, or replay the city; return the exit code."""
    from hub.cases import CASES  # noqa: PLC0415  (as above)
    from hub.demo_case import play_case  # noqa: PLC0415
    from hub.demo_city import KINDS, replay_city  # noqa: PLC0415

    if case is not None and (city or leave_out is not None):
        fail(["--case and --city are two demos; give one of them"], WRONG_SETTINGS)
    if case is not None and case not in CASES:
        fail([f"--case {case}: there are cases 1 to {max(CASES)}"], WRONG_SETTINGS)
    if leave_out is not None and (not city or leave_out not in KINDS):
        fail([f"--leave-out {leave_out}: goes with --city, and takes one of {', '.join(KINDS)}"], WRONG_SETTINGS)
    try:
        if case is not None:
            return play_case(case, check=check, seed=seed, json_file=json_file)
        return replay_city(check=check, seed=seed, leave_out=leave_out, json_file=json_file)
    except KeyboardInterrupt:
        return 130


@database_commands.command()
def upgrade() -> None:
    """Bring the database's tables up to this version."""

    async def upgraded(_hub: Hub) -> int | None:
        typer.echo("the database is up to date")
        return None

    with_hub(upgraded, upgrading=True)


def show(lines: list[dict[str, Any]], as_json: bool) -> None:
    """Print rows as a table for people, or as JSON."""
    if as_json:
        json.dump(lines, sys.stdout, ensure_ascii=False, indent=2, default=str)
        sys.stdout.write("\n")
        return
    table = Table(*(lines[0] if lines else ()), header_style="bold")
    for line in lines:
        table.add_row(*("-" if value is None else str(value) for value in line.values()))
    Console().print(table)
