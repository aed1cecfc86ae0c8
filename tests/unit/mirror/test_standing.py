"""What the mirror knows of a subject that asks for commitment, on both databases."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert

from hub.mirror.database import Database
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from hub.mirror.standing import Standing, standing_of
from hub.mirror.tables import TABLES
from tests.builders import (
    IDENTITY_NO,
    OTHER_CODE,
    SHOP_CODE,
    approval,
    blacklist_entry,
    credit_profile,
    credit_record,
    observed,
    quarantined_record,
    stream_health,
)
from tests.settable_clock import START

PERSON = "RID-" + "a" * 64


async def put(database: Database, rows: Rows, *records: Any) -> None:
    await database.write(lambda connection: upsert(connection, rows, [observed(record) for record in records]))


async def read_at(database: Database, rows: Rows, stream: str, at: datetime | None, platform: str = "credit") -> None:
    health = stream_health(stream_id=f"{platform}/{stream}", platform=platform, stream=stream, last_success_at=at)
    await database.write(lambda connection: connection.execute(insert(TABLES["StreamHealth"]).values(rows.as_row(health))))


async def standing(database: Database, rows: Rows, code: str = SHOP_CODE) -> Standing:
    return await database.read(standing_of, rows, code)


async def test_nothing_is_known_of_a_stranger(database: Database, rows: Rows) -> None:
    await put(database, rows, credit_profile(), credit_record(), blacklist_entry())
    assert await standing(database, rows, OTHER_CODE) == Standing(None, None, (), (), None)


async def test_profile_records_and_entries_of_the_subject_are_found_and_nobody_elses(database: Database, rows: Rows) -> None:
    other = {"record_id": "CR0002", "subject_code": OTHER_CODE}
    await put(database, rows, credit_profile(), credit_record(), credit_record(**other), blacklist_entry())
    found = await standing(database, rows)
    assert found.profile == credit_profile()
    assert [one.record_id for one in found.records] == ["CR0001"]
    assert [one.entry_no for one in found.blacklist] == [blacklist_entry().entry_no]
    assert found.identity_no is None


@pytest.mark.parametrize(
    ("streams", "as_of"),
    [
        ({}, START),
        ({"changes": START + timedelta(hours=2)}, START + timedelta(hours=2)),
        ({"changes": START - timedelta(hours=2)}, START),
        ({"changes": None}, START),
        ({"changes": START + timedelta(hours=2), "more": START + timedelta(hours=1)}, START + timedelta(hours=1)),
        ({"changes": START + timedelta(hours=2), "more": None}, START),
    ],
)
async def test_a_profile_is_as_old_as_the_last_reading_to_the_end_of_the_slowest_stream(
    sqlite_database: Database, rows: Rows, streams: dict[str, datetime | None], as_of: datetime
) -> None:
    await put(sqlite_database, rows, credit_profile(observed_at=START))
    await read_at(sqlite_database, rows, "approvals", START + timedelta(days=1), platform="approval")
    for stream, at in streams.items():
        await read_at(sqlite_database, rows, stream, at)
    assert (await standing(sqlite_database, rows)).profile_as_of == as_of


@pytest.mark.parametrize(
    ("quarantined", "as_of"),
    [
        ({}, START),
        ({"released_at": START}, START + timedelta(hours=2)),
        ({"record_key": OTHER_CODE}, START + timedelta(hours=2)),
        ({"entity": "CreditRecord"}, START + timedelta(hours=2)),
        ({"platform": "approval"}, START + timedelta(hours=2)),
    ],
)
async def test_a_profile_of_which_something_unusable_came_since_is_as_old_as_when_it_was_seen(
    database: Database, rows: Rows, quarantined: dict[str, Any], as_of: datetime
) -> None:
    await put(database, rows, credit_profile(observed_at=START))
    await read_at(database, rows, "changes", START + timedelta(hours=2))
    fields = {"platform": "credit", "entity": "CreditProfile", "record_key": SHOP_CODE, **quarantined}
    values = rows.as_row(quarantined_record(**fields))
    await database.write(lambda connection: connection.execute(insert(TABLES["QuarantinedRecord"]).values(values)))
    assert (await standing(database, rows)).profile_as_of == as_of


async def test_a_persons_number_is_that_of_the_newest_approval_and_a_companys_is_not_looked_for(
    database: Database, rows: Rows
) -> None:
    mine = {"subject_code": PERSON, "representative_name": None, "representative_identity_no": None}
    await put(
        database,
        rows,
        approval(approval_no="YW1", identity_no="older", updated_at=START - timedelta(days=1), **mine),
        approval(approval_no="YW2", identity_no=IDENTITY_NO, updated_at=START, **mine),
        approval(approval_no="YW3", identity_no=None, updated_at=START + timedelta(days=1), **mine),
        approval(approval_no="YW4", identity_no="a company's", subject_code=SHOP_CODE),
    )
    assert (await standing(database, rows, PERSON)).identity_no == IDENTITY_NO
    assert (await standing(database, rows)).identity_no is None
