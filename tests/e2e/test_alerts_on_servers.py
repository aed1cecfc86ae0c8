"""Alerts of hubs on a real PostgreSQL, told to a real receiver: once by all processes together; and of the database itself."""

import contextlib
from pathlib import Path

import pytest

from tests.cluster import lone_server
from tests.e2e.alarm_receiver import alarm_receiver
from tests.e2e.eventually import eventually
from tests.e2e.signed import good_body, signed
from tests.e2e.stage import staged
from tests.servers import PostgreSQLServer

PACE = {
    "IDLE_SECONDS": "2",
    "ALERT_SECONDS": "5",
    "SCHEDULE_LEASE_SECONDS": "30",
    "CREDIT_BREAKER_COOL_DOWN_SECONDS": "5",
    "CREDIT_BREAKER_LONGEST_SECONDS": "5",
}
"""Seconds of the stage's clock, ten of which pass in a true one."""
BREAKER, AWAY = "BihuanBreakerOpen", "BihuanDatabaseUnreachable"
SOON = 300.0
"""True seconds, on a machine that has much else to do."""


async def test_two_processes_tell_an_alert_once_and_the_one_that_is_left_tells_its_end_once(
    postgresql: PostgreSQLServer, tmp_path: Path
) -> None:
    async with (
        postgresql.fresh() as url,
        staged(tmp_path) as stage,
        alarm_receiver() as receiver,
        contextlib.AsyncExitStack() as first_process,
    ):
        settings = {**PACE, "DATABASE_URL": url, **receiver.settings}
        first = await first_process.enter_async_context(stage.hub(**settings))
        async with stage.hub(**settings) as second:
            stage.credit.faults = stage.credit.faults.changed({"outage": True})
            await eventually(receiver.was_told, "alert.raised", BREAKER, "credit", within=SOON, or_say="the alert")
            await stage.sleep(40)  # eight looks
            assert receiver.told["alert.raised", BREAKER, "credit"] == 1
            for each in (first, second):
                standing = (await each.ask("{ alerts { name platform } }"))["alerts"]
                assert {"name": BREAKER, "platform": "credit"} in standing
            await first_process.aclose()
            stage.credit.faults = stage.credit.faults.changed({"outage": False})
            await eventually(receiver.was_told, "alert.cleared", BREAKER, "credit", within=SOON, or_say="the end of the alert")
            await stage.sleep(40)
            about = {
                kind: number for (kind, name, platform), number in receiver.told.items() if (name, platform) == (BREAKER, "credit")
            }
            assert about == {"alert.raised": 1, "alert.cleared": 1}


@pytest.mark.usefixtures("postgresql")  # it makes the user that servers run as
async def test_a_database_that_is_away_is_told_by_the_process_itself_and_cleared_when_it_is_back(tmp_path: Path) -> None:
    async with (
        lone_server() as server,
        staged(tmp_path) as stage,
        alarm_receiver() as receiver,
        stage.hub(DATABASE_URL=server.url, **PACE, **receiver.settings) as running,
    ):
        assert (await running.client.get("/readyz")).status_code == 200
        await server.stop()
        await eventually(receiver.was_told, "alert.raised", AWAY, within=SOON, or_say="the alert")
        webhook = signed(stage, "grid", good_body(stage, "grid"))
        refused = await running.client.post(webhook.path, content=webhook.body, headers=webhook.headers)
        assert refused.status_code == 503
        assert (await running.client.get("/readyz")).status_code == 503
        assert "bihuan_database_up 0.0" in (await running.client.get("/metrics")).text
        await server.start()
        await eventually(receiver.was_told, "alert.cleared", AWAY, within=SOON, or_say="the end of the alert")
        serial = stage.approval.grant(procedure="1")
        await eventually(stage.tasks_for, serial, within=SOON, or_say="a task: the hub goes on")
        assert (receiver.told["alert.raised", AWAY, None], receiver.told["alert.cleared", AWAY, None]) == (1, 1)
