"""Changes in the order of their positions, read once a process and told to all who listen.

The newest changes stand in a window that all listeners share; each has nothing but its place. Who comes back with an older place
reads pages of its own until it has reached the window. Who was in the window and falls out of it is too slow, and is told so:
memory is bounded by the window, however many listen and however slow they are.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection
from itertools import islice
from typing import Generic, NamedTuple, Protocol, TypeVar

import structlog

from hub.mirror.database import DatabaseUnavailable
from schema.changes import CURSOR_TOO_OLD, TOO_SLOW, write_position
from schema.graph_errors import BAD_CURSOR, GraphError

PAGE = 200
"""Changes that are read at a time."""

log = structlog.get_logger()


class Placed(Protocol):
    """Something that has a place in an order."""

    @property
    def position(self) -> int:
        """Return its place; the next one's is one more."""
        ...


C = TypeVar("C", bound=Placed)


class Page(NamedTuple, Generic[C]):
    """Changes behind a place, and up to where there are no others."""

    changes: list[C]
    upto: int


class Ends(NamedTuple):
    """The last position of an order, and the last one that was removed from its beginning."""

    newest: int
    pruned_to: int


class Pace(NamedTuple):
    """How many changes stand in the window, and how often it is looked for new ones though nobody said that there are any."""

    window: int
    look_again_seconds: float


Read = Callable[[int, int, Collection[str] | None], Awaitable[Page[C]]]
"""Reads at most so many changes behind a place, of some entities or of all."""


class Feed(Generic[C]):
    """One order. `run` reads it while somebody listens; `look` says that there may be something new."""

    def __init__(self, name: str, read: Read[C], ends: Callable[[], Awaitable[Ends]], pace: Pace) -> None:
        """`name` is that of the order in cursors."""
        self._name = name
        self._read = read
        self._ends = ends
        self._window = pace.window
        self._look_again = pace.look_again_seconds
        self._kept: deque[C] = deque()
        self._start: int | None = None
        """All changes behind this place are in the window; None while nobody reads."""
        self._look = asyncio.Event()
        self._news = asyncio.Event()
        self.listeners = 0

    def look(self) -> None:
        """Look now: changes have got their places."""
        self._look.set()

    async def run(self) -> None:
        """Read on whenever there may be something new, and now and then in any case, until cancelled."""
        while True:
            self._look.clear()
            try:
                await self._read_on()
            except DatabaseUnavailable as error:
                log.warning("changes cannot be told now", order=self._name, error=str(error))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._look_again):
                    await self._look.wait()

    async def _read_on(self) -> None:
        if not self.listeners:
            self._kept.clear()
            self._start = None
            return
        if self._start is None:
            self._start = (await self._ends()).newest
            self._announce()
        while (page := await self._read(self._start + len(self._kept), PAGE, None)).changes:
            self._kept.extend(page.changes)
            while len(self._kept) > self._window:
                self._start = self._kept.popleft().position
            self._announce()

    def _announce(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    async def behind(
        self, after: int | None, wanted: Callable[[C], bool], entities: Collection[str] | None = None
    ) -> AsyncGenerator[C, None]:
        """Yield the wanted changes behind a place as they come, None: from now on.

        Raises GraphError: CURSOR_TOO_OLD, BAD_CURSOR, TOO_SLOW; DatabaseUnavailable.
        """
        self.listeners += 1
        self._look.set()
        try:
            at = await self._beginning(after)
            in_window = False
            while True:
                news = self._news
                if self._start is not None and at >= self._start:
                    in_window = True
                    changes = list(islice(self._kept, at - self._start, at - self._start + PAGE))
                    upto = changes[-1].position if changes else at
                elif in_window:
                    raise self._too_slow(at)
                else:
                    changes, upto = await self._read(at, PAGE, entities)
                if upto == at:
                    await news.wait()
                for change in changes:
                    if wanted(change):
                        yield change
                at = upto
        finally:
            self.listeners -= 1

    async def _beginning(self, after: int | None) -> int:
        newest, pruned_to = await self._ends()
        if after is None:
            return newest
        if after < pruned_to:
            raise GraphError(
                CURSOR_TOO_OLD,
                f"{self._name}: what came behind this cursor is not kept any more; "
                "read the records anew, then go on from `beginAfter`",
                beginAfter=write_position(self._name, newest),
            )
        if after > newest:
            raise GraphError(
                BAD_CURSOR,
                f"{self._name}: this cursor lies ahead of all changes, as after a restore from a backup; "
                "read the records anew, then go on from `beginAfter`",
                beginAfter=write_position(self._name, newest),
            )
        return after

    def _too_slow(self, at: int) -> GraphError:
        told = f"{self._name}: {self._window} changes came while you read none; connect again, and go on with `after`"
        return GraphError(TOO_SLOW, told, after=write_position(self._name, at))
