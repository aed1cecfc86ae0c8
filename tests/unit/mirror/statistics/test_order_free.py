"""Histories of what platforms say, in any order and with any repetition, counted at any moment: the figures are the mirror's."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, delete

from hub.mirror.rows import Rows
from hub.mirror.statistics.due import COUNTED
from hub.mirror.tables import METADATA, STATISTIC_CELL, STATISTIC_DUE, STATISTIC_FACT, TABLES, TOMBSTONE
from schema.entities import (
    ApprovalState,
    Conclusion,
    EventStatus,
    Grade,
    Officer,
    Procedure,
    RecordCategory,
    RepairWay,
    TaskStatus,
    TaskType,
)
from schema.entity import Mirrored, Observation, Tombstone
from tests.builders import (
    DAY,
    OTHER_CODE,
    SHOP_CODE,
    approval,
    blacklist_entry,
    coordination,
    credit_profile,
    credit_record,
    finding,
    gone,
    grid_event,
    key_subject,
    matter,
    observed,
    repair,
    self_report,
    task,
    task_result,
)
from tests.settable_clock import START
from tests.unit.mirror.statistics.books import Books, Memory, sums_of

Said = Observation | Tombstone
CODES = st.sampled_from([None, SHOP_CODE, OTHER_CODE])
CODE = st.sampled_from([SHOP_CODE, OTHER_CODE])
NUMBERS = st.sampled_from(["N1", "N2"])
"""Numbers of approvals and of events alike: a check may be for either, and change its mind."""
STATUS = st.sampled_from([TaskStatus.PENDING, TaskStatus.CANCELLED, TaskStatus.TRANSFERRED, TaskStatus.DONE, TaskStatus.DONE])
DEPARTMENT = st.sampled_from(["WH", "JT"])
MOMENT = st.integers(0, 70).map(lambda days: START + days * DAY)


@pytest.fixture(scope="module")
def books(rows: Rows) -> Iterator[Books]:
    database = Memory()
    METADATA.create_all(database.engine)
    yield Books(database, rows)
    database.engine.dispose()


# --- Histories: what was said of each record, from version to version, and perhaps that it is gone --------------------


@st.composite
def one_version(draw: st.DrawFn, version: int) -> Observation:
    """Something about one of a few records that all have to do with each other."""
    about: Callable[[st.DrawFn, int], Observation] = draw(st.sampled_from([_approval, _task, _event, _credit, _others]))
    return about(draw, version)


def _approval(draw: st.DrawFn, version: int) -> Observation:
    return observed(
        approval(
            version=version,
            approval_no=draw(NUMBERS),
            matter_code=draw(st.sampled_from(["M1", "M2"])),
            procedure=draw(st.sampled_from(list(Procedure))),
            state=draw(st.sampled_from(list(ApprovalState))),
            subject_code=draw(CODES),
            department_code=draw(DEPARTMENT),
            accepted_at=draw(MOMENT),
            decided_at=draw(st.none() | MOMENT),
        )
    )


def _task(draw: st.DrawFn, version: int) -> Observation:
    task_id = draw(st.sampled_from(["T1", "T2"]))
    head = Officer(id="1", name="某", department=draw(DEPARTMENT), is_head=draw(st.booleans()))
    of = task(
        version=version,
        task_id=task_id,
        type=draw(st.sampled_from(list(TaskType))),
        status=draw(STATUS),
        origin_platform=draw(st.sampled_from(["approval", "grid", None])),
        origin_ref=draw(st.none() | NUMBERS),
        department_code=draw(DEPARTMENT),
        officers=(head,),
        led_by_head=draw(st.booleans()),
        campaign_id=draw(st.sampled_from([None, "C1"])),
        due_at=draw(MOMENT),
        created_at=draw(MOMENT),
    )
    results = [
        task_result(
            version=version,
            task_id=task_id,
            result_id=f"{task_id}/{at}",
            conclusion=draw(st.sampled_from(list(Conclusion))),
            subject_code=draw(CODES),
            checked_at=draw(st.none() | MOMENT),
            case_no=draw(st.sampled_from([None, "P1"])),
            order_no=draw(st.sampled_from([None, "O1"])),
        )
        for at in range(draw(st.integers(0, 2)))
    ]
    findings = [
        finding(version=version, finding_id=f"{task_id}F", task_id=task_id, result_id=f"{task_id}/0", conform=draw(st.booleans()))
        for _ in results[:1]
    ]
    return observed(of, *results, *findings)


def _event(draw: st.DrawFn, version: int) -> Observation:
    return observed(
        grid_event(
            version=version,
            event_no=draw(NUMBERS),
            status=draw(st.sampled_from(list(EventStatus))),
            town=draw(st.sampled_from(["佛堂镇", "苏溪镇"])),
            department_code=draw(st.none() | DEPARTMENT),
            limit_at=draw(st.none() | MOMENT),
            updated_at=draw(MOMENT),
        )
    )


def _credit(draw: st.DrawFn, version: int) -> Observation:
    record_id = draw(st.sampled_from(["R1", "R2"]))
    record = credit_record(
        version=version,
        record_id=record_id,
        biz_no=f"B-{record_id}",
        subject_code=draw(CODE),
        category=draw(st.sampled_from(list(RecordCategory))),
        points=draw(st.integers(0, 24)) * Decimal("0.5"),
        department_code=draw(DEPARTMENT),
        cancelled=draw(st.booleans()),
    )
    profile = credit_profile(version=version, code=draw(CODE), grade=draw(st.sampled_from(list(Grade))))
    return observed(draw(st.sampled_from([record, profile])))


def _others(draw: st.DrawFn, version: int) -> Observation:
    record_id = draw(st.sampled_from(["R1", "R2"]))
    made: list[Mirrored] = [
        repair(version=version, record_id=record_id, way=draw(st.sampled_from(list(RepairWay)))),
        self_report(version=version, repairs_biz_no=draw(st.sampled_from([None, f"B-{record_id}"])), subject_code=draw(CODE)),
        key_subject(version=version, code=draw(CODE)),
        matter(version=version, code="M1", department_code=draw(DEPARTMENT)),
        blacklist_entry(version=version, matter_code=draw(st.sampled_from(["M1", "M2"])), subject_code=draw(CODE)),
        coordination(version=version),
    ]
    return observed(draw(st.sampled_from(made)))


@st.composite
def histories(draw: st.DrawFn) -> list[Said]:
    """Versions, no two with other content under one number, and deletions of some."""
    said: list[Said] = []
    for version in range(1, draw(st.integers(1, 14)) + 1):
        one = draw(one_version(version))
        said.append(one)
        if draw(st.integers(0, 5)) == 0:
            said.append(gone(one.record, version))
    return said


def forget(connection: Connection) -> None:
    """Empty the mirror and what was counted of it."""
    for table in (*(TABLES[name] for name in (*COUNTED, "TaskResult", "Finding")), TOMBSTONE):
        connection.execute(delete(table))
    forget_counts(connection)


def forget_counts(connection: Connection) -> None:
    """Forget everything that was counted."""
    for table in (STATISTIC_DUE, STATISTIC_FACT, STATISTIC_CELL):
        connection.execute(delete(table))


async def _lived(books: Books, order: Sequence[Said], moments: set[int]) -> object:
    """Live through a history from the beginning, counting at some moments and at the end; return all that was counted."""
    await books.database.write(forget)
    for at, item in enumerate(order):
        await books.say(item)
        if at in moments:
            await books.tally.count()
    await books.tally.count()
    assert await books.cells() == sums_of(await books.facts())
    return await books.facts(), await books.cells()


async def _from_scratch(books: Books) -> object:
    """Count the mirror as it is once more, with nothing counted before."""
    await books.database.write(forget_counts)
    await books.tally.everything()
    return await books.facts(), await books.cells()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(history=histories(), data=st.data())
def test_any_order_and_moment_of_counting_gives_what_a_recount_gives(
    books: Books, history: list[Said], data: st.DataObject
) -> None:
    repeated = history + data.draw(st.lists(st.sampled_from(history), max_size=4), label="repeated")
    order = data.draw(st.permutations(repeated), label="order")
    moments = data.draw(st.sets(st.integers(0, len(order))), label="counted after")

    async def check() -> None:
        counted = await _lived(books, order, moments)
        assert await _from_scratch(books) == counted

    asyncio.run(check())
