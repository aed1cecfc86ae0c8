"""A hub that may use one connection, or two, to its PostgreSQL: all wait for their turn, none for ever, every loop is closed."""

import asyncio

import pytest
from structlog.testing import capture_logs

from tests.e2e.city_life import all_closed, assert_guaranteed, begin, obligations_of, officers_work
from tests.e2e.stage import RunningHub, Stage
from tests.servers import PostgreSQLServer


@pytest.mark.parametrize("connections", [1, 2])
async def test_with_few_connections_every_loop_is_closed(stage: Stage, postgresql: PostgreSQLServer, connections: int) -> None:
    async with postgresql.fresh() as url:
        with capture_logs() as logged:
            async with stage.hub(DATABASE_URL=url, DATABASE_CONNECTIONS=str(connections)) as running:
                morning = begin(stage)
                asked: list[object] = []
                asking = asyncio.create_task(_ask_again_and_again(running, asked))
                await officers_work(stage, morning, within=120)
                await all_closed(running, obligations_of(morning), within=120)
                asking.cancel()
                (ended,) = await asyncio.gather(asking, return_exceptions=True)
                assert isinstance(ended, asyncio.CancelledError), ended
                assert asked
        assert_guaranteed(stage, morning)
        assert [event for event in logged if event["log_level"] == "error"] == []


async def _ask_again_and_again(running: RunningHub, asked: list[object]) -> None:
    """Ask the graph ten things at a time, as front ends do; each is answered."""
    query = "{ approvals(first: 5) { edges { node { approvalNo tasks { edges { node { status } } } } } } }"
    while True:
        asked += await asyncio.gather(*(running.ask(query) for _ in range(10)))
