"""Tells HUB_ALERT_WEBHOOK of raised and cleared alerts, signed by the Standard Webhooks specification. Used by desk.py, watch.py.

The `webhook-id` is the same for each repetition, so that a receiver can tell one from a second alert.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime

import httpx
import msgspec
import structlog
from pydantic import SecretStr

from connectors.signing import standard_webhook_signature
from hub.alerts.rules import BY_NAME
from hub.alerts.words import text_of
from hub.mirror.alerts import Standing
from hub.mirror.rows import micros

log = structlog.get_logger()
WITHIN_SECONDS = 10.0
"""The receiver has so long to answer; then it is told again later."""
FIRST_WAIT, LONGEST_WAIT = 5.0, 300.0


class Teller:
    """Posts one message at a time; a receiver that does not answer costs `WITHIN_SECONDS`, no more. `count` hears the outcome."""

    def __init__(
        self,
        url: str,
        secret: SecretStr,
        clock: Callable[[], datetime],
        count: Callable[[str], None],
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._url, self._secret, self._clock, self._count = url, secret, clock, count
        self._http = httpx.AsyncClient(transport=transport, follow_redirects=False, trust_env=False, timeout=WITHIN_SECONDS)

    async def tell(self, one: Standing, about: str = "") -> bool:
        """Return whether the receiver took it: a 2xx. `about` tells apart what several processes find of themselves."""
        kind = "alert.raised" if one.cleared_at is None else "alert.cleared"
        named = f"{one.which.name}\n{one.which.platform}\n{about}\n{micros(one.raised_at)}\n{kind}"
        message_id = f"alert_{hashlib.sha256(named.encode()).hexdigest()[:40]}"
        body, timestamp = self._body(kind, one), str(int(self._clock().timestamp()))
        headers = {
            "content-type": "application/json",
            "webhook-id": message_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": standard_webhook_signature(
                self._secret.get_secret_value(), message_id=message_id, timestamp=timestamp, body=body
            ),
        }
        try:
            posted = self._http.stream("POST", self._url, content=body, headers=headers)
            async with asyncio.timeout(WITHIN_SECONDS), posted as answer:
                taken, said = answer.is_success, f"HTTP {answer.status_code}"
        except (httpx.HTTPError, TimeoutError, OSError) as error:
            taken, said = False, type(error).__name__
        self._count("taken" if taken else "not_taken")
        if not taken:
            log.warning("nobody could be told of an alert", alert=one.which.name, platform=one.which.platform or None, error=said)
        return taken

    def _body(self, kind: str, one: Standing) -> bytes:
        alert = BY_NAME.get(one.which.name)
        data = {
            "name": one.which.name,
            "platform": one.which.platform or None,
            "severity": None if alert is None else alert.severity.value,
            "text": one.which.name if alert is None else text_of(alert, one.which.platform, one.number),
            "since": one.since.isoformat(),
            "raisedAt": one.raised_at.isoformat(),
            "clearedAt": None if one.cleared_at is None else one.cleared_at.isoformat(),
            "runbook": None if alert is None else alert.runbook,
        }
        return msgspec.json.encode({"type": kind, "timestamp": self._clock().isoformat(), "data": data})

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()


def wait_before(tries: int) -> float:
    """Return how many seconds to wait after so many failures in a row, and one more."""
    return float(min(FIRST_WAIT * 2 ** min(tries, 10), LONGEST_WAIT))
