"""The contract of a connector: what the engine asks of every platform, and the words they share.

The engine knows this file, `errors` and `registry` and nothing else of connectors. A new platform is a class that keeps
this contract, a line in the registry, a mock and samples; `TestConnectorContract` takes its cases from the registry.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import ClassVar, NamedTuple, Protocol

import httpx
import msgspec
from pydantic import BaseModel, ConfigDict, Field, IPvAnyNetwork, SecretStr, field_validator

from connectors.buckets import Buckets, Digest
from connectors.errors import PermanentError
from connectors.recurring import read_recurring
from schema.commands import AnyCommand
from schema.entities import Exchange
from schema.entity import Observation, Tombstone

Clock = Callable[[], datetime]
"""Returns the present moment, aware."""

Sleep = Callable[[float], Awaitable[None]]
"""Waits that many seconds."""

Keep = Callable[[Exchange], None]
"""Takes an exchange with a platform that has just ended, answered or not."""


class Quota(Protocol):
    """A platform's rate limit for us as a client, shared by all our processes; the database implements it."""

    async def acquire(self, platform: str, per_second: float) -> None:
        """Return when one call to the platform may be made."""
        ...


class Notices:
    """What a connector notices of its platform beside the answers themselves. The engine keeps and shows it; this one does not."""

    def clock(self, platform: str, ahead: timedelta, within: timedelta) -> None:
        """Note that the platform's clock was ahead of ours by `ahead`, give or take `within`."""

    def closed(self, platform: str, until: datetime | None) -> None:
        """Note that the platform asked to be left alone until then (503 with Retry-After); None: it answers again."""

    def broken(self, platform: str, until: datetime | None) -> None:
        """Note that it is left alone until then after failures in a row, and then probed; None: a call succeeded."""

    def signed(self, platform: str, purpose: str, position: int) -> None:
        """Note that a secret was used: the one at `position` of `Connector.secrets[purpose]`, and it was taken as good."""


CALLS, WEBHOOKS = "CALLS", "WEBHOOKS"
"""What secrets are for: ours sign calls, the platform's sign what it posts."""


class ClockLimit(NamedTuple):
    """By how much the platform's clock and ours may differ, and what breaks beyond it."""

    limit: timedelta
    breaks: str


