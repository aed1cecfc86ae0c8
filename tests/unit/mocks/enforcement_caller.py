"""Calls the mock enforcement platform as the page says, with a signature that is made here."""

import base64
import hashlib
import hmac
import json
import random
from collections.abc import Callable
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import httpx

from mocks.enforcement import EnforcementPlatform, EnforcementSettings
from tests.unit.mocks.city_clock import CityClock

SECRET = "s3cret"
SHOP = "91330782MA28D0BT14"


class Slowest(random.Random):
    """Draws the longest delay whenever one is drawn."""

    def uniform(self, a: float, b: float) -> float:
        return max(a, b)


def task_order(external_no: str = "AV0001", **changes: object) -> dict[str, object]:
    order: dict[str, object] = {
        "externalNo": external_no,
        "type": "COMMITMENT",
        "title": "核查",
        "subjects": [{"code": SHOP, "name": "义乌市𬭎达印务有限公司", "address": "佛堂镇"}],
        "department": "WH",
        "participants": ["GA"],
        "dueAt": "2019-09-12T18:00:00+08:00",
        "origin": {"platform": "approval", "ref": "YW0001"},
        "checklist": ["WH-001"],
        "attachments": [],
        "urgency": 3,
    }
    return {**order, **changes}


class EnforcementCaller:
    """A client on the other side of the gateway."""

    def __init__(
        self,
        clock: CityClock,
        hub: Callable[[httpx.Request], httpx.Response] | None = None,
        rng: random.Random | None = None,
        **settings: Any,
    ) -> None:
        self.clock = clock
        whole = {"access_key": "hub", "secrets": (SECRET,), "callback_access_key": "cb", "callback_secrets": ("cb-secret",)}
        self.platform = EnforcementPlatform(
            EnforcementSettings(hub_url="http://hub", **{**whole, "visible_after": 0.0, **settings}),
            clock=clock,
            rng=rng or random.Random(7),
            sleep=clock.sleep,
            transport=httpx.MockTransport(hub or (lambda _: httpx.Response(503))),
        )
        if hub is None:
            self.platform.faults = self.platform.faults.changed({"callbacks_off": True})
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(self.platform.app), base_url="http://enforcement")

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: dict[str, str] | None = None,
        secret: str = SECRET,
        late: float = 0.0,
        changes: dict[str, str | None] | None = None,
    ) -> httpx.Response:
        path, content = f"/irs/v1/{path}", b"" if body is None else json.dumps(body).encode()
        pairs = sorted((quote(name, safe=""), quote(value, safe="")) for name, value in (query or {}).items())
        joined = "&".join("=".join(pair) for pair in pairs)
        date = format_datetime((self.clock() - timedelta(seconds=late)).astimezone(UTC), usegmt=True)
        text = f"{method}\n{path}\n{joined}\nhub\n{date}\n"
        headers: dict[str, str | None] = {
            "X-BG-HMAC-ACCESS-KEY": "hub",
            "X-BG-HMAC-ALGORITHM": "hmac-sha256",
            "X-BG-DATE": date,
            "X-BG-HMAC-SIGNATURE": base64.b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode(),
            "X-Body-SM3": hashlib.new("sm3", content).hexdigest(),
            **(changes or {}),
        }
        sent = {name: value for name, value in headers.items() if value is not None}
        return await self.client.request(method, path + ("?" + joined if joined else ""), headers=sent, content=content)

    async def make(self, number: str = "AV0001", **changes: object) -> str:
        answer = await self("POST", "tasks", task_order(number, **changes))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["taskId"])

    async def close(self) -> None:
        await self.client.aclose()
        await self.platform.stop()
