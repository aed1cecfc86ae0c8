"""A check on site with its results and findings, as the enforcement platform keeps it (检查任务)."""

from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated

import msgspec

from schema.declare import BelongsTo, Indexed, Instant, Personal, Says, SeenWith, Step, to_many, to_one
from schema.entities.identity import TO_SUBJECT
from schema.entity import Mirrored, entity
from schema.identifiers import is_record_number


class TaskType(Enum):
    """Why a check is made (任务类型)."""

    COMMITMENT = "COMMITMENT"
    APPROVAL = "APPROVAL"
    GRID = "GRID"
    RECHECK = "RECHECK"
    RANDOM = "RANDOM"
    SPECIAL = "SPECIAL"


class TaskStatus(Enum):
    """Where a check stands (任务状态)."""

    PENDING = "PENDING"
    DISPATCHED = "DISPATCHED"
    ACCEPTED = "ACCEPTED"
    IN_PROGRESS = "IN_PROGRESS"
    DONE = "DONE"
    CANCELLED = "CANCELLED"
    TRANSFERRED = "TRANSFERRED"


class Conclusion(Enum):
    """What a check concludes about one subject (检查结论)."""

    CONFORM = "CONFORM"
    NONCONFORM = "NONCONFORM"
    UNREACHABLE = "UNREACHABLE"


class Severity(Enum):
    """How grave a finding is (严重程度)."""

    MINOR = "MINOR"
    GENERAL = "GENERAL"
    MAJOR = "MAJOR"
    SERIOUS = "SERIOUS"


class Officer(msgspec.Struct, frozen=True, kw_only=True):
    """Someone who carries out a check (执法人员)."""

    id: Annotated[str, Says("Officer's id", "人员编号")]
    name: Annotated[str, Says("Name", "姓名")]
    department: Annotated[str, Says("Department code", "部门")]
    is_head: Annotated[bool, Says("Whether a head of the department", "是否领导")]


class Photo(msgspec.Struct, frozen=True, kw_only=True):
    """A picture taken at a check (现场照片)."""

    url: Annotated[str, Says("Address of the picture", "地址")]
    taken_at: Annotated[datetime | None, Says("When it was taken", "拍摄时间")]


@entity(
    "An on-site check",
    "核查任务",
    key="task_id",
    indexes=(
        ("department_code", "status"),
        ("status", "updated_at"),
        ("origin_ref", "origin_platform", "status", "version"),
    ),
    live=is_record_number,
    seen=BelongsTo(department="department_code", taking_part="participants"),
)
class VerificationTask(Mirrored, frozen=True):
    """Enforcement platform, task. `external_no` is null for the platform's own tasks."""

    task_id: Annotated[str, Says("Task id", "任务编号")]
    external_no: Annotated[str | None, Indexed(), Says("Number of the one who ordered it", "外部编号")]
    type: Annotated[TaskType, Indexed(), Says("Why the check is made", "任务类型")]
    title: Annotated[str, Personal("text"), Says("Title", "标题")]
    origin_platform: Annotated[str | None, Says("Platform that caused it", "来源平台")]
    origin_ref: Annotated[str | None, Says("That platform's own number", "来源编号")]
    urgency: Annotated[int, Says("1 most urgent to 4", "紧急程度")]
    status: Annotated[TaskStatus, Says("Where it stands", "任务状态")]
    department_code: Annotated[str, Says("Department in charge", "部门")]
    participants: Annotated[tuple[str, ...], Says("Departments taking part", "参与部门")]
    officers: Annotated[tuple[Officer, ...], Says("Who carries it out", "执法人员")]
    led_by_head: Annotated[bool, Indexed(), Says("Whether a head leads it", "领导带队")]
    campaign_id: Annotated[str | None, Indexed(), Says("Joint inspection that drew it", "联合检查编号")]
    due_at: Annotated[Instant, Indexed(), Says("To be done by", "截止时间")]
    created_at: Annotated[Instant, Indexed(), Says("When it was made", "创建时间")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间")]

    approval = to_one("Approval", "Approval that caused it", "审批办件", ours="origin_ref", theirs="approval_no", polymorphic=True)
    grid_event = to_one(
        "GridEvent", "Grid event that caused it", "网格事件", ours="origin_ref", theirs="event_no", polymorphic=True
    )
    campaign = to_one("Campaign", "Joint inspection that drew it", "联合检查", ours="campaign_id", theirs="campaign_id")
    department = to_one("Department", "Department in charge", "部门", ours="department_code", theirs="code")
    results = to_many("TaskResult", "What it concluded, one a subject", "检查结果", ours="task_id", theirs="task_id")
    findings = to_many("Finding", "All findings of all results", "检查结果项", ours="task_id", theirs="task_id")
    credit_records = to_many("CreditRecord", "Records that stand on it", "信用记录", ours="task_id", theirs="evidence_ref")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="task_id", theirs="cause")


