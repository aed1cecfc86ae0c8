"""What the schema asks of the engine. The engine implements these protocols; the schema imports nothing of the engine.

`Reads` lives as long as one request, so that it can answer many calls with one statement; `Hub` lives as long as the process.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol, TypeVar

import msgspec

from schema.conditions import NO_CALLS, Calls, ClockSkew, Maintenance, Paused, QuotaUse, SecretInUse
from schema.counting import Counted, PoolCounted, PoolQuestion, Question
from schema.decision import Decision
from schema.declare import Declared
from schema.graph_errors import FORBIDDEN, UNAUTHENTICATED, GraphError
from schema.lever_operations import LeverOperations
from schema.live import LiveAnswers, LiveReads
from schema.notice_operations import NoticeOperations
from schema.operations import Desk, Operations
from schema.row_limits import EVERY_ROW, RowLimits
from schema.slices import Joined, Slice

if TYPE_CHECKING:
    from schema.alerts import ActiveAlert
    from schema.backfill import Backfills
    from schema.changes import Feeds
    from schema.delivery_trace import Tracer
    from schema.loop import Loop
    from schema.reveal import Revealer

R = TypeVar("R", bound=msgspec.Struct)

GRAPH_READ, GRAPH_PII, OPS_READ, OPS_ACT, PLATFORM = "graph:read", "graph:pii", "ops:read", "ops:act", "platform:"


@dataclass(frozen=True)
class Caller:
    """Who asks, and what they may. `name` is None for someone who showed no key."""

    name: str | None
    scopes: frozenset[str]
    rows: RowLimits = EVERY_ROW
    """Which rows are seen of entities that belong to a department or region."""

    @property
    def platforms(self) -> frozenset[str]:
        """Return the platforms of which the caller sees what operators see (scope platform:<name>)."""
        if self.rows:
            return frozenset()
        return frozenset(scope.removeprefix(PLATFORM) for scope in self.scopes if scope.startswith(PLATFORM))

    def require(self, scope: str) -> None:
        """Return if the caller has the scope; raise GraphError UNAUTHENTICATED or FORBIDDEN, naming it.

        Whoever sees the rows of some departments or regions only has no scope of operators: these see and do it for the whole hub.
        """
        operators = scope in {OPS_READ, OPS_ACT}
        if scope in self.scopes and not (operators and self.rows):
            return
        if self.name is None:
            way_out = "send a key or token, as Authorization: Bearer <key or token> or X-Api-Key: <key>"
            raise GraphError(UNAUTHENTICATED, f"this asks for the scope '{scope}': {way_out}", scope=scope)
        if operators and self.rows:
            told = f"this asks for the scope '{scope}', which nobody has who sees some departments or regions, as '{self.name}'"
            raise GraphError(FORBIDDEN, told, scope=scope)
        raise GraphError(FORBIDDEN, f"this asks for the scope '{scope}', which '{self.name}' does not have", scope=scope)

    def require_read(self, entity: Declared) -> None:
        """Return if the caller may read an entity, or those of its rows that belong to a platform of theirs; raise GraphError."""
        if entity.scope in self.scopes or not (entity.scope == OPS_READ and entity.of_platforms and self.platforms):
            self.require(entity.scope)

    def platforms_seen(self) -> frozenset[str] | None:
        """Return the platforms of which the caller sees what operators see, None for all; raise GraphError where it is none."""
        if OPS_READ in self.scopes or not self.platforms:
            self.require(OPS_READ)
            return None
        return self.platforms


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
    calls: Calls = field(default_factory=lambda: NO_CALLS)
    quota: QuotaUse | None = None
    """None where the platform is not called."""


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
    def revealer(self) -> "Revealer":
        """Return who shows personal data in clear text."""
        ...

    @property
    def tracer(self) -> "Tracer":
        """Return who tells what became of deliveries."""
        ...

    @property
    def feeds(self) -> "Feeds":
        """Return what there is to subscribe to."""
        ...

    def clock(self) -> datetime:
        """Return the present moment, aware: what is late is late by this clock."""
        ...

    async def loop(self, entity: str, key: str, caller: Caller) -> "Loop | None":
        """Return the whole chain that a record stands in, as far as the caller sees it, from whichever of its records it is asked.

        None if the record is gone, or not seen.
        """
        ...

    def stale(self, source: str, observed_at: datetime) -> bool:
        """Return whether what a platform said is older than its setting allows."""
        ...

    async def platforms(self) -> Sequence[PlatformHealth]:
        """Return the health of every platform that is configured, in a fixed order."""
        ...

    async def alerts(self) -> "Sequence[ActiveAlert]":
        """Return the alerts that stand now, the oldest first."""
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
