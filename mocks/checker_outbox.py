"""How the checker reads the two that have no interface to read: the exchange database itself, and the gateway's outbox."""

from collections.abc import Callable
from functools import partial

import httpx
import msgspec
from sqlalchemy import Connection, Table, select
from sqlalchemy.exc import OperationalError

from mocks.checker_reading import ATTEMPTS, Line, Unreadable
from mocks.selfgov_exchange import RESULT, SCORE, open_exchange
from mocks.store import Document


class ExchangeReader:
    """Reads the tables that the self-governance system shares with the hub."""

    def __init__(self, line: Line, url: str | None) -> None:
        self._line = line
        self._url = url

    async def scores(self) -> list[Document]:
        """Return zz_score; raise Unreadable."""
        return await self._rows(SCORE)

    async def results(self) -> list[Document]:
        """Return zz_result; raise Unreadable."""
        return await self._rows(RESULT)

    async def _rows(self, table: Table) -> list[Document]:
        if self._url is None:
            raise Unreadable("selfgov: the configuration names no database_url; the checker reads the exchange database itself")
        exchange = open_exchange(self._url)
        try:
            for _ in range(ATTEMPTS):
                try:
                    return exchange.run(partial(_read, table))
                except OperationalError:  # somebody holds it
                    await self._line.sleep(0.5)
        finally:
            exchange.close()
        raise Unreadable(f"selfgov: {table.name} could not be read in {ATTEMPTS} attempts")


def _read(table: Table, connection: Connection) -> list[Document]:
    return [dict(row) for row in connection.execute(select(table).order_by(*table.primary_key)).mappings()]


class OutboxReader:
    """Reads what the SMS gateway has sent. It answers no questions: its outbox is looked at by the control interface."""

    def __init__(self, line: Line, url: str) -> None:
        self._line = line
        self._url = url

    async def messages(self) -> list[Document]:
        """Return all messages, the oldest first; raise Unreadable."""
        build: Callable[[], httpx.Request] = partial(
            self._line.client.build_request, "POST", f"{self._url}/_control/do", json={"action": "outbox"}
        )
        content = await self._line.ask("sms /_control/do", build, lambda answer: None if answer.status_code == 200 else 0.5)
        messages: list[Document] = msgspec.json.decode(content)["result"]
        return messages
