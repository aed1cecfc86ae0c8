"""The wires between hub and platforms: requests go straight into the other side's web application, without a network.

What was sent is carried out by the other side whatever becomes of the sender, as in a real network.
"""

import asyncio
from collections.abc import Callable, Coroutine

import httpx

from hub.simulation.mortality import Dead, Mortality

Exchange = Callable[[httpx.Request], Coroutine[None, None, httpx.Response]]


class Network:
    """A network that is at once and never fails. Others lose, delay and repeat (tests/chaos)."""

    def __init__(self) -> None:
        self._under_way: set[asyncio.Task[httpx.Response]] = set()

    async def carry(self, way: str, request: httpx.Request, behind: Exchange) -> httpx.Response:
        """Return the other side's answer to a request (`way`: `hub>credit`, `credit>hub`); raise httpx.TransportError."""
        return await self.deliver(request, behind)

    async def deliver(self, request: httpx.Request, behind: Exchange) -> httpx.Response:
        """Let the other side carry a request out, to its end, also when nobody waits for the answer any more."""
        task = asyncio.create_task(behind(request), name=f"{request.method} {request.url.path}")
        self._under_way.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def _ended(self, task: asyncio.Task[httpx.Response]) -> None:
        self._under_way.discard(task)
        if not task.cancelled():
            task.exception()  # seen, also when everyone who waited for it has gone

    async def close(self) -> None:
        """Let what is under way be dropped."""
        for task in list(self._under_way):
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)


class Wire(httpx.AsyncBaseTransport):
    """The way from the hub to one platform, which may be listened to for a word that must never pass."""

    def __init__(self, platform: str, behind: httpx.AsyncBaseTransport, network: Network) -> None:
        self.behind = behind
        """Where requests go on; whoever holds the stage may put something in between."""
        self._platform = platform
        self._network = network
        self.listens_for: bytes | None = None
        self.heard = 0
        """How many requests held the word."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on."""
        await request.aread()
        if self.listens_for is not None:
            self.heard += self.listens_for in request.url.raw_path or self.listens_for in request.content
        return await self._network.carry(f"hub>{self._platform}", request, self.behind.handle_async_request)


class MortalWire(httpx.AsyncBaseTransport):
    """A wire as one process has it, which may die before or behind a call."""

    def __init__(self, wire: Wire, mortality: Mortality) -> None:
        self._wire = wire
        self._mortality = mortality

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raise ConnectError in a dead process."""
        try:
            self._mortality.pass_by("before a call")
            answer = await self._wire.handle_async_request(request)
            self._mortality.pass_by("behind a call")
        except Dead as error:
            raise httpx.ConnectError(str(error), request=request) from error
        return answer


class Door(httpx.AsyncBaseTransport):
    """The way to the hub: to one of its processes that live; the platforms are built before there is any."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.choose: Callable[[], Exchange | None] = lambda: None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Pass a request on; raise ConnectError while there is no hub."""
        await request.aread()
        return await self._network.carry(f"{request.url.path.removeprefix('/webhooks/')}>hub", request, self._enter)

    async def _enter(self, request: httpx.Request) -> httpx.Response:
        behind = self.choose()
        if behind is None:
            raise httpx.ConnectError("the hub is not there", request=request)
        return await behind(request)
