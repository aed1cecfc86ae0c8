"""What follows a check, end to end: orders and rechecks, help that a department asks of a town, revocations, drawn inspections."""

from datetime import datetime, timedelta
from typing import Any

from mocks.enforcement_campaigns import drawn_campaign
from mocks.enforcement_orders import CampaignOrder, Pool
from mocks.store import Document
from tests.e2e.city_life import all_closed
from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

FIRM = {"subjectCode": "91330782MA28D5K77N", "subjectName": "义乌市天䶮贸易有限公司"}
OPS_ITEMS = "{ opsItems { edges { node { kind cause } } } }"


def tomorrow(stage: Stage) -> str:
    return (stage.clock() + timedelta(days=1)).isoformat(timespec="seconds")


def unfit(stage: Stage, item: str, *, ordered: bool = True) -> dict[str, Any]:
    """One result: this item does not conform at the firm, and is to be mended by tomorrow."""
    result: dict[str, Any] = {**FIRM, "findings": [{"itemCode": item, "points": "1.0"}]}
    return result | ({"rectification": {"deadline": tomorrow(stage)}} if ordered else {})


async def task_for(stage: Stage, ref: str, kind: str) -> Document:
    """Return the one task that a number caused, once it is there."""
    (task,) = await eventually(stage.tasks_for, ref, or_say=f"a task for {ref}")
    assert task["type"] == kind
    return task


def order_of(task: Document) -> str:
    return str(task["results"][0]["rectification"]["orderNo"])


async def ops_items(running: RunningHub) -> list[str]:
    found = await running.ask(OPS_ITEMS)
    return [edge["node"]["kind"] for edge in found["opsItems"]["edges"]]


async def test_an_order_to_mend_is_rechecked_and_what_is_unmended_goes_to_the_case_unit(stage: Stage) -> None:
    async with stage.hub() as running:
        weeds = stage.grid.report(category="JT-03", title="杂草遮挡视线", town="赤岸镇", level=1, send=True)["no"]
        station = await task_for(stage, weeds, "GRID")
        await eventually(lambda: stage.grid.event(weeds)["status"] == "30", or_say="the event accepted")
        mended = order_of(stage.enforcement.finish(station["taskId"], [unfit(stage, "JT-001")]))
        again = await task_for(stage, mended, "RECHECK")
        assert (again["department"], again["urgency"], again["origin"]["platform"]) == ("JT", 1, "enforcement")
        assert datetime.fromisoformat(again["dueAt"]).date() > datetime.fromisoformat(tomorrow(stage)).date()
        stage.enforcement.finish(again["taskId"])

        serial = stage.approval.grant(procedure="2")
        check = await task_for(stage, serial, "APPROVAL")
        unmended = order_of(stage.enforcement.finish(check["taskId"], [unfit(stage, "WH-002")]))
        again = await task_for(stage, unmended, "RECHECK")
        stage.enforcement.finish(again["taskId"], [unfit(stage, "WH-002", ordered=False)])
        referral = await task_for(stage, again["taskId"], "SPECIAL")
        assert referral["department"] == running.hub.policy.case_unit(check["department"])
        stage.enforcement.finish(referral["taskId"], [{**FIRM, "caseNo": "AJ-1"}])

        # event: task, acceptance, answer; check: task and write-back; two rechecks, a referral, two records of a point each
        await all_closed(running, 10)
        assert stage.grid.event(weeds)["status"] == "40"
        assert len(stage.enforcement.store.all("task")) == 5
        assert len(stage.credit.store.all("record")) == 2
        assert stage.twins() == {}
        assert set(await ops_items(running)) <= {"no-telephone"}  # nobody knows how to reach the firm that was in the way


async def test_help_that_a_department_asks_of_a_town_comes_back_and_the_latest_counts(stage: Stage) -> None:
    async with stage.hub() as running:
        issued = stage.enforcement.issue_coordination(
            department="ZFJ", town="佛堂镇", category="JT-03", content="请协助核实䶮记店前占道", due_at=tomorrow(stage)
        )["coordinationId"]
        (asked,) = await eventually(lambda: list(stage.grid.store.all("coordination").values()), or_say="it reaches the town")
        assert (asked["deptCode"], asked["town"], asked["content"]) == ("ZFJ", "佛堂镇", "请协助核实䶮记店前占道")
        stage.grid.accept_coordination(asked["no"])
        stage.grid.handle_coordination(asked["no"], opinion="已劝离")
        await eventually(_told, stage, issued, "已劝离", or_say="the department is told")
        await all_closed(running, 2)
        coordination = stage.enforcement.store.get("coordination", issued)
        assert coordination is not None
        assert coordination["status"] == "HANDLED"
        stage.grid.correct_coordination(asked["no"], opinion="复查后仍有占道")
        await eventually(_told, stage, issued, "复查后仍有占道", or_say="the other opinion is told")
        await all_closed(running, 3)
        assert len(stage.grid.store.all("coordination")) == 1
        assert await ops_items(running) == []


def _told(stage: Stage, coordination_id: str, opinion: str) -> bool:
    feedback = stage.enforcement.store.get("coordination feedback", coordination_id)
    return feedback is not None and (feedback["result"], feedback["opinion"]) == ("handled", opinion)


