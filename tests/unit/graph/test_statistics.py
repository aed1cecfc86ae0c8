"""Statistics and pools as a front end asks for them."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from hub.reconcile.tally import Tally
from schema import statistics
from schema.entities import (
    Approval,
    ApprovalState,
    CodeType,
    CreditProfile,
    CreditRecord,
    Department,
    Grade,
    InspectionItem,
    KeySubject,
    Matter,
    RecordCategory,
    TaskType,
    VerificationTask,
)
from schema.figures import FIGURES
from tests.unit.graph.city import City
from tests.unit.graph.records import made

AUGUST = datetime(2019, 8, 31, 15, 59, 59, tzinfo=UTC)
SEPTEMBER = datetime(2019, 8, 31, 16, tzinfo=UTC)
"""Midnight in Beijing."""
REGULATORY = RecordCategory.REGULATORY_POINTS


async def counted(city: City) -> None:
    """Count the whole mirror."""
    with capture_logs():
        await Tally(city.database).everything()


async def small(city: City) -> None:
    plain = {"category": REGULATORY, "item_code": "I1", "department_code": "JY", "subject_code": "S1"}
    other, origin = plain | {"department_code": "XX"}, {"origin_platform": "approval", "origin_ref": "A1"}
    await city.put(
        made(Department, code="JY", name="教育局"),
        made(Matter, code="M1", name="印刷经营许可"),
        made(InspectionItem, item_code="I1", item_name="消毒设施"),
        made(Approval, approval_no="A1", matter_code="M1", subject_code="S1", accepted_at=AUGUST),
        made(VerificationTask, task_id="T1", type=TaskType.COMMITMENT, created_at=SEPTEMBER, **origin),
        made(CreditRecord, record_id="R1", biz_no="1", points=Decimal("2.5"), occurred_at=AUGUST, **plain),
        made(CreditRecord, record_id="R2", biz_no="2", points=Decimal("0.5"), occurred_at=SEPTEMBER, **plain),
        made(CreditRecord, record_id="R3", biz_no="3", points=Decimal(1), occurred_at=SEPTEMBER, **other),
    )
    await counted(city)


async def test_rows_have_names_exact_points_and_beijing_periods(each_city: City) -> None:
    await small(each_city)
    found = await each_city.data(
        """{ statistics(by: [DEPARTMENT, MONTH]) { uncounted
            rows { departmentCode department { name } period matterCode grade keySupervision
                figures { pointsTaken subjectsScored } }
            total { pointsTaken subjectsScored } } }"""
    )
    plain = {"matterCode": None, "grade": None, "keySupervision": None}
    jy = {"departmentCode": "JY", "department": {"name": "教育局"}}
    assert found["statistics"] == {
        "uncounted": 0,
        "rows": [
            {**jy, "period": "2019-08", **plain, "figures": {"pointsTaken": "2.5", "subjectsScored": 1}},
            {**jy, "period": "2019-09", **plain, "figures": {"pointsTaken": "0.5", "subjectsScored": 1}},
            {
                "departmentCode": "XX",
                "department": None,
                "period": "2019-09",
                **plain,
                "figures": {"pointsTaken": "1.0", "subjectsScored": 1},
            },
        ],
        "total": {"pointsTaken": "4.0", "subjectsScored": 1},
    }


@pytest.mark.parametrize(("axis", "period"), [("DAY", "2019-09-01"), ("MONTH", "2019-09"), ("YEAR", "2019")])
async def test_a_period_is_told_as_people_write_it(city: City, axis: str, period: str) -> None:
    await small(city)
    query = (
        f'{{ statistics(by: [{axis}], from: "2019-09-01", to: "2019-09-01") {{ rows {{ period figures {{ pointsTaken }} }} }} }}'
    )
    assert (await city.data(query))["statistics"]["rows"] == [{"period": period, "figures": {"pointsTaken": "1.5"}}]


async def test_matter_item_and_kind_are_told_with_their_names(city: City) -> None:
    await small(city)
    found = await city.data(
        """{ statistics(by: [MATTER, ITEM, KIND]) { rows {
            matterCode matter { name } itemCode item { itemName } kind figures { verificationsReceived pointsTaken } } } }"""
    )
    nothing = {"matterCode": None, "matter": None, "itemCode": None, "item": None}
    assert found["statistics"]["rows"] == [
        {
            **nothing,
            "itemCode": "I1",
            "item": {"itemName": "消毒设施"},
            "kind": "REGULATORY_POINTS",
            "figures": {"verificationsReceived": 0, "pointsTaken": "4.0"},
        },
        {
            **nothing,
            "matterCode": "M1",
            "matter": {"name": "印刷经营许可"},
            "kind": "COMMITMENT",
            "figures": {"verificationsReceived": 1, "pointsTaken": "0.0"},
        },
    ]


async def test_figures_are_found_through_fragments_and_aliases_and_nothing_else_is_counted(city: City) -> None:
    await small(city)
    found = await city.data(
        """query ($with: Boolean!) {
            august: statistics(to: "2019-08-31") { ...Few rows { ... on StatisticRow { figures { ...Points } } } }
            all: statistics { total { taken: pointsTaken ... @include(if: $with) { applications } } } }
        fragment Few on Statistics { total { ...Points } } fragment Points on Figures { pointsTaken }""",
        {"with": True},
    )
    assert found == {
        "august": {"total": {"pointsTaken": "2.5"}, "rows": [{"figures": {"pointsTaken": "2.5"}}]},
        "all": {"total": {"taken": "4.0", "applications": 1}},
    }
    assert not any("statistic_fact" in each for each in city.statements)
    await city.data("{ statistics { uncounted } }")
    assert len(city.statements) == 1


async def test_every_figure_can_be_asked_for_at_once(each_city: City) -> None:
    await small(each_city)
    names = " ".join(statistics.BY_FIELD)
    found = await each_city.data(f"{{ statistics(by: [GRADE, TOWN]) {{ rows {{ figures {{ {names} }} }} total {{ {names} }} }} }}")
    assert len(found["statistics"]["total"]) == len(FIGURES)
    assert found["statistics"]["rows"][0]["figures"] == found["statistics"]["total"]


async def test_a_filter_limits_rows_and_total(city: City) -> None:
    await small(city)
    await city.put(made(CreditProfile, code="S1", grade=Grade.D), made(KeySubject, code="S1"))
    await counted(city)
    ask = "{ statistics(where: {%s}) { total { creditRecords } } }"
    for where, number in (
        ('departments: ["JY"]', 2),
        ('departments: ["JY", "XX"]', 3),
        ("departments: []", 0),
        ("grades: [D]", 3),
        ("grades: [A, B]", 0),
        ("keySupervision: true", 3),
        ("keySupervision: false", 0),
        ('items: ["I1"], departments: ["XX"], matters: [""], towns: [""]', 1),
    ):
        assert (await city.data(ask % where))["statistics"]["total"]["creditRecords"] == number, where


async def test_grades_and_key_supervision_make_rows(city: City) -> None:
    await small(city)
    await city.put(made(CreditProfile, code="S1", grade=Grade.D), made(KeySubject, code="S1"))
    await counted(city)
    found = await city.data(
        "{ statistics(by: [GRADE, KEY_SUPERVISION]) { rows { grade keySupervision figures { subjectsScored } } } }"
    )
    assert found["statistics"]["rows"] == [{"grade": "D", "keySupervision": True, "figures": {"subjectsScored": 1}}]


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        ('from: "2019-09-02", to: "2019-09-01"', "BAD_USER_INPUT", "from 2019-09-02 is later than to 2019-09-01"),
        ("by: [DAY, YEAR, DAY]", "BAD_USER_INPUT", "by has DAY and YEAR; give one"),
        ("by: [DAY]", "PERIOD_LIMIT", "by DAY needs from and to, at most 1,000 days apart"),
        ('by: [DAY], from: "2016-01-01", to: "2018-09-27"', "PERIOD_LIMIT", "ask by MONTH or YEAR"),
        ('where: {towns: ["a\\u0000"]}', "BAD_USER_INPUT", "where.towns holds a NUL"),
        ("where: {items: [" + '"x", ' * 201 + "]}", "BAD_USER_INPUT", "where.items has 201 values; at most 200"),
        ('from: "1 August"', "GRAPHQL_VALIDATION_FAILED", "1 August"),
    ],
)
async def test_what_cannot_be_answered_is_refused_with_the_way_out(city: City, arguments: str, code: str, told: str) -> None:
    refused = await city.error(f"{{ statistics({arguments}) {{ total {{ tasksReceived }} }} }}")
    assert refused[0] == code
    assert told in refused[1]


async def test_rows_without_a_figure_are_refused(city: City) -> None:
    code, told = await city.error("{ statistics(by: [TOWN]) { rows { town } } }")
    assert (code, "ask for rows { figures { ... } }" in told) == ("BAD_USER_INPUT", True)


async def test_too_many_rows_are_refused_and_never_cut_off(city: City) -> None:
    await city.put(*(made(CreditRecord, record_id=f"R{n}", biz_no=f"{n}", department_code=f"D{n}") for n in range(1001)))
    await counted(city)
    code, told = await city.error("{ statistics(by: [DEPARTMENT, TOWN]) { rows { figures { creditRecords } } } }")
    assert (code, told) == (
        "ROW_LIMIT",
        "statistics by DEPARTMENT, TOWN has more than 1,000 rows: leave out an axis, shorten the period, or filter",
    )
    assert (await city.data("{ statistics { total { creditRecords } } }"))["statistics"]["total"] == {"creditRecords": 1001}


@pytest.mark.parametrize("query", ["{ statistics { total { tasksReceived } } }", "{ supervisionPool { subjects } }"])
async def test_statistics_ask_for_the_right_to_read(city: City, query: str) -> None:
    assert (await city.error(query, scopes=frozenset({"ops:read"})))[0] == "FORBIDDEN"
    assert (await city.error(query, name=None, scopes=frozenset()))[0] == "UNAUTHENTICATED"


async def test_a_pool_holds_companies_by_grade(each_city: City) -> None:
    uscc = {"code_type": CodeType.USCC}
    await each_city.put(
        *(made(CreditProfile, code=f"C{n}", grade=grade, **uscc) for n, grade in enumerate((Grade.A, Grade.C, Grade.C, Grade.D))),
        made(CreditProfile, code="RID-1", grade=Grade.C, code_type=CodeType.RESIDENT_ID),
        made(KeySubject, code="C2"),
        made(KeySubject, code="RID-1"),
        made(Approval, approval_no="A1", subject_code="C1", matter_code="M1", state=ApprovalState.GRANTED),
        made(Approval, approval_no="A2", subject_code="C1", matter_code="M1", state=ApprovalState.GRANTED),
        made(Approval, approval_no="A3", subject_code="C3", matter_code="M1", state=ApprovalState.REVOKED),
    )
    ask = "{ supervisionPool%s { subjects keySubjects byGrade { grade subjects keySubjects } } }"
    found = (await each_city.data(ask % ""))["supervisionPool"]
    assert found["byGrade"] == [
        {"grade": "A", "subjects": 1, "keySubjects": 0},
        {"grade": "C", "subjects": 2, "keySubjects": 1},
        {"grade": "D", "subjects": 1, "keySubjects": 0},
    ]
    assert (found["subjects"], found["keySubjects"]) == (4, 1)
    for arguments, number in (
        ("(grades: [C, D])", 3),
        ("(grades: [])", 0),
        ("(keySupervision: true)", 1),
        ("(keySupervision: false)", 3),
        ('(matters: ["M1"])', 1),
        ('(matters: ["M1"], grades: [D])', 0),
    ):
        assert (await each_city.data(ask % arguments))["supervisionPool"]["subjects"] == number, arguments
