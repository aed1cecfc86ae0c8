"""task-cancelled: a check of ours that someone cancelled on the platform is for ops, once, and is not made again by itself."""

import pytest

from hub.reconcile.rules.task_cancelled import TaskCancelled
from schema.entities import ApprovalState, TaskStatus, VerificationTask
from tests.builders import approval, observed, task
from tests.unit.reconcile.city import APPROVAL_KEY, TASK_ID, City, approval_task, event_task, observation, road_event
from tests.unit.reconcile.ordered import RECHECK_ID, RECHECK_KEY, ordering, recheck_task

CANCELLED = TaskStatus.CANCELLED
GRANTED = observed(approval())


def cancelled(version: int = 2, **fields: object) -> VerificationTask:
    return approval_task(**{"status": CANCELLED, "version": version} | fields)


async def kinds(city: City) -> list[tuple[str, str]]:
    return [(item.kind, item.cause) for item in await city.ops()]


async def test_a_check_that_someone_cancelled_is_for_ops_once_and_is_not_made_again(city: City) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(observed(cancelled()))
    await city.say(observed(cancelled(3)))
    await city.sweep.everything()
    (item,) = await city.ops()
    assert (item.kind, item.cause, item.subject_code) == ("task-cancelled", TASK_ID, approval().subject_code)
    assert APPROVAL_KEY in item.message
    assert ('"CreateTask"' in (item.before or ""), '"CANCELLED"' in (item.after or "")) == (True, True)
    assert await city.lines() == {APPROVAL_KEY: "CLOSED"}


async def test_a_recheck_that_someone_cancelled_is_for_ops_as_well(city: City) -> None:
    await city.say(observation(ordering()), observed(recheck_task()))
    await city.say(observed(recheck_task(status=CANCELLED, version=2)))
    assert ("task-cancelled", RECHECK_ID) in await kinds(city)
    assert (await city.lines())[RECHECK_KEY] == "CLOSED"


async def test_a_check_that_our_revocation_cancelled_is_no_news(city: City) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(observed(approval(version=2, state=ApprovalState.REVOKED)))
    await city.accept("approval-revoked:" + approval().approval_no)
    await city.say(observed(cancelled()))
    await city.sweep.everything()
    assert await kinds(city) == []


async def test_it_stays_no_news_when_the_approval_is_granted_after_all(city: City) -> None:
    await city.say(GRANTED, observed(approval_task()))
    await city.say(observed(approval(version=2, state=ApprovalState.REVOKED)))
    await city.accept("approval-revoked:" + approval().approval_no)
    await city.say(observed(cancelled()))
    await city.say(observed(approval(version=3)))
    await city.sweep.everything()
    assert [kind for kind, _ in await kinds(city)] == ["approval-revoked.withdrawn-after-sent"]


async def test_the_task_of_a_grid_event_is_answered_to_the_town_instead(city: City) -> None:
    await city.say(observed(road_event()), observed(event_task()))
    await city.say(observed(event_task(status=CANCELLED, version=2)))
    await city.sweep.everything()
    assert await kinds(city) == []


async def test_a_task_of_somebody_else_is_nobodys_business(city: City) -> None:
    other = {"task_id": "T-OTHER", "status": CANCELLED, "origin_platform": None, "origin_ref": None}
    await city.say(observed(task(**other, external_no="X-1")), observed(task(**other | {"task_id": "T-OWN"}, external_no=None)))
    await city.sweep.everything()
    assert await kinds(city) == []


async def test_a_cancellation_that_came_before_its_cause_is_found_by_the_sweep(city: City) -> None:
    await city.say(observed(cancelled()))
    await city.say(GRANTED)
    await city.sweep.everything()
    assert await kinds(city) == [("task-cancelled", TASK_ID)]


@pytest.mark.parametrize(
    ("record", "causes"),
    [
        (cancelled(), [TASK_ID]),
        (approval_task(), []),
        (cancelled(external_no=None), []),
        (event_task(status=CANCELLED), []),
        (cancelled(origin_platform=None), [TASK_ID]),
    ],
)
def test_cancelled_tasks_that_somebody_ordered_are_what_it_listens_to(record: VerificationTask, causes: list[str]) -> None:
    assert list(TaskCancelled().causes(observed(record))) == causes
