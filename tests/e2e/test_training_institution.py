"""Case 7 of the city: a training institution with five problems, 33 points, and all that follows from them, each once."""

import random
from collections import Counter

from mocks.people import Subject, make_identity_number, make_uscc
from tests.e2e.city_life import all_closed
from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

RNG = random.Random(7)
SCHOOL = Subject(
    "1",
    "义乌市某教育培训学校",
    uscc=make_uscc(RNG),
    representative="楼𬭎",
    representative_number=make_identity_number(RNG),
    telephone="13905790456",
    address="义乌市北苑街道",
)
POINTS = {"JY-001": "12.0", "JY-002": "12.0", "JY-003": "6.0", "JY-004": "2.0", "JY-005": "1.0"}  # 33


async def test_five_findings_of_33_points_lead_to_two_deductions_one_person_and_one_entry_each_once(stage: Stage) -> None:
    async with stage.hub() as running:
        serial = stage.approval.grant(SCHOOL, procedure="2")
        (task,) = await eventually(stage.tasks_for, serial, within=30)
        findings = [{"itemCode": code, "points": points} for code, points in POINTS.items()]
        stage.enforcement.finish(task["taskId"], [{"findings": findings}])
        await all_closed(running, 2 + 5 + 2 + 1 + 1, within=60)  # task and write-back, records, deductions, person, entry
        await assert_followed(stage, running, task["taskId"])


async def assert_followed(stage: Stage, running: RunningHub, task_id: str) -> None:
    """Check on the platforms themselves what followed from the check, and in the graph how the subject stands."""
    records = stage.records_for(task_id)
    found = {one["bizNo"]: one for one in records if one["category"] == "REGULATORY_POINTS"}
    assert {one["itemCode"]: one["points"] for one in found.values()} == POINTS
    person = stage.credit.resident_code(SCHOOL.representative_number or "")
    caused = [one for one in records if one["bizNo"] not in found]
    assert Counter((one["category"], one["code"], one["itemCode"], one["points"]) for one in caused) == {
        ("COMPREHENSIVE_DEDUCTION", SCHOOL.code, "DOZEN", "2.0"): 2,
        ("RESPONSIBLE_PERSON", person, "SERIOUS", "0.0"): 1,
    }
    for one in caused:
        cause = found[one["causedBy"]]
        assert (one["evidence"], one["occurredAt"]) == (cause["evidence"], cause["occurredAt"])
    entries = stage.enforcement.store.all("key subject")
    assert {code: (entry["reason"], entry["version"]) for code, entry in entries.items()} == {
        SCHOOL.code: ("严重失信：2019年度", 1)
    }
    assert stage.approval.store.all("hmd") == {}  # it had promised nothing
    assert len(stage.credit.store.all("record")) == 5 + 2 + 1
    assert stage.twins() == {}
    told = await running.ask("query($code: String!) { creditProfile(code: $code) { regulatoryPoints score } }", code=SCHOOL.code)
    assert told["creditProfile"]["regulatoryPoints"] == "33.0"
