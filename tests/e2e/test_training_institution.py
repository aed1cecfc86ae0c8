"""Case 7 of the city: a training institution with five problems, 33 points, and all that follows from them, each once."""

from collections.abc import Sequence
from decimal import Decimal

from mocks.people import Subject, identity_check_digit, uscc_check_digit
from mocks.store import Document
from tests.e2e.city_life import all_closed
from tests.e2e.eventually import eventually
from tests.e2e.stage import RunningHub, Stage

_BODY = "33078219790830142"
SCHOOL = Subject(
    "1",
    "义乌市某教育培训学校",
    uscc="52330782MJ8712345" + uscc_check_digit("52330782MJ8712345"),
    representative="楼𬭎",
    representative_number=_BODY + identity_check_digit(_BODY),
    telephone="13905790456",
    address="义乌市北苑街道",
)
FIVE_FINDINGS = [
    {"itemCode": code, "points": points}
    for code, points in zip(("JY-001", "JY-002", "JY-003", "JY-004", "JY-005"), ("12.0", "12.0", "6.0", "2.0", "1.0"), strict=True)
]


async def test_five_findings_of_33_points_lead_to_two_deductions_one_person_and_one_entry_each_once(stage: Stage) -> None:
    assert sum(Decimal(one["points"]) for one in FIVE_FINDINGS) == 33
    async with stage.hub() as running:
        serial = stage.approval.grant(SCHOOL, procedure="2")
        (task,) = await eventually(stage.tasks_for, serial, within=30)
        stage.enforcement.finish(task["taskId"], [{"findings": FIVE_FINDINGS}])
        await all_closed(running, 2 + 5 + 2 + 1 + 1, within=60)
        await assert_followed(stage, running, task["taskId"])


async def assert_followed(stage: Stage, running: RunningHub, task_id: str) -> None:
    """Check on the platforms themselves what followed from the check, and in the graph how the subject stands."""
    records = stage.records_for(task_id)
    of = {kind: [one for one in records if one["category"] == kind] for kind in {one["category"] for one in records}}
    found = in_order(of.pop("REGULATORY_POINTS"))
    assert sorted(one["points"] for one in found) == ["1.0", "12.0", "12.0", "2.0", "6.0"]
    filled = causes_of_dozens(found)
    deductions, persons = of.pop("COMPREHENSIVE_DEDUCTION"), of.pop("RESPONSIBLE_PERSON")
    assert sorted((one["code"], one["points"], one["itemCode"]) for one in deductions) == [(SCHOOL.uscc, "2.0", "DOZEN")] * 2
    assert {one["causedBy"] for one in deductions} <= {one["bizNo"] for one in found}
    assert len(filled) == 2
    person = stage.credit.resident_code(SCHOOL.representative_number or "")
    ((one),) = persons
    assert (one["code"], one["points"], one["itemCode"]) == (person, "0.0", "SERIOUS")
    assert one["causedBy"] in {each["bizNo"] for each in found}
    assert of == {}
    entries = stage.enforcement.store.all("key subject")
    assert [(code, entry["reason"], entry["version"]) for code, entry in entries.items()] == [
        (SCHOOL.uscc, "严重失信：2019年度", 1)
    ]
    assert stage.approval.store.all("hmd") == {}  # it had promised nothing
    assert stage.twins() == {}
    told = await running.ask("{ creditProfiles(first: 5) { nodes { code regulatoryPoints } } }")
    assert {"code": SCHOOL.uscc, "regulatoryPoints": "33.0"} in told["creditProfiles"]["nodes"]


def in_order(records: Sequence[Document]) -> list[Document]:
    """Return records in the order in which the platform accepted them."""
    return sorted(records, key=lambda one: (one["createdAt"], one["recordId"]))


def causes_of_dozens(records: Sequence[Document]) -> set[str]:
    """Return the numbers of the records with which a multiple of twelve points was reached."""
    taken, filled = Decimal(0), set[str]()
    for one in records:
        before, taken = taken, taken + Decimal(one["points"])
        if taken // 12 > before // 12:
            filled.add(one["bizNo"])
    return filled
