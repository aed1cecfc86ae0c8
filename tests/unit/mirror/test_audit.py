"""What people do is noted with what they do, under the request's id; personal data in it is sealed; on both databases."""

from datetime import datetime

import pytest
import structlog
from sqlalchemy import Connection, select
from structlog.testing import capture_logs

from hub.mirror import audit
from hub.mirror.audit import Entry
from hub.mirror.database import Database
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE, TABLES
from schema.entities import AuditEntry
from tests.builders import PHONE
from tests.settable_clock import START

ENTRY = TABLES["AuditEntry"]


def entry(at: datetime = START, **fields: str) -> Entry:
    said = {"by": "lou", "action": "waiveObligation", "kind": "Obligation", "target": "o/1", "reason": f"called {PHONE}"}
    return Entry(at=at, **(said | fields))


async def entries(database: Database, rows: Rows) -> list[AuditEntry]:
    def read(connection: Connection) -> list[AuditEntry]:
        return [rows.reader(AuditEntry)(row) for row in connection.execute(select(ENTRY).order_by(ENTRY.c.target))]

    return await database.read(read)


async def test_an_entry_says_who_did_what_to_what_and_why_under_the_request_s_id(database: Database, rows: Rows) -> None:
    with structlog.contextvars.bound_contextvars(correlation_id="c-9"), capture_logs() as logged:
        await database.write(audit.note, rows, entry(outcome="STUCK -> WAIVED"), entry(target="o/2"))
    one, two = await entries(database, rows)
    assert (one.at, one.actor, one.action, one.target_kind, one.target) == (START, "lou", "waiveObligation", "Obligation", "o/1")
    assert (one.reason, one.outcome, one.correlation_id) == (f"called {PHONE}", "STUCK -> WAIVED", "c-9")
    assert (two.target, two.outcome) == ("o/2", None)
    assert one.entry_id != two.entry_id
    assert [event["event"] for event in logged] == ["audit: waiveObligation"] * 2
    assert PHONE not in str(logged)


async def test_what_was_not_committed_is_not_noted(database: Database, rows: Rows) -> None:
    def failing(connection: Connection) -> None:
        audit.note(connection, rows, entry())
        raise ValueError("after the note")

    with capture_logs(), pytest.raises(ValueError, match="after the note"):
        await database.write(failing)
    assert await entries(database, rows) == []
    assert await database.read(lambda connection: connection.execute(select(CHANGE.c.key)).all()) == []


async def test_the_change_history_holds_an_entry_as_it_stands_in_its_table_without_any_clear_word(
    database: Database, rows: Rows
) -> None:
    with capture_logs():
        await database.write(audit.note, rows, entry())

    def compared(connection: Connection) -> tuple[bytes, bytes]:
        row = connection.execute(select(*(ENTRY.c[name] for name in audit.COLUMNS))).mappings().one()
        return audit.as_kept(dict(row)), bytes(connection.execute(select(CHANGE.c.content)).scalar_one())

    in_table, in_history = await database.read(compared)
    assert in_table == in_history
    assert b"lou" in in_history
    assert PHONE.encode() not in in_history


async def test_nothing_done_is_nothing_noted(database: Database, rows: Rows) -> None:
    await database.write(audit.note, rows)
    assert await entries(database, rows) == []
