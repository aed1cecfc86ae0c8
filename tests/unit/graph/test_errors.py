"""Every error has a code; a fault of ours shows no text, but a correlation id."""

import logging
from typing import Any

import pytest

from hub.graph.answer import Question, answer
from hub.graph.schema import build_schema
from hub.mirror.database import DatabaseUnavailable
from schema.context import Caller
from tests.unit.graph.city import OPERATOR, City


@pytest.mark.parametrize(
    ("query", "variables", "code"),
    [
        ("{ approvals", None, "GRAPHQL_PARSE_FAILED"),
        ("{ approvalz { totalCount } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ approvals(first: \"x\") { totalCount } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ approvals(where: {region: {like: \"x\"}}) { totalCount } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("{ approvals(where: {address: {eq: \"x\"}}) { totalCount } }", None, "GRAPHQL_VALIDATION_FAILED"),
        ("query($n: Int!) { approvals(first: $n) { totalCount } }", {"n": "x"}, "BAD_USER_INPUT"),
        ("query($n: Int!) { approvals(first: $n) { totalCount } }", {}, "BAD_USER_INPUT"),
        ("query($t: DateTime) { approvals(where: {decidedAt: {gt: $t}}) { totalCount } }", {"t": "2019"}, "BAD_USER_INPUT"),
        ("query A { __typename } query B { __typename }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("fragment A on Query { __typename }", None, "OPERATION_RESOLUTION_FAILURE"),
        ("subscription { x }", None, "OPERATION_RESOLUTION_FAILURE"),
    ],
)  # fmt: skip
async def test_a_request_that_cannot_be_executed_has_a_code_and_no_data(
    city: City, query: str, variables: dict[str, Any] | None, code: str
) -> None:
    given = await city.ask(query, variables)
    assert not given.executed
    assert [(error.extensions or {})["code"] for error in given.errors] == [code]
    assert "data" not in given.as_json()


@pytest.mark.parametrize(
    ("kind", "field", "value"),
    [
        ("DateTime", "approvals(where: {decidedAt: {gt: $v}}) { totalCount }", "9" * 100_000),
        ("Date", "statistics(from: $v) { uncounted }", "x" * 100_000),
        ("ApprovalFilter", "approvals(where: $v) { totalCount }", {"y" * 100_000: 1}),
        ("Date", "statistics(from: $v) { uncounted }", " Did you mean " * 10_000),
    ],
)
async def test_what_a_client_sent_is_not_quoted_at_length(city: City, kind: str, field: str, value: object) -> None:
    query = f"query($v: {kind}) {{ {field} }}"
    code, message = await city.error(query, {"v": value})
    assert code == "BAD_USER_INPUT"
    assert len(message) < 2_100
    closed = build_schema(introspection=False)
    (error,) = (await answer(closed, Question(query, {"v": value}), city.context(Caller("console", OPERATOR)))).errors
    assert len(error.message) < 2_100


async def test_the_operation_that_is_named_is_executed(city: City) -> None:
    query = "query A { a: __typename } query B { b: __typename }"
    assert (await city.ask(query, operation="B")).data == {"b": "Query"}
    assert (await city.ask(query, operation="A")).data == {"a": "Query"}
    code, message = await city.error(query, operation="C")
    assert (code, message) == ("OPERATION_RESOLUTION_FAILURE", "the document has no operation named 'C'")
    assert await city.error(query) == (
        "OPERATION_RESOLUTION_FAILURE",
        "the document has several operations (A, B); say which, in operationName",
    )


async def test_a_fault_of_ours_shows_a_correlation_id_and_is_logged_without_personal_data(
    city: City, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken() -> Any:
        raise RuntimeError("secret of 13857912345")

    monkeypatch.setattr(city.hub, "platforms", broken)
    with caplog.at_level(logging.ERROR):
        given = await city.ask("{ platforms { name } approvals { totalCount } }")
    assert given.data == {"platforms": None, "approvals": {"totalCount": 0}}
    (error,) = given.errors
    assert error.formatted == {
        "message": "internal error; the hub's log has it under c-1",
        "locations": [{"line": 1, "column": 3}],
        "path": ["platforms"],
        "extensions": {"code": "INTERNAL", "correlationId": "c-1"},
    }
    assert "c-1" in caplog.text
    assert "secret of 138******45" in caplog.text
    assert "13857912345" not in caplog.text


async def test_a_database_that_cannot_answer_is_named_as_such(city: City, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: Any, **__: Any) -> Any:
        raise DatabaseUnavailable("SQLite: database is locked")

    monkeypatch.setattr(city.database, "read", away)
    given = await city.ask("{ approvals { totalCount } }")
    (error,) = given.errors
    assert error.extensions == {"code": "UNAVAILABLE", "retryable": True}
    assert error.message == "the hub's database cannot answer now; try again"


@pytest.mark.parametrize(
    "query", ["{ __schema { types { name } } }", '{ __type(name: "Approval") { name } }', "{ _service { sdl } }"]
)
async def test_without_introspection_the_schema_is_not_shown(city: City, query: str) -> None:
    closed = build_schema(introspection=False)
    context = city.context(Caller("console", OPERATOR))
    given = await answer(closed, Question(query), context)
    assert [(error.extensions or {})["code"] for error in given.errors] == ["INTROSPECTION_OFF"]
    assert not (await city.ask(query)).errors


async def test_without_introspection_errors_suggest_no_names(city: City) -> None:
    closed = build_schema(introspection=False)
    context = city.context(Caller("console", OPERATOR))
    assert "Did you mean" in (await city.error("{ approvalz { totalCount } }"))[1]
    (error,) = (await answer(closed, Question("{ approvalz { totalCount } }"), context)).errors
    assert "Did you mean" not in error.message


@pytest.mark.parametrize("compiled", [True, False])
async def test_a_fault_before_anything_is_executed_is_an_error_of_the_graph_as_well(
    city: City, monkeypatch: pytest.MonkeyPatch, compiled: bool
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("secret of 13857912345")

    monkeypatch.setattr("hub.graph.compiled.documents.check_limits", broken)
    monkeypatch.setattr("hub.graph.gate.check_limits", broken)
    given = await city.ask("{ approvals { totalCount } }", compiled=compiled)
    assert given.as_json() == {
        "errors": [
            {
                "message": "internal error; the hub's log has it under c-1",
                "extensions": {"code": "INTERNAL", "correlationId": "c-1"},
            }
        ]
    }
