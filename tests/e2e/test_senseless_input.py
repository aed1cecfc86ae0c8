"""Input that is well formed and cannot be right, end to end: it is named with its reason, is guessed at by nobody, and harms
nothing beside it. What is not even well formed stands in test_bad_input.py."""

import random
import shutil
from pathlib import Path
from typing import Any

import msgspec

from hub.domain.policy import DEFAULT_FOLDER
from mocks.people import make_subject
from mocks.selfgov import APPROVED, STUDY
from tests.e2e.city_life import BROKEN_PROMISE
from tests.e2e.eventually import eventually
from tests.e2e.signed import signed
from tests.e2e.stage import RunningHub, Stage

SHOP, OTHER = "91330782MA28D5K77N", "91330782147664100G"
LISTS = """{
  quarantinedRecords(first: 50) { edges { node { platform recordKey reason detail releasedAt } } }
  opsItems(first: 50) { edges { node { kind cause message } } }
  obligations(first: 100) { edges { node { key state needs policyVersion } } }
  gridEvents(first: 50) { edges { node { eventNo category status } } }
  approvals(first: 50) { edges { node { approvalNo } } }
}"""
Lists = dict[str, list[dict[str, Any]]]


async def lists(running: RunningHub) -> Lists:
    """Return quarantine, ops list, ledger, events and approvals as the graph shows them."""
    told = await running.ask(LISTS)
    return {name: [edge["node"] for edge in page["edges"]] for name, page in told.items()}


