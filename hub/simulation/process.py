"""One process of the hub on the stage: built, running, stopped in order or killed."""

import asyncio
import contextlib

import httpx
from sqlalchemy import Connection, event

from hub.app import Hub
from hub.mirror.database import DatabaseUnavailable, SQLiteDatabase
from hub.simulation.mortality import Mortality


class Process:
    """A hub, and whether it lives."""

    def __init__(self, hub: Hub, mortality: Mortality) -> None:
        self.hub = hub
        self.mortality = mortality
        self._web: httpx.ASGITransport | None = None
        self._opened = contextlib.AsyncExitStack()
        self._running = contextlib.AsyncExitStack()
        self._answering: set[asyncio.Task[httpx.Response]] = set()

    @property
    def answers(self) -> bool:
        """Return whether a request to it is answered."""
        return self._web is not None and not self.mortality.dead

    async def begin(self) -> None:
        """Answer and run; a process that cannot begin ends: it is dead, and says why."""
        try:
            await self._opened.enter_async_context(self.hub.opened())
            await self.work()
        except BaseException:
            self.mortality.die()
            raise
        self._web = httpx.ASGITransport(self.hub.web())

    async def work(self) -> None:
        """Run the loops."""
        await self._running.enter_async_context(self.hub.running())

    async def rest(self) -> None:
        """End the loops, and go on answering."""
        await self._running.aclose()

    async def stop(self) -> None:
        """End in order: what it knows of calls that it cuts off is written. Nobody answers any more."""
        self._web = None
        await self._close()
        self.mortality.die()

    async def kill(self) -> None:
        """End as in a power failure: from this moment on nothing is written or sent, and nobody answers."""
        self.mortality.die()
        self._web = None
        if isinstance(self.hub.database, SQLiteDatabase):
            event.listen(self.hub.database.engine, "begin", _refuse)
        await self._close()

    async def _close(self) -> None:
        for task in list(self._answering):
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)
        await self._running.aclose()
        await self._opened.aclose()

    async def answer(self, request: httpx.Request) -> httpx.Response:
        """Return the answer to a request; raise ReadError where the process ends meanwhile."""
        if self._web is None:
            raise httpx.ConnectError("the hub is not there", request=request)
        task = asyncio.create_task(self._web.handle_async_request(request), name=f"{request.method} {request.url.path}")
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)
        await asyncio.wait({task})
        if task.cancelled() or self.mortality.dead:
            task.cancelled() or task.exception()
            raise httpx.ReadError("the hub ended during the answer", request=request)
        return task.result()


def _refuse(_connection: Connection) -> None:
    raise DatabaseUnavailable("the process was killed")
