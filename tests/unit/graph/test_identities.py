"""One subject behind any of its identifiers: found, followed, listed, merged and split."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection

from hub.mirror.merges import add, merge_of, undo
from hub.mirror.subjects import know_subjects
from hub.mirror.tables import METADATA
from schema.declare import declared
from schema.entities import Approval, CreditProfile, CreditRecord, Obligation, Subject, TaskResult
from schema.global_id import global_id
from tests.builders import credit_profile, observed
from tests.subject_codes import old_number, rid, uscc
from tests.unit.graph.city import READER, City
from tests.unit.graph.records import NOW, made

A, B, C = (uscc(number) for number in range(3))
N = old_number(1)
UNDER = """query($c: String!) { subject(code: $c) { code name profile { code }
    approvals { totalCount edges { node { approvalNo } } } creditRecords { edges { node { recordId } } }
    results { edges { node { resultId } } } obligations { totalCount edges { node { key } } } } }"""


async def settle_down(city: City) -> None:
    """A and B, each with all that a subject can have; one approval under A's old number alone."""
    for code, name in ((A, "a"), (B, "b")):
        await city.put(
            made(Subject, code=code, name=name),
            made(Approval, approval_no=f"Y-{name}", subject_code=code, old_number=None),
            made(CreditRecord, record_id=f"R-{name}", subject_code=code),
            made(TaskResult, result_id=f"T-{name}/0", subject_code=code),
            made(Obligation, key=f"o/{name}", subject_code=code),
        )
    await city.put(made(Approval, approval_no="Y-n", subject_code=None, old_number=N))
    await city.put(made(CreditProfile, code=A, old_codes=(N,)))
    await city.database.write(know_subjects, city.rows, [observed(credit_profile(code=A, name="a", old_codes=(N,)))])


async def merge(city: City, identifier: str, code: str) -> str:
    return (await city.database.write(add, city.rows, identifier, code, "lou", "same owner, 13905790001", NOW)).merge_id


async def split(city: City, merge_id: str) -> None:
    found = await city.database.read(merge_of, city.rows, merge_id)
    assert found is not None
    await city.database.write(undo, city.rows, found, "chen", "two after all", NOW)


def listed(connection: dict[str, Any], field: str) -> list[Any]:
    return [edge["node"][field] for edge in connection["edges"]]


async def under(city: City, code: str) -> dict[str, Any] | None:
    found = (await city.data(UNDER, {"c": code}))["subject"]
    if found is None:
        return None
    counted = (found["approvals"]["totalCount"], found["obligations"]["totalCount"])
    lists = {name: listed(found[name], key) for name, key in KEYS.items()}
    assert counted == (len(lists["approvals"]), len(lists["obligations"]))
    return {"code": found["code"], "profile": found["profile"] and found["profile"]["code"], **lists}


KEYS = {"approvals": "approvalNo", "creditRecords": "recordId", "results": "resultId", "obligations": "key"}
OWN_A = {"approvals": ["Y-a", "Y-n"], "creditRecords": ["R-a"], "results": ["T-a/0"], "obligations": ["o/a"]}
OWN_B = {"approvals": ["Y-b"], "creditRecords": ["R-b"], "results": ["T-b/0"], "obligations": ["o/b"]}
BOTH = {key: sorted(OWN_A[key] + OWN_B[key]) for key in KEYS}


async def test_a_subject_is_found_by_its_code_and_by_its_old_number_with_all_that_stands_under_either(each_city: City) -> None:
    await settle_down(each_city)
    for identifier in (A, N, f" {A.lower()} "):
        assert await under(each_city, identifier) == {"code": A, "profile": A, **OWN_A}
    assert await under(each_city, B) == {"code": B, "profile": None, **OWN_B}


async def test_what_names_nobody_finds_nothing(each_city: City) -> None:
    await settle_down(each_city)
    await each_city.put(made(Approval, approval_no="Y-m", subject_code=None, old_number=old_number(2)))
    wrong = A[:-1] + ("0" if A[-1] != "0" else "1")
    for identifier in (wrong, C, old_number(2), old_number(3), rid(1), "", "\x00", "330782198504120310"):
        assert await under(each_city, identifier) is None


