"""The officers of a city: they take each task in the mobile app, go there, and write down what the plan lets them find."""

import contextlib
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Final

from mocks.approval import ApprovalPlatform
from mocks.city_plan import Plan, Visit
from mocks.city_towns import Pause, Towns
from mocks.enforcement import EnforcementPlatform
from mocks.enforcement_tasks import FINAL
from mocks.people import Subject
from mocks.store import Document

LOADED: Final = "双随机抽查（装载）"
"""Title of the inspections that are loaded, each with one small finding."""

_CORRECTED: Final = "更正"
_SMALL_FINDING: Final = {"itemCode": "ZFJ-001"}  # one point


class Officers:
    """Do whatever task there is; the outcome hangs on the plan and on what the task is about."""

    def __init__(
        self, enforcement: EnforcementPlatform, approval: ApprovalPlatform, towns: Towns, *, plan: Plan, pause: Pause
    ) -> None:
        self._enforcement = enforcement
        self._approval = approval
        self._towns = towns
        self._plan = plan
        self._pause = pause

    async def work_on(self, task_id: str) -> None:
        """Take a task to its end, from whatever state it is in, then correct it where that is planned."""
        enforcement = self._enforcement
        steps: Mapping[str, Callable[[str], object]] = {
            "PENDING": enforcement.dispatch,
            "DISPATCHED": enforcement.accept,
            "ACCEPTED": enforcement.begin,
            "IN_PROGRESS": self._visit,
        }
        while (status := enforcement.tasks.current(task_id)["status"]) not in FINAL:
            await self._pause(task_id, status)
            with contextlib.suppress(ValueError):  # the hub has cancelled it meanwhile
                steps[status](task_id)
        task = enforcement.tasks.current(task_id)
        visit = self._planned(task)
        if visit.later and task["status"] == "DONE" and not task["results"][0]["remarks"].startswith(_CORRECTED):
            await self._pause(task_id, "correct")
            enforcement.correct(task_id, [_corrected(task["results"][0], visit)])

    def inspect_at_once(self, firm: Subject) -> None:
        """Make a random inspection of the platform's own and finish it with one finding of one point."""
        enforcement = self._enforcement
        due = (enforcement.now() + timedelta(days=10)).isoformat(timespec="seconds")
        subjects = [{"code": firm.uscc, "name": firm.name, "address": firm.address}]
        task = enforcement.make_task(subjects=subjects, department="ZFJ", type="RANDOM", title=LOADED, due_at=due)
        for step in (enforcement.dispatch, enforcement.accept, enforcement.begin, self._visit):
            step(task["taskId"])

    def _visit(self, task_id: str) -> None:
        task = self._enforcement.tasks.current(task_id)
        visit = self._planned(task)
        if visit.outcome == "transferred":
            self._enforcement.transfer(task_id, to="金华市有关单位")
        else:
            self._enforcement.finish(task_id, [self._result(task, visit)])

    def _planned(self, task: Document) -> Visit:
        """Return what this task comes to."""
        origin = task["origin"] or {}
        platform, ref = origin.get("platform"), origin.get("ref", "")
        if task["type"] == "RECHECK":
            visit, item = self._plan.recheck(ref), self._ordered(ref)
            return Visit("nonconform", ({"itemCode": item},)) if visit.outcome == "unmended" and item else Visit("conform")
        if platform == "approval" and (record := self._approval.store.get("record", ref)) is not None:
            person, commitment = record["SQRLX"] == "2", task["type"] == "COMMITMENT"
            return self._plan.check(ref, record["BMBM"], person=person, commitment=commitment)
        if platform == "grid" and (number := self._towns.number(ref)) is not None:
            return self._plan.errand(number, self._towns.sending(ref), task["department"])
        return Visit("nonconform", (_SMALL_FINDING,)) if task["title"] == LOADED and not origin else Visit("conform")

    def _result(self, task: Document, visit: Visit) -> Document:
        origin = task["origin"] or {}
        platform, ref = origin.get("platform"), origin.get("ref", "")
        if visit.outcome == "unreachable":
            return {"conclusion": "UNREACHABLE", "photos": [], "signedBySubject": False, "remarks": "现场无人"}
        result: Document = {"conclusion": visit.outcome.upper(), "findings": list(visit.findings), "remarks": "现场检查"}
        if visit.rectification:
            order = f"ZG-{ref}-{self._towns.sending(ref)}" if platform == "grid" else f"ZG-{ref}"
            deadline = self._enforcement.now() + timedelta(days=2)
            result["rectification"] = {"orderNo": order, "deadline": deadline.isoformat(timespec="seconds")}
        number = self._towns.number(ref) if platform == "grid" else None
        if visit.outcome == "nonconform" and number is not None:
            firm = self._plan.occupier(number)  # the town names nobody; the officers find out who it is
            result |= {"subjectCode": firm.uscc, "subjectName": firm.name}
        if task["type"] == "SPECIAL" and platform == "enforcement":
            result["caseNo"] = f"AJ-{ref}"
        return result

    def _ordered(self, order: str) -> str | None:
        """Return the first item that a rectification order is about, None for an order that no result names."""
        for task in self._enforcement.store.all("task").values():
            for result in task["results"]:
                if (result["rectification"] or {}).get("orderNo") == order:
                    return next((str(finding["itemCode"]) for finding in result["findings"] if not finding["conform"]), None)
        return None


def _corrected(result: Document, visit: Visit) -> Document:
    """Return a result as it is corrected: with one more finding, or other words; nothing is taken back."""
    corrected = {**result, "remarks": f"{_CORRECTED}：{result['remarks']}"}
    if visit.later == "finding":
        corrected |= {"findings": [*result["findings"], visit.added], "conclusion": "NONCONFORM"}
    return corrected
