"""The command `bihuan` in processes of its own, as an operator starts it."""

import asyncio
import contextlib
import os
import signal
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path

import httpx

from tests.e2e.eventually import eventually
from tests.e2e.stage import Stage

BIHUAN = Path(sys.executable).with_name("bihuan")
STOPS_WITHIN = 15.0
STARTS_WITHIN = 180.0
"""Seconds; some two on an idle core."""


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
        found = [line for line in reversed(self.said.splitlines()) if line.startswith("graph: ") and line.endswith("/graphql")]
        return found[0].removeprefix("graph: ").removesuffix("/graphql") if found else None

    async def kill(self) -> None:
        """End it with SIGKILL: it can do nothing about it."""
        self.process.kill()
        await self.process.wait()

    async def stop(self) -> None:
        """End it with SIGTERM, unless it has ended; raise AssertionError where it does not obey."""
        if self.process.returncode is not None:
            return
        self.process.terminate()
        self.process.send_signal(signal.SIGCONT)  # one that stands still would not hear it
        try:
            await asyncio.wait_for(self.process.wait(), STOPS_WITHIN)
        except TimeoutError:
            await self.kill()
            raise AssertionError(f"a process of bihuan did not stop on SIGTERM; {self.log} holds what it said") from None


@contextlib.asynccontextmanager
async def bihuan(*arguments: str, settings: Mapping[str, str], log: Path) -> AsyncIterator[Running]:
    """Run `bihuan` with these settings and nothing else of ours in its environment; end it at the end."""
    running = await start_bihuan(*arguments, settings=settings, log=log)
    try:
        yield running
    finally:
        await running.stop()


async def start_bihuan(*arguments: str, settings: Mapping[str, str], log: Path) -> Running:
    """Start `bihuan` as above; whoever starts it ends it. What it says is put behind what the log holds."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith("HUB_")}
    with log.open("ab") as out:
        process = await asyncio.create_subprocess_exec(
            str(BIHUAN), *arguments, env={**plain, **settings}, stdout=out, stderr=asyncio.subprocess.STDOUT
        )
    return Running(process, log)


def works(running: Running) -> bool:
    """Return whether a `work` has begun."""
    return "working for approval, credit, grid, enforcement" in running.said


async def serves(running: Running) -> str:
    """Return the address of a `serve` once it is ready."""
    address = await eventually(lambda: running.address, within=STARTS_WITHIN, or_say="the address of bihuan serve")

    async def ready() -> bool:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                return (await client.get(f"{address}/readyz")).is_success
            except httpx.TransportError:
                return False

    await eventually(ready, within=STARTS_WITHIN, or_say=f"{address}/readyz")
    return address


def quick(stage: Stage, url: str, *, visible_after: float = 3.0, **own: str) -> dict[str, str]:
    """Return settings whose intervals fit platforms that carry a call out at once and show it within `visible_after` seconds."""
    settings = {
        "DATABASE_URL": url,
        "LOG_LEVEL": "info",
        "ENFORCEMENT_MAX_IN_FLIGHT": "10",
        "PORT": "0",
        "LEASE_SECONDS": "8",
        "POLL_LEASE_SECONDS": "2",
        "SCHEDULE_LEASE_SECONDS": "2",
        "RESCUE_SECONDS": "0.5",
        "ECHO_SECONDS": "5",
        "WAITING_SECONDS": "1",
        "SWEEP_SECONDS": "5",
        "FULL_SWEEP_SECONDS": "5",
        "IDLE_SECONDS": "0.2",
        "BACKOFF_SECONDS": "0.2",
        "APPROVAL_HISTORY_SINCE": f"{stage.clock() - timedelta(days=2):%Y-%m-%d}",
        "ENFORCEMENT_VISIBLE_SECONDS": f"{visible_after}",
        "ENFORCEMENT_MARGIN_SECONDS": "0.2",
        "APPROVAL_UNKNOWN_MARGIN_SECONDS": "0.2",
    }
    for name in (platform.name.upper() for platform in stage.platforms):
        settings |= {f"{name}_DROPPED_AFTER_SECONDS": "1.5", f"{name}_DEADLINE_SECONDS": "1.5", f"{name}_POLL_SECONDS": "0.5"}
        settings |= {f"{name}_QUOTA_PER_SECOND": "100"}
    return stage.environment(**{**settings, **own})
