"""connectors/selfgov_reading.py, selfgov_records.py: what appears late, out of order, or by a clock that is wrong, is read."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.base import Delivery, Quarantined
from connectors.errors import BadSignature, CursorExpired, PermanentError
from connectors.selfgov_reading import read_cursor
from connectors.selfgov_tables import RESULT
from schema.entities import RepairWay, ReportMark, ReportState, SelfReport
from schema.entity import Observation
from tests.contract.cases import NOW, FakeTime
from tests.unit.connectors.exchange import Reader, Shared, ago, shared_file, written


@pytest.fixture
def time() -> FakeTime:
    return FakeTime()


@pytest.fixture
async def shared(tmp_path: Path, time: FakeTime) -> AsyncIterator[Shared]:
    async with shared_file(tmp_path, time) as found:
        yield found


async def settled_readers(shared: Shared, *, lag: float = 0.0) -> Reader:
    """Return a reader that has read for an hour of a table that grows by a row a minute, `lag` seconds behind our clock."""
    reader = Reader(shared.connector())
    for number in range(60):
        shared.time.advance(60)
        shared.insert(1000 + number, ago(shared.time, lag))
        await reader.run()
    return reader


# --- what is read


async def test_a_row_is_read_column_by_column(shared: Shared, time: FakeTime) -> None:
    shared.insert(
        2**40,
        lx="2",
        ztmc="义乌市䶮𬭎当铺",
        jf_bizno="BR1",
        xffs=2.5,
        sxbm="JR-001",
        sxmc="典当月报",
        sbnr='{"典当余额": 1250000.00}',
        shzt="2",
        clbz="9",
        clsm="已超过一年",
    )
    (item,) = await Reader(shared.connector()).items()
    assert isinstance(item, Observation)
    record = item.record
    assert isinstance(record, SelfReport)
    assert (record.report_no, record.way, record.points) == (str(2**40), RepairWay.SELF_REPORT, Decimal("2.5"))
    assert (record.state, record.mark, record.mark_reason) == (ReportState.REFUSED, ReportMark.REFUSED, "已超过一年")
    assert (record.repairs_biz_no, record.item_code, record.figures) == ("BR1", "JR-001", '{"典当余额": 1250000.00}')
    assert (record.subject_name, record.updated_at, record.version) == ("义乌市䶮𬭎当铺", NOW, int(NOW.timestamp()) * 10 + 9)


async def test_a_change_of_a_marked_row_is_newer_than_its_mark(shared: Shared, time: FakeTime) -> None:
    shared.insert(1, clbz="9", clsm="x")
    (marked,) = await Reader(shared.connector()).items()
    shared.sql("UPDATE zz_result SET gxsj = :gxsj, clbz = '0'", gxsj=written(time.now + timedelta(seconds=1)))
    (changed,) = await Reader(shared.connector()).items()
    assert isinstance(marked, Observation)
    assert isinstance(changed, Observation)
    assert changed.record.version > marked.record.version


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"tyshxydm": "91330782147664100H"}, "BAD_CHECK_DIGIT"),
        ({"lx": "5"}, "BAD_VALUE"),
        ({"shzt": "3"}, "BAD_VALUE"),
        ({"clbz": "2"}, "BAD_VALUE"),
        ({"wcsj": "2019-08-15T09:00:00"}, "BAD_VALUE"),
        ({"wcsj": "2019-13-15 09:00:00"}, "BAD_VALUE"),
        ({"wcsj": ""}, "MISSING_FIELD"),
        ({"gxsj": "2019-02-30 09:00:00"}, "BAD_VALUE"),
        ({"xffs": 1.25}, "BAD_VALUE"),
        ({"xffs": -1}, "BAD_VALUE"),
        ({"xffs": "viel"}, "BAD_VALUE"),
    ],
)
async def test_a_bad_row_is_quarantined_alone(shared: Shared, fields: dict[str, object], reason: str) -> None:
    shared.insert(1)
    shared.insert(2, **fields)
    shared.insert(3)
    items = await Reader(shared.connector()).items()
    (bad,) = [item for item in items if isinstance(item, Quarantined)]
    assert (bad.reason, bad.entity, bad.key) == (reason, "SelfReport", "2")
    assert len(items) == 3


async def test_a_text_that_is_no_utf8_spoils_its_own_row_only(shared: Shared) -> None:
    shared.insert(1)
    shared.insert(2)
    shared.sql("UPDATE zz_result SET ztmc = CAST(:name AS TEXT) WHERE id = 2", name="佛堂镇".encode("gb18030"))
    assert min(await Reader(shared.connector()).said()) == "Quarantined BAD_ENCODING"
    assert len(await Reader(shared.connector()).keys()) == 1


async def test_tables_may_have_more_columns_than_the_page_and_lack_the_optional_ones(tmp_path: Path, time: FakeTime) -> None:
    with sqlite3.connect(tmp_path / "exchange.sqlite") as made:
        made.execute(
            "CREATE TABLE zz_result (id BIGINT PRIMARY KEY, lx TEXT, tyshxydm TEXT, wcsj TEXT, shzt TEXT, gxsj TEXT, clbz TEXT,"
            " clsm TEXT, sbnr TEXT, bz TEXT, xffs DECIMAL(6,1), jf_bizno TEXT)"
        )
    made.close()
    async with shared_file(tmp_path, time) as shared:
        shared.sql(
            "INSERT INTO zz_result VALUES (7, '1', '91330782147664100G', :t, '0', :t, '0', NULL, '', 'x', 3, '')",
            t=written(NOW),
        )
        (item,) = await Reader(shared.connector()).items()
        assert isinstance(item, Observation)
        assert isinstance(item.record, SelfReport)
        assert (item.record.subject_name, item.record.figures, item.record.repairs_biz_no) == (None, None, None)
        assert item.record.points == Decimal("3.0")


async def test_rows_without_a_usable_time_are_quarantined_once_and_again_when_they_change(shared: Shared) -> None:
    reader = await settled_readers(shared)
    shared.insert(1, "")
    shared.insert(2, "15/08/2019 10:00")
    shared.insert(3, "0000-00-00 00:00:00")
    assert (await reader.said()).count("Quarantined BAD_VALUE") == 2
    assert not [line for line in await reader.said() if line.startswith("Quarantined")]
    shared.sql("UPDATE zz_result SET gxsj = '15.08.2019' WHERE id = 2")
    assert (await reader.said()).count("Quarantined BAD_VALUE") == 2


# --- when it is read


async def test_a_row_that_appears_a_minute_late_is_not_missed_although_newer_ones_were_read(shared: Shared, time: FakeTime) -> None:
    reader = await settled_readers(shared)
    late = ago(time, 0)
    time.advance(30)
    shared.insert(3000)
    await reader.run()
    time.advance(30)
    shared.insert(2000, late)
    assert "2000" in await reader.keys()


@pytest.mark.parametrize("lag", [1200.0, -1200.0])
async def test_a_clock_of_theirs_that_is_wrong_hides_no_late_row(shared: Shared, time: FakeTime, lag: float) -> None:
    reader = await settled_readers(shared, lag=lag)
    late = ago(time, lag)
    time.advance(59)
    shared.insert(3000, ago(time, lag))
    await reader.run()
    shared.insert(2000, late)
    assert "2000" in await reader.keys()


async def test_a_slow_clock_of_theirs_is_heeded_from_the_first_row_on(shared: Shared, time: FakeTime) -> None:
    reader = Reader(shared.connector())
    await reader.run()
    time.advance(3600)
    await reader.run()
    shared.insert(1, ago(time, 3000))
    assert await reader.keys() == ["1"]


async def test_a_clock_of_theirs_that_is_set_back_by_minutes_hides_nothing(shared: Shared, time: FakeTime) -> None:
    reader = await settled_readers(shared)
    time.advance(60)
    shared.insert(2000, ago(time, 230))
    assert "2000" in await reader.keys()


async def test_a_row_from_the_far_future_hides_no_other(shared: Shared, time: FakeTime) -> None:
    reader = await settled_readers(shared, lag=1200.0)
    shared.insert(99, "2099-01-01 00:00:00")
    assert "99" in await reader.keys()
    time.advance(60)
    shared.insert(2000, ago(time, 1200))
    assert "2000" in await reader.keys()


async def test_what_is_settled_is_read_no_more_although_their_clock_is_slow(shared: Shared, time: FakeTime) -> None:
    reader = await settled_readers(shared, lag=1200.0)
    for _ in range(2):
        time.advance(400)
        await reader.run()
    assert await reader.keys() == []


async def test_a_run_that_broke_off_goes_on_where_it_was(shared: Shared, time: FakeTime) -> None:
    for number in range(1, 26):
        shared.insert(number, "2019-08-15 09:59:59")
    pages = await Reader(shared.connector(page_size=10)).run()
    assert [len(page.items) for page in pages] == [10, 10, 5]
    reader = Reader(shared.connector(page_size=10), cursor=pages[0].cursor)
    assert await reader.keys() == [str(number) for number in range(11, 26)]


async def test_a_page_of_bad_times_settles_nothing(shared: Shared, time: FakeTime) -> None:
    shared.insert(1, "2019-08-15 09:00:00")
    shared.insert(2, "2019-08-15 99:00:00")
    pages = await Reader(shared.connector(page_size=1)).run()
    settled = [read_cursor(RESULT, page.cursor).settled for page in pages]
    assert settled[0] is not None
    assert settled[1] == settled[0] <= datetime.fromisoformat("2019-08-15T08:55:00+08:00")


@pytest.mark.parametrize(
    "cursor", ["", "x", "[]", '{"settled": "2019-08-15T10:00:00"}', '{"after": ["2019"]}', '{"after": ["2019", "x"]}']
)
async def test_a_cursor_that_is_none_of_ours_is_expired(shared: Shared, cursor: str) -> None:
    with pytest.raises(CursorExpired):
        await Reader(shared.connector(), cursor=cursor).run()


async def test_scores_and_notices_are_read_as_well(shared: Shared, time: FakeTime) -> None:
    shared.sql(
        "INSERT INTO zz_score VALUES ('B1', :rid, 1.5, 'I', '事项', :t, :t, 'expired', :t)", rid=f"RID-{'0a' * 32}", t=written(NOW)
    )
    shared.sql("INSERT INTO zz_notice VALUES ('N1', '', '典当', '标题', '内容', :t, 'JR')", t=written(NOW))
    assert await Reader(shared.connector(), "scores").said() == [f"ScoreEntry B1@{int(NOW.timestamp())}"]
    notices = Reader(shared.connector(), "notices")
    assert await notices.said() == [f"Notice N1@{int(NOW.timestamp())}"]
    time.advance(86_400 * 3)
    await notices.run()
    shared.sql("INSERT INTO zz_notice VALUES ('N2', NULL, '典当', '标题', '内容', :t, 'JR')", t=written(NOW))
    assert f"Notice N2@{int(NOW.timestamp())}" in await notices.said(), "written three days after it was issued"


async def test_rows_are_looked_up_by_key_and_what_is_no_key_is_left_out(shared: Shared) -> None:
    for number in range(1, 452):
        shared.insert(number)
    connector = shared.connector()
    found = await connector.fetch("SelfReport", [*map(str, range(1, 452)), "7", "x", "-1", "٣", "999", "9" * 30])
    assert len(found) == 451
    with pytest.raises(PermanentError) as refused:
        await connector.fetch("Approval", ["1"])
    assert refused.value.code == "NOT_FETCHABLE"


async def test_an_unknown_stream_is_named(shared: Shared) -> None:
    with pytest.raises(PermanentError, match="there are results, scores, notices"):
        await Reader(shared.connector(), "result").run()


async def test_whatever_is_posted_in_its_name_is_refused(shared: Shared) -> None:
    with pytest.raises(BadSignature, match="posts nothing"):
        shared.connector().verify(Delivery(platform="selfgov", path="/", headers={}, body=b"", received_at=NOW))
