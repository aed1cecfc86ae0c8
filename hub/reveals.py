"""Shows personal data in clear text, one field of one record at a time. Built by parts.py, asked by schema/reveal.py.

The audit is written in the transaction that reads, and the text leaves only after its commit: what was not noted was not shown. How
many each caller may have in an hour is counted in the audit itself, so that all processes count together.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from hub.mirror import audit
from hub.mirror.audit import Entry
from hub.mirror.database import Database, lock_names
from hub.mirror.rows import Rows, micros
from hub.mirror.tables import TABLES
from hub.mirror.visibility import visible
from schema.context import Caller
from schema.declare import Declared
from schema.reveal import Revealed
from schema.user_errors import RevealedTooOften, UnknownRecord

ACTION = "revealPersonalData"
HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Reveals:
    """Implements `schema.reveal.Revealer`."""

    database: Database
    rows: Rows
    clock: Callable[[], datetime]
    per_hour: int

    async def reveal(self, entity: Declared, key: str, column: str, reason: str, caller: Caller) -> Revealed:
        """Return a personal field of a record in clear text, audited."""
        return await self.database.write(self._reveal, entity, key, column, reason, caller)

    def _reveal(self, connection: Connection, entity: Declared, key: str, column: str, reason: str, caller: Caller) -> Revealed:
        by, now = caller.name or "anonymous", self.clock()
        lock_names(connection, [f"{ACTION}:{by}"])  # so that two at once are counted one after the other
        entry = TABLES["AuditEntry"].c
        mine = (entry.actor == by, entry.action == ACTION, entry.at > micros(now - HOUR))
        if connection.execute(select(func.count()).where(*mine)).scalar_one() >= self.per_hour:
            message = f"{self.per_hour} personal fields were shown to '{by}' in the last hour; no more for now"
            return Revealed(refused=(RevealedTooOften(message=message, path=[], limit=self.per_hour),))
        table = TABLES[entity.name]
        found = None
        if "\x00" not in key:  # PostgreSQL would refuse the statement
            wanted = select(table.c[column]).where(table.c[entity.key] == key, *visible(entity, caller))
            found = connection.execute(wanted).first()
        if found is None:
            return Revealed(refused=(UnknownRecord(message=f"there is no such {entity.name}", path=["id"]),))
        value = self.rows.read(entity.name, column, found[0])
        if value is not None:
            told = Entry(at=now, by=by, action=ACTION, kind=entity.name, target=key, reason=reason, outcome=f"{column} shown")
            audit.note(connection, self.rows, told)
        return Revealed(value)
