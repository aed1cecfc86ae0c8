"""`POST /webhooks/{platform}`: size limit, address, signature; stored, then acknowledged in the platform's own dialect.

Refusals are JSON `{"code", "message"}` with a reason code, counted, and never stored as data. What there is no room for is
refused before its body is read, in the platform's dialect: it is sent again.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from urllib.parse import urlsplit

import msgspec
import structlog
from starlette.types import Receive, Scope, Send

from connectors.base import Answer, Connector, Delivery
from connectors.errors import BadSignature
from hub.intake.deliveries import Deliveries
from hub.intake.room import RETRY_AFTER, NoRoom, Room
from hub.web.posted import BodyIncomplete, BodyTooLarge, Network, body_within, headers_of, is_within, remote_of
from schema.identifiers import redact

log = structlog.get_logger()


LOCAL = {"localhost", "127.0.0.1", "::1"}


def name_open_doors(connectors: Mapping[str, Connector]) -> None:
    """Warn, once a start, of platforms elsewhere whose weakly signed webhooks are taken from any address."""
    for name, connector in connectors.items():
        if connector.is_open_to_all and urlsplit(connector.settings.url).hostname not in LOCAL:
            log.warning(
                "weakly signed webhooks are taken from any address",
                platform=name,
                cure=f"set HUB_{name.upper()}_CALLBACK_ADDRESSES",
            )


class Refused(Exception):
    """A webhook that is refused; says the HTTP status and the reason code."""

    def __init__(self, status: int, code: str, message: str, claimed_id: str | None = None) -> None:
        super().__init__(message)
        self.status, self.code, self.claimed_id = status, code, claimed_id


class Webhooks:
    """The ASGI application at /webhooks/{platform}. `count` is told of every delivery: platform, outcome; `refused` of
    every refusal: platform, reason code, address, claimed id, what was wrong. A platform's own limit counts where it is larger
    than `limit_bytes`.

    Plain ASGI, for this is where most requests come in: what a framework's request and response do besides costs as much as
    everything here.
    """

    def __init__(
        self,
        deliveries: Deliveries,
        connectors: Mapping[str, Connector],
        *,
        limit_bytes: int,
        reading: Room,
        answer_seconds: float,
        trusted_proxies: Sequence[Network],
        clock: Callable[[], datetime],
        count: Callable[[str, str], None],
        refused: Callable[[str, str, str | None, str | None, str], None],
    ) -> None:
        self._deliveries = deliveries
        self._connectors = connectors
        self._limit = limit_bytes
        self._reading = reading
        self._answer_seconds = answer_seconds
        self._proxies = trusted_proxies
        self._clock = clock
        self._count = count
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        platform = scope["path_params"]["platform"]
        connector = self._connectors.get(platform)
        try:
            answer = await self._answered(platform, connector, scope, receive)
        except Refused as refused:
            known = platform if connector else "unknown"
            self._count(known, refused.code.lower())
            remote = remote_of(scope, headers_of(scope), self._proxies)
            self._refused(known, refused.code, remote, refused.claimed_id, str(refused))
            log.warning("webhook refused", platform=known, code=refused.code, reason=str(refused))
            body = msgspec.json.encode({"code": refused.code, "message": str(refused)})
            answer = Answer(status=refused.status, body=body, content_type="application/json")
        await _send(send, answer)

    async def _answered(self, platform: str, connector: Connector | None, scope: Scope, receive: Receive) -> Answer:
        if connector is None:
            known = ", ".join(sorted(self._connectors))
            raise Refused(404, "UNKNOWN_PLATFORM", f"no platform '{platform[:40]}'; webhooks go to one of {known}")
        headers = headers_of(scope)
        remote = remote_of(scope, headers, self._proxies)
        allowed = connector.settings.callback_addresses
        if allowed and not is_within(remote, allowed):
            raise Refused(403, "ADDRESS_NOT_ALLOWED", f"{platform}: webhooks do not come from this address")
        heading = Delivery(
            platform=platform, path=scope["path"], headers=headers, body=b"", received_at=self._clock(), remote=remote
        )
        answer = await self._in_time(connector, heading, receive)
        self._count(platform, "stored" if answer.status < 300 else "not_stored")
        return answer

    async def _in_time(self, connector: Connector, heading: Delivery, receive: Receive) -> Answer:
        """Return the platform's acknowledgement, or what makes it send again where there is no room or no time for it."""
        delivery = heading
        try:
            async with asyncio.timeout(self._answer_seconds):
                limit = max(self._limit, connector.settings.webhook_limit_bytes or 0)
                delivery = msgspec.structs.replace(heading, body=await self._body(heading, receive, limit))
                return await self._deliveries.take(delivery)
        except BadSignature as refused:
            claimed = connector.claimed_id(delivery)
            raise Refused(401, refused.code, redact(str(refused)), claimed) from None
        except NoRoom:
            log.warning("no room for a webhook", platform=heading.platform)
        except TimeoutError:  # whether the sender is slow or we are: it may come again
            log.warning("webhook not stored in time", platform=heading.platform, seconds=self._answer_seconds)
        return connector.acknowledge(heading, stored=False)

    async def _body(self, heading: Delivery, receive: Receive, limit: int) -> bytes:
        """Return the body; raise NoRoom before it is read, and Refused."""
        try:
            return await body_within(self._reading, heading.headers, receive, limit)
        except BodyTooLarge:
            raise Refused(413, "BODY_TOO_LARGE", f"{heading.platform}: a webhook has at most {limit} bytes") from None
        except BodyIncomplete:
            raise Refused(400, "BODY_INCOMPLETE", f"{heading.platform}: the webhook's body ended early") from None


async def _send(send: Send, answer: Answer) -> None:
    """Send an answer; one that asks to come again says when."""
    headers = {"content-length": str(len(answer.body)), "content-type": answer.content_type, **answer.headers}
    if answer.status == 503:
        headers.setdefault("retry-after", str(RETRY_AFTER))
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": answer.status, "headers": raw})
    await send({"type": "http.response.body", "body": answer.body})
