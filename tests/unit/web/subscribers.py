"""A graph that can be subscribed to, on a real server, and clients that speak the protocols by hand."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.routing import Route, WebSocketRoute
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from hub.access.application_keys import ApplicationKey, Keyring, hash_key
from hub.access.door import Door
from hub.access.rates import Rates
from hub.graph.compiled.executor import Executor
from hub.graph.feeds.feeds import LiveFeeds
from hub.graph.loaders import Loaders
from hub.graph.schema import build_schema
from hub.mirror import audit_sealing, obligation_changes
from hub.mirror.database import Database
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.web.graphql import GraphQLEndpoint
from hub.web.open_connections import Openings, Patience
from hub.web.serving import Server, address_of, listen
from schema.context import Caller, Context, PlatformHealth
from schema.entity import Mirrored
from tests.builders import observed
from tests.settable_clock import START
from tests.unit.graph.records import FakeHub

PROTOCOL = Subprotocol("graphql-transport-ws")
ALL = frozenset({"graph:read", "ops:read", "ops:act"})
KEYS = (ApplicationKey("app", hash_key("k-app"), frozenset({"graph:read"})), ApplicationKey("ops", hash_key("k-ops"), ALL))
LONG = 3600.0


@dataclass
class Graph:
    """What a test holds: the database behind, what feeds subscribers, and the address."""

    database: Database
    rows: Rows
    window: int = 500
    openings: Openings = field(default_factory=lambda: Openings(patience=Patience(first_word=LONG, beat=LONG, slow=LONG)))
    keyring: Keyring = field(default_factory=lambda: Keyring(KEYS))
    look_again: float = LONG
    origins: tuple[str, ...] = ()
    hub: FakeHub = field(default_factory=FakeHub)
    rates: Rates | None = None
    address: str = ""

    def __post_init__(self) -> None:
        self.feeds = LiveFeeds(
            self.database,
            self.rows,
            self.hub.platforms,
            sleep=asyncio.sleep,
            window=self.window,
            look_again_seconds=self.look_again,
        )
        self.hub.feeds = self.feeds

    async def say(self, *records: Mirrored) -> None:
        """Apply records, give them their places, and wake the feeds."""
        await self.database.write(upsert, self.rows, [observed(record) for record in records])
        await self.place()

    async def place(self) -> None:
        while await self.database.write(audit_sealing.seal, START):
            pass
        await self.database.write(obligation_changes.place, START)
        self.feeds.look()

    @property
    def compiled(self) -> int:
        """Return how many operations were answered by a plan."""
        assert self.endpoint.executor is not None
        return self.endpoint.executor.tally.compiled

    def show_health(self, *health: PlatformHealth) -> None:
        self.hub.health = health

    @contextlib.asynccontextmanager
    async def fed(self) -> AsyncIterator[None]:
        feeding = asyncio.create_task(self.feeds.run())
        try:
            yield
        finally:
            feeding.cancel()
            await asyncio.gather(feeding, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def served(self) -> AsyncIterator[Server]:
        def context_for(caller: Caller, correlation_id: str) -> Context:
            return Context(Loaders(self.database, self.rows, caller), self.hub, caller, correlation_id)

        schema = build_schema()
        self.endpoint = GraphQLEndpoint(
            schema,
            Door(self.keyring),
            context_for,
            lambda: "c-1",
            body_limit=5_000,
            executor=Executor(schema, self.rows, self.database),
            rates=self.rates,
            openings=self.openings,
            origins=self.origins,
        )
        app = Starlette(routes=[Route("/graphql", self.endpoint), WebSocketRoute("/graphql", self.endpoint)])
        app.state.leave = self.openings.leave
        listening = listen("127.0.0.1", 0)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)  # so that little fills it
        self.address = f"{address_of(listening)}/graphql"
        server = Server(app, signals=False)
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        await server.answering.wait()
        async with self.fed():
            try:
                yield server
            finally:
                server.should_exit = True
                await serving


class Client:
    """Speaks graphql-transport-ws; every message is looked at."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket

    async def say(self, **message: Any) -> None:
        await self.socket.send(json.dumps(message))

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(60):
            heard: dict[str, Any] = json.loads(await self.socket.recv())
        return heard

    async def greet(self, key: str | None = "k-ops") -> None:
        await self.say(type="connection_init", payload={"X-Api-Key": key} if key else {})
        assert await self.hear() == {"type": "connection_ack"}

    async def subscribe(self, query: str, operation: str = "1", **variables: Any) -> None:
        await self.say(type="subscribe", id=operation, payload={"query": query, "variables": variables})

    async def event(self, field: str, operation: str = "1") -> Any:
        """Return what the next message shows of a subscription's field; it has to be without errors."""
        heard = await self.hear()
        assert (heard["type"], heard["id"]) == ("next", operation), heard
        assert "errors" not in heard["payload"], heard
        return heard["payload"]["data"][field]

    async def closed(self) -> tuple[int, str]:
        """Return code and reason with which the server closes; what it said before is passed over."""
        async with asyncio.timeout(60):
            with contextlib.suppress(ConnectionClosed):
                while True:
                    await self.socket.recv()
        return self.socket.close_code or 0, self.socket.close_reason or ""


@contextlib.asynccontextmanager
async def client(address: str, **how: Any) -> AsyncIterator[Client]:
    how = {"subprotocols": [PROTOCOL], "ping_interval": None, "proxy": None, **how}
    async with connect(address.replace("http", "ws"), **how) as connected:
        yield Client(connected)


@contextlib.asynccontextmanager
async def small_client(address: str) -> AsyncIterator[Client]:
    """A client whose system takes little for it while it reads nothing."""
    with socket.socket() as small:
        small.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
        host, port = address.removeprefix("http://").removesuffix("/graphql").split(":")
        small.setblocking(False)
        await asyncio.get_running_loop().sock_connect(small, (host, int(port)))
        async with client(address, sock=small, max_queue=1) as one:
            yield one


def events_of(text: str) -> Iterator[tuple[str, Any]]:
    """Yield the events of a stream so far: name and data; comments are passed over."""
    for block in text.split("\n\n"):
        lines = dict(line.partition(":")[::2] for line in block.splitlines() if not line.startswith(":"))
        if lines:
            yield lines["event"].strip(), json.loads(lines["data"]) if lines["data"].strip() else None
