"""The records that every server is given: 50 approvals with subject, profile, credit records, check, result and findings.

Two forms: observations for a mirror (hub and PostGraphile read the same tables), and plain lists for servers that keep them in
memory. The second is made from the records, never from an answer of the hub.
"""

from collections import defaultdict
from decimal import Decimal
from typing import Any

import msgspec
from strawberry.utils.str_converters import to_camel_case

from schema.entities import TaskStatus
from schema.entity import Entity, Observation
from tests.builders import approval, credit_profile, credit_record, finding, observed, task, task_result

APPROVALS, EACH = 50, 2
"""Approvals, and how many credit records and findings hang on each."""
POINTS = (Decimal("2.5"), Decimal("0.0"))
"""What a finding costs that does not conform, and one that does."""


def observations() -> list[Observation]:
    """Return what platforms said; by its key each approval comes before those of tests/bench/million_approvals.py."""
    made: list[Observation] = []
    for at in range(APPROVALS):
        code, approval_no, task_id = f"91330782MA28{at:05}0", f"A0{at:09}", f"T0{at:09}"
        result_id, name = f"{task_id}/0", f"义乌市第{at}印刷有限公司"
        findings = [
            finding(finding_id=f"F{at:06}-{n}", task_id=task_id, result_id=result_id, conform=n > 0, points=POINTS[n > 0])
            for n in range(EACH)
        ]
        result = task_result(result_id=result_id, task_id=task_id, subject_code=code, subject_name=name)
        made += [
            observed(approval(approval_no=approval_no, subject_code=code, applicant_name=name)),
            observed(credit_profile(code=code, name=name, score=Decimal(700 + at).scaleb(-1), old_codes=())),
            observed(
                task(task_id=task_id, external_no=f"AV{at:040}", origin_ref=approval_no, status=TaskStatus.DONE), result, *findings
            ),
            *(observed(credit_record(record_id=f"R{at:06}-{n}", biz_no=f"BR{at:040}-{n}", subject_code=code)) for n in range(EACH)),
        ]
    return made


def in_memory() -> dict[str, list[dict[str, Any]]]:
    """Return the same records as plain lists, by entity, in the order of their keys; names in camelCase, as in the graph."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for observation in observations():
        for record in (observation.record, *observation.parts):
            told[type(record).__name__].append(_plain(record))
    told["Subject"] = [{name: each[name] for name in ("code", "codeType", "name")} for each in told["CreditProfile"]]
    return told


def _plain(record: Entity) -> dict[str, Any]:
    return {to_camel_case(name): value for name, value in msgspec.to_builtins(record).items()}
