"""The self-governance system beside the others: its rows reach the graph without a call over HTTP, late, locked or away."""

from typing import Any

from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

REPORTS = """
query Reports { selfReports(first: 100, orderBy: REPORT_NO_ASC) { edges { node {
  reportNo way state mark points repairsBizNo freshness { source stale }
} } } }
"""


async def reports(running: RunningHub) -> dict[str, dict[str, Any]]:
    told = await running.ask(REPORTS)
    return {edge["node"]["reportNo"]: edge["node"] for edge in told["selfReports"]["edges"]}


async def test_what_subjects_do_reaches_the_graph_also_late_and_changed(stage: Stage) -> None:
    async with stage.hub(SELFGOV_POLL_SECONDS="1") as running:
        study = stage.selfgov.study(repairs="BR1", points=2.5, late=0)
        exam = stage.selfgov.exam(late=50)

        async def both() -> dict[str, dict[str, Any]] | None:
            found = await reports(running)
            return found if {str(study), str(exam)} <= found.keys() else None

        found = await eventually(both, or_say="both results")
        assert found[str(study)] == {
            "reportNo": str(study),
            "way": "STUDY",
            "state": "WAITING",
            "mark": "NEW",
            "points": "2.5",
            "repairsBizNo": "BR1",
            "freshness": {"source": "selfgov", "stale": False},
        }
        stage.selfgov.approve(study, late=0)

        async def approved() -> bool:
            return bool((await reports(running))[str(study)]["state"] == "APPROVED")

        await eventually(approved, or_say="the approval")


async def test_a_database_that_is_away_is_told_of_and_holds_nobody_else(stage: Stage) -> None:
    bring_back = stage.selfgov.exchange.put_away()
    async with stage.hub(SELFGOV_POLL_SECONDS="1", SELFGOV_BREAKER_COOL_DOWN_SECONDS="5") as running:
        serial = stage.approval.grant()

        async def verified() -> bool:
            return bool(stage.tasks_for(serial))

        await eventually(verified, or_say="the task of an approval")

        async def failure() -> str | None:
            asked = await running.ask("{ platforms { name lastSuccess streams { stream failure } } }")
            (selfgov,) = (each for each in asked["platforms"] if each["name"] == "selfgov")
            assert selfgov["lastSuccess"] is None
            return next((each["failure"] for each in selfgov["streams"] if each["stream"] == "results"), None)

        told = await eventually(failure, or_say="why it is not read")
        assert "HUB_SELFGOV_URL" in told or "PLATFORM_DOWN" in told
        bring_back()
        number = stage.selfgov.self_check(late=0)

        async def arrived() -> bool:
            return str(number) in await reports(running)

        await eventually(arrived, or_say="a result after it came back")


async def test_whatever_is_posted_in_its_name_is_refused(stage: Stage) -> None:
    async with stage.hub() as running:
        answer = await running.client.post("/webhooks/selfgov", json={"zz_result": []})
        assert (answer.status_code, answer.json()["code"]) == (401, "NO_WEBHOOKS")
