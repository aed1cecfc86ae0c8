"""What intake and reconcile need of each other, as protocols: they are strangers, and app.py introduces them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection

from hub.mirror.records import Upserted


class Derive(Protocol):
    """Bring the ledger in line with applied changes, in their transaction."""

    def __call__(self, connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        """Derive what the changed records mean for the ledger; `now` is aware."""
        ...
