"""Lists: every order, both ways, with ties and missing values, on both databases; and what is refused."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from schema.entities import Approval, ApprovalState, CreditProfile, Department, Finding, Grade, Subject
from schema.slices import FIRST_LIMIT
from tests.unit.graph.city import City
from tests.unit.graph.records import NOW, made

DECIDED = {"A1": 3, "A2": None, "A3": 1, "A4": 1, "A5": None, "A6": 2, "A7": 3, "A8": 1}
"""Hours after NOW; None: not decided."""


async def decide(city: City) -> None:
    for number, hours in DECIDED.items():
        at = None if hours is None else NOW + timedelta(hours=hours)
        await city.put(made(Approval, approval_no=number, decided_at=at, department_code="D1", old_number=hours and str(hours)))


async def walk(city: City, field: str, arguments: str, first: int) -> list[Any]:
    """Return all nodes, page by page."""
    nodes: list[Any] = []
    after = None
    while True:
        place = f', after: "{after}"' if after else ""
        wanted = "{ pageInfo { hasNextPage endCursor } edges { node { id } } }"
        query = f"{{ {field}(first: {first}, {arguments}{place}) {wanted} }}"
        found = (await city.data(query))[field]
        nodes += [edge["node"]["id"] for edge in found["edges"]]
        assert len(found["edges"]) <= first
        if not found["pageInfo"]["hasNextPage"]:
            return nodes
        after = found["pageInfo"]["endCursor"]


async def whole(city: City, field: str, arguments: str, key: str) -> dict[str, str]:
    """Return key by id, in the order of one big page."""
    found = await city.data(f"{{ {field}(first: 200, {arguments}) {{ edges {{ node {{ id {key} }} }} }} }}")
    return {edge["node"]["id"]: edge["node"][key] for edge in found[field]["edges"]}


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("APPROVAL_NO_ASC", "A1 A2 A3 A4 A5 A6 A7 A8"),
        ("APPROVAL_NO_DESC", "A8 A7 A6 A5 A4 A3 A2 A1"),
        ("DECIDED_AT_ASC", "A3 A4 A8 A6 A1 A7 A2 A5"),
        ("DECIDED_AT_DESC", "A5 A2 A7 A1 A6 A8 A4 A3"),
        ("OLD_NUMBER_ASC", "A3 A4 A8 A6 A1 A7 A2 A5"),
        ("OLD_NUMBER_DESC", "A5 A2 A7 A1 A6 A8 A4 A3"),
        ("DEPARTMENT_CODE_DESC", "A8 A7 A6 A5 A4 A3 A2 A1"),
    ],
)
async def test_pages_of_any_size_put_together_are_the_whole_list(each_city: City, order: str, expected: str) -> None:
    await decide(each_city)
    keys = await whole(each_city, "approvals", f"orderBy: {order}", "approvalNo")
    assert list(keys.values()) == expected.split()
    for size in (1, 2, 3, 7):
        assert [keys[each] for each in await walk(each_city, "approvals", f"orderBy: {order}", size)] == expected.split()


@pytest.mark.parametrize(
    ("field", "order", "key"),
    [
        ("creditProfiles", "SCORE_ASC", "code"),
        ("creditProfiles", "SCORE_DESC", "code"),
        ("creditProfiles", "GRADE_DESC", "code"),
        ("findings", "CONFORM_ASC", "findingId"),
        ("findings", "CONFORM_DESC", "findingId"),
    ],
)
async def test_numbers_grades_and_flags_are_walked_in_pages_too(each_city: City, field: str, order: str, key: str) -> None:
    for at in range(6):
        await each_city.put(made(CreditProfile, code=f"S{at}", score=Decimal(80 - at // 2), grade=list(Grade)[at % 3]))
        await each_city.put(made(Finding, finding_id=f"F{at}", conform=at % 2 == 0))
    keys = await whole(each_city, field, f"orderBy: {order}", key)
    assert len(keys) == 6
    assert await walk(each_city, field, f"orderBy: {order}", 2) == list(keys)


async def test_edges_are_walked_in_pages_for_many_parents_at_once(each_city: City) -> None:
    await each_city.put(made(Department, code="D1"), made(Department, code="D2"))
    await decide(each_city)
    query = """query($after: String) { departments { edges { node { code
        approvals(first: 3, orderBy: DECIDED_AT_DESC, after: $after) {
            pageInfo { endCursor hasNextPage } edges { node { approvalNo } } } } } } }"""
    walked: list[str] = []
    after = None
    for _ in range(3):
        d1, d2 = (edge["node"]["approvals"] for edge in (await each_city.data(query, {"after": after}))["departments"]["edges"])
        assert d2["edges"] == []
        walked += [edge["node"]["approvalNo"] for edge in d1["edges"]]
        after = d1["pageInfo"]["endCursor"]
    assert " ".join(walked) == "A5 A2 A7 A1 A6 A8 A4 A3"


async def test_a_record_that_comes_in_between_neither_repeats_nor_hides_another(city: City) -> None:
    await decide(city)
    first = (await city.data("{ approvals(first: 4) { pageInfo { endCursor } edges { node { approvalNo } } } }"))["approvals"]
    await city.put(made(Approval, approval_no="A0"), made(Approval, approval_no="A45"))
    rest = await city.data(f'{{ approvals(after: "{first["pageInfo"]["endCursor"]}") {{ edges {{ node {{ approvalNo }} }} }} }}')
    assert [edge["node"]["approvalNo"] for edge in rest["approvals"]["edges"]] == ["A45", "A5", "A6", "A7", "A8"]


async def test_filters_compare_in_every_way(each_city: City) -> None:
    await decide(each_city)
    await each_city.put(made(Approval, approval_no="B1", state=ApprovalState.GRANTED, decided_at=NOW))
    for where, expected in {
        '{approvalNo: {eq: "A3"}}': "A3",
        '{approvalNo: {in: ["A3", "A9", "A1"]}}': "A1 A3",
        "{approvalNo: {in: []}}": "",
        '{approvalNo: {gt: "A6", lt: "B1"}}': "A7 A8",
        '{approvalNo: {gte: "A6", lte: "A7"}}': "A6 A7",
        "{decidedAt: {isNull: true}}": "A2 A5",
        "{decidedAt: {isNull: false}, state: {eq: ACCEPTED}}": "A1 A3 A4 A6 A7 A8",
        '{decidedAt: {lte: "2019-09-11T10:00:00+08:00"}}': "A3 A4 A8 B1",
        "{state: {in: [GRANTED]}}": "B1",
    }.items():
        keys = await whole(each_city, "approvals", f"where: {where}", "approvalNo")
        assert " ".join(keys.values()) == expected, where


async def test_points_are_compared_exactly(city: City) -> None:
    await city.put(*(made(CreditProfile, code=str(score), score=Decimal(score)) for score in ("79.9", "80", "80.1")))
    assert list((await whole(city, "creditProfiles", 'where: {score: {gt: "79.9", lte: 80.0}}', "code")).values()) == ["80"]


async def test_more_than_a_page_may_hold_is_refused_with_the_limit(city: City) -> None:
    given = await city.ask("query($n: Int!) { approvals { edges { node { tasks(first: $n) { totalCount } } } } }", {"n": 201})
    (error,) = given.errors
    assert error.extensions == {"code": "PAGE_LIMIT", "limit": FIRST_LIMIT}
    assert error.message == "tasks: first is 201; at most 200 at once, then go on with after: <endCursor>"
    assert not given.executed
    assert city.statements == []
    assert await city.error("{ approvals(first: -1) { totalCount } }") == (
        "BAD_USER_INPUT",
        "approvals: first is -1; give 0 to 200",
    )
    assert (await city.data("{ approvals(first: 0) { edges { cursor } } }")) == {"approvals": {"edges": []}}


async def test_a_page_is_twenty_unless_said_otherwise(city: City) -> None:
    await city.put(*(made(Subject, code=f"{at:03}") for at in range(21)))
    found = (await city.data("{ subjects { pageInfo { hasNextPage hasPreviousPage startCursor } edges { cursor } } }"))["subjects"]
    assert len(found["edges"]) == 20
    assert found["pageInfo"] == {"hasNextPage": True, "hasPreviousPage": False, "startCursor": found["edges"][0]["cursor"]}


async def test_a_cursor_of_another_order_or_entity_is_refused(city: City) -> None:
    await decide(city)
    cursor = (await city.data("{ approvals(first: 1) { pageInfo { endCursor } } }"))["approvals"]["pageInfo"]["endCursor"]
    assert await city.error(f'{{ approvals(after: "{cursor}", orderBy: DECIDED_AT_ASC) {{ totalCount }} }}') == (
        "BAD_CURSOR",
        "this cursor is from a list ordered by APPROVAL_NO_ASC; go on with the same orderBy",
    )
    assert await city.error(f'{{ subjects(after: "{cursor}") {{ totalCount }} }}') == (
        "BAD_CURSOR",
        "this cursor is from a list of Approval, not of Subject",
    )


@pytest.mark.parametrize("where", ["{approvalNo: null}", "{approvalNo: {eq: null}}", "{approvalNo: {in: [null]}}"])
async def test_a_null_in_a_filter_never_means_everything(city: City, where: str) -> None:
    code, message = await city.error(f"{{ approvals(where: {where}) {{ totalCount }} }}")
    assert code in {"BAD_USER_INPUT", "GRAPHQL_VALIDATION_FAILED"}
    assert "null" in message


@pytest.mark.parametrize(
    ("field", "where"),
    [
        ("creditProfiles", '{score: {eq: "80.05"}}'),
        ("creditProfiles", '{score: {eq: "999999999999999999999"}}'),
        ("approvals", '{approvalNo: {eq: "\\u0000"}}'),
    ],
)
async def test_a_value_that_no_column_holds_is_named(city: City, field: str, where: str) -> None:
    code, message = await city.error(f"{{ {field}(where: {where}) {{ totalCount }} }}")
    assert code == "BAD_USER_INPUT"
    assert "cannot be compared with" in message


async def test_too_many_values_are_refused(city: City) -> None:
    query = "query($w: ApprovalFilter) { approvals(where: $w) { totalCount } }"
    code, message = await city.error(query, {"w": {"approvalNo": {"in": ["x"] * 201}}})
    assert (code, message) == ("PAGE_LIMIT", "where.approvalNo.in has 201 values; at most 200 at once")
