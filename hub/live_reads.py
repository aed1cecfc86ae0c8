"""Live reads for the graph (`schema.live.LiveReads`): batched, shared, within a share of the quota, and into the mirror too.

A key that is asked for while it is on its way is not asked twice; keys of one turn of the loop go together, as many to a call as
the platform takes. What comes is applied like everything else, so that versions never go back. Built by hub/parts.py.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple, cast

import structlog
from sqlalchemy import Connection

from connectors.base import Connector, Item, Quarantined
from hub.live_calls import LiveCalls, NotLive, late
from hub.live_found import Found, answer
from hub.live_share import STREAM, Line, LiveShare, used_up
from hub.mirror import records
from hub.mirror.confirming import confirm
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from schema.declare import ENTITIES, Declared
from schema.entity import Mirrored, Observation, key_of
from schema.graph_errors import INTERNAL
from schema.live import (
    LIVE_BAD_KEY,
    LIVE_BAD_RECORD,
    LIVE_NOT_BRIDGED,
    LIVE_TIMEOUT,
    Shown,
    Trouble,
)

log = structlog.get_logger()
TO_ANSWER = 0.1
"""Part of a platform's deadline that is left when the mirror has not been written yet: then what was shown is answered."""


@dataclass(eq=False)
class _Flight:
    """A key on its way: what becomes of it, and how many wait for that."""

    found: "asyncio.Future[Found]"
    waiting: int = 0


Flights = dict[str, _Flight]
"""What is on its way, by key."""


class _Kept(NamedTuple):
    applied: int
    records: Mapping[str, Mirrored]


