"""Campaigns, key subjects, coordinations and published lists of the mock enforcement platform."""

import random
from collections.abc import AsyncIterator

import pytest

from tests.unit.mocks.city_clock import CityClock
from tests.unit.mocks.enforcement_caller import SHOP, EnforcementCaller, Slowest

RID = "RID-" + "0a" * 32
CAMPAIGN: dict[str, object] = {
    "externalNo": "CP0001",
    "title": "锅炉双随机",
    "departments": ["HB", "ZJ"],
    "pool": {"industry": "boiler", "town": "佛堂镇", "grades": ["C", "D"]},
    "subjects": 3,
    "officersPerTask": 2,
    "dueAt": "2019-08-29T18:00:00+08:00",
}


def pool(count: int) -> list[dict[str, object]]:
    return [
        {
            "code": f"91330782MA28D0B{number:03d}",
            "name": f"企业{number}",
            "industry": "boiler",
            "town": "佛堂镇",
            "grade": "C",
        }
        for number in range(count)
    ]


@pytest.fixture
async def call() -> AsyncIterator[EnforcementCaller]:
    caller = EnforcementCaller(CityClock())
    yield caller
    await caller.close()


async def test_a_campaign_draws_subjects_and_officers_and_makes_a_task_for_each(call: EnforcementCaller) -> None:
    call.platform.add_pool(pool(8))
    call.platform.add_pool([{**pool(1)[0], "code": "91330782MA28D0B900", "grade": "A"}])
    answer = await call("POST", "campaigns", CAMPAIGN)
    assert answer.status_code == 201
    made = answer.json()
    assert set(made) == {"campaignId", "seed", "drawnSubjects", "tasks"}
    assert len(set(made["drawnSubjects"])) == 3
    assert "91330782MA28D0B900" not in made["drawnSubjects"]
    tasks = [(await call("GET", f"tasks/{task_id}")).json() for task_id in made["tasks"]]
    for task in tasks:
        assert (task["externalNo"], task["origin"], task["campaignId"]) == (None, None, made["campaignId"])
        assert (task["department"], task["participants"]) == ("HB", ["HB", "ZJ"])
        assert sorted(officer["department"] for officer in task["officers"]) == ["HB", "ZJ"]
    order = sorted(str(subject["code"]) for subject in pool(8))
    assert random.Random(made["seed"]).sample(order, 3) == made["drawnSubjects"]


async def test_a_pool_that_is_too_small_is_422(call: EnforcementCaller) -> None:
    call.platform.add_pool(pool(2))
    call.platform.add_pool([{**pool(1)[0], "code": "91330782MA28D0B900", "town": "苏溪镇"}])
    answer = await call("POST", "campaigns", CAMPAIGN)
    assert answer.status_code == 422
    assert not call.platform.store.all("campaign")
    assert not call.platform.store.all("task")


async def test_a_campaign_is_not_idempotent_and_visible_at_once_while_its_tasks_are_not() -> None:
    call = EnforcementCaller(CityClock(), rng=Slowest(7), visible_after=3.0)
    call.platform.add_pool(pool(5))
    first, second = [(await call("POST", "campaigns", CAMPAIGN)).json() for _ in range(2)]
    found = (await call("GET", "campaigns", query={"externalNo": "CP0001"})).json()
    assert [one["campaignId"] for one in found["items"]] == [first["campaignId"], second["campaignId"]]
    assert (await call("GET", f"campaigns/{first['campaignId']}")).json()["tasks"] == first["tasks"]
    assert (await call("GET", f"tasks/{first['tasks'][0]}")).status_code == 404
    call.clock.advance(3)
    assert (await call("GET", f"tasks/{first['tasks'][0]}")).status_code == 200
    await call.close()


