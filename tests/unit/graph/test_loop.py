"""The loop as one answer: the same from each of its records, in order, with what led to what and what is owed."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import msgspec
import pytest

from hub.graph.loops.loop import loop_of
from hub.mirror.records import upsert
from schema.entities import (
    ApprovalState,
    Conclusion,
    CoordinationStatus,
    EventStatus,
    GridEvent,
    Obligation,
    ObligationState,
    ReportState,
    TaskStatus,
    TaskType,
)
from schema.entity import Entity, Mirrored, key_of
from schema.loop import Loop, LoopStep
from schema.step_kinds import StepKind as K
from tests.builders import (
    DAY,
    HOUR,
    approval,
    campaign,
    coordination,
    credit_record,
    finding,
    grid_event,
    obligation,
    observed,
    score_entry,
    self_report,
    task,
    task_result,
    town_coordination,
)
from tests.settable_clock import START
from tests.unit.graph.chains import CASES, NO, TASK, beside, owed, serious_case
from tests.unit.graph.city import City
from tests.unit.graph.records import SEES_ALL

NOW = START + 5 * DAY


async def loop(city: City, record: Entity, now: datetime = NOW, **limits: int) -> Loop:
    found = await city.database.read(loop_of, city.rows, type(record).__name__, key_of(record), now, SEES_ALL, **limits)
    assert found is not None
    return found


async def say(city: City, *versions: Mirrored) -> None:
    """Let platforms say these versions one after the other, as intake applies them."""
    for each in versions:
        await city.database.write(upsert, city.rows, [observed(each)])


def kinds(found: Loop) -> list[K]:
    return [step.kind for step in found.steps]


def step(found: Loop, kind: K, key: str | None = None) -> LoopStep:
    (one,) = [each for each in found.steps if each.kind is kind and key in {None, each.key}]
    return one


def causes(found: Loop, kind: K, key: str | None = None) -> list[K]:
    """Return the kinds of the steps that led to the one of this kind."""
    named = {each.id: each.kind for each in found.steps}
    return [named[cause] for cause in step(found, kind, key).causes]


def shown_record(one: LoopStep) -> Entity:
    return cast(Entity, one.record)


def plain(found: Loop) -> Any:
    """Return a loop as what can be compared."""
    return dataclasses.replace(found, trigger=None), key_of(cast(Entity, found.trigger))


@pytest.mark.parametrize("case", CASES)
async def test_from_each_of_its_records_the_same_loop_comes_out(each_city: City, case: str) -> None:
    records = CASES[case]()
    await each_city.put(*records, *beside(records))
    first = await loop(each_city, records[0])
    for record in records:
        assert plain(await loop(each_city, record)) == plain(first), record
    wanted = {(type(record), key_of(record)) for record in records if not isinstance(record, Obligation)}
    told = {(type(each.record), key_of(shown_record(each))) for each in first.steps if each.record}
    assert wanted <= told
    assert not [each.id for each in first.steps if "OTHER" in each.id or "T-GRID" in each.id]
    assert {each.obligation.key for each in first.steps if each.obligation} == {
        record.key for record in records if isinstance(record, Obligation)
    }


async def test_a_commitment_that_was_not_kept_is_told_from_end_to_end(city: City) -> None:
    await city.put(*CASES["commitment"]())
    found = await loop(city, task())
    assert kinds(found) == [
        K.APPROVAL_ACCEPTED,
        K.APPROVAL_GRANTED,
        K.TASK_CREATED,
        K.REPORT_TAKEN,  # nobody kept when it was marked: the hub saw the row then
        K.CHECKED,
        K.FINDING,
        K.RECTIFICATION_ORDERED,
        K.RESULT_WRITTEN_BACK,
        K.RECORD_CREATED,
        K.TASK_CREATED,
        K.BLACKLISTED,
        K.WATCHED,
        K.SCORE_LISTED,
        K.SMS_SENT,
        K.SMS_DELIVERED,
        K.SELF_REPORTED,
        K.SELF_REPORT_APPROVED,
        K.REPAIRED,
        K.CHECKED,
        K.TASK_CREATED,
        K.CHECKED,
        K.CASE_FILED,
    ]
    assert (found.complete, found.owed, found.awaited, found.overdue, found.truncated) == (True, 0, 0, 0, False)
    assert cast(object, found.trigger) == approval()
    assert causes(found, K.TASK_CREATED, TASK) == [K.APPROVAL_GRANTED]
    assert causes(found, K.RECORD_CREATED) == causes(found, K.RESULT_WRITTEN_BACK) == causes(found, K.WATCHED) == [K.CHECKED]
    assert causes(found, K.TASK_CREATED, "T-RECHECK") == [K.RECTIFICATION_ORDERED]
    assert step(found, K.TASK_CREATED, "T-SPECIAL").causes == ["TaskResult/T-RECHECK/0/CHECKED"]
    assert causes(found, K.SMS_DELIVERED) == [K.SMS_SENT]
    assert causes(found, K.REPAIRED) == [K.SELF_REPORT_APPROVED]
    written = step(found, K.RESULT_WRITTEN_BACK)
    assert (written.at, written.platform, written.key) == (START + 2 * HOUR, "approval", NO)
    assert step(found, K.BLACKLISTED).at == START + 3 * HOUR  # the platform tells a day only; we know when we put it there
    assert step(found, K.RECORD_CREATED).title.zh == "信用记录：印刷经营许可，扣6分"
    assert step(found, K.RECORD_CREATED).title.en == "Credit record: 印刷经营许可, 6 points taken"


async def test_a_dozen_and_a_serious_period_join_the_record_that_completed_them(city: City) -> None:
    await city.put(*serious_case())
    found = await loop(city, finding(finding_id="F1"))
    assert step(found, K.RECORD_CREATED, "C-F1").causes == ["Finding/F1/FINDING"]
    assert step(found, K.RECORD_CREATED, "C-D").causes == ["CreditRecord/C-F2/RECORD_CREATED"]
    assert step(found, K.WATCHED).causes == ["CreditRecord/C-D/RECORD_CREATED"]
    waiting = step(found, K.WAITING)
    assert waiting.causes == ["CreditRecord/C-D/RECORD_CREATED"]
    assert waiting.obligation is not None
    assert (waiting.obligation.rule, waiting.obligation.needs) == ("responsible-person", "the legal representative")
    assert (found.complete, found.owed) == (False, 1)


async def test_linked_events_are_traced_from_the_earlier_to_the_later_whichever_names_the_other(each_city: City) -> None:
    first, second = grid_event(event_no="E1", related=("E2",)), grid_event(event_no="E2", reported_at=START)
    third = grid_event(event_no="E3", reported_at=START + HOUR, related=("E0", "E2"))
    await each_city.put(first, second, third, grid_event(event_no='"E2', related=("E22", "E")))
    found = await loop(each_city, third)
    assert [each.key for each in found.steps if each.kind is K.EVENT_REPORTED] == ["E1", "E2", "E3"]
    assert step(found, K.EVENT_REPORTED, "E2").causes == ["GridEvent/E1/EVENT_REPORTED"]
    assert step(found, K.EVENT_REPORTED, "E3").causes == ["GridEvent/E2/EVENT_REPORTED"]
    assert cast(GridEvent, found.trigger).event_no == "E1"


async def test_states_that_leave_no_time_have_that_of_the_version_that_first_showed_them(each_city: City) -> None:
    said = [
        EventStatus.SENT,
        EventStatus.ACCEPTED,
        EventStatus.ACCEPTED,
        EventStatus.RETURNED,
        EventStatus.SENT,
        EventStatus.ACCEPTED,
    ]
    for version, status in enumerate(said, 1):
        await say(each_city, grid_event(version=version, status=status, updated_at=START + version * HOUR))
    event_no = grid_event().event_no
    of_event = {"type": TaskType.GRID, "origin_platform": "grid", "origin_ref": event_no, "status": TaskStatus.DONE}
    for sending, hours in ((1, 1), (2, 5)):
        made = task(
            task_id=f"T{sending}", external_no=None, created_at=START + hours * HOUR, updated_at=START + 4 * HOUR, **of_event
        )
        await each_city.put(made)
    found = await loop(each_city, grid_event())
    times = [(each.kind, each.at) for each in found.steps if each.platform == "grid" and each.at]
    assert times == [
        (K.EVENT_REPORTED, START - HOUR),
        (K.EVENT_SENT, START + HOUR),
        (K.EVENT_ACCEPTED, START + 2 * HOUR),
        (K.EVENT_RETURNED, START + 4 * HOUR),
        (K.EVENT_SENT, START + 5 * HOUR),
        (K.EVENT_ACCEPTED, START + 6 * HOUR),
    ]
    assert step(found, K.TASK_CREATED, "T1").causes == [f"GridEvent/{event_no}/EVENT_SENT"]
    assert step(found, K.TASK_CREATED, "T2").causes == [f"GridEvent/{event_no}/EVENT_SENT/2"]


async def test_a_state_that_was_never_seen_has_the_time_at_which_the_platform_changed_the_record(city: City) -> None:
    await city.put(grid_event(status=EventStatus.CLOSED, updated_at=START + 3 * HOUR))
    found = await loop(city, grid_event())
    assert [(each.kind, each.at) for each in found.steps] == [(K.EVENT_REPORTED, START - HOUR), (K.EVENT_CLOSED, START + 3 * HOUR)]


async def test_a_revoked_approval_and_a_cancelled_record_tell_when(city: City) -> None:
    later = {"version": 3, "updated_at": START + 9 * HOUR}
    revoked = {"state": ApprovalState.REVOKED, "version": 2, "updated_at": START + 5 * HOUR}
    await say(city, approval(), approval(**revoked), approval(**revoked | later))
    gone = {"cancelled": True, "version": 2, "updated_at": START + 6 * HOUR}
    await say(city, credit_record(), credit_record(**gone), credit_record(**gone | later))
    assert step(await loop(city, approval()), K.APPROVAL_REVOKED).at == START + 5 * HOUR
    assert kinds(await loop(city, approval())) == [K.APPROVAL_ACCEPTED, K.APPROVAL_GRANTED, K.APPROVAL_REVOKED]
    assert step(await loop(city, credit_record()), K.RECORD_CANCELLED).at == START + 6 * HOUR


async def test_a_corrected_result_is_a_step_of_its_own(city: City) -> None:
    done = {"status": TaskStatus.DONE}
    bad, good = task_result(), task_result(conclusion=Conclusion.CONFORM, version=3)
    said = (
        observed(task(version=1, updated_at=START + HOUR, **done), bad),
        observed(task(version=2, updated_at=START + 2 * HOUR, **done), msgspec.structs.replace(bad, version=2)),
        observed(task(version=3, updated_at=START + 3 * HOUR, **done), good),
    )
    for each in said:
        await city.database.write(upsert, city.rows, [each])
    found = await loop(city, task())
    assert step(found, K.RESULT_CORRECTED).at == START + 3 * HOUR
    assert step(found, K.CHECKED).title.zh.endswith("，符合要求")


async def test_a_check_that_is_done_without_a_result_says_so(city: City) -> None:
    await city.put(task(status=TaskStatus.DONE, updated_at=START + HOUR))
    assert kinds(await loop(city, task())) == [K.TASK_CREATED, K.TASK_DONE]


@pytest.mark.parametrize(
    ("state", "kind"),
    [
        (ObligationState.DUE, K.OWED),
        (ObligationState.LEASED, K.OWED),
        (ObligationState.SENT, K.SENT),
        (ObligationState.WAITING, K.WAITING),
        (ObligationState.STUCK, K.STUCK),
    ],
)
async def test_what_is_owed_stands_at_the_end_with_its_term_and_how_late_it_is(city: City, state: ObligationState, kind: K) -> None:
    await city.put(approval(), obligation(state=state, needs="a name" if kind is K.WAITING else None, due_at=NOW - 90 * HOUR))
    found = await loop(city, approval())
    last = found.steps[-1]
    assert (last.kind, last.at, last.platform, last.key) == (kind, None, "enforcement", NO)
    assert (last.due_at, last.late_seconds) == (NOW - 90 * HOUR, 90 * 3600)
    assert last.obligation is not None
    assert (last.obligation.rule, last.obligation.state, last.obligation.needs) == (
        "approval-verification",
        state,
        "a name" if kind is K.WAITING else None,
    )
    assert last.causes == [f"Approval/{NO}/APPROVAL_GRANTED"]
    assert cast(object, last.record) == approval()
    assert (found.complete, found.owed, found.overdue) == (False, 1, 1)
    early = await loop(city, approval(), now=NOW - 91 * HOUR)
    assert (early.steps[-1].late_seconds, early.overdue, early.owed) == (0, 0, 1)


async def test_what_is_owed_comes_in_the_order_of_its_terms(city: City) -> None:
    terms = {"a": 3, "b": 1, "c": 2}
    await city.put(approval(), *(obligation(key=key, due_at=START + hours * HOUR) for key, hours in terms.items()))
    found = await loop(city, approval())
    assert [each.obligation.key for each in found.steps if each.obligation] == ["b", "c", "a"]


async def test_what_ops_took_off_stands_at_its_time(city: City) -> None:
    late, states = START + 3 * HOUR, {"s": ObligationState.SETTLED, "w": ObligationState.WAIVED}
    taken_off = [obligation(key=key, state=state, due_at=START, decided_at=late) for key, state in states.items()]
    await city.put(approval(), *taken_off, obligation(key="open", due_at=START))
    *_, settled, waived, open_now = (await loop(city, approval())).steps
    assert (settled.kind, settled.at, settled.late_seconds) == (K.SETTLED, late, 3 * 3600)
    assert (waived.kind, waived.at, waived.late_seconds) == (K.WAIVED, late, None)
    assert (open_now.kind, open_now.at) == (K.OWED, None)


async def test_what_ops_took_off_is_told_and_what_was_withdrawn_is_not(city: City) -> None:
    states = {"s": ObligationState.SETTLED, "w": ObligationState.WAIVED, "x": ObligationState.WITHDRAWN}
    await city.put(
        approval(), *(obligation(key=key, state=state, reason="because", decided_by="wu") for key, state in states.items())
    )
    found = await loop(city, approval())
    assert kinds(found) == [K.APPROVAL_ACCEPTED, K.APPROVAL_GRANTED, K.SETTLED, K.WAIVED]
    assert [each.late_seconds for each in found.steps[2:]] == [None, None]
    assert found.complete
    assert found.overdue == 0


async def test_what_people_have_still_to_do_is_awaited_and_keeps_a_loop_open(city: City) -> None:
    await city.put(
        approval(approval_no="A", state=ApprovalState.ACCEPTED, decided_at=None),
        task(task_id="T", status=TaskStatus.ACCEPTED, origin_ref=None, external_no=None, due_at=NOW - HOUR),
        grid_event(status=EventStatus.ACCEPTED, limit_at=NOW + HOUR),
        coordination(due_at=NOW - 2 * HOUR),
        self_report(state=ReportState.WAITING, repairs_biz_no=None),
    )
    terms: dict[Entity, tuple[datetime | None, int | None]] = {
        approval(approval_no="A"): (None, None),
        task(task_id="T"): (NOW - HOUR, 3600),
        grid_event(): (NOW + HOUR, 0),
        coordination(): (NOW - 2 * HOUR, 7200),
        self_report(): (None, None),
    }
    for record, (due_at, late) in terms.items():
        found = await loop(city, record)
        last = step(found, K.AWAITED)
        assert found.steps[-1] is last
        assert (last.at, last.due_at, last.late_seconds) == (None, due_at, late)
        assert (found.complete, found.owed, found.awaited, found.overdue) == (False, 0, 1, int(bool(late)))


@pytest.mark.parametrize(("made_after", "late"), [(0, 0), (1, 3600)])
async def test_a_step_that_discharged_an_obligation_is_late_by_its_own_time_not_by_when_it_was_seen(
    city: City, made_after: int, late: int
) -> None:
    owed_since = {"due_at": START, "closed_at": START + 2 * HOUR, "state": ObligationState.CLOSED}
    check = task(external_no="N", status=TaskStatus.CANCELLED, created_at=START + made_after * HOUR)
    await city.put(approval(), obligation(number="N", **owed_since), check)
    made = step(await loop(city, approval()), K.TASK_CREATED)
    assert made.obligation is not None
    assert (made.obligation.closed_at, made.due_at, made.late_seconds) == (START + 2 * HOUR, START, late)


async def test_a_closed_obligation_whose_effect_is_gone_is_a_step_itself(city: City) -> None:
    await city.put(approval(), obligation(state=ObligationState.CLOSED, closed_at=START + HOUR, sent_at=START))
    done = step(await loop(city, approval()), K.DISCHARGED)
    assert (done.at, done.title.en, done.platform) == (START, "Discharged: a check", "enforcement")


async def test_in_the_same_moment_a_cause_comes_before_its_effect(city: City) -> None:
    same = {"created_at": START, "updated_at": START, "status": TaskStatus.DONE}
    again = {"task_id": "A-RECHECK", "type": TaskType.RECHECK, "origin_platform": "enforcement", "origin_ref": "ZG"}
    await city.put(
        approval(accepted_at=START, decided_at=START),
        task(**same),
        task_result(order_no="ZG"),
        finding(),
        task(external_no=None, **again, **same),
        task_result(result_id="A-RECHECK/0", task_id="A-RECHECK"),
    )
    found = await loop(city, approval())
    assert {each.at for each in found.steps} == {START}
    seen: set[str] = set()
    for each in found.steps:
        assert set(each.causes) <= seen, each.id
        seen.add(each.id)
    assert len(seen) == 8


async def test_a_clock_that_lies_changes_the_order_and_not_what_led_to_what(city: City) -> None:
    await city.put(approval(), task(created_at=START - 9 * DAY, status=TaskStatus.DONE), task_result(checked_at=START - 99 * DAY))
    found = await loop(city, approval())
    assert kinds(found) == [K.CHECKED, K.TASK_CREATED, K.APPROVAL_ACCEPTED, K.APPROVAL_GRANTED]
    assert causes(found, K.TASK_CREATED) == [K.APPROVAL_GRANTED]
    assert causes(found, K.CHECKED) == [K.TASK_CREATED]
    assert cast(object, found.trigger) == approval()


async def test_within_one_second_the_cause_comes_first_where_a_platform_tells_whole_seconds_only(city: City) -> None:
    accepted = START.replace(microsecond=0) + timedelta(milliseconds=300)
    entry = {"biz_no": "BZ", "updated_at": accepted.replace(microsecond=0)}
    await city.put(
        task(status=TaskStatus.DONE, origin_ref=None, external_no=None, created_at=START - HOUR),
        task_result(checked_at=START - HOUR),
        credit_record(biz_no="BZ", evidence_ref=TASK, created_at=accepted),
        score_entry(**entry),
    )
    assert kinds(await loop(city, score_entry(**entry)))[-2:] == [K.RECORD_CREATED, K.SCORE_LISTED]


async def test_a_second_later_clocks_are_believed(city: City) -> None:
    accepted = START.replace(microsecond=0) + timedelta(milliseconds=300)
    entry = {"biz_no": "BZ", "updated_at": accepted.replace(microsecond=0) - timedelta(seconds=1)}
    await city.put(credit_record(biz_no="BZ", evidence_ref=None, created_at=accepted), score_entry(**entry))
    assert kinds(await loop(city, score_entry(**entry))) == [K.SCORE_LISTED, K.RECORD_CREATED]


async def test_circles_end(each_city: City) -> None:
    links = {"A": "B", "B": "C", "C": "A"}
    circle = [credit_record(record_id=one, biz_no=one, caused_by=cause, evidence_ref=None) for one, cause in links.items()]
    await each_city.put(*circle, credit_record(record_id="S", biz_no="S", caused_by="S", evidence_ref=None))
    first = plain(await loop(each_city, circle[0]))
    assert [plain(await loop(each_city, each)) for each in circle[1:]] == [first, first]
    assert {each.key for each in first[0].steps} == {"A", "B", "C"}
    (alone,) = (await loop(each_city, credit_record(record_id="S"))).steps
    assert alone.causes == []


async def test_an_equal_number_on_another_platform_is_no_link(city: City) -> None:
    same = {"origin_ref": NO, "external_no": None, "status": TaskStatus.DONE}
    await city.put(
        approval(),
        grid_event(event_no=NO, status=EventStatus.HANDLED),
        task(task_id="T-A", **same),
        task(task_id="T-G", origin_platform="grid", **same),
        task(task_id=NO, origin_ref=None, external_no=None),
    )
    assert {each.key for each in (await loop(city, approval())).steps} == {NO, "T-A"}
    assert {each.key for each in (await loop(city, grid_event(event_no=NO))).steps} == {NO, "T-G"}


async def test_a_coordination_is_told_on_both_its_sides(city: City) -> None:
    number = "N/coordination-dispatch:XT0001"
    await say(city, coordination(), coordination(version=2, status=CoordinationStatus.HANDLED, updated_at=START + 9 * HOUR))
    await say(city, town_coordination(out_no=number, updated_at=START + HOUR))
    told = ["coordination-dispatch", "XT0001", "XT0001", "IssueCoordination", "grid"]
    await city.put(owed(*told, sent_at=START + HOUR))
    found = await loop(city, town_coordination())
    assert kinds(found) == [K.COORDINATION_ISSUED, K.TOWN_ASKED, K.COORDINATION_ANSWERED]
    assert causes(found, K.TOWN_ASKED) == [K.COORDINATION_ISSUED]
    asked = step(found, K.TOWN_ASKED)
    assert asked.obligation is not None
    assert asked.obligation.key == "coordination-dispatch:XT0001"


async def test_a_chain_that_is_too_long_is_cut_and_never_called_complete(city: City) -> None:
    done = {"status": TaskStatus.DONE, "origin_platform": None, "origin_ref": None, "external_no": None, "campaign_id": "C"}
    await city.put(campaign(campaign_id="C"), *(task(task_id=f"T{at}", **done) for at in range(12)))
    whole = await loop(city, campaign(campaign_id="C"), limit=13)
    assert (whole.truncated, whole.complete, len(whole.steps)) == (False, True, 25)
    cut = await loop(city, campaign(campaign_id="C"), limit=12)
    assert (cut.truncated, cut.complete) == (True, False)
    assert len({each.key for each in cut.steps if each.kind is K.TASK_CREATED}) == 11


async def test_a_record_that_is_gone_has_no_loop(each_city: City) -> None:
    for key in ("gone", "", "A\x00"):
        assert await each_city.database.read(loop_of, each_city.rows, "Approval", key, NOW, SEES_ALL) is None


async def test_a_time_at_the_end_of_all_calendars_breaks_no_loop(each_city: City) -> None:
    last = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    await each_city.put(
        task(status=TaskStatus.DONE, created_at=last, due_at=last),
        task_result(order_no="ZG", order_deadline=last, checked_at=last),
        credit_record(occurred_at=last, created_at=last),
        obligation(cause=TASK, rule="breach-record", due_at=datetime(1, 1, 1, tzinfo=UTC)),
    )
    found = await loop(each_city, task())
    assert step(found, K.RECTIFICATION_ORDERED).title.en == "Rectification ordered: until 9999-12-31"
    assert step(found, K.OWED).late_seconds == 2**31 - 1


async def test_what_is_there_before_the_ledger_knows_follows_from_what_caused_it(city: City) -> None:
    await city.put(
        approval(), obligation(number="N", state=ObligationState.SENT), task(external_no="N", status=TaskStatus.CANCELLED)
    )
    found = await loop(city, approval())
    assert causes(found, K.TASK_CREATED) == [K.APPROVAL_GRANTED]
    assert step(found, K.SENT) is found.steps[-1]
