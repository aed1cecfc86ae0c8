"""What the tests of orders to mend share: a check that gives an order, and the recheck of that order."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from hub.mirror.queries import Check
from hub.reconcile.rules import penalty_referral, recheck
from schema.entities import Conclusion, TaskStatus, TaskType, VerificationTask
from schema.identifiers import outgoing_number
from tests.builders import task, task_result
from tests.settable_clock import BEIJING
from tests.unit.reconcile.city import bad

ORDER = "ZG-0001"
DEADLINE = datetime(2019, 9, 4, 18, tzinfo=BEIJING)  # a Wednesday
RECHECK_KEY = recheck.key_for(ORDER)
RECHECK_ID = "T-RECHECK"
REFERRAL_KEY = penalty_referral.key_for(RECHECK_ID)


def finished(
    of: VerificationTask,
    items: Sequence[str],
    conclusion: Conclusion = Conclusion.NONCONFORM,
    **fields: Any,
) -> Check:
    """A finished check with one result, and a finding for each item that does not conform."""
    result_id = f"{of.task_id}/0"
    whole = {"task_id": of.task_id, "version": of.version, "result_id": result_id}
    findings = [bad(f"F-{of.task_id}-{item}", item_code=item, **whole) for item in items]
    return Check(of, [task_result(conclusion=conclusion, **whole | fields)], findings)


def ordering(
    *items: str,
    task_id: str = "T-ORDER",
    version: int = 1,
    order: str | None = ORDER,
    deadline: datetime | None = DEADLINE,
    of: dict[str, Any] | None = None,
    **fields: Any,
) -> Check:
    """A check of the platform's own that told a shop to mend these items, WH-001 if none is named."""
    own = {"external_no": None, "origin_platform": None, "origin_ref": None, "type": TaskType.SPECIAL, "urgency": 2}
    given = task(**{"task_id": task_id, "version": version, "status": TaskStatus.DONE} | own | (of or {}))
    return finished(given, items or ("WH-001",), **{"order_no": order, "order_deadline": deadline if order else None} | fields)


def recheck_task(**fields: Any) -> VerificationTask:
    """The recheck of the order, with our number, not begun."""
    mine = {
        "task_id": RECHECK_ID,
        "external_no": outgoing_number("RC", RECHECK_KEY),
        "type": TaskType.RECHECK,
        "origin_platform": "enforcement",
        "origin_ref": ORDER,
    }
    return task(**mine | fields)


def rechecked(*items: str, conclusion: Conclusion | None = None, of: dict[str, Any] | None = None, **fields: Any) -> Check:
    """The finished recheck of the order, with the items that it found not to conform."""
    given = recheck_task(**{"status": TaskStatus.DONE, "version": 2} | (of or {}))
    return finished(given, items, conclusion or (Conclusion.NONCONFORM if items else Conclusion.CONFORM), **fields)


def referral_task(**fields: Any) -> VerificationTask:
    """The task of the case unit that the recheck led to, with our number."""
    mine = {
        "task_id": "T-REFERRAL",
        "external_no": outgoing_number("PR", REFERRAL_KEY),
        "type": TaskType.SPECIAL,
        "origin_platform": "enforcement",
        "origin_ref": RECHECK_ID,
        "department_code": "ZFJ",
    }
    return task(**mine | fields)