class LiveReader:
    """Asks platforms for single records. `write` applies in the caller's transaction, `after` is called when something was new."""

    def __init__(
        self,
        database: Database,
        rows: Rows,
        connectors: Mapping[str, Connector],
        write: Callable[[Connection, str, str, Sequence[Item]], Any],
        *,
        clock: Callable[[], datetime],
        share: float,
        is_paused: Callable[[str], bool],
        after: Callable[[], None],
        count: Callable[[str, str], None],
    ) -> None:
        self._database, self._rows, self._write = database, rows, write
        self._clock, self._after, self._count = clock, after, count
        self._calls = LiveCalls(connectors, is_paused)
        self.share = LiveShare(database, connectors, clock, share)
        self._lines = {name: self.share.lines[one.platform] for one in connectors.values() for name in one.fetchable}
        self._flights: dict[str, Flights] = {}
        self._boarding: dict[str, Flights] = {}
        self._tasks: set[asyncio.Task[Any]] = set()

    async def read(self, entity: Declared, key: str, held: Any, begun: float) -> Shown:
        """Return a record as its platform has it now; `held`, with a trouble, where that cannot be known in time."""
        line = self._lines.get(entity.name)
        platform = line.platform if line else ""
        if line is None:
            told = f"{entity.name}: this hub does not bridge the platform that has it"
            found = Found(Trouble(platform, LIVE_NOT_BRIDGED, told, False))
        elif entity.live is None or not entity.live(key):
            told = f"{platform}: not asked, no {entity.name} goes by such a key; a person goes by the RID code"
            found = Found(Trouble(platform, LIVE_BAD_KEY, told, False))
        else:
            found = await self._found(line, entity.name, key, begun)
        shown = answer(platform, held, found)
        self._count(platform, shown.trouble.code if shown.trouble else "OK")
        return shown

    async def close(self) -> None:
        """Give up what is under way."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    # --- keys on their way

    async def _found(self, line: Line, entity: str, key: str, begun: float) -> Found:
        too_late = Found(late(line.platform, line.seconds).trouble)
        if (until := begun + line.seconds) <= asyncio.get_running_loop().time():
            return too_late
        flight = self._flights.setdefault(entity, {}).get(key) or self._board(line, entity, key)
        flight.waiting += 1
        try:
            async with asyncio.timeout_at(until):
                return await asyncio.shield(flight.found)
        except TimeoutError:
            return too_late
        finally:
            flight.waiting -= 1

    def _board(self, line: Line, entity: str, key: str) -> _Flight:
        """Put a key among those that leave together when this turn of the loop is over."""
        loop = asyncio.get_running_loop()
        flight = self._flights[entity][key] = _Flight(loop.create_future())
        flight.found.add_done_callback(lambda _done: self._forget(entity, key, flight))
        if entity not in self._boarding:
            self._boarding[entity] = {}
            loop.call_soon(self._depart, line, entity)
        self._boarding[entity][key] = flight
        return flight

    def _forget(self, entity: str, key: str, flight: _Flight) -> None:
        if self._flights[entity].get(key) is flight:
            del self._flights[entity][key]

    def _depart(self, line: Line, entity: str) -> None:
        flights = self._boarding.pop(entity)
        self._begin(self._landed(line, flights, self._ask(line, entity, flights)))

    def _begin(self, work: Any) -> "asyncio.Task[Any]":
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _landed(self, line: Line, flights: Flights, work: Awaitable[None]) -> None:
        """Do work that ends flights; whatever happens in it, they end."""
        try:
            await work
        except NotLive as refused:
            _land(flights, Found(refused.trouble))
        except Exception:  # outermost of a live read: whoever waits is answered by the mirror
            log.exception("live read failed", platform=line.platform)
        finally:
            _land(flights, Found(Trouble(line.platform, INTERNAL, "internal error in a live read; the hub's log has it", True)))

    # --- calls

    async def _ask(self, line: Line, entity: str, flights: Flights) -> None:
        """Cut the keys into calls, and make as many of these as the share of the quota allows; raise NotLive."""
        keys, size = list(flights), line.connector.fetchable[entity]
        chunks = [{key: flights[key] for key in keys[at : at + size]} for at in range(0, len(keys), size)]
        self._calls.check(line.platform)
        allowed = await self.share.take(line, len(chunks), line.seconds)
        for chunk in chunks[allowed:]:
            _land(chunk, Found(used_up(line.platform)))
        await asyncio.gather(*(self._landed(line, chunk, self._call(line, entity, chunk)) for chunk in chunks[:allowed]))

    def _waited_for(self, entity: str, flights: Flights) -> list[str]:
        """Return the keys that somebody still waits for; the others go nowhere, and nobody can join them any more."""
        for key, flight in flights.items():
            if not flight.waiting:
                self._forget(entity, key, flight)
        return [key for key, flight in flights.items() if flight.waiting]

    async def _call(self, line: Line, entity: str, flights: Flights) -> None:
        """Make one call, and let what it showed reach the mirror as long as there is time; raise NotLive.

        Who has left before it is made is not asked for. Once it is made it holds its place until it ends, also if
        everybody has left: the platform has it to do all the same, and the breaker learns how it ends.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + line.seconds
        await line.occupy(until)
        try:
            if not (keys := self._waited_for(entity, flights)):
                return
            since = self._clock()
            items = await self._fetched(line, entity, keys, until - loop.time())
        finally:
            line.places.release()
        keeping = self._begin(self._keep(line.platform, entity, keys, items))
        await asyncio.wait([keeping], timeout=max(0.0, until - loop.time() - TO_ANSWER * line.seconds))
        kept = cast(_Kept | None, keeping.result()) if keeping.done() else None
        base = Found(since=since, settling=line.settling(entity), is_kept=kept is not None)
        renewed = object() if kept is not None and kept.applied else None
        shown = {key_of(item.record): item.record for item in items if isinstance(item, Observation)}
        bad = [item for item in items if isinstance(item, Quarantined)]
        for key in keys:
            flight = flights[key]
            if key not in shown and any(one.key in {key, None} for one in bad):
                told = f"{line.platform}: it showed the record in a form that cannot be used; quarantinedRecords has it"
                _land({key: flight}, Found(Trouble(line.platform, LIVE_BAD_RECORD, told, False)))
            held = kept.records.get(key) if kept is not None else None
            _land({key: flight}, base._replace(shown=shown.get(key), kept=held, renewed=renewed))

    async def _fetched(self, line: Line, entity: str, keys: Sequence[str], seconds: float) -> list[Item]:
        with line.breaker.watching() as watched:
            try:
                items = await self._calls.fetch(line.platform, entity, keys, seconds)
            except NotLive as refused:
                if refused.trouble.code == LIVE_TIMEOUT:
                    watched.failed()
                raise
            watched.answered()
            return items

    async def _keep(self, platform: str, entity: str, keys: Sequence[str], items: Sequence[Item]) -> _Kept | None:
        """Bring what was shown into the mirror, and return what that holds then; None where it could not be written."""
        try:
            kept = await self._database.write(self._written, platform, entity, keys, items)
        except DatabaseUnavailable as error:
            log.warning("cannot apply what was read live", platform=platform, error=str(error))
            return None
        except Exception:  # outermost of a task: the streams tell the mirror of it as well
            log.exception("cannot apply what was read live", platform=platform)
            return None
        if kept.applied:
            self._after()
        return kept

    def _written(self, connection: Connection, platform: str, entity: str, keys: Sequence[str], items: Sequence[Item]) -> _Kept:
        applied = self._write(connection, platform, STREAM, items).applied if items else 0
        confirm(connection, [item for item in items if isinstance(item, Observation)])
        kind = cast(type[Mirrored], ENTITIES[entity].record)
        return _Kept(applied, records.get(connection, self._rows, kind, keys))


def _land(flights: Flights, found: Found) -> None:
    for flight in list(flights.values()):
        if not flight.found.done():
            flight.found.set_result(found)
