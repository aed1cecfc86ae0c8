"""duplicate-task: of two tasks with one of our numbers one stands, in every rule alike; what has not begun is cancelled."""

from datetime import timedelta
from typing import Any

import pytest

from connectors.errors import PermanentError, UnknownOutcome
from hub.mirror.queries import Check
from schema.commands import AcceptEvent, CancelTask, FeedbackEvent, PostCreditRecord
from schema.entities import (
    ApprovalState,
    Conclusion,
    EventStatus,
    ObligationState,
    TaskStatus,
    TaskType,
    VerificationTask,
)
from tests.builders import approval, credit_record, gone, observed, task, task_result
from tests.settable_clock import START
from tests.unit.reconcile.city import (
    APPROVAL_KEY,
    APPROVAL_NO,
    EVENT_NO,
    TASK_ID,
    City,
    approval_task,
    bad,
    event_task,
    observation,
    road_event,
)
from tests.unit.reconcile.worker_side import Office

SECOND = "T2019090200002"
FIRST_KEY, SECOND_KEY = f"duplicate-task:{TASK_ID}", f"duplicate-task:{SECOND}"
GRANTED = observed(approval())
REVOKED = observed(approval(version=2, state=ApprovalState.REVOKED))
PENDING, ACCEPTED, DONE, CANCELLED = TaskStatus.PENDING, TaskStatus.ACCEPTED, TaskStatus.DONE, TaskStatus.CANCELLED


@pytest.fixture
def hub(city: City) -> Office:
    return Office(city.database, city.rows, city.clock, city.derivation)


def first(status: TaskStatus = PENDING, version: int = 1, **fields: Any) -> VerificationTask:
    return approval_task(status=status, version=version, **fields)


def second(status: TaskStatus = PENDING, version: int = 1, **fields: Any) -> VerificationTask:
    """The same order once more, a minute later."""
    later = START + timedelta(minutes=1)
    return approval_task(**{"task_id": SECOND, "status": status, "version": version, "created_at": later} | fields)


def standard(of: VerificationTask, *items: str) -> Check:
    """A finished check of the standard procedure, in which each finding takes points."""
    result_id = f"{of.task_id}/0"
    found = task_result(result_id=result_id, task_id=of.task_id, version=of.version)
    whole = {"task_id": of.task_id, "result_id": result_id, "version": of.version}
    return Check(of, [found], [bad(f"F-{of.task_id}-{item}", item_code=item, **whole) for item in items])


async def kinds(city: City) -> list[tuple[str, str]]:
    return [(item.kind, item.cause) for item in await city.ops()]


async def cancelled(city: City) -> list[str]:
    """Return the tasks whose cancellation is owed."""
    return [
        key.removeprefix("duplicate-task:")
        for key, state in (await city.lines()).items()
        if key.startswith("dup") and state == "DUE"
    ]


# --- Which one stands ------------------------------------------------------------------------------------------------


async def test_of_two_that_have_not_begun_the_younger_is_cancelled(city: City) -> None:
    await city.say(GRANTED, observed(first()))
    await city.say(observed(second()))
    command = await city.command(SECOND_KEY)
    assert isinstance(command, CancelTask)
    assert (command.task_id, TASK_ID in command.reason) == (SECOND, True)
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", SECOND_KEY: "DUE"}
    assert await kinds(city) == []


async def test_the_one_that_the_receipt_names_stays_though_it_is_younger(city: City) -> None:
    await city.say(GRANTED)
    await city.put(APPROVAL_KEY, state=ObligationState.SENT, receipt=SECOND, sent_at=START)
    await city.say(observed(second()))
    await city.say(observed(first()))
    assert await cancelled(city) == [TASK_ID]


async def test_the_one_that_has_begun_stays_though_the_receipt_names_the_other(city: City) -> None:
    await city.say(GRANTED, observed(first()))
    await city.say(observed(second(ACCEPTED)))
    assert await cancelled(city) == [TASK_ID]


async def test_of_three_two_are_cancelled(city: City) -> None:
    await city.say(GRANTED, observed(first()), observed(second()), observed(second(task_id="T3")))
    assert await cancelled(city) == [SECOND, "T3"]


@pytest.mark.parametrize("number", ["X-17", None])
async def test_the_number_of_somebody_else_is_nobodys_business(city: City, number: str | None) -> None:
    await city.say(observed(first(external_no=number)), observed(second(external_no=number)))
    await city.sweep.everything()
    assert await city.lines() == {}


async def test_a_number_of_our_form_that_no_obligation_has_is_left_alone(city: City) -> None:
    await city.say(observed(task()), observed(task(task_id=SECOND)))
    await city.sweep.everything()
    assert (await city.lines(), await kinds(city)) == ({}, [])


