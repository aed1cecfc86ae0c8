"""Carries out the plan of a published city (published_plan.py), day by day, on the mock platforms.

Whoever runs it lets the hub come to rest between two days: what a day needs of the hub (tasks, records) is there by then.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from mocks.approval_records import COMMITMENT
from mocks.config import Platforms
from mocks.enforcement_officers import officers_of
from mocks.enforcement_tasks import OPEN, stamp
from mocks.platform import BEIJING
from mocks.published_plan import (
    DRAWN_POINTS,
    OTHER_OFFICES,
    SCORING_DEPARTMENTS,
    Application,
    Draw,
    Inspection,
    PublishedPlan,
    Row,
    Tip,
    items_of,
)
from mocks.reference import DEPARTMENTS, ITEMS
from mocks.selfgov import APPROVED, SELF_REPORT
from mocks.store import Document

OrderDraw = Callable[[Draw, datetime], Awaitable[None]]
"""Orders a joint inspection, to be done by a moment: the hub's business, since cities order them through it."""

HANDLED_AFTER: Final = timedelta(days=2)


class PublishedCity:
    """`live` makes one day happen. Everything it does is in the platforms' own words."""

    def __init__(self, platforms: Platforms, plan: PublishedPlan, order_draw: OrderDraw) -> None:
        self._platforms = platforms
        self._plan = plan
        self._order_draw = order_draw
        self._serials: dict[int, str] = {}
        self._events: dict[int, str] = {}
        self._coordinations: dict[int, str] = {}
        self._findings: dict[int, str] = {}
        self._prepare()

    def _prepare(self) -> None:
        """Publish departments and items, and make every firm known to the credit platform."""
        whole = self._platforms
        known = {str(item["itemCode"]): item for item in ITEMS}
        names = {department["code"]: department["name"] for department in DEPARTMENTS}
        codes = [code for department in SCORING_DEPARTMENTS for code in items_of(department)]
        plain = {"points": None, "severity": "GENERAL"}
        whole.enforcement.set_items(
            [known.get(code, {"itemCode": code, "itemName": f"{names[code[:-4]]}检查事项{code[-1]}", **plain}) for code in codes]
        )
        for code, name in OTHER_OFFICES:
            whole.enforcement.departments[code] = {"code": code, "name": name}
        for firm in self._plan.firms:
            whole.credit.add_subject(str(firm.uscc), firm.name, score=88.0)
        drawn = iter(inspection.subject for inspection in self._plan.inspections if inspection.findings)
        for draw in self._plan.draws:
            pool = [next(drawn) for _ in range(draw.subjects)]
            whole.enforcement.add_pool(
                [
                    {
                        "code": firm.uscc,
                        "name": firm.name,
                        "address": firm.address,
                        "industry": draw.industry,
                        "town": "",
                        "grade": "B",
                    }
                    for firm in pool
                ]
            )

    async def live(self, day: date) -> None:
        """Make everything of that day happen, now."""
        for work in (self._apply, self._check, self._inspect, self._report_events, self._handle_events, self._coordinate):
            work(day)
        self._fill_rows(day)
        self._finish_draws(day)
        for draw in self._plan.draws:
            if draw.day == day:
                await self._order_draw(draw, datetime.combine(day + timedelta(days=20), time(18), BEIJING))

    # --- approvals and their checks

    def _apply(self, day: date) -> None:
        for place, one in self._of(self._plan.applications, day):
            serial = self._platforms.approval.grant(one.subject, matter=one.matter, procedure=one.procedure)
            self._serials[place] = serial

    def _check(self, day: date) -> None:
        due = [place for place, one in enumerate(self._plan.applications) if one.checked == day]
        if not due:
            return
        tasks = self._by_origin("approval")
        for place in due:
            one = self._plan.applications[place]
            self._finish(tasks[self._serials[place]], [self._kept(one)])

    def _kept(self, one: Application) -> Document:
        if not one.broken:
            return {"conclusion": "CONFORM", "subjectCode": one.subject.uscc, "subjectName": one.subject.name}
        remarks = "现场与承诺不符" if one.procedure == COMMITMENT else ""
        return {"conclusion": "NONCONFORM", "subjectCode": one.subject.uscc, "subjectName": one.subject.name, "remarks": remarks}

    # --- inspections, some of them led by heads

    def _inspect(self, day: date) -> None:
        enforcement = self._platforms.enforcement
        for place, one in self._of(self._plan.inspections, day):
            subject = {"code": one.subject.uscc, "name": one.subject.name, "address": one.subject.address}
            due = stamp(enforcement.now() + timedelta(days=10))
            title = "领导带队联合检查" if one.led_by else "专项检查"
            participants = (one.led_by,) if one.led_by else ()
            task = enforcement.make_task(
                subjects=[subject], department=one.department, title=title, participants=participants, due_at=due
            )
            findings = [{"itemCode": item, "points": f"{points:.1f}"} for item, points in one.findings]
            done = self._finish(task["taskId"], [{"findings": findings}], led_by=one.led_by)
            if one.findings:
                self._findings[place] = done["results"][0]["findings"][0]["findingId"]

    def _finish(self, task_id: str, results: list[Document], led_by: str | None = None) -> Document:
        enforcement = self._platforms.enforcement
        if led_by:
            officers = [officers_of(led_by)[0], officers_of(enforcement.tasks.current(task_id)["department"])[1]]
            enforcement.tasks.change(task_id, OPEN, officers=officers, ledByHead=True)
            enforcement.dispatch(task_id)
        return enforcement.finish(task_id, results)

    # --- grid events and coordinations

    def _report_events(self, day: date) -> None:
        for place, one in self._of(self._plan.tips, day):
            limit = (self._platforms.grid.now() + timedelta(days=3)).strftime("%Y%m%d%H%M%S")
            event = self._platforms.grid.report(
                category=one.category, title=_title(one), town=one.town, level=one.level, send=True, limitTime=limit
            )
            self._events[place] = event["no"]

    def _handle_events(self, day: date) -> None:
        tasks = None
        for place, one in self._of(self._plan.tips, day - HANDLED_AFTER):
            if one.routed:
                tasks = tasks or self._by_origin("grid")
                self._finish(tasks[self._events[place]], [{"conclusion": "CONFORM", "remarks": "已现场处置"}])

    def _coordinate(self, day: date) -> None:
        whole = self._platforms
        for place, one in self._of(self._plan.requests, day):
            due = stamp(whole.enforcement.now() + timedelta(days=3))
            issued = whole.enforcement.issue_coordination(
                department=one.department, town=one.town, category="XG-01", content="请协助核实辖区内情况", due_at=due
            )
            self._coordinations[place] = issued["content"] + issued["coordinationId"]
        for place, one in self._of(self._plan.requests, day - HANDLED_AFTER):
            if one.handled:
                number = self._town_number(place)
                whole.grid.accept_coordination(number)
                whole.grid.handle_coordination(number)

    def _town_number(self, place: int) -> str:
        """Return the town's number of a request: they arrive there one for one, in whatever order; any open one will do."""
        _ = place
        coordinations = self._platforms.grid.store.all("coordination").values()
        return next(str(one["no"]) for one in coordinations if one["status"] == "10")

    # --- joint inspections

    def _finish_draws(self, day: date) -> None:
        """Four days after the draw the officers are back: cases, an order to mend, and nothing at all the others."""
        campaigns = list(self._platforms.enforcement.store.all("campaign").values())
        for draw in self._plan.draws:
            if draw.day != day - timedelta(days=4):
                continue
            campaign = next(one for one in campaigns if one["pool"]["industry"] == draw.industry)
            for number, task_id in enumerate(campaign["tasks"]):
                self._finish(task_id, [self._drawn_result(draw, number)])

    def _drawn_result(self, draw: Draw, number: int) -> Document:
        bad = [{"itemCode": "HB-001", "points": f"{DRAWN_POINTS}.0"}]
        if number < draw.cases:
            return {"findings": bad, "caseNo": f"义环立〔2019〕{draw.day:%m%d}{number + 1:02d}号"}
        if number < draw.cases + draw.rectified:
            deadline = datetime.combine(draw.day + timedelta(days=11), time(18), BEIJING)
            return {"findings": bad, "rectification": {"deadline": stamp(deadline)}}
        return {"conclusion": "CONFORM"}

    # --- what subjects do for themselves

    def _fill_rows(self, day: date) -> None:
        for _, row in self._of(self._plan.rows, day):
            self._fill(row)

    def _fill(self, row: Row) -> None:
        record = self._record_of(row.repairs) if row.repairs else None
        self._platforms.selfgov.enter(
            row.kind,
            code=row.subject.uscc,
            name=row.subject.name,
            repairs=record["bizNo"] if record else None,
            points=float(row.points) if row.points is not None else None,
            item=row.item,
            figures='{"担保余额": 1000000}' if row.kind == SELF_REPORT and not record else None,
            state=APPROVED,
        )

    def _record_of(self, inspection: Inspection) -> Document:
        finding = self._findings[self._plan.inspections.index(inspection)]
        records = self._platforms.credit.store.all("record").values()
        return next(record for record in records if record["evidence"]["finding"] == finding)

    # --- finding one's way

    def _of(self, whole: tuple[Any, ...], day: date) -> Iterator[tuple[int, Any]]:
        return ((place, one) for place, one in enumerate(whole) if one.day == day)

    def _by_origin(self, platform: str) -> dict[str, str]:
        tasks = self._platforms.enforcement.store.all("task").values()
        return {task["origin"]["ref"]: task["taskId"] for task in tasks if (task["origin"] or {}).get("platform") == platform}


def _title(tip: Tip) -> str:
    return f"{tip.town}网格上报：{tip.category}"
