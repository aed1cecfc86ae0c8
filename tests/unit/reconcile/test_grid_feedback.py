"""grid-feedback, read like its row in DOMAIN.md: such a task has ended -> feedback (handled, transferred, returned), grid."""

from datetime import datetime
from typing import Any

import pytest

from hub.mirror.queries import Check
from hub.reconcile.rule import Verdict
from hub.reconcile.rules.grid_feedback import Facts, GridFeedback, key_for, result_of
from hub.reconcile.sending import sending_of
from schema.commands import FeedbackEvent
from schema.entities import Conclusion, EventStatus, GridEvent, Obligation, ObligationState, TaskStatus
from tests.builders import task_result
from tests.settable_clock import BEIJING, START
from tests.unit.reconcile.city import BOOK, EVENT_NO, check, event_task, held, only, road_event

RULE = GridFeedback()
KEY = key_for(EVENT_NO, 1)
CONFORM, NONCONFORM, UNREACHABLE = Conclusion.CONFORM, Conclusion.NONCONFORM, Conclusion.UNREACHABLE
ANSWERED = [EventStatus.HANDLED, EventStatus.CLOSED, EventStatus.RETURNED, EventStatus.TRANSFERRED]
ACCEPTED_EVENT = road_event(status=EventStatus.ACCEPTED, version=2)


def ended(*conclusions: Conclusion, sending: int = 1, **fields: Any) -> Check:
    of = event_task(sending, **{"status": TaskStatus.DONE} | fields)
    results = [
        task_result(task_id=of.task_id, result_id=f"{of.task_id}/{at}", conclusion=one, remarks=None)
        for at, one in enumerate(conclusions)
    ]
    return check(of, *results)


def derive(event: GridEvent, *checks: Check, ledger: tuple[Obligation, ...] = ()) -> Verdict:
    """Derive for an event with the checks of its sendings, in order."""
    return RULE.derive(Facts(event, sending_of(ledger), dict(enumerate(checks, 1))), ledger, BOOK, START)


def answer(verdict: Verdict) -> FeedbackEvent:
    command = only(verdict).command
    assert isinstance(command, FeedbackEvent)
    return command


def given(said: Check, state: ObligationState, sending: int = 1, **fields: Any) -> Obligation:
    """An answer of the ledger that was derived when the event was accepted, at version 2."""
    first = only(RULE.derive(Facts(ACCEPTED_EVENT, sending, {sending: said}), (), BOOK, START))
    return held(RULE, first, state, **{"cause_version": 2} | fields)


# --- What the town is told -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "result"),
    [
        pytest.param(ended(CONFORM), "handled", id="done"),
        pytest.param(ended(NONCONFORM), "handled", id="done, with a breach"),
        pytest.param(ended(), "handled", id="done, and nothing to say of a subject"),
        pytest.param(ended(UNREACHABLE), "returned", id="nobody found"),
        pytest.param(ended(UNREACHABLE, CONFORM), "handled", id="somebody found"),
        pytest.param(ended(status=TaskStatus.CANCELLED), "returned", id="cancelled"),
        pytest.param(ended(status=TaskStatus.TRANSFERRED), "transferred", id="transferred"),
        pytest.param(
            check(event_task(status=TaskStatus.DONE), task_result(transferred_to="公安局")),
            "transferred",
            id="a result went outside",
        ),
        pytest.param(ended(status=TaskStatus.IN_PROGRESS), None, id="still going on"),
    ],
)
def test_the_end_of_the_check_decides_what_the_town_is_told(said: Check, result: str | None) -> None:
    assert result_of(said) == result
    assert [owed.command.result for owed in derive(ACCEPTED_EVENT, said).owed if isinstance(owed.command, FeedbackEvent)] == (
        [result] if result else []
    )


def test_the_answer_names_event_task_officers_and_time() -> None:
    command = answer(derive(ACCEPTED_EVENT, ended(CONFORM)))
    assert (command.event_no, command.task_id, command.handler, command.handled_at) == (EVENT_NO, "T-EVENT-1", "楼某", START)


@pytest.mark.parametrize(
    ("said", "opinion"),
    [
        (ended(CONFORM), "符合要求"),
        (ended(NONCONFORM, NONCONFORM), "存在问题，已依法处理"),
        (ended(), "已处理"),
        (ended(status=TaskStatus.CANCELLED), "核查任务已取消"),
        (ended(status=TaskStatus.TRANSFERRED), "已移送：其他单位"),
        (check(event_task(status=TaskStatus.DONE), task_result(transferred_to="公安局")), "已移送：公安局"),
        (check(event_task(status=TaskStatus.DONE), task_result(remarks="杂草已清除")), "杂草已清除"),
    ],
)
def test_the_opinion_says_what_was_found(said: Check, opinion: str) -> None:
    assert answer(derive(ACCEPTED_EVENT, said)).opinion == opinion


