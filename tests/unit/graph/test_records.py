"""What the graph shows of a record, and how it is found by its ids."""

from datetime import timedelta
from decimal import Decimal

import pytest

from hub.graph.loaders import Loaders
from schema.declare import declared
from schema.entities import (
    Approval,
    CodeType,
    CreditRecord,
    Delivery,
    GridEvent,
    Matter,
    Obligation,
    Officer,
    OpsItem,
    Subject,
    TaskType,
    VerificationTask,
)
from schema.global_id import global_id, pack
from schema.slices import Joined
from tests.unit.graph.city import City
from tests.unit.graph.records import NOW, SEES_ALL, made


async def test_personal_data_is_masked_in_every_answer(city: City) -> None:
    await city.put(
        made(Approval, approval_no="A1", identity_no="330725198503121234", phone="13857912345", commitment="call 13857912345"),
        made(GridEvent, event_no="E1", content="seen by 330725198503121234", reporter_phone="13857912345"),
        made(OpsItem, item_id="O1", message="phone 13857912345 is wrong"),
    )
    found = await city.data(
        """{ approval(approvalNo: "A1") { identityNo phone commitment representativeIdentityNo }
             gridEvent(eventNo: "E1") { content reporterPhone }
             opsItem(itemId: "O1") { message before } }"""
    )
    assert found == {
        "approval": {
            "identityNo": "330*************34",
            "phone": "138******45",
            "commitment": "call 138******45",
            "representativeIdentityNo": None,
        },
        "gridEvent": {"content": "seen by 330*************34", "reporterPhone": "138******45"},
        "opsItem": {"message": "phone 138******45 is wrong", "before": None},
    }


async def test_a_record_tells_its_source_and_whether_it_is_stale(city: City) -> None:
    await city.put(
        made(Subject, code="old", source="credit", version=1_568_163_600_000_000, observed_at=NOW - timedelta(hours=2)),
        made(Subject, code="young", source="credit"),
    )
    ask = '{ subject(code: "%s") { freshness { source observedAt version stale } } }'
    assert (await city.data(ask % "old"))["subject"]["freshness"] == {
        "source": "credit",
        "observedAt": "2019-09-10T23:00:00+00:00",
        "version": "1568163600000000",
        "stale": True,
    }
    assert (await city.data(ask % "young"))["subject"]["freshness"]["stale"] is False


async def test_enums_decimals_lists_and_parts_travel_exactly(city: City) -> None:
    officer = Officer(id="P1", name="𬭎", department="D1", is_head=True)
    await city.put(
        made(VerificationTask, task_id="T1", type=TaskType.GRID, officers=(officer,), participants=("D2", "D3")),
        made(CreditRecord, record_id="C1", points=Decimal("4.5"), occurred_at=NOW),
    )
    found = await city.data(
        """{ verificationTask(taskId: "T1") { type participants officers { name isHead } externalNo }
             creditRecord(recordId: "C1") { points occurredAt cancelled } }"""
    )
    assert found["verificationTask"] == {
        "type": "GRID",
        "participants": ["D2", "D3"],
        "officers": [{"name": "𬭎", "isHead": True}],
        "externalNo": None,
    }
    assert found["creditRecord"]["occurredAt"] == "2019-09-11T01:00:00+00:00"
    assert Decimal(found["creditRecord"]["points"]) == Decimal("4.5")
    assert found["creditRecord"]["cancelled"] is False


async def test_what_is_internal_is_neither_shown_nor_read(city: City) -> None:
    assert (await city.error('{ obligation(key: "k") { payload } }'))[0] == "GRAPHQL_VALIDATION_FAILED"
    await city.put(made(Obligation, key="k"), made(Delivery, delivery_id="d"))
    await city.data('{ obligation(key: "k") { state } delivery(deliveryId: "d") { state } }')
    assert not any(hidden in statement for statement in city.statements for hidden in ("payload", "fence", "body", "headers"))


async def test_a_record_is_found_again_by_its_id(city: City) -> None:
    await city.put(made(Matter, code="M/1:a", name="Hotel licence"), made(Subject, code="S", code_type=CodeType.USCC, name="Shop"))
    found = await city.data('{ matter(code: "M/1:a") { id } subject(code: "S") { id } }')
    again = await city.data(
        """query($m: ID!, $s: ID!) {
            a: node(id: $m) { id ... on Matter { name } } b: node(id: $s) { __typename ... on Subject { name } } }""",
        {"m": found["matter"]["id"], "s": found["subject"]["id"]},
    )
    assert again == {"a": {"id": found["matter"]["id"], "name": "Hotel licence"}, "b": {"__typename": "Subject", "name": "Shop"}}


async def test_an_id_of_a_record_that_is_gone_is_null(city: City) -> None:
    assert await city.data("query($i: ID!) { node(id: $i) { id } }", {"i": global_id(declared(Matter), "gone")}) == {"node": None}
    assert await city.data('{ matter(code: "gone") { name } }') == {"matter": None}
    assert await city.data('{ matter(code: "\\u0000") { name } }') == {"matter": None}


@pytest.mark.parametrize("wrong", ["", "A1", "Approval:A1", "////", "二", pack("Nothing:1"), pack("Approval")])
async def test_an_id_that_is_none_is_refused(city: City, wrong: str) -> None:
    code, message = await city.error("query($i: ID!) { node(id: $i) { id } }", {"i": wrong})
    assert code == "BAD_ID"
    assert repr(wrong) in message


async def test_a_gateway_finds_entities_by_their_keys_in_one_statement_each_kind(city: City) -> None:
    await city.put(made(Subject, code="S1", name="One"), made(Subject, code="S2", name="Two"), made(Approval, approval_no="A1"))
    representations = [
        {"__typename": "Subject", "code": "S2"},
        {"__typename": "Approval", "approvalNo": "A1"},
        {"__typename": "Subject", "code": "S1"},
        {"__typename": "Subject", "code": "S3"},
    ]
    query = "query($r: [_Any!]!) { _entities(representations: $r) { ... on Subject { name } ... on Approval { approvalNo } } }"
    assert (await city.data(query, {"r": representations}))["_entities"] == [
        {"name": "Two"},
        {"approvalNo": "A1"},
        {"name": "One"},
        None,
    ]
    assert len(city.statements) == 2


async def test_a_representation_that_names_nothing_is_an_error_in_its_own_place(city: City) -> None:
    await city.put(made(Subject, code="S1", name="One"))
    wrong = [{"__typename": "Nobody"}, {"code": "S1"}, {"__typename": "Subject", "code": 5}, 7]
    given = await city.ask(
        "query($r: [_Any!]!) { _entities(representations: $r) { ... on Subject { name } } }",
        {"r": [*wrong, {"__typename": "Subject", "code": "S1"}]},
    )
    assert given.data == {"_entities": [None, None, None, None, {"name": "One"}]}
    assert [error.path for error in given.errors] == [["_entities", at] for at in range(4)]
    assert {(error.extensions or {})["code"] for error in given.errors} == {"BAD_USER_INPUT"}


async def test_an_edge_finds_the_record_with_the_lowest_key_where_several_match(city: City) -> None:
    await city.put(*(made(Approval, approval_no=number, subject_code="S") for number in ("A2", "A1", "A3")))
    found = await Loaders(city.database, city.rows, SEES_ALL).one(Approval, Joined("subject_code", "S"))
    assert found is not None
    assert found.approval_no == "A1"
