"""What is done step by step stops where an operator pauses its platform: asked between the steps, by whoever makes them."""

from connectors.errors import TransientError
from hub.mirror import controls
from hub.mirror.database import Database


async def stop_if_paused(database: Database, platform: str) -> None:
    """Raise TransientError, PLATFORM_PAUSED, where a platform is paused; what was done until then stays."""
    if await database.read(controls.is_paused, platform):
        raise TransientError(platform, "PLATFORM_PAUSED", "an operator has paused the platform; resume it first")
