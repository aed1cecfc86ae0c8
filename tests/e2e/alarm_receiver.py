"""Somebody who is told of alerts at an address of their own, over HTTP, and takes only what is signed."""

import base64
import contextlib
import json
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from standardwebhooks import Webhook
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hub.web.serving import address_of, listen, serving

SECRET = "whsec_" + base64.b64encode(b"a secret of twenty-four b").decode()


@dataclass
class AlarmReceiver:
    """Counts what it was told: kind, alert, platform."""

    address: str = ""
    told: Counter[tuple[str, str, str | None]] = field(default_factory=Counter)

    @property
    def settings(self) -> dict[str, str]:
        """Return what a hub must be told to tell it, without HUB_."""
        return {"ALERT_WEBHOOK": f"{self.address}/alarm", "ALERT_SECRET": SECRET}

    def was_told(self, kind: str, name: str, platform: str | None = None) -> bool:
        return self.told[kind, name, platform] > 0

    async def take(self, request: Request) -> Response:
        """Take what is signed; at which time is the sender's word, whose clock is a test's own."""
        body, headers = (await request.body()).decode(), request.headers
        signed_at = datetime.fromtimestamp(int(headers["webhook-timestamp"]), UTC)
        if headers["webhook-signature"] != Webhook(SECRET).sign(headers["webhook-id"], signed_at, body):
            return Response(status_code=401)
        said = json.loads(body)
        self.told[said["type"], said["data"]["name"], said["data"]["platform"]] += 1
        return Response(status_code=204)


@contextlib.asynccontextmanager
async def alarm_receiver() -> AsyncIterator[AlarmReceiver]:
    """Listen on a free port of the loopback."""
    receiver = AlarmReceiver()
    app = Starlette(routes=[Route("/alarm", receiver.take, methods=["POST"])])
    with listen("127.0.0.1", 0) as listening:
        receiver.address = address_of(listening)
        async with serving(app, listening):
            yield receiver
