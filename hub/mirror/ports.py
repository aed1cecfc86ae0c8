"""What intake and reconcile need of each other, as protocols: they are strangers, and app.py introduces them."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any, Protocol

from sqlalchemy import Connection

from connectors.base import Item
from hub.mirror.records import Upserted


class Derive(Protocol):
    """Bring the ledger in line with applied changes, in their transaction."""

    def __call__(self, connection: Connection, changes: Sequence[Upserted], now: datetime) -> None:
        """Derive what the changed records mean for the ledger; `now` is aware."""
        ...


Apply = Callable[[str, str, Sequence[Item]], Awaitable[Any]]
"""Bring what a platform showed into the mirror and on to the rules, in a transaction of its own: platform, stream, items."""
