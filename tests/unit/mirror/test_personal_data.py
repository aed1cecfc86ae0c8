"""Identity and telephone numbers stand nowhere in the database in clear: not in a column, not in a file, not in its journal."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import Connection, select

from connectors.base import Delivery as RawDelivery
from connectors.base import Quarantined, Verified
from hub.mirror import inbox, ledger, ops_list
from hub.mirror.database import Database, SQLiteDatabase
from hub.mirror.ledger import Completion
from hub.mirror.ops_list import Trouble
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import METADATA
from schema.declare import declared
from schema.entities import AttemptOutcome, Obligation, ObligationState
from schema.entity import Mirrored
from tests.builders import (
    EVERYTHING,
    IDENTITY_NO,
    PHONE,
    REPRESENTATIVE_IDENTITY_NO,
    approval,
    exchange,
    gone,
    obligation,
    observed,
)
from tests.settable_clock import START

SECRETS = [number.encode() for number in (IDENTITY_NO, REPRESENTATIVE_IDENTITY_NO, PHONE)]
TOLD = f"申请人 {IDENTITY_NO}，电话 {PHONE}".encode()


def everything_once(connection: Connection, rows: Rows) -> None:
    """Bring numbers in by every way there is: records and their history, deliveries, quarantine, ledger, ops list."""
    mirrored = [observed(record) for record in EVERYTHING if isinstance(record, Mirrored) and not declared(type(record)).part_of]
    upsert(connection, rows, [*mirrored, observed(approval(version=2, identity_no=IDENTITY_NO)), gone(approval())])
    upsert(connection, rows, [observed(approval(version=3, identity_no=IDENTITY_NO))])
    know_subjects(connection, rows, mirrored)
    raw = RawDelivery(platform="grid", path="/webhooks/grid", headers={"x-phone": PHONE}, body=TOLD, received_at=START)
    kept = inbox.kept(raw, Verified(signature="s", message_id="m"), 0)
    inbox.store(connection, rows, [kept])
    inbox.mark(connection, rows, [kept.delivery_id], kept.state, START, TOLD.decode())
    bad = Quarantined(reason="BAD_VALUE", detail=TOLD.decode(), content=TOLD, key="T1")
    inbox.quarantine(connection, rows, "grid", "webhook", [bad], START)
    ledger.insert(connection, rows, [obligation(payload=TOLD, last_error=TOLD.decode(), reason=TOLD.decode())])
    (claimed,) = ledger.claim(connection, rows, obligation().platform, 1, obligation().next_at, timedelta(minutes=1))
    told = exchange(request=TOLD.decode(), answer=TOLD.decode())
    ledger.complete(connection, rows, [completion(claimed, exchanges=(told,), detail=TOLD.decode())])
    trouble = Trouble(kind="k", cause="c", message=TOLD.decode(), before=TOLD.decode(), after=TOLD.decode())
    ops_list.open_items(connection, rows, [trouble], START)
    ops_list.resolve(connection, rows, trouble.item_id, "ops", TOLD.decode(), START)


def completion(one: Obligation, **told: Any) -> Completion:
    """Return that a call ended without a known outcome."""
    unknown, due = AttemptOutcome.UNKNOWN, ObligationState.DUE
    made = Completion(
        key=one.key, fence=one.fence, attempt_id=ledger.attempt_id(one), at=START, outcome=unknown, state=due, next_at=START
    )
    return msgspec.structs.replace(made, **told)


def all_columns(connection: Connection) -> Iterator[tuple[str, bytes]]:
    """Yield every value of every table, as bytes, with where it stands."""
    for table in METADATA.sorted_tables:
        for row in connection.execute(select(table)).mappings():
            for column, value in row.items():
                yield f"{table.name}.{column}", bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode()


async def test_no_column_holds_a_number_in_clear(database: Database, rows: Rows) -> None:
    await database.write(everything_once, rows)
    dump = await database.read(lambda connection: list(all_columns(connection)))
    ways = {"approval", "change", "delivery", "quarantined_record", "attempt", "ops_item"}
    assert {where.split(".")[0] for where, _ in dump} >= ways
    assert [where for where, value in dump if any(secret in value for secret in SECRETS)] == []


async def test_neither_the_file_nor_its_journal_holds_a_number_in_clear(
    sqlite_database: SQLiteDatabase, rows: Rows, tmp_path: Path
) -> None:
    await sqlite_database.write(everything_once, rows)
    journal, file = tmp_path / "bihuan.db-wal", tmp_path / "bihuan.db"
    assert approval().approval_no.encode() in journal.read_bytes(), "the journal is where it was just written"
    assert [secret for secret in SECRETS if secret in journal.read_bytes() + file.read_bytes()] == []
    await sqlite_database.close()
    assert approval().approval_no.encode() in file.read_bytes(), "the journal was carried over"
    assert [secret for secret in SECRETS if secret in file.read_bytes()] == []
