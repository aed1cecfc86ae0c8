"""The administrative enforcement platform (行政执法监管平台): REST behind an HMAC gateway, not idempotent, visible late.

Written against platforms/enforcement.md. Tasks are read in `enforcement_tasks`, the rest in `enforcement_records`, batches of
events in `enforcement_webhooks`; calls are made in `enforcement_calls`, commands in `enforcement_commands`.
"""

import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import ClassVar, Final

import httpx
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
    Receipt,
    Stream,
    Surroundings,
    Verified,
)
from connectors.claimed import claimed_id
from connectors.enforcement_calls import EnforcementCalls, Listing, encoded, fields_of, target
from connectors.enforcement_commands import BEIJING, EnforcementCommands, written
from connectors.enforcement_draws import Draws
from connectors.enforcement_records import read_campaign, read_coordination, read_department, read_item, read_key_subject
from connectors.enforcement_settings import EnforcementSettings
from connectors.enforcement_tasks import read_task
from connectors.enforcement_values import PLATFORM, updated_at
from connectors.enforcement_webhooks import answer, read_batch, verify
from connectors.errors import CursorExpired, PermanentError, TransientError
from connectors.http import PlatformClient
from connectors.live_read import together
from connectors.place import Place, read_place
from connectors.roll import read_roll
from connectors.spans import until
from schema.commands import AnyCommand
from schema.entity import Observation, Tombstone, key_of

PAGE: Final = 100  # "limit at most 100"
BATCH: Final = re.compile(rb'"batchId"\s*:\s*"?([^"\\,}]+)')
RESTARTS: Final = 3
Read = Callable[[object, datetime], Item]


class Source(msgspec.Struct, frozen=True):
    """Where a stream's records come from.

    `timed`: by updatedAfter, else the whole list; `ordered`: by updatedAt; `deletes`: what the whole list lacks is gone;
    `drawn`: its records may name campaigns, which come with them.
    """

    path: str
    read: Read
    timed: bool = False
    ordered: bool = False
    etag: bool = False
    deletes: bool = False
    drawn: bool = False


SOURCES: Final = {
    "tasks": Source("tasks", read_task, timed=True, ordered=True, drawn=True),
    "coordinations": Source("coordinations", read_coordination, timed=True),
    "key_subjects": Source("key-subjects", read_key_subject, deletes=True),
    "departments": Source("departments", read_department, etag=True),
    "items": Source("items", read_item, etag=True),
}
SINGLE: Final[dict[str, tuple[str, Read]]] = {
    "VerificationTask": ("tasks", read_task),
    "Campaign": ("campaigns", read_campaign),
}
"""What can be read by its key."""
LISTED: Final = {"KeySubject": "key_subjects", "Department": "departments", "InspectionItem": "items"}
"""What can be read by its key only together with all others: short lists."""
UNSETTLED: Final = timedelta(seconds=3)
AT_ONCE: Final = timedelta(0)


