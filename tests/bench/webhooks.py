"""Durable webhook acknowledgements a second against the bare framework's POST (same server, same client, same bodies)."""

import base64
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from hub.demo_household import Household
from tests.bench.hub_process import process
from tests.bench.load import request, send_all
from tests.bench.rounds import Contender, Measured, interleaved

COUNT = 3000


def deliveries(secret: str, first: int) -> Iterator[bytes]:
    """Yield signed deliveries of the credit platform, each of another subject."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    for number in range(first, first + COUNT):
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


async def measure(rounds: int) -> tuple[Measured, Measured]:
    """Return the rates of hub and floor, in acknowledgements a second."""
    with TemporaryDirectory() as folder:
        secret = Household.of(Path(folder)).secrets["credit_webhook"]
        async with process("hub", Path(folder)) as hub, process("bare", Path(folder)) as bare:
            sent = 0

            async def load(port: int, status: int) -> None:
                nonlocal sent
                prepared = list(deliveries(secret, sent))
                sent += COUNT
                await send_all(port, prepared, lambda got, _body: got // 100 == status // 100)

            contenders = [
                Contender("hub", COUNT, lambda: load(hub, 200)),
                Contender("bare framework", COUNT, lambda: load(bare, 200)),
            ]
            found = await interleaved(contenders, rounds)
    return found["hub"], found["bare framework"]
