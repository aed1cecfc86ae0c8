"""SIGTERM under load: what is under way is answered, new work is refused, and the process ends within its grace."""

import asyncio
import json
import socket
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import Connection, select

from hub.mirror import ledger
from hub.mirror.database import PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.tables import TABLES
from hub.web.serving import ANSWERS_WITHIN
from tests.e2e.eventually import eventually
from tests.e2e.hasty_clock import true_clock
from tests.e2e.late import Late
from tests.e2e.processes import STARTS_WITHIN, Running, bihuan, quick, serves, works
from tests.e2e.signed import signed
from tests.e2e.stage import Stage, staged
from tests.servers import PostgreSQLServer

ENDS_WITHIN = ANSWERS_WITHIN + 30
"""Seconds; deploy/ gives more. So much is needed only on a machine that others use too."""
DELIVERIES = TABLES["Delivery"]


def delivery(stage: Stage, number: int) -> tuple[str, dict[str, str], bytes]:
    """A webhook of the credit platform that names a record which nobody has."""
    body = json.dumps({"type": "record.created", "n": number, "data": {"recordId": f"CR-{number}"}}).encode()
    made = signed(stage, "credit", body, nonce=f"stop-{number:06}")
    return made.path, made.headers, made.body


def head_of(path: str, headers: dict[str, str], body: bytes) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: hub", f"content-length: {len(body)}", *(f"{k}: {v}" for k, v in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


async def test_a_server_that_is_stopped_answers_what_is_under_way_and_refuses_what_is_new(tmp_path: Path) -> None:
    async with staged(tmp_path / "house", true_clock()) as stage:
        settings = quick(stage, f"sqlite:///{tmp_path / 'hub.db'}", POLL="false", WEBHOOK_SECONDS="20")
        async with bihuan("serve", settings=settings, log=tmp_path / "serve.log") as serve:
            address = httpx.URL(await serves(serve))
            path, headers, body = delivery(stage, 0)
            reader, writer = await asyncio.open_connection(address.host, address.port)
            writer.write(head_of(path, headers, body) + body[:10])  # the rest comes after the signal
            await writer.drain()
            acknowledged, refused = await _load_until_refused(stage, serve, f"{address}")
            writer.write(body[10:])
            answer = await asyncio.wait_for(reader.read(), ENDS_WITHIN)
            writer.close()
            assert answer.startswith(b"HTTP/1.1 20"), answer
            await asyncio.wait_for(serve.process.wait(), ENDS_WITHIN)
            assert serve.process.returncode == 0, serve.said
    assert refused
    assert len(acknowledged) > 20
    database = SQLiteDatabase(str(tmp_path / "hub.db"))
    kept = await database.read(lambda connection: set(connection.execute(select(DELIVERIES.c.message_id)).scalars()))
    await database.close()
    assert kept >= {f"msg_stop-{number:06}" for number in (0, *acknowledged)}


async def _load_until_refused(stage: Stage, serve: Running, address: str) -> tuple[list[int], int]:
    """Post webhooks at once from several clients; stop the server in the middle, and go on until no connection is made.

    Returns the numbers of those that were acknowledged, and how many were not.
    """
    acknowledged: list[int] = []
    numbers, refused = iter(range(1, 100_000)), 0

    async def client() -> None:
        nonlocal refused
        async with httpx.AsyncClient(trust_env=False, base_url=address) as session:
            for number in numbers:
                path, headers, body = delivery(stage, number)
                try:
                    answer = await session.post(path, headers=headers, content=body, timeout=30)
                except httpx.TransportError:
                    refused += 1
                    if not _listens(httpx.URL(address)):
                        return
                    continue
                if answer.is_success:
                    acknowledged.append(number)
                if len(acknowledged) == 20:
                    serve.process.terminate()

    async with asyncio.timeout(60):
        await asyncio.gather(*(client() for _ in range(8)))
    return acknowledged, refused


def _listens(address: httpx.URL) -> bool:
    try:
        with socket.create_connection((address.host, address.port or 80), timeout=1):
            return True
    except OSError:
        return False


async def test_a_worker_that_is_stopped_gives_back_what_it_had_and_nothing_is_made_twice(
    postgresql: PostgreSQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with postgresql.fresh() as url, staged(tmp_path / "house", true_clock(), approval={"calls_per_second": 200}) as stage:
        settings = quick(stage, url, WORK_PORT="0", LEASE_SECONDS="300")
        monkeypatch.setattr(stage.enforcement, "after_work", lambda answer: Late(answer, 5.0))
        serials = [stage.approval.grant(procedure="1") for _ in range(30)]
        tasks = stage.enforcement.store.all("task")
        async with bihuan("work", settings=settings, log=tmp_path / "first.log") as first:
            await eventually(works, first, within=STARTS_WITHIN, or_say="bihuan work")
            await _probed(first)
            await eventually(lambda: len(tasks) >= 5, within=30, or_say="the first tasks")  # none of them was answered yet
            begun = time.monotonic()
            first.process.terminate()
            await asyncio.wait_for(first.process.wait(), ENDS_WITHIN)
            assert first.process.returncode == 0, first.said
            assert time.monotonic() - begun < ENDS_WITHIN
        assert await _leased(url) == [], "a lease of 300 s would hold it as long"
        monkeypatch.undo()
        async with bihuan("work", settings=settings, log=tmp_path / "second.log"):
            for serial in serials:
                await eventually(stage.tasks_for, serial, within=60, or_say=f"the task of {serial}")
            await eventually(lambda: _seen(url, len(serials)), within=60, or_say="all tasks seen")
    assert {serial: len(stage.tasks_for(serial)) for serial in serials} == dict.fromkeys(serials, 1)


async def _probed(worker: Running) -> None:
    """Ask the probes that deploy/ asks."""
    lines = [line for line in worker.said.splitlines() if line.startswith("bihuan: health: ")]
    address = lines[0].removeprefix("bihuan: health: ").removesuffix("/livez")
    async with httpx.AsyncClient(trust_env=False, base_url=address) as client:
        for path in ("/livez", "/readyz", "/metrics"):
            assert (await client.get(path)).status_code == 200, path
        assert (await client.get("/graphql")).status_code == 404


async def _leased(url: str) -> list[str]:
    def leased(connection: Connection) -> list[str]:
        return list(connection.execute(select(ledger.OBLIGATION.c.key).where(ledger.OBLIGATION.c.state == "LEASED")).scalars())

    database = PostgreSQLDatabase(url, connections=1)
    try:
        return await database.read(leased)
    finally:
        await database.close()


async def _seen(url: str, count: int) -> bool:
    database = PostgreSQLDatabase(url, connections=1)
    try:
        return (await database.read(ledger.backlog)).get(("enforcement", "CLOSED"), 0) == count
    finally:
        await database.close()
