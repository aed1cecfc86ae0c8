"""Records of the grid platform: XML elements into GridEvent and TownCoordination (platforms/grid.md, Events and Methods).

Called by `connectors.grid` with elements of answers, and with the whole body of a callback.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Final, TypeVar

from lxml import etree

from connectors.base import Item, Quarantined
from connectors.record_fields import BadFieldError, Convert, Fields, observed, one_of, text, whole
from connectors.record_fields import decimal as plain_decimal
from connectors.soap import DAMAGED, ENCODING, XmlError, child, decode, name_of, parse, text_of, written
from schema.entities import Attachment, EventStatus, GridEvent, TownCoordination, TownCoordinationStatus
from schema.entity import Observation

T = TypeVar("T")

PLATFORM: Final = "grid"
BEIJING: Final = timezone(timedelta(hours=8))

EVENT_STATUS: Final = {
    "10": EventStatus.REPORTED,
    "20": EventStatus.SENT,
    "30": EventStatus.ACCEPTED,
    "40": EventStatus.HANDLED,
    "50": EventStatus.CLOSED,
    "60": EventStatus.RETURNED,
    "70": EventStatus.TRANSFERRED,
}
COORDINATION_STATUS: Final = {
    "10": TownCoordinationStatus.ISSUED,
    "30": TownCoordinationStatus.ACCEPTED,
    "40": TownCoordinationStatus.HANDLED,
}

_COMPACT = re.compile(r"[0-9]{14}")
_DEGREE = Decimal("0.0000001")


def moment(value: object) -> datetime:
    """Convert `yyyyMMddHHmmss`, Beijing time; fourteen digits and nothing else (strptime alone takes fewer)."""
    written_time = text(value)
    if not _COMPACT.fullmatch(written_time):
        raise ValueError("must be a time yyyyMMddHHmmss")
    try:
        local = datetime.strptime(written_time, "%Y%m%d%H%M%S").replace(tzinfo=BEIJING)
    except ValueError:
        raise ValueError("must be a time yyyyMMddHHmmss") from None
    return local.astimezone(UTC)


def compact(at: datetime) -> str:
    """Return a moment as `yyyyMMddHHmmss`, Beijing time; parts of a second are dropped."""
    return at.astimezone(BEIJING).strftime("%Y%m%d%H%M%S")


def read_event(element: etree._Element, observed_at: datetime) -> Item:
    """Return what an `<event>` says, or a Quarantined."""

    def make(fields: Fields) -> GridEvent:
        return GridEvent(
            source=PLATFORM,
            observed_at=observed_at,
            version=fields.required("ver", whole()),
            event_no=fields.required("no", text),
            category=fields.required("category", text),
            category_name=fields.optional("categoryName", text),
            title=fields.required("title", text),
            content=fields.optional("content", text),
            town=fields.required("town", text),
            grid_code=fields.optional("gridCode", text),
            address=fields.optional("address", text),
            longitude=_degrees(fields, "lng", 180),
            latitude=_degrees(fields, "lat", 90),
            reporter=fields.optional("reporter", text),
            reporter_phone=fields.optional("reporterTel", text),
            reported_at=fields.required("reportTime", moment),
            level=fields.required("level", whole(1, 4)),
            status=fields.required("status", one_of(EVENT_STATUS)),
            department_code=fields.optional("deptCode", text),
            limit_at=_or_none(fields, "limitTime", moment),
            attachments=_attachments(element),
            related=_related(fields),
            updated_at=fields.required("updateTime", moment),
        )

    return _read(element, "GridEvent", make)


def read_coordination(element: etree._Element, observed_at: datetime) -> Item:
    """Return what a `<coordination>` says, or a Quarantined."""

    def make(fields: Fields) -> TownCoordination:
        return TownCoordination(
            source=PLATFORM,
            observed_at=observed_at,
            version=fields.required("ver", whole()),
            town_no=fields.required("no", text),
            out_no=fields.required("outNo", text),
            department_code=fields.required("deptCode", text),
            town=fields.required("town", text),
            category=fields.required("category", text),
            content=fields.required("content", text),
            status=fields.required("status", one_of(COORDINATION_STATUS)),
            opinion=fields.optional("opinion", text),
            limit_at=_or_none(fields, "limitTime", moment),
            updated_at=fields.required("updateTime", moment),
        )

    return _read(element, "TownCoordination", make)


Reader = Callable[[etree._Element, datetime], Item]
READERS: Final[dict[str, Reader]] = {"event": read_event, "coordination": read_coordination}
"""How each record is read, by the name of its element."""


def broken_record(chunk: str) -> Quarantined:
    """Return a record that is not well-formed, cut out of an answer whose other records are."""
    return Quarantined(reason="NOT_XML", detail="a record is not well-formed XML", content=chunk.encode(ENCODING, "replace"))


def read_callback(body: bytes, received_at: datetime) -> Item:
    """Return what a callback's `<notify>` says, or a Quarantined that holds the whole body."""
    document = decode(body)
    if DAMAGED in document:
        return Quarantined(reason="BAD_ENCODING", detail="the callback's body is not valid GB18030 text", content=body)
    try:
        notify = parse(document)
    except XmlError as error:
        return Quarantined(reason=error.reason, detail=f"callback: {error}", content=body)
    records = [each for each in notify if name_of(each) in READERS]
    if len(records) != 1:
        detail = f"callback: one event or coordination is needed, found {len(records)}"
        return Quarantined(reason="MISSING_FIELD", detail=detail, content=body)
    return READERS[name_of(records[0])](records[0], received_at)


def updated_at(element: etree._Element) -> datetime | None:
    """Return a record's updateTime, None where it cannot be read."""
    try:
        return moment(text_of(child(element, "updateTime")))
    except ValueError:
        return None


def _read(element: etree._Element, entity: str, make: Callable[[Fields], GridEvent | TownCoordination]) -> Item:
    values = {name_of(each): text_of(each) for each in element}

    def observation() -> Observation:
        # Serialised, so that attributes are looked at as well.
        spoiled = [name_of(each) for each in element if DAMAGED in etree.tostring(each, encoding="unicode")]
        if spoiled:
            raise BadFieldError("BAD_ENCODING", f"not valid GB18030 text: {', '.join(spoiled)}")
        return Observation(record=make(Fields(values)))

    return observed(observation, entity=entity, key=values.get("no", "").strip(), content=written(element))


def _or_none(fields: Fields, name: str, convert: Convert[T]) -> T | None:
    """Return an optional field; None also where it is unusable: only a required one makes a record bad."""
    try:
        return fields.optional(name, convert)
    except BadFieldError:
        return None


def _degrees(fields: Fields, name: str, limit: int) -> Decimal | None:
    """Return a coordinate in steps of 0.0000001 degree."""
    degrees = _or_none(fields, name, plain_decimal)
    if degrees is None or abs(degrees) > limit:
        return None
    return degrees.quantize(_DEGREE, rounding=ROUND_HALF_EVEN)


def _attachments(element: etree._Element) -> tuple[Attachment, ...]:
    attach = child(element, "attach")
    files = [each for each in attach if name_of(each) == "file"] if attach is not None else []
    return tuple(
        Attachment(name=(file.get("name") or "").strip(), url=url, md5=(file.get("md5") or "").strip() or None)
        for file in files
        if (url := (file.get("url") or "").strip())
    )


def _related(fields: Fields) -> tuple[str, ...]:
    numbers = fields.optional("related", text) or ""
    return tuple(number for each in numbers.split(",") if (number := each.strip()))
