"""Processes of the hub as an operator runs them: killed at any moment, and started again at once at the same address."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path

from tests.e2e.eventually import eventually
from tests.e2e.processes import STARTS_WITHIN, Running, serves, start_bihuan, works
from tests.servers import free_ports


class Place:
    """The place of one process in a deployment: `serve` or `work`."""

    def __init__(self, command: str, settings: Mapping[str, str], log: Path) -> None:
        self.command = command
        self.port = free_ports(1)[0] if command == "serve" else None
        self.address = f"http://127.0.0.1:{self.port}" if self.port else None
        self.starts = 0
        self._settings = {**settings, **({"HUB_PORT": str(self.port)} if self.port else {})}
        self._log = log
        self._running: Running | None = None

    @property
    def running(self) -> Running:
        assert self._running is not None, "nothing runs here"
        return self._running

    async def start(self) -> None:
        """Start a process here."""
        self.starts += 1
        log = self._log.with_name(f"{self._log.name}-{self.starts}.log")
        self._running = await start_bihuan(self.command, settings=self._settings, log=log)

    async def ready(self) -> None:
        """Return when the process here works; raise AssertionError when it ended instead."""
        if self.address:
            await serves(self.running)
        else:
            await eventually(self._works, within=STARTS_WITHIN, or_say=f"bihuan {self.command}; {self.running.log}")

    def _works(self) -> bool:
        assert self.running.process.returncode is None, f"bihuan {self.command} ended: {self.running.said[-2000:]}"
        return works(self.running)

    async def kill_and_start(self) -> None:
        """SIGKILL, and at once the next one."""
        assert self.running.process.returncode is None, f"bihuan {self.command} ended by itself: {self.running.said[-2000:]}"
        await self.running.kill()
        await self.start()

    async def stop(self) -> None:
        """End the process here as an operator would."""
        if self._running is not None:
            await self._running.stop()


@contextlib.asynccontextmanager
async def deployed(commands: Sequence[str], settings: Mapping[str, str], folder: Path) -> AsyncIterator[list[Place]]:
    """Run these processes, ready; stop them in the end."""
    places = [Place(command, settings, folder / f"{command}{number}") for number, command in enumerate(commands)]
    try:
        await asyncio.gather(*(place.start() for place in places))
        await asyncio.gather(*(place.ready() for place in places))
        yield places
    finally:
        await asyncio.gather(*(place.stop() for place in places))
