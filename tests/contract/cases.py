"""What each platform brings to the contract tests: `tests/contract/<platform>_cases.py` offers one `CASES = <Platform>Cases()`.

Signing and bodies here are made from the platform's page and share nothing with the connector under test.
"""

import random
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

import httpx
import msgspec

from connectors.base import Answer, Connector, Delivery, Item, PlatformSettings, Quarantined, Surroundings
from hub.reconcile.transcript import keeper
from schema.commands import AnyCommand
from schema.entity import Tombstone, key_of

WIRE = Path(__file__).parents[1] / "wire"
"""Golden samples: raw files as a page shows them, in a folder a platform."""

NOW = datetime(2019, 8, 15, 10, 0, 0, tzinfo=timezone(timedelta(hours=8)))

Secret = Literal["new", "old", "wrong"]
"""Which secret signs: the settings hold new and old, in this order; wrong is none of them."""


class FakeTime:
    """A clock that stands still but for `sleep`, which moves it at once."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def clock(self) -> datetime:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.advance(seconds)

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class UnlimitedQuota:
    """A quota that never makes a call wait; each call takes a moment, so that platforms' own limits are kept."""

    def __init__(self, time: FakeTime) -> None:
        self.time = time
        self.calls = 0

    async def acquire(self, platform: str, per_second: float) -> None:
        self.calls += 1
        self.time.advance(1 / per_second)


def surroundings(time: FakeTime, transport: httpx.AsyncBaseTransport | None = None) -> Surroundings:
    """Return surroundings in which nothing waits, chance is repeatable and the network is `transport`."""
    return Surroundings(
        clock=time.clock,
        sleep=time.sleep,
        rng=random.Random(20190815),
        quota=UnlimitedQuota(time),
        transport=transport,
        keeper=keeper,
    )


def said(item: Item) -> str:
    """Return an item in one line: `Approval YW1@3`, `Approval YW1 gone`, `Quarantined MISSING_FIELD`."""
    if isinstance(item, Quarantined):
        return f"Quarantined {item.reason}"
    if isinstance(item, Tombstone):
        return f"{item.entity} {item.key} gone"
    return f"{type(item.record).__name__} {key_of(item.record)}@{item.record.version}"


@dataclass(frozen=True)
class Golden:
    """A raw delivery body in tests/wire/<platform>/ and, in the words of `said`, what it must give (parts are not named)."""

    file: str
    gives: tuple[str, ...]


@dataclass(frozen=True)
class Bodies:
    """Bodies of deliveries, variations of one good record."""

    good: bytes
    unknown_field: bytes
    """The same record, with unknown fields beside and inside: must give the very same items."""
    missing_field: bytes
    """Without a required field: one Quarantined, MISSING_FIELD."""
    malformed_field: bytes
    """A required field is malformed: one Quarantined."""
    wrong_encoding: bytes
    """Bytes that are not in the platform's encoding at all: one Quarantined."""
    optional_variants: tuple[bytes, ...]
    """One optional field absent, null and "" (as far as the page has them): all must give the same items.

    Empty where the page has no optional field.
    """
    one_bad_of_two: bytes | None = None
    """Where a delivery can hold several records: a bad one and a good one."""
    with_dtd: bytes | None = None
    """Where the platform speaks XML: a document with a DTD: one Quarantined, DTD_FORBIDDEN."""


class Wire(ABC):
    """The way to a platform in a test's hands: it can lose answers after the work was done, or answer in the platform's place."""

    calls = 0
    """Calls so far; what only prepares one (a token) is not counted."""
    sent: Sequence[httpx.Request] = ()
    """Those that went over HTTP."""

    @abstractmethod
    def lose_answers_when(self, done: Callable[[], bool]) -> None:
        """Let the platform work, and lose each answer from the moment on at which `done` says so."""

    @abstractmethod
    def keep_silent(self) -> None:
        """Give no answer any more."""

    @abstractmethod
    def refuse(self) -> None:
        """Refuse every call in a way that must not be repeated unchanged."""

    @abstractmethod
    def ask_to_wait(self, seconds: int) -> None:
        """Say that there were too many calls and that one should wait so long; skip the test where the platform never does."""

    @abstractmethod
    def close_for(self, seconds: int) -> None:
        """Say that the platform is closed for so long; skip the test where the platform never does."""


