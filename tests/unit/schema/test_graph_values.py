"""Values on their way through the graph: scalars, cursors, ids."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from graphql import GraphQLError

import schema.entities
from schema.cursor import read_cursor, write_cursor
from schema.declare import ENTITIES
from schema.entities import Finding, Grade
from schema.global_id import global_id, pack, read_global_id, unpack
from schema.graph_errors import GraphError
from schema.scalars import read_decimal, read_moment, read_whole, write_decimal, write_moment
from schema.slices import Order, Place
from tests.unit.graph.records import made

PROFILE = ENTITIES["CreditProfile"]


@pytest.mark.parametrize(("given", "read"), [("2.50", "2.5"), ("-0.5", "-0.5"), (7, "7"), ("0", "0")])
def test_decimals_are_read_exactly(given: str | int, read: str) -> None:
    assert read_decimal(given) == Decimal(read)


@pytest.mark.parametrize("given", [0.5, True, "NaN", "Infinity", "1e5", "", "１", " 1", None, [1], "1" * 31])
def test_what_is_rounded_or_no_number_is_no_decimal(given: object) -> None:
    with pytest.raises(GraphQLError, match="is no Decimal"):
        read_decimal(given)


def test_decimals_are_written_without_exponent() -> None:
    assert [write_decimal(Decimal(text)) for text in ("1E+2", "0E-7", "4.50")] == ["100", "0.0000000", "4.50"]


@pytest.mark.parametrize("given", ["2019-09-11T09:00:00+08:00", "2019-09-11t01:00:00z", "2019-09-11T01:00:00.000000-00:00"])
def test_moments_are_read_with_any_offset(given: str) -> None:
    assert read_moment(given) == datetime(2019, 9, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        "2019-09-11T09:00:00",
        "2019-09-11",
        "2019-09-11 09:00:00+08:00",
        "2019-13-11T09:00:00Z",
        "0001-01-01T00:00:00+08:00",
        1568163600,
        None,
    ],
)
def test_a_moment_without_offset_or_beyond_the_calendar_is_refused(given: object) -> None:
    with pytest.raises(GraphQLError, match="is no DateTime"):
        read_moment(given)


def test_moments_are_written_in_utc_and_never_without_zone() -> None:
    beijing = datetime(2019, 9, 11, 9, tzinfo=timezone(timedelta(hours=8)))
    assert write_moment(beijing) == "2019-09-11T01:00:00+00:00"
    with pytest.raises(ValueError, match="has no zone"):
        write_moment(datetime(2019, 9, 11, 9))  # noqa: DTZ001  (that is the point)


def test_big_whole_numbers_are_read_from_text_or_number() -> None:
    assert read_whole("1568163600000000") == read_whole(1568163600000000) == 1568163600000000
    for wrong in ("1.0", 1.0, True, "1" * 19, ""):
        with pytest.raises(GraphQLError, match="is no BigInt"):
            read_whole(wrong)


@pytest.mark.parametrize("key", ["A1", "rule:x/1", "二", "", "a" * 300])
def test_an_id_leads_back_to_entity_and_key(key: str) -> None:
    assert read_global_id(global_id(PROFILE, key)) == (PROFILE, key)


@pytest.mark.parametrize("token", ["QQ==", "QR", "A", "!!!!", "_w", "é"])
def test_a_token_that_was_not_packed_here_is_refused(token: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        unpack(token)


@pytest.mark.parametrize(
    ("column", "value"),
    [("code", "S"), ("score", Decimal("80.5")), ("grade", Grade.B), ("updated_at", datetime(2019, 9, 11, 1, 2, 3, 4, tzinfo=UTC))],
)
@pytest.mark.parametrize("descending", [False, True])
def test_a_cursor_leads_back_to_value_and_key(column: str, value: Any, descending: bool) -> None:
    record = made(schema.entities.CreditProfile, **({"code": "S"} | {column: value}))
    order = Order(column, descending)
    assert read_cursor(PROFILE, order, write_cursor(PROFILE, order, record)) == Place(value, "S")


def test_a_cursor_marks_missing_values_and_flags() -> None:
    entity, order = ENTITIES["Finding"], Order("conform")
    assert read_cursor(entity, order, write_cursor(entity, order, made(Finding, finding_id="F", conform=True))) == Place(True, "F")
    approval, by_time = ENTITIES["Approval"], Order("decided_at")
    record = made(schema.entities.Approval, approval_no="A")
    assert read_cursor(approval, by_time, write_cursor(approval, by_time, record)) == Place(None, "A")


@pytest.mark.parametrize(
    "inside",
    [
        ["CreditProfile", "score", False, "x", "S"],
        ["CreditProfile", "score", False, None, "S"],
        ["CreditProfile", "score", False, "NaN", "S"],
        ["CreditProfile", "score", False, "1e30", "S"],
        ["CreditProfile", "score", False, "0.05", "S"],
        ["CreditProfile", "score", False, "80", "\x00"],
        ["CreditProfile", "score", False, "80"],
        ["CreditProfile", "grade", False, "Z", "S"],
        ["CreditProfile", "updated_at", False, "2019-09-11T01:00:00", "S"],
        {"entity": "CreditProfile"},
    ],
)
def test_a_forged_cursor_is_refused_and_never_reaches_the_database(inside: Any) -> None:
    column = inside[1] if isinstance(inside, list) else "score"
    with pytest.raises(GraphError) as refused:
        read_cursor(PROFILE, Order(column), pack(msgspec.json.encode(inside).decode()))
    assert refused.value.code == "BAD_CURSOR"
