"""The grass-roots grid platform (基层治理四平台): SOAP with an XML string inside, GB18030, compact Beijing times.

Written against platforms/grid.md. Records are read in `grid_records`, calls made in `grid_calls`, commands in `grid_commands`.
"""

import hmac
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import ClassVar, Final

import msgspec
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
    Quarantined,
    Receipt,
    Stream,
    Surroundings,
    Verified,
)
from connectors.buckets import Buckets, Digest, day_bounds
from connectors.claimed import claimed_id
from connectors.errors import BadSignature, ConnectorError, PermanentError, TransientError
from connectors.grid_calls import DONE, UNKNOWN, GridCalls, Said, sign
from connectors.grid_commands import ensure
from connectors.grid_records import (
    BEIJING,
    PLATFORM,
    READERS,
    broken_record,
    compact,
    moment,
    read_callback,
    read_event,
    updated_at,
)
from connectors.grid_settings import GridSettings
from connectors.http import PlatformClient, UnusableError
from connectors.live_read import together
from connectors.place import Place, read_place
from connectors.signing import matching_secret, require_fresh
from connectors.soap import CONTENT_TYPE, child, name_of
from schema.commands import AnyCommand, FeedbackEvent
from schema.entity import Observation, key_of

PAGE: Final = 100  # "size at most 100"
IDENTITY: Final = re.compile(rb"<id>([^<]+)</id>")
SECOND: Final = timedelta(seconds=1)
HEADERS: Final = ("x-grid-user", "x-grid-time", "x-grid-sign")


class Source(msgspec.Struct, frozen=True):
    """Where a stream's records come from."""

    method: str
    element: str


SOURCES: Final = {"events": Source("QueryEvents", "event"), "coordinations": Source("QueryCoordinations", "coordination")}


class Rows(msgspec.Struct, frozen=True):
    """One page of a query: its records, how many there are in the whole window, and the newest change among them."""

    items: tuple[Item, ...]
    total: int
    newest: datetime | None
    answered: datetime | None
    """The platform's own time of the answer, where it says one."""


