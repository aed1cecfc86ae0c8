"""The loop end to end: what happens on one platform has its consequence on the others, whatever becomes of callbacks."""

from tests.e2e.city_life import all_closed, assert_guaranteed, begin, obligations_of, officers_work
from tests.e2e.stage import Stage

HANGS_FOR = 10.0
"""Seconds that an unanswered call hangs, of the stage's time: longer than the hub's deadline."""


async def test_approvals_become_tasks_breaches_become_records_and_tips_are_answered(stage: Stage) -> None:
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        assert_guaranteed(stage, morning)


async def test_without_a_single_webhook_everything_converges_all_the_same(stage: Stage) -> None:
    stage.faults(callbacks_off=True)
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        assert_guaranteed(stage, morning)
        assert await running.ask("{ deliveries { totalCount } }") == {"deliveries": {"totalCount": 0}}


async def test_lost_doubled_and_shuffled_callbacks_and_calls_that_time_out_after_the_work_double_and_miss_nothing(
    stage: Stage,
) -> None:
    stage.faults(callbacks_lost=0.3, callbacks_doubled=0.3, callbacks_shuffled=5.0, timeout_after_work=0.3, hang_seconds=HANGS_FOR)
    deadlines = {f"{platform.name.upper()}_DEADLINE_SECONDS": "0.5" for platform in stage.platforms}  # true seconds
    async with stage.hub(**deadlines) as running:
        morning = begin(stage, rounds=3)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        assert_guaranteed(stage, morning)
    # a database that nobody calls, and a gateway by which the morning sends nothing for sure
    called = [platform for platform in stage.platforms if platform not in (stage.selfgov, stage.sms)]
    came_true = {platform.name: platform.counters["faults.timeout_after_work"] for platform in called}
    assert min(came_true.values()) > 0, came_true
    for fault in ("callbacks.lost", "callbacks.doubled"):
        assert sum(platform.counters[fault] for platform in stage.platforms) > 0
