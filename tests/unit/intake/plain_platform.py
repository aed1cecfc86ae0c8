"""A platform of the simplest kind, for tests of intake: its deliveries name approvals, its stream is a list of pages."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import ClassVar

from connectors.base import Answer, Connector, Delivery, Item, Page, PlatformSettings, Receipt, Stream, Surroundings, Verified
from connectors.errors import BadSignature
from schema.commands import AnyCommand
from tests.builders import approval, observed
from tests.settable_clock import SettableClock


class NoQuota:
    """Lets every call through."""

    async def acquire(self, platform: str, per_second: float) -> None:
        del platform, per_second


class PlainPlatform(Connector):
    """A delivery's body lists approvals as `number:version`, comma separated; its signature is the header x-signature.

    `pages` is what the stream has: a cursor is a number of pages; an exception among them is raised when it is reached.
    """

    platform: ClassVar[str] = "approval"
    streams: ClassVar[tuple[Stream, ...]] = (Stream(name="approvals", entities=("Approval",), settling=timedelta(0)),)
    settings_class: ClassVar[type[PlatformSettings]] = PlatformSettings

    def __init__(self, clock: SettableClock, **settings: object) -> None:
        surroundings = Surroundings(clock, clock.sleep, random.Random(1), NoQuota())
        super().__init__(PlatformSettings.model_validate({"url": "http://platform.example", **settings}), surroundings)
        self.pages: list[Sequence[Item] | BaseException] = []
        self.asked: list[str | None] = []
        self.closed = 0

    def verify(self, delivery: Delivery) -> Verified:
        signature = delivery.headers.get("x-signature", "")
        if not signature:
            raise BadSignature(self.platform, "SIGNATURE_MISSING", "no signature")
        old = signature.startswith("old-")
        return Verified(signature=signature, message_id=delivery.headers.get("x-message"), secret_index=int(old))

    def parse(self, delivery: Delivery) -> list[Item]:
        if delivery.body == b"poison":
            raise LookupError("nobody expected 13905790001 here")
        pairs = [word.split(":") for word in delivery.body.decode().split(",") if word]
        return [observed(approval(approval_no=number, version=int(version))) for number, version in pairs]

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        del delivery
        return Answer(status=200 if stored else 503, body=b"ok" if stored else b"again", content_type="text/plain")

    async def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        del stream
        self.asked.append(cursor)
        try:
            for at in range(int(cursor or 0), len(self.pages)):
                page = self.pages[at]
                await asyncio.sleep(0)
                if isinstance(page, BaseException):
                    raise page
                yield Page(items=tuple(page), cursor=str(at + 1), more=at + 1 < len(self.pages))
        finally:
            self.closed += 1

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        raise NotImplementedError(entity, keys)

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        raise NotImplementedError(command, key, unknown_since)

    @property
    def open_until(self) -> datetime | None:
        return None

    async def close(self) -> None:
        return None


def delivered(body: str, signature: str = "s1", message: str | None = None, clock: SettableClock | None = None) -> Delivery:
    """Return a delivery to `PlainPlatform`."""
    headers = {"x-signature": signature} | ({"x-message": message} if message else {})
    received_at = (clock or SettableClock())()
    return Delivery(
        platform="approval", path="/webhooks/approval", headers=headers, body=body.encode(), received_at=received_at, remote=None
    )