class PlatformSettings(BaseModel):
    """Settings that every platform has; a connector's own class adds its keys. Read from HUB_<PLATFORM>_<FIELD>."""

    model_config = ConfigDict(frozen=True)

    url: str = Field(description="Where the platform is; its connector's own class says in which form")
    quota_per_second: float = Field(20.0, gt=0, description="Calls a second that the platform allows us, all processes together")
    deadline_seconds: float = Field(10.0, gt=0, description="Seconds after which a call counts as unanswered")
    dropped_after_seconds: float = Field(
        30.0, gt=0, description="Seconds after which an unanswered call has been carried out or dropped; never less than is true"
    )
    max_in_flight: int = Field(16, gt=0, description="Calls under way at once from one process")
    live_seconds: float = Field(
        2.0, gt=0, description="Seconds within which the graph has a live read (maxAge) answered; after that the hub's copy answers"
    )
    poll_seconds: float = Field(5.0, gt=0, description="Seconds between two reads of each stream")
    callback_addresses: tuple[IPvAnyNetwork, ...] = Field(
        (), description="Addresses or networks that may post webhooks, comma separated; empty: any"
    )
    webhook_limit_bytes: int | None = Field(
        None,
        gt=0,
        description="Largest body of a webhook of this platform, bytes, where that is more than `HUB_WEBHOOK_LIMIT_BYTES`",
    )
    read_attempts: int = Field(3, gt=0, description="Tries of one read before it fails, the first included")
    read_patience_seconds: float = Field(
        20.0, ge=0, description="Seconds that a read may wait before its next try; it fails where the platform asks for more"
    )
    breaker_failures: int = Field(
        5, gt=0, description="Failures in a row (no connection, no answer, 5xx) after which the platform is left alone"
    )
    breaker_cool_down_seconds: float = Field(15.0, gt=0, description="Seconds after which one probe goes to a platform left alone")
    breaker_longest_seconds: float = Field(3600.0, gt=0, description="Longest wait in seconds that the breaker heeds (Retry-After)")
    traceparent: bool = Field(
        False, description="Whether calls carry `traceparent` where traces are kept; only if the platform is known to bear it"
    )
    maintenance: tuple[str, ...] = Field(
        (),
        description="Maintenance windows that recur, Beijing, comma separated: `daily 02:00-03:00`, `sun 22:30-04:00`; "
        "its alerts are silent then",
    )

    @field_validator("maintenance")
    @classmethod
    def _recur(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            read_recurring(text)
        return texts


class Surroundings(msgspec.Struct, frozen=True):
    """What a connector is given from outside: time, waiting, chance, the shared quota and, in tests, the transport."""

    clock: Clock
    sleep: Sleep
    rng: random.Random
    quota: Quota
    transport: httpx.AsyncBaseTransport | None = None
    inline: bool = False
    """Whether work that blocks runs in the caller's own thread instead of threads beside it: for simulated time."""
    notices: Notices = Notices()
    observe: Callable[[str, str, str, float], None] = lambda platform, operation, outcome, seconds: None
    """Told of every call: platform, operation, outcome code, seconds; telemetry hangs on it."""
    trace_headers: Callable[[], Mapping[str, str]] = dict
    """Headers that tell a platform in which trace it is called."""
    keeper: Callable[[], Keep | None] = lambda: None
    """Returns what keeps the exchanges of the work under way; None where nobody asks for them, as of reads of streams."""


class Stream(msgspec.Struct, frozen=True):
    """One sequence of changes that a platform offers."""

    name: str
    entities: tuple[str, ...]
    """Names of the entities that come by it."""
    settling: timedelta
    """How late a change may still show up behind others; cursors stay back by this much."""
    poll_factor: float = 1.0
    """Read every `poll_seconds * poll_factor`."""
    whole: tuple[str, ...] = ()
    """Those of `entities` of which reading from the beginning shows every record there is: what it lacks is gone there."""
    rereads: bool = False
    """Each reading shows all there is, and only the cursor knows what was there before: no resync may forget it."""


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook as it came. Header names are lower case."""

    platform: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    received_at: datetime
    remote: str | None = None


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """A delivery is proven to come from its platform."""

    signature: str
    """What was signed with, unique per sending: a second use of it is a replay."""
    message_id: str | None = None
    """The platform's own id of the message, where it stays the same over repetitions."""
    secret_index: int = 0
    """Which of the configured secrets matched, 0 the newest: shows when an old one was last used."""
    covers_body: bool = True
    """False where the body may say something else under the same signature: then the first body that came with it counts."""


class Quarantined(msgspec.Struct, frozen=True, kw_only=True):
    """One record that could not be used. Its neighbours go on."""

    reason: str
    """Reason code, upper case: MISSING_FIELD, BAD_VALUE, BAD_CHECK_DIGIT, BAD_ENCODING, NOT_JSON, DTD_FORBIDDEN, ..."""
    detail: str
    """What is wrong, for people; names the field. No personal data in clear."""
    content: bytes
    """The record as it came."""
    entity: str | None = None
    key: str | None = None
    """The record's key, where it could be read."""
    matter_code: str | None = None
    """Of a blacklist entry: its matter, where it could be read. Whether others may use commitment is known all the same."""


Item = Observation | Tombstone | Quarantined
"""What parsing yields for each record."""


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """Some changes of a stream, and where to go on once they are committed."""

    items: tuple[Item, ...]
    cursor: str
    more: bool
    """False on the last page for now."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """An HTTP answer in the platform's own dialect."""

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str] = {}


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """The platform holds what a command asks for."""

    reference: str
    """The platform's own number of it (taskId, recordId, event number, ...)."""
    repeated: bool = False
    """It was there before this call."""
    proof: bool = False
    """The answer itself is the proof (DOMAIN.md, Proof: code 8 with our task number)."""
    shows: tuple[Item, ...] = ()
    """What the platform showed of it there and then, for the mirror: where no stream would tell of it, or only late."""


class Knocked(msgspec.Struct, frozen=True, kw_only=True):
    """A platform gave a sign of life."""

    says: str
    """What it answered, for people."""
    certificate_until: datetime | None = None
    """Until when its certificate holds, UTC; None where it shows none."""