async def test_merged_subjects_answer_as_one_and_split_as_two(each_city: City) -> None:
    await settle_down(each_city)
    merge_id = await merge(each_city, A, B)
    for identifier in (A, B, N):
        assert await under(each_city, identifier) == {"code": B, "profile": A, **BOTH}
    await split(each_city, merge_id)
    assert await under(each_city, N) == {"code": A, "profile": A, **OWN_A}
    assert await under(each_city, B) == {"code": B, "profile": None, **OWN_B}


async def test_of_several_profiles_a_subject_shows_that_of_its_own_code(each_city: City) -> None:
    await settle_down(each_city)
    for code in (B, C):
        await each_city.put(made(CreditProfile, code=code), *([made(Subject, code=C)] if code == C else []))
    await merge(each_city, A, B)
    await merge(each_city, C, B)
    query = """query($c: String!) { subject(code: $c) { profile { code }
        identifiers { edges { node { identifier profile { code } } } } } }"""
    found = await each_city.data(query, {"c": C})
    assert found["subject"]["profile"] == {"code": B}
    profiles = {one["node"]["identifier"]: one["node"]["profile"] for one in found["subject"]["identifiers"]["edges"]}
    assert profiles == {code: {"code": code} for code in (A, B, C)} | {N: None}


async def test_every_record_leads_to_the_subject_that_stands(each_city: City) -> None:
    await settle_down(each_city)
    await merge(each_city, A, B)
    found = await each_city.data(
        """{ approvals { edges { node { subject { code } } } } creditRecords { edges { node { subject { code } } } }
             taskResults { edges { node { subject { code } } } } obligations { edges { node { subject { code } } } }
             creditProfiles { edges { node { code subject { code } } } } }"""
    )
    for name in ("approvals", "creditRecords", "taskResults", "obligations"):
        assert {one["code"] for one in listed(found[name], "subject")} == {B}, name
    assert [edge["node"] for edge in found["creditProfiles"]["edges"]] == [{"code": A, "subject": {"code": B}}]


async def test_the_mirror_s_own_words_are_not_rewritten(each_city: City) -> None:
    await settle_down(each_city)
    await merge(each_city, A, B)
    query = '{ approval(approvalNo: "Y-a") { subjectCode identifier } creditRecord(recordId: "R-a") { subjectCode } }'
    found = await each_city.data(query)
    assert found == {"approval": {"subjectCode": A, "identifier": A}, "creditRecord": {"subjectCode": A}}


async def test_subjects_are_listed_and_counted_once_under_the_code_that_stands(each_city: City) -> None:
    await settle_down(each_city)
    everyone = "{ subjects { totalCount edges { node { code approvals { totalCount } } } } }"

    async def all_of_them() -> tuple[int, dict[str, int]]:
        found = (await each_city.data(everyone))["subjects"]
        return found["totalCount"], {one["node"]["code"]: one["node"]["approvals"]["totalCount"] for one in found["edges"]}

    assert await all_of_them() == (2, {A: 2, B: 1})
    merge_id = await merge(each_city, A, B)
    assert await all_of_them() == (1, {B: 3})
    await split(each_city, merge_id)
    assert await all_of_them() == (2, {A: 2, B: 1})


async def test_ids_and_references_of_a_merged_subject_lead_on(city: City) -> None:
    await settle_down(city)
    await merge(city, A, B)
    of_a = global_id(declared(Subject), A)
    found = await city.data("query($id: ID!) { node(id: $id) { ... on Subject { code } } }", {"id": of_a})
    assert found == {"node": {"code": B}}
    found = await city.data(
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Subject { code } } }",
        {"r": [{"__typename": "Subject", "code": A}, {"__typename": "Subject", "code": N}]},
    )
    assert found == {"_entities": [{"code": B}, {"code": B}]}


