"""The command `bihuan` in processes of its own, as an operator starts it."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

BIHUAN = Path(sys.executable).with_name("bihuan")
STOPS_WITHIN = 15.0


class Running:
    """A process that was started; what it logs goes to a file."""

    def __init__(self, process: Process, log: Path) -> None:
        self.process = process
        self.log = log

    @property
    def said(self) -> str:
        """Everything on its standard output and standard error so far."""
        return self.log.read_text()

    @property
    def address(self) -> str | None:
        """Where a `serve` listens, once it has said so."""
        found = [line for line in self.said.splitlines() if line.startswith("graph: ") and line.endswith("/graphql")]
        return found[0].removeprefix("graph: ").removesuffix("/graphql") if found else None

    async def kill(self) -> None:
        """End it with SIGKILL: it can do nothing about it."""
        self.process.kill()
        await self.process.wait()


@contextlib.asynccontextmanager
async def bihuan(*arguments: str, settings: Mapping[str, str], log: Path) -> AsyncIterator[Running]:
    """Run `bihuan` with these settings and nothing else of ours in its environment; end it at the end."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    with log.open("wb") as out:
        process = await asyncio.create_subprocess_exec(
            str(BIHUAN), *arguments, env={**plain, **settings}, stdout=out, stderr=asyncio.subprocess.STDOUT
        )
    try:
        yield Running(process, log)
    finally:
        if process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOPS_WITHIN)
            except TimeoutError:
                process.kill()
                await process.wait()
                raise AssertionError(f"bihuan {' '.join(arguments)} did not stop on SIGTERM; {log} holds what it said") from None
