"""`uv run python -m tests.bench.memory [--records N] [--database postgresql|sqlite]`: memory while records pass through a hub.

A stream of new approvals, each of another subject, is polled, applied and derived from by a whole hub, swept over every now and
then; what the process holds in memory is printed along the way, and what a record costs. Flat is: the last third holds no more
than the second did, but for MARGIN.
"""

import argparse
import asyncio
import contextlib
import gc
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import ClassVar

import structlog
import uvloop
from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import text

from connectors.base import Page
from hub.app import Hub
from hub.mirror.upgrade import upgrade
from hub.settings import load_settings
from tests.bench.hub_process import settings_of
from tests.builders import approval, observed
from tests.servers import postgresql_server
from tests.settable_clock import SettableClock
from tests.subject_codes import uscc
from tests.unit.intake.plain_platform import PlainPlatform

PAGE = 100
MARGIN = 8.0
"""MB that a process may hold more for other reasons: caches of statements and of the allocator."""


class Passing(PlainPlatform):
    """A platform whose stream never had a page before it is asked for it."""

    last: ClassVar[int] = 0
    """Number of pages that there are now."""

    async def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        del stream
        for at in range(int(cursor or 0), self.last):
            made = range(at * PAGE, (at + 1) * PAGE)
            items = [observed(approval(approval_no=f"YW{n:09}", subject_code=uscc(n % 99_999_999))) for n in made]
            yield Page(items=tuple(items), cursor=str(at + 1), more=at + 1 < self.last)


@contextlib.asynccontextmanager
async def opened(kind: str, folder: Path) -> AsyncIterator[Hub]:
    """Lend a hub whose approval system is `Passing`."""
    settings = settings_of(folder)
    with contextlib.ExitStack() as stack:
        if kind == "postgresql":
            server = stack.enter_context(postgresql_server(folder))
            async with server.fresh() as url, _hub(settings | {"HUB_DATABASE_URL": url}) as hub:
                yield hub
        else:
            async with _hub(settings) as hub:
                yield hub


@contextlib.asynccontextmanager
async def _hub(settings: dict[str, str]) -> AsyncIterator[Hub]:
    hub = Hub(load_settings(settings))
    await upgrade(hub.database)
    for connector in hub.connectors.values():
        await connector.close()
    hub.connectors["approval"] = Passing(SettableClock())
    async with hub.opened():
        yield hub


def held() -> float:
    """Return the memory that this process holds, MB."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


async def main(kind: str, records: int, steps: int) -> int:
    """Print memory after each step; return 1 where it is not flat."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    title = f"{records:,} approvals through a hub on {kind}"
    table = Printed("records", "memory (MB)", "objects", "CPU of the hub (ms a record)", title=title, header_style="bold")
    seen: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        async with opened(kind, Path(folder)) as hub:
            for step in range(1, steps + 1):
                Passing.last = records * step // steps // PAGE
                begun = time.process_time()
                read = await hub.poller.read_on("approval", "approvals")
                assert read is not None, "the stream could not be read"
                assert read.applied * steps >= records - steps * PAGE, f"only {read.applied} records were new"
                cpu = time.process_time() - begun
                await hub.sweep.recent()
                await hub.tally.count()
                seen.append(held())
                done = f"{Passing.last * PAGE:,}"
                table.add_row(done, f"{seen[-1]:,.1f}", f"{len(gc.get_objects()):,}", f"{cpu * 1000 / read.applied:.2f}")
            there = await hub.database.read(lambda connection: connection.execute(text("SELECT count(*) FROM obligation")).scalar())
            assert there == Passing.last * PAGE, f"{there} obligations instead of one an approval"
    third = len(seen) // 3
    grown = max(seen[2 * third :]) - max(seen[third : 2 * third])
    console = Console(width=100)
    console.print(table)
    console.print(f"the last third holds {grown:+.1f} MB; flat is less than {MARGIN:+.1f}; load {os.getloadavg()[1]:.1f}")
    return int(grown > MARGIN)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.memory", description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="sqlite")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        given = parser.parse_args()
        sys.exit(runner.run(main(given.database, given.records, given.steps)))