def test_it_is_due_one_working_day_after_the_check() -> None:
    friday = check(event_task(status=TaskStatus.DONE), task_result(checked_at=datetime(2019, 9, 6, 10, tzinfo=BEIJING)))
    assert only(derive(ACCEPTED_EVENT, friday)).due.at == datetime(2019, 9, 9, 23, 59, 59, tzinfo=BEIJING)


def test_the_answer_comes_after_task_and_acceptance_in_the_events_chain() -> None:
    owed = only(derive(ACCEPTED_EVENT, ended(CONFORM)))
    assert (owed.key, owed.platform, owed.chain, owed.place) == (KEY, "grid", f"grid:{EVENT_NO}", 3)


# --- Given once ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ANSWERED)
def test_an_event_that_was_answered_already_owes_no_answer(status: EventStatus) -> None:
    assert derive(road_event(status=status), ended(CONFORM)).owed == ()


@pytest.mark.parametrize("status", ANSWERED)
def test_the_events_status_is_the_proof(status: EventStatus) -> None:
    one = given(ended(CONFORM), ObligationState.SENT)
    assert derive(road_event(status=status, version=3), ended(CONFORM), ledger=(one,)).proven == {KEY: EVENT_NO}


def test_an_event_that_is_still_accepted_proves_nothing() -> None:
    assert derive(ACCEPTED_EVENT, ended(CONFORM), ledger=(given(ended(CONFORM), ObligationState.SENT),)).proven == {}


@pytest.mark.parametrize(
    ("said", "fields", "proven"),
    [
        pytest.param(ended(UNREACHABLE), {"state": ObligationState.SENT}, True, id="returned, and sent once more since"),
        pytest.param(
            ended(UNREACHABLE), {"state": ObligationState.DUE, "unknown_since": START}, True, id="also when nobody answered us"
        ),
        pytest.param(ended(UNREACHABLE), {"state": ObligationState.DUE}, False, id="not when it was never sent"),
        pytest.param(
            ended(UNREACHABLE), {"state": ObligationState.SENT, "cause_version": 3}, False, id="not at the version that was known"
        ),
        pytest.param(ended(CONFORM), {"state": ObligationState.SENT}, False, id="not when it was handled"),
    ],
)
def test_an_event_that_was_sent_once_more_proves_that_it_had_been_returned(
    said: Check, fields: dict[str, Any], proven: bool
) -> None:
    one = given(said, **fields)
    assert derive(road_event(version=3), said, ledger=(one,)).proven == ({KEY: EVENT_NO} if proven else {})


@pytest.mark.parametrize(
    ("states", "sending"),
    [
        ([], 1),
        ([ObligationState.DUE], 1),
        ([ObligationState.SENT], 1),
        ([ObligationState.WITHDRAWN], 1),
        ([ObligationState.CLOSED], 2),
        ([ObligationState.SETTLED], 2),
        ([ObligationState.CLOSED, ObligationState.CLOSED], 3),
    ],
)
def test_a_sending_counts_the_returned_answers_that_took_effect(states: list[ObligationState], sending: int) -> None:
    assert sending_of(given(ended(UNREACHABLE), state) for state in states) == sending


def test_an_answer_that_handled_the_event_begins_no_new_sending() -> None:
    assert sending_of([given(ended(CONFORM), ObligationState.CLOSED)]) == 1


def test_a_second_sending_is_answered_by_itself() -> None:
    returned = given(ended(UNREACHABLE), ObligationState.CLOSED)
    verdict = derive(
        road_event(status=EventStatus.ACCEPTED, version=5), ended(UNREACHABLE), ended(CONFORM, sending=2), ledger=(returned,)
    )
    assert [owed.key for owed in verdict.owed] == [KEY, key_for(EVENT_NO, 2)]
    assert [owed.place for owed in verdict.owed] == [3, 6]


def test_an_answer_of_an_earlier_sending_that_never_took_effect_stays_as_it_is() -> None:
    ledger = (given(ended(UNREACHABLE), ObligationState.CLOSED), given(ended(CONFORM), ObligationState.WITHDRAWN, sending=7))
    verdict = derive(road_event(status=EventStatus.ACCEPTED, version=5), ended(UNREACHABLE), ledger=ledger)
    assert verdict.keep == {key_for(EVENT_NO, 7)}


@pytest.mark.parametrize("corrected", [ended(UNREACHABLE), ended(NONCONFORM)])
def test_what_a_corrected_check_would_say_differs_materially_from_what_was_said(corrected: Check) -> None:
    said = answer(derive(ACCEPTED_EVENT, ended(CONFORM)))
    one = given(ended(CONFORM), ObligationState.CLOSED)
    now = answer(derive(road_event(status=EventStatus.HANDLED, version=3), corrected, ledger=(one,)))
    assert RULE.material(now) != RULE.material(said)
