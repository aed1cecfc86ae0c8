"""Tells all processes that share a PostgreSQL at once that there is something to do, by LISTEN and NOTIFY. Wired by app.py.

What is told is no message: whoever hears it looks into the tables, and whoever misses it looks there after the idle time anyway.
It is told behind the commit, by a connection of its own (docs/decisions/wake-ups-behind-the-commit.md).
"""

import asyncio
import contextlib
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Any

import structlog

from connectors.base import Sleep
from hub.mirror.database import Database, DatabaseUnavailable, PostgreSQLDatabase

CHANNEL = "bihuan"
BEAT_SECONDS = 10.0
"""A connection that says nothing for so long is asked: a network that is cut does not tell."""
ANSWERS_WITHIN = 5.0
SPACING_SECONDS = 0.02
"""What happens within so short a time is told together."""
AGAIN_SECONDS = 0.5

log = structlog.get_logger()


class Topic(Enum):
    """What there may be to do."""

    DELIVERIES = "deliveries"
    """Deliveries were stored, or put back."""
    OBLIGATIONS = "obligations"
    """Obligations may have become due."""
    CHANGES = "changes"
    """Changes have got their places in the public order."""


class WakeUps:
    """Wakes this process, and the others that share its database. An embedded database has no others."""

    def __init__(self, database: Database, hear: Mapping[Topic, Callable[[], None]], *, sleep: Sleep) -> None:
        """`hear` says what this process does about each topic; it must be quick, and never raises."""
        self._database = database
        self._hear = hear
        self._sleep = sleep
        self._untold: set[Topic] = set()
        self._something = asyncio.Event()
        self.are_heard = False
        """Whether what other processes tell is heard now."""

    @property
    def are_shared(self) -> bool:
        """Whether there may be other processes to tell; then `run` must be running."""
        return isinstance(self._database, PostgreSQLDatabase)

    def tell(self, topic: Topic) -> None:
        """Wake this process now and the others as soon as they can be told. Called behind the commit."""
        self._hear[topic]()
        self._untold.add(topic)
        self._something.set()

    async def run(self) -> None:
        """Listen and tell until cancelled. A lost connection is replaced; then everybody looks once, for what was missed."""
        while isinstance(self._database, PostgreSQLDatabase):
            try:
                async with self._database.connection() as connection:
                    await self._talk(connection)
            except DatabaseUnavailable as error:
                self.are_heard = False
                log.warning("cannot tell or hear of work of other processes", error=str(error))
            await self._sleep(AGAIN_SECONDS)

    async def _talk(self, connection: Any) -> None:
        """Listen and tell on this connection; return when it is closed."""
        own = connection.get_server_pid()

        def heard(_connection: Any, pid: int, _channel: str, topic: str) -> None:
            with contextlib.suppress(ValueError):  # a topic of a newer version
                if pid != own:
                    self._hear[Topic(topic)]()

        connection.add_termination_listener(lambda _: self._something.set())
        await connection.add_listener(CHANNEL, heard)
        self.are_heard = True
        for hear in self._hear.values():
            hear()
        self._untold.update(Topic)
        while not connection.is_closed():
            self._something.clear()
            topics, self._untold = [topic.value for topic in self._untold], set()
            await connection.execute(
                "SELECT pg_notify($1, topic) FROM unnest($2::text[]) AS topic", CHANNEL, topics, timeout=ANSWERS_WITHIN
            )
            await self._sleep(SPACING_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BEAT_SECONDS):
                    await self._something.wait()
