"""Listening and serving with uvicorn. Used by cli.py and demo.py."""

import asyncio
import contextlib
import gc
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from hub.web.one_write import OneWrite

BACKLOG = 2048
COLLECTED_AFTER = 20_000
"""New objects after which the interpreter looks for rings of garbage among them. One answer makes thousands, none of them in rings;
by default (700) a tenth of its time went into looking."""
ANSWERS_WITHIN = 10
"""Seconds that answers under way have when a server is told to stop; what takes longer is cut off."""

WS_LONGEST = 1_000_000
"""Bytes of a WebSocket message; the application has a limit of its own below."""
TAKES_NOTHING_MS = 60_000
"""Milliseconds after which Linux ends a connection whose other side takes nothing (TCP_USER_TIMEOUT)."""


class CannotListen(Exception):
    """The address is taken or not ours; the message names it and the way out."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Return a socket that listens, on a free port for 0; raise CannotListen.

    Where it is `shared`, others of the same user that say so too may listen there, and each connection goes to one of them.
    """
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        if shared:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise CannotListen(f"cannot listen on {host} port {port}: {reason}; choose another port, or 0 for a free one") from error
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # taken over by each connection; else what is cut off would keep its buffer for ever
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, TAKES_NOTHING_MS)
    listening.listen(BACKLOG)
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address that a browser on this machine uses."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  (only shown)
    return f"http://{shown}:{port}"


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's, except that a close frame waits for nobody: it stands last in the bounded buffer of who takes nothing."""

    async def send(self, message: Any) -> None:
        """Send, waiting for room, unless it is the end."""
        if message["type"] == "websocket.close":
            self.writable.set()
        await super().send(message)


class Server(uvicorn.Server):
    """A uvicorn server that tells when it answers, and has the application take leave of open connections when it stops."""

    def __init__(self, app: ASGIApp, *, signals: bool) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http=OneWrite,
            ws=WebSocketProtocol,
            ws_max_size=WS_LONGEST,
            ws_per_message_deflate=False,  # some 100 KB of memory a connection
            loop="none",
            lifespan="on",
            proxy_headers=False,
            timeout_graceful_shutdown=ANSWERS_WITHIN,
        )
        super().__init__(config)
        self.answering = asyncio.Event()
        self._signals = signals

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let the application (`state.leave`) tell who stays connected; uvicorn's own word would be "restart" (1012)."""
        if (leave := getattr(getattr(self.config.app, "state", None), "leave", None)) is not None:
            await leave()
        await super().shutdown(sockets)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take signals only where the server is the whole process. After SIGTERM it ends by itself, all being closed."""
        with super().capture_signals() if self._signals else contextlib.nullcontext():
            yield
            # uvicorn raises again what it caught: the process would die of SIGTERM before connectors and database are closed.
            self._captured_signals = [each for each in self._captured_signals if each != signal.SIGTERM]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell that it answers. Where the application did not start, `serve` ends with `started` false, and the process goes on."""
        try:
            await super().startup(sockets)
        except SystemExit:
            self.should_exit = True
        else:
            if self._signals:
                gc.freeze()  # what a whole process is made of stays to its end; looking through it would hold answers up for 0.2 s
                gc.set_threshold(COLLECTED_AFTER)
            self.answering.set()


@contextlib.asynccontextmanager
async def serving(app: ASGIApp, listening: socket.socket) -> AsyncIterator[None]:
    """Serve beside other work; raise RuntimeError if the application did not start."""
    server = Server(app, signals=False)
    task = asyncio.create_task(server.serve(sockets=[listening]))
    answering = asyncio.create_task(server.answering.wait())
    await asyncio.wait({task, answering}, return_when=asyncio.FIRST_COMPLETED)
    answering.cancel()
    if task.done():
        raise RuntimeError("the hub did not start; the log says why")
    try:
        yield
    finally:
        server.should_exit = True
        await task
