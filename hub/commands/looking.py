"""The commands that only look: `bihuan status`, `schema`, `settings`."""

from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import app, show, with_hub
from hub.settings import reference


@app.command()
def status(as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False) -> None:
    """Show each platform: last success, lag, backlog, stuck, and in how many records it differs from the hub."""

    async def showing(hub: Hub) -> int | None:
        lines = [
            {
                "platform": health.name,
                "last success": health.last_success.astimezone().isoformat(timespec="seconds") if health.last_success else None,
                "lag (s)": None if health.lag_seconds is None else round(health.lag_seconds, 1),
                "backlog": health.backlog,
                "stuck": health.stuck,
                "drift": health.drift_open,
                "gone?": health.drift_waiting,
                "differences": health.differences,
                "failure": health.failure,
            }
            for health in await hub.operator.status()
        ]
        show(lines, as_json)
        return None

    with_hub(showing)


@app.command()
def schema() -> None:
    """Print the graph's SDL."""
    from hub.graph.schema import sdl  # noqa: PLC0415  (the schema is built only when it is asked for)

    typer.echo(sdl().rstrip())


@app.command(name="settings")
def print_settings() -> None:
    """Print the reference of all settings, as Markdown."""
    typer.echo(reference().rstrip())
