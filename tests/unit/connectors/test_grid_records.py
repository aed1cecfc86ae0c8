"""What the grid platform says of events and coordinations, record by record."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from connectors.base import Quarantined
from connectors.grid_records import compact, moment, read_callback, read_coordination, read_event, updated_at
from connectors.soap import parse
from schema.entities import Attachment, EventStatus, GridEvent, TownCoordination, TownCoordinationStatus
from schema.entity import Observation
from tests.contract.cases import NOW, WIRE
from tests.unit.connectors.grid_node import event

GRID = WIRE / "grid"


def sparse(name: str, value: str) -> str:
    """Return an event with one field as given, left out where the value is a hyphen."""
    fields: dict[str, Any] = {name: value}
    return event("YW1", **fields)


def test_an_event_is_read_whole() -> None:
    item = read_callback((GRID / "event_callback.xml").read_bytes(), NOW)

    assert item == Observation(
        record=GridEvent(
            source="grid",
            observed_at=NOW,
            version=3,
            event_no="YW20190805000123",
            category="JT-03",
            category_name="公路隐患",
            title="杂草遮挡视线",
            content="佛堂镇双林路弯道处杂草过高，𬭎宇路口看不见来车",
            town="佛堂镇",
            grid_code="330782101005",
            address="双林路与𬭎宇路交叉口",
            longitude=Decimal("120.0180321"),
            latitude=Decimal("29.2039876"),
            reporter="楼䶮",
            reporter_phone="13857912345",
            reported_at=datetime(2019, 8, 5, 1, 0, tzinfo=UTC),
            level=2,
            status=EventStatus.SENT,
            department_code="JTJ",
            limit_at=datetime(2019, 8, 7, 1, 0, tzinfo=UTC),
            attachments=(
                Attachment(name="现场1.jpg", url="http://10.33.1.8/f/1.jpg", md5="9e107d9d372bb6826bd81d3542a419d6"),
                Attachment(name="现场2.jpg", url="http://10.33.1.8/f/2.jpg", md5=None),
            ),
            related=("YW20190801000007", "YW20190803000051"),
            updated_at=datetime(2019, 8, 5, 1, 15, 30, tzinfo=UTC),
        )
    )


def test_a_coordination_is_read_whole() -> None:
    item = read_callback((GRID / "coordination_callback.xml").read_bytes(), NOW)

    assert item == Observation(
        record=TownCoordination(
            source="grid",
            observed_at=NOW,
            version=2,
            town_no="XG2019000037",
            out_no="gc-0f1e2d",
            department_code="ZFJ",
            town="佛堂镇",
            category="ZF-02",
            content="协助核实占道经营情况",
            status=TownCoordinationStatus.HANDLED,
            opinion="已到场，𬭎记面馆已自行清理",
            limit_at=datetime(2019, 8, 16, 10, 0, tzinfo=UTC),
            updated_at=datetime(2019, 8, 15, 1, 30, tzinfo=UTC),
        )
    )


@pytest.mark.parametrize("more", ["", "<deptCode/><lng/><attach/><related/>", "<deptCode> </deptCode><limitTime></limitTime>"])
def test_what_is_optional_may_be_absent_or_empty(more: str) -> None:
    assert read_event(parse(event("YW1", more=more)), NOW) == read_event(parse(event("YW1")), NOW)


@pytest.mark.parametrize("more", ["<future>1</future>", "<future><inner/>text</future><!-- x --><?pi y?>"])
def test_unknown_elements_change_nothing(more: str) -> None:
    assert read_event(parse(event("YW1", more=more)), NOW) == read_event(parse(event("YW1")), NOW)


@pytest.mark.parametrize("name", ["no", "category", "town", "title", "reportTime", "level", "status", "updateTime"])
def test_a_required_field_that_is_missing_spoils_the_record(name: str) -> None:
    for absent in ("-", "", " "):
        item = read_event(parse(sparse(name, absent)), NOW)
        assert isinstance(item, Quarantined)
        assert (item.reason, item.entity) == ("MISSING_FIELD", "GridEvent")
        assert name in item.detail
        assert item.key == (None if name == "no" else "YW1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ver", "three"),
        ("ver", "-1"),
        ("level", "5"),
        ("level", "0"),
        ("status", "99"),
        ("reportTime", "2019080509000"),  # one digit less: strptime alone would take it
        ("updateTime", "20190231090000"),
        ("updateTime", "2019-08-05 09:00"),
    ],
)
def test_a_malformed_field_spoils_the_record_and_its_value_is_not_shown(name: str, value: str) -> None:
    item = read_event(parse(sparse(name, value)), NOW)

    assert isinstance(item, Quarantined)
    assert item.reason == "BAD_VALUE"
    assert name in item.detail
    assert value not in item.detail.replace(" from 0 to", "").replace(" from 1 to 4", "")


@pytest.mark.parametrize(
    ("written", "degrees"),
    [("120.123456789", Decimal("120.1234568")), ("120", Decimal(120)), ("181", None), ("N/A", None), ("NaN", None), ("1E9", None)],
)
def test_a_coordinate_is_rounded_or_left_out(written: str, degrees: Decimal | None) -> None:
    item = read_event(parse(event("YW1", more=f"<lng>{written}</lng>")), NOW)

    assert isinstance(item, Observation)
    assert isinstance(item.record, GridEvent)
    assert item.record.longitude == degrees


def test_an_optional_time_that_is_malformed_is_left_out() -> None:
    assert read_event(parse(event("YW1", more="<limitTime>tomorrow</limitTime>")), NOW) == read_event(parse(event("YW1")), NOW)


def test_a_damaged_attachment_name_is_noticed() -> None:
    item = read_event(parse(event("YW1", more='<attach><file name="\ufdd0" url="u" md5=""/></attach>')), NOW)

    assert isinstance(item, Quarantined)
    assert (item.reason, item.key) == ("BAD_ENCODING", "YW1")


def test_a_coordination_needs_its_out_number() -> None:
    text = (GRID / "coordination_callback.xml").read_bytes().decode("gb18030")
    record = text[text.index("<coordination>") : text.index("</notify>")].replace("<outNo>gc-0f1e2d</outNo>", "<outNo/>")

    item = read_coordination(parse(record), NOW)

    assert isinstance(item, Quarantined)
    assert (item.reason, item.key) == ("MISSING_FIELD", "XG2019000037")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"<notify><type>EVENT</type></notify>", "MISSING_FIELD"),
        (f"<notify>{event('YW1')}{event('YW2')}</notify>".encode("gb18030"), "MISSING_FIELD"),
        (b"<notify>", "NOT_XML"),
        (b"", "NOT_XML"),
        (b"<!DOCTYPE notify><notify/>", "DTD_FORBIDDEN"),
        (f"<notify>{event('YW1')}</notify>".encode("gb18030").replace(b"YW1", b"YW1\xff"), "BAD_ENCODING"),
    ],
)
def test_a_callback_that_cannot_be_used_is_kept_whole(body: bytes, reason: str) -> None:
    item = read_callback(body, NOW)

    assert isinstance(item, Quarantined)
    assert (item.reason, item.content) == (reason, body)


def test_times_are_beijing_time() -> None:
    assert moment("20190805090000") == datetime(2019, 8, 5, 1, 0, tzinfo=UTC)
    assert compact(datetime(2019, 8, 5, 16, 30, 1, 999999, tzinfo=UTC)) == "20190806003001"


def test_an_unreadable_update_time_is_none() -> None:
    assert updated_at(parse("<event><updateTime>x</updateTime></event>")) is None
    assert updated_at(parse("<event/>")) is None
