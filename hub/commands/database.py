"""The commands under `bihuan db`."""

from typing import Annotated

import typer

from hub.app import Hub
from hub.commands.base import database_commands, show, with_hub


@database_commands.command()
def upgrade() -> None:
    """Bring the database's tables up to this version."""

    async def upgraded(_hub: Hub) -> int | None:
        typer.echo("the database is up to date")
        return None

    with_hub(upgraded, upgrading=True)


@database_commands.command()
def prune(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count what would go.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Remove what was kept longer than HUB_KEEP_*_DAYS say, in short transactions; `serve` and `work` do it by themselves."""

    async def pruning(hub: Hub) -> int | None:
        went = await hub.keeping.prune("command line", dry_run=dry_run)
        show([{"kind": kind, "would go" if dry_run else "gone": count} for kind, count in went.items()], as_json)
        return None

    with_hub(pruning)