class HttpWire(httpx.AsyncBaseTransport, Wire):
    """The way to a platform that is called over HTTP."""

    def __init__(self, cases: "PlatformCases", inner: httpx.AsyncBaseTransport | None) -> None:
        self._cases, self._inner = cases, inner
        self.sent: list[httpx.Request] = []
        self._is_lost: Callable[[], bool] = lambda: False
        self._instead: Callable[[httpx.Request], httpx.Response] | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "oauth" in request.url.path and self._instead is not None:
            return httpx.Response(200, json={"access_token": "token", "token_type": "Bearer", "expires_in": 600})
        self.calls += 1
        self.sent.append(request)
        if self._instead is not None:
            return self._instead(request)
        assert self._inner is not None
        answer = await self._inner.handle_async_request(request)
        if self._is_lost():
            raise httpx.ReadTimeout("the answer was lost", request=request)
        return answer

    def lose_answers_when(self, done: Callable[[], bool]) -> None:
        self._is_lost = done

    def keep_silent(self) -> None:
        def silent(request: httpx.Request) -> httpx.Response:
            raise httpx.ReadTimeout("no answer", request=request)

        self._instead = silent

    def refuse(self) -> None:
        self._instead = lambda request: self._cases.refusal()

    def ask_to_wait(self, seconds: int) -> None:
        self._instead = lambda request: self._cases.busy(seconds)

    def close_for(self, seconds: int) -> None:
        self._instead = lambda request: httpx.Response(503, headers={"Retry-After": str(seconds)}, text="<html>maintenance</html>")


class World(ABC):
    """The platform itself in memory, on a FakeTime, with what a test does to it; as a rule the mock, by httpx.ASGITransport."""

    transport: httpx.AsyncBaseTransport

    @property
    def way(self) -> object:
        """How a connector reaches it: the transport, where the platform is called over HTTP."""
        return self.transport

    @abstractmethod
    def make(self, count: int) -> list[str]:
        """Make so many records of the paged stream, all updated in the present second; return their keys."""

    @abstractmethod
    def change(self, key: str) -> int:
        """Change a record now; return its new version."""

    @abstractmethod
    def commands(self) -> Sequence[AnyCommand]:
        """Return one command of each kind that this platform carries out; what they need (a task to cancel) is there."""

    @abstractmethod
    def made(self, command: AnyCommand) -> int:
        """Return how many of what the command asks for exist now (1 where a state holds that can hold once)."""


class PlatformCases(ABC):
    """All that the contract tests need to know of one platform."""

    connector: type[Connector]
    stream: str | None
    """The stream whose paging is tested; `World.make` makes its records. None where the platform has none."""
    fresh_for: timedelta | None
    """How far the time of a delivery may be off, both ways; None where the platform states none."""
    signature_headers: tuple[str, ...]
    """Lower-case headers without each of which a delivery is refused; `with_part` says where they stand if not there."""
    bodies: Bodies
    golden: tuple[Golden, ...]
    personal: tuple[str, ...] = ()
    """Numbers in the bodies that no Quarantined may show in its detail."""
    posts: bool = True
    """Whether the platform posts webhooks at all; where not, every delivery in its name must be refused."""
    hidden: tuple[str, ...] = ()
    """Secrets inside of settings (a password in an address) that no text of the settings may show."""
    overlap_seconds: float = 0.0
    """Seconds by which the stream's cursor stays back (late commits, visibility): what is older is read for good."""
    can_be_read: bool = True
    """Whether the platform answers questions; where it does not, `read` makes its one call, a write."""

    def connected(self, time: FakeTime, way: object = None) -> Connector:
        """Return a connector that reaches the platform by a way: a world's, or a wire; without one nobody is reached."""
        assert way is None or isinstance(way, httpx.AsyncBaseTransport)
        return self.connector(self.settings(), surroundings(time, way))

    def wire(self, way: object = None) -> Wire:
        """Return a wire on the way to a world; without one there is nobody at its end."""
        assert way is None or isinstance(way, httpx.AsyncBaseTransport)
        return HttpWire(self, way)

    async def close(self) -> None:  # noqa: B027  (as a rule there is nothing to let go of)
        """Let go of what a test has opened."""

    @abstractmethod
    def settings(self, *, secrets: bool = True) -> PlatformSettings:
        """Return complete settings with new and old secrets; without any when `secrets` is false."""

    @abstractmethod
    def delivery(self, body: bytes, *, at: datetime, signed_with: Secret = "new") -> Delivery:
        """Return a delivery that the platform signed at that time, received at `NOW`; signed anew (nonce, id) at each call."""

    def with_part(self, delivery: Delivery, name: str, value: str | None) -> Delivery:
        """Return the delivery with another value of one of the `signature_headers`, or without it."""
        others = {header: given for header, given in delivery.headers.items() if header != name}
        return msgspec.structs.replace(delivery, headers=others if value is None else {**others, name: value})

    @abstractmethod
    def is_acknowledged(self, answer: Answer) -> bool:
        """Return whether the platform takes this answer to its delivery for an acknowledgement."""

    @abstractmethod
    async def read(self, connector: Connector) -> object:
        """Make one live read by `fetch`; see `can_be_read`."""

    @abstractmethod
    def busy(self, seconds: int) -> httpx.Response:
        """Return how the platform says that there were too many calls and that one should wait so many seconds."""

    @abstractmethod
    def refusal(self) -> httpx.Response:
        """Return how the platform refuses a call that must not be repeated unchanged."""

    @abstractmethod
    def world(self, time: FakeTime) -> World:
        """Return the platform in memory, empty."""
