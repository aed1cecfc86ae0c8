"""Serving several mock platforms from one process, each on its own loopback port."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Sequence

import uvicorn

from mocks.platform import Platform


class _Server(uvicorn.Server):
    """A uvicorn server that says when it listens, and leaves signals to whoever runs the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


@contextlib.asynccontextmanager
async def serve(platforms: Sequence[Platform], *, host: str = "127.0.0.1") -> AsyncIterator[dict[str, str]]:
    """Serve each platform on its settings' port (0: any free one) and yield their addresses by name; stop them all at the end.

    Raise OSError, naming the platform, when a port is taken.
    """
    with contextlib.ExitStack() as closing:
        sockets = {platform.name: closing.enter_context(_bound(platform, host)) for platform in platforms}
        running: list[tuple[_Server, asyncio.Task[None]]] = []
        try:
            for platform in platforms:
                server = _Server(_config(platform))
                task = asyncio.create_task(server.serve(sockets=[sockets[platform.name]]))
                running.append((server, task))
                await _listening(server, task)
            yield {name: f"http://{host}:{bound.getsockname()[1]}" for name, bound in sockets.items()}
        finally:
            for server, _ in running:
                server.should_exit = True
            await asyncio.gather(*(task for _, task in running), return_exceptions=True)


def _config(platform: Platform) -> uvicorn.Config:
    return uvicorn.Config(
        platform.app,
        log_level="critical",  # a dropped connection is meant, and would be logged as an error
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,  # the platform's own clock says the date
        timeout_graceful_shutdown=1,
    )


def _bound(platform: Platform, host: str) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((host, platform.settings.port))
    except OSError as problem:
        bound.close()
        raise OSError(
            problem.errno, f"{platform.name}: cannot listen on {host}:{platform.settings.port}: {problem.strerror}"
        ) from problem
    return bound


async def _listening(server: _Server, task: asyncio.Task[None]) -> None:
    ready = asyncio.create_task(server.listening.wait())
    await asyncio.wait({ready, task}, return_when=asyncio.FIRST_COMPLETED)
    ready.cancel()
    if task.done():
        task.result()
