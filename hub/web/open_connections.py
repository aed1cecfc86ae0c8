"""Connections that stay open: how many there may be, who is too slow, whose key holds no longer, and how all are left in the end.

The two ways to subscribe (transport_ws.py, event_stream.py) say how something is sent and how the end is told.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import structlog
from starlette.websockets import WebSocketDisconnect

from hub.intake.room import Room
from schema.context import Caller
from schema.graph_errors import FORBIDDEN, UNAUTHENTICATED, UNAVAILABLE, GraphError

SUBSCRIPTION_LIMIT = "SUBSCRIPTION_LIMIT"
LEAVES_WITHIN = 3.0
"""Seconds that connections have to be told that the hub stops."""
GOING_AWAY, CRASHED = 1001, 1011
UNAUTHORIZED, NOT_ALLOWED, SLOW = 4401, 4403, 4413

GONE = (OSError, WebSocketDisconnect)
"""uvicorn's and Starlette's words for a client that has left."""

log = structlog.get_logger()
Authenticate = Callable[[Mapping[str, str]], Awaitable[Caller]]


class End(NamedTuple):
    """Why a connection ends: the close code of a WebSocket, and the error for programs."""

    close: int
    error: GraphError


class Ended(Exception):
    """The connection ends; there is nobody to send anything to."""


@dataclass(frozen=True)
class Patience:
    """Seconds: for the first word, between signs of life, and for what is sent to be taken."""

    first_word: float = 10.0
    beat: float = 15.0
    slow: float = 10.0


@dataclass
class Openings:
    """What all open connections of a process share."""

    most: int = 1000
    of_connection: int = 20
    patience: Patience = Patience()
    of_stranger: int = 20
    """Connections of one address on which nobody has said yet who it is."""
    connections: Room = field(init=False)
    operations: Room = field(init=False)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the hub stops."""
    _strangers: Counter[str] = field(default_factory=Counter)
    _all_gone: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.connections, self.operations = Room(self.most), Room(self.most)

    def meet(self, address: str) -> bool:
        """Take a place for a connection from this address; return False, and take nothing, where there is none.

        One address may hold a few only until `know` says that somebody is known on them: so silence keeps nobody else out.
        """
        if self.left.is_set() or self._strangers[address] >= self.of_stranger or not self.connections.take():
            return False
        self._strangers[address] += 1
        return True

    def know(self, address: str) -> None:
        """Note that one of the address's connections is known, or gone before it was."""
        self._strangers[address] -= 1
        if not self._strangers[address]:
            del self._strangers[address]

    def gone(self) -> None:
        """Note that a connection ended."""
        self.connections.give_back()
        if not self.connections.held:
            self._all_gone.set()

    async def leave(self) -> None:
        """Tell everybody who is connected that the hub stops, and wait until they are told."""
        self._all_gone.clear()
        self.left.set()
        if self.connections.held:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LEAVES_WITHIN):
                    await self._all_gone.wait()


class OpenConnection(ABC):
    """One of them. `serve` holds it until it ends."""

    def __init__(self, openings: Openings, authenticate: Callable[[], Awaitable[Caller]]) -> None:
        """`authenticate` looks at what was shown: again and again, for a key may be taken away, and a token ends."""
        self.openings = openings
        self.patience = openings.patience
        self.caller: Caller | None = None
        """Who it is; None as long as nobody has said so."""
        self._authenticate = authenticate
        self._sending = asyncio.Lock()
        self._end: asyncio.Future[End | None] = asyncio.get_running_loop().create_future()
        self.tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    async def transmit(self, message: Any) -> None:
        """Give a message to the server, which waits while the client takes nothing."""

    @abstractmethod
    async def beat(self) -> None:
        """Send a sign of life, where the server does not."""

    @abstractmethod
    async def tell_end(self, end: End) -> None:
        """Tell the client why it ends."""

    def end(self, end: End | None) -> None:
        """End it; None: the client has left. The first word counts."""
        if not self._end.done():
            self._end.set_result(end)

    def start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run something as long as the connection stands; whatever it raises ends it."""
        task = asyncio.create_task(self._guarded(work))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            await work
        except Ended:
            pass
        except Exception:  # outermost: a task that ends in silence would leave its client waiting
            log.exception("a subscriber's connection failed")
            self.end(End(CRASHED, GraphError(UNAVAILABLE, "internal error; connect again")))

    async def send(self, message: Any) -> None:
        """Send a message; raise Ended where the client is gone, or has taken nothing for too long."""
        try:
            async with self._sending:
                if self._end.done():
                    raise Ended
                async with asyncio.timeout(self.patience.slow):
                    await self.transmit(message)
        except TimeoutError:
            told = f"nothing was taken for {self.patience.slow:g} s; connect again, and go on with `after`"
            self.end(End(SLOW, GraphError("TOO_SLOW", told)))
            raise Ended from None
        except GONE:
            self.end(None)
            raise Ended from None

    async def stand(self, *work: Coroutine[Any, Any, None]) -> None:
        """Run what a connection does until it ends; then end all that it began, and tell the client why."""
        try:
            for each in (*work, self._beats(), self._leave()):
                self.start(each)
            end = await self._end
        finally:
            self.end(None)
            tasks = list(self.tasks)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if end is not None:
            with contextlib.suppress(TimeoutError, *GONE):
                async with asyncio.timeout(self.patience.slow):
                    await self.tell_end(end)

    async def _beats(self) -> None:
        while True:
            await asyncio.sleep(self.patience.beat)
            if self.caller is not None and (end := await self.unproven()) and end.error.code != UNAVAILABLE:
                self.end(end)
            await self.beat()

    async def unproven(self) -> End | None:
        """Return why what was shown does not hold (any more), None where it does; `caller` is who it proves."""
        try:
            caller = await self._authenticate()
        except GraphError as wrong:
            return End(NOT_ALLOWED, wrong)
        if self.caller is not None and caller != self.caller:
            return End(NOT_ALLOWED, GraphError(FORBIDDEN, "what you may see has changed; connect again"))
        self.caller = caller
        if caller.name is None and not caller.scopes:
            return End(UNAUTHORIZED, GraphError(UNAUTHENTICATED, "send a key, as Authorization: Bearer <key> or X-Api-Key: <key>"))
        return None

    async def _leave(self) -> None:
        await self.openings.left.wait()
        self.end(End(GOING_AWAY, GraphError(UNAVAILABLE, "the hub stops; connect again, and go on with `after`")))
