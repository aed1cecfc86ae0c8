"""grid-dispatch, read like its row in DOMAIN.md: an event is sent to a department -> a task, enforcement; then accepted, grid."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from hub.domain.policy_values import GridCategory
from hub.reconcile.rule import Owed, Rulebook, Verdict
from hub.reconcile.rules.grid_dispatch import Facts, GridDispatch, key_for
from schema.commands import AcceptEvent, CreateTask, FileLink
from schema.entities import EventStatus, GridEvent, Obligation, ObligationState, TaskType, VerificationTask
from tests.builders import observed, task
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, EVENT_NO, POLICY, event_task, event_task_no, held, kinds, road_event

RULE = GridDispatch()
TAKEN_UP = [EventStatus.ACCEPTED, EventStatus.HANDLED, EventStatus.CLOSED, EventStatus.RETURNED, EventStatus.TRANSFERRED]
KEY = key_for(EVENT_NO, 1)


def derive(
    event: GridEvent, *tasks: VerificationTask, ledger: tuple[Obligation, ...] = (), sending: int = 1, book: Rulebook = BOOK
) -> Verdict:
    return RULE.derive(Facts(event, sending, tasks), ledger, book, START)


def task_of(verdict: Verdict) -> CreateTask:
    command = verdict.owed[0].command
    assert isinstance(command, CreateTask)
    return command


def test_an_event_that_waits_for_the_hub_owes_a_task_and_then_its_acceptance() -> None:
    dispatch, acceptance = derive(road_event()).owed
    assert (dispatch.key, dispatch.platform, dispatch.place) == (f"{KEY}/1", "enforcement", 1)
    assert (acceptance.key, acceptance.platform, acceptance.place) == (f"{KEY}/2", "grid", 2)
    assert (acceptance.command, acceptance.needs) == (None, f"the task of {KEY}/1 in the mirror")
    assert dispatch.chain == acceptance.chain == f"grid:{EVENT_NO}"


def test_the_task_says_what_the_town_said() -> None:
    event = road_event(title="杂草", address="毛店路口", level=3)
    command = task_of(derive(event))
    assert command.external_no == event_task_no()
    assert (command.type, command.title, command.urgency, command.department) == (TaskType.GRID, "杂草", 3, "JT")
    assert [(one.code, one.name) for one in command.subjects] == [(None, "毛店路口")]
    assert (command.origin_platform, command.origin_ref) == ("grid", EVENT_NO)
    assert command.attachments == (FileLink(name="现场.jpg", url="https://grid.example/1.jpg", md5=None),)


@pytest.mark.parametrize(
    ("level", "after"), [(1, timedelta(0)), (2, timedelta(hours=1)), (3, timedelta(hours=1)), (4, timedelta(hours=1))]
)
def test_level_1_is_due_at_once_the_others_within_an_hour(level: int, after: timedelta) -> None:
    event = road_event(level=level)
    assert [owed.due.at for owed in derive(event).owed] == [event.updated_at + after] * 2


def test_the_check_is_due_when_the_town_says() -> None:
    assert task_of(derive(road_event(limit_at=START + timedelta(days=5)))).due_at == START + timedelta(days=5)


def test_where_the_town_names_no_time_the_check_is_due_by_policy() -> None:
    monday = road_event(limit_at=None, updated_at=datetime(2019, 9, 2, 8, tzinfo=BEIJING))
    assert task_of(derive(monday)).due_at == datetime(2019, 9, 4, 23, 59, 59, tzinfo=BEIJING)


# --- Routes ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "category", "department", "troubles"),
    [
        pytest.param(None, "JT-03", "JT", [], id="the category's route"),
        pytest.param("", "JT-03", "JT", [], id="an empty deptCode names nobody"),
        pytest.param("JT", "JT-03", "JT", [], id="both say the same"),
        pytest.param("ZFJ", "JT-03", "ZFJ", ["department-differs"], id="deptCode wins, and ops is told of both"),
        pytest.param("ZFJ", "XX-99", "ZFJ", ["unknown-category"], id="deptCode is enough, and ops is told of an unknown category"),
    ],
)
def test_the_department_comes_from_the_event_else_from_its_category(
    named: str | None, category: str, department: str, troubles: list[str]
) -> None:
    verdict = derive(road_event(department_code=named, category=category))
    assert task_of(verdict).department == department
    assert kinds(verdict) == troubles


def test_an_event_without_a_route_waits_and_is_named_on_the_ops_list() -> None:
    verdict = derive(road_event(category="XX-99"))
    assert [owed.command for owed in verdict.owed] == [None, None]
    assert verdict.owed[0].needs == "a route for category 'XX-99' in grid_categories.csv"
    assert kinds(verdict) == ["no-route"]
    assert EVENT_NO in verdict.troubles[0].message
    assert "grid_categories.csv" in verdict.troubles[0].message


def test_it_goes_on_when_policy_has_the_route() -> None:
    policy = replace(POLICY, categories=(*POLICY.categories, GridCategory("XX-99", "新类别", "YJ")))
    assert task_of(derive(road_event(category="XX-99"), book=Rulebook(policy, "330782"))).department == "YJ"


# --- Two platforms, several sendings ---------------------------------------------------------------------------------


def test_the_acceptance_names_the_task_that_was_made_and_its_department() -> None:
    made = event_task(department_code="ZFJ", created_at=START)
    assert derive(road_event(), made).owed[1].command == AcceptEvent(
        event_no=EVENT_NO, task_id=made.task_id, department="ZFJ", accepted_at=START
    )


def test_the_task_with_our_number_is_the_proof_of_the_first_and_of_two_the_one_that_stands() -> None:
    later = event_task(task_id="T-LATER", created_at=START + timedelta(seconds=1))
    assert derive(road_event(), event_task(), later).proven == {f"{KEY}/1": "T-EVENT-1"}


def ledger_of(event: GridEvent, *states: ObligationState, **fields: Any) -> tuple[Obligation, ...]:
    owed: tuple[Owed, ...] = derive(event, event_task()).owed
    return tuple(held(RULE, each, state, **fields) for each, state in zip(owed, states, strict=True))


@pytest.mark.parametrize("status", TAKEN_UP)
def test_the_events_status_is_the_proof_of_the_second(status: EventStatus) -> None:
    ledger = ledger_of(road_event(), ObligationState.CLOSED, ObligationState.SENT)
    verdict = derive(road_event(status=status, version=2), ledger=ledger)
    assert verdict.proven == {f"{KEY}/2": EVENT_NO}
    assert verdict.keep == {one.key for one in ledger}
    assert verdict.owed == ()


@pytest.mark.parametrize("status", [EventStatus.REPORTED, *TAKEN_UP])
def test_an_event_that_does_not_wait_for_the_hub_owes_nothing(status: EventStatus) -> None:
    assert derive(road_event(status=status)).owed == ()


def test_an_event_that_somebody_else_took_up_gets_no_task_any_more() -> None:
    ledger = ledger_of(road_event(), ObligationState.DUE, ObligationState.WAITING)
    assert f"{KEY}/1" not in derive(road_event(status=EventStatus.ACCEPTED), ledger=ledger).keep


def test_a_task_that_may_have_been_made_is_not_taken_back_when_somebody_else_accepts() -> None:
    ledger = ledger_of(road_event(), ObligationState.DUE, ObligationState.WAITING, unknown_since=START)
    assert f"{KEY}/1" in derive(road_event(status=EventStatus.ACCEPTED), ledger=ledger).keep


def test_a_second_sending_has_keys_and_a_task_of_its_own_and_leaves_the_first_alone() -> None:
    ledger = ledger_of(road_event(), ObligationState.CLOSED, ObligationState.CLOSED)
    verdict = derive(road_event(version=5), ledger=ledger, sending=2)
    assert [owed.key for owed in verdict.owed] == [f"grid-dispatch:{EVENT_NO}:2/1", f"grid-dispatch:{EVENT_NO}:2/2"]
    assert [owed.place for owed in verdict.owed] == [4, 5]
    assert task_of(verdict).external_no == event_task_no(2)
    assert verdict.keep == {one.key for one in ledger}


def test_the_tenth_sending_is_not_taken_for_the_first() -> None:
    tenth = tuple(held(RULE, each, ObligationState.CLOSED) for each in derive(road_event(), sending=10).owed)
    assert derive(road_event(), ledger=tenth).keep == {one.key for one in tenth}


def test_what_matters_of_a_task_is_the_department_not_its_words() -> None:
    first, edited, elsewhere = (
        task_of(derive(event)) for event in (road_event(), road_event(title="别的题目"), road_event(department_code="ZFJ"))
    )
    assert RULE.material(first) == RULE.material(edited) != RULE.material(elsewhere)


@pytest.mark.parametrize(
    ("record", "causes"), [(road_event(), [EVENT_NO]), (event_task(), [EVENT_NO]), (task(), []), (event_task(origin_ref=None), [])]
)
def test_an_event_and_its_tasks_are_what_it_listens_to(record: GridEvent | VerificationTask, causes: list[str]) -> None:
    assert list(RULE.causes(observed(record))) == causes
