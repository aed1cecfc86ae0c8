"""What front ends ask for through the graph, and the draw that comes of it."""

from datetime import UTC, datetime
from typing import Any

from schema.entities import Campaign, CampaignRequest, Obligation, ObligationState, Officer, VerificationTask
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import made

ASK = """mutation($input: RequestCampaignInput!) { requestCampaign(input: $input) {
    campaignRequest { requestNo title } obligation { key state } userErrors { __typename message path } } }"""
INPUT: dict[str, Any] = {
    "requestNo": "R1",
    "title": "锅炉",
    "departments": ["HB"],
    "subjects": 10,
    "officersPerTask": 2,
    "dueAt": "2019-10-01T18:00:00+08:00",
}


async def test_a_request_reaches_the_engine_and_shows_what_became_of_it(city: City) -> None:
    await city.put(
        made(CampaignRequest, request_no="R1", title="锅炉"), made(Obligation, key="campaign:R1", state=ObligationState.DUE)
    )
    assert await city.data(ASK, {"input": INPUT}) == {
        "requestCampaign": {
            "campaignRequest": {"requestNo": "R1", "title": "锅炉"},
            "obligation": {"key": "campaign:R1", "state": "DUE"},
            "userErrors": [],
        }
    }
    ((name, _, wanted, by),) = city.hub.calls
    assert (name, by, wanted.departments, wanted.grades) == ("request_campaign", "console", ["HB"], [])
    assert wanted.due_at == datetime(2019, 10, 1, 10, tzinfo=UTC)


async def test_what_is_refused_is_told_by_type_and_shows_nothing(city: City) -> None:
    found = await city.data(ASK, {"input": INPUT | {"requestNo": "no-1"}})
    assert found["requestCampaign"]["campaignRequest"] is None
    assert [error["__typename"] for error in found["requestCampaign"]["userErrors"]] == ["UnknownObligation"]


async def test_asking_needs_the_right_to_act(city: City) -> None:
    code, _ = await city.error(ASK, {"input": INPUT}, scopes=READER)
    assert (code, city.hub.calls) == ("FORBIDDEN", [])


async def test_a_draw_is_shown_from_its_request_to_its_officers_and_back(city: City) -> None:
    officer = Officer(id="1", name="楼某", department="HB", is_head=True)
    await city.put(
        made(CampaignRequest, request_no="R1", external_no="CA1", grades=("C",), subjects=2),
        made(Campaign, campaign_id="SJ1", external_no="CA1", seed="a3f9", industry="锅炉", drawn_subjects=("S1", "S2")),
        made(VerificationTask, task_id="T1", campaign_id="SJ1", officers=(officer,), led_by_head=True),
        made(VerificationTask, task_id="T2", campaign_id="SJ1"),
    )
    found = await city.data(
        """{ campaignRequest(requestNo: "R1") { subjects grades campaign { seed industry town grades drawnSubjects
             tasks { totalCount edges { node { taskId ledByHead officers { name isHead } campaign { campaignId } } } }
             request { requestNo } } } }"""
    )
    campaign = found["campaignRequest"]["campaign"]
    assert (campaign["seed"], campaign["industry"], campaign["drawnSubjects"]) == ("a3f9", "锅炉", ["S1", "S2"])
    assert campaign["tasks"]["totalCount"] == 2
    first = campaign["tasks"]["edges"][0]["node"]
    assert first == {
        "taskId": "T1",
        "ledByHead": True,
        "officers": [{"name": "楼某", "isHead": True}],
        "campaign": {"campaignId": "SJ1"},
    }
    assert campaign["request"] == {"requestNo": "R1"}
