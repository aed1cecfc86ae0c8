"""The nested query over ever larger mirrors on PostgreSQL: the same 50 approvals, the same answer, more around them."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection, func, select

from hub.app import Hub
from hub.mirror.tables import TABLES
from hub.settings import load_settings
from schema.declare import ENTITIES
from schema.entity import Mirrored
from tests.bench.city_statistics import PatientDatabase
from tests.bench.million_approvals import fill
from tests.bench.peers import ours
from tests.bench.peers.contest import NESTED_COUNT, Entrant
from tests.bench.peers.question import NESTED, TYPENAME
from tests.bench.peers.stage import Endpoint, asked, cost
from tests.bench.peers.wrk import Force, load
from tests.bench.sweeps import SETTINGS
from tests.servers import postgresql_server


async def grown(sizes: Sequence[int], rounds: int, force: Force) -> AsyncIterator[tuple[int, int, Entrant]]:
    """Yield for each number of approvals the mirrored rows that came of it and the rounds of the hub; interleaved."""
    async with contextlib.AsyncExitStack() as stack:
        # On the disk: what is large must not take the memory of others.
        folder = Path(stack.enter_context(TemporaryDirectory()))
        server = stack.enter_context(postgresql_server(folder))
        entrants: list[tuple[int, int, Entrant]] = []
        for size in sizes:
            own = folder / f"hub-{size}"
            own.mkdir()
            url = await stack.enter_async_context(server.fresh())
            rows = await _filled(own, url, size)
            await server.tune(SETTINGS, url)
            endpoint = await stack.enter_async_context(ours.serving(own, url, server.pid))
            entrants.append((size, rows, await _entrant(endpoint, entrants)))
        for counted in (False, *(True for _ in range(rounds))):
            for _, _, one in entrants:
                one.nested_rounds.append(await load(one.endpoint, NESTED, one.nested, force, folder))
                one.costs.append(await cost(one.endpoint, NESTED, one.nested, NESTED_COUNT))
                if not counted:
                    one.forget()
        for each in entrants:
            yield each


async def _entrant(endpoint: Endpoint, before: Sequence[tuple[int, int, Entrant]]) -> Entrant:
    nested = await asked(endpoint, NESTED)
    for size, _, other in before:
        assert nested == other.nested, f"the answer is another one than over {size} approvals"
    return Entrant(ours.OURS, endpoint, nested, await asked(endpoint, TYPENAME))


async def _filled(folder: Path, url: str, approvals: int) -> int:
    """Fill a database with approvals and all that follows, and with the 50 that are asked for; return the mirrored rows."""
    hub = Hub(load_settings(ours.settings(folder, url)))
    patient = PatientDatabase(url)
    try:
        await patient.write(fill, hub.rows, approvals)
        await ours.fill(folder, url)
        return await patient.read(_rows)
    finally:
        await patient.close()
        await hub.database.close()


def _rows(connection: Connection) -> int:
    mirrored = [name for name, entity in ENTITIES.items() if issubclass(entity.record, Mirrored)]
    return sum(connection.execute(select(func.count()).select_from(TABLES[name])).scalar_one() for name in mirrored)
