"""What front ends ask for through the graph, kept as records of the hub's own: rules derive from them as from all others (下达事项).

A request is made once under the number that its sender gives it; its source is "hub" and its version 1.
"""

from enum import Enum
from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Personal, Says, to_many, to_one
from schema.entities.identity import TO_SUBJECT
from schema.entity import Mirrored, entity


class FiguresConclusion(Enum):
    """What the on-line check of reported figures came to (核查结论)."""

    CONFORM = "CONFORM"
    NONCONFORM = "NONCONFORM"


@entity(
    "A joint random inspection that was asked for", "双随机联合检查下达", key="request_no", seen=BelongsTo(department="departments")
)
class CampaignRequest(Mirrored, frozen=True):
    """Becomes a campaign on the enforcement platform, once; pool and number stand here, the draw's seed in the campaign."""

    request_no: Annotated[str, Says("Number that its sender gave it", "下达编号")]
    title: Annotated[str, Says("Title", "标题")]
    departments: Annotated[tuple[str, ...], Says("Departments, the first in charge", "部门")]
    industry: Annotated[str | None, Indexed(), Says("Industry of the pool", "行业")]
    town: Annotated[str | None, Indexed(), Says("Town of the pool", "镇街")]
    grades: Annotated[tuple[str, ...], Says("Credit grades of the pool; none: all", "信用等级")]
    subjects: Annotated[int, Says("How many subjects are drawn", "抽取数")]
    officers_per_task: Annotated[int, Says("Officers drawn for each", "每组人数")]
    due_at: Annotated[Instant, Indexed(), Says("To be done by", "截止时间")]
    requested_by: Annotated[str, Says("Who asked for it", "下达人")]
    requested_at: Annotated[Instant, Indexed(), Says("When", "下达时间")]
    external_no: Annotated[str, Indexed(), Says("Our number of the campaign there", "外部编号")]

    campaign = to_one("Campaign", "What was drawn", "联合检查", ours="external_no", theirs="external_no")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="request_no", theirs="cause")


@entity("A notice or law that was to be pushed", "通知推送下达", key="request_no", seen=BelongsTo(department="department_code"))
class NoticeRequest(Mirrored, frozen=True):
    """Becomes one notice for each subject, or one for all of an industry."""

    request_no: Annotated[str, Says("Number that its sender gave it", "下达编号")]
    subject_codes: Annotated[tuple[str, ...], Says("Chosen subjects; none: all of the industry", "监管对象编码")]
    industry: Annotated[str | None, Indexed(), Says("Industry", "行业")]
    title: Annotated[str, Says("Title", "标题")]
    content: Annotated[str, Personal("text"), Says("Text", "内容")]
    department_code: Annotated[str, Indexed(), Says("Department that issues it", "部门")]
    requested_by: Annotated[str, Says("Who asked for it", "下达人")]
    requested_at: Annotated[Instant, Indexed(), Says("When", "下达时间")]

    department = to_one("Department", "Department that issues it", "部门", ours="department_code", theirs="code")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="request_no", theirs="cause")


@entity(
    "An on-line check of figures that a subject reported",
    "申报数据在线核查",
    key="check_no",
    seen=BelongsTo(department="department_code"),
)
class FiguresCheck(Mirrored, frozen=True):
    """Of one report at one time of updating; `inspect` asks for a special check on site where the figures do not hold."""

    check_no: Annotated[str, Says("Report and its time of updating", "核查编号")]
    report_no: Annotated[str, Indexed(), Says("Report", "自治结果编号")]
    subject_code: Annotated[str, Indexed(), Says("USCC of the subject", "统一社会信用代码")]
    conclusion: Annotated[FiguresConclusion, Indexed(), Says("Whether the figures hold", "核查结论")]
    remarks: Annotated[str | None, Personal("text"), Says("Remarks", "备注")]
    department_code: Annotated[str, Indexed(), Says("Department that checked", "部门")]
    inspect: Annotated[bool, Says("Whether a check on site is wanted", "是否现场检查")]
    checked_by: Annotated[str, Says("Who checked", "核查人")]
    checked_at: Annotated[Instant, Indexed(), Says("When", "核查时间")]

    report = to_one("SelfReport", "The report", "自治结果", ours="report_no", theirs="report_no")
    subject = to_one("Subject", "Whose figures", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="check_no", theirs="cause")
