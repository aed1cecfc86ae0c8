"""The city that lives on the mock platforms, with a faultless hub made of direct calls."""

import asyncio

import httpx
import pytest

from mocks.city import City
from mocks.city_control import CityHall, CityOrder
from mocks.store import Document
from tests.unit.mocks.small_city import SmallCity, completed, living, until


async def test_a_city_makes_what_it_planned_and_is_finished_when_every_task_is_handled() -> None:
    async with living(SmallCity(approvals=40)) as small:
        await completed(small)
        progress = small.city.progress()
        assert (progress["approvals_granted"], progress["approvals"]) == (40, 45)
        assert progress["tasks"] == progress["tasks_done"]
        assert progress["tasks_of_approvals"] == 40
        assert progress["events_sent"] == progress["events_answered"] == 8
        assert progress["records"] == progress["breaches_expected"] != 0


async def test_it_is_not_finished_while_officers_are_on_their_way() -> None:
    async with living(SmallCity(approvals=5)) as small:
        await until(lambda: bool(small.city.progress()["finished"]))
        small.make_tasks()
        assert not small.city.progress()["finished"]
        await until(lambda: bool(small.city.progress()["finished"]))


async def test_the_choices_hang_on_the_seed_alone() -> None:
    findings = []
    for _ in range(2):
        async with living(SmallCity(approvals=30, seed=9)) as small:
            await completed(small)
            findings.append(
                sorted(
                    (task["origin"]["ref"], result["conclusion"], len(result["findings"]), result["remarks"])
                    for task in small.tasks()
                    if task["origin"]["platform"] == "approval"
                    for result in task["results"]
                )
            )
    assert findings[0] == findings[1]
    assert len({conclusion for _, conclusion, _, _ in findings[0]}) > 1


async def test_revoked_ones_were_never_granted() -> None:
    async with living(SmallCity(approvals=100)) as small:
        await until(lambda: bool(small.city.progress()["finished"]))
        revoked = [record for record in small.platforms.approval.store.all("record").values() if record["ZT"] == "03"]
        assert len(revoked) == 2
        assert all(not record.get("SPJG") for record in revoked)


async def test_loaded_breaches_are_inspections_of_the_platforms_own_with_one_finding_each() -> None:
    async with living(SmallCity(approvals=0, breaches=20)) as small:
        await until(lambda: bool(small.city.progress()["finished"]))
        assert len(small.tasks()) == 20
        for task in small.tasks():
            assert (task["externalNo"], task["origin"], task["type"], task["status"]) == (None, None, "RANDOM", "DONE")
            [result] = task["results"]
            assert [finding["conform"] for finding in result["findings"]] == [False]
            assert small.platforms.credit.register.get("subject", result["subjectCode"]) is not None
        assert small.city.progress()["breaches_expected"] == 20


async def test_a_returned_event_is_sent_once_more_and_then_found() -> None:
    small = SmallCity(approvals=200)
    [first, *_] = [n for n in range(40) if small.city.plan.errand(n, 1, "JT").outcome == "unreachable"]
    async with living(small):
        await completed(small)
        kept = small.platforms.grid.store.get("city incident", str(first))
        assert kept is not None
        assert kept["again"]
        tasks = [task for task in small.tasks() if task["origin"]["ref"] == kept["no"]]
        assert len(tasks) == 2
        found_nobody = [any(result["conclusion"] == "UNREACHABLE" for result in task["results"]) for task in tasks]
        assert found_nobody == [True, False]
        assert small.platforms.grid.event(kept["no"])["status"] in {"40", "50", "70"}


async def test_corrections_come_as_higher_versions_that_take_nothing_back() -> None:
    async with living(SmallCity(approvals=200)) as small:
        before: dict[str, Document] = {}

        def remember() -> None:
            for task in small.tasks():
                if task["status"] == "DONE":
                    before.setdefault(task["taskId"], task)

        def idle() -> bool:
            owed = small.answer_everything()
            remember()
            return not owed and bool(small.city.progress()["finished"])

        await until(idle)
        pairs = [(before.get(task["taskId"]), task) for task in small.tasks()]
        corrected = [(old, new) for old, new in pairs if old is not None and old != new]
        assert corrected
        for old, new in corrected:
            assert new["version"] > old["version"]
            was, is_now = old["results"][0]["findings"], new["results"][0]["findings"]
            assert is_now[: len(was)] == was


async def test_a_recheck_is_done_and_a_referral_becomes_a_case() -> None:
    small = SmallCity(approvals=150, seed=3)
    async with living(small):
        await completed(small)
        orders = [
            result["rectification"]["orderNo"] for task in small.tasks() for result in task["results"] if result["rectification"]
        ]
        unmended = next(order for order in orders if small.city.plan.recheck(order).outcome == "unmended")
        small.make_task("RECHECK", "enforcement", unmended, "SCJG", None, "店")
        small.make_task("SPECIAL", "enforcement", "RW1", "SCJG", None, "店")
        await until(lambda: bool(small.city.progress()["finished"]))
        recheck, referral = small.tasks()[-2:]
        original = next(
            result
            for task in small.tasks()
            for result in task["results"]
            if (result["rectification"] or {}).get("orderNo") == unmended
        )
        found = [finding["itemCode"] for finding in recheck["results"][0]["findings"]]
        assert found[0] in [finding["itemCode"] for finding in original["findings"]]
        assert referral["results"][0]["caseNo"]


async def test_a_city_goes_on_where_it_stopped() -> None:
    small = SmallCity(approvals=30)
    running = asyncio.create_task(small.city.run())
    await until(lambda: int(str(small.city.progress()["approvals"])) > 5)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    small.city = City(small.platforms, seed=5, approvals=30, sleep=small.clock.sleep)
    async with living(small):
        await completed(small)
        progress = small.city.progress()
        assert (progress["approvals_granted"], progress["events"], progress["tasks"]) == (30, 6, progress["tasks_done"])


async def test_another_process_starts_the_city_once_and_watches_it() -> None:
    small = SmallCity(approvals=3)
    orders: list[CityOrder] = []

    def build(order: CityOrder) -> City:
        orders.append(order)
        return small.city

    hall = CityHall(build, CityOrder(approvals=3, seed=1))
    approval = small.platforms.approval
    approval.app.router.routes[:0] = hall.routes()
    approval.faults = approval.faults.changed({"outage": True})  # the city is no call of the platform
    async with httpx.AsyncClient(transport=httpx.ASGITransport(approval.app), base_url="http://approval") as client:
        assert (await client.get("/_city/progress")).json() == {"started": False, "finished": False}
        assert (await client.post("/_city/start", json={"approvals": "many"})).status_code == 400
        assert (await client.post("/_city/start", json={"seed": 2})).json()["started"]
        assert (await client.post("/_city/start")).status_code == 200
        await until(lambda: bool(hall.progress()["finished"]))
        assert (await client.get("/_city/progress")).json()["approvals_granted"] == 3
    assert orders == [CityOrder(approvals=3, seed=2)]
    await hall.close()
    await small.stop()


async def test_a_city_that_breaks_down_says_so() -> None:
    small = SmallCity(approvals=3)
    hall = CityHall(lambda _order: small.city, CityOrder())
    small.platforms.approval.store.put("record", small.city.serial(small.city.plan.applications[0]), {"GXSJ": "", "SLSJ": ""})
    hall.start()
    await until(lambda: "error" in hall.progress())
    assert not hall.progress()["finished"]
    with pytest.raises(ExceptionGroup):
        await hall.close()
    await small.stop()
