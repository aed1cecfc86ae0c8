"""Commands to the enforcement platform: nothing is made twice, whatever is answered and however late."""

from datetime import date, datetime, timedelta
from typing import Any

import httpx
import pytest

from connectors.base import Receipt
from connectors.errors import PermanentError, TransientError, UnknownOutcome
from schema.commands import (
    AcceptEvent,
    AnyCommand,
    CancelTask,
    CreateCampaign,
    CreateTask,
    FileLink,
    GiveCoordinationFeedback,
    PutKeySubject,
    RemoveKeySubject,
    TaskSubject,
)
from schema.entities import Campaign, TaskType
from schema.entity import Observation
from tests.contract.cases import NOW, FakeTime, said
from tests.unit.connectors.enforcement_gateway import Script, connector, page, refusal

COMPANY = "91330782MA2E4K7B4C"
TASK = CreateTask(
    external_no="av-5f0c",
    type=TaskType.COMMITMENT,
    title="印刷经营许可承诺核查",
    subjects=(TaskSubject(code=COMPANY, name="义乌市𬭎达印务有限公司", address="佛堂镇"), TaskSubject(code=None, name="不明")),
    department="WHJ",
    due_at=datetime.fromisoformat("2019-09-12T10:00:00+00:00"),
    origin_platform="approval",
    origin_ref="YW2019080500042",
    urgency=3,
    attachments=(FileLink(name="1.jpg", url="http://f/1", md5="aa"), FileLink(name="2.jpg", url="http://f/2")),
)
CAMPAIGN = CreateCampaign(
    external_no="cp/19",
    title="锅炉",
    departments=("HBJ", "JSJ"),
    industry="boiler",
    town=None,
    grades=("C", "D"),
    subjects=10,
    officers_per_task=2,
    due_at=datetime.fromisoformat("2019-09-12T10:00:00+00:00"),
)
CANCEL = CancelTask(task_id="RW/1", reason="审批已撤销")
PUT = PutKeySubject(code=COMPANY, reason="违反告知承诺", since=date(2019, 8, 15), ref="RW0000000042")
REMOVE = RemoveKeySubject(code=COMPANY)
FEEDBACK = GiveCoordinationFeedback(
    coordination_id="XG00000001", grid_no="XG2019000037", result="handled", opinion="已清理", handled_at=NOW
)
MADE = httpx.Response(201, json={"taskId": "RW7", "version": 1})
CAMPAIGN_MADE = httpx.Response(201, json={"campaignId": "SJ7", "seed": "s", "drawnSubjects": [], "tasks": []})
DRAWN = httpx.Response(200, json={"campaignId": "SJ7", "externalNo": "cp/19", "seed": "s", "drawnSubjects": [], "tasks": []})
SILENCE = [
    httpx.Response(502, text="<html>"),
    httpx.Response(504),
    httpx.Response(500, json={"code": "ERROR", "message": "x"}),
    httpx.ReadTimeout("slow"),
    httpx.RemoteProtocolError("gone"),
]


async def ensured(command: AnyCommand, script: Script, *, unknown: float | None = None, time: FakeTime | None = None) -> Receipt:
    """Carry a command out; `unknown` is how many seconds ago an earlier call of it got no answer."""
    unknown_since = None if unknown is None else NOW - timedelta(seconds=unknown)
    return await connector(script, time or FakeTime()).ensure(command, "key", unknown_since=unknown_since)


def kept(number: str, created: str = "2019-08-15T09:00:00+08:00", **changed: object) -> dict[str, Any]:
    return {"taskId": number, "externalNo": "av-5f0c", "createdAt": created, **changed}