# --- The cancellation ------------------------------------------------------------------------------------------------


async def test_a_cancelled_copy_closes_it_and_is_no_news_to_anybody(city: City) -> None:
    await city.say(GRANTED, observed(first()), observed(second()))
    await city.accept(SECOND_KEY)
    await city.say(observed(second(CANCELLED, 2)))
    await city.sweep.everything()
    assert (await city.lines(), await kinds(city)) == ({APPROVAL_KEY: "CLOSED", SECOND_KEY: "CLOSED"}, [])


async def test_the_check_that_is_cancelled_after_its_copy_was_is_told(city: City) -> None:
    await city.say(GRANTED, observed(first()), observed(second()))
    await city.accept(SECOND_KEY)
    await city.say(observed(second(CANCELLED, 2)))
    await city.say(observed(first(CANCELLED, 2)))
    await city.sweep.everything()
    assert await kinds(city) == [("task-cancelled", TASK_ID)]


async def test_the_copy_that_went_on_is_told_when_it_is_cancelled_too(city: City) -> None:
    await city.say(GRANTED, observed(first()), observed(second(ACCEPTED)))
    await city.accept(FIRST_KEY)
    await city.say(observed(first(CANCELLED, 2)))
    assert await kinds(city) == []
    await city.say(observed(second(CANCELLED, 2)))
    await city.sweep.everything()
    assert await kinds(city) == [("task-cancelled", SECOND)]


async def test_a_cancellation_that_races_with_a_start_ends_and_both_are_told_of(city: City, hub: Office) -> None:
    await city.say(GRANTED, observed(first(ACCEPTED)), observed(second()))
    refused = PermanentError("enforcement", "NOT_POSSIBLE", "cancel: not possible, the task is ACCEPTED")
    hub.connectors["enforcement"].replies[SECOND_KEY] = [refused]
    assert await hub.worker.work_once("enforcement") == 1
    assert (await city.lines())[SECOND_KEY] == "STUCK"
    await city.say(observed(second(ACCEPTED, 2)))
    assert (await city.lines())[SECOND_KEY] == "WITHDRAWN"
    (item,) = await city.ops()
    assert (item.kind, TASK_ID in item.message, SECOND in item.message) == ("duplicate-task", True, True)
    assert (TASK_ID in (item.before or ""), SECOND in (item.after or "")) == (True, True)


async def test_two_cancellations_never_take_both(city: City, hub: Office) -> None:
    """While nobody knows whether the younger is cancelled, the older must stay, whatever else is learned."""
    await city.say(GRANTED, observed(first()), observed(second()))
    hub.connectors["enforcement"].replies[SECOND_KEY] = [UnknownOutcome("enforcement", "TIMEOUT", "no answer", city.clock())]
    assert await hub.worker.work_once("enforcement") == 1
    await city.put(APPROVAL_KEY, receipt=SECOND)  # a lookup of the order named it meanwhile
    await city.say(observed(first(version=2)), observed(second(version=2)))
    assert await cancelled(city) == [SECOND]


async def test_a_copy_that_is_gone_asks_for_nothing_any_more(city: City) -> None:
    await city.say(GRANTED, observed(first()), observed(second()))
    await city.keep_silent(gone(second()))
    await city.sweep.everything()
    assert (await city.lines())[SECOND_KEY] == "WITHDRAWN"


async def test_a_copy_that_nobody_was_asked_about_is_found_by_the_sweep(city: City) -> None:
    await city.say(GRANTED, observed(first()))
    await city.keep_silent(observed(second()))
    await city.sweep.everything()
    assert await cancelled(city) == [SECOND]


async def test_of_a_revoked_approval_no_check_is_left(city: City) -> None:
    await city.say(GRANTED, observed(first()), observed(second()))
    await city.say(REVOKED)
    assert {key for key, state in (await city.lines()).items() if state == "DUE"} == {SECOND_KEY, f"approval-revoked:{APPROVAL_NO}"}
    await city.accept(f"approval-revoked:{APPROVAL_NO}")
    await city.say(observed(first(CANCELLED, 2)))
    await city.sweep.everything()
    assert await city.lines() == {APPROVAL_KEY: "CLOSED", f"approval-revoked:{APPROVAL_NO}": "CLOSED", SECOND_KEY: "DUE"}
    assert await kinds(city) == []


# --- What both find --------------------------------------------------------------------------------------------------