def policy_folder(folder: Path, file: str, before: str, after: str) -> str:
    """Return a policy folder like the package's, in one file of which `before` is replaced once."""
    shutil.copytree(DEFAULT_FOLDER, folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    return str(folder)


# --- Repairs ---------------------------------------------------------------------------------------------------------


def taken(stage: Stage, code: str, number: int, occurred: str) -> str:
    """Let a record of 4 points stand on the credit platform; return its bizNo."""
    stage.credit.add_subject(code, "义乌市天䶮贸易有限公司")
    biz_no = f"BYHAND{number:06d}"
    record = {"bizNo": biz_no, "code": code, "category": "REGULATORY_POINTS", "points": "4.0", "causedBy": None}
    record |= {"itemCode": "SCJG-001", "itemName": "餐饮具消毒设施未正常使用", "department": "SCJG", "region": "330782"}
    evidence = {"platform": "enforcement", "ref": f"T-BYHAND-{number}", "finding": None}
    stage.credit.add_record({**record, "occurredAt": occurred, "evidence": evidence})
    return biz_no


async def test_repairs_over_the_open_points_after_a_year_and_of_another_subjects_record_are_refused_with_the_reason(
    stage: Stage,
) -> None:
    fresh = taken(stage, SHOP, 1, "2019-08-20T10:00:00+08:00")
    old = taken(stage, SHOP, 2, "2018-08-31T10:00:00+08:00")
    theirs = taken(stage, OTHER, 3, "2019-08-20T10:00:00+08:00")

    def asked(repairs: str, points: float) -> int:
        return stage.selfgov.enter(
            STUDY, code=SHOP, name="义乌市天䶮贸易有限公司", repairs=repairs, points=points, state=APPROVED, late=0
        )

    says = {
        asked(fresh, 4.5): "申请修复4.5分，超过信用记录BYHAND000001未修复的4分",
        asked(old, 2): "完成时间2019年9月2日已超过信用记录BYHAND000002的修复期限2019年8月31日",
        asked(theirs, 2): f"信用记录BYHAND000003不属于{SHOP}",
    }
    good = asked(fresh, 1.5)
    async with stage.hub(SELFGOV_POLL_SECONDS="1"):

        def marked() -> bool:
            return all(stage.selfgov.result(number)["clbz"] != "0" for number in (*says, good))

        await eventually(marked, or_say="all four rows marked")
    assert {number: stage.selfgov.result(number)["clsm"] for number in says} == says
    assert [stage.selfgov.result(number)["clbz"] for number in (*says, good)] == ["9", "9", "9", "1"]
    (repair,) = stage.credit.store.all("repair").values()
    assert repair["points"] == "1.5"
    still_open = {record["bizNo"]: record["openPoints"] for record in stage.credit.store.all("record").values()}
    assert still_open == {fresh: "2.5", old: "4.0", theirs: "4.0"}


# --- Routes ----------------------------------------------------------------------------------------------------------


async def test_an_event_without_a_route_is_in_graph_quarantine_and_ops_list_and_goes_on_when_policy_has_the_route(
    stage: Stage, tmp_path: Path
) -> None:
    stage.faults(callbacks_doubled=1.0)
    async with stage.hub(WAITING_SECONDS="1") as running:
        number = stage.grid.report(category="XX-99", title="新情况", town="佛堂镇", level=2, send=True)["no"]

        async def held_up() -> Lists | None:
            found = await lists(running)
            return found if found["quarantinedRecords"] else None

        await eventually(held_up, or_say="the event in the quarantine")
        for _ in range(2):
            await running.hub.sweep.everything()
        told = await lists(running)
        assert told["gridEvents"] == [{"eventNo": number, "category": "XX-99", "status": "SENT"}]
        (bad,) = told["quarantinedRecords"]
        assert (bad["platform"], bad["recordKey"], bad["reason"], bad["releasedAt"]) == ("grid", number, "NO_ROUTE", None)
        (item,) = told["opsItems"]
        assert (item["kind"], item["cause"]) == ("no-route", number)
        for words in (bad["detail"], item["message"], told["obligations"][0]["needs"]):
            assert "'XX-99'" in words
            assert "grid_categories.csv" in words
        assert {each["state"] for each in told["obligations"]} == {"WAITING"}
        assert 'bihuan_quarantined{platform="grid"} 1.0' in (await running.client.get("/metrics")).text
        assert stage.tasks_for(number) == []
    added = "category,name,department,source\nXX-99,新类别,YJ,测试\n"
    folder = policy_folder(tmp_path / "policy", "grid_categories.csv", "category,name,department,source\n", added)
    async with stage.hub(POLICY_DIR=folder, WAITING_SECONDS="1") as running:

        async def accepted() -> bool:
            return bool(stage.grid.event(number)["status"] == "30")

        await eventually(accepted, or_say="the event accepted")
        (task,) = stage.tasks_for(number)
        assert task["department"] == "YJ"
        (bad,) = (await lists(running))["quarantinedRecords"]
        assert bad["releasedAt"] is not None


# --- Departments -----------------------------------------------------------------------------------------------------


async def test_a_check_by_an_officer_of_an_unknown_department_counts_and_ops_is_told_once(stage: Stage) -> None:
    officers = [{"id": "ZF-XX-01", "name": "骆某", "department": "XX", "isHead": False}]
    async with stage.hub(SWEEP_SECONDS="5", FULL_SWEEP_SECONDS="5", ENFORCEMENT_POLL_SECONDS="0.5") as running:
        due_at = "2019-09-30T00:00:00+08:00"
        shop = {"code": SHOP, "name": "义乌市天䶮贸易有限公司"}
        task_id = stage.enforcement.make_task(subjects=[shop], department="SCJG", due_at=due_at)["taskId"]
        stage.enforcement.tasks.change(task_id, {"PENDING"}, status="DISPATCHED", officers=officers, ledByHead=False)
        stage.enforcement.finish(task_id, [{"findings": [{"itemCode": "SCJG-001", "points": "2.0"}]}])
        (record,) = await eventually(stage.records_for, task_id, or_say="the record")
        assert (record["code"], record["points"]) == (SHOP, "2.0")

        async def told() -> Lists | None:
            found = await lists(running)
            return found if any(item["kind"] == "unknown-officer-department" for item in found["opsItems"]) else None

        await eventually(told, or_say="the officer on the ops list")
        await running.hub.sweep.everything()
        found = await lists(running)
        (item,) = (item for item in found["opsItems"] if item["kind"] == "unknown-officer-department")
        assert item["cause"] == "XX"
        for word in (task_id, "ZF-XX-01", "'XX'", "departments.csv"):
            assert word in item["message"]
        assert found["quarantinedRecords"] == []


# --- Policy ----------------------------------------------------------------------------------------------------------


async def test_what_is_open_when_policy_changes_keeps_its_points_and_the_version_that_made_it(stage: Stage, tmp_path: Path) -> None:
    async def broken() -> str:
        """Let a commitment be broken; return the check."""
        serial = stage.approval.grant(procedure="1")
        (task,) = await eventually(stage.tasks_for, serial, or_say="the task")
        stage.enforcement.finish(task["taskId"], BROKEN_PROMISE)
        return str(task["taskId"])

    async def records(running: RunningHub, count: int) -> list[tuple[str, str]] | None:
        """Return state and policy of all breach records, once there are so many."""
        found = [each for each in (await lists(running))["obligations"] if each["key"].startswith("breach-record:")]
        return [(each["state"], each["policyVersion"]) for each in found] if len(found) == count else None

    stage.credit.faults = stage.credit.faults.changed({"outage": True})
    async with stage.hub() as running:
        before = running.hub.policy.version
        first = await broken()
        assert await eventually(records, running, 1, or_say="the record owed") in ([("DUE", before)], [("LEASED", before)])
    dearer = policy_folder(tmp_path / "policy", "points.toml", "commitment_breach = 6 ", "commitment_breach = 8 ")
    async with stage.hub(POLICY_DIR=dearer) as running:
        now = running.hub.policy.version
        assert now != before
        await running.hub.sweep.everything()
        stage.credit.faults = stage.credit.faults.changed({"outage": False})
        second = await broken()
        (old,) = await eventually(stage.records_for, first, within=40, or_say="the record of the first")
        (new,) = await eventually(stage.records_for, second, within=40, or_say="the record of the second")
        assert (old["points"], new["points"]) == ("6.0", "8.0")

        async def closed() -> bool:
            return sorted(await records(running, 2) or []) == sorted([("CLOSED", before), ("CLOSED", now)])

        await eventually(closed, or_say="both records closed, each under the policy that made it")
        assert [item for item in (await lists(running))["opsItems"] if item["kind"].endswith("after-sent")] == []


# --- Codes -----------------------------------------------------------------------------------------------------------


async def test_a_code_with_a_wrong_check_digit_is_quarantined_and_released_by_a_good_version(stage: Stage) -> None:
    stage.faults(callbacks_off=True)
    serial = stage.approval.grant(make_subject(random.Random(7), "1"), procedure="1")
    record = stage.approval.record(serial)
    code = record["TYSHXYDM"]
    wrong = code[:-1] + next(digit for digit in "0123" if digit != code[-1])
    async with stage.hub(POLL="false") as running:

        async def post(number: str, code: str) -> None:
            data = {**record, "TYSHXYDM": code}
            body = msgspec.json.encode({"msgId": number, "ywlx": "BJ", "sj": record["BBH"], "data": data})
            webhook = signed(stage, "approval", body, nonce=f"nonce-{number}")
            answer = await running.client.post(webhook.path, headers=webhook.headers, content=webhook.body)
            assert answer.is_success, answer.text

        async def quarantined(released: bool) -> Lists | None:
            found = await lists(running)
            bad = [each for each in found["quarantinedRecords"] if (each["releasedAt"] is not None) is released]
            return found if bad else None

        await post("000001", wrong)
        found = await eventually(quarantined, False, or_say="the bad code in the quarantine")
        (bad,) = found["quarantinedRecords"]
        assert (bad["platform"], bad["recordKey"], bad["reason"]) == ("approval", serial, "BAD_CHECK_DIGIT")
        assert (found["approvals"], found["obligations"]) == ([], [])
        await post("000002", code)
        found = await eventually(quarantined, True, or_say="its release")
        assert [each["approvalNo"] for each in found["approvals"]] == [serial]
        (task,) = await eventually(stage.tasks_for, serial, or_say="the task")
        assert [subject["code"] for subject in stage.enforcement.tasks.subjects(task["taskId"])] == [code]
