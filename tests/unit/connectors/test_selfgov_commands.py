"""connectors/selfgov_commands.py: what the hub writes stands there once, on SQLite and on PostgreSQL, whoever else writes."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from connectors.base import Receipt
from connectors.errors import PermanentError, TransientError
from connectors.selfgov import SelfgovConnector
from hub.mirror.database import PostgreSQLDatabase
from schema.commands import AnyCommand, MarkReport, PutScore
from schema.entities import Notice, ReportMark, ScoreEntry, ScoreState, SelfReport
from schema.entity import Observation
from tests.contract.cases import NOW, FakeTime
from tests.contract.selfgov_cases import NOTICED, SCORED
from tests.servers import PostgreSQLServer, someone_waits
from tests.unit.connectors.exchange import Shared, shared_file, written

RID = "RID-d4afdc602213f24df3ac411854668ebcff794e3d4b162bea0b580a6c8623d03c"
TAKEN = MarkReport(report_no="4711", updated_at=NOW, taken=True)
REFUSED = MarkReport(report_no="4711", updated_at=NOW, taken=False, reason="已超过一年，不予修复")


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def postgresql_shared(postgresql: PostgreSQLServer, time: FakeTime) -> AsyncIterator[Shared]:
    async with postgresql.fresh("template1") as url:
        shared = Shared(url, time)
        yield shared
        await shared.close()


@pytest.fixture
async def sqlite_shared(tmp_path: Path, time: FakeTime) -> AsyncIterator[Shared]:
    async with shared_file(tmp_path, time) as shared:
        yield shared


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest) -> Shared:
    """An exchange database of each kind: a test that asks for it runs twice."""
    found: Shared = request.getfixturevalue(f"{request.param}_shared")
    return found


async def ensured(connector: SelfgovConnector, command: AnyCommand) -> Receipt:
    return await connector.ensure(command, "key", unknown_since=None)


async def refusal(connector: SelfgovConnector, command: AnyCommand) -> PermanentError:
    with pytest.raises(PermanentError) as refused:
        await ensured(connector, command)
    return refused.value


def shown(receipt: Receipt) -> Any:
    (item,) = receipt.shows
    assert isinstance(item, Observation), item
    return item.record


def changed(command: PutScore = SCORED, **fields: Any) -> PutScore:
    return msgspec.structs.replace(command, **fields)


# --- scores


async def test_a_score_stands_as_the_page_says_and_is_shown(shared: Shared) -> None:
    receipt = await ensured(shared.connector(), changed(code=RID, points=Decimal("1.5")))
    row = shared.row("zz_score")
    assert (row["bizno"], row["tyshxydm"], float(row["points"]), row["state"]) == (SCORED.biz_no, RID, 1.5, "open")
    assert (row["occurred"], row["repair_until"], row["updated"]) == (
        "2019-08-14 10:00:00",
        "2020-08-13 10:00:00",
        "2019-08-15 10:00:00",
    )
    entry = shown(receipt)
    assert isinstance(entry, ScoreEntry)
    assert (entry.biz_no, entry.points, entry.state, entry.version) == (
        SCORED.biz_no,
        Decimal("1.5"),
        ScoreState.OPEN,
        int(NOW.timestamp()),
    )
    assert (receipt.reference, receipt.repeated) == (SCORED.biz_no, False)


async def test_a_line_that_says_the_same_already_is_not_written_again(shared: Shared, time: FakeTime) -> None:
    await ensured(shared.connector(), SCORED)
    time.advance(60)
    again = await ensured(shared.connector(), SCORED)
    assert again.repeated
    assert shared.row("zz_score")["updated"] == written(NOW)
    assert shown(again).version == int(NOW.timestamp())


async def test_updated_grows_with_every_write_in_one_second_and_when_our_clock_is_set_back(shared: Shared, time: FakeTime) -> None:
    connector = shared.connector(quota_per_second=1000)
    states = (ScoreState.OPEN, ScoreState.REPAIRED, ScoreState.EXPIRED, ScoreState.OPEN)
    versions = []
    for state in states:
        versions.append(shown(await ensured(connector, changed(state=state))).version)
        time.advance(-3600 if state is ScoreState.EXPIRED else 0)
    start = int(NOW.timestamp())
    assert versions == [start, start + 1, start + 2, start + 3]
    assert shared.row("zz_score")["state"] == "open"


async def test_a_line_whose_time_cannot_be_read_is_put_right(shared: Shared) -> None:
    await ensured(shared.connector(), SCORED)
    shared.sql("UPDATE zz_score SET updated = 'gestern'")
    assert not (await ensured(shared.connector(), SCORED)).repeated
    assert shared.row("zz_score")["updated"] == written(NOW)


async def test_processes_that_write_one_line_at_once_leave_one_line_and_a_version_for_each_write(shared: Shared) -> None:
    wanted = [changed(points=Decimal(number)) for number in range(1, 9)]
    receipts = await asyncio.gather(*(ensured(shared.connector(), command) for command in wanted))
    start = int(NOW.timestamp())
    assert sorted(shown(receipt).version for receipt in receipts) == [start + number for number in range(8)]
    last = max((shown(receipt) for receipt in receipts), key=lambda entry: entry.version)
    assert Decimal(str(shared.row("zz_score")["points"])) == last.points


async def test_a_row_that_another_process_made_after_our_look_is_found_and_replaced(
    postgresql_shared: Shared, time: FakeTime
) -> None:
    shared = postgresql_shared
    engine = create_async_engine(shared.url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool)
    database = PostgreSQLDatabase(shared.url, connections=1)
    async with engine.connect() as other:
        values = {"t": written(NOW), "bizno": SCORED.biz_no, "code": SCORED.code}
        insert = "INSERT INTO zz_score VALUES (:bizno, :code, 4.0, 'SCJG-001', '别的名称', :t, :t, 'open', :t)"
        await other.execute(text(insert), values)
        writing = asyncio.create_task(ensured(shared.connector(), SCORED))
        await someone_waits(database)  # for the commit of the row that it did not see
        await other.commit()
        receipt = await writing
    await database.close()
    await engine.dispose()
    assert shown(receipt).version == int(NOW.timestamp()) + 1
    assert shared.row("zz_score")["itemname"] == SCORED.item_name


async def test_a_name_that_is_too_long_is_cut_and_a_number_never(shared: Shared) -> None:
    long = changed(item_name="餐" * 201)
    assert shown(await ensured(shared.connector(), long)).item_name == "餐" * 199 + "…"
    assert (await ensured(shared.connector(), long)).repeated
    refused = await refusal(shared.connector(), changed(biz_no="B" * 65))
    assert (refused.code, "zz_score.bizno takes 64 characters, not 65" in str(refused)) == ("TOO_LONG", True)


@pytest.mark.parametrize("fields", [{"code": "91330782147664100H"}, {"points": Decimal("0.25")}, {"points": Decimal(100_000)}])
async def test_what_could_not_be_read_back_is_not_written(shared: Shared, fields: dict[str, Any]) -> None:
    assert (await refusal(shared.connector(), changed(**fields))).code == "BAD_COMMAND"
    assert shared.sql("SELECT * FROM zz_score") == []


async def test_a_row_that_the_database_itself_refuses_is_permanent_and_says_so(sqlite_shared: Shared) -> None:
    sqlite_shared.sql("DROP TABLE zz_score")
    sqlite_shared.sql(
        "CREATE TABLE zz_score (bizno, tyshxydm, points CHECK (points > 5), itemcode, itemname, occurred, repair_until, state,"
        " updated)"
    )
    assert (await refusal(sqlite_shared.connector(), SCORED)).code == "CONSTRAINT"


# --- notices


async def test_a_notice_is_written_once_and_shown(shared: Shared) -> None:
    first = await ensured(shared.connector(), NOTICED)
    again = await ensured(shared.connector(), NOTICED)
    assert (first.repeated, again.repeated) == (False, True)
    assert shown(first) == msgspec.structs.replace(shown(again), observed_at=shown(first).observed_at)
    assert isinstance(shown(first), Notice)
    row = shared.row("zz_notice")
    assert (row["tyshxydm"], row["industry"], row["issued"]) == (None, "典当", "2019-08-15 10:00:00")


async def test_another_notice_under_the_same_number_is_a_conflict_that_shows_no_text(shared: Shared) -> None:
    await ensured(shared.connector(), NOTICED)
    before = shared.row("zz_notice")
    refused = await refusal(shared.connector(), msgspec.structs.replace(NOTICED, content="13957912345", department="SCJG"))
    assert refused.code == "CONFLICT"
    assert "other content, department_code" in str(refused)
    assert "13957912345" not in str(refused)
    assert shared.row("zz_notice") == before


# --- marks


@pytest.mark.parametrize("command", [TAKEN, REFUSED])
async def test_a_mark_stands_and_is_shown_and_twice_is_harmless(shared: Shared, command: MarkReport) -> None:
    shared.insert(4711)
    first = await ensured(shared.connector(), command)
    again = await ensured(shared.connector(), command)
    row = shared.row()
    assert (row["clbz"], row["clsm"], row["gxsj"]) == ("1" if command.taken else "9", command.reason, written(NOW))
    assert (first.repeated, again.repeated) == (False, True)
    report = shown(first)
    assert isinstance(report, SelfReport)
    assert report.mark is (ReportMark.TAKEN if command.taken else ReportMark.REFUSED)
    assert report.version == int(NOW.timestamp()) * 10 + (1 if command.taken else 9)


async def test_a_mark_for_a_row_that_has_changed_is_void_and_overwrites_nothing(shared: Shared) -> None:
    shared.insert(4711, written(NOW + timedelta(seconds=1)), shzt="2")
    refused = await refusal(shared.connector(), TAKEN)
    assert refused.code == "SUPERSEDED"
    assert "2019-08-15 10:00:01" in str(refused)
    assert shared.row()["clbz"] == "0"


async def test_a_mark_that_meets_a_change_under_way_waits_and_is_void(postgresql_shared: Shared) -> None:
    shared = postgresql_shared
    shared.insert(4711)
    engine = create_async_engine(shared.url.replace("postgresql:", "postgresql+asyncpg:"), poolclass=NullPool)
    database = PostgreSQLDatabase(shared.url, connections=1)
    async with engine.connect() as system:
        await system.execute(text("UPDATE zz_result SET gxsj = '2019-08-15 10:00:07', shzt = '2', clbz = '0'"))
        marking = asyncio.create_task(refusal(shared.connector(), TAKEN))
        await someone_waits(database)
        await system.commit()
        assert (await marking).code == "SUPERSEDED"
    await database.close()
    await engine.dispose()
    assert (shared.row()["clbz"], shared.row()["shzt"]) == ("0", "2")


async def test_a_mark_for_a_row_whose_time_is_gone_is_void(shared: Shared) -> None:
    shared.insert(4711, "")
    assert (await refusal(shared.connector(), TAKEN)).code == "SUPERSEDED"


async def test_a_server_that_holds_a_write_up_beyond_its_deadline_has_not_carried_it_out(postgresql_shared: Shared) -> None:
    unlock = postgresql_shared.exchange.lock()
    connector = postgresql_shared.connector(deadline_seconds=1)
    with pytest.raises(TransientError) as held:
        await ensured(connector, SCORED)
    unlock()
    assert (type(held.value), held.value.code) == (TransientError, "TIMEOUT")
    assert postgresql_shared.sql("SELECT * FROM zz_score") == []
    assert not (await ensured(connector, SCORED)).repeated, "it can be written later, over the same connector"


async def test_a_mark_for_a_row_that_is_not_there_is_named(shared: Shared) -> None:
    refused = await refusal(shared.connector(), TAKEN)
    assert (refused.code, "4711" in str(refused)) == ("NOT_FOUND", True)


async def test_a_reason_that_is_too_long_is_cut_to_the_column(shared: Shared) -> None:
    shared.insert(4711)
    await ensured(shared.connector(), msgspec.structs.replace(REFUSED, reason="超" * 300))
    assert shared.row()["clsm"] == "超" * 199 + "…"
    assert (await ensured(shared.connector(), msgspec.structs.replace(REFUSED, reason="超" * 300))).repeated
