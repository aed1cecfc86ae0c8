"""What counts as a breach (失信), and what it costs. Pure; asked by rules/breach_record.py.

In a check on commitment the result as a whole counts, in every other check each finding that does not conform. A recheck and
a referral take no points a second time. UNREACHABLE is no breach, whatever stands beside it.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import NamedTuple

from hub.domain.calendar import beijing_day
from hub.domain.errors import DomainError
from hub.domain.points import points_for
from hub.domain.policy import Policy
from hub.domain.policy_values import Item
from hub.mirror.ops_list import Trouble
from hub.mirror.queries import Check
from schema.entities import (
    Approval,
    Conclusion,
    Finding,
    InspectionItem,
    RecordCategory,
    TaskResult,
    TaskStatus,
    TaskType,
    VerificationTask,
)

SAID = frozenset({TaskStatus.DONE, TaskStatus.TRANSFERRED})
"""Where a check stands when what it found counts."""


class Breach(NamedTuple):
    """One breach of a check, before it is known whose record it becomes. Points are None where nothing names any."""

    key: str
    result: TaskResult
    category: RecordCategory
    points: Decimal | None
    item_code: str
    item_name: str
    finding: str | None = None


class Measures(NamedTuple):
    """What points are taken by; `made` are those that records were made with before, by key: they stay."""

    policy: Policy
    items: Mapping[str, InspectionItem]
    made: Mapping[str, Decimal]


def key_for(cause: str) -> str:
    """Return the key of the record that a finding, or an approval's broken commitment, must leave."""
    return f"breach-record:{cause}"


def commitment_key(task: VerificationTask) -> str:
    """Return the key of the record that a check on commitment may lead to: once an approval."""
    return key_for(task.origin_ref or task.task_id)


def keys_of(check: Check) -> Iterable[str]:
    """Return the keys of all records that a check may lead to."""
    if check.task.type is TaskType.COMMITMENT:
        return [commitment_key(check.task)]
    return [key_for(finding.finding_id) for finding in check.findings]


def breaches_of(check: Check, approval: Approval | None, by: Measures, troubles: list[Trouble]) -> Iterable[Breach]:
    """Yield the breaches of a finished check; add what only a person can settle to `troubles`."""
    troubles += [_unreachable(check.task, one) for one in check.results if one.conclusion is Conclusion.UNREACHABLE]
    if check.task.type is TaskType.COMMITMENT:
        yield from _broken_commitment(check, approval, by)
    elif check.task.type is not TaskType.RECHECK and not is_referral(check.task):
        for result in check.results:
            if result.conclusion is not Conclusion.UNREACHABLE:
                yield from _bad_findings(check, result, by, troubles)


def is_referral(task: VerificationTask) -> bool:
    """Return whether a recheck led to it (enforcement.md, origin)."""
    return task.type is TaskType.SPECIAL and task.origin_platform == "enforcement" and task.origin_ref is not None


def _broken_commitment(check: Check, approval: Approval | None, by: Measures) -> Iterable[Breach]:
    bad = next((one for one in check.results if one.conclusion is Conclusion.NONCONFORM), None)
    if bad is not None:
        key = commitment_key(check.task)
        matter = (approval.matter_code, approval.matter_name) if approval else ("", "")
        points = by.made.get(key, by.policy.points.commitment_breach)
        yield Breach(key, bad, RecordCategory.COMMITMENT_BREACH, points, *matter)


def _bad_findings(check: Check, result: TaskResult, by: Measures, troubles: list[Trouble]) -> Iterable[Breach]:
    bad = [one for one in check.findings if one.result_id == result.result_id and not one.conform]
    if result.conclusion is Conclusion.NONCONFORM and not bad:
        troubles.append(_nothing_named(check.task, result))
    for finding in bad:
        key, points = key_for(finding.finding_id), None
        severity = finding.severity.value if finding.severity else None
        try:
            points = points_for(finding.points, _item(check.task, result, finding, by), severity, by.policy)
        except DomainError as problem:
            troubles.append(_no_points(finding, problem))
        if finding.points is None:
            points = by.made.get(key, points)
        yield Breach(
            key, result, RecordCategory.REGULATORY_POINTS, points, finding.item_code, finding.item_name, finding.finding_id
        )


def _item(task: VerificationTask, result: TaskResult, finding: Finding, by: Measures) -> Item | None:
    """Return the item's points and severity: where platform and policy both speak of one, the platform wins."""
    policy = by.policy.item(finding.item_code, beijing_day(result.checked_at or task.updated_at))
    said = by.items.get(finding.item_code)
    if said is None or said.source != finding.source:  # policy's own rows are in the mirror too, without their dates
        return policy
    points, severity = said.points, said.severity.value if said.severity else None
    if policy is not None:
        points, severity = policy.points if points is None else points, severity or policy.severity
    return Item(code=said.item_code, name=said.item_name, department="", points=points, severity=severity)


def _unreachable(task: VerificationTask, result: TaskResult) -> Trouble:
    return Trouble(
        kind="unreachable",
        cause=task.task_id,
        subject_code=result.subject_code,
        distinct=result.result_id,
        message=f"task {task.task_id}: nobody reached at {result.subject_name or 'the subject'}; decide how to go on",
    )


def _nothing_named(task: VerificationTask, result: TaskResult) -> Trouble:
    return Trouble(
        kind="nonconform-without-findings",
        cause=task.task_id,
        subject_code=result.subject_code,
        distinct=result.result_id,
        message=f"task {task.task_id}: does not conform, but lists no finding; ask {task.department_code} to correct the result",
    )


def _no_points(finding: Finding, problem: DomainError) -> Trouble:
    return Trouble(
        kind="unknown-points",
        cause=finding.finding_id,
        message=f"finding {finding.finding_id} on item {finding.item_code}: {problem}",
        distinct=finding.item_code,
    )
