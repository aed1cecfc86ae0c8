"""Versioned upserts: whatever order deliveries come in and however often, the mirror ends up the same."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from decimal import Decimal

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select
from sqlalchemy.util import await_only

from hub.mirror import records
from hub.mirror.database import Database, PostgreSQLDatabase
from hub.mirror.records import Outcome, foresee, get, upsert
from hub.mirror.rows import Rows
from hub.mirror.tables import CHANGE, TABLES
from schema.entities import Approval, Finding, KeySubject, TaskResult, VerificationTask
from schema.entity import Observation, Tombstone
from tests.builders import HOUR, approval, credit_record, finding, gone, key_subject, observed, task, task_result
from tests.servers import someone_waits

NEW_TASKS = (f"T{number}" for number in itertools.count())


@dataclass(frozen=True)
class Word:
    """What a platform says of a task at a version: that it is there with so many results and findings, or gone."""

    version: int
    there: bool

    def of(self, task_id: str) -> Observation | Tombstone:
        record = task(task_id=task_id, version=self.version, title=f"第{self.version}版")
        if not self.there:
            return gone(record, self.version)
        results = [task_result(task_id=task_id, result_id=f"{task_id}/{n}", version=self.version) for n in range(self.version % 3)]
        findings = [finding(task_id=task_id, finding_id=f"{task_id}-{n}", version=self.version) for n in range(self.version % 2)]
        return observed(record, *results, *findings)


def present(connection: Connection, rows: Rows, task_id: str) -> tuple[object, ...] | None:
    """Return a task with its parts as the mirror has it now."""
    found = get(connection, rows, VerificationTask, [task_id]).get(task_id)
    parts: list[object] = []
    for entity in (TaskResult, Finding):
        table, read = TABLES[entity.__name__], rows.reader(entity)
        columns = [table.c[name] for name in entity.__struct_fields__]
        parts += [read(row) for row in connection.execute(select(*columns).where(table.c.task_id == task_id))]
    return None if found is None and not parts else (found, *parts)


def expected(words: Sequence[Word], task_id: str) -> tuple[object, ...] | None:
    """The highest version wins; of a version that is there and gone, it is gone."""
    last = max(words, key=lambda word: (word.version, not word.there))
    item = last.of(task_id)
    return None if isinstance(item, Tombstone) else (item.record, *item.parts)


WORDS = st.lists(st.builds(Word, st.integers(1, 5), st.booleans()), min_size=1, max_size=8)


@given(words=WORDS, cuts=st.sets(st.integers(1, 7)))
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_any_repetition_gives_the_same_present(
    database: Database, rows: Rows, words: list[Word], cuts: set[int]
) -> None:
    task_id = next(NEW_TASKS)

    def apply(connection: Connection) -> tuple[object, ...] | None:
        borders = [0, *sorted(cut for cut in cuts if cut < len(words)), len(words)]
        for start, end in itertools.pairwise(borders):
            upsert(connection, rows, [word.of(task_id) for word in words[start:end]])
        return present(connection, rows, task_id)

    found = await database.write(apply)
    assert (found and sorted(found, key=repr)) == (expected(words, task_id) and sorted(expected(words, task_id) or (), key=repr))


async def outcomes(database: Database, rows: Rows, *items: Observation | Tombstone) -> list[Outcome]:
    return [outcome for _, outcome in await database.write(upsert, rows, items)]


async def test_of_two_contents_under_one_version_the_first_stays(database: Database, rows: Rows) -> None:
    first, second = observed(approval(address="甲路1号")), observed(approval(address="乙路2号"))
    assert await outcomes(database, rows, first) == [Outcome.APPLIED]
    assert await outcomes(database, rows, second) == [Outcome.CONFLICT]
    assert await database.read(get, rows, Approval, [first.record.approval_no]) == {"YW201908150001": first.record}  # type: ignore[attr-defined]


async def test_a_conflict_inside_one_batch_is_noticed(database: Database, rows: Rows) -> None:
    assert await outcomes(database, rows, observed(approval()), observed(approval(address="乙路2号"))) == [
        Outcome.APPLIED,
        Outcome.CONFLICT,
    ]


async def test_a_part_that_differs_is_a_conflict(database: Database, rows: Rows) -> None:
    assert await outcomes(database, rows, observed(task(), finding())) == [Outcome.APPLIED]
    assert await outcomes(database, rows, observed(task(), finding(conform=True))) == [Outcome.CONFLICT]


async def test_the_same_content_is_no_conflict_however_it_is_written(database: Database, rows: Rows) -> None:
    """Seen later, in another zone, with other zeros behind the point: webhook and poll need not agree on these."""
    first = credit_record(points=Decimal("6.0"))
    again = credit_record(points=Decimal(6), occurred_at=first.occurred_at.astimezone(UTC), observed_at=first.observed_at + HOUR)
    assert await outcomes(database, rows, observed(first)) == [Outcome.APPLIED]
    assert await outcomes(database, rows, observed(again)) == [Outcome.UNCHANGED]


async def test_one_item_given_twice_is_applied_once_and_said_so(database: Database, rows: Rows) -> None:
    item = observed(approval())
    assert await outcomes(database, rows, item, item) == [Outcome.APPLIED, Outcome.UNCHANGED]


async def test_what_is_gone_comes_back_with_a_newer_version_only(database: Database, rows: Rows) -> None:
    key = approval().approval_no
    assert await outcomes(database, rows, observed(approval(version=2)), gone(approval(), 3)) == [Outcome.APPLIED] * 2
    assert not await database.read(get, rows, Approval, [key])
    assert await outcomes(database, rows, observed(approval(version=3))) == [Outcome.STALE]
    assert await outcomes(database, rows, observed(approval(version=4))) == [Outcome.APPLIED]
    assert (await database.read(get, rows, Approval, [key]))[key].version == 4
    assert await outcomes(database, rows, gone(approval(), 3)) == [Outcome.STALE]


async def test_a_later_tombstone_counts_although_the_record_is_gone_already(database: Database, rows: Rows) -> None:
    assert await outcomes(database, rows, gone(approval(), 3), gone(approval(), 3), gone(approval(), 5)) == [
        Outcome.APPLIED,
        Outcome.UNCHANGED,
        Outcome.APPLIED,
    ]
    assert await outcomes(database, rows, observed(approval(version=4))) == [Outcome.STALE]


@pytest.mark.parametrize("together", [True, False])
async def test_a_tombstone_without_version_takes_that_of_the_record(database: Database, rows: Rows, together: bool) -> None:
    items: list[Observation | Tombstone] = [observed(approval(version=7)), gone(approval())]
    for batch in [items] if together else [items[:1], items[1:]]:
        await outcomes(database, rows, *batch)
    assert await outcomes(database, rows, observed(approval(version=7))) == [Outcome.STALE]
    assert await outcomes(database, rows, observed(approval(version=8))) == [Outcome.APPLIED]


@pytest.mark.parametrize("together", [True, False])
async def test_what_counts_its_versions_anew_comes_back_with_any_version(database: Database, rows: Rows, together: bool) -> None:
    off = msgspec.structs.replace(gone(key_subject()), counts_anew=True)
    items: list[Observation | Tombstone] = [observed(key_subject(version=7)), off, off, observed(key_subject(version=1))]
    batches = [items] if together else [[item] for item in items]
    found = [outcome for batch in batches for outcome in await outcomes(database, rows, *batch)]
    assert found == [Outcome.APPLIED, Outcome.APPLIED, Outcome.UNCHANGED, Outcome.APPLIED]
    key = key_subject().code
    assert (await database.read(get, rows, KeySubject, [key]))[key].version == 1
    assert await outcomes(database, rows, observed(key_subject(version=1))) == [Outcome.UNCHANGED]


async def test_parts_are_replaced_as_a_whole_and_end_with_their_record(database: Database, rows: Rows) -> None:
    three = [finding(finding_id=f"F{number}") for number in range(3)]
    await outcomes(database, rows, observed(task(version=1), task_result(), *three))
    await outcomes(database, rows, observed(task(version=2), finding(finding_id="F1", conform=True, version=2)))
    found = await database.read(present, rows, task().task_id)
    assert found is not None
    assert found[1:] == (finding(finding_id="F1", conform=True, version=2),)
    await outcomes(database, rows, gone(task(), 3))
    assert await database.read(present, rows, task().task_id) is None


async def test_every_applied_version_stands_in_the_history_sealed(database: Database, rows: Rows) -> None:
    await outcomes(database, rows, observed(approval(version=1)), observed(approval(version=3)))
    await outcomes(database, rows, observed(approval(version=2)), observed(approval(version=3)), gone(approval()))
    history = await database.read(lambda connection: connection.execute(select(CHANGE).order_by(CHANGE.c.sequence)).all())
    assert [(row.version, row.deleted) for row in history] == [(1, False), (3, False), (3, True)]
    assert str(approval().phone).encode() not in bytes(history[0].content)
    ((name, content),) = msgspec.json.decode(rows.seals.open(bytes(history[0].content)))
    assert name == "Approval"
    kept = msgspec.convert(content | {"observed_at": approval().observed_at.isoformat()}, Approval)
    assert kept == approval()


async def test_many_records_are_applied_in_one_go(database: Database, rows: Rows) -> None:
    many = [observed(approval(approval_no=f"YW{number:04}")) for number in range(1201)]
    assert await outcomes(database, rows, *many) == [Outcome.APPLIED] * len(many)
    assert len(await database.read(get, rows, Approval, [f"YW{number:04}" for number in range(1300)])) == 1201


@pytest.mark.parametrize("known_before", [True, False])
async def test_two_processes_that_apply_one_record_at_once_keep_the_newer_one_whole(
    postgresql_database: PostgreSQLDatabase, rows: Rows, known_before: bool
) -> None:
    if known_before:
        await outcomes(postgresql_database, rows, observed(task(version=1)))
    begun, may_end = asyncio.Event(), asyncio.Event()

    def newer(connection: Connection) -> None:
        upsert(connection, rows, [observed(task(version=3), finding(finding_id="new"))])
        begun.set()
        await_only(may_end.wait())

    async with asyncio.TaskGroup() as group:
        group.create_task(postgresql_database.write(newer))
        await begun.wait()
        older = group.create_task(outcomes(postgresql_database, rows, observed(task(version=2), finding(finding_id="old"))))
        await someone_waits(postgresql_database)
        may_end.set()
    assert older.result() == [Outcome.STALE]
    assert await postgresql_database.read(present, rows, task().task_id) == (task(version=3), finding(finding_id="new"))


async def test_who_waits_for_a_record_that_is_being_deleted_does_not_bring_it_back(
    postgresql_database: PostgreSQLDatabase, rows: Rows
) -> None:
    await outcomes(postgresql_database, rows, observed(task(version=1)))
    begun, may_end = asyncio.Event(), asyncio.Event()

    def bury(connection: Connection) -> None:
        upsert(connection, rows, [gone(task(), 3)])
        begun.set()
        await_only(may_end.wait())

    async with asyncio.TaskGroup() as group:
        group.create_task(postgresql_database.write(bury))
        await begun.wait()
        older = group.create_task(outcomes(postgresql_database, rows, observed(task(version=2))))
        await someone_waits(postgresql_database)
        may_end.set()
    assert older.result() == [Outcome.STALE]
    assert await postgresql_database.read(present, rows, task().task_id) is None


async def test_who_waited_for_a_deleted_record_does_not_overwrite_what_was_made_anew_meanwhile(
    postgresql_database: PostgreSQLDatabase, rows: Rows
) -> None:
    """It held neither the row, which was gone, nor the name, which nobody asked for while there was a row."""
    await outcomes(postgresql_database, rows, observed(task(version=2)))
    begun, may_end, judged, may_write = (asyncio.Event() for _ in range(4))

    def bury(connection: Connection) -> None:
        upsert(connection, rows, [gone(task(), 3)])
        begun.set()
        await_only(may_end.wait())

    def slow(connection: Connection) -> list[Outcome]:
        told = foresee(connection, [observed(task(version=4))])
        judged.set()
        await_only(may_write.wait())
        assert [each.outcome for each in told] == [Outcome.APPLIED]
        return [each.outcome for each in upsert(connection, rows, [observed(task(version=4))])]

    async with asyncio.TaskGroup() as group:
        group.create_task(postgresql_database.write(bury))
        await begun.wait()
        older = group.create_task(postgresql_database.write(slow))
        await someone_waits(postgresql_database)
        may_end.set()
        await judged.wait()
        newer = group.create_task(outcomes(postgresql_database, rows, observed(task(version=5))))
        await someone_waits(postgresql_database)
        may_write.set()
    assert (older.result(), newer.result()) == ([Outcome.APPLIED], [Outcome.APPLIED])
    (held,) = (await postgresql_database.read(get, rows, VerificationTask, [task().task_id])).values()
    assert held.version == 5


def test_digest_of_looks_at_content_only() -> None:
    assert records.digest_of(observed(approval())) == records.digest_of(
        observed(approval(observed_at=approval().observed_at + HOUR))
    )
    assert records.digest_of(observed(approval())) != records.digest_of(observed(approval(address=None)))
