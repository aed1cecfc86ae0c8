"""The commands that act on a platform as a whole: `bihuan pause`, `resume`, and those under `bihuan maintenance`."""

import getpass
from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import WRONG_SETTINGS, AsJson, app, fail, show, with_hub
from hub.commands.completion import platforms
from hub.commands.moments import moment
from hub.commands.outcomes import told
from hub.mirror import controls

maintenance_commands = typer.Typer(help="Maintenance windows of platforms: their alerts are silent.", no_args_is_help=True)
app.add_typer(maintenance_commands, name="maintenance")

Platform = Annotated[str, typer.Argument(help="Name of the platform, as in `bihuan status`.", autocompletion=platforms)]
Reason = Annotated[str, typer.Option(help="Why, for the record.")]


def operator_name() -> str:
    """Return under which name an act on the command line is audited."""
    try:
        return f"command line: {getpass.getuser()}"
    except (OSError, KeyError):  # a container's user may have no name
        return "command line"


def reasoned(reason: str) -> str:
    """Return the reason; end with 2 where it is blank."""
    if not reason.strip():
        fail(["--reason is blank: say why, for the record"], WRONG_SETTINGS)
    return reason.strip()


@app.command()
def pause(platform: Platform, reason: Reason, as_json: AsJson = False) -> None:
    """Neither read a platform nor send anything there, on all processes, until it is resumed."""
    why = reasoned(reason)

    async def pausing(hub: Hub) -> int | None:
        outcome = await hub.levers.pause(platform, why, operator_name())
        stands = hub.levers.paused(platform)
        since = stands.since.astimezone().isoformat(timespec="seconds") if stands else ""
        return told(outcome, f"{platform} is paused since {since}", as_json)

    with_hub(pausing)


@app.command()
def resume(platform: Platform, reason: Reason, as_json: AsJson = False) -> None:
    """Go on with a platform that was paused, within its quota."""
    why = reasoned(reason)

    async def resuming(hub: Hub) -> int | None:
        return told(await hub.levers.resume(platform, why, operator_name()), f"{platform} goes on", as_json)

    with_hub(resuming)


@maintenance_commands.command()
def plan(
    platform: Platform,
    reason: Reason,
    until: Annotated[str, typer.Option(help="Until (ISO 8601, local time unless a zone is given).")],
    begins: Annotated[str | None, typer.Option("--from", help="From; now if not given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Enter a maintenance window, of at most 7 days."""
    why, ends = reasoned(reason), moment(until, "--until")
    start = None if begins is None else moment(begins, "--from")

    async def planning(hub: Hub) -> int | None:
        outcome = await hub.levers.plan_maintenance(platform, start, ends, why, operator_name())
        return told(outcome, f"window {', '.join(outcome.done)} is entered", as_json)

    with_hub(planning)


@maintenance_commands.command()
def cancel(window: Annotated[str, typer.Argument(help="Id of the window.")], reason: Reason, as_json: AsJson = False) -> None:
    """Call a maintenance window off, also one that is open."""
    why = reasoned(reason)

    async def cancelling(hub: Hub) -> int | None:
        return told(await hub.levers.cancel_maintenance(window, why, operator_name()), f"window {window} is called off", as_json)

    with_hub(cancelling)


@maintenance_commands.command(name="list")
def list_windows(as_json: AsJson = False) -> None:
    """Show the windows that are not over."""

    async def listing(hub: Hub) -> int | None:
        windows = await hub.database.read(controls.open_windows, hub.rows, hub.world.clock())
        show(
            [
                {
                    "window": one.window_id,
                    "from": one.begins_at.astimezone().isoformat(timespec="seconds"),
                    "until": one.ends_at.astimezone().isoformat(timespec="seconds"),
                    "reason": one.reason,
                    "by": one.planned_by,
                }
                for one in windows
            ],
            as_json,
        )
        return None

    with_hub(listing)