async def test_a_task_is_looked_up_before_it_is_made_as_the_page_has_it() -> None:
    script = Script(page(), MADE)

    assert await ensured(TASK, script) == Receipt(reference="RW7")
    assert script.asked == ["GET tasks?externalNo=av-5f0c", "POST tasks"]
    assert script.requests[1].headers["content-type"].startswith("application/json")
    assert script.body() == {
        "externalNo": "av-5f0c",
        "type": "COMMITMENT",
        "title": "印刷经营许可承诺核查",
        "subjects": [
            {"code": COMPANY, "name": "义乌市𬭎达印务有限公司", "address": "佛堂镇"},
            {"code": None, "name": "不明"},
        ],
        "department": "WHJ",
        "participants": [],
        "dueAt": "2019-09-12T18:00:00+08:00",
        "origin": {"platform": "approval", "ref": "YW2019080500042"},
        "checklist": [],
        "attachments": [{"name": "1.jpg", "url": "http://f/1", "md5": "aa"}, {"name": "2.jpg", "url": "http://f/2", "md5": ""}],
        "urgency": 3,
    }


async def test_a_task_that_is_there_is_not_made_again() -> None:
    script = Script(page(kept("RW5")))

    assert await ensured(TASK, script) == Receipt(reference="RW5", repeated=True)
    assert len(script.asked) == 1


async def test_what_was_made_a_moment_ago_is_not_made_again_while_no_query_shows_it() -> None:
    time = FakeTime()
    script = Script(page(), MADE, page(), page(), httpx.Response(201, json={"taskId": "RW8"}))
    platform = connector(script, time)

    references = []
    for seconds in (0, 4, 3):
        time.advance(seconds)
        references.append((await platform.ensure(TASK, "key", unknown_since=None)).reference)

    assert references == ["RW7", "RW7", "RW8"]


async def test_of_several_tasks_with_our_number_the_oldest_is_the_receipt() -> None:
    twins = [
        kept("RW9"),
        kept("RW8", "2019-08-15T00:59:59Z"),
        kept("RW7", "2019-08-15T08:59:59+08:00"),
        kept("RW1", "2018-01-01T00:00:00Z", externalNo="av-5f0c-other"),
        kept("RW2", "2018-01-01T00:00:00Z", externalNo=None),
        kept("RW3", "unreadable"),
    ]

    assert await ensured(TASK, Script(page(*twins))) == Receipt(reference="RW7", repeated=True)


async def test_an_unusable_task_with_our_number_is_still_ours() -> None:
    assert await ensured(TASK, Script(page({"externalNo": "av-5f0c", "taskId": "RW6"}))) == Receipt(reference="RW6", repeated=True)
    with pytest.raises(PermanentError, match="taskId"):
        await ensured(TASK, Script(page({"externalNo": "av-5f0c"})))


@pytest.mark.parametrize("silence", [*SILENCE, httpx.Response(201, text="<html>"), httpx.Response(201, json={})])
async def test_an_unanswered_creation_may_have_been_done_and_is_waited_for(silence: httpx.Response | Exception) -> None:
    with pytest.raises(UnknownOutcome) as problem:
        await ensured(TASK, Script(page(), silence))

    # 30 s until it is carried out or dropped, 3 s until it is visible, 2 s to spare
    assert problem.value.retry_after == 35
    assert problem.value.sent_at >= NOW


@pytest.mark.parametrize(("command", "made"), [(TASK, (MADE,)), (CAMPAIGN, (CAMPAIGN_MADE, DRAWN))])
async def test_after_silence_nothing_is_made_while_it_may_still_come_true(
    command: AnyCommand, made: tuple[httpx.Response, ...]
) -> None:
    script = Script(page())
    with pytest.raises(TransientError) as problem:
        await ensured(command, script, unknown=34)
    assert not isinstance(problem.value, UnknownOutcome)
    assert problem.value.retry_after == pytest.approx(1.0)
    assert len(script.asked) == 1

    later = Script(page(), *made)
    assert (await ensured(command, later, unknown=35)).repeated is False


async def test_the_look_up_itself_must_begin_late_enough() -> None:
    """What a look-up cannot see yet when it begins is not proven absent by the seconds that its own answer takes."""
    time = FakeTime()

    def slow(request: httpx.Request) -> httpx.Response:
        assert request.method == "GET"
        time.advance(8)
        return page()

    platform = connector(slow, time)
    with pytest.raises(TransientError, match="may still come true"):
        await platform.ensure(TASK, "key", unknown_since=NOW - timedelta(seconds=30))


