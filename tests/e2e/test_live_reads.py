"""Live reads (maxAge) through a whole hub, against the mocks on a simulated clock: what the mirror answers, what the platform."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from mocks.people import make_subject
from schema.declare import ENTITIES
from schema.global_id import global_id
from tests.e2e.live_stage import LiveCity, played

COMPANY = "91330782MA28D5K77N"
DETAIL = "/api/spsl/detail"
ONE = """query($no: String!, $age: Int) { approval(approvalNo: $no, maxAge: $age) {
  applicantName freshness { observedAt version stale } } }"""
PROFILE = "query($code: String!, $age: Int) { creditProfile(code: $code, maxAge: $age) { score freshness { stale } } }"


def renamed(city: LiveCity, serial: str, name: str) -> None:
    city.stage.platforms.approval.change(serial, {"SQRMC": name})


async def granted(city: LiveCity, count: int = 1) -> list[str]:
    serials = [city.stage.platforms.approval.grant() for _ in range(count)]
    await city.grow_old()
    return serials


def test_the_mirror_answers_while_it_is_fresh_enough_and_the_platform_when_it_is_not(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        old = (await city.data(ONE, no=serial))["approval"]
        renamed(city, serial, "义乌市新名有限公司")
        for age in (None, 86_400):
            assert (await city.data(ONE, no=serial, age=age))["approval"] == old
        assert city.wires["approval"].sent == []
        new = (await city.data(ONE, no=serial, age=60))["approval"]
        assert new["applicantName"] == "义乌市新名有限公司"
        assert new["freshness"]["version"] > old["freshness"]["version"]
        assert new["freshness"]["observedAt"] > old["freshness"]["observedAt"]
        assert not new["freshness"]["stale"]
        assert (await city.data(ONE, no=serial))["approval"] == new, "the mirror has it too"
        assert (await city.data(ONE, no=serial, age=60))["approval"] == new
        assert city.wires["approval"].calls(DETAIL) == 1, "and is fresh enough now"

    played(tmp_path, story)


def test_what_is_read_live_and_has_not_changed_is_fresh_again(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        old = (await city.data(ONE, no=serial))["approval"]["freshness"]
        for _ in range(3):
            new = (await city.data(ONE, no=serial, age=60))["approval"]["freshness"]
            assert new["version"] == old["version"]
            assert new["observedAt"] > old["observedAt"]
        assert city.wires["approval"].calls(DETAIL) == 1

    played(tmp_path, story)


def test_a_record_that_the_mirror_does_not_know_is_found_on_its_platform(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await city.grow_old()
        serial = city.stage.platforms.approval.accept()
        assert (await city.data(ONE, no=serial)) == {"approval": None}
        assert (await city.data(ONE, no=serial, age=60))["approval"]["applicantName"]
        assert (await city.data(ONE, no="YW0000", age=60)) == {"approval": None}
        later, node = (
            city.stage.platforms.approval.accept(),
            "query($id: ID!) { node(id: $id, maxAge: 60) { ... on Approval { approvalNo } } }",
        )
        assert await city.data(node, id=global_id(ENTITIES["Approval"], later)) == {"node": {"approvalNo": later}}

    played(tmp_path, story)


def test_a_platform_that_hangs_holds_up_the_answer_for_its_deadline_and_is_marked(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        known = (await city.data(ONE, no=serial))["approval"]
        city.wires["approval"].hangs = True
        answered = await city.stage.answer(ONE, no=serial, age=60)
        assert answered["data"]["approval"] == {**known, "freshness": {**known["freshness"], "stale": True}}
        (error,) = answered["errors"]
        assert error["path"] == ["approval"]
        assert error["locations"]
        assert error["extensions"].pop("correlationId")
        assert error["extensions"] == {
            "code": "LIVE_TIMEOUT",
            "platform": "approval",
            "retryable": True,
            "asOf": known["freshness"]["observedAt"],
        }
        _, _, took = await city.answer(ONE, no=serial, age=60)
        assert took == 2.0
        city.wires["approval"].hangs = False
        assert (await city.data(ONE, no=serial, age=60))["approval"]["freshness"]["stale"] is False

    played(tmp_path, story)


def test_two_platforms_that_hang_cost_one_deadline_also_one_below_the_other(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        task = city.stage.platforms.enforcement.store.all("task")
        (task_id,) = task
        for name in ("approval", "enforcement", "credit"):
            city.wires[name].hangs = True
        nested = """query($no: String!, $task: String!, $code: String!) {
          verificationTask(taskId: $task, maxAge: 0) { freshness { stale } approval(maxAge: 0) { freshness { stale } } }
          approval(approvalNo: $no, maxAge: 0) { freshness { stale } }
          creditProfile(code: $code, maxAge: 0) { code }
          gridEvents { totalCount }
        }"""
        data, errors, took = await city.answer(nested, no=serial, task=task_id, code=COMPANY)
        assert took == 2.0
        stale = {"freshness": {"stale": True}}
        assert data == {
            "verificationTask": {**stale, "approval": stale},
            "approval": stale,
            "creditProfile": None,
            "gridEvents": {"totalCount": 0},
        }
        assert errors == [
            (["approval"], "LIVE_TIMEOUT", "approval", True),
            (["creditProfile"], "LIVE_TIMEOUT", "credit", True),
            (["verificationTask"], "LIVE_TIMEOUT", "enforcement", True),
            (["verificationTask", "approval"], "LIVE_TIMEOUT", "approval", True),
        ]
        below = "query($task: String!) { verificationTask(taskId: $task, maxAge: 0) { approval(maxAge: 0) { region } } }"
        _, errors, took = await city.answer(below, task=task_id)
        assert (len(errors), took) == (2, 2.0)

    played(tmp_path, story)


@pytest.mark.parametrize(("faults", "code"), [({"outage": True}, "LIVE_FAILED"), ({"latency_seconds": 60.0}, "LIVE_TIMEOUT")])
def test_all_four_platforms_out_of_order_cost_one_deadline_and_are_each_named(
    faults: dict[str, Any], code: str, tmp_path: Path
) -> None:
    async def story(city: LiveCity) -> None:
        platforms = city.stage.platforms
        event = platforms.grid.report(category="JT-03", title="杂草遮挡视线", town="赤岸镇")["no"]
        platforms.credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
        (serial,) = await granted(city)
        query = """query($no: String!, $event: String!, $code: String!, $age: Int) {
          approval(approvalNo: $no, maxAge: $age) { approvalNo }
          creditProfile(code: $code, maxAge: $age) { code }
          gridEvent(eventNo: $event, maxAge: $age) { eventNo }
          verificationTasks(maxAge: $age) { edges { node { taskId } } }
        }"""
        asked = {"no": serial, "event": event, "code": COMPANY}
        known = await city.data(query, **asked)
        assert known == await city.data(query, **asked, age=60), "all four are asked, and answer"
        assert all(city.wires[name].sent for name in ("approval", "credit", "grid", "enforcement"))
        await asyncio.sleep(100)
        for platform in platforms:
            platform.faults = platform.faults.changed(faults)
        data, errors, took = await city.answer(query, **asked, age=60)
        assert data == known
        assert took <= 2.0
        assert [error[:4] for error in errors] == [
            (["approval"], code, "approval", True),
            (["creditProfile"], code, "credit", True),
            (["gridEvent"], code, "grid", True),
            (["verificationTasks", "edges"], code, "enforcement", True),
        ]

    played(tmp_path, story)


def too_many() -> httpx.Response:
    return httpx.Response(200, json={"code": "42901", "msg": "too many", "data": {"retryAfterMs": 30_000}})


def busy() -> httpx.Response:
    return httpx.Response(500, json={"code": "50000", "msg": "busy", "data": None})


def forbidden() -> httpx.Response:
    return httpx.Response(403, text="no")


def test_what_a_platform_refuses_is_named_and_the_mirror_answers(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        wire = city.wires["approval"]
        for answers, reason, retryable in (
            (forbidden, "HTTP_403", False),
            (busy, "HTTP_500", True),
            (too_many, "RATE_LIMITED", True),
        ):
            wire.answers = answers
            data, errors, took = await city.answer(ONE, no=serial, age=60)
            assert errors == [(["approval"], "LIVE_FAILED", "approval", retryable, reason)]
            assert data["approval"]["freshness"]["stale"]
            assert took < 2.0
        wire.answers, before = None, len(wire.sent)
        data, errors, took = await city.answer(ONE, no=serial, age=60)
        assert (errors[0][-1], len(wire.sent)) == ("RATE_LIMITED", before), "for half a minute it is not even asked"
        await asyncio.sleep(31)
        assert not (await city.data(ONE, no=serial, age=60))["approval"]["freshness"]["stale"]

    played(tmp_path, story)


def test_a_platform_that_failed_again_and_again_is_not_asked_for_a_while(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        wire = city.wires["approval"]
        wire.answers = busy
        for _ in range(3):
            await city.answer(ONE, no=serial, age=60)
        before = len(wire.sent)
        data, errors, took = await city.answer(ONE, no=serial, age=60)
        assert errors == [(["approval"], "LIVE_PLATFORM_DOWN", "approval", True)]
        assert (data["approval"]["freshness"]["stale"], took, len(wire.sent)) == (True, 0.0, before)

    played(tmp_path, story)


def test_a_platform_that_hangs_again_and_again_holds_up_nobody_until_it_is_tried_once_more(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        wire = city.wires["approval"]
        wire.hangs = True
        waited = [(await city.answer(ONE, no=serial, age=60))[2] for _ in range(5)]
        assert waited == [2.0] * 5
        _, errors, took = await city.answer(ONE, no=serial, age=60)
        assert (errors, took) == ([(["approval"], "LIVE_PLATFORM_DOWN", "approval", True)], 0.0)
        await asyncio.sleep(30)
        wire.hangs = False
        await city.data(ONE, no=serial, age=60)

    played(tmp_path, story)


def test_a_paused_platform_is_not_asked(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        await city.stage.ask('mutation { pausePlatform(input: {platform: "approval", reason: "r"}) { userErrors { message } } }')
        _, errors, _ = await city.answer(ONE, no=serial, age=60)
        assert errors == [(["approval"], "LIVE_PAUSED", "approval", True)]
        assert city.wires["approval"].sent == []

    played(tmp_path, story)


def test_what_the_platform_has_no_more_is_null_and_told_while_the_mirror_keeps_it(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        credit = city.stage.platforms.credit
        credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
        await city.grow_old()
        assert (await city.data(PROFILE, code=COMPANY))["creditProfile"]
        credit.delete("subject", COMPANY)
        data, errors, _ = await city.answer(PROFILE, code=COMPANY, age=60)
        assert data == {"creditProfile": None}
        assert errors == [(["creditProfile"], "LIVE_GONE", "credit", False)]
        assert (await city.data(PROFILE, code=COMPANY))["creditProfile"], "whether it is gone is for drift to say"
        listed, errors, _ = await city.answer("{ creditProfiles(maxAge: 60) { totalCount edges { node { code } } } }")
        assert listed == {"creditProfiles": {"totalCount": 1, "edges": []}}
        assert errors == [(["creditProfiles", "edges"], "LIVE_GONE", "credit", False)]

    played(tmp_path, story)


def test_what_was_seen_just_now_is_not_gone_because_its_platform_shows_it_late(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        credit = city.stage.platforms.credit
        credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
        await city.grow_old()
        await city.data(PROFILE, code=COMPANY, age=0)
        credit.delete("subject", COMPANY)
        await asyncio.sleep(1)
        data, errors, _ = await city.answer(PROFILE, code=COMPANY, age=0)
        assert data["creditProfile"]["freshness"]["stale"]
        assert errors == [(["creditProfile"], "LIVE_OUTDATED", "credit", True)]

    played(tmp_path, story)


def test_a_newer_copy_in_the_mirror_stands_against_what_the_platform_answers(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        renamed(city, serial, "旧")
        wire = city.wires["approval"]
        wire.remembers = {}
        await city.data(ONE, no=serial, age=60)  # a node of the platform remembers this answer
        wire.remembers, remembered = None, wire.remembers
        renamed(city, serial, "新")
        await asyncio.sleep(100)
        newest = (await city.data(ONE, no=serial, age=60))["approval"]
        assert newest["applicantName"] == "新"
        wire.remembers = remembered
        await asyncio.sleep(100)
        data, errors, _ = await city.answer(ONE, no=serial, age=60)
        assert data["approval"]["applicantName"] == "新"
        assert data["approval"]["freshness"] == {**newest["freshness"], "stale": True}
        assert errors == [(["approval"], "LIVE_OUTDATED", "approval", True)]
        assert (await city.data(ONE, no=serial))["approval"] == newest

    played(tmp_path, story)


def test_another_content_under_the_same_version_changes_nothing_and_is_kept_for_people(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        (serial,) = await granted(city)
        known = (await city.data(ONE, no=serial))["approval"]
        city.stage.platforms.approval.contradict(serial, {"SQRMC": "另一个"})
        data, errors, _ = await city.answer(ONE, no=serial, age=60)
        assert data["approval"]["applicantName"] == known["applicantName"]
        assert errors == [(["approval"], "LIVE_OUTDATED", "approval", True)]
        bad = await city.data("{ quarantinedRecords { edges { node { reason stream recordKey } } } }")
        assert bad["quarantinedRecords"]["edges"] == [
            {"node": {"reason": "VERSION_CONFLICT", "stream": "live", "recordKey": serial}}
        ]

    played(tmp_path, story)


def test_a_record_that_cannot_be_used_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        good, bad = await granted(city, 2)
        city.stage.platforms.approval.change(bad, {"SPFS": "没有"})
        both = """query($a: String!, $b: String!) {
          a: approval(approvalNo: $a, maxAge: 60) { freshness { stale } }
          b: approval(approvalNo: $b, maxAge: 60) { freshness { stale } } }"""
        data, errors, _ = await city.answer(both, a=good, b=bad)
        assert data == {"a": {"freshness": {"stale": False}}, "b": {"freshness": {"stale": True}}}
        assert errors == [(["b"], "LIVE_BAD_RECORD", "approval", False)]
        assert city.wires["approval"].calls(DETAIL) == 1

    played(tmp_path, story)


def test_requests_at_the_same_time_share_one_call(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        one, other = await granted(city, 2)
        city.wires["approval"].takes = 0.5
        found = await asyncio.gather(
            *(city.data(ONE, no=one, age=60) for _ in range(5)), city.data(ONE, no=other, age=60), _late(city, one)
        )
        assert len({each["approval"]["freshness"]["observedAt"] for each in found}) == 1
        assert city.wires["approval"].calls(DETAIL) == 1

    played(tmp_path, story)


async def _late(city: LiveCity, serial: str) -> Any:
    await asyncio.sleep(0.3)
    return await city.data(ONE, no=serial, age=60)


def test_fifty_approvals_are_one_call_whether_listed_or_at_the_far_end_of_edges(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await granted(city, 60)
        listed = await city.data(
            "{ approvals(first: 50, maxAge: 60) { edges { node { freshness { stale } } } pageInfo { endCursor } } }"
        )
        assert len(listed["approvals"]["edges"]) == 50
        assert city.wires["approval"].calls(DETAIL) == 1
        await asyncio.sleep(100)
        tasks = "{ verificationTasks(first: 60) { edges { node { approval(maxAge: 60) { freshness { stale } } } } } }"
        found = await city.data(tasks)
        assert all(edge["node"]["approval"] for edge in found["verificationTasks"]["edges"])
        assert city.wires["approval"].calls(DETAIL) == 3, "60 are more than one call takes"

    played(tmp_path, story)


def test_live_reads_take_no_more_than_their_share_of_the_quota_and_say_so(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await granted(city, 30)
        query = "{ verificationTasks(first: 30, maxAge: 60) { edges { node { freshness { stale } } } } }"
        data, errors, _ = await city.answer(query)
        stale = [edge["node"]["freshness"]["stale"] for edge in data["verificationTasks"]["edges"]]
        assert (stale.count(False), stale.count(True)) == (4, 26), "a tenth of 20 a second, for the 2 s of a deadline"
        assert errors == [(["verificationTasks", "edges"], "LIVE_QUOTA", "enforcement", True, 26)]
        assert len(city.wires["enforcement"].sent) == 4
        await asyncio.sleep(2)
        _, errors, _ = await city.answer(query)
        assert errors[0][-1] == 22

    played(tmp_path, story, LIVE_PERCENT="10", ENFORCEMENT_QUOTA_PER_SECOND="20")


def test_what_hangs_below_a_record_that_was_read_live_is_as_new_as_the_record(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await granted(city)
        enforcement = city.stage.platforms.enforcement
        (task_id,) = enforcement.store.all("task")
        enforcement.dispatch(task_id)
        enforcement.accept(task_id)
        enforcement.begin(task_id)
        subject = {"code": COMPANY, "name": "义乌市天䶮贸易有限公司"}
        enforcement.finish(task_id, [{"subject": subject, "conclusion": "CONFORM", "findings": []}])
        await asyncio.sleep(10)
        query = """query($id: String!) { held: verificationTask(taskId: $id) { results { edges { node { conclusion } } } }
          verificationTask(taskId: $id, maxAge: 5) { status results { edges { node { conclusion } } } } }"""
        data = await city.data(query, id=task_id)
        assert data["held"] == {"results": {"edges": []}}
        assert data["verificationTask"] == {"status": "DONE", "results": {"edges": [{"node": {"conclusion": "CONFORM"}}]}}

    played(tmp_path, story)


def test_a_grid_event_and_a_subject_s_profile_are_asked_where_an_edge_leads_to_them(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        grid, credit = city.stage.platforms.grid, city.stage.platforms.credit
        number = grid.report(category="JT-03", title="杂草遮挡视线", town="赤岸镇")["no"]
        credit.add_subject(COMPANY, "义乌市天䶮贸易有限公司", score=80.0)
        applicant = msgspec.structs.replace(make_subject(random.Random(7), kind="1"), uscc=COMPANY)
        city.stage.platforms.approval.grant(applicant)
        await city.grow_old()
        grid.change_event(number, title="新标题")
        credit.set_score(COMPANY, 61.5)
        data = await city.data(
            """query($code: String!, $no: String!) { gridEvent(eventNo: $no, maxAge: 60) { title }
              subject(code: $code) { profile(maxAge: 60) { score } approvals { edges { node { subject {
                profile(maxAge: 60) { score } } } } } } }""",
            code=COMPANY,
            no=number,
        )
        assert data["gridEvent"] == {"title": "新标题"}
        assert data["subject"]["profile"] == {"score": "61.5"}
        assert data["subject"]["approvals"]["edges"][0]["node"]["subject"]["profile"] == {"score": "61.5"}
        assert city.wires["credit"].calls("/v2/subjects") == 1

    played(tmp_path, story)


def test_an_identity_number_never_leaves_for_a_platform(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await city.grow_old()
        for number in ("330725197908301422", "330782600123456", "91330782MA28D5K77N,330725197908301422", "\x00"):
            data, errors, _ = await city.answer(PROFILE, code=number, age=60)
            assert data == {"creditProfile": None}
            assert errors == [(["creditProfile"], "LIVE_BAD_KEY", "credit", False)]
            _, errors, _ = await city.answer(
                "query($n: String!) { verificationTask(taskId: $n, maxAge: 0) { status } }", n="330725197908301422"
            )
            assert errors == [(["verificationTask"], "LIVE_BAD_KEY", "enforcement", False)]
        assert [wire.sent for wire in city.wires.values() if wire.sent] == []

    played(tmp_path, story)


def test_an_edge_that_may_lead_elsewhere_asks_nobody_for_what_is_not_here(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await granted(city)
        tasks = "{ verificationTasks { edges { node { gridEvent(maxAge: 0) { title } } } } }"
        assert await city.data(tasks) == {"verificationTasks": {"edges": [{"node": {"gridEvent": None}}]}}
        assert city.wires["grid"].sent == []

    played(tmp_path, story)


def test_a_platform_that_is_left_out_is_named(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        await granted(city)
        _, errors, _ = await city.answer('{ gridEvent(eventNo: "YW1", maxAge: 0) { title } }')
        assert errors == [(["gridEvent"], "LIVE_NOT_BRIDGED", "", False)]

    played(tmp_path, story, PLATFORMS="approval,enforcement")


def test_an_age_below_nothing_is_refused(tmp_path: Path) -> None:
    async def story(city: LiveCity) -> None:
        data, errors, _ = await city.answer(ONE, no="YW1", age=-1)
        assert (data, errors) == ({"approval": None}, [(["approval"], "BAD_USER_INPUT")])

    played(tmp_path, story)