class Connector(ABC):
    """One platform. Constructed with its settings and `Surroundings`; holds no state that a restart would miss."""

    platform: ClassVar[str]
    streams: ClassVar[tuple[Stream, ...]]
    fetchable: ClassVar[Mapping[str, int]] = {}
    """Entities that `fetch` reads by their key, so that a key which it leaves out is not there; and how many one call takes."""
    digests: ClassVar[tuple[Buckets, ...]] = ()
    """Of which entities the platform gives digests; `digest` and `contents` are for these."""
    settings_class: ClassVar[type[PlatformSettings]]
    announced: ClassVar[tuple[str, ...]] = ()
    """Entities of which the platform posts every new record to us, whoever made it, so that no poll should find one first."""
    clock_limit: ClassVar[ClockLimit | None] = None
    """None where the platform's page names none."""
    only_from_addresses: ClassVar[bool] = False
    """Whether the platform's page wants callbacks taken from configured addresses only, for its signatures are weak."""
    signatures_expire: ClassVar[bool] = True
    """Whether `verify` refuses a delivery by its age: then one that was forgotten cannot be played again."""

    def __init__(self, settings: PlatformSettings, surroundings: Surroundings) -> None:
        self.settings = settings
        self.surroundings = surroundings

    @abstractmethod
    def verify(self, delivery: Delivery) -> Verified:
        """Return proof that the platform sent this; raise BadSignature with a reason code. Constant-time, on raw bytes."""

    @abstractmethod
    def parse(self, delivery: Delivery) -> list[Item]:
        """Return what a verified delivery says, one item a record; bad records are Quarantined, never raised."""

    @abstractmethod
    def acknowledge(self, delivery: Delivery, *, stored: bool) -> Answer:
        """Return the answer that the platform wants: an acknowledgement if stored, else one that makes it repeat (503)."""

    @abstractmethod
    def changes(self, stream: str, cursor: str | None) -> AsyncIterator[Page]:
        """Yield pages of changes from the cursor (None: from the beginning), overlapping by the settling time on purpose.

        Every page's cursor can be resumed from. Raises CursorExpired, TransientError, PermanentError.
        """

    def between(self, stream: str, start: datetime, end: datetime) -> AsyncIterator[Page]:
        """Yield what changed from `start` to before `end`, as it is now, and perhaps some of what changed later; keep no place.

        The pages' cursors mean nothing. Raises PermanentError NO_SPAN where the platform cannot be read by time.
        """
        raise PermanentError(
            self.platform,
            "NO_SPAN",
            f"stream '{stream}' cannot be read by time; read it again from its beginning (resync), which doubles nothing",
        )

    @abstractmethod
    async def fetch(self, entity: str, keys: Sequence[str]) -> list[Item]:
        """Return live reads of records by key, batched as the platform allows; unknown keys are left out."""

    @property
    def history_since(self) -> date | None:
        """Return the first day (Beijing) whose changes are read; None: all there are."""
        since: date | None = getattr(self.settings, "history_since", None)
        return since

    async def fetch_for(self, entity: str, code: str) -> list[Item]:
        """Return a live read of all records of a kind that one subject has there, by its code on the platform."""
        raise NotImplementedError(f"{self.platform}: {entity} cannot be read by subject")

    async def digest(self, entity: str, bucket: str) -> Digest:
        """Return the platform's digest of a bucket, one of `Buckets.names`. Raises TransientError, PermanentError."""
        raise NotImplementedError(f"{self.platform}: offers no digest of {entity} {bucket}")

    def contents(self, entity: str, bucket: str) -> AsyncIterator[Sequence[Item]]:
        """Yield everything of an entity that may be in a bucket, as it is now, and more beside it.

        Whoever asks stops as soon as the bucket's digest is explained. Of buckets by SM3 the whole kind is read, whichever is
        named. Raises TransientError, PermanentError.
        """
        raise NotImplementedError(f"{self.platform}: offers no contents of {entity} {bucket}")

    @abstractmethod
    async def ensure(self, command: AnyCommand, key: str, *, unknown_since: datetime | None) -> Receipt:
        """Make a command true exactly once; after it returns, the thing exists on the platform.

        `key` is our obligation's key. `unknown_since` is the latest moment at which an earlier call of the same command
        without a known outcome may have been sent, None if there is none: what may still come true is looked up, and never
        made again before the platform's settling time is over (raises TransientError with retry_after until then).
        Raises TransientError (not carried out), UnknownOutcome (perhaps carried out), PermanentError.
        """

    @property
    def secrets(self) -> Mapping[str, tuple[SecretStr, ...]]:
        """Return the secrets that are configured, by CALLS and WEBHOOKS, the newest first; empty where there are none."""
        return {}

    @property
    def is_open_to_all(self) -> bool:
        """Return whether callbacks are taken from any address although the platform's page wants it otherwise."""
        return self.only_from_addresses and not self.settings.callback_addresses

    def claimed_id(self, delivery: Delivery) -> str | None:
        """Return the id that a delivery bears, proven or not, so that a refused one can be told apart; None without any."""
        return None

    async def knock(self) -> Knocked:
        """Ask for a sign of life, once: nothing is signed, nothing is changed there; its clock is noticed on the way.

        Quota and circuit breaker are not asked. Raises TransientError or PermanentError with the reason where there is none.
        """
        raise NotImplementedError(f"{self.platform}: cannot be asked for a sign of life")

    @property
    @abstractmethod
    def open_until(self) -> datetime | None:
        """Return until when the circuit breaker refuses calls; None while calls are let through."""

    @abstractmethod
    async def close(self) -> None:
        """Close connections; pending calls end."""