async def test_what_silence_has_made_is_found_at_once() -> None:
    assert await ensured(TASK, Script(page(kept("RW5"))), unknown=1) == Receipt(reference="RW5", repeated=True)


async def test_a_look_up_that_fails_makes_nothing() -> None:
    script = Script(*[httpx.Response(502)] * 3)
    with pytest.raises(TransientError) as problem:
        await ensured(TASK, script)

    assert not isinstance(problem.value, UnknownOutcome)
    assert {line.split()[0] for line in script.asked} == {"GET"}


@pytest.mark.parametrize("command", [TASK, CANCEL, PUT, REMOVE, FEEDBACK], ids=lambda command: type(command).__name__)
async def test_the_gateways_limit_means_that_nothing_was_done(command: AnyCommand) -> None:
    busy = httpx.Response(429, headers={"X-RateLimit-Reset": "7"})
    script = Script(page(), busy) if command is TASK else Script(busy)
    with pytest.raises(TransientError) as problem:
        await ensured(command, script)

    assert not isinstance(problem.value, UnknownOutcome)
    assert problem.value.retry_after == 7


async def test_a_refused_creation_is_for_people_and_says_why() -> None:
    with pytest.raises(PermanentError, match="XXX") as problem:
        await ensured(TASK, Script(page(), refusal(400, "UNKNOWN_DEPARTMENT", "unknown department XXX, tel 13857912345")))

    assert problem.value.code == "UNKNOWN_DEPARTMENT"
    assert "13857912345" not in str(problem.value)


async def test_a_campaign_is_looked_up_before_it_is_drawn() -> None:
    script = Script(page(), CAMPAIGN_MADE, DRAWN)

    receipt = await ensured(CAMPAIGN, script)
    assert (receipt.reference, receipt.repeated, [said(item).partition("@")[0] for item in receipt.shows]) == (
        "SJ7",
        False,
        ["Campaign SJ7"],
    )
    assert script.asked == ["GET campaigns?externalNo=cp%2F19", "POST campaigns", "GET campaigns/SJ7"]
    assert script.body(1) == {
        "externalNo": "cp/19",
        "title": "锅炉",
        "departments": ["HBJ", "JSJ"],
        "pool": {"industry": "boiler", "town": None, "grades": ["C", "D"]},
        "subjects": 10,
        "officersPerTask": 2,
        "dueAt": "2019-09-12T18:00:00+08:00",
    }
    there = await ensured(CAMPAIGN, Script(page({"campaignId": "SJ5"}), DRAWN))
    assert (there.reference, there.repeated) == ("SJ5", True)


@pytest.mark.parametrize("shown", [{}, {"externalNo": None}, {"externalNo": ""}])
async def test_a_campaign_whose_answers_leave_out_our_number_is_proven_all_the_same(shown: dict[str, object]) -> None:
    drawn = httpx.Response(200, json={"campaignId": "SJ5", "seed": "s", "drawnSubjects": [], "tasks": [], **shown})

    receipt = await ensured(CAMPAIGN, Script(page({"campaignId": "SJ5", **shown}), drawn))

    assert (receipt.reference, receipt.repeated) == ("SJ5", True)
    (item,) = receipt.shows
    assert isinstance(item, Observation)
    assert isinstance(item.record, Campaign)
    assert item.record.external_no == "cp/19"


async def test_a_campaign_that_was_made_and_cannot_be_read_back_counts_as_made() -> None:
    receipt = await ensured(CAMPAIGN, Script(page(), CAMPAIGN_MADE, *[httpx.Response(500)] * 3))
    assert (receipt.reference, receipt.repeated, receipt.shows) == ("SJ7", False, ())