async def test_what_both_found_takes_points_once(city: City) -> None:
    kind: dict[str, Any] = {"type": TaskType.APPROVAL}
    await city.say(GRANTED, observation(standard(first(DONE, **kind), "WH-001", "WH-002")))
    await city.say(observation(standard(second(DONE, **kind), "WH-001")))
    await city.sweep.everything()
    records = [key for key in await city.lines() if key.startswith("breach-record")]
    assert records == [f"breach-record:F-{TASK_ID}-WH-001", f"breach-record:F-{TASK_ID}-WH-002"]
    assert ("duplicate-task", approval_task().external_no) in await kinds(city)


async def test_the_one_whose_record_is_made_counts_whatever_begins_later(city: City) -> None:
    """The younger was done while the older waited; the older begins before it could be cancelled."""
    kind: dict[str, Any] = {"type": TaskType.APPROVAL}
    await city.say(GRANTED, observed(first(**kind)), observation(standard(second(DONE, **kind), "WH-001")))
    record = credit_record(biz_no="whatever", evidence_ref=SECOND)
    await city.accept(f"breach-record:F-{SECOND}-WH-001")
    await city.say(observed(record))
    await city.say(observation(standard(first(DONE, 2, **kind), "WH-001")))
    await city.sweep.everything()
    assert [key for key in await city.lines() if key.startswith("breach-record")] == [f"breach-record:F-{SECOND}-WH-001"]


async def test_a_broken_promise_is_recorded_whichever_of_two_checks_of_an_approval_found_it(city: City) -> None:
    """Both checks owe the record under one key, the approval's: what the one does not owe any more is the other's."""
    key, broken = f"breach-record:{APPROVAL_NO}", {"conclusion": Conclusion.NONCONFORM}
    await city.say(GRANTED, observed(first()))
    await city.put(APPROVAL_KEY, receipt=TASK_ID)
    await city.say(observed(second(DONE), task_result(result_id=f"{SECOND}/0", task_id=SECOND, **broken)))
    assert ((await city.ledger())[key].cause, (await city.lines())[key]) == (SECOND, "DUE")
    await city.say(observed(first(ACCEPTED, 2)))
    assert (await city.lines())[key] == "WITHDRAWN"
    await city.say(observed(first(DONE, 3), task_result(result_id=f"{TASK_ID}/0", task_id=TASK_ID, version=3, **broken)))
    one, command = (await city.ledger())[key], await city.command(key)
    assert isinstance(command, PostCreditRecord)
    assert (one.cause, one.state, command.evidence_ref) == (TASK_ID, ObligationState.DUE, TASK_ID)
    assert await city.sweep.everything() is not None
    assert (await city.lines())[key] == "DUE"


async def test_what_was_set_aside_counts_when_the_other_is_cancelled(city: City) -> None:
    kind: dict[str, Any] = {"type": TaskType.APPROVAL}
    await city.say(GRANTED, observed(first(ACCEPTED, **kind)), observation(standard(second(DONE, **kind), "WH-001")))
    assert not [key for key in await city.lines() if key.startswith("breach-record")]
    await city.say(observed(first(CANCELLED, 2, **kind)))
    assert [key for key in await city.lines() if key.startswith("breach-record")] == [f"breach-record:F-{SECOND}-WH-001"]


async def test_the_result_that_is_written_back_is_that_of_the_one_that_stands(city: City) -> None:
    kept = task_result(result_id=f"{SECOND}/0", task_id=SECOND, conclusion=Conclusion.CONFORM)
    await city.say(GRANTED, observed(first()), observed(second(DONE), kept))
    assert f"verification-result:{SECOND}:1" in await city.lines()


async def test_an_event_is_answered_by_the_task_with_which_it_was_accepted(city: City) -> None:
    """The first was accepted and never begun; officers went out under the second (grid.md: another taskNo is refused)."""
    await city.say(observed(road_event()), observed(event_task()))
    accepted = await city.command(f"grid-dispatch:{EVENT_NO}:1/2")
    assert isinstance(accepted, AcceptEvent)
    await city.accept(f"grid-dispatch:{EVENT_NO}:1/2")
    await city.say(observed(road_event(status=EventStatus.ACCEPTED, version=2)))
    other = event_task(task_id="T-AGAIN", status=DONE, created_at=START + timedelta(minutes=1))
    found = task_result(task_id="T-AGAIN", result_id="T-AGAIN/0", conclusion=Conclusion.CONFORM, subject_code=None)
    await city.say(observed(other, found))
    await city.accept("duplicate-task:T-EVENT-1")
    await city.say(observed(event_task(status=CANCELLED, version=2)))
    answer = await city.command(f"grid-feedback:{EVENT_NO}:1")
    assert isinstance(answer, FeedbackEvent)
    assert (answer.task_id, answer.result) == (accepted.task_id, "handled")
