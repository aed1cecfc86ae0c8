"""Records a second through apply (parse, upsert, history, subjects, rules, marks) against plain batched upserts of them."""

from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import Connection

from connectors.base import Delivery
from hub.app import Hub
from hub.demo_household import Household
from hub.mirror import inbox
from hub.mirror.database import insert_into
from hub.mirror.tables import CONTENT_HASH, TABLES
from hub.settings import load_settings
from schema.entity import Observation
from tests.bench.hub_process import settings_of
from tests.bench.rounds import Contender, Measured, interleaved
from tests.bench.webhooks import deliveries
from tests.servers import postgresql_server

COUNT, BATCH = 2000, 200


async def measure_sqlite(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates on SQLite: apply, and plain upserts."""
    with TemporaryDirectory() as folder:
        return await _measure(rounds, Path(folder), {})


async def measure_postgresql(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates on PostgreSQL, the server beside us on the same cores."""
    with TemporaryDirectory() as folder, postgresql_server() as server:
        async with server.fresh() as url:
            return await _measure(rounds, Path(folder), {"HUB_DATABASE_URL": url})


async def _measure(rounds: int, folder: Path, own: dict[str, str]) -> tuple[Measured, Measured]:
    secret = Household.of(folder).secrets["credit_webhook"]
    hub, made = Hub(load_settings(settings_of(folder) | own)), 0
    connector, rows = hub.connectors["credit"], hub.rows

    def fresh() -> list[Delivery]:
        nonlocal made
        made += COUNT
        return [_delivery(request) for request in deliveries(secret, made - COUNT, COUNT)]

    async def keep() -> None:
        kept = [inbox.kept(one, connector.verify(one), 0) for one in fresh()]
        for start in range(0, COUNT, BATCH):
            await hub.database.write(inbox.store, rows, kept[start : start + BATCH])

    async def apply() -> None:
        applied = 0
        while done := await hub.applier.apply_deliveries(BATCH):
            applied += done
        assert applied == COUNT, f"{applied} of {COUNT} deliveries were applied"

    async def plain() -> None:
        items = [item for one in fresh() for item in connector.parse(one)]
        values = [rows.as_row(item.record) | {CONTENT_HASH: b""} for item in items if isinstance(item, Observation)]
        assert len(values) == COUNT
        for start in range(0, COUNT, BATCH):
            await hub.database.write(_upsert, values[start : start + BATCH])

    async with hub.opened(upgrading=True):
        await keep()
        contenders = [Contender("apply", COUNT, apply, keep), Contender("plain batched SQL", COUNT, plain)]
        found = await interleaved(contenders, rounds)
    return found["apply"], found["plain batched SQL"]


def _upsert(connection: Connection, values: list[dict[str, object]]) -> None:
    insert = insert_into(connection, TABLES["CreditProfile"])
    connection.execute(insert.on_conflict_do_nothing(index_elements=["code"]), values)


def _delivery(request: bytes) -> Delivery:
    head, body = request.split(b"\r\n\r\n", 1)
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n")[1:])
    return Delivery(platform="credit", path="/webhooks/credit", headers=headers, body=body, received_at=datetime.now(UTC))
