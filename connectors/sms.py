"""The SMS gateway (短信平台), as sms.md describes it: it sends, and it tells by receipts what became of a message.

Nothing can be read there, so that it has no streams. Calls are made in sms_calls.py, receipts read in sms_receipts.py.
"""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import ClassVar, Final

from pydantic import SecretStr

from connectors.base import (
    CALLS,
    WEBHOOKS,
    Answer,
    ClockLimit,
    Connector,
    Delivery,
    Item,
    Knocked,
    Page,
    PlatformSettings,
    Receipt,
    Stream,
    Surroundings,
    Verified,
)
from connectors.claimed import claimed_id
from connectors.errors import PermanentError
from connectors.sms_calls import SmsCalls
from connectors.sms_receipts import PLATFORM, read_receipt, verified
from connectors.sms_settings import SmsSettings
from schema.commands import AnyCommand, SendSms

TASK: Final = re.compile(rb"(?:^|&)taskid=([^&]+)")
CONTENT_AT_MOST: Final = 350  # characters


class SmsConnector(Connector):
    """Sends short messages; the answer itself is the proof, and a receipt only adds to it."""

    platform: ClassVar[str] = PLATFORM
    streams: ClassVar[tuple[Stream, ...]] = ()
    settings_class: ClassVar[type[PlatformSettings]] = SmsSettings
    signatures_expire = False  # the page states no tolerance (sms_receipts.py)
    settings: SmsSettings
    clock_limit: ClassVar[ClockLimit | None] = ClockLimit(
        timedelta(seconds=600), "it refuses our messages (result 1, signed again with its own clock)"
    )

    def __init__(self, settings: SmsSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._calls = SmsCalls(settings, surroundings)

    def verify(self, delivery: Delivery) -> Verified:
        """Return proof that a receipt is the gateway's: its sign stands in the form and does not cover mobile and status."""
        return verified(self.settings.secrets, delivery.body)

    def parse(self, delivery: Delivery) -> list[Item]:
        """Return the one receipt that a form holds."""
        return [read_receipt(delivery.body, delivery.received_at)]

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return the text `0` if stored; else 503, so that it comes again."""
        content_type = "text/plain; charset=utf-8"
        return Answer(status=200 if stored else 503, body=b"0" if stored else b"not stored", content_type=content_type)

    @property
    def secrets(self) -> Mapping[str, tuple[SecretStr, ...]]:
        """Return the secrets of our account: the same ones sign messages and receipts."""
        return {CALLS: self.settings.secrets, WEBHOOKS: self.settings.secrets}

    def claimed_id(self, delivery: Delivery) -> str | None:
        """Return the taskid."""
        return claimed_id(TASK, delivery.body)

    def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Raise PermanentError: there is nothing to read."""
        raise PermanentError(PLATFORM, "NO_SUCH_STREAM", f"no stream {stream!r}; the gateway has none")

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Raise PermanentError: there is nothing to read."""
        raise PermanentError(PLATFORM, "NOT_FETCHABLE", f"{entity} cannot be read: the gateway answers no questions")

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Send a message once: extno makes every repetition safe, at any time. See Connector.ensure.

        The reference is the gateway's taskid, or extno where it names none. A text that is too long is refused and never cut.
        """
        if not isinstance(command, SendSms):
            raise PermanentError(PLATFORM, "UNSUPPORTED", f"{key}: the SMS gateway carries out no {type(command).__name__}")
        if len(command.content) > CONTENT_AT_MOST:
            message = f"{command.ext_no}: the text has {len(command.content)} characters; the gateway takes {CONTENT_AT_MOST}"
            raise PermanentError(PLATFORM, "TOO_LONG", message)
        return await self._calls.send(command)

    async def knock(self) -> Knocked:
        """Ask its base address for a sign of life."""
        return await self._calls.client.knock()

    @property
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls."""
        return self._calls.client.open_until

    async def close(self) -> None:
        """Close connections."""
        await self._calls.client.close()
