"""What the enforcement platform keeps beside tasks: coordinations, campaigns, key subjects, departments, items (行政执法监管平台)."""

from decimal import Decimal
from enum import Enum
from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Personal, Says, Shared, Step, to_many, to_one
from schema.entities.identity import TO_SUBJECT
from schema.entities.task import Severity
from schema.entity import Mirrored, entity


class CoordinationStatus(Enum):
    """Where a coordination stands at the department (协管状态)."""

    ISSUED = "ISSUED"
    HANDLED = "HANDLED"


@entity(
    "A department asks a town's grid for help", "部门协管事件", key="coordination_id", seen=BelongsTo(department="department_code")
)
class Coordination(Mirrored, frozen=True):
    """Enforcement platform, coordination."""

    coordination_id: Annotated[str, Says("Coordination id", "协管编号")]
    department_code: Annotated[str, Indexed(), Says("Department that asks", "部门")]
    town: Annotated[str, Indexed(), Says("Town", "镇街")]
    category: Annotated[str, Says("Category", "类别")]
    content: Annotated[str, Personal("text"), Says("What is asked", "内容")]
    due_at: Annotated[Instant, Says("To be handled by", "办理期限")]
    status: Annotated[CoordinationStatus, Indexed(), Says("Where it stands", "状态")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间")]

    department = to_one("Department", "Department that asks", "部门", ours="department_code", theirs="code")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="coordination_id", theirs="cause")


@entity(
    "A joint inspection with subjects and officers drawn at random",
    "跨部门双随机联合检查",
    key="campaign_id",
    seen=BelongsTo(department="departments"),
)
class Campaign(Mirrored, frozen=True):
    """Enforcement platform, campaign; the seed and the pool let the draw be checked."""

    campaign_id: Annotated[str, Says("Campaign id", "联合检查编号")]
    external_no: Annotated[str | None, Indexed(), Says("Number of the one who ordered it", "外部编号")]
    title: Annotated[str, Says("Title", "标题")]
    departments: Annotated[tuple[str, ...], Says("Departments, the first in charge", "部门")]
    seed: Annotated[str, Says("Seed of the draw", "随机种子")]
    industry: Annotated[str | None, Says("Industry of the pool", "行业")]
    town: Annotated[str | None, Says("Town of the pool", "镇街")]
    grades: Annotated[tuple[str, ...], Says("Credit grades of the pool; none: all, or not told", "信用等级")]
    drawn_subjects: Annotated[tuple[str, ...], Says("Subjects drawn", "抽取对象")]
    task_ids: Annotated[tuple[str, ...], Says("Tasks drawn", "任务")]

    request = to_one("CampaignRequest", "Who asked for it through the hub", "下达", ours="external_no", theirs="external_no")
    tasks = to_many("VerificationTask", "One task a drawn subject", "检查任务", ours="campaign_id", theirs="campaign_id")


@entity("A subject to be watched more closely", "重点监管对象", key="code", seen=Shared())
class KeySubject(Mirrored, frozen=True):
    """Enforcement platform, key supervision list. `since` is a date, `yyyy-MM-dd`."""

    code: Annotated[str, Says("USCC or RID code", "统一社会信用代码或个人编码")]
    reason: Annotated[str, Says("All open causes", "原因")]
    since: Annotated[str, Says("Date since when, yyyy-MM-dd", "起始日期")]
    ref: Annotated[str, Says("Number of the newest cause", "依据编号")]

    subject = to_one("Subject", "Who is watched", "监管对象", ours="code", theirs="code", through=TO_SUBJECT)


@entity("An enforcement department", "部门", key="code", seen=Shared())
class Department(Mirrored, frozen=True):
    """Published by the enforcement platform, completed by policy (departments.csv)."""

    code: Annotated[str, Says("Department code, the same on all platforms", "部门编码")]
    name: Annotated[str, Says("Name", "部门名称")]

    approvals = to_many("Approval", "Approvals it decides", "审批办件", ours="code", theirs="department_code")
    tasks = to_many("VerificationTask", "Checks in its charge", "核查任务", ours="code", theirs="department_code")


@entity("An item that a check looks at", "检查事项", key="item_code", seen=Shared())
class InspectionItem(Mirrored, frozen=True):
    """Published by the enforcement platform, completed by policy (items.csv)."""

    item_code: Annotated[str, Says("Item code", "检查事项编码")]
    item_name: Annotated[str, Says("Name", "检查事项名称")]
    points: Annotated[Decimal | None, Step(Decimal("0.1")), Says("Points it costs", "扣分")]
    severity: Annotated[Severity | None, Says("Severity", "严重程度")]

    findings = to_many("Finding", "Findings on it", "检查结果项", ours="item_code", theirs="item_code")


@entity("A kind of approval", "审批事项", key="code", seen=Shared())
class Matter(Mirrored, frozen=True):
    """From policy (matters.csv): the approval system publishes no list."""

    code: Annotated[str, Says("Matter code", "事项编码")]
    name: Annotated[str, Says("Name", "事项名称")]
    department_code: Annotated[str, Indexed(), Says("Department in charge", "部门")]
    commitment_allowed: Annotated[bool, Indexed(), Says("Whether commitment may replace the check before", "可告知承诺")]
    live: Annotated[bool, Says("Whether commitment is offered today", "已开通")]

    department = to_one("Department", "Department in charge", "部门", ours="department_code", theirs="code")
    approvals = to_many("Approval", "Approvals of this kind", "审批办件", ours="code", theirs="matter_code")
