"""What a process does regularly for what is kept: the change history is sealed. Scheduled by app.py, one process at a time."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from hub.mirror import audit_sealing
from hub.mirror.database import Database


@dataclass(frozen=True)
class Keeping:
    """Keeps the record of what happened."""

    database: Database
    clock: Callable[[], datetime]

    async def seal(self) -> int:
        """Seal every change that is committed; return how many. Raises DatabaseUnavailable; what is sealed stays sealed."""
        sealed = 0
        while count := await self.database.write(audit_sealing.seal, self.clock()):
            sealed += count
        return sealed
