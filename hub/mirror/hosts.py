"""Connects to PostgreSQL: one server, or several of which one takes writes. Used by database.py and replica.py.

    postgresql://user:password@db1:5432,db2:5432/bihuan

Each host gets its own time to answer, so that a dead machine does not use up that of the living; the one that answered last is
tried first.
"""

import asyncio
import re
from typing import Any

from sqlalchemy.engine import URL, make_url

CONNECT_SECONDS = 3.0
"""How long one host may take to let us in."""
LONGEST_PREPARED = 200_000
"""Bytes of a statement that stays prepared: those of the graph are long, and preparing one takes longer than running it."""
COMMAND_SECONDS = 60.0
"""How long a statement may take."""
ABANDONED_SECONDS = 30.0
"""How long a transaction may rest. A process that is suspended in the middle of one holds locks that all others wait for: behind
this time the server ends its session, and when it wakes it finds the database away for a moment."""
SEVERAL = re.compile(r"^(?P<before>[^/]+://(?:[^/?@]*@)?)(?P<hosts>[^/?@]*,[^/?@]*)(?P<behind>[/?].*)?$")
DEFAULT_PORT = 5432


class NoServer(OSError):
    """No host lets us in, or none of them takes writes; the message says why of each."""


class Hosts:
    """The servers of a URL. `connect` returns a connection of the driver to the first that fits."""

    def __init__(self, url: str, *, wanted: str | None = None) -> None:
        """`wanted` is libpq's `target_session_attrs`; the URL may say otherwise, and several hosts without a word: read-write."""
        found = SEVERAL.match(url)
        self.url: URL = make_url(found["before"] + (found["behind"] or "") if found else url).set(drivername="postgresql+asyncpg")
        given = _arguments(self.url)
        hosts, ports = given.pop("host", None), given.pop("port", None)
        if found:
            self._places = [_place(each) for each in found["hosts"].split(",")]
        elif isinstance(hosts, list):
            self._places = list(zip(hosts, ports or [None] * len(hosts), strict=True))
        else:
            self._places = [(hosts, ports)]
        given.setdefault("target_session_attrs", wanted or ("read-write" if len(self._places) > 1 else "any"))
        self._given = given
        self._first = 0

    async def connect(self, *_: Any, **more: Any) -> Any:
        """Return a new connection (asyncpg); raise NoServer."""
        import asyncpg  # noqa: PLC0415  (half a second that an embedded hub need not wait)

        refusals = []
        for step in range(len(self._places)):
            at = (self._first + step) % len(self._places)
            host, port = self._places[at]
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    connection = await asyncpg.connect(
                        host=host,
                        port=port,
                        command_timeout=COMMAND_SECONDS,
                        max_cacheable_statement_size=LONGEST_PREPARED,
                        **{**self._given, **more},
                    )
                    await connection.execute(f"SET idle_in_transaction_session_timeout = {ABANDONED_SECONDS * 1000:.0f}")
            except (OSError, asyncpg.PostgresError, asyncpg.InternalClientError, asyncpg.InterfaceError) as error:
                refusals.append(f"{host or 'localhost'}: {str(error) or type(error).__name__}")
            else:
                self._first = at
                return connection
        raise NoServer("; ".join(refusals))


def _arguments(url: URL) -> dict[str, Any]:
    return dict(url.get_dialect()().create_connect_args(url)[1])


def _place(text: str) -> tuple[str, int]:
    """Return host and port of `host:port`, `[::1]:port` or `host`."""
    host, colon, port = text.rpartition(":")
    if not colon or text.endswith("]"):
        host, port = text, str(DEFAULT_PORT)
    if not port.isdigit():
        raise ValueError(f"HUB_DATABASE_URL: '{text}' is no host:port")
    return host.strip("[]"), int(port)