@pytest.mark.parametrize("code", [SHOP, RID])
async def test_a_key_subject_has_one_entry_that_a_later_put_replaces(call: EnforcementCaller, code: str) -> None:
    entry = {"reason": "未履行承诺", "since": "2019-08-15", "ref": "AV0001"}
    first = await call("PUT", f"key-subjects/{code}", entry)
    again = await call("PUT", f"key-subjects/{code}", entry)
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json() == again.json() == {"code": code, **entry, "version": 1}
    replaced = await call("PUT", f"key-subjects/{code}", {**entry, "reason": "未履行承诺；扣满12分"})
    assert (replaced.status_code, replaced.json()["version"]) == (200, 2)
    assert (await call("GET", "key-subjects")).json() == {"items": [replaced.json()], "nextCursor": None}


async def test_taking_a_key_subject_off_twice_is_a_harmless_404_and_versions_go_on(call: EnforcementCaller) -> None:
    entry = {"reason": "未履行承诺", "since": "2019-08-15", "ref": "AV0001"}
    await call("PUT", f"key-subjects/{SHOP}", entry)
    deleted = await call("DELETE", f"key-subjects/{SHOP}")
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert (await call("DELETE", f"key-subjects/{SHOP}")).status_code == 404
    assert (await call("PUT", f"key-subjects/{SHOP}", entry)).json()["version"] == 2
    assert (await call("PUT", f"key-subjects/{SHOP}", {**entry, "since": "2019-08-15T00:00:00+08:00"})).status_code == 400
    assert (await call("PUT", "key-subjects/330782600123456", entry)).status_code == 400


async def test_key_subjects_come_in_pages_whose_cursor_needs_nothing_else(call: EnforcementCaller) -> None:
    codes = [f"91330782MA28D0B{number:03d}" for number in range(105)]
    for code in codes:
        await call("PUT", f"key-subjects/{code}", {"reason": "r", "since": "2019-08-15", "ref": "x"})
    first = (await call("GET", "key-subjects")).json()
    second = (await call("GET", "key-subjects", query={"cursor": first["nextCursor"]})).json()
    assert [one["code"] for one in [*first["items"], *second["items"]]] == codes
    assert second["nextCursor"] is None


async def test_feedback_on_a_coordination_can_be_repeated_and_the_latest_counts(call: EnforcementCaller) -> None:
    made = call.platform.issue_coordination(
        department="JT", town="佛堂镇", category="JT-03", content="杂草遮挡视线", due_at="2019-08-16T18:00:00+08:00"
    )
    path = f"coordinations/{made['coordinationId']}/feedback"
    feedback = {"gridNo": "XT1", "result": "handled", "opinion": "已清理", "handledAt": "2019-08-15T17:00:00+08:00"}
    call.clock.advance(60)
    assert (await call("POST", path, feedback)).json()["version"] == 2
    assert (await call("POST", path, feedback)).json()["version"] == 2
    assert (await call("POST", path, {**feedback, "result": "refused"})).json()["version"] == 3
    listed = (await call("GET", "coordinations", query={"updatedAfter": made["updatedAt"]})).json()["items"]
    assert [(one["status"], one["version"], one["town"]) for one in listed] == [("HANDLED", 3, "佛堂镇")]
    kept = call.platform.store.get("coordination feedback", made["coordinationId"])
    assert kept is not None
    assert kept["result"] == "refused"
    assert (await call("POST", path, {**feedback, "result": "done"})).status_code == 400
    assert (await call("POST", "coordinations/XG9/feedback", feedback)).status_code == 404


@pytest.mark.parametrize(("path", "count"), [("departments", 27), ("items", 32)])
async def test_lists_have_an_etag_that_changes_with_them(call: EnforcementCaller, path: str, count: int) -> None:
    first = await call("GET", path)
    assert len(first.json()["items"]) == count
    assert (await call("GET", path, changes={"If-None-Match": first.headers["etag"]})).status_code == 304
    call.platform.set_items([{"itemCode": "X-1", "itemName": "新", "points": None, "severity": None}])
    later = await call("GET", path, changes={"If-None-Match": first.headers["etag"]})
    assert later.status_code == (200 if path == "items" else 304)
