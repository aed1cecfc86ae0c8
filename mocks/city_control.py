"""How another process starts a city and watches it: `POST /_city/start`, `GET /_city/progress` on the approval platform's port."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from mocks.city import City
from mocks.control import guarded


class CityOrder(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which city is to live."""

    approvals: int = 100
    seed: int = 7
    breaches: int = 0


class CityHall:
    """Holds the one city of a process; `start` begins it, `close` ends it."""

    def __init__(self, build: Callable[[CityOrder], City], order: CityOrder) -> None:
        """`build` makes a city, not yet running; `order` holds where a start does not say otherwise."""
        self._build = build
        self._order = order
        self._city: City | None = None
        self._running: asyncio.Task[None] | None = None

    def start(self, **changes: Any) -> dict[str, object]:
        """Let the city live, once; return its progress. A second start changes nothing; bad arguments raise ValidationError."""
        if self._city is None:
            order = msgspec.convert({**msgspec.structs.asdict(self._order), **changes}, CityOrder)
            self._city = self._build(order)
            self._running = asyncio.create_task(self._city.run())
        return self.progress()

    def progress(self) -> dict[str, object]:
        """Return the city's counts, with `started` and, where the city broke down, `error`."""
        if self._city is None or self._running is None:
            return {"started": False, "finished": False}
        failed = self._running.exception() if self._running.done() and not self._running.cancelled() else None
        broken = {"error": repr(failed), "finished": False} if failed is not None else {}
        return {"started": True, **self._city.progress(), **broken}

    def routes(self) -> list[Route]:
        """Return the two routes; this machine only, unsigned, untouched by faults."""

        async def start(request: Request) -> Response:
            return _json(self.start(**msgspec.json.decode(await request.body() or b"{}", type=dict[str, Any])))

        async def progress(_request: Request) -> Response:
            return _json(self.progress())

        return [Route("/_city/start", guarded(start), methods=["POST"]), Route("/_city/progress", guarded(progress))]

    async def close(self) -> None:
        """End the city; raise what broke it, if anything did."""
        if self._running is not None:
            self._running.cancel()
            (ended,) = await asyncio.gather(self._running, return_exceptions=True)
            if isinstance(ended, Exception):
                raise ended


def _json(content: object) -> Response:
    return Response(msgspec.json.encode(content), media_type="application/json")
