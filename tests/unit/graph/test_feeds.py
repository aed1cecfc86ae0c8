"""What subscribers are fed from: no gap, no repetition, one reader for all, and an end that teaches."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from hub.keeping import Keeping
from hub.mirror import audit_sealing, identities, ledger, obligation_changes
from hub.mirror.database import Database, PostgreSQLDatabase, SQLiteDatabase
from hub.mirror.records import upsert
from hub.mirror.rows import Rows
from schema.changes import ChangeKind, ObligationChanged, RecordChanged, read_position
from schema.comparable import holds
from schema.entities import ObligationState
from schema.graph_errors import GraphError
from schema.slices import Comparison
from schema.subscription import RECORDS
from tests.builders import approval, credit_profile, gone, obligation, observed, task
from tests.settable_clock import START, SettableClock
from tests.subject_codes import old_number
from tests.unit.web.subscribers import Graph


def everything(_: Any) -> bool:
    return True


@pytest.fixture
def graph(database: Database, rows: Rows) -> Graph:
    return Graph(database, rows)


async def take(source: AsyncGenerator[Any, None], count: int) -> list[Any]:
    """Return the next events of a subscription that goes on."""
    async with asyncio.timeout(20):
        return [await anext(source) for _ in range(count)]


@contextlib.asynccontextmanager
async def records(
    graph: Graph, after: int | None, wanted: Callable[[RecordChanged], bool] = everything
) -> AsyncIterator[AsyncGenerator[RecordChanged, None]]:
    async with contextlib.aclosing(graph.feeds.records(after, {"Approval"}, wanted)) as source:
        yield source


async def test_what_commits_late_with_a_lower_sequence_is_told_behind_what_was_there_first(
    postgresql_database: PostgreSQLDatabase, rows: Rows
) -> None:
    """Two transactions are open; the one that took its sequences first commits last. Who comes back misses nothing either way."""
    graph, database = Graph(postgresql_database, rows), postgresql_database
    wrote, may_end = asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        async with database.engine.begin() as connection:
            await connection.run_sync(upsert, rows, [observed(approval(approval_no="late"))])
            await connection.run_sync(ledger.insert, rows, [obligation(key="late")])
            wrote.set()
            await may_end.wait()

    writing = asyncio.create_task(slowly())
    await wrote.wait()
    async with graph.fed():
        async with records(graph, 0) as source:
            await database.write(ledger.insert, rows, [obligation(key="early")])
            await graph.say(approval(approval_no="early"))
            (early,) = await take(source, 1)
            may_end.set()
            await writing
            await graph.place()
            assert [early.key, *(one.key for one in await take(source, 1))] == ["early", "late"]
        async with records(graph, early.position) as again:
            assert [one.key for one in await take(again, 1)] == ["late"]
        async with contextlib.aclosing(graph.feeds.obligations(0, everything)) as steps:
            first, second = await take(steps, 2)
            assert (first.key, second.key, second.position) == ("early", "late", first.position + 1)


async def test_who_comes_back_at_any_place_gets_the_rest_once_whether_old_or_in_the_window(graph: Graph) -> None:
    many = 700
    await graph.say(*(approval(approval_no=f"{at}") for at in range(many)))
    async with graph.fed(), records(graph, None) as holding:  # so that a window stands, from here on
        listening = asyncio.create_task(take(holding, 1))
        while graph.feeds.listeners < 1:  # noqa: ASYNC110  (in the feed)
            await asyncio.sleep(0)
        await graph.say(*(approval(approval_no=f"{many + at}") for at in range(300)))
        await listening
        for after in (0, 1, 199, 200, 201, many - 1, many, many + 1, many + 299):
            async with records(graph, after) as source:
                rest = await take(source, many + 300 - after)
            assert [one.key for one in rest] == [str(at) for at in range(after, many + 300)]


async def test_what_happens_to_a_record_is_told_as_it_was_then(graph: Graph, rows: Rows) -> None:
    await graph.say(approval(approval_no="a", address="first"), task())
    await graph.say(approval(approval_no="a", version=2, address="second"))
    await graph.database.write(upsert, rows, [gone(approval(approval_no="a"), version=3)])
    await graph.say(approval(approval_no="a", version=4, address="again"))
    async with graph.fed(), records(graph, 0) as source:
        told = await take(source, 4)
    kinds = [ChangeKind.CREATED, ChangeKind.CHANGED, ChangeKind.DELETED, ChangeKind.CREATED]
    assert [one.kind for one in told] == kinds
    assert [one.record.address for one in told] == ["first", "second", "second", "again"]


async def test_a_change_is_read_once_however_many_listen(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph, statements = Graph(sqlite_database, rows), list[str]()

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT change.") and "change.content" in statement:
            statements.append(statement)

    async with graph.fed(), records(graph, 0) as holding, contextlib.AsyncExitStack() as stack:
        await graph.say(approval(approval_no="first"))
        (first,) = await take(holding, 1)  # now a window stands
        event.listen(sqlite_database.engine, "before_cursor_execute", note)
        sources = [await stack.enter_async_context(records(graph, first.position)) for _ in range(50)]
        waiting = [asyncio.create_task(take(source, 1)) for source in sources]
        await graph.say(approval(approval_no="second"))
        assert [one.key for (one,) in await asyncio.gather(*waiting)] == ["second"] * 50
        event.remove(sqlite_database.engine, "before_cursor_execute", note)
    assert 0 < len(statements) < 10  # looks of the one reader


async def test_a_cursor_older_than_what_is_kept_is_refused_and_says_where_to_begin(
    sqlite_database: SQLiteDatabase, rows: Rows, clock: SettableClock
) -> None:
    graph = Graph(sqlite_database, rows)
    keeping = Keeping(sqlite_database, rows, clock, {"changes": 183, "obligation_changes": 30}, ())
    for version in (1, 2, 3):
        await graph.say(approval(approval_no="a", version=version))
        await graph.database.write(ledger.insert, rows, [obligation(key=f"o/{version}")])
    await graph.place()
    clock.advance(200 * 86_400)
    went = await keeping.prune()
    assert (went["changes"], went["obligation_changes"]) == (1, 2)  # the newest of all stays: it holds the place
    async with graph.fed():
        for refused in (graph.feeds.records(0, {"Approval"}, everything), graph.feeds.obligations(0, everything)):
            with pytest.raises(GraphError) as error:
                await anext(refused)
            assert error.value.code == "CURSOR_TOO_OLD"
        begin = (error.value.extensions or {})["beginAfter"]
        assert read_position("obligationChanges", begin) == 3
        await graph.database.write(ledger.insert, rows, [obligation(key="o/4")])
        await graph.place()
        async with contextlib.aclosing(graph.feeds.obligations(3, everything)) as source:
            assert [one.key for one in await take(source, 1)] == ["o/4"]


async def test_a_cursor_ahead_of_everything_is_refused(graph: Graph) -> None:
    async with graph.fed():
        with pytest.raises(GraphError) as error:
            await anext(graph.feeds.records(9, {"Approval"}, everything))
    assert error.value.code == "BAD_CURSOR"
    assert read_position(RECORDS, (error.value.extensions or {})["beginAfter"]) == 0


async def test_without_a_wake_up_the_feed_finds_changes_by_itself(sqlite_database: SQLiteDatabase, rows: Rows) -> None:
    graph = Graph(sqlite_database, rows, look_again=0.01)
    async with graph.fed(), records(graph, 0) as source:
        waiting = asyncio.create_task(take(source, 1))
        await graph.database.write(upsert, rows, [observed(approval(approval_no="a"))])
        await graph.database.write(audit_sealing.seal, START)
        assert [one.key for one in await waiting] == ["a"]


async def test_every_step_of_an_obligation_is_a_change(graph: Graph, rows: Rows) -> None:
    await graph.database.write(ledger.insert, rows, [obligation(key="o", state=ObligationState.DUE)])
    (claimed,) = await graph.database.write(ledger.claim, rows, obligation().platform, 1, START + timedelta(days=99), timedelta(60))
    await graph.database.write(lambda it: ledger.change(it, rows, claimed.key, state=ObligationState.SENT))
    await graph.place()
    async with graph.fed(), contextlib.aclosing(graph.feeds.obligations(0, everything)) as source:
        told: list[ObligationChanged] = await take(source, 3)
    assert [one.state.value for one in told] == ["DUE", "LEASED", "SENT"]
    assert [one.kind for one in told] == [ChangeKind.CREATED, ChangeKind.CHANGED, ChangeKind.CHANGED]
    assert {one.obligation.state.value for one in told if one.obligation} == {"SENT"}


async def test_what_was_rolled_back_is_no_change(graph: Graph, rows: Rows) -> None:
    def fails(connection: Any) -> None:
        ledger.insert(connection, rows, [obligation(key="never")])
        raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011
        await graph.database.write(fails)
    await graph.place()
    assert await graph.database.read(obligation_changes.newest) == 0


async def test_a_subject_is_known_by_all_its_identifiers(graph: Graph, rows: Rows) -> None:
    profile = credit_profile(old_codes=(old_number(1),))
    await graph.database.write(identities.know, rows, [observed(profile)])
    for known in (old_number(1), profile.code):
        assert await graph.feeds.identifiers_of(known) == {old_number(1), profile.code}
    assert await graph.feeds.identifiers_of("unknown") == {"unknown"}


@pytest.mark.parametrize(
    ("value", "comparison", "expected"),
    [
        (None, Comparison("a", "is_null", True), True),
        (1, Comparison("a", "is_null", True), False),
        (None, Comparison("a", "is_null", False), False),
        (None, Comparison("a", "eq", 1), False),
        (None, Comparison("a", "lt", 1), False),
        (2, Comparison("a", "in", (1, 2)), True),
        (2, Comparison("a", "gte", 2), True),
        (2, Comparison("a", "gt", 2), False),
        (2, Comparison("a", "lte", 2), True),
    ],
)
def test_comparisons_hold_as_in_sql(value: Any, comparison: Comparison, expected: bool) -> None:
    assert holds(value, comparison) is expected
