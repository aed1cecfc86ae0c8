"""Tasks of the mock enforcement platform: each trap of the page."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.enforcement_caller import SHOP, EnforcementCaller, Slowest, task_order


@pytest.fixture
async def call() -> AsyncIterator[EnforcementCaller]:
    caller = EnforcementCaller(CityClock())
    yield caller
    await caller.close()


@pytest.fixture
async def slow() -> AsyncIterator[EnforcementCaller]:
    caller = EnforcementCaller(CityClock(), rng=Slowest(7), visible_after=3.0)
    yield caller
    await caller.close()


async def test_the_same_number_sent_twice_makes_two_tasks_on_one_page(call: EnforcementCaller) -> None:
    first, second = await call.make("AV0001"), await call.make("AV0001")
    found = (await call("GET", "tasks", query={"externalNo": "AV0001"})).json()
    assert [task["taskId"] for task in found["items"]] == [first, second]
    assert first != second
    assert found["nextCursor"] is None


async def test_a_new_task_is_as_the_page_shows_it(call: EnforcementCaller) -> None:
    task = (await call("GET", f"tasks/{await call.make()}")).json()
    expected = {
        "externalNo": "AV0001",
        "version": 1,
        "type": "COMMITMENT",
        "title": "核查",
        "origin": {"platform": "approval", "ref": "YW0001"},
        "urgency": 3,
        "status": "PENDING",
        "department": "WH",
        "participants": ["GA"],
        "officers": [],
        "ledByHead": False,
        "campaignId": None,
        "dueAt": "2019-09-12T18:00:00+08:00",
        "createdAt": "2019-08-15T09:00:00.000+08:00",
        "updatedAt": "2019-08-15T09:00:00.000+08:00",
        "results": [],
    }
    assert {name: task[name] for name in expected} == expected


async def test_a_new_task_stays_invisible_to_every_query_for_three_seconds(slow: EnforcementCaller) -> None:
    task_id = await slow.make("AV0001")
    slow.clock.advance(2.999)
    assert (await slow("GET", f"tasks/{task_id}")).status_code == 404
    assert (await slow("GET", "tasks", query={"externalNo": "AV0001"})).json()["items"] == []
    assert (await slow("GET", "tasks")).json()["items"] == []
    slow.clock.advance(0.001)
    assert (await slow("GET", f"tasks/{task_id}")).status_code == 200
    assert len((await slow("GET", "tasks", query={"externalNo": "AV0001"})).json()["items"]) == 1
    assert len((await slow("GET", "tasks")).json()["items"]) == 1


async def test_the_list_shows_a_new_version_late_and_with_its_earlier_time(slow: EnforcementCaller) -> None:
    task_id = await slow.make()
    slow.clock.advance(10)
    changed = slow.platform.dispatch(task_id)
    slow.clock.advance(2)
    shown = (await slow("GET", "tasks")).json()["items"]
    assert [(task["status"], task["version"]) for task in shown] == [("PENDING", 1)]
    slow.clock.advance(1)
    (late,) = (await slow("GET", "tasks")).json()["items"]
    assert (late["status"], late["updatedAt"]) == ("DISPATCHED", changed["updatedAt"])
    assert changed["updatedAt"] == "2019-08-15T09:00:10.000+08:00"


@pytest.mark.parametrize("missing", ["externalNo", "type", "title", "subjects", "department", "dueAt", "origin", "urgency"])
async def test_a_missing_required_field_is_named(call: EnforcementCaller, missing: str) -> None:
    order = task_order()
    del order[missing]
    answer = await call("POST", "tasks", order)
    assert answer.status_code == 400
    assert f"`{missing}`" in answer.json()["message"]


async def test_optional_fields_and_unknown_ones_are_no_hindrance(call: EnforcementCaller) -> None:
    order = task_order(subjects=[{"code": None, "name": "不明"}], extra={"a": 1})
    for optional in ("participants", "checklist", "attachments"):
        del order[optional]
    assert (await call("POST", "tasks", order)).status_code == 201


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"department": "XX"}, "'XX'"),
        ({"participants": ["GA", "YY"]}, "'YY'"),
        ({"checklist": ["WH-001", "WH-999"]}, "'WH-999'"),
        ({"externalNo": "x" * 65}, "externalNo"),
        ({"type": "OTHER"}, "OTHER"),
        ({"urgency": 5}, "urgency"),
        ({"dueAt": "2019-09-12T18:00:00"}, "dueAt"),
        ({"origin": {"platform": "credit", "ref": "1"}}, "credit"),
        ({"subjects": []}, "subjects"),
        ({"subjects": [{"name": "无码"}]}, "`code`"),
        ({"subjects": [{"code": "330782600123456", "name": "老号"}]}, "code"),
    ],
)
async def test_a_bad_order_is_400_and_names_the_offender(call: EnforcementCaller, changes: dict[str, object], named: str) -> None:
    answer = await call("POST", "tasks", {**task_order(), **changes})
    assert answer.status_code == 400
    assert named in answer.json()["message"]
    assert set(answer.json()) == {"code", "message"}
    assert not call.platform.store.all("task")


async def test_a_task_can_be_cancelled_until_an_officer_accepts_it(call: EnforcementCaller) -> None:
    pending, dispatched, accepted = [await call.make(number) for number in ("AV0001", "AV0002", "AV0003")]
    call.platform.dispatch(dispatched)
    call.platform.dispatch(accepted)
    call.platform.accept(accepted)
    answers = [await call("POST", f"tasks/{task}/cancel", {"reason": "撤销"}) for task in (pending, dispatched, accepted)]
    assert [answer.status_code for answer in answers] == [200, 200, 409]
    assert answers[0].json() == {"taskId": pending, "version": 2}
    again = await call("POST", f"tasks/{pending}/cancel", {"reason": "撤销"})
    assert again.status_code == 409
    assert (await call("GET", f"tasks/{pending}")).json()["status"] == "CANCELLED"
    assert (await call("POST", "tasks/RW9/cancel", {"reason": "撤销"})).status_code == 404


# --- lists


async def list_all(call: EnforcementCaller, **query: str) -> list[str]:
    found: list[str] = []
    page = (await call("GET", "tasks", query=query)).json()
    found += [task["taskId"] for task in page["items"]]
    while page["nextCursor"] is not None:
        page = (await call("GET", "tasks", query={"cursor": page["nextCursor"]})).json()
        found += [task["taskId"] for task in page["items"]]
    return found


async def test_pages_give_tasks_of_one_moment_in_the_order_of_their_numbers(call: EnforcementCaller) -> None:
    made = [await call.make(f"AV{number:04d}") for number in range(7)]
    assert await list_all(call, limit="3") == made
    call.clock.advance(1)
    call.platform.dispatch(made[0])
    assert await list_all(call, limit="3") == [*made[1:], made[0]]


async def test_updated_after_is_strict(call: EnforcementCaller) -> None:
    early = await call.make("AV0001")
    call.clock.advance(0.001)
    late = await call.make("AV0002")
    assert await list_all(call, updatedAfter="2019-08-15T09:00:00.000+08:00") == [late]
    assert await list_all(call, updatedAfter="2019-08-15T00:59:59.999+00:00") == [early, late]
    assert await list_all(call, updatedAfter="2019-08-15T09:00:00.001+08:00") == []
    assert (await call("GET", "tasks", query={"updatedAfter": "2019-08-15T09:00:00"})).status_code == 400


async def test_a_task_that_changes_between_pages_comes_again_at_the_end(call: EnforcementCaller) -> None:
    made = [await call.make(f"AV{number:04d}") for number in range(3)]
    first = (await call("GET", "tasks", query={"limit": "2"})).json()
    call.clock.advance(1)
    call.platform.dispatch(made[0])
    rest = (await call("GET", "tasks", query={"cursor": first["nextCursor"]})).json()
    assert [task["taskId"] for task in rest["items"]] == [made[2], made[0]]


async def test_a_cursor_expires_after_ten_minutes(call: EnforcementCaller) -> None:
    for number in range(3):
        await call.make(f"AV{number:04d}")
    cursor = (await call("GET", "tasks", query={"limit": "1"})).json()["nextCursor"]
    call.clock.advance(600)
    assert (await call("GET", "tasks", query={"cursor": cursor})).status_code == 200
    call.clock.advance(0.001)
    expired = await call("GET", "tasks", query={"cursor": cursor})
    assert (expired.status_code, expired.json()["code"]) == (400, "CURSOR_EXPIRED")


async def test_a_cursor_holds_characters_that_must_be_encoded(call: EnforcementCaller) -> None:
    await call.make("AV0001")
    await call.make("AV0002")
    cursor = (await call("GET", "tasks", query={"limit": "1"})).json()["nextCursor"]
    assert set("&=+%/?# 游") <= set(cursor)
    assert quote(cursor, safe="") != cursor
    assert (await call("GET", "tasks", query={"cursor": cursor[1:]})).json()["code"] == "CURSOR_INVALID"
    assert (await call("GET", "coordinations", query={"cursor": cursor})).json()["code"] == "CURSOR_INVALID"


@pytest.mark.parametrize(("limit", "status"), [("100", 200), ("101", 400), ("0", 400), ("ten", 400)])
async def test_a_limit_is_a_number_up_to_a_hundred(call: EnforcementCaller, limit: str, status: int) -> None:
    assert (await call("GET", "tasks", query={"limit": limit})).status_code == status


# --- results


async def test_a_result_names_its_subject_and_completes_its_findings(call: EnforcementCaller) -> None:
    task_id = await call.make(type="SPECIAL", department="SCJG", checklist=["SCJG-001"])
    call.platform.dispatch(task_id, head=True)
    call.platform.accept(task_id)
    call.platform.begin(task_id)
    findings = [{"itemCode": "SCJG-001"}, {"itemCode": "SCJG-003", "conform": True}, {"itemCode": "NY-001", "points": "0.5"}]
    call.platform.finish(task_id, [{"findings": findings, "rectification": {"deadline": "2019-08-20T18:00:00+08:00"}}])
    task = (await call("GET", f"tasks/{task_id}")).json()
    (result,) = task["results"]
    assert (task["status"], task["ledByHead"], task["officers"][0]["isHead"]) == ("DONE", True, True)
    assert (result["subjectCode"], result["conclusion"]) == (SHOP, "NONCONFORM")
    assert [(found["points"], found["severity"], found["conform"]) for found in result["findings"]] == [
        ("2.0", "GENERAL", False),
        ("0.5", "MINOR", True),
        ("0.5", None, False),
    ]
    assert len({found["findingId"] for found in result["findings"]}) == 3
    assert result["rectification"]["orderNo"].startswith("ZG")
    assert result["signedBySubject"]
    assert result["signedByOfficers"]


async def test_a_correction_keeps_finding_numbers_and_can_make_findings_vanish(call: EnforcementCaller) -> None:
    task_id = await call.make(type="SPECIAL")
    done = call.platform.finish(task_id, [{"findings": [{"itemCode": "SCJG-001"}, {"itemCode": "SCJG-002"}]}])
    before = done["results"][0]["findings"]
    corrected = call.platform.correct(task_id, [{"findings": [{"itemCode": "SCJG-002", "points": "1.5"}]}])
    (after,) = corrected["results"][0]["findings"]
    assert after["findingId"] == before[1]["findingId"]
    assert (after["points"], before[1]["points"]) == ("1.5", "2.0")
    assert corrected["version"] == done["version"] + 1
    assert call.platform.correct(task_id, [{}])["results"][0]["conclusion"] == "CONFORM"


async def test_each_subject_has_a_result_and_keeps_it_when_only_another_is_corrected(call: EnforcementCaller) -> None:
    subjects = [{"code": None, "name": name, "address": None} for name in ("甲", "乙", "丙")]
    task_id = await call.make(subjects=subjects)
    findings = {"findings": [{"itemCode": "WH-001"}]}
    done = call.platform.finish(task_id, [{}, findings])["results"]
    assert [(result["subjectName"], result["conclusion"]) for result in done] == [
        ("甲", "CONFORM"),
        ("乙", "NONCONFORM"),
        ("丙", "CONFORM"),
    ]
    corrected = call.platform.correct(task_id, [{"conclusion": "UNREACHABLE"}])["results"]
    assert corrected[0]["conclusion"] == "UNREACHABLE"
    assert corrected[1:] == done[1:]


async def test_what_cannot_happen_in_a_state_is_refused_with_its_reason(call: EnforcementCaller) -> None:
    task_id = await call.make()
    with pytest.raises(ValueError, match="is PENDING; this needs DISPATCHED"):
        call.platform.accept(task_id)
    with pytest.raises(LookupError, match="no task RW9"):
        call.platform.finish("RW9")
    with pytest.raises(ValueError, match="2 results for 1 subjects"):
        call.platform.finish(task_id, [{}, {}])


async def test_a_transferred_task_names_the_outside_unit(call: EnforcementCaller) -> None:
    task_id = await call.make()
    task = call.platform.transfer(task_id, to="金华市应急管理局", results=[{"conclusion": "NONCONFORM"}])
    assert (task["status"], task["results"][0]["transferredTo"]) == ("TRANSFERRED", "金华市应急管理局")


async def test_versions_and_times_only_grow_when_the_clock_goes_back(call: EnforcementCaller) -> None:
    task_id = await call.make()
    call.clock.moment -= timedelta(seconds=5)
    dispatched = call.platform.dispatch(task_id)
    assert (dispatched["version"], dispatched["updatedAt"]) == (2, "2019-08-15T09:00:00.000+08:00")


async def test_a_second_start_finds_the_same_tasks_and_goes_on_counting(tmp_path: Path) -> None:
    call = EnforcementCaller(CityClock(), data_dir=str(tmp_path))
    first = await call.make("AV0001")
    # no close: what was answered is on disk already
    again = EnforcementCaller(call.clock, data_dir=str(tmp_path))
    found = (await again("GET", "tasks", query={"externalNo": "AV0001"})).json()["items"]
    assert [task["taskId"] for task in found] == [first]
    assert await again.make("AV0002") > first
    assert again.platform.finish(first)["results"][0]["subjectCode"] == SHOP
    await again.close()
    await call.client.aclose()
