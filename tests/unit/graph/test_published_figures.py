"""The city's published figures come out by counting records, by the very queries that docs/statistics.md shows."""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, insert
from structlog.testing import capture_logs

from hub.mirror.tables import CONTENT_HASH, TABLES
from hub.reconcile.tally import Tally
from schema.entities import (
    Approval,
    BlacklistEntry,
    Conclusion,
    Coordination,
    CoordinationStatus,
    CreditRecord,
    EventStatus,
    GridEvent,
    Officer,
    Procedure,
    RecordCategory,
    Repair,
    RepairWay,
    SelfReport,
    TaskResult,
    TaskStatus,
    TaskType,
    VerificationTask,
)
from schema.entity import Entity
from tests.settable_clock import BEIJING
from tests.unit.graph.city import City
from tests.unit.graph.records import made

PAGE = (Path(__file__).parents[3] / "docs" / "statistics.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```graphql\n(.*?)```\s+```json\n(.*?)```", PAGE, re.DOTALL)
AUGUST_1, AUGUST_23, SEPTEMBER_1 = (datetime(2019, month, day, 9, tzinfo=BEIJING) for month, day in ((8, 1), (8, 23), (9, 1)))
DONE, BAD = TaskStatus.DONE, Conclusion.NONCONFORM


def verifications() -> Iterator[Entity]:
    """688 tasks for approvals, 562 done, 19 commitments not kept, each with its record and its entry on the blacklist."""
    for n in range(688):
        kind = TaskType.COMMITMENT if n % 3 else TaskType.APPROVAL
        status = DONE if n < 562 else TaskStatus.PENDING
        yield made(VerificationTask, task_id=f"V{n}", type=kind, status=status, created_at=AUGUST_1, updated_at=AUGUST_23)
    for n in list(filter(lambda n: n % 3, range(562)))[:19]:
        yield made(TaskResult, result_id=f"V{n}/0", task_id=f"V{n}", conclusion=BAD, checked_at=AUGUST_23, subject_code=f"S{n}")
        category, points = RecordCategory.COMMITMENT_BREACH, Decimal(6)
        yield record(f"B{n}", f"S{n}", points, category=category, item_code="GA-SX01", department_code="GA")
        yield made(BlacklistEntry, entry_no=f"E{n}", subject_code=f"S{n}", matter_code="GA-SX01", since="2019-08-24")
    for n in range(23):
        procedure = Procedure.COMMITMENT if n < 14 else Procedure.STANDARD
        yield made(Approval, approval_no=f"H{n}", matter_code="GA-SX01", procedure=procedure, accepted_at=AUGUST_1)


def record(number: str, code: str, points: Decimal, **fields: Any) -> CreditRecord:
    told = {
        "record_id": number,
        "biz_no": number,
        "subject_code": code,
        "points": points,
        "occurred_at": AUGUST_23,
        "cancelled": False,
    }
    return made(CreditRecord, **told | fields)


def scores() -> Iterator[Entity]:
    """1,299 subjects with 11,553 points by 26 departments on 104 items, of these 52 with 497 points by the education bureau."""
    departments = cycle(f"D{n:02}" for n in range(25))
    items = cycle(f"I{n:03}" for n in range(103))
    regulatory = RecordCategory.REGULATORY_POINTS
    for n, department, item in zip(range(1247), departments, items, strict=False):
        points = Decimal("8.5") if n else 11_553 - 497 - 1246 * Decimal("8.5")
        yield record(f"R{n}", f"C{n}", points, category=regulatory, item_code=item, department_code=department)
    for n in range(52):
        points = Decimal("9.5") if n else 497 - 51 * Decimal("9.5")
        yield record(f"T{n}", f"JY{n}", points, category=regulatory, item_code="JY-001", department_code="JY")


def self_governance() -> Iterator[Entity]:
    """400 self-reports and 7,124 self-checks on 126 items of 2,133 subjects by 23 August, and one item more by September."""
    items = cycle(f"SC{n:03}" for n in range(126))
    for n, item in zip(range(7124), items, strict=False):
        yield report(f"1{n}", RepairWay.SELF_CHECK, f"S{n % 2000}", item, AUGUST_23)
    for n in range(400):
        code = f"R{min(n, 132)}"
        item = "JR-DB" if n < 6 else "JR-DD" if n < 15 else "SB"
        yield report(f"2{n}", RepairWay.SELF_REPORT, code, item, AUGUST_23)
    yield report("3", RepairWay.SELF_CHECK, "S0", "SC-NEW", SEPTEMBER_1)
    ways = islice(cycle(RepairWay), 100)
    for n, way in enumerate(ways):
        yield made(
            Repair, repair_id=f"P{n}", way=way, points=Decimal("20.5") if n else 2079 - 99 * Decimal("20.5"), completed_at=AUGUST_23
        )
    yield made(Repair, repair_id="LATE", way=RepairWay.EXAM, points=Decimal("509.5"), completed_at=SEPTEMBER_1)


def report(number: str, way: RepairWay, code: str, item: str, at: datetime) -> SelfReport:
    return made(SelfReport, report_no=number, way=way, subject_code=code, item_code=item, completed_at=at)


def grid() -> Iterator[Entity]:
    """630 events, 20 not dispatched; and one that no town sent. 37 coordinations, 34 handled."""
    for n in range(631):
        status = EventStatus.CLOSED if n < 610 else EventStatus.SENT if n < 630 else EventStatus.REPORTED
        yield made(GridEvent, event_no=f"E{n}", status=status, reported_at=AUGUST_1)
    for n in range(37):
        handled = CoordinationStatus.HANDLED if n < 34 else CoordinationStatus.ISSUED
        yield made(Coordination, coordination_id=f"K{n}", status=handled, due_at=AUGUST_23)


def inspections() -> Iterator[Entity]:
    """98 enterprises checked in joint inspections since August, 19 cases, 1 order; before it there was another. 32 heads."""
    for n in range(99):
        at = AUGUST_1 + timedelta(days=n % 28) if n < 98 else AUGUST_1 - timedelta(days=1)
        head = Officer(id=str(n), name="某", department=f"H{n % 32:02}", is_head=n < 64)
        told = {"type": TaskType.RANDOM, "status": DONE, "campaign_id": f"C{n // 10}", "officers": (head,), "created_at": at}
        yield made(VerificationTask, task_id=f"C{n}", **told)
        case, order = (f"P{n}" if n < 19 or n == 98 else None), ("O" if n == 5 else None)
        result = {"result_id": f"C{n}/0", "task_id": f"C{n}", "subject_code": f"X{n}", "checked_at": at}
        yield made(TaskResult, **result, case_no=case, order_no=order, conclusion=BAD if case else Conclusion.CONFORM)


def put(connection: Connection, city: City, records: Iterable[Entity]) -> None:
    by_entity: dict[str, list[dict[str, Any]]] = {}
    for one in records:
        extra = {CONTENT_HASH: b""} if CONTENT_HASH in TABLES[type(one).__name__].c else {}
        by_entity.setdefault(type(one).__name__, []).append(city.rows.as_row(one) | extra)
    for name, values in by_entity.items():
        connection.execute(insert(TABLES[name]), values)


async def test_each_published_figure_is_what_its_query_counts(city: City) -> None:
    every = [*verifications(), *scores(), *self_governance(), *grid(), *inspections()]
    await city.database.write(put, city, every)
    with capture_logs():  # it says that nothing was counted before
        await Tally(city.database).everything()
    assert len(SHOWN) == 9
    for query, answer in SHOWN:
        assert await city.data(query) == json.loads(answer), query
