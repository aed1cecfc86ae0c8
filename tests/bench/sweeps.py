"""`uv run python -m tests.bench.sweeps [--approvals N] [--database postgresql|sqlite]`: what sweeps cost over a large mirror.

Fills a database on the disk with approvals and all that belongs to them (million_approvals.py), and prints seconds on the clock
and seconds of the processor, database and hub apart: on a machine that others use too, the second is what can be compared.
Every step must have found exactly what it was to find.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import structlog
import uvloop
from rich.console import Console
from rich.table import Table as Printed
from sqlalchemy import Connection, text

from hub.domain.policy import load_policy
from hub.mirror import queries
from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.sealing import Seals
from hub.mirror.upgrade import upgrade
from hub.reconcile.derive import Derivation
from hub.reconcile.rule import Rulebook
from hub.reconcile.rules import RULES
from hub.reconcile.sweep import Sweep
from schema.entities import Approval
from schema.entity import Observation
from tests.bench.city_statistics import PatientDatabase
from tests.bench.million_approvals import BROKEN, fill
from tests.bench.processor import seconds_of
from tests.servers import postgresql_server

NOW = datetime(2019, 12, 1, tzinfo=UTC)
SETTINGS = {"work_mem": "32MB", "random_page_cost": "1.1", "max_wal_size": "4GB"}
"""As docs/scale.md advises; the buffers stay as small as they are by default, 128 MB."""
CHUNK = 500
CHANGED = (0, 100, 1000, 10_000)


@dataclass
class Bench:
    """A filled database, and what is printed about it."""

    database: Database
    rows: Rows
    sweep: Sweep
    server: int | None
    """The first process of the database server."""
    table: Printed

    async def step(self, name: str, work: Callable[[], Awaitable[int]], expected: int | None = None) -> None:
        """Do something and print what it cost; raise AssertionError if it did not find what it should."""
        before, begun = self._cpu(), time.perf_counter()
        found = await work()
        took = time.perf_counter() - begun
        database, own = (after - at for after, at in zip(self._cpu(), before, strict=True))
        self.table.add_row(name, f"{found:,}", f"{took:.2f}", f"{database:.2f}" if self.server else "-", f"{own:.2f}")
        assert expected in {None, found}, f"{name}: {found} instead of {expected}"

    def _cpu(self) -> tuple[float, float]:
        return (seconds_of(self.server) if self.server else 0.0), time.process_time()


@contextlib.asynccontextmanager
async def filled(kind: str, approvals: int, rows: Rows, folder: Path) -> AsyncIterator[tuple[Database, int | None]]:
    """Lend a database that holds so many approvals, and the server's first process."""
    if kind == "sqlite":
        database = SQLiteDatabase(str(folder / "million.db"), busy_seconds=60)
        await upgrade(database)
        await database.write(fill, rows, approvals)
        await database.write(lambda connection: connection.execute(text("ANALYZE")))
        yield database, None
        await database.close()
        return
    with postgresql_server(folder) as server:
        async with server.fresh() as url:
            patient = PatientDatabase(url)
            await patient.write(fill, rows, approvals)
            await patient.close()
            await server.tune(SETTINGS, url)
            shared = PostgreSQLDatabase(url)
            yield shared, server.pid
            await shared.close()


async def main(kind: str, approvals: int) -> None:
    """Run all."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = Rows(Seals([("bench", bytes(32))], b"join" * 4))
    derivation = Derivation(rows, RULES, Rulebook(load_policy(), "330782"))
    title = f"{approvals:,} approvals on {kind}"
    table = Printed("step", "found", "clock (s)", "database (CPU s)", "hub (CPU s)", title=title, header_style="bold")
    with tempfile.TemporaryDirectory() as folder:
        async with filled(kind, approvals, rows, Path(folder)) as (database, server):
            bench = Bench(database, rows, Sweep(database, rows, derivation, lambda: NOW), server, table)
            await bench.step("full sweep, all closed (cold)", lambda: everything(bench), 0)
            await bench.step("full sweep, all closed", lambda: everything(bench), 0)
            await bench.sweep.recent()
            for count in (each for each in CHANGED if each <= approvals // 10):
                await database.write(change, rows, count, approvals)
                await bench.step(f"sweep over {count:,} changes", bench.sweep.recent, count)
            checks, results = await database.write(lose, approvals)
            # A check is there already, and proves its obligation; a result is due anew, and so is asked about once more as open.
            await bench.step(f"full sweep with {checks + results:,} gaps", lambda: everything(bench), checks + 2 * results)
            await bench.step(f"full sweep afterwards, {results:,} open", lambda: everything(bench), results)
    console = Console(width=110)
    console.print(table)
    console.print(f"load of the machine meanwhile: {os.getloadavg()[1]:.1f} on {os.cpu_count()} cores", style="dim")


async def everything(bench: Bench) -> int:
    """Sweep over everything; return how many causes rules were asked about."""
    swept = await bench.sweep.everything()
    assert swept.failed == ()
    return sum(swept.causes.values())


def change(connection: Connection, rows: Rows, count: int, approvals: int) -> None:
    """Let so many approvals, spread over all, have a newer version of which no rule was told."""
    step = max(1, approvals // (count or 1) // 2)
    numbers = [n for n in range(1, approvals, step) if n % BROKEN and n % 101][:count]
    found = queries.records_where(connection, rows, Approval, "approval_no", [f"A{n}" for n in numbers])
    newer = [msgspec.structs.replace(one, version=one.version + 1) for (one,) in found.values()]
    assert len(newer) == count
    upsert(connection, rows, [Observation(record=one) for one in newer])


def lose(connection: Connection, approvals: int) -> tuple[int, int]:
    """Delete obligations here and there: every 400th verification and every 1,000th write-back; return how many of each."""
    lost = {}
    for rule, every in (("approval-verification", 400), ("verification-result", 1000)):
        lost[rule] = 0
        causes = [f"A{n}" for n in range(every, approvals, every)]
        for start in range(0, len(causes), CHUNK):
            of = (queries.OBLIGATION.c.rule == rule) & queries.OBLIGATION.c.cause.in_(causes[start : start + CHUNK])
            lost[rule] += connection.execute(queries.OBLIGATION.delete().where(of)).rowcount
    return lost["approval-verification"], lost["verification-result"]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sweeps", description=__doc__)
    parser.add_argument("--approvals", type=int, default=1_000_000, help="approvals in the mirror")
    parser.add_argument("--database", choices=("postgresql", "sqlite"), default="postgresql")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        given = parser.parse_args()
        runner.run(main(given.database, given.approvals))
