"""Listening and serving with uvicorn. Used by cli.py and demo.py."""

import asyncio
import contextlib
import signal
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn
from starlette.types import ASGIApp

BACKLOG = 2048
ANSWERS_WITHIN = 10
"""Seconds that answers under way have when a server is told to stop; what takes longer is cut off."""


class CannotListen(Exception):
    """The address is taken or not ours; the message names it and the way out."""


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens, on a free port for 0; raise CannotListen."""
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        reason = error.strerror or str(error)
        raise CannotListen(f"cannot listen on {host} port {port}: {reason}; choose another port, or 0 for a free one") from error
    listening.listen(BACKLOG)
    return listening


def address_of(listening: socket.socket) -> str:
    """Return the address that a browser on this machine uses."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104  (only shown)
    return f"http://{shown}:{port}"


class Server(uvicorn.Server):
    """A uvicorn server that tells when it answers."""

    def __init__(self, app: ASGIApp, *, signals: bool) -> None:
        config = uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            http="httptools",
            loop="none",
            lifespan="on",
            proxy_headers=False,
            timeout_graceful_shutdown=ANSWERS_WITHIN,
        )
        super().__init__(config)
        self.answering = asyncio.Event()
        self._signals = signals

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
