"""What the tests about self-governance share: records that take points, result rows that repair them, and what follows."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from hub.mirror.rows import Rows
from schema.entities import (
    CreditRecord,
    RecordCategory,
    Repair,
    ReportMark,
    ScoreEntry,
    ScoreState,
    SelfReport,
)
from schema.entity import Observation
from schema.identifiers import outgoing_number
from tests.builders import credit_record, figures_check, notice_request, observed, repair, score_entry, self_report
from tests.settable_clock import START
from tests.unit.reconcile.city import was_read

RECORD_ID = "CR-POINTS"
BIZ_NO = "BR0123456789abcdef0123456789abcdef0000POINT"
SMS, ENTRY = f"score-notice:{RECORD_ID}/1", f"score-notice:{RECORD_ID}/2"
EXPIRED, REPAIRED = f"score-state:{RECORD_ID}:expired", f"score-state:{RECORD_ID}:repaired"


def points_record(**fields: Any) -> CreditRecord:
    """Four regulatory points for a dirty kitchen, all of them open, accepted in the morning of a Monday."""
    plain = {
        "record_id": RECORD_ID,
        "biz_no": BIZ_NO,
        "category": RecordCategory.REGULATORY_POINTS,
        "points": Decimal(4),
        "open_points": Decimal(4),
        "item_code": "SCJG-002",
        "item_name": "厨房环境卫生",
        "evidence_ref": None,
        "created_at": START,
        "updated_at": START,
    }
    return credit_record(**plain | fields)


def entry(state: ScoreState = ScoreState.OPEN, **fields: Any) -> ScoreEntry:
    """The entry of `points_record()` on its subject's list."""
    record = points_record()
    plain = {
        "biz_no": BIZ_NO,
        "points": record.points,
        "item_code": record.item_code,
        "item_name": record.item_name,
        "repair_until": datetime(2020, 9, 2, 23, 59, 59, tzinfo=START.tzinfo),
        "state": state,
    }
    return score_entry(**plain | fields)


def row(minutes: int = 0, **fields: Any) -> SelfReport:
    """A course that repairs two points of `points_record()`, as the row stood so many minutes after START."""
    at = START + timedelta(minutes=minutes)
    mark = fields.get("mark", ReportMark.NEW)
    version = int(at.timestamp()) * 10 + {ReportMark.NEW: 0, ReportMark.TAKEN: 1, ReportMark.REFUSED: 9}[mark]
    return self_report(**{"repairs_biz_no": BIZ_NO, "updated_at": at, "version": version} | fields)


def key(minutes: int = 0) -> str:
    """The key of `row(minutes)`, without /1 and /2."""
    return f"repair:{row().report_no}:{START + timedelta(minutes=minutes):%Y%m%d%H%M%S}"


def made_repair(minutes: int = 0, **fields: Any) -> Repair:
    """The credit platform's own repair of `row(minutes)`."""
    number = outgoing_number("RE", f"{key(minutes)}/1")
    return repair(**{"biz_no": number, "record_id": RECORD_ID, "completed_at": row().completed_at} | fields)


def told() -> Sequence[Observation]:
    """Records from which each rule about self-governance owes something."""
    return [
        observed(points_record()),
        observed(points_record(record_id="CR-MENDED", biz_no="BR-MENDED", open_points=Decimal(0))),
        observed(row()),
        observed(notice_request()),
        observed(figures_check()),
    ]


def credit_was_read(connection: Connection, rows: Rows, at: datetime) -> None:
    """Let the credit platform's changes have been read to their end at that time."""
    was_read(connection, rows, "credit", "changes", at)