@entity(
    "What a check concluded about one subject",
    "检查结果",
    key="result_id",
    indexes=(("conclusion", "task_id", "version"),),
    part_of=("VerificationTask", "task_id"),
    seen=SeenWith("VerificationTask", "task_id", "task_id"),
)
class TaskResult(Mirrored, frozen=True):
    """Part of a task; `result_id` is `<task id>/<index>` with the index in the platform's order, from 0."""

    result_id: Annotated[str, Says("Task id and index", "结果编号")]
    task_id: Annotated[str, Says("Task", "任务编号")]
    subject_code: Annotated[str | None, Indexed(), Says("USCC or RID code; null while nobody is known", "监管对象编码")]
    subject_name: Annotated[str | None, Personal("text"), Says("Subject's name", "监管对象名称")]
    conclusion: Annotated[Conclusion, Says("Conclusion", "检查结论")]
    checked_at: Annotated[Instant | None, Indexed(), Says("When it was checked", "检查时间")]
    order_no: Annotated[str | None, Indexed(), Says("Rectification order", "责令整改编号")]
    order_deadline: Annotated[Instant | None, Says("To be mended by", "整改期限")]
    case_no: Annotated[str | None, Says("Penalty case", "立案编号")]
    transferred_to: Annotated[str | None, Personal("text"), Says("Outside unit it went to", "移送单位")]
    photos: Annotated[tuple[Photo, ...], Says("Pictures", "照片")]
    signed_by_subject: Annotated[bool, Says("Signed by the subject", "当事人签字")]
    signed_by_officers: Annotated[bool, Says("Signed by the officers", "执法人员签字")]
    remarks: Annotated[str | None, Personal("text"), Says("Remarks", "备注")]

    subject = to_one("Subject", "Whom it is about", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    task = to_one("VerificationTask", "The check", "核查任务", ours="task_id", theirs="task_id")
    findings = to_many("Finding", "Items checked", "检查结果项", ours="result_id", theirs="result_id")


@entity(
    "One item of a check, conforming or not",
    "检查结果项",
    key="finding_id",
    part_of=("VerificationTask", "task_id"),
    seen=SeenWith("VerificationTask", "task_id", "task_id"),
)
class Finding(Mirrored, frozen=True):
    """Part of a task; its id is unique on the platform and kept over all versions of a result."""

    finding_id: Annotated[str, Says("Finding id", "检查结果项编号")]
    task_id: Annotated[str, Says("Task", "任务编号")]
    result_id: Annotated[str, Indexed(), Says("Result that it belongs to", "结果编号")]
    item_code: Annotated[str, Indexed(), Says("Inspection item", "检查事项编码")]
    item_name: Annotated[str, Says("Name of the item", "检查事项名称")]
    conform: Annotated[bool, Indexed(), Says("Whether it conforms", "是否合格")]
    points: Annotated[Decimal | None, Step(Decimal("0.1")), Says("Points, where the finding names them", "扣分")]
    severity: Annotated[Severity | None, Says("Severity, where the finding names it", "严重程度")]
    note: Annotated[str | None, Personal("text"), Says("Note", "说明")]

    result = to_one("TaskResult", "Result that it belongs to", "检查结果", ours="result_id", theirs="result_id")
    task = to_one("VerificationTask", "The check", "核查任务", ours="task_id", theirs="task_id")
    credit_records = to_many("CreditRecord", "Records that stand on it", "信用记录", ours="finding_id", theirs="evidence_finding")
