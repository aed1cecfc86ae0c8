"""The worker's side for tests: connectors that answer as told, and a worker whose time is moved by hand."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection, select

from connectors.base import (
    Answer,
    Connector,
    Delivery,
    Item,
    Page,
    PlatformSettings,
    Receipt,
    Sleep,
    Stream,
    Surroundings,
    Verified,
)
from hub.mirror import ledger
from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from hub.reconcile.derive import Derivation
from hub.reconcile.pace import Pace
from hub.reconcile.transcript import keeper
from hub.reconcile.worker import Worker
from schema.commands import AnyCommand
from schema.entities import Attempt, Exchange, Obligation
from tests.settable_clock import SettableClock


class FreeQuota:
    """Lets every call through."""

    async def acquire(self, platform: str, per_second: float) -> None:
        return None


@dataclass(frozen=True)
class Ensured:
    """One call of `ensure`."""

    command: AnyCommand
    key: str
    unknown_since: datetime | None
    at: datetime


Reply = Receipt | Exception | Callable[[Ensured], Receipt]


class FakeConnector(Connector):
    """Answers `ensure` with what stands in `replies`, by the obligation's key, else with a receipt of its own."""

    platform: ClassVar[str] = "fake"
    streams: ClassVar[tuple[Stream, ...]] = ()
    settings_class: ClassVar[type[PlatformSettings]] = PlatformSettings

    def __init__(self, name: str, clock: SettableClock, **settings: Any) -> None:
        surroundings = Surroundings(clock, clock.sleep, random.Random(1), FreeQuota())
        super().__init__(PlatformSettings(url="http://127.0.0.1:1", **settings), surroundings)
        self.name, self.clock = name, clock
        self.replies: dict[str, list[Reply]] = {}
        self.ensured: list[Ensured] = []
        self.closed_until: datetime | None = None
        self.holds: dict[str, list[asyncio.Event]] = {}
        """Events that the next calls of an obligation wait for."""
        self.says: dict[str, list[Exchange]] = {}
        """What is said with the platform in the calls of an obligation."""
        self.under_way: set[str] = set()
        self.twice: set[str] = set()

    @property
    def calls(self) -> list[str]:
        """Return the keys that were called, in order."""
        return [each.key for each in self.ensured]

    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        ensured = Ensured(command, key, unknown_since, self.clock())
        self.ensured.append(ensured)
        if key in self.under_way:
            self.twice.add(key)
        self.under_way.add(key)
        keep = keeper()
        for said in self.says.get(key, ()):
            assert keep is not None
            keep(said)
        try:
            holds = self.holds.get(key, [])
            await (holds.pop(0).wait() if holds else asyncio.sleep(0))
            replies = self.replies.get(key, [])
            reply = replies.pop(0) if replies else Receipt(reference=f"{self.name}-{len(self.ensured)}")
        finally:
            self.under_way.discard(key)
        if isinstance(reply, Exception):
            raise reply
        return reply if isinstance(reply, Receipt) else reply(ensured)

    @property
    def open_until(self) -> datetime | None:
        return self.closed_until

    def verify(self, delivery: Delivery) -> Verified:
        raise NotImplementedError

    def parse(self, delivery: Delivery) -> list[Item]:
        raise NotImplementedError

    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        raise NotImplementedError

    def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        raise NotImplementedError

    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        raise NotImplementedError

    async def close(self) -> None:
        return None


PACE = Pace(lease_seconds=90, echo_seconds=120, idle_seconds=1, rescue_seconds=5, backoff_seconds=1, backoff_most_seconds=300)


@dataclass
class Office:
    """A worker with its connectors."""

    database: Database
    rows: Rows
    clock: SettableClock
    derivation: Derivation
    pace: Pace = PACE
    sleep: Sleep | None = None
    platforms: Iterable[str] = ("enforcement", "approval", "credit", "grid")
    connectors: dict[str, FakeConnector] = field(init=False)
    worker: Worker = field(init=False)
    shown: list[tuple[object, ...]] = field(default_factory=list)
    mirror_fails: Exception | None = None
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    """Ends the call that is held."""

    def __post_init__(self) -> None:
        kinds = {name: type(name, (FakeConnector,), {"platform": name}) for name in self.platforms}
        self.connectors = {name: kind(name, self.clock) for name, kind in kinds.items()}
        self.worker = self.another()

    def another(self) -> Worker:
        """Return a worker of another process, on the same database and platforms."""
        return Worker(
            self.database,
            self.rows,
            self.connectors,
            self.derivation,
            self.pace,
            self.mirrored,
            clock=self.clock,
            sleep=self.sleep or self.clock.sleep,
            rng=random.Random(1),
        )

    async def mirrored(self, platform: str, stream: str, items: Sequence[Item]) -> None:
        """Keep what an answer showed, as intake would; or fail as told."""
        if self.mirror_fails is not None:
            raise self.mirror_fails
        self.shown += [(platform, stream, *items)]

    async def claim(self, platform: str = "enforcement") -> list[Obligation]:
        """Claim what is due in the name of a process that is never heard of again."""
        lease = timedelta(seconds=self.pace.lease_seconds)
        return await self.database.write(ledger.claim, self.rows, platform, 100, self.clock(), lease)

    @asynccontextmanager
    async def held_call(self, platform: str, key: str) -> AsyncIterator["asyncio.Task[int]"]:
        """Let a worker be in the middle of a call of an obligation; it ends behind this block, unless it was cancelled."""
        connector, self.hold = self.connectors[platform], asyncio.Event()
        connector.holds.setdefault(key, []).append(self.hold)
        working = asyncio.create_task(self.worker.work_once(platform))
        while key not in connector.under_way:  # noqa: ASYNC110  (it has no event to wait for)
            await asyncio.sleep(0.001)
        yield working
        self.hold.set()
        await asyncio.gather(working, return_exceptions=True)


class Attempts:
    """Reads what was written of each call."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database, self.rows = database, rows

    async def __call__(self) -> list[tuple[str, str, str | None]]:
        return [(one.attempt_id, one.outcome.value, one.detail) for one in await self.whole()]

    async def whole(self) -> list[Attempt]:
        """Return them as they are kept."""
        return await self.database.read(self._read)

    def _read(self, connection: Connection) -> list[Attempt]:
        read, table = self.rows.reader(Attempt), TABLES["Attempt"]
        found = connection.execute(select(*(table.c[name] for name in Attempt.__struct_fields__)).order_by(table.c.attempt_id))
        return [read(row) for row in found]


P = ParamSpec("P")
T = TypeVar("T")


class Unreliable(Database):
    """A database that is away for the next `away` writes."""

    def __init__(self, behind: Database) -> None:
        self.behind, self.away = behind, 0

    async def write(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        if self.away:
            self.away -= 1
            raise DatabaseUnavailable("gone for a while")
        return await self.behind.write(work, *args, **kwargs)

    async def read(self, work: Callable[Concatenate[Connection, P], T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await self.behind.read(work, *args, **kwargs)

    async def close(self) -> None:
        await self.behind.close()