class GridConnector(Connector):
    """The grid platform."""

    platform = PLATFORM
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream(name="events", entities=("GridEvent",), settling=timedelta(seconds=30), whole=("GridEvent",)),
        Stream(name="coordinations", entities=("TownCoordination",), settling=timedelta(seconds=30)),
    )
    announced: ClassVar[tuple[str, ...]] = ("GridEvent",)
    fetchable: ClassVar[Mapping[str, int]] = {"GridEvent": 1}
    digests: ClassVar[tuple[Buckets, ...]] = (
        Buckets(entity="GridEvent", stream="events", day_of="reported_at", algorithm="md5", upper=True),
    )
    only_from_addresses: ClassVar[bool] = True
    settings_class = GridSettings
    settings: GridSettings
    clock_limit: ClassVar[ClockLimit | None] = ClockLimit(
        timedelta(minutes=10), "it refuses our calls (code 3), and its callbacks look stale to us"
    )

    def __init__(self, settings: GridSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._client = PlatformClient(PLATFORM, settings, surroundings)
        self._calls = GridCalls(self._client, settings, surroundings)
        self._overlap = timedelta(seconds=settings.overlap_seconds)

    def verify(self, delivery: Delivery) -> Verified:
        """Return proof that the callback is the platform's (grid.md, Callbacks): user, time and MD5 over the raw body.

        Its id is new at each repetition, so that none is returned. Where it came from is for the engine to check.
        """
        for name in HEADERS:
            if not delivery.headers.get(name):
                raise BadSignature(PLATFORM, "MISSING_HEADER", f"callback without {name}")
        user, written, signature = (delivery.headers[name] for name in HEADERS)
        if not hmac.compare_digest(user.encode(), self.settings.callback_user.encode()):
            raise BadSignature(PLATFORM, "UNKNOWN_USER", "callback of another user than HUB_GRID_CALLBACK_USER")
        try:
            signed_at = moment(written)
        except ValueError:
            signed_at = None
        if signed_at is None or compact(signed_at) != written:  # nothing beside the digits: it would shift into the body
            raise BadSignature(PLATFORM, "BAD_TIMESTAMP", "callback whose x-grid-time is no yyyyMMddHHmmss")
        require_fresh(PLATFORM, signed_at, delivery.received_at, timedelta(seconds=self.settings.callback_fresh_seconds))
        passwords = self.settings.callback_passwords
        matched = matching_secret(passwords, lambda password: sign(password, written, delivery.body), [signature])
        if matched is None:
            raise BadSignature(PLATFORM, "BAD_SIGNATURE", "callback whose x-grid-sign fits none of HUB_GRID_CALLBACK_PASSWORDS")
        return Verified(signature=f"{signature}@{written}", secret_index=matched)

    def parse(self, delivery: Delivery) -> list[Item]:
        """Return the callback's one event or coordination."""
        return [read_callback(delivery.body, delivery.received_at)]

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return code 0 if stored, else 503 with code 9: delivered again 10 minutes later."""
        code = b"0" if stored else b"9"
        body = b"<response><code>" + code + b"</code></response>"
        return Answer(status=200 if stored else 503, body=body, content_type=CONTENT_TYPE)

    @property
    def secrets(self) -> Mapping[str, tuple[SecretStr, ...]]:
        """Return the passwords of our user, and those of the platform's own."""
        return {CALLS: self.settings.passwords, WEBHOOKS: self.settings.callback_passwords}

    def claimed_id(self, delivery: Delivery) -> str | None:
        """Return the callback's id, which is new at each repetition."""
        return claimed_id(IDENTITY, delivery.body)

    async def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Yield changes by updateTime, always from page 1 at the newest second read so far.

        Records move to later places when they change, and page numbers move with them; a place in time does not.
        """
        source = self._source(stream)
        place = read_place(PLATFORM, cursor).starting(self.surroundings.clock(), self._overlap)
        while place.began is not None:
            items, place = await self._next(source, place)
            yield Page(items=items, cursor=place.write(), more=place.began is not None)

    async def between(self, stream: str, start: datetime, end: datetime) -> AsyncIterator[Page]:
        """Yield changes whose updateTime lies in the span, whose ends are widened to whole seconds."""
        source, at = self._source(stream), start.replace(microsecond=0)
        beyond = (end - timedelta(microseconds=1)).replace(microsecond=0) + SECOND
        while at < beyond:
            rows = await self._query(source, at, beyond, 1)
            if rows.total <= len(rows.items):
                yield Page(items=rows.items, cursor="", more=False)
                return
            if rows.newest is None:
                raise TransientError(
                    PLATFORM, "BAD_ANSWER", f"{source.method}: {rows.total} records promised, none with a time came"
                )
            if rows.newest > at:
                yield Page(items=rows.items, cursor="", more=True)
                at = rows.newest
            else:
                yield Page(items=await self._whole_second(source, at), cursor="", more=True)
                at += SECOND

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return events as they are now, one call each; the platform has no such call for coordinations."""
        if entity != "GridEvent":
            raise PermanentError(PLATFORM, "NOT_FETCHABLE", f"{entity} cannot be read by key; read a stream instead")
        found = await together(self._event(number) for number in dict.fromkeys(keys))
        return [item for item in found if item is not None]

    async def digest(self, entity: str, bucket: str) -> Digest:
        """Return CountEvents of a day, `yyyy-MM-dd`: by reportTime, over the lines `no:ver`."""
        day, _ = day_bounds(bucket)

        def judge(said: Said) -> Digest:
            if not (total := said.data_text("sum")):
                raise UnusableError("the answer has no sum")
            return Digest(int(said.data_text("count")), total.upper())

        return await self._calls.read("CountEvents", {"day": f"{day:%Y%m%d}"}, judge)

    async def contents(self, entity: str, bucket: str) -> AsyncIterator[Sequence[Item]]:
        """Yield the events that changed from that day on: none is changed before it is reported."""
        first, _ = day_bounds(bucket)
        place = Place(settled=first - self._overlap).starting(self.surroundings.clock(), self._overlap)
        while place.began is not None:
            items, place = await self._next(SOURCES["events"], place)
            yield items

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Make a command true; the platform itself knows repetitions, so that only an accept has to be waited out.

        That an event was returned is no proof yet when a repetition says it: the mirror may still hold the sending that was
        answered, and would be taken for the next one. So the event is shown as it is now, and the mirror proves it.
        """
        receipt = await ensure(self._calls, command, unknown_since)
        if receipt.repeated and isinstance(command, FeedbackEvent) and command.result == "returned":
            return msgspec.structs.replace(receipt, proof=False, shows=await self._shown(command.event_no))
        return receipt

    async def knock(self) -> Knocked:
        """Ask its base address for a sign of life."""
        return await self._client.knock()

    @property
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls; None while calls are let through."""
        return self._client.open_until

    async def close(self) -> None:
        """Close connections; pending calls end."""
        await self._client.close()

    def _source(self, stream: str) -> Source:
        if stream not in SOURCES:
            raise PermanentError(PLATFORM, "NO_SUCH_STREAM", f"no stream {stream!r}; there are {', '.join(SOURCES)}")
        return SOURCES[stream]

    async def _next(self, source: Source, place: Place) -> tuple[tuple[Item, ...], Place]:
        """Return the next records of a run and the place behind them."""
        start = place.reached or place.settled or self._history_start()
        start = None if start is None else start.replace(microsecond=0)
        rows = await self._query(source, start, None, 1)
        place = place.dated(rows.answered, self._overlap)
        if rows.total <= len(rows.items):
            return rows.items, place.ended(self._overlap)
        if rows.newest is None:
            raise TransientError(PLATFORM, "BAD_ANSWER", f"{source.method}: {rows.total} records promised, none with a time came")
        if start is None or rows.newest > start:
            return rows.items, place.advanced(rows.newest, self._overlap)
        return await self._whole_second(source, start), place.advanced(start + SECOND, self._overlap)

    async def _whole_second(self, source: Source, second: datetime) -> tuple[Item, ...]:
        """Return all records of one second that holds more than a page.

        Ties come in another order on each page, so that one pass shows some twice and others not at all: pass after pass is
        read until as many different ones were seen as there are, while their number stood still.
        """
        found: dict[str | bytes, Item] = {}
        seen: set[str | bytes] = set()
        total = -1
        for _ in range(self.settings.tie_passes):
            page = 1
            while page == 1 or (page - 1) * PAGE < total:
                rows = await self._query(source, second, second + SECOND, page)
                if rows.total != total:
                    total = rows.total
                    seen.clear()
                named = {_identity(item): item for item in rows.items}
                found |= named
                seen |= named.keys()
                if len(seen) >= total:
                    return tuple(found.values())
                page += 1
        came = f"only {len(seen)} of {total} records came in {self.settings.tie_passes} passes"
        message = f"{source.method}: second {compact(second)}: {came}"
        raise TransientError(PLATFORM, "INCOMPLETE_SECOND", message, self.settings.poll_seconds)

    async def _query(self, source: Source, start: datetime | None, end: datetime | None, page: int) -> Rows:
        fields = {
            "from": "" if start is None else compact(start),
            "to": "" if end is None else compact(end),
            "status": "",
            "page": str(page),
            "size": str(PAGE),
        }
        return await self._calls.read(source.method, fields, partial(self._rows, source))

    def _rows(self, source: Source, said: Said) -> Rows:
        now, read = self.surroundings.clock(), READERS[source.element]
        elements = [each for each in said.data if name_of(each) == source.element]
        items = (*(read(element, now) for element in elements), *map(broken_record, said.broken))
        if not (total := said.data_text("total")).isdigit():
            raise UnusableError("the answer has no total")
        times = (at for element in elements if (at := updated_at(element)) is not None)
        return Rows(items, int(total), max(times, default=None), said.answered)

    async def _event(self, number: str) -> Item | None:
        def judge(said: Said) -> Item | None:
            if said.code == UNKNOWN:
                return None
            if said.broken:
                return broken_record(said.broken[0])
            if (event := child(said.data, "event")) is None:
                raise UnusableError("the answer has no event")
            return read_event(event, self.surroundings.clock())

        return await self._calls.read("GetEvent", {"no": number}, judge, codes=(DONE, UNKNOWN), same=number)

    async def _shown(self, number: str) -> tuple[Item, ...]:
        """Return an event as it is now, or nothing where it cannot be read: then the echo asks again later."""
        try:
            event = await self._event(number)
        except ConnectorError:
            return ()
        return () if event is None else (event,)

    def _history_start(self) -> datetime | None:
        first = self.settings.history_since
        return None if first is None else datetime.combine(first, time(), BEIJING).astimezone(UTC)


def _identity(item: Item) -> str | bytes:
    """Return what tells records of one page apart: the key, or the whole content where it cannot be read."""
    if isinstance(item, Quarantined):
        return item.key or item.content
    return item.key if not isinstance(item, Observation) else key_of(item.record)
