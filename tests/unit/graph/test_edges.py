"""Edges: batched, whatever the number of records."""

from schema.entities import Approval, Department, Finding, Obligation, Subject, TaskResult, VerificationTask
from tests.unit.graph.city import City
from tests.unit.graph.records import made

NESTED = """{ approvals(first: 50) { edges { node {
    approvalNo
    subject { name }
    department { name }
    tasks { totalCount edges { node { taskId results { edges { node { resultId } } } findings { edges { node { findingId } } } } } }
    obligations { totalCount edges { node { key } } }
} } } }"""


async def grow(city: City, approvals: int) -> None:
    await city.put(made(Department, code="D1", name="Market"))
    for a in range(approvals):
        await city.put(
            made(Subject, code=f"S{a}", name=f"Shop {a}"),
            made(Approval, approval_no=f"A{a:02}", subject_code=f"S{a}", department_code="D1"),
            made(Obligation, key=f"o/{a}", cause=f"A{a:02}"),
        )
        for t in range(3):
            await city.put(
                made(VerificationTask, task_id=f"T{a}-{t}", origin_ref=f"A{a:02}"),
                made(TaskResult, result_id=f"T{a}-{t}/0", task_id=f"T{a}-{t}"),
                made(Finding, finding_id=f"F{a}-{t}", task_id=f"T{a}-{t}", result_id=f"T{a}-{t}/0"),
            )


async def test_the_number_of_statements_does_not_grow_with_the_rows(city: City) -> None:
    await grow(city, 2)
    few = await city.data(NESTED)
    statements = list(city.statements)
    assert len(few["approvals"]["edges"]) == 2
    await city.put(*(made(Approval, approval_no=f"B{a:02}", subject_code="S0", department_code="D1") for a in range(20)))
    await city.put(*(made(VerificationTask, task_id=f"TB{a}", origin_ref=f"B{a:02}") for a in range(20)))
    await city.put(*(made(Finding, finding_id=f"FB{a}", task_id=f"TB{a}") for a in range(20)))
    many = await city.data(NESTED)
    assert len(many["approvals"]["edges"]) == 22
    assert len(city.statements) == len(statements) == 7


async def test_each_record_gets_its_own_far_ends(city: City) -> None:
    await grow(city, 3)
    for at, edge in enumerate((await city.data(NESTED))["approvals"]["edges"]):
        node = edge["node"]
        assert node["subject"] == {"name": f"Shop {at}"}
        assert [each["node"]["taskId"] for each in node["tasks"]["edges"]] == [f"T{at}-0", f"T{at}-1", f"T{at}-2"]
        assert node["tasks"]["totalCount"] == 3
        assert [each["node"]["findings"]["edges"] for each in node["tasks"]["edges"]] == [
            [{"node": {"findingId": f"F{at}-{t}"}}] for t in range(3)
        ]
        assert node["obligations"] == {"totalCount": 1, "edges": [{"node": {"key": f"o/{at}"}}]}


async def test_first_counts_for_each_parent_alone(city: City) -> None:
    await grow(city, 3)
    found = await city.data(
        "{ approvals { edges { node { tasks(first: 2) { pageInfo { hasNextPage } edges { node { taskId } } } } } } }"
    )
    tasks = [edge["node"]["tasks"] for edge in found["approvals"]["edges"]]
    assert [len(each["edges"]) for each in tasks] == [2, 2, 2]
    assert all(each["pageInfo"]["hasNextPage"] for each in tasks)


async def test_a_filter_and_an_order_reach_the_far_end(city: City) -> None:
    await grow(city, 2)
    found = await city.data(
        """{ approvals { edges { node {
            tasks(where: {taskId: {in: ["T0-0", "T0-2", "T1-1"]}}, orderBy: TASK_ID_DESC) { totalCount edges { node { taskId } } }
        } } } }"""
    )
    tasks = [edge["node"]["tasks"] for edge in found["approvals"]["edges"]]
    assert [[each["node"]["taskId"] for each in one["edges"]] for one in tasks] == [["T0-2", "T0-0"], ["T1-1"]]
    assert [one["totalCount"] for one in tasks] == [2, 1]


async def test_a_missing_link_is_null_or_empty_without_a_statement(city: City) -> None:
    await city.put(made(Approval, approval_no="A1", subject_code=None), made(Approval, approval_no="A2", subject_code="gone"))
    found = await city.data("{ approvals { edges { node { subject { name } } } } }")
    assert [edge["node"]["subject"] for edge in found["approvals"]["edges"]] == [None, None]
    await city.data('{ approval(approvalNo: "A1") { subject { name } } }')
    assert len(city.statements) == 1


async def test_nothing_is_counted_unless_the_total_is_asked_for(city: City) -> None:
    await grow(city, 1)
    await city.data("{ approvals { pageInfo { endCursor } edges { node { tasks { edges { node { taskId } } } } } } }")
    assert not any("count(" in each for each in city.statements)
    assert len(city.statements) == 2


async def test_nothing_is_read_where_only_the_total_is_asked_for(city: City) -> None:
    await grow(city, 2)
    assert (await city.data("{ approvals { totalCount } }")) == {"approvals": {"totalCount": 2}}
    (statement,) = city.statements
    assert "count(" in statement


async def test_equal_records_asked_for_twice_are_read_once(city: City) -> None:
    await grow(city, 1)
    await city.ask('{ a: approval(approvalNo: "A00") { region } b: approval(approvalNo: "A00") { region } }', compiled=False)
    assert len(city.statements) == 1
