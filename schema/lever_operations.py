"""What operators may ask the engine to do about a platform as a whole. Implemented by hub/levers.py."""

from datetime import datetime
from typing import Protocol

from schema.operations import Outcome


class LeverOperations(Protocol):
    """`by` is the name of the caller. Reasons are never blank: the schema has refused those. Repeating is harmless."""

    def is_paused(self, platform: str) -> bool:
        """Return whether the platform was paused at the last look."""
        ...

    async def pause(self, platform: str, reason: str, by: str) -> Outcome:
        """Pause a platform; done is the pause that stands. Refuses UnknownPlatform."""
        ...

    async def resume(self, platform: str, reason: str, by: str) -> Outcome:
        """Resume a platform; done is the pause that ended. Refuses UnknownPlatform."""
        ...

    async def plan_maintenance(self, platform: str, begins: datetime | None, ends: datetime, reason: str, by: str) -> Outcome:
        """Keep a maintenance window; done is its id. Refuses UnknownPlatform, InvalidWindow, InThePast, WindowOverlaps."""
        ...

    async def cancel_maintenance(self, window_id: str, reason: str, by: str) -> Outcome:
        """Call a window off; done is its id. Refuses UnknownWindow, InThePast."""
        ...
