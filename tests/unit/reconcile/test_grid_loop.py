"""One event through task, acceptance and answer, on both databases: two platforms, several sendings, one chain."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hub.domain.policy_values import GridCategory
from hub.mirror import ledger
from hub.mirror.queries import Check
from hub.reconcile.rule import Rulebook
from schema.commands import CreateTask, FeedbackEvent
from schema.entities import Conclusion, EventStatus, ObligationState, TaskStatus
from schema.entity import Observation
from tests.builders import observed, task_result
from tests.settable_clock import SettableClock
from tests.unit.reconcile.city import EVENT_NO, POLICY, City, event_task, forget_ledger, observation, read_quarantine, road_event

FIRST, SECOND = (f"grid-dispatch:{EVENT_NO}:{sending}" for sending in (1, 2))
ANSWER, SECOND_ANSWER = (f"grid-feedback:{EVENT_NO}:{sending}" for sending in (1, 2))


def event(version: int, status: EventStatus, **fields: Any) -> Any:
    return observed(road_event(version=version, status=status, **fields))


def ended(sending: int, version: int, conclusion: Conclusion) -> Any:
    of = event_task(sending, version=version, status=TaskStatus.DONE)
    return observation(
        Check(of, [task_result(task_id=of.task_id, result_id=f"{of.task_id}/0", conclusion=conclusion, remarks=None)], [])
    )


async def due(city: City) -> list[str]:
    """Return what a worker could claim of the event's chain now, on either platform; and put it back."""
    found = []
    for platform in ("enforcement", "grid"):
        for one in await city.database.write(ledger.claim, city.rows, platform, 10, city.clock(), timedelta(seconds=90)):
            found.append(one.key)
            await city.put(one.key, state=type(one.state).DUE, lease_until=None)
    return found


async def take_up(city: City, sending: int, version: int) -> None:
    """Let the hub make the task of a sending, see it, and accept the event."""
    await city.accept(f"grid-dispatch:{EVENT_NO}:{sending}/1")
    await city.say(observed(event_task(sending)))
    await city.accept(f"grid-dispatch:{EVENT_NO}:{sending}/2")
    await city.say(event(version, EventStatus.ACCEPTED))


