"""The hub as it is deployed: `bihuan serve` in a process of its own, in production, with an application key and all limits."""

import contextlib
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from hub.app import Hub
from hub.demo_household import Household
from hub.mirror.records import upsert
from hub.mirror.subjects import know_subjects
from hub.settings import load_settings
from tests.bench.hub_process import settings_of
from tests.bench.peers.records import observations
from tests.bench.peers.stage import Endpoint, Peer, Stage, process
from tests.servers import free_ports

SAFE = {
    "HUB_PRODUCTION": "true",
    "HUB_GRAPH_ANONYMOUS": "false",
    "HUB_WORKER_INSIDE": "false",  # `bihuan work` does it beside; here there are no platforms to call
    "HUB_GRAPH_RATE_PER_SECOND": "1000000",  # each request is counted; no client of the bench is refused
}


def settings(folder: Path, database: str) -> dict[str, str]:
    """Return the settings of a hub on a database."""
    return settings_of(folder) | SAFE | {"HUB_DATABASE_URL": database}


async def fill(folder: Path, database: str) -> None:
    """Put the records into a database, which is brought up to date."""
    hub = Hub(load_settings(settings(folder, database)))
    async with hub.opened(upgrading=True):
        made = observations()
        await hub.database.write(upsert, hub.rows, made)
        await hub.database.write(know_subjects, hub.rows, made)


@contextlib.asynccontextmanager
async def serving(folder: Path, database: str, server: int | None = None) -> AsyncIterator[Endpoint]:
    """Run `bihuan serve` on a database that holds the records; `server` is the first process of its PostgreSQL."""
    command = (str(Path(sys.executable).parent / "bihuan"), "serve", "--port", "0")
    key = Household.of(folder).secrets["api_key"]
    async with process(command, _address, folder, settings(folder, database)) as hub:
        yield Endpoint(hub.said, (hub.pid,) if server is None else (hub.pid, server), {"x-api-key": key})


def _address(line: str) -> str | None:
    return line.removeprefix("graph: ").strip() if line.startswith("graph: ") else None


@contextlib.asynccontextmanager
async def both_on_postgresql(stage: Stage) -> AsyncIterator[Endpoint]:
    """Run two processes of the hub that share a port, as a machine of two cores has them."""
    folder, port = stage.folder / "postgresql", free_ports(1)[0]
    shared = settings(folder, stage.postgresql) | {"HUB_SHARE_PORT": "true", "HUB_PORT": str(port)}
    command = (str(Path(sys.executable).parent / "bihuan"), "serve")
    key = Household.of(folder).secrets["api_key"]
    async with process(command, _address, folder, shared) as one, process(command, _address, folder, shared) as other:
        servers = () if stage.server is None else (stage.server,)
        yield Endpoint(one.said, (one.pid, other.pid, *servers), {"x-api-key": key})


@contextlib.asynccontextmanager
async def on_sqlite(stage: Stage) -> AsyncIterator[Endpoint]:
    """Run the hub on a database file."""
    folder = stage.folder / "sqlite"
    database = f"sqlite:///{folder / 'hub.db'}"
    Household.of(folder)
    await fill(folder, database)
    async with serving(folder, database) as endpoint:
        yield endpoint


def on_postgresql(stage: Stage) -> contextlib.AbstractAsyncContextManager[Endpoint]:
    """Run the hub on the stage's PostgreSQL."""
    return serving(stage.folder / "postgresql", stage.postgresql, stage.server)


OURS = Peer("hub on PostgreSQL", "mirror on PostgreSQL", on_postgresql)
OURS_TWICE = Peer("hub, two processes", "the same, sharing a port", both_on_postgresql)
OURS_SQLITE = Peer("hub on SQLite", "mirror on SQLite", on_sqlite)