async def test_identifiers_show_who_said_so_and_merges_who_decided(each_city: City) -> None:
    await settle_down(each_city)
    merge_id = await merge(each_city, A, B)
    found = await each_city.data(
        """query($c: String!) { subject(code: $c) {
            identifiers(orderBy: IDENTIFIER_ASC) { edges { node {
                identifier kind code creditCode toldBy toldCode mergeId aliases { edges { node { code subject { code } } } } } } }
            merges { edges { node { mergeId fromIdentifier intoCode mergedBy reason undoneAt merged { kind } subject { name } } } }
        } }""",
        {"c": B},
    )
    nodes = [edge["node"] for edge in found["subject"]["identifiers"]["edges"]]
    assert [node["identifier"] for node in nodes] == sorted([N, A, B])
    said = {node.pop("identifier"): node for node in nodes}
    by_alias = {"edges": [{"node": {"code": A, "subject": {"code": B}}}]}
    plain: dict[str, Any] = {"kind": "USCC", "code": B, "toldBy": None, "toldCode": None, "mergeId": None, "aliases": {"edges": []}}
    assert said == {
        N: plain | {"kind": "REGISTRATION_NUMBER", "creditCode": A, "toldBy": "credit", "toldCode": A, "aliases": by_alias},
        A: plain | {"creditCode": A, "mergeId": merge_id},
        B: plain | {"creditCode": B},
    }
    (merged,) = [edge["node"] for edge in found["subject"]["merges"]["edges"]]
    assert merged == {
        "mergeId": merge_id,
        "fromIdentifier": A,
        "intoCode": B,
        "mergedBy": "lou",
        "reason": "same owner, 139******01",
        "undoneAt": None,
        "merged": {"kind": "USCC"},
        "subject": {"name": "b"},
    }


async def test_an_undone_merge_stays_on_record_with_both_subjects(each_city: City) -> None:
    await settle_down(each_city)
    merge_id = await merge(each_city, A, B)
    await split(each_city, merge_id)
    found = await each_city.data(
        """query($from: String!, $into: String!) {
             into: subject(code: $into) { merges { edges { node { mergeId undoneBy undoneReason undoneAt } } } }
             from: subject(code: $from) { merges { totalCount } identifiers(where: {kind: {eq: USCC}}) {
                edges { node { merges { edges { node { mergeId } } } } } } } }""",
        {"from": A, "into": B},
    )
    undone = {"mergeId": merge_id, "undoneBy": "chen", "undoneReason": "two after all", "undoneAt": NOW.isoformat()}
    assert [edge["node"] for edge in found["into"]["merges"]["edges"]] == [undone]
    assert found["from"]["merges"] == {"totalCount": 0}
    (own,) = found["from"]["identifiers"]["edges"]
    assert own["node"]["merges"]["edges"] == [{"node": {"mergeId": merge_id}}]


async def test_who_decided_is_for_operators_who_is_who_for_everybody(city: City) -> None:
    await settle_down(city)
    await merge(city, A, B)
    query = "query($c: String!) { subject(code: $c) { identifiers { totalCount } merges { totalCount } } }"
    given = await city.ask(query, {"c": A}, scopes=READER)
    assert given.data == {"subject": {"identifiers": {"totalCount": 3}, "merges": None}}
    assert [error.path for error in given.errors] == [["subject", "merges"]]


async def test_pages_filters_and_orders_go_across_identifiers(each_city: City) -> None:
    await settle_down(each_city)
    await merge(each_city, A, B)
    query = """query($c: String!, $after: String) { subject(code: $c) {
        approvals(first: 2, after: $after, orderBy: APPROVAL_NO_DESC) {
            pageInfo { hasNextPage endCursor } edges { node { approvalNo } } } } }"""
    first = (await each_city.data(query, {"c": N}))["subject"]["approvals"]
    assert (listed(first, "approvalNo"), first["pageInfo"]["hasNextPage"]) == (["Y-n", "Y-b"], True)
    second = (await each_city.data(query, {"c": N, "after": first["pageInfo"]["endCursor"]}))["subject"]["approvals"]
    assert (listed(second, "approvalNo"), second["pageInfo"]["hasNextPage"]) == (["Y-a"], False)
    only = """{ subjects { edges { node { approvals(first: 1, where: {approvalNo: {in: ["Y-a", "Y-n"]}}) {
        totalCount edges { node { approvalNo } } } } } } }"""
    ((approvals,),) = [listed((await each_city.data(only))["subjects"], "approvals")]
    assert (approvals["totalCount"], listed(approvals, "approvalNo")) == (2, ["Y-a"])


