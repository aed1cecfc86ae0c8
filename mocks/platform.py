"""What all mock platforms share: memory, faults, a clock that can be wrong, callbacks, counters and control routes.

A platform is a subclass that gives its routes, its actions (what can happen in the city), its dialect for server errors
and its index of documents. Everything it needs comes in through the constructor.
"""

import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, ClassVar, Final, TypeAlias

import httpx
import msgspec
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import Response
from starlette.routing import BaseRoute

from mocks.callbacks import Callbacks, Sleep
from mocks.control import control_routes
from mocks.faults import Faults
from mocks.gate import Gate, Unanswered
from mocks.store import Store

Clock: TypeAlias = Callable[[], datetime]
Action: TypeAlias = Callable[..., Any]

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The zone of all times without a zone, and of those we write with one."""


class PlatformSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What every platform can be told; each platform adds its own."""

    port: int = 0
    """Port to serve on, 0 for any free one."""
    hub_url: str = "http://127.0.0.1:8000"
    """Where callbacks go, without the path."""
    data_dir: str | None = None
    """Folder of the platform's file; None keeps everything in memory only."""
    time_scale: float = 1.0
    """Factor on the pauses between repeated callbacks."""


class Platform:
    """One legacy platform, made of memory; subclasses speak its dialect."""

    name: ClassVar[str]
    settings: PlatformSettings

    def __init__(
        self,
        settings: PlatformSettings,
        *,
        clock: Clock,
        rng: random.Random,
        sleep: Sleep,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """`clock` gives aware times; `transport` replaces the network under callbacks."""
        self.settings = settings
        self.rng = rng
        self.sleep = sleep
        self.faults = Faults()
        self.counters: Counter[str] = Counter()
        self.hub_url = settings.hub_url.rstrip("/")
        path = None if settings.data_dir is None else Path(settings.data_dir) / f"{self.name}.sqlite"
        self.store = Store(path)
        self.callbacks = Callbacks(
            faults=lambda: self.faults,
            counters=self.counters,
            rng=rng,
            sleep=sleep,
            time_scale=settings.time_scale,
            transport=transport,
        )
        self._clock = clock
        self.app = Starlette(
            routes=[*control_routes(self), *self.routes()],
            middleware=[Middleware(Gate, platform=self)],
            lifespan=self._lifespan,
        )

    # --- what a platform fills in

    def routes(self) -> Sequence[BaseRoute]:
        """Return the routes of the platform's page. Called once, before the subclass's own constructor has gone on."""
        raise NotImplementedError

    def actions(self) -> Mapping[str, Action]:
        """Return what `/_control/do` can make happen, by name; keyword arguments come from the JSON body."""
        raise NotImplementedError

    def broken(self) -> Response:
        """Return a server error in the platform's dialect: the call was not carried out."""
        raise NotImplementedError

    def unanswered(self) -> Response:
        """Return what a caller gets whose work was done and who never hears of it: a dropped connection, unless overridden."""
        return Unanswered(self.faults.hang_seconds, self.sleep)

    def extra_state(self) -> dict[str, object]:
        """Return more for `/_control/state`."""
        return {}

    # --- what a platform uses

    def now(self) -> datetime:
        """Return the platform's own idea of the time, Beijing, with its skew."""
        return (self._clock() + timedelta(seconds=self.faults.clock_skew_seconds)).astimezone(BEIJING)

    def count(self, name: str) -> None:
        """Add one to a counter: `calls.<operation>`, `creations.<kind>`, `refused.<code>`."""
        self.counters[name] += 1

    def after_work(self, answer: Response) -> Response:
        """Return the answer of a creating call, or, in the share that the faults name, no answer although the work is done."""
        share = self.faults.timeout_after_work
        if share and self.rng.random() < share:
            self.count("faults.timeout_after_work")
            return self.unanswered()
        return answer

    # --- life

    async def start(self) -> None:
        """Begin what needs a running event loop; the server calls it."""
        await self.callbacks.start()

    async def stop(self) -> None:
        """Drop pending callbacks, write everything down, let go."""
        await self.callbacks.aclose()
        self.store.close()

    @asynccontextmanager
    async def _lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        await self.start()
        yield
        await self.stop()

    # --- control

    def state(self) -> dict[str, object]:
        """Return what `/_control/state` shows."""
        return {
            "platform": self.name,
            "now": self.now().isoformat(),
            "hubUrl": self.hub_url,
            "counters": dict(sorted(self.counters.items())),
            "documents": self.store.counts(),
            "callbacksPending": self.callbacks.pending,
            "faults": msgspec.structs.asdict(self.faults),
            **self.extra_state(),
        }

    def set_hub(self, url: str) -> None:
        """Send callbacks to another hub address from now on."""
        self.hub_url = url.rstrip("/")

    async def do(self, action: str, arguments: Mapping[str, Any]) -> object:
        """Make something happen; raise LookupError for an unknown action or record, ValueError or TypeError for bad arguments."""
        known: dict[str, Action] = {"set_hub": self.set_hub, **self.actions()}
        if action not in known:
            raise LookupError(f"{self.name}: no action {action!r}; there are {', '.join(sorted(known))}")
        result = known[action](**arguments)
        if isinstance(result, Awaitable):
            result = await result
        self.store.flush()
        return result
