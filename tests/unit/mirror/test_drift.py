"""How far a comparison has come, and what operators are asked of its findings; on both databases."""

from datetime import timedelta

from sqlalchemy import select

from hub.intake import replay
from hub.mirror import drift
from hub.mirror.database import Database
from hub.mirror.drift import Compared, Place, Progress, Seen
from hub.mirror.rows import Rows
from hub.mirror.tables import TABLES
from schema.entities import DriftKind, DriftMethod, DriftState
from tests.settable_clock import START

COMPARED = Compared("approval", "Approval", DriftMethod.DIGEST)
LATER = START + timedelta(minutes=5)


async def test_a_comparison_goes_on_from_its_place_and_begins_anew_after_its_end(database: Database, rows: Rows) -> None:
    first = await database.write(drift.begin, rows, COMPARED, START)
    assert first == Progress(START, 0, 0, None)
    there = Progress(START, 31, 2, Place("2019-08-01", ("7", "9")))
    assert await database.write(drift.advance, rows, COMPARED, first, there)
    assert await database.write(drift.end, rows, COMPARED, LATER, next_at=LATER, progress=there, failure="BUSY: not now")
    assert await database.read(drift.is_broken_off, COMPARED)
    assert await database.write(drift.begin, rows, COMPARED, LATER) == there
    assert await database.write(drift.end, rows, COMPARED, LATER, next_at=LATER, progress=there)
    assert not await database.read(drift.is_broken_off, COMPARED)
    assert await database.write(drift.begin, rows, COMPARED, LATER) == Progress(LATER, 0, 0, None)


async def test_whoever_was_overtaken_neither_moves_the_place_nor_ends_the_comparison(database: Database, rows: Rows) -> None:
    mine = await database.write(drift.begin, rows, COMPARED, START)
    theirs = await database.write(drift.begin, rows, COMPARED, LATER)
    ahead = theirs._replace(checked=31, place=Place("2019-08-01"))
    assert not await database.write(drift.advance, rows, COMPARED, mine, mine._replace(place=Place("2019-08-09")))
    assert await database.write(drift.advance, rows, COMPARED, theirs, ahead)
    assert not await database.write(drift.advance, rows, COMPARED, theirs, theirs._replace(place=Place("2019-08-09")))
    for late in (mine, theirs):
        assert not await database.write(drift.end, rows, COMPARED, LATER, next_at=LATER, progress=late)
    (report,) = await database.read(drift.reports, rows)
    assert (report.started_at, report.ended_at, report.checked) == (LATER, None, 31)


async def test_what_an_operator_is_asked_or_has_said_outlives_that_it_is_seen_again(database: Database, rows: Rows) -> None:
    await database.write(drift.begin, rows, COMPARED, START)

    async def seen(state: DriftState, item_id: str | None = None) -> None:
        one = Seen(key="YW1", kind=DriftKind.MISSING_THERE, state=state, item_id=item_id)
        await database.write(drift.note, rows, COMPARED, [one], LATER)

    async def stands() -> list[tuple[DriftState, str | None]]:
        found = [await database.read(drift.in_state, rows, state, 9) for state in DriftState]
        return [(one.state, one.item_id) for some in found for one in some]

    await seen(DriftState.OPEN)
    assert await stands() == [(DriftState.OPEN, None)]
    await seen(DriftState.WAITING, "i1")
    await seen(DriftState.OPEN)
    assert await stands() == [(DriftState.WAITING, "i1")]
    await seen(DriftState.WAITING, "i2")  # asked anew, in another list
    assert await stands() == [(DriftState.WAITING, "i2")]
    await database.write(drift.decide, "i2", DriftState.APPROVED)
    for state in (DriftState.OPEN, DriftState.WAITING):
        await seen(state, "i3")
        assert await stands() == [(DriftState.APPROVED, "i2")]
    assert await database.read(drift.missing_there, rows, COMPARED, START) == [], "it is decided"
    await seen(DriftState.TOMBSTONED)
    assert await stands() == [(DriftState.TOMBSTONED, None)]


async def test_comparisons_with_one_platform_can_be_made_due_at_once_which_is_in_the_audit(database: Database, rows: Rows) -> None:
    other = Compared("credit", "CreditRecord", DriftMethod.DIGEST)
    for each in (COMPARED, other):
        await database.write(drift.known, rows, each, LATER)
    assert await database.write(replay.compare_now, rows, "approval", "wang", START) == [COMPARED.report_id]
    due = {one.report_id: one.next_at for one in await database.read(drift.reports, rows)}
    assert due == {COMPARED.report_id: START, other.report_id: LATER}
    (entry,) = await database.read(lambda connection: connection.execute(select(TABLES["AuditEntry"])).mappings().all())
    assert (entry["actor"], entry["action"], entry["target"]) == ("wang", "compareNow", "approval")
