"""Problems that town grid officers report (网格事件), and coordinations, as the grid platform keeps them (部门协管事件)."""

from decimal import Decimal
from enum import Enum
from typing import Annotated

import msgspec

from schema.declare import BelongsTo, Indexed, Instant, Personal, Says, Step, to_many, to_one
from schema.entity import Mirrored, entity
from schema.identifiers import is_record_number

Degrees = Step(Decimal("0.0000001"))


class EventStatus(Enum):
    """Where a grid event stands (事件状态): 10, 20, 30, 40, 50, 60, 70 on the wire."""

    REPORTED = "REPORTED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    HANDLED = "HANDLED"
    CLOSED = "CLOSED"
    RETURNED = "RETURNED"
    TRANSFERRED = "TRANSFERRED"


class TownCoordinationStatus(Enum):
    """Where a coordination stands at the town (镇街协管状态): 10, 30, 40 on the wire."""

    ISSUED = "ISSUED"
    ACCEPTED = "ACCEPTED"
    HANDLED = "HANDLED"


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file beside an event (附件)."""

    name: Annotated[str, Says("File name", "文件名")]
    url: Annotated[str, Says("Address", "地址")]
    md5: Annotated[str | None, Says("MD5 of the file", "摘要")]


@entity(
    "A problem that a town's grid officer reports",
    "网格事件",
    key="event_no",
    indexes=(("status", "updated_at"),),
    live=is_record_number,
    seen=BelongsTo(department="department_code"),
)
class GridEvent(Mirrored, frozen=True):
    """Grid platform, event."""

    event_no: Annotated[str, Says("Event number", "事件编号")]
    category: Annotated[str, Indexed(), Says("Category code", "事件类别")]
    category_name: Annotated[str | None, Says("Name of the category", "类别名称")]
    title: Annotated[str, Personal("text"), Says("Title", "标题")]
    content: Annotated[str | None, Personal("text"), Says("What was seen", "内容")]
    town: Annotated[str, Indexed(), Says("Town", "镇街")]
    grid_code: Annotated[str | None, Says("Grid cell", "网格编码")]
    address: Annotated[str | None, Personal("text"), Says("Where", "地点")]
    longitude: Annotated[Decimal | None, Degrees, Says("Longitude", "经度")]
    latitude: Annotated[Decimal | None, Degrees, Says("Latitude", "纬度")]
    reporter: Annotated[str | None, Personal("text"), Says("Who reported it", "上报人")]
    reporter_phone: Annotated[str | None, Personal("phone"), Says("Reporter's telephone, masked", "上报人电话")]
    reported_at: Annotated[Instant, Indexed(), Says("When it was reported", "上报时间")]
    level: Annotated[int, Indexed(), Says("1 most urgent to 4", "等级")]
    status: Annotated[EventStatus, Says("Where it stands", "状态")]
    department_code: Annotated[str | None, Indexed(), Says("Department that the town names", "指定部门")]
    limit_at: Annotated[Instant | None, Says("To be handled by", "办理期限")]
    attachments: Annotated[tuple[Attachment, ...], Says("Files", "附件")]
    related: Annotated[tuple[str, ...], Says("Linked events", "关联事件")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间")]

    department = to_one("Department", "Department that the town names", "部门", ours="department_code", theirs="code")
    tasks = to_many("VerificationTask", "Checks that it caused", "核查任务", ours="event_no", theirs="origin_ref")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="event_no", theirs="cause")


@entity(
    "A department's request as the town sees it",
    "部门协管事件（镇街）",
    key="town_no",
    seen=BelongsTo(department="department_code"),
)
class TownCoordination(Mirrored, frozen=True):
    """Grid platform, coordination. `out_no` is the number of the one who asked."""

    town_no: Annotated[str, Says("Grid platform's number", "协管编号")]
    out_no: Annotated[str, Indexed(), Says("Number of the one who asked", "外部编号")]
    department_code: Annotated[str, Indexed(), Says("Department that asks", "部门")]
    town: Annotated[str, Indexed(), Says("Town", "镇街")]
    category: Annotated[str, Says("Category", "类别")]
    content: Annotated[str, Personal("text"), Says("What is asked", "内容")]
    status: Annotated[TownCoordinationStatus, Indexed(), Says("Where it stands", "状态")]
    opinion: Annotated[str | None, Personal("text"), Says("What the town says", "处理意见")]
    limit_at: Annotated[Instant | None, Says("To be handled by", "办理期限")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间")]