async def test_edges_through_identifiers_are_batched_like_all_others(city: City) -> None:
    query = """{ approvals(first: 50) { edges { node { subject { code profile { code }
        approvals { totalCount edges { node { approvalNo } } }
        creditRecords { edges { node { recordId subject { code } } } } } } } } }"""
    await settle_down(city)
    await city.data(query)
    few = len(city.statements)
    for number in range(10, 20):
        await city.put(
            made(Subject, code=uscc(number)),
            made(CreditProfile, code=uscc(number)),
            made(Approval, approval_no=f"Z{number}", subject_code=uscc(number)),
            made(CreditRecord, record_id=f"Z{number}", subject_code=uscc(number)),
        )
        await merge(city, uscc(number), A if number % 2 else B)
    await city.data(query)
    assert len(city.statements) == few == 5


@pytest.mark.parametrize("query", [UNDER, "{ subjects { edges { node { approvals { edges { node { approvalNo } } } } } } }"])
async def test_one_subject_and_many_are_read_by_indexes(city: City, query: str) -> None:
    """A list that reads a whole table through is slow once the city is a real one."""
    await settle_down(city)
    await city.data(query, {"c": A} if query is UNDER else None)

    def plan(connection: Connection) -> list[str]:
        explained = [(f"EXPLAIN QUERY PLAN {each}", (None,) * each.count("?")) for each in city.statements]
        return [step[3] for statement, values in explained for step in connection.exec_driver_sql(statement, values).all()]

    steps = await city.database.read(plan)
    assert any("SEARCH approval USING" in step for step in steps)
    whole = {step.split()[1] for step in steps if step.startswith("SCAN")} & set(METADATA.tables)
    assert whole <= {"subject"}, steps  # of which the first page is what was asked for


MERGE = 'mergeSubjects(input: {{from: "a", into: "b", reason: "{reason}"}})'
SPLIT = 'splitSubjects(input: {{mergeId: "a/1", reason: "{reason}"}})'


async def act(city: City, mutation: str) -> Any:
    (payload,) = (await city.data(f"mutation {{ {mutation} }}")).values()
    return payload


async def test_merging_and_splitting_reach_the_engine_and_show_what_became_of_it(city: City) -> None:
    await settle_down(city)

    async def do() -> None:
        await (merge(city, A, B) if city.hub.calls[-1][0] == "merge" else split(city, f"{A}/1"))

    city.hub.on_call = do
    payload = await act(
        city,
        f"""mergeSubjects(input: {{from: "{A}", into: "{B}", reason: "same owner"}}) {{
            merge {{ mergeId undoneAt }} subject {{ code approvals {{ totalCount }} }} userErrors {{ message }} }}""",
    )
    assert payload == {
        "merge": {"mergeId": f"{A}/1", "undoneAt": None},
        "subject": {"code": B, "approvals": {"totalCount": 3}},
        "userErrors": [],
    }
    payload = await act(
        city, f'splitSubjects(input: {{mergeId: "{A}/1", reason: "two"}}) {{ merge {{ undoneAt }} subject {{ code }} }}'
    )
    assert payload == {"merge": {"undoneAt": datetime(2019, 9, 11, 1, tzinfo=UTC).isoformat()}, "subject": {"code": A}}
    assert city.hub.calls == [("merge", A, B, "same owner", "console"), ("split", f"{A}/1", "two", "console")]


async def test_a_merge_without_reason_is_refused_before_the_engine_is_asked(city: City) -> None:
    for mutation in (MERGE.format(reason=" "), SPLIT.format(reason="")):
        payload = await act(city, f"{mutation} {{ merge {{ mergeId }} subject {{ code }} userErrors {{ __typename path }} }}")
        assert payload == {"merge": None, "subject": None, "userErrors": [{"__typename": "ReasonMissing", "path": ["reason"]}]}
    assert city.hub.calls == []


async def test_who_may_not_act_may_not_merge(city: City) -> None:
    for mutation in (MERGE.format(reason="r"), SPLIT.format(reason="r")):
        code, message = await city.error(f"mutation {{ {mutation} {{ userErrors {{ message }} }} }}", scopes=READER)
        assert code == "FORBIDDEN"
        assert "ops:act" in message
    assert city.hub.calls == []