async def test_too_small_a_pool_is_for_people_and_says_how_to_go_on() -> None:
    with pytest.raises(PermanentError, match=r"too small \(6 subjects\); retry when .*, or waive this and ask") as problem:
        await ensured(CAMPAIGN, Script(page(), refusal(422, "TOO_FEW", "6 subjects")))
    assert problem.value.code == "POOL_TOO_SMALL"


async def test_a_task_is_cancelled() -> None:
    script = Script(httpx.Response(200, json={"taskId": "RW/1", "version": 2}))

    assert await ensured(CANCEL, script) == Receipt(reference="RW/1")
    assert (script.asked, script.body()) == (["POST tasks/RW%2F1/cancel"], {"reason": "审批已撤销"})


@pytest.mark.parametrize("status", ["ACCEPTED", "IN_PROGRESS", "DONE", "TRANSFERRED"])
async def test_a_task_that_has_begun_is_not_cancelled(status: str) -> None:
    with pytest.raises(PermanentError, match=status):
        await ensured(CANCEL, Script(refusal(409, "CONFLICT"), httpx.Response(200, json={"status": status})))


async def test_a_task_that_is_cancelled_already_is_as_it_should_be() -> None:
    script = Script(refusal(409, "CONFLICT"), httpx.Response(200, json={"status": "CANCELLED"}))

    assert await ensured(CANCEL, script) == Receipt(reference="RW/1", repeated=True)
    assert script.asked[1] == "GET tasks/RW%2F1"


async def test_a_refusal_that_the_task_does_not_show_yet_is_asked_again() -> None:
    with pytest.raises(TransientError) as problem:
        await ensured(CANCEL, Script(refusal(409, "CONFLICT"), httpx.Response(200, json={"status": "DISPATCHED"})))

    assert problem.value.retry_after == 4


async def test_key_subjects_are_put_and_taken_off() -> None:
    put, removed, absent = Script(httpx.Response(201)), Script(httpx.Response(204)), Script(refusal(404, "NOT_FOUND"))

    assert await ensured(PUT, put) == Receipt(reference=COMPANY)
    assert await ensured(REMOVE, removed) == Receipt(reference=COMPANY)
    assert await ensured(REMOVE, absent) == Receipt(reference=COMPANY, repeated=True)
    assert put.asked == [f"PUT key-subjects/{COMPANY}"]
    assert put.body() == {"reason": "违反告知承诺", "since": "2019-08-15", "ref": "RW0000000042"}
    assert removed.asked == [f"DELETE key-subjects/{COMPANY}"]


async def test_feedback_is_given() -> None:
    script = Script(httpx.Response(200, json={}))

    assert await ensured(FEEDBACK, script) == Receipt(reference="XG00000001")
    assert script.asked == ["POST coordinations/XG00000001/feedback"]
    assert script.body() == {
        "gridNo": "XG2019000037",
        "result": "handled",
        "opinion": "已清理",
        "handledAt": "2019-08-15T10:00:00+08:00",
    }


@pytest.mark.parametrize("command", [PUT, REMOVE, FEEDBACK], ids=lambda command: type(command).__name__)
async def test_what_replaces_waits_until_an_earlier_call_cannot_overtake_it(command: AnyCommand) -> None:
    script = Script()
    with pytest.raises(TransientError) as problem:
        await ensured(command, script, unknown=20)
    assert problem.value.retry_after == pytest.approx(12.0)
    assert script.asked == []

    assert (await ensured(command, Script(httpx.Response(200)), unknown=32)).reference


@pytest.mark.parametrize("command", [CANCEL, PUT, REMOVE, FEEDBACK], ids=lambda command: type(command).__name__)
@pytest.mark.parametrize("silence", SILENCE)
async def test_every_unanswered_write_may_have_been_done(command: AnyCommand, silence: httpx.Response | Exception) -> None:
    with pytest.raises(UnknownOutcome):
        await ensured(command, Script(silence))


async def test_a_command_of_another_platform_is_refused() -> None:
    with pytest.raises(PermanentError, match="AcceptEvent"):
        await ensured(AcceptEvent(event_no="YW1", task_id="RW1", department="JTJ", accepted_at=NOW), Script())
