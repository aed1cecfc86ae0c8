"""The loop end to end: what happens on one platform has its consequence on the others, whatever becomes of callbacks."""

from tests.e2e.city_life import all_closed, assert_guaranteed, begin, obligations_of, officers_work
from tests.e2e.stage import Stage


async def test_approvals_become_tasks_breaches_become_records_and_tips_are_answered(stage: Stage) -> None:
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
        assert_guaranteed(stage, morning)
