"""`bihuan demo`: mock platforms in a process of their own, the hub in this one, and a city that lives on them.

`--check` runs the same under faults until every obligation is closed, then asks the platforms themselves, by a checker that
shares nothing with the hub. Only this module and the tests import mocks.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.live import Live

from hub.app import Hub
from hub.demo_household import Household
from hub.demo_view import Seen, guaranteed, opening, progress
from hub.mirror import inbox, ledger, ops_list
from hub.settings import load_settings
from hub.telemetry import configure_logs
from hub.web.serving import CannotListen, address_of, listen, serving
from mocks.checker import Checker, CheckResult

FAULTS: dict[str, Any] = {
    "callbacks_lost": 0.2,
    "callbacks_doubled": 0.2,
    "callbacks_shuffled": 2.0,
    "timeout_after_work": 0.1,
}
"""What the platforms do under --check: lose, double and shuffle callbacks; a tenth of creations times out after the work."""

QUIET_SECONDS = 5.0
"""Nothing is owed for so long, more than two polls, before the platforms are asked: a correction may still be on its way."""

HOME = Path(".bihuan/demo")


class PlatformsFailed(Exception):
    """The process of the mock platforms ended, or never said where it listens."""


@dataclass
class Demo:
    """One run; `run` returns the exit code: 0 as it should be, 1 a guarantee is broken, 2 not finished in time."""

    port: int
    data: Path | None
    approvals: int
    seed: int
    check: bool
    timeout: float
    json_file: Path | None
    breaches: int
    faults: bool

    async def run(self) -> int:
        """Run until Ctrl-C, or under --check until all is closed."""
        console = Console(stderr=False, highlight=False)
        with contextlib.ExitStack() as stack:
            folder = self.data or (Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bihuan-"))) if self.check else HOME)
            household = Household.of(folder)
            try:
                listening = stack.enter_context(listen("127.0.0.1", self.port))
                address = address_of(listening)
                async with self._platforms(household, address) as urls, _hub(household, urls, listening) as hub:
                    console.print(opening(address, urls, household.secrets["api_key"], folder), soft_wrap=True)
                    await self._begin_city(urls)
                    return await (self._check(hub, urls, household, console) if self.check else self._watch(hub, urls, console))
            except (PlatformsFailed, CannotListen) as problem:
                console.print(f"bihuan demo: {problem}", style="red")
                return 1
            except asyncio.CancelledError:
                console.print(f"stopped; the same command goes on with the data in {folder}" if not self.check else "stopped")
                raise

    @contextlib.asynccontextmanager
    async def _platforms(self, household: Household, address: str) -> AsyncIterator[dict[str, str]]:
        """Start the mock platforms with their city and yield their addresses; stop them in the end."""
        config = household.folder / "platforms.json"
        config.touch(mode=0o600)
        config.write_text(json.dumps(household.platforms_config(address, self.seed)))
        city = [
            "--city",
            "--city-waits",
            "--approvals",
            str(self.approvals),
            "--seed",
            str(self.seed),
            "--breaches",
            str(self.breaches),
        ]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "mocks", "--config", str(config), "--ready-json", "--with-parent", *city,
            stdout=asyncio.subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            assert process.stdout is not None  # noqa: S101  (a pipe was asked for)
            line = await process.stdout.readline()
            if not line:
                raise PlatformsFailed("the mock platforms did not start; what they said stands above")
            yield {name: each["url"] for name, each in json.loads(line).items()}
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(process.wait(), 10)
            if process.returncode is None:
                process.kill()
                await process.wait()

    async def _begin_city(self, urls: dict[str, str]) -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            for url in urls.values() if self.check and self.faults else ():
                (await client.post(f"{url}/_control/faults", json=FAULTS)).raise_for_status()
            (await client.post(f"{urls['approval']}/_city/start", timeout=60)).raise_for_status()

    async def _watch(self, hub: Hub, urls: dict[str, str], console: Console) -> int:
        """Show how the loops close, until Ctrl-C."""
        with Live(console=console, refresh_per_second=4, transient=False) as live:
            while True:
                live.update(progress(await _seen(hub, urls)))
                await asyncio.sleep(0.5)

    async def _check(self, hub: Hub, urls: dict[str, str], household: Household, console: Console) -> int:
        begun = quiet_since = time.monotonic()
        result: CheckResult | None = None
        seen, complete = await _seen(hub, urls), False
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            while not complete and time.monotonic() - begun < self.timeout:
                live.update(progress(seen))
                if not seen.finished(self.approvals):
                    quiet_since, result = time.monotonic(), None
                elif time.monotonic() - quiet_since >= QUIET_SECONDS:
                    result = await Checker.from_config(household.platforms_config("", self.seed), urls).run()
                await asyncio.sleep(0.5)
                seen = await _seen(hub, urls)
                complete = result is not None and not result.missing and seen.finished(self.approvals)
        seconds = time.monotonic() - begun
        told = guaranteed(seen, result, seconds)
        console.print(told.table)
        if self.json_file:
            self.json_file.write_text(json.dumps(told.figures, ensure_ascii=False, indent=2) + "\n")
        if not complete:
            for key, state, needs in await hub.database.read(ledger.open_keys):
                console.print(f"open: {key} {state}{f', needs {needs}' if needs else ''}", style="yellow")
            for problem in result.problems if result else ():
                console.print(f"open: {problem}", style="yellow")
            console.print(f"bihuan demo --check: not finished after {seconds:.0f} s; what is open stands above", style="red")
            return 2
        for problem in result.problems if result else ():
            console.print(f"broken: {problem}", style="red")
        return 1 if result is None or result.problems else 0


async def _seen(hub: Hub, urls: dict[str, str]) -> Seen:
    async with httpx.AsyncClient(trust_env=False, timeout=10) as client:
        city = (await client.get(f"{urls['approval']}/_city/progress")).json()
    counts = await hub.database.read(ledger.backlog)
    waiting = sum((await hub.database.read(inbox.waiting)).values())
    return Seen(city, counts, waiting, await hub.database.read(ops_list.open_count))


@contextlib.asynccontextmanager
async def _hub(household: Household, urls: dict[str, str], listening: socket.socket) -> AsyncIterator[Hub]:
    """Run the hub on a socket in this process. The log level may be set from outside."""
    own = {name: value for name, value in os.environ.items() if name == "HUB_LOG_LEVEL"}
    settings = load_settings(household.environment(urls) | own)
    configure_logs(settings.hub.log_level, as_json=False)
    hub = Hub(settings)
    async with serving(hub.web(), listening):
        yield hub
