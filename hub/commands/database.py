"""The commands under `bihuan db`."""

import typer

from hub.app import Hub
from hub.commands.base import database_commands, with_hub


@database_commands.command()
def upgrade() -> None:
    """Bring the database's tables up to this version."""

    async def upgraded(_hub: Hub) -> int | None:
        typer.echo("the database is up to date")
        return None

    with_hub(upgraded, upgrading=True)
