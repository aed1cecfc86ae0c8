"""Reads from a real standby: how far it is behind is known and shown, and one that fails holds nobody up."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from sqlalchemy import Connection, text

from hub.app import Hub
from hub.graph.answer import Question, answer
from hub.graph.loaders import Loaders
from hub.graph.schema import build_schema
from hub.mirror import replica as module
from hub.mirror.database import PostgreSQLDatabase
from hub.mirror.replica import Replica
from hub.parts import World
from hub.settings import load_settings
from schema.context import Caller, Context
from tests.builders import approval, observed
from tests.cluster import Cluster, cluster
from tests.e2e.eventually import eventually
from tests.settable_clock import SettableClock
from tests.unit.graph.records import SEES_ALL
from tests.unit.test_settings import complete

pytestmark = pytest.mark.asyncio(loop_scope="module")
MOST_LAG = 30.0


def on_standby(connection: Connection) -> bool:
    return bool(connection.execute(text("SELECT pg_is_in_recovery()")).scalar_one())


def health(replica: Replica) -> tuple[float | None, str | None]:
    lag, trouble = replica.health
    return lag, trouble


def write(connection: Connection) -> None:
    connection.execute(text("INSERT INTO quota SELECT gen_random_uuid()::text, 1"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def pair() -> AsyncIterator[Cluster]:
    async with cluster(synchronous=False) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def primary(pair: Cluster) -> AsyncIterator[PostgreSQLDatabase]:
    database = PostgreSQLDatabase(pair.primary.url)
    yield database
    await database.close()


@pytest_asyncio.fixture(loop_scope="module")
async def replica(pair: Cluster, primary: PostgreSQLDatabase, clock: SettableClock) -> AsyncIterator[Replica]:
    """A replica that is read, at a clock that stands still."""
    made = Replica(primary, pair.standby.url, most_lag_seconds=MOST_LAG, clock=clock, sleep=clock.sleep)
    await eventually(caught_up, made)
    yield made
    await made.close()


async def caught_up(replica: Replica) -> bool:
    await replica.check()
    return health(replica) == (0.0, None)


async def test_the_standby_is_read_and_a_primary_at_which_nothing_happens_is_no_lag(
    replica: Replica, primary: PostgreSQLDatabase, clock: SettableClock
) -> None:
    assert await replica.read(on_standby)
    assert not await primary.read(on_standby)
    clock.advance(5 * 3600)
    assert replica.behind_seconds == 5 * 3600, "nobody has looked since"
    await eventually(caught_up, replica)
    assert health(replica) == (0.0, None)


async def test_one_that_replays_nothing_is_further_behind_with_each_second_and_read_no_longer_beyond_the_limit(
    replica: Replica, pair: Cluster, primary: PostgreSQLDatabase, clock: SettableClock
) -> None:
    await pair.standby.ask("SELECT pg_wal_replay_pause()")
    try:
        await eventually(lambda: pair.standby.ask("SELECT pg_get_wal_replay_pause_state() = 'paused'"))
        await replica.check()
        await primary.write(write)
        clock.advance(seconds=10)
        await replica.check()
        assert health(replica) == (10.0, None)
        assert replica.behind_seconds == 10
        assert await replica.read(on_standby)
        clock.advance(seconds=21)
        await replica.check()
        assert health(replica) == (31.0, "31 s behind")
        assert replica.behind_seconds == 0, "the primary is read"
        assert not await replica.read(on_standby)
    finally:
        await pair.standby.ask("SELECT pg_wal_replay_resume()")
    await eventually(caught_up, replica)
    assert await replica.read(on_standby)


async def test_the_graph_says_how_far_it_may_be_behind_and_reads_the_primary_after_a_change(
    pair: Cluster, clock: SettableClock
) -> None:
    urls = {"HUB_DATABASE_URL": pair.primary.url, "HUB_DATABASE_READ_URL": pair.standby.url}
    hub = Hub(load_settings(complete() | urls), World(clock=clock, sleep=clock.sleep))
    question = Question("{ approvals(first: 1) { edges { node { approvalNo freshness { behindSeconds stale } } } } }")

    async def seen(reads: Loaders) -> object:
        caller = Caller("lou", frozenset({"graph:read"}))
        given = await answer(build_schema(), question, Context(reads, hub.operator, caller, "c-1"))
        assert not given.errors, given.errors
        assert given.data is not None
        return [edge["node"]["freshness"] for edge in given.data["approvals"]["edges"]]

    async with hub.opened():
        assert hub.replica is not None
        await hub.applier.apply("approval", "approvals", [observed(approval(approval_no="1"))])
        await eventually(caught_up, hub.replica)
        clock.advance(seconds=7)
        reads = Loaders(hub.database, hub.rows, SEES_ALL, hub.replica)
        assert await seen(reads) == [{"behindSeconds": 7.0, "stale": False}]
        reads.forget()
        assert await seen(reads) == [{"behindSeconds": 0.0, "stale": False}]


async def test_what_is_no_standby_is_not_read(pair: Cluster, primary: PostgreSQLDatabase, clock: SettableClock) -> None:
    other = Replica(primary, pair.primary.url, most_lag_seconds=MOST_LAG, clock=clock, sleep=clock.sleep)
    assert health(other) == (None, "not asked yet")
    await other.check()
    assert health(other) == (None, "it is no standby")
    assert not await other.read(on_standby)
    await other.close()


async def test_work_that_is_wrong_fails_and_is_not_tried_on_the_primary(replica: Replica) -> None:
    with pytest.raises(Exception, match="no_such_table"):
        await replica.read(lambda connection: connection.execute(text("SELECT * FROM no_such_table")))
    assert replica.health.trouble is None


async def test_one_that_hangs_holds_nobody_up(replica: Replica, pair: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ANSWERS_WITHIN", 0.5)
    async with pair.standby.hanging():
        waiting = asyncio.create_task(replica.read(on_standby))
        await asyncio.sleep(0)
        await replica.check()
        assert health(replica)[1] == "no answer within 0.5 s"
        assert not await waiting, "the read that hung there came from the primary"
        assert not await replica.read(on_standby)
    monkeypatch.undo()
    await eventually(caught_up, replica)


async def test_one_that_is_gone_is_replaced_by_the_primary_at_once(replica: Replica, pair: Cluster) -> None:
    await pair.standby.kill()
    assert not await replica.read(on_standby)
    assert replica.health.trouble is not None
    await replica.check()
    assert "127.0.0.1" in (replica.health.trouble or "")
