"""Durable webhook acknowledgements a second against the bare framework's POST (same server, same client, same bodies)."""

import asyncio
import base64
import contextlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from hub.demo_household import Household
from tests.bench.hub_process import process
from tests.bench.load import request, send_all, send_at
from tests.bench.rounds import Contender, Measured, interleaved

COUNT, CONNECTIONS = 3000, 256
RATE, SECONDS = 500, 6


def deliveries(secret: str, first: int, count: int = COUNT) -> Iterator[bytes]:
    """Yield signed deliveries of the credit platform, each of another subject."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    for number in range(first, first + count):
        code = f"RID-{number:064x}"
        data = {
            "code": code,
            "codeType": "RESIDENT_ID",
            "name": "陈某",
            "score": 90.0,
            "grade": "A",
            "regulatoryPoints": 0.0,
            "version": 1,
            "updatedAt": "2019-08-15T09:00:00+08:00",
            "oldCodes": [],
        }
        body = json.dumps({"type": "subject.updated", "timestamp": data["updatedAt"], "data": data}, ensure_ascii=False).encode()
        at, message = str(int(time.time())), f"msg_{number}"
        signature = base64.b64encode(hmac.digest(key, f"{message}.{at}.".encode() + body, "sha256")).decode()
        headers = {
            "webhook-id": message,
            "webhook-timestamp": at,
            "webhook-signature": f"v1,{signature}",
            "content-type": "application/json",
        }
        yield request("POST", "/webhooks/credit", headers, body)


class Side:
    """The hub and the bare framework, each in its process, and deliveries that neither has seen."""

    def __init__(self, secret: str, hub: int, bare: int) -> None:
        self._secret, self.hub, self.bare = secret, hub, bare
        self._sent = 0

    def fresh(self, count: int) -> list[bytes]:
        self._sent += count
        return list(deliveries(self._secret, self._sent - count, count))

    async def load(self, port: int) -> None:
        """Send as fast as answers come."""
        await send_all(port, self.fresh(COUNT), _good, CONNECTIONS)

    async def all_applied(self) -> None:
        """Return when the hub has applied all that it acknowledged."""
        while await asyncio.to_thread(self._waiting):  # noqa: ASYNC110  (in another process)
            await asyncio.sleep(0.1)

    def _waiting(self) -> int:
        told = httpx.get(f"http://127.0.0.1:{self.hub}/metrics", trust_env=False, timeout=30).text
        return sum(int(float(line.split()[-1])) for line in told.splitlines() if line.startswith("bihuan_deliveries_waiting{"))


def _good(status: int, _body: bytes) -> bool:
    return status // 100 == 2


@contextlib.asynccontextmanager
async def both() -> AsyncIterator[Side]:
    """Run both beside us."""
    with TemporaryDirectory() as folder:
        secret = Household.of(Path(folder)).secrets["credit_webhook"]
        async with process("hub", Path(folder)) as hub, process("bare", Path(folder)) as bare:
            yield Side(secret, hub, bare)


async def measure(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of hub and floor, in acknowledgements a second."""
    async with both() as side:
        contenders = [
            Contender("hub", COUNT, lambda: side.load(side.hub), side.all_applied),
            Contender("bare framework", COUNT, lambda: side.load(side.bare)),
        ]
        found = await interleaved(contenders, rounds)
    return found["hub"], found["bare framework"]


async def measure_latency(rounds: int) -> tuple[Measured, Measured]:
    """Return the 99th percentile of the time to an answer, in milliseconds, at 500 deliveries a second: hub and floor.

    Meanwhile the hub applies what comes in.
    """
    found: dict[int, list[float]] = {}
    async with both() as side:
        for port in (side.hub, side.bare) * (1 + rounds):
            took = sorted(await send_at(port, side.fresh(RATE * SECONDS), _good, RATE))
            found.setdefault(port, []).append(took[len(took) * 99 // 100] * 1000)
            await side.all_applied()
    ours, floor = (tuple(found[port][1:]) for port in (side.hub, side.bare))
    return Measured("hub", ours), Measured("bare framework", floor)
