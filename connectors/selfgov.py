"""The self-governance system (主体自治系统), as selfgov.md describes it: no API, but three tables of a shared database.

Rows become records in selfgov_records.py, tables are read on in selfgov_reading.py, written in selfgov_commands.py; every call goes
through selfgov_database.py.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import ClassVar, Final

from connectors.base import (
    Answer,
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
from connectors.errors import BadSignature, PermanentError
from connectors.selfgov_commands import mark_report, put_notice, put_score
from connectors.selfgov_database import ExchangeDatabase, Work
from connectors.selfgov_reading import Reading, keyed, next_rows, read_cursor
from connectors.selfgov_records import Row, item_of, items_of
from connectors.selfgov_settings import SelfgovSettings
from connectors.selfgov_tables import NOTICE, PLATFORM, RESULT, SCORE, Shape, look_at_tables
from connectors.spans import until
from schema.commands import AnyCommand, MarkReport, PutNotice, PutScore

STREAMS: Final = {"results": RESULT, "scores": SCORE, "notices": NOTICE}
_KEYS_AT_ONCE: Final = 200
_JSON: Final = "application/json; charset=utf-8"


class SelfgovConnector(Connector):
    """Reads what subjects did for themselves, marks it, and writes what they are told. Nothing is posted to us: all is read.

    Scores and notices are our own writing, and shown to the mirror as they are written; their streams only make good what was
    lost on that way, and are read seldom.
    """

    platform: ClassVar[str] = PLATFORM
    streams: ClassVar[tuple[Stream, ...]] = (
        Stream("results", ("SelfReport",), timedelta(seconds=300), whole=("SelfReport",)),
        Stream("scores", ("ScoreEntry",), timedelta(seconds=300), poll_factor=12, whole=("ScoreEntry",)),
        Stream("notices", ("Notice",), timedelta(days=7), poll_factor=60, whole=("Notice",)),
    )
    fetchable: ClassVar[Mapping[str, int]] = dict.fromkeys(("SelfReport", "ScoreEntry", "Notice"), _KEYS_AT_ONCE)
    settings_class: ClassVar[type[PlatformSettings]] = SelfgovSettings
    settings: SelfgovSettings

    def __init__(self, settings: SelfgovSettings, surroundings: Surroundings) -> None:
        super().__init__(settings, surroundings)
        self.database = ExchangeDatabase(settings, surroundings)

    # --- what it tells us

    def verify(self, delivery: Delivery) -> Verified:
        """Raise BadSignature: this system posts nothing, so that whatever claims to be from it is not."""
        raise BadSignature(PLATFORM, "NO_WEBHOOKS", "the self-governance system posts nothing; the hub reads its database")

    def parse(self, delivery: Delivery) -> list[Item]:
        """Return what rows say that are written as JSON, `{"zz_result": [row, ...], "zz_score": ..., "zz_notice": ...}`."""
        return items_of(delivery.body, delivery.received_at)

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return 200 if stored, else 503; nobody waits for it, as nothing is ever posted."""
        return Answer(status=200 if stored else 503, body=b"{}", content_type=_JSON)

    # --- what we read

    async def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Yield rows in the order of their times from what is settled to the present; see selfgov_reading.py."""
        shape, settling = self._shape(stream), self._settling(stream)
        reading = read_cursor(shape, cursor).starting(self.surroundings.clock(), settling)
        while reading.began is not None:
            looking = partial(next_rows, shape=shape, reading=reading, limit=self.settings.page_size)
            found = await self.database.read(f"read {shape.name}", looking)
            now = self.surroundings.clock()
            odd, reading = reading.telling(found.odd)
            more = len(found.rows) == self.settings.page_size
            reading = reading.turned(found.rows, shape, now, settling, more=more)
            items = tuple(item_of(shape, row, now) for row in (*odd, *found.rows))
            yield Page(items=items, cursor=reading.write(), more=more)

    def between(self, stream: str, start: datetime, end: datetime) -> AsyncIterator[Page]:
        """Yield rows whose time lies in the span, and those whose time cannot be read."""
        self._shape(stream)
        return until(self.changes(stream, Reading(settled=start).write()), end)

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return rows as they stand, by id, bizno or notice_no."""
        shapes = {shape.entity: shape for shape in STREAMS.values()}
        if entity not in shapes:
            raise PermanentError(PLATFORM, "NOT_FETCHABLE", f"{entity} is not kept there; there are {', '.join(shapes)}")
        shape = shapes[entity]
        wanted = _wanted(shape, keys)
        rows: list[Row] = []
        for at in range(0, len(wanted), _KEYS_AT_ONCE):
            some = wanted[at : at + _KEYS_AT_ONCE]
            rows += await self.database.read(f"look up {shape.name}", partial(keyed, shape=shape, keys=some))
        now = self.surroundings.clock()
        return [item_of(shape, row, now) for row in rows]

    # --- what we write

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Make a score, notice or mark true; each is idempotent, so that one without a known outcome is just made again."""
        now = self.surroundings.clock()
        match command:
            case PutScore():
                return await self._written("put score", lambda connection, tables: put_score(connection, tables, command, now))
            case PutNotice():
                return await self._written("put notice", lambda connection, tables: put_notice(connection, tables, command, now))
            case MarkReport():
                return await self._written("mark report", lambda connection, tables: mark_report(connection, tables, command, now))
            case _:
                name = type(command).__name__
                raise PermanentError(PLATFORM, "UNSUPPORTED", f"{key}: the self-governance system carries out no {name}")

    async def _written(self, operation: str, work: Work[Receipt]) -> Receipt:
        try:
            return await self.database.write(operation, work)
        except PermanentError as error:
            if error.code != "CONSTRAINT":
                raise
        # Another process made the row between our look and our insert: now it is found. A row that is refused for itself is
        # refused again.
        return await self.database.write(operation, work)

    # --- house-keeping

    async def knock(self) -> Knocked:
        """Look whether the three tables are there as the page has them."""
        return await self.database.read("knock", look_at_tables)

    @property
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls."""
        return self.database.open_until

    async def close(self) -> None:
        """Close connections."""
        await self.database.close()

    def _shape(self, stream: str) -> Shape:
        if stream not in STREAMS:
            raise PermanentError(PLATFORM, "NO_SUCH_STREAM", f"no stream {stream!r}; there are {', '.join(STREAMS)}")
        return STREAMS[stream]

    def _settling(self, stream: str) -> timedelta:
        return self.settings.notice_settling if stream == "notices" else self.settings.settling


def _wanted(shape: Shape, keys: Sequence[str]) -> list[object]:
    """Return the keys as the table has them, each once; what cannot be one is left out."""
    distinct = list(dict.fromkeys(keys))
    return (
        [int(key) for key in distinct if key.isascii() and key.isdigit() and len(key) <= 18] if shape.numbered else list(distinct)
    )
