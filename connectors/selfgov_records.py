"""The rows of the exchange database (selfgov.md): into SelfReport, ScoreEntry and Notice. Used by the selfgov_* files only."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec

from connectors.base import Item, Quarantined
from connectors.beijing import beijing_time
from connectors.json_text import is_damaged, mended
from connectors.record_fields import Fields, decimal, observed, one_of, subject_code, text, whole
from connectors.selfgov_tables import PLATFORM, SHAPES, Shape
from schema.entities import Notice, RepairWay, ReportMark, ReportState, ScoreEntry, ScoreState, SelfReport
from schema.entity import Mirrored, Observation

Row = Mapping[str, object]
"""One row, by the names of its columns; values are what JSON has."""

WAYS: Final = {"1": RepairWay.SELF_CHECK, "2": RepairWay.SELF_REPORT, "3": RepairWay.STUDY, "4": RepairWay.EXAM}
STATES: Final = {"0": ReportState.WAITING, "1": ReportState.APPROVED, "2": ReportState.REFUSED}
MARKS: Final = {"0": ReportMark.NEW, "1": ReportMark.TAKEN, "9": ReportMark.REFUSED}
SCORE_STATES: Final = {"open": ScoreState.OPEN, "repaired": ScoreState.REPAIRED, "expired": ScoreState.EXPIRED}

_TENTH = Decimal("0.1")


def row_of(values: Mapping[str, object]) -> Row:
    """Return what a driver gave for a row in the kinds that JSON has; bytes that are no UTF-8 keep the mark of damage."""
    return {name: _plain(value) for name, value in values.items()}


def item_of(shape: Shape, row: Row, observed_at: datetime) -> Item:
    """Return a row's record, or why it cannot be used."""
    content = msgspec.json.encode(row)
    key = row.get(shape.key)
    if is_damaged(content):
        return Quarantined(
            reason="BAD_ENCODING", detail=f"{shape.entity}: a text is no UTF-8", content=content, entity=shape.entity
        )
    read = _READERS[shape.name]
    known = str(key) if isinstance(key, int | str) else None
    return observed(lambda: Observation(record=read(Fields(row), observed_at)), entity=shape.entity, key=known, content=content)


def items_of(body: bytes, observed_at: datetime) -> list[Item]:
    """Return what rows written as JSON say: `{"zz_result": [row, ...], ...}`; tables that we do not know are passed over."""
    if is_damaged(body):
        return [_unreadable("BAD_ENCODING", "the rows are no UTF-8", body)]
    try:
        tables = msgspec.json.decode(body, type=dict[str, object])
    except (msgspec.ValidationError, RecursionError):
        return [_unreadable("BAD_VALUE", "the rows are no JSON object by table", body)]
    except msgspec.DecodeError:
        return [_unreadable("NOT_JSON", "the rows are no JSON", body)]
    known = [(SHAPES[name], rows) for name, rows in tables.items() if name in SHAPES]
    if not known:
        return [_unreadable("MISSING_FIELD", f"names none of the tables {', '.join(SHAPES)}", body)]
    return [item for shape, rows in known for item in _items(shape, rows, body, observed_at)]


def _items(shape: Shape, rows: object, body: bytes, observed_at: datetime) -> list[Item]:
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        return [_unreadable("BAD_VALUE", f"{shape.name} is no list of rows", body)]
    return [item_of(shape, row, observed_at) for row in rows]


def _unreadable(reason: str, detail: str, body: bytes) -> Quarantined:
    return Quarantined(reason=reason, detail=f"exchange database: {detail}", content=body)


def _plain(value: object) -> object:
    if value is None or isinstance(value, str | int | float):
        return value
    return mended(bytes(value)).decode() if isinstance(value, bytes | bytearray | memoryview) else str(value)


def _self_report(row: Fields, observed_at: datetime) -> Mirrored:
    updated_at, mark = row.required("gxsj", beijing_time), row.required("clbz", one_of(MARKS))
    flag = row.required("clbz", whole())
    return SelfReport(
        source=PLATFORM,
        observed_at=observed_at,
        version=_seconds(updated_at) * 10 + flag,
        report_no=str(row.required("id", whole())),
        way=row.required("lx", one_of(WAYS)),
        subject_code=row.required("tyshxydm", subject_code),
        subject_name=row.optional("ztmc", text),
        repairs_biz_no=row.optional("jf_bizno", text),
        points=row.optional("xffs", tenths),
        item_code=row.optional("sxbm", text),
        item_name=row.optional("sxmc", text),
        figures=row.optional("sbnr", text),
        completed_at=row.required("wcsj", beijing_time),
        state=row.required("shzt", one_of(STATES)),
        mark=mark,
        mark_reason=row.optional("clsm", text),
        updated_at=updated_at,
    )


def _score_entry(row: Fields, observed_at: datetime) -> Mirrored:
    updated_at = row.required("updated", beijing_time)
    return ScoreEntry(
        source=PLATFORM,
        observed_at=observed_at,
        version=_seconds(updated_at),
        biz_no=row.required("bizno", text),
        subject_code=row.required("tyshxydm", subject_code),
        points=row.required("points", tenths),
        item_code=row.required("itemcode", text),
        item_name=row.required("itemname", text),
        occurred_at=row.required("occurred", beijing_time),
        repair_until=row.required("repair_until", beijing_time),
        state=row.required("state", one_of(SCORE_STATES)),
        updated_at=updated_at,
    )


def _notice(row: Fields, observed_at: datetime) -> Mirrored:
    issued_at = row.required("issued", beijing_time)
    return Notice(
        source=PLATFORM,
        observed_at=observed_at,
        version=_seconds(issued_at),
        notice_no=row.required("notice_no", text),
        subject_code=row.optional("tyshxydm", subject_code),
        industry=row.optional("industry", text),
        title=row.required("title", text),
        content=row.required("content", text),
        issued_at=issued_at,
        department_code=row.required("department", text),
    )


_READERS: Final[Mapping[str, Callable[[Fields, datetime], Mirrored]]] = {
    "zz_result": _self_report,
    "zz_score": _score_entry,
    "zz_notice": _notice,
}


def tenths(value: object) -> Decimal:
    """Convert points, decimal(6,1), none of them negative."""
    points = decimal(value)
    if not 0 <= points < 100_000 or points % _TENTH:
        raise ValueError("must be points from 0 to 99999.9 with at most one decimal place")
    return points.quantize(_TENTH)


def _seconds(moment: datetime) -> int:
    return int(moment.timestamp())
