"""What the credit-information platform keeps: profiles, records and repairs (信用信息)."""

from decimal import Decimal
from enum import Enum
from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Says, SeenWith, Shared, Step, to_many, to_one
from schema.entities.identity import TO_SUBJECT
from schema.entities.subject import CodeType
from schema.entity import Mirrored, entity
from schema.identifiers import is_subject_code

Points = Step(Decimal("0.1"))
"""Points travel with exactly one decimal; regulatory points move in halves."""


class Grade(Enum):
    """The platform's own judgement of a subject; never computed here (信用等级)."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"
    E = "E"


class RecordCategory(Enum):
    """What kind of credit record a breach leaves (信用记录类别)."""

    COMMITMENT_BREACH = "COMMITMENT_BREACH"
    REGULATORY_POINTS = "REGULATORY_POINTS"
    COMPREHENSIVE_DEDUCTION = "COMPREHENSIVE_DEDUCTION"
    RESPONSIBLE_PERSON = "RESPONSIBLE_PERSON"


class RepairWay(Enum):
    """How points are restored (修复方式)."""

    SELF_CHECK = "SELF_CHECK"
    SELF_REPORT = "SELF_REPORT"
    STUDY = "STUDY"
    EXAM = "EXAM"


@entity("Comprehensive score and grade of a subject", "综合信用分与信用等级", key="code", seen=Shared(), live=is_subject_code)
class CreditProfile(Mirrored, frozen=True):
    """Credit platform, subject. `old_codes` are earlier numbers of the same subject."""

    code: Annotated[str, Says("USCC or RID code", "统一社会信用代码或个人编码")]
    code_type: Annotated[CodeType, Says("What the code is", "编码类型")]
    name: Annotated[str, Says("Name", "名称")]
    score: Annotated[Decimal, Points, Indexed(), Says("Comprehensive credit score", "综合信用分")]
    grade: Annotated[Grade, Indexed(), Says("Grade, the platform's own judgement", "信用等级")]
    regulatory_points: Annotated[Decimal, Points, Indexed(), Says("Regulatory points in the running period", "监管信用扣分")]
    old_codes: Annotated[tuple[str, ...], Says("Earlier numbers of the subject", "原注册号")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间")]

    subject = to_one("Subject", "Whose profile it is", "监管对象", ours="code", theirs="code", through=TO_SUBJECT)
    records = to_many("CreditRecord", "The records behind it", "信用记录", ours="code", theirs="subject_code")


@entity(
    "What a breach leaves on the credit platform",
    "信用记录",
    key="record_id",
    indexes=(("subject_code", "occurred_at"),),
    seen=BelongsTo(department="department_code", region="region"),
)
class CreditRecord(Mirrored, frozen=True):
    """Credit platform, record. `biz_no` is the number of the one who posted it: ours begin with our rule's prefix."""

    record_id: Annotated[str, Says("Record id", "记录编号")]
    biz_no: Annotated[str, Indexed(), Says("Number of the sender", "业务编号")]
    subject_code: Annotated[str, Says("USCC or RID code", "统一社会信用代码或个人编码")]
    category: Annotated[RecordCategory, Indexed(), Says("Kind of record", "记录类别")]
    points: Annotated[Decimal, Points, Says("Points taken", "扣分")]
    open_points: Annotated[Decimal, Points, Says("Points not yet repaired", "未修复分")]
    item_code: Annotated[str, Indexed(), Says("Matter, inspection item, DOZEN or SERIOUS", "事项")]
    item_name: Annotated[str, Says("Name of the item", "事项名称")]
    occurred_at: Annotated[Instant, Indexed(), Says("When the breach was found", "发生时间")]
    department_code: Annotated[str, Indexed(), Says("Department that found it", "部门")]
    region: Annotated[str, Says("Region code", "行政区划")]
    evidence_platform: Annotated[str | None, Says("Platform of the evidence", "证据平台")]
    evidence_ref: Annotated[str | None, Indexed(), Says("Task that is the evidence", "核查任务编号")]
    evidence_finding: Annotated[str | None, Indexed(), Says("Finding that is the evidence", "检查结果项编号")]
    caused_by: Annotated[str | None, Indexed(), Says("bizNo of the causing record", "起因记录")]
    created_at: Annotated[Instant, Indexed(), Says("When the platform accepted it", "创建时间")]
    updated_at: Annotated[Instant, Says("When the platform last changed it", "更新时间")]
    cancelled: Annotated[bool, Says("Taken back by an operator", "已撤销")]

    subject = to_one("Subject", "Whose record it is", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    profile = to_one("CreditProfile", "Score and grade", "综合信用", ours="subject_code", theirs="code")
    task = to_one(
        "VerificationTask", "Check that found the breach", "核查任务", ours="evidence_ref", theirs="task_id", polymorphic=True
    )
    finding = to_one("Finding", "Finding that it stands for", "检查结果项", ours="evidence_finding", theirs="finding_id")
    department = to_one("Department", "Department that found it", "部门", ours="department_code", theirs="code")
    repairs = to_many("Repair", "What was restored of it", "信用修复", ours="record_id", theirs="record_id")


@entity("Points restored to a subject", "信用修复", key="repair_id", seen=SeenWith("CreditRecord", "record_id", "record_id"))
class Repair(Mirrored, frozen=True):
    """Credit platform, repair."""

    repair_id: Annotated[str, Says("Repair id", "修复编号")]
    biz_no: Annotated[str, Indexed(), Says("Number of the sender", "业务编号")]
    record_id: Annotated[str, Indexed(), Says("Record that it repairs", "记录编号")]
    points: Annotated[Decimal, Points, Says("Points restored", "修复分")]
    way: Annotated[RepairWay, Indexed(), Says("How", "修复方式")]
    completed_at: Annotated[Instant, Indexed(), Says("When it was completed", "完成时间")]
    created_at: Annotated[Instant, Says("When the platform accepted it", "创建时间")]

    record = to_one("CreditRecord", "Record that it repairs", "信用记录", ours="record_id", theirs="record_id")
