"""With all four platforms switched off the mirror answers, and a hub starts all the same."""

from typing import Any

from tests.e2e.city_life import all_closed, begin, obligations_of, officers_work
from tests.e2e.eventually import eventually
from tests.e2e.stage import Stage

FOUR_PLATFORMS = """
query FourPlatforms($no: String!, $event: String!) {
  approval(approvalNo: $no) {
    approvalNo state representativeIdentityNo phone
    freshness { source stale observedAt version }
    subject { name profile { score grade freshness { source stale } } }
    tasks { edges { node {
      status freshness { source stale }
      results { edges { node { conclusion } } }
      findings { edges { node { itemCode points } } }
      creditRecords { edges { node { category points freshness { source stale } } } }
    } } }
    obligations { edges { node { rule state } } }
  }
  gridEvent(eventNo: $event) { status freshness { source stale } tasks { edges { node { status } } } }
  platforms { name lastSuccess backlog stuck }
}
"""


async def test_a_query_over_four_platforms_answers_in_full_with_all_four_switched_off(stage: Stage) -> None:
    async with stage.hub() as running:
        morning = begin(stage)
        await officers_work(stage, morning)
        await all_closed(running, obligations_of(morning))
    await stage.shut_platforms()
    asked = {"no": morning.granted[2].serial, "event": morning.tips[0].number}
    async with stage.hub(STALE_SECONDS="5") as running:
        assert (await running.client.get("/readyz")).json() == {"status": "ready", "platforms": {}}

        async def stale_answer() -> dict[str, Any] | None:
            told = await running.ask(FOUR_PLATFORMS, **asked)
            shown = (told["approval"], told["approval"]["subject"]["profile"], told["gridEvent"])
            return told if all(each["freshness"]["stale"] for each in shown) else None

        answer = await eventually(stale_answer, or_say="an answer marked stale")
        approval = answer["approval"]
        (task,) = (edge["node"] for edge in approval["tasks"]["edges"])
        assert approval["freshness"]["source"] == "approval"
        assert approval["subject"]["profile"]["freshness"] == {"source": "credit", "stale": True}
        assert [edge["node"]["conclusion"] for edge in task["results"]["edges"]] == ["NONCONFORM"]
        assert sorted(edge["node"]["points"] for edge in task["findings"]["edges"]) == ["1.5", "2.0"]
        assert sorted(edge["node"]["points"] for edge in task["creditRecords"]["edges"]) == ["1.5", "2.0"]
        assert {edge["node"]["state"] for edge in approval["obligations"]["edges"]} == {"CLOSED"}
        event = answer["gridEvent"]
        assert (event["status"], event["freshness"]) == ("HANDLED", {"source": "grid", "stale": True})
        assert [platform["name"] for platform in answer["platforms"]] == list(running.hub.connectors)
        assert (await running.client.get("/livez")).status_code == 200


async def test_platforms_that_hang_hold_nobody_up(stage: Stage) -> None:
    stage.faults(latency_seconds=600.0)
    async with stage.hub() as running:
        answer = await running.ask("{ approvals(first: 200) { totalCount } gridEvents { totalCount } platforms { name } }")
        assert answer["approvals"] == {"totalCount": 0}
        assert [platform["name"] for platform in answer["platforms"]] == list(running.hub.connectors)
