"""Two processes on PostgreSQL that look at nothing by themselves for hours: what one makes due the other carries out at once."""

import random

from hub.app import Hub
from hub.parts import World
from hub.settings import load_settings
from tests.e2e.eventually import eventually
from tests.e2e.stage import SEED, Stage
from tests.servers import PostgreSQLServer

NEVER = dict.fromkeys(("IDLE_SECONDS", "SWEEP_SECONDS", "WAITING_SECONDS", "RESCUE_SECONDS"), "360000")


async def test_an_obligation_that_one_process_made_due_is_carried_out_by_another_at_once(
    stage: Stage, postgresql: PostgreSQLServer
) -> None:
    async with postgresql.fresh() as url:
        settings = {"DATABASE_URL": url, "POLL": "false", **NEVER}
        world = World(clock=stage.clock, sleep=stage.sleep, rng=random.Random(SEED))
        worker = Hub(load_settings(stage.environment(**settings)), world)
        async with (
            worker.opened(),
            stage.hub(**settings, WORKER_INSIDE="false") as serve,
            worker.running(intake=False),
        ):
            await eventually(lambda: worker.wake_ups.are_heard, within=240, or_say="the worker listens")
            serial = stage.approval.grant(procedure="1")
            await eventually(stage.tasks_for, serial, within=240, or_say="the task, long before anybody looks by himself")
            assert serve.hub.settings.hub.idle_seconds > 3600