async def test_the_acceptance_waits_for_the_task_and_the_answer_for_both(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    assert await city.lines() == {f"{FIRST}/1": "DUE", f"{FIRST}/2": "WAITING"}
    assert await due(city) == [f"{FIRST}/1"]
    await city.accept(f"{FIRST}/1")
    await city.say(observed(event_task()))
    assert await city.lines() == {f"{FIRST}/1": "CLOSED", f"{FIRST}/2": "DUE"}
    await city.say(ended(1, 2, Conclusion.CONFORM))
    assert await city.lines() == {f"{FIRST}/1": "CLOSED", f"{FIRST}/2": "DUE", ANSWER: "DUE"}
    assert await due(city) == [f"{FIRST}/2"]
    await city.accept(f"{FIRST}/2")
    assert await due(city) == []
    await city.say(event(2, EventStatus.ACCEPTED))
    assert await due(city) == [ANSWER]
    await city.accept(ANSWER)
    await city.say(event(3, EventStatus.HANDLED))
    assert await city.lines() == {f"{FIRST}/1": "CLOSED", f"{FIRST}/2": "CLOSED", ANSWER: "CLOSED"}


async def test_an_edit_while_it_waits_is_the_same_sending(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await city.say(event(2, EventStatus.SENT, title="杂草很高"))
    assert await city.lines() == {f"{FIRST}/1": "DUE", f"{FIRST}/2": "WAITING"}
    command = await city.command(f"{FIRST}/1")
    assert isinstance(command, CreateTask)
    assert command.title == "杂草很高"


async def test_an_edit_that_names_another_department_after_the_task_was_made_is_for_ops(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await city.accept(f"{FIRST}/1")
    await city.say(event(2, EventStatus.SENT, title="别的题目"))
    assert await city.ops() == []
    await city.say(event(3, EventStatus.SENT, department_code="ZFJ"))
    assert "grid-dispatch.changed-after-sent" in [item.kind for item in await city.ops()]


async def test_an_event_that_is_sent_once_more_after_a_return_is_dispatched_once_more(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(ended(1, 2, Conclusion.UNREACHABLE))
    await city.accept(ANSWER)
    await city.say(event(3, EventStatus.RETURNED))
    assert (await city.lines())[ANSWER] == "CLOSED"
    await city.say(event(4, EventStatus.SENT))
    assert {key: state for key, state in (await city.lines()).items() if state != "CLOSED"} == {
        f"{SECOND}/1": "DUE",
        f"{SECOND}/2": "WAITING",
    }
    await take_up(city, 2, 5)
    await city.say(ended(2, 2, Conclusion.CONFORM))
    assert (await city.lines())[SECOND_ANSWER] == "DUE"
    command = await city.command(SECOND_ANSWER)
    assert isinstance(command, FeedbackEvent)
    assert (command.result, command.task_id) == ("handled", "T-EVENT-2")


async def test_a_return_that_the_mirror_never_saw_is_known_by_the_next_sending(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(ended(1, 2, Conclusion.UNREACHABLE))
    await city.accept(ANSWER)
    await city.say(event(4, EventStatus.SENT))
    states = await city.lines()
    assert (states[ANSWER], states[f"{SECOND}/1"], states[f"{SECOND}/2"]) == ("CLOSED", "DUE", "WAITING")


async def test_a_lost_ledger_does_not_take_a_later_sending_for_the_first(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(ended(1, 2, Conclusion.UNREACHABLE))
    await city.accept(ANSWER)
    await city.say(event(3, EventStatus.RETURNED), event(4, EventStatus.SENT), observed(event_task(2)))
    await city.database.write(forget_ledger)
    await city.sweep.everything()
    assert await city.lines() == {f"{SECOND}/1": "CLOSED", f"{SECOND}/2": "DUE"}
    await city.say(event(5, EventStatus.ACCEPTED), ended(2, 2, Conclusion.CONFORM))
    assert (await city.lines())[SECOND_ANSWER] == "DUE"
    assert ANSWER not in await city.lines()


async def test_a_correction_after_the_answer_was_given_is_for_ops_also_of_an_earlier_sending(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(ended(1, 2, Conclusion.UNREACHABLE))
    await city.accept(ANSWER)
    await city.say(event(3, EventStatus.RETURNED))
    await city.say(event(4, EventStatus.SENT))
    await city.say(ended(1, 3, Conclusion.CONFORM))
    (item,) = [item for item in await city.ops() if item.kind != "unreachable"]
    assert (item.kind, item.cause) == ("grid-feedback.changed-after-sent", ANSWER)
    assert ('"returned"' in (item.before or ""), '"handled"' in (item.after or "")) == (True, True)
    assert (await city.lines())[ANSWER] == "CLOSED"
    assert f"{SECOND}/1" in await city.lines()


async def test_a_correction_before_the_answer_was_given_changes_the_answer(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(ended(1, 2, Conclusion.UNREACHABLE))
    await city.say(ended(1, 3, Conclusion.CONFORM))
    command = await city.command(ANSWER)
    assert isinstance(command, FeedbackEvent)
    assert command.result == "handled"


async def test_an_event_without_a_route_is_released_when_policy_has_one(city: City, clock: SettableClock) -> None:
    await city.say(event(1, EventStatus.SENT, category="XX-99"))
    assert await city.lines() == {f"{FIRST}/1": "WAITING", f"{FIRST}/2": "WAITING"}
    assert [item.kind for item in await city.ops()] == ["no-route"]
    await city.sweep.waiting()
    assert await city.lines() == {f"{FIRST}/1": "WAITING", f"{FIRST}/2": "WAITING"}
    policy = replace(POLICY, categories=(*POLICY.categories, GridCategory("XX-99", "新类别", "YJ")), version="with XX-99")
    city.derivation.book = Rulebook(policy, "330782")
    clock.advance(60)
    await city.sweep.waiting()
    one = (await city.ledger())[f"{FIRST}/1"]
    assert (one.state.value, one.next_at, one.policy_version) == ("DUE", clock(), "with XX-99")


async def test_an_event_without_a_route_is_named_in_the_quarantine_once_until_policy_has_one(
    city: City, clock: SettableClock
) -> None:
    for _ in range(2):
        await city.say(event(1, EventStatus.SENT, category="XX-99"))
        await city.sweep.everything()
    (one,) = await city.database.read(read_quarantine, city.rows)
    assert (one.platform, one.reason, one.record_key, one.released_at) == ("grid", "NO_ROUTE", EVENT_NO, None)
    assert ("'XX-99'" in one.detail, "grid_categories.csv" in one.detail) == (True, True)
    assert b"XX-99" in one.content
    policy = replace(POLICY, categories=(*POLICY.categories, GridCategory("XX-99", "新类别", "YJ")), version="with XX-99")
    city.derivation.book = Rulebook(policy, "330782")
    clock.advance(60)
    await city.sweep.waiting()
    (one,) = await city.database.read(read_quarantine, city.rows)
    assert one.released_at == clock()


@pytest.mark.parametrize(
    "later",
    [
        event(2, EventStatus.SENT, category="XX-99", department_code="YJ"),
        event(2, EventStatus.SENT, category="JT-03"),
        event(2, EventStatus.ACCEPTED, category="XX-99"),
        event(2, EventStatus.REPORTED, category="XX-99"),
    ],
    ids=["the town names a department", "another category", "somebody else took it up", "the town took it back"],
)
@pytest.mark.parametrize("lost", [False, True], ids=["heard", "found by the sweep"])
async def test_an_event_that_needs_no_route_any_more_leaves_the_quarantine(city: City, later: Observation, lost: bool) -> None:
    await city.say(event(1, EventStatus.SENT, category="XX-99"))
    assert await city.quarantine() == {EVENT_NO: True}
    await (city.keep_silent(later) if lost else city.say(later))
    await city.sweep.everything()
    assert await city.quarantine() == {EVENT_NO: False}


@pytest.mark.parametrize("state", [ObligationState.WAIVED, ObligationState.SETTLED])
async def test_an_event_that_ops_took_off_leaves_the_quarantine_and_comes_back_with_its_obligation(
    city: City, state: ObligationState
) -> None:
    await city.say(event(1, EventStatus.SENT, category="XX-99"))
    await city.put(f"{FIRST}/1", state=state)
    await city.sweep.everything()
    assert await city.quarantine() == {EVENT_NO: False}
    await city.put(f"{FIRST}/1", state=ObligationState.WAITING)
    await city.sweep.waiting()
    assert await city.quarantine() == {EVENT_NO: True}


async def test_an_event_whose_task_was_made_by_hand_is_in_no_quarantine(city: City) -> None:
    await city.say(event(1, EventStatus.SENT, category="XX-99"))
    await city.say(observed(event_task()))
    assert await city.quarantine() == {EVENT_NO: False}
    assert await city.lines() == {f"{FIRST}/1": "CLOSED", f"{FIRST}/2": "DUE"}


async def test_an_event_that_was_edited_and_still_has_no_route_is_quarantined_in_one_open_row(city: City) -> None:
    await city.say(event(1, EventStatus.SENT, category="XX-99"))
    await city.keep_silent(event(2, EventStatus.SENT, category="XX-98"))
    await city.sweep.everything()
    rows = await city.database.read(read_quarantine, city.rows)
    assert sorted((b"XX-98" in one.content, one.released_at is None) for one in rows) == [(False, False), (True, True)]


async def test_an_event_that_somebody_else_took_up_needs_nothing_of_us(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await city.say(event(2, EventStatus.ACCEPTED))
    assert await city.lines() == {f"{FIRST}/1": "WITHDRAWN", f"{FIRST}/2": "CLOSED"}


async def test_an_event_that_the_town_took_back_after_its_task_was_made_is_for_ops(city: City) -> None:
    await city.say(event(1, EventStatus.SENT))
    await city.accept(f"{FIRST}/1")
    await city.say(event(2, EventStatus.REPORTED))
    assert await city.lines() == {f"{FIRST}/1": "SENT", f"{FIRST}/2": "WITHDRAWN"}
    assert [item.kind for item in await city.ops()] == ["grid-dispatch.withdrawn-after-sent"]


async def test_an_answer_that_is_known_before_the_event_was_accepted_still_goes_last(city: City) -> None:
    await city.keep_silent(event(1, EventStatus.SENT), observed(event_task()), ended(1, 2, Conclusion.CONFORM))
    await city.sweep.everything()  # asks for answers before it asks for dispatches
    assert await city.lines() == {f"{FIRST}/1": "CLOSED", f"{FIRST}/2": "DUE", ANSWER: "DUE"}
    assert await due(city) == [f"{FIRST}/2"]


async def test_an_event_that_comes_again_without_our_answer_is_for_ops_once(city: City) -> None:
    """Somebody returned it there by hand and sent it on: our check goes on, and nobody else would notice."""
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(event(3, EventStatus.RETURNED))
    await city.say(event(4, EventStatus.SENT))
    await city.sweep.everything()
    (item,) = await city.ops()
    assert (item.kind, item.cause) == ("sent-again", EVENT_NO)
    assert all(word in item.message for word in (EVENT_NO, "T-EVENT-1", "PENDING"))
    assert await city.lines() == {f"{FIRST}/1": "CLOSED", f"{FIRST}/2": "CLOSED"}


@pytest.mark.parametrize("state", [ObligationState.LEASED, ObligationState.SENT])
async def test_an_event_that_comes_again_while_our_answer_is_under_way_is_no_news(city: City, state: ObligationState) -> None:
    await city.say(event(1, EventStatus.SENT))
    await take_up(city, 1, 2)
    await city.say(ended(1, 2, Conclusion.UNREACHABLE))
    await city.put(ANSWER, state=state, sent_at=None if state is ObligationState.LEASED else city.clock())
    await city.say(event(3, EventStatus.SENT))
    assert [item.kind for item in await city.ops()] == ["unreachable"]


async def test_an_acceptance_that_the_mirror_has_not_seen_yet_is_no_second_sending(city: City) -> None:
    """Code 8 with our task number closes it; the mirror still shows the event as it was sent."""
    await city.say(event(1, EventStatus.SENT))
    await city.accept(f"{FIRST}/1")
    await city.say(observed(event_task()))
    await city.put(f"{FIRST}/2", state=ObligationState.CLOSED, receipt="T-EVENT-1", sent_at=city.clock())
    await city.say(event(2, EventStatus.SENT))
    assert await city.ops() == []
