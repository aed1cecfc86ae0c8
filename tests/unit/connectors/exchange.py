"""An exchange database as selfgov.md has it, and connectors on it; filled by plain SQL, beside mock and connector."""

import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from connectors.base import Item, Page
from connectors.selfgov import SelfgovConnector
from connectors.selfgov_settings import SelfgovSettings
from mocks.selfgov_exchange import RESULT, Exchange, open_exchange
from schema.entity import Observation
from tests.builders import SHOP_CODE
from tests.contract.cases import FakeTime, said, surroundings

_COLUMNS = [column.name for column in RESULT.columns]


class Shared:
    """The database and those who work on it."""

    def __init__(self, url: str, time: FakeTime) -> None:
        self.url, self.time = url, time
        self.exchange: Exchange = open_exchange(url)
        self._connectors: list[SelfgovConnector] = []

    def connector(self, **settings: Any) -> SelfgovConnector:
        """Return a connector, as another process would have."""
        made = SelfgovConnector(SelfgovSettings.model_validate({"url": self.url, **settings}), surroundings(self.time))
        self._connectors.append(made)
        return made

    def sql(self, statement: str, **values: Any) -> list[dict[str, Any]]:
        """Carry out a statement; return its rows, if it has any."""

        def work(connection: Any) -> list[dict[str, Any]]:
            result = connection.execute(text(statement), values)
            return [dict(row) for row in result.mappings()] if result.returns_rows else []

        return self.exchange.run(work)

    def insert(self, id: int, gxsj: object = ..., **fields: Any) -> None:  # noqa: A002  (the column's name)
        """Insert a row of zz_result, by default an approved study that was written now."""
        now = written(self.time.now)
        row: dict[str, Any] = dict.fromkeys(_COLUMNS) | {
            "id": id,
            "lx": "3",
            "tyshxydm": SHOP_CODE,
            "wcsj": now,
            "shzt": "1",
            "gxsj": now if gxsj is ... else gxsj,
            "clbz": "0",
            **fields,
        }
        self.sql(f"INSERT INTO zz_result ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})", **row)  # noqa: S608

    def row(self, table: str = "zz_result") -> dict[str, Any]:
        """Return the only row of a table."""
        (found,) = self.sql(f"SELECT * FROM {table}")  # noqa: S608
        return found

    async def close(self) -> None:
        for connector in self._connectors:
            await connector.close()
        self.exchange.close()


class Reader:
    """Reads a stream on as the poller does, run by run."""

    def __init__(self, connector: SelfgovConnector, stream: str = "results", cursor: str | None = None) -> None:
        self.connector, self.stream, self.cursor = connector, stream, cursor

    async def run(self) -> list[Page]:
        pages = [page async for page in self.connector.changes(self.stream, self.cursor)]
        self.cursor = pages[-1].cursor
        return pages

    async def items(self) -> list[Item]:
        return [item for page in await self.run() for item in page.items]

    async def said(self) -> list[str]:
        return [said(item) for item in await self.items()]

    async def keys(self) -> list[str]:
        """Return the ids of good rows that a run delivers."""
        return [item.record.report_no for item in await self.items() if isinstance(item, Observation)]  # type: ignore[attr-defined]


def written(moment: datetime) -> str:
    """Return a moment as the page writes it; FakeTime's zone is Beijing."""
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def ago(time: FakeTime, seconds: float) -> str:
    return written(time.now - timedelta(seconds=seconds))


@contextlib.asynccontextmanager
async def shared_file(folder: Path, time: FakeTime) -> AsyncIterator[Shared]:
    """Lend a database in a SQLite file."""
    shared = Shared(f"sqlite:///{folder / 'exchange.sqlite'}", time)
    yield shared
    await shared.close()
