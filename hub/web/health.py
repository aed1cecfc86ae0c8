"""`/livez`: the process answers. `/readyz`: it can store and read. `/metrics`: Prometheus."""

from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from sqlalchemy import Connection, text
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hub.mirror.database import Database, DatabaseUnavailable
from hub.mirror.replica import Replica


class Health:
    """The three endpoints. `refresh` brings gauges up to date before they are shown; `notes` says which platforms are paused or in
    maintenance, which makes this process no less ready."""

    def __init__(
        self,
        database: Database,
        replica: Replica | None,
        registry: CollectorRegistry,
        refresh: Callable[[], Awaitable[None]],
        notes: Callable[[], Mapping[str, str]],
    ) -> None:
        self._database = database
        self._replica = replica
        self._registry = registry
        self._refresh = refresh
        self._notes = notes

    async def livez(self, _request: Request) -> Response:
        """Answer that the process runs."""
        return JSONResponse({"status": "alive"})

    async def readyz(self, _request: Request) -> Response:
        """Answer 200 when the database answers, else 503 with the reason. The hub can do without its replica."""
        try:
            await self._database.read(_ask)
        except DatabaseUnavailable as error:
            return JSONResponse({"status": "not ready", "database": str(error)}, 503, {"retry-after": "5"})
        about = {} if self._replica is None else {"replica": self._replica.health._asdict()}
        return JSONResponse({"status": "ready", "platforms": dict(self._notes()), **about})

    async def metrics(self, _request: Request) -> Response:
        """Show all metrics; while the database is away those of this process, `bihuan_database_up` among them."""
        await self._refresh()
        return Response(generate_latest(self._registry), headers={"content-type": CONTENT_TYPE_LATEST})


def _ask(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