class EnforcementConnector(Connector):
    """The enforcement platform."""

    platform = PLATFORM
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream(name="tasks", entities=("VerificationTask", "Campaign"), settling=UNSETTLED, whole=("VerificationTask",)),
        Stream(name="coordinations", entities=("Coordination",), settling=UNSETTLED),
        Stream(name="key_subjects", entities=("KeySubject",), settling=AT_ONCE, rereads=True),
        Stream(name="departments", entities=("Department",), settling=AT_ONCE, poll_factor=60),
        Stream(name="items", entities=("InspectionItem",), settling=AT_ONCE, poll_factor=60),
    )
    announced: ClassVar[tuple[str, ...]] = ("Coordination",)  # a task that is made is told by no event
    fetchable: ClassVar[Mapping[str, int]] = dict.fromkeys(SINGLE, 1)
    settings_class = EnforcementSettings
    settings: EnforcementSettings
    clock_limit: ClassVar[ClockLimit | None] = ClockLimit(
        timedelta(minutes=15), "its gateway refuses our calls (401), and its webhooks look stale to us"
    )

    def __init__(self, settings: EnforcementSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self._client = PlatformClient(PLATFORM, settings, surroundings)
        self._calls = EnforcementCalls(self._client, settings, surroundings)
        self._commands = EnforcementCommands(self._calls, settings, surroundings.clock)
        self._draws = Draws(self._campaign, surroundings.clock)
        self._overlap = timedelta(seconds=settings.overlap_seconds)

    def verify(self, delivery: Delivery) -> Verified:
        """Return proof that the batch is the platform's. Neither the batch's id nor its make-up stays over repetitions."""
        return verify(self.settings, delivery)

    def parse(self, delivery: Delivery) -> list[Item]:
        """Return what each event of the batch says."""
        return [event.item for event in read_batch(delivery.body, delivery.received_at)]

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return which events were accepted and which never can be; 503 if not stored, so that all are sent again."""
        if not stored:
            return Answer(status=503, body=b'{"accepted":[],"rejected":[]}', content_type="application/json; charset=utf-8")
        return answer(delivery.body, delivery.received_at)

    @property
    def secrets(self) -> Mapping[str, tuple[SecretStr, ...]]:
        """Return the secrets of our key, and those of the platform's own."""
        return {CALLS: self.settings.secrets, WEBHOOKS: self.settings.callback_secrets}

    def claimed_id(self, delivery: Delivery) -> str | None:
        """Return the batchId, which is new at each repetition."""
        return claimed_id(BATCH, delivery.body)

    def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Yield changes of tasks and coordinations; of the other streams the whole list, if it changed.

        With tasks come the campaigns that drew them, each when a task first names it.
        A key subject that two whole lists in a row lack is given as a Tombstone: the platform tells of removals in no other way.
        A cursor of the platform that has expired is replaced by the last settled place of our own.
        """
        source = self._source(stream)
        return self._timed(source, cursor) if source.timed else self._whole(source, cursor)

    def between(self, stream: str, start: datetime, end: datetime) -> AsyncIterator[Page]:
        """Yield tasks or coordinations that changed in the span; with coordinations, whose list is in no order, all later ones too.

        The short lists have no time at all.
        """
        source = self._source(stream)
        if not source.timed:
            return super().between(stream, start, end)
        pages = self._timed(source, Place(settled=start - timedelta(seconds=1)).write())  # "strictly later than"
        return until(pages, end) if source.ordered else pages

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return tasks and campaigns, one call each; key subjects, departments and items out of their whole list."""
        wanted = dict.fromkeys(keys)
        if entity in SINGLE:
            path, read = SINGLE[entity]
            found = await together(self._single(path, read, key) for key in wanted)
            return [item for item in found if item is not None]
        if entity in LISTED:
            listed = [item async for page in self._whole(SOURCES[LISTED[entity]], None) for item in page.items]
            return [item for item in listed if _key(item) in wanted]
        raise PermanentError(PLATFORM, "NOT_FETCHABLE", f"{entity} cannot be read by key; read a stream instead")

    async def tasks_by_external_no(self, external_no: str) -> list[Item]:
        """Return all tasks with a number of ours; one that was made less than 3 s ago may still be missing."""
        listing = await self._calls.listed("GET tasks by externalNo", target("tasks", externalNo=external_no))
        return self._items(SOURCES["tasks"], listing)

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Make a command true exactly once; see `EnforcementCommands`."""
        return await self._commands.ensure(command, unknown_since)

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

    async def _timed(self, source: Source, cursor: str | None) -> AsyncIterator[Page]:
        place = read_place(PLATFORM, cursor).starting(self.surroundings.clock(), self._overlap)
        restarts = 0
        while place.began is not None:
            try:
                listing = await self._calls.listed(f"GET {source.path}", self._timed_target(source, place))
            except CursorExpired as error:
                restarts += 1
                if place.token is None or restarts > RESTARTS:  # our own place is good: nobody should start from nothing
                    raise TransientError(PLATFORM, error.code, f"GET {source.path}: cursors expire at once") from error
                place = place.dropped().starting(self.surroundings.clock(), self._overlap)
                continue
            place = self._behind(source, listing, place)
            items = self._items(source, listing)
            items += await self._draws.behind(items) if source.drawn else []
            yield Page(items=tuple(items), cursor=place.write(), more=place.began is not None)

    def _timed_target(self, source: Source, place: Place) -> str:
        if place.token is not None:
            return target(source.path, cursor=place.token)
        since = place.settled or datetime.combine(self.settings.history_since, time(), BEIJING)
        limit = PAGE if source.ordered else None  # only the list of tasks has this parameter
        return target(source.path, updatedAfter=written(since.replace(microsecond=0)), limit=limit)

    def _behind(self, source: Source, listing: Listing | None, place: Place) -> Place:
        """Return the place behind a page."""
        if listing is None:
            return place.ended(self._overlap)
        place = place.dated(listing.answered, self._overlap)
        if listing.next_cursor is None:
            return place.ended(self._overlap)
        times = (at for item in listing.items if (at := updated_at(item)) is not None)
        newest = max(times, default=None) if source.ordered else None  # else older ones may come on later pages
        return place.advanced(newest, self._overlap, listing.next_cursor)

    async def _whole(self, source: Source, cursor: str | None) -> AsyncIterator[Page]:
        roll, restarts = read_roll(PLATFORM, cursor), 0
        while True:
            try:
                listing = await self._calls.listed(f"GET {source.path}", target(source.path, cursor=roll.token), etag=roll.etag)
            except CursorExpired as error:
                restarts += 1
                if restarts > RESTARTS:
                    raise TransientError(PLATFORM, error.code, f"GET {source.path}: cursors expire at once") from error
                roll = roll.dropped()
                continue
            if listing is None:  # still the list that we know
                yield Page(items=(), cursor=roll.write(), more=False)
                return
            first, items = roll.token is None, self._items(source, listing)
            roll = roll.turned((_key(item) for item in items) if source.deletes else (), listing.next_cursor)
            if listing.next_cursor is not None:
                yield Page(items=tuple(items), cursor=roll.write(), more=True)
                continue
            # The ETag of a first page says nothing of the pages behind it.
            roll, gone = roll.finished(listing.etag if source.etag and first else None)
            yield Page(items=(*items, *map(self._tombstone, gone)), cursor=roll.write(), more=False)
            return

    def _tombstone(self, code: str) -> Tombstone:
        now = self.surroundings.clock()  # the page does not say that versions go on where an entry is put again
        return Tombstone(entity="KeySubject", key=code, source=PLATFORM, observed_at=now, counts_anew=True)

    def _items(self, source: Source, listing: Listing | None) -> list[Item]:
        now = self.surroundings.clock()
        return [] if listing is None else [source.read(item, now) for item in listing.items]

    async def _campaign(self, campaign_id: str) -> Item | None:
        return await self._single(*SINGLE["Campaign"], campaign_id)

    async def _single(self, path: str, read: Read, key: str) -> Item | None:
        def judge(response: httpx.Response) -> Item | None:
            if response.status_code == httpx.codes.NOT_FOUND:
                return None
            return read(fields_of(response), self.surroundings.clock())

        found = (httpx.codes.NOT_FOUND,)
        return await self._calls.read(f"GET {path}/id", target(f"{path}/{encoded(key)}"), judge, found=found, same=(path, key))


def _key(item: Item) -> str | None:
    return key_of(item.record) if isinstance(item, Observation) else item.key
