"""What the schema asks of the engine. The engine implements these protocols; the schema imports nothing of the engine.

`Reads` lives as long as one request, so that it can answer many calls with one statement; `Hub` lives as long as the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from schema.conditions import ClockSkew, Maintenance, Paused, SecretInUse
from schema.counting import Counted, PoolCounted, PoolQuestion, Question
from schema.decision import Decision
from schema.graph_errors import FORBIDDEN, UNAUTHENTICATED, GraphError
from schema.lever_operations import LeverOperations
from schema.live import LiveAnswers, LiveReads
from schema.notice_operations import NoticeOperations
from schema.operations import Desk, Operations
from schema.slices import Joined, Slice

if TYPE_CHECKING:
    from schema.backfill import Backfills
    from schema.delivery_trace import Tracer
    from schema.loop import Loop

R = TypeVar("R", bound=msgspec.Struct)

GRAPH_READ, OPS_READ, OPS_ACT = "graph:read", "ops:read", "ops:act"


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may. `name` is None for someone who showed no key."""

    name: str | None
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Return if the caller has the scope; raise GraphError UNAUTHENTICATED or FORBIDDEN, naming it."""
        if scope in self.scopes:
            return
        if self.name is None:
            way_out = "send a key, as Authorization: Bearer <key> or X-Api-Key: <key>"
            raise GraphError(UNAUTHENTICATED, f"this asks for the scope '{scope}': {way_out}", scope=scope)
        raise GraphError(FORBIDDEN, f"this asks for the scope '{scope}', which the key '{self.name}' does not have", scope=scope)


class Reads(Protocol):
    """Reads of one request. Calls of the same kind that are made together are answered together."""

    async def one(self, entity: type[R], joined: Joined) -> R | None:
        """Return the record whose column has the value, the lowest key first if there are several; None if there is none."""
        ...

    async def page(self, entity: type[R], wanted: Slice, joined: Joined | None = None) -> Sequence[R]:
        """Return the wanted records in order, and one more if there are more; all of the far end of an edge where joined."""
        ...

    async def count(self, entity: type[R], wanted: Slice, joined: Joined | None = None) -> int:
        """Return the number of records that the filter lets through, whatever `first` and `after` say."""
        ...

    async def statistics(self, question: Question) -> Counted:
        """Return figures as they are counted now, rows and total in one snapshot."""
        ...

    async def pool(self, question: PoolQuestion) -> PoolCounted:
        """Return how many subjects a pool holds by the mirror, now."""
        ...

    def forget(self) -> None:
        """Forget what was read so far: something was changed in between."""
        ...

    @property
    def behind_seconds(self) -> float:
        """Return by how many seconds what is read now may be behind the hub's own database: a replica's lag, else 0."""
        ...


@dataclass(frozen=True)
class PlatformHealth:
    """Whether a platform is in sync with the hub. Times are aware; `lag_seconds` is None before the first success."""

    name: str
    last_success: datetime | None
    lag_seconds: float | None
    backlog: int
    """Open obligations towards it."""
    stuck: int
    """Of these, how many a person has to look at."""
    breaker_open_until: datetime | None
    bridged: bool = True
    """Whether the hub calls it at all; one that was left out is shown while something is owed to it."""
    paused: Paused | None = None
    maintenance: Maintenance | None = None
    silenced: bool = False
    """Whether alerts about it are silent."""
    clock: ClockSkew | None = None
    secrets: Sequence[SecretInUse] = ()


class Hub(Operations, Desk, NoticeOperations, Protocol):
    """What the process knows and does, for all requests alike."""

    @property
    def levers(self) -> LeverOperations:
        """Return what is done to a platform as a whole."""
        ...

    @property
    def live(self) -> LiveReads:
        """Return who asks platforms for single records, now."""
        ...

    @property
    def backfiller(self) -> "Backfills":
        """Return who reads spans and deliveries again."""
        ...

    @property
    def tracer(self) -> "Tracer":
        """Return who tells what became of deliveries."""
        ...

    def clock(self) -> datetime:
        """Return the present moment, aware: what is late is late by this clock."""
        ...

    async def loop(self, entity: str, key: str) -> "Loop | None":
        """Return the whole chain that a record stands in, from whichever of its records it is asked; None if it is gone."""
        ...

    def stale(self, source: str, observed_at: datetime) -> bool:
        """Return whether what a platform said is older than its setting allows."""
        ...

    async def platforms(self) -> Sequence[PlatformHealth]:
        """Return the health of every platform that is configured, in a fixed order."""
        ...

    async def eligibility(self, subject: str, matter: str) -> Decision:
        """Return whether a subject (USCC or RID code) may use commitment for a matter, in time whatever the platforms do."""
        ...


@dataclass(frozen=True)
class Context:
    """What every resolver of one request sees."""

    reads: Reads
    hub: Hub
    caller: Caller
    correlation_id: str
    """Stands in the log, and in every error that hides its text."""
    live: LiveAnswers = field(default_factory=LiveAnswers)
    """What this request asked live."""
