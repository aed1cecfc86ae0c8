"""Headers and body of an answer leave in one write; what comes later waits for nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from hub.web import one_write
from hub.web.one_write import Gathering
from hub.web.serving import listen, serving

BIG = b"x" * 3_000_000
REQUEST = b"GET %s HTTP/1.1\r\nhost: hub\r\n\r\n"


class Answers:
    """An application; /late sends its body only when told, /big more than a connection takes at once."""

    def __init__(self) -> None:
        self.told = asyncio.Event()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            return await send({"type": "lifespan.shutdown.complete"})
        body = BIG if scope["path"] == "/big" else b"hello"
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]})
        if scope["path"] == "/late":
            await self.told.wait()
        return await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def connected(app: Answers) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    listening = listen("127.0.0.1", 0)
    async with serving(app, listening):
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        yield reader, writer
        writer.close()


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What is handed to connections, a piece a call."""
    made: list[bytes] = []

    class Watched(Gathering):
        def __init__(self, transport: asyncio.Transport) -> None:
            super().__init__(_Watching(transport, made))  # type: ignore[arg-type]

    monkeypatch.setattr(one_write, "Gathering", Watched)
    return made


class _Watching:
    def __init__(self, transport: asyncio.Transport, made: list[bytes]) -> None:
        self._transport, self._made = transport, made

    def write(self, data: bytes) -> None:
        self._made.append(data)
        self._transport.write(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        self.write(b"".join(pieces))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


async def test_a_short_answer_is_one_write_and_the_connection_goes_on(writes: list[bytes]) -> None:
    async with connected(Answers()) as (reader, writer):
        for _ in range(3):
            writer.write(REQUEST % b"/")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")
    assert len(writes) == 3


async def test_headers_do_not_wait_for_a_body_that_is_not_there(writes: list[bytes]) -> None:
    app = Answers()
    async with connected(app) as (reader, writer):
        writer.write(REQUEST % b"/late")
        head = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 60)
        assert b"content-length: 5" in head
        app.told.set()
        assert await asyncio.wait_for(reader.readexactly(5), 60) == b"hello"
    assert len(writes) == 2


async def test_what_a_connection_does_not_take_at_once_comes_whole() -> None:
    async with connected(Answers()) as (reader, writer):
        writer.write(REQUEST % b"/big" + REQUEST % b"/")
        head = await reader.readuntil(b"\r\n\r\n")
        assert b"content-length: 3000000" in head
        await asyncio.sleep(0.1)
        assert await reader.readexactly(len(BIG)) == BIG
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200")


async def test_nothing_is_lost_of_an_answer_that_ends_the_connection() -> None:
    async with connected(Answers()) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nhost: hub\r\nconnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"hello")


async def test_a_connection_that_is_lost_before_its_headers_left_is_no_error() -> None:
    """uvloop raises where somebody writes to a connection that is closed."""
    told = list[dict[str, Any]]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: told.append(context))
    transport = _Closed()
    Gathering(transport).write(b"HTTP/1.1 200")  # type: ignore[arg-type]
    transport.closed = True
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert (told, transport.written) == ([], [])


class _Closed:
    """A transport as uvloop's is once its other side is gone."""

    def __init__(self) -> None:
        self.closed = False
        self.written: list[bytes] = []

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        if self.closed:
            raise RuntimeError("the handler is closed")
        self.written.append(data)