async def test_a_revoked_approval_cancels_its_check_and_one_that_has_begun_is_for_people(stage: Stage) -> None:
    async with stage.hub() as running:
        early, late = stage.approval.grant(), stage.approval.grant()
        first, second = [(await eventually(stage.tasks_for, serial))[0]["taskId"] for serial in (early, late)]
        for step in (stage.enforcement.dispatch, stage.enforcement.accept):
            step(second)
        stage.approval.revoke(early)
        stage.approval.revoke(late)
        await eventually(lambda: stage.enforcement.tasks.current(first)["status"] == "CANCELLED", or_say="the check cancelled")

        async def told() -> bool:
            return await ops_items(running) == ["approval-revoked.not-cancelled"]

        await eventually(told, or_say="ops told of the one that has begun, and of nothing else")
        await all_closed(running, 3)
        assert stage.enforcement.tasks.current(second)["status"] == "ACCEPTED"
        assert len(stage.enforcement.store.all("task")) == 2


REQUEST = """mutation($input: RequestCampaignInput!) { requestCampaign(input: $input) {
    campaignRequest { requestNo } obligation { key state lastError } userErrors { __typename message } } }"""
DRAW = """query($no: String!) { campaignRequest(requestNo: $no) { obligations { edges { node { state } } } campaign {
    campaignId seed industry drawnSubjects tasks { edges { node { status ledByHead officers { name } } } } } } }"""


def pool(stage: Stage, *codes: str) -> None:
    stage.enforcement.add_pool(
        [
            {"code": code, "name": f"锅炉厂{at}", "address": "佛堂镇", "industry": "锅炉", "town": "佛堂镇", "grade": "C"}
            for at, code in enumerate(codes)
        ]
    )


def campaign_input(stage: Stage, **fields: Any) -> dict[str, Any]:
    plain = {"requestNo": "SSJ-1", "title": "锅炉双随机", "departments": ["HB", "ZJ"], "industry": "锅炉", "subjects": 2}
    return {**plain, "officersPerTask": 2, "dueAt": tomorrow(stage), **fields}


async def test_a_campaign_that_is_asked_for_twice_and_times_out_after_the_work_is_drawn_once(stage: Stage) -> None:
    pool(stage, "91330782MA2E4K7B4C", "92330782MA28D19X9T", "91330782MA28D5K77N")
    stage.enforcement.faults = stage.enforcement.faults.changed({"timeout_after_work": 1.0, "hang_seconds": 10.0})
    async with stage.hub(ENFORCEMENT_DEADLINE_SECONDS="0.5") as running:
        wanted = campaign_input(stage)
        for _ in range(2):
            answer = (await running.ask(REQUEST, input=wanted))["requestCampaign"]
            assert (answer["campaignRequest"], answer["userErrors"]) == ({"requestNo": "SSJ-1"}, [])
            assert answer["obligation"]["key"] == "campaign:SSJ-1"
        await eventually(lambda: stage.enforcement.counters["faults.timeout_after_work"], or_say="a draw without an answer")
        await all_closed(running, 1)

        async def drawn() -> dict[str, Any] | None:
            found = (await running.ask(DRAW, no="SSJ-1"))["campaignRequest"]["campaign"]
            return found if len(found["tasks"]["edges"]) == 2 else None

        (made,) = stage.enforcement.store.all("campaign").values()
        seen = await eventually(drawn, or_say="the draw in the graph")
        assert (seen["campaignId"], seen["seed"], seen["drawnSubjects"]) == (
            made["campaignId"],
            made["seed"],
            made["drawnSubjects"],
        )
        assert [len(edge["node"]["officers"]) for edge in seen["tasks"]["edges"]] == [2, 2]
        assert len(stage.enforcement.store.all("task")) == 2
        other = (await running.ask(REQUEST, input=campaign_input(stage, subjects=3)))["requestCampaign"]
        assert [error["__typename"] for error in other["userErrors"]] == ["RequestConflict"]
        assert len(stage.enforcement.store.all("campaign")) == 1


async def test_a_pool_that_is_too_small_is_stuck_with_a_way_out_and_drawn_by_a_retry_when_it_has_grown(stage: Stage) -> None:
    pool(stage, "91330782MA2E4K7B4C")
    async with stage.hub() as running:
        wanted = campaign_input(stage)

        async def stuck() -> str | None:
            obligation = (await running.ask(REQUEST, input=wanted))["requestCampaign"]["obligation"]
            return str(obligation["lastError"]) if obligation["state"] == "STUCK" else None

        said = await eventually(stuck, or_say="stuck")
        assert "retry when the pool has grown" in said
        pool(stage, "91330782MA2E4K7B4C", "92330782MA28D19X9T")
        await running.ask('mutation { retryObligations(input: {keys: ["campaign:SSJ-1"]}) { userErrors { message } } }')
        await all_closed(running, 1)
        assert len(stage.enforcement.store.all("campaign")) == 1


async def test_a_campaign_of_the_platforms_own_people_is_in_the_graph(stage: Stage) -> None:
    pool(stage, "91330782MA2E4K7B4C", "92330782MA28D19X9T")
    async with stage.hub() as running:
        order = CampaignOrder(
            external_no="SZXT-7",
            title="印刷业双随机",
            departments=["WH"],
            pool=Pool(industry="锅炉"),
            subjects=2,
            officers_per_task=1,
            due_at=stage.clock() + timedelta(days=5),
        )
        own = drawn_campaign(stage.enforcement, order)

        async def shown() -> dict[str, Any] | None:
            query = "query($id: String!) { campaign(campaignId: $id) { seed industry request { requestNo } tasks { totalCount } } }"
            found: dict[str, Any] | None = (await running.ask(query, id=own["campaignId"]))["campaign"]
            return found if found and found["tasks"]["totalCount"] == 2 else None

        seen = await eventually(shown, or_say="the campaign in the graph")
        assert (seen["seed"], seen["industry"], seen["request"]) == (own["seed"], "锅炉", None)
