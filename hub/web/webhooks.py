"""`POST /webhooks/{platform}`: size limit, address, signature; stored, then acknowledged in the platform's own dialect.

Refusals are JSON `{"code", "message"}` with a reason code, counted, and never stored as data.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

from connectors.base import Answer, Connector, Delivery
from connectors.errors import BadSignature
from hub.intake.deliveries import Deliveries
from hub.web.posted import BodyTooLarge, Network, body_of, is_within, remote_of
from schema.identifiers import redact

log = structlog.get_logger()


class Webhooks:
    """The endpoint. `count` is told of every delivery: platform, outcome."""

    def __init__(
        self,
        deliveries: Deliveries,
        connectors: Mapping[str, Connector],
        *,
        limit_bytes: int,
        answer_seconds: float,
        trusted_proxies: Sequence[Network],
        clock: Callable[[], datetime],
        count: Callable[[str, str], None],
    ) -> None:
        self._deliveries = deliveries
        self._connectors = connectors
        self._limit = limit_bytes
        self._answer_seconds = answer_seconds
        self._proxies = trusted_proxies
        self._clock = clock
        self._count = count

    async def __call__(self, request: Request) -> Response:
        """Answer one delivery."""
        platform = request.path_params["platform"]
        connector = self._connectors.get(platform)
        if connector is None:
            known = ", ".join(sorted(self._connectors))
            return self._refuse("unknown", 404, "UNKNOWN_PLATFORM", f"no platform '{platform[:40]}'; webhooks go to one of {known}")
        remote = remote_of(request, self._proxies)
        allowed = connector.settings.callback_addresses
        if allowed and not is_within(remote, allowed):
            return self._refuse(platform, 403, "ADDRESS_NOT_ALLOWED", f"{platform}: webhooks do not come from this address")
        try:
            body = await body_of(request, self._limit)
        except ClientDisconnect:
            return self._refuse(platform, 400, "BODY_INCOMPLETE", f"{platform}: the webhook's body ended early")
        except BodyTooLarge:
            return self._refuse(platform, 413, "BODY_TOO_LARGE", f"{platform}: a webhook has at most {self._limit} bytes")
        delivery = Delivery(
            platform=platform,
            path=request.url.path,
            headers={name.lower(): value for name, value in request.headers.items()},
            body=body,
            received_at=self._clock(),
            remote=remote,
        )
        try:
            answer = await self._taken(connector, delivery)
        except BadSignature as refused:
            return self._refuse(platform, 401, refused.code, redact(str(refused)))
        self._count(platform, "stored" if answer.status < 300 else "not_stored")
        return Response(answer.body, answer.status, dict(answer.headers), answer.content_type)

    async def _taken(self, connector: Connector, delivery: Delivery) -> Answer:
        """Return the platform's acknowledgement, or what makes it send again where a slow database would keep it waiting."""
        try:
            async with asyncio.timeout(self._answer_seconds):
                return await self._deliveries.take(delivery)
        except TimeoutError:
            log.warning("webhook not stored in time", platform=delivery.platform, seconds=self._answer_seconds)
            return connector.acknowledge(delivery, stored=False)

    def _refuse(self, platform: str, status: int, code: str, message: str) -> Response:
        self._count(platform, code.lower())
        log.warning("webhook refused", platform=platform, code=code, reason=message)
        return JSONResponse({"code": code, "message": message}, status)
