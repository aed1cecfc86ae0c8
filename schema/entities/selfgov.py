"""What subjects do for themselves, and what they are told, as the self-governance system's exchange database keeps it (主体自治)."""

from decimal import Decimal
from enum import Enum
from typing import Annotated

from schema.declare import BelongsTo, Indexed, Instant, Personal, Says, SeenWith, Step, to_many, to_one
from schema.entities.credit import RepairWay
from schema.entities.identity import TO_SUBJECT
from schema.entity import Mirrored, entity

Points = Step(Decimal("0.1"))


class ReportState(Enum):
    """Whether the self-governance system approved it (审核状态, shzt 0, 1, 2)."""

    WAITING = "WAITING"
    APPROVED = "APPROVED"
    REFUSED = "REFUSED"


class ReportMark(Enum):
    """What the hub made of it (处理标志, clbz 0, 1, 9)."""

    NEW = "NEW"
    TAKEN = "TAKEN"
    REFUSED = "REFUSED"


class ScoreState(Enum):
    """Whether points on a subject's own list can still be repaired (扣分状态)."""

    OPEN = "OPEN"
    REPAIRED = "REPAIRED"
    EXPIRED = "EXPIRED"


@entity(
    "A self-check, self-report, study or exam of a subject",
    "自治结果",
    key="report_no",
    indexes=(("state", "mark"), ("subject_code", "completed_at")),
    seen=SeenWith("CreditRecord", "repairs_biz_no", "biz_no"),
)
class SelfReport(Mirrored, frozen=True):
    """Self-governance, zz_result. Its version is gxsj in seconds, times ten, plus clbz: a mark is newer than the row it marks."""

    report_no: Annotated[str, Says("Number of the row", "编号 id")]
    way: Annotated[RepairWay, Indexed(), Says("What was done", "类型 lx")]
    subject_code: Annotated[str, Says("USCC of the subject", "统一社会信用代码 tyshxydm")]
    subject_name: Annotated[str | None, Says("Subject's name", "名称 ztmc")]
    repairs_biz_no: Annotated[str | None, Indexed(), Says("bizNo of the credit record that it repairs", "修复的信用记录 jf_bizno")]
    points: Annotated[Decimal | None, Points, Says("Points to restore", "修复分 xffs")]
    item_code: Annotated[str | None, Indexed(), Says("Item", "事项编码 sxbm")]
    item_name: Annotated[str | None, Says("Name of the item", "事项名称 sxmc")]
    figures: Annotated[str | None, Personal("text"), Says("Reported figures, JSON text as it came", "申报内容 sbnr")]
    completed_at: Annotated[Instant, Indexed(), Says("When it was completed", "完成时间 wcsj")]
    state: Annotated[ReportState, Says("Whether it was approved", "审核状态 shzt")]
    mark: Annotated[ReportMark, Says("What the hub made of it", "处理标志 clbz")]
    mark_reason: Annotated[str | None, Says("Why the hub refused it", "处理说明 clsm")]
    updated_at: Annotated[Instant, Indexed(), Says("When the platform last changed it", "更新时间 gxsj")]

    subject = to_one("Subject", "Whose it is", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    record = to_one("CreditRecord", "Record that it repairs", "信用记录", ours="repairs_biz_no", theirs="biz_no")
    figures_checks = to_many("FiguresCheck", "On-line checks of its figures", "数据核查", ours="report_no", theirs="report_no")
    obligations = to_many("Obligation", "What follows from it", "应办事项", ours="report_no", theirs="cause")


@entity(
    "Points on the list that a subject sees of itself",
    "自治系统扣分清单",
    key="biz_no",
    indexes=(("state", "repair_until"),),
    seen=SeenWith("CreditRecord", "biz_no", "biz_no"),
)
class ScoreEntry(Mirrored, frozen=True):
    """Self-governance, zz_score; the hub writes it. Its version is `updated` in seconds."""

    biz_no: Annotated[str, Says("bizNo of the credit record", "信用记录业务编号 bizno")]
    subject_code: Annotated[str, Indexed(), Says("USCC or RID code", "统一社会信用代码或个人编码 tyshxydm")]
    points: Annotated[Decimal, Points, Says("Points as taken at first", "扣分 points")]
    item_code: Annotated[str, Says("Item", "事项编码 itemcode")]
    item_name: Annotated[str, Says("Name of the item", "事项名称 itemname")]
    occurred_at: Annotated[Instant, Says("When the breach was found", "发生时间 occurred")]
    repair_until: Annotated[Instant, Indexed(), Says("Until when it can be repaired", "修复期限 repair_until")]
    state: Annotated[ScoreState, Says("Whether it can be repaired still", "状态 state")]
    updated_at: Annotated[Instant, Indexed(), Says("When the hub last wrote it", "更新时间 updated")]

    subject = to_one("Subject", "Whose list it is on", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    record = to_one("CreditRecord", "The credit record", "信用记录", ours="biz_no", theirs="biz_no")


@entity(
    "A notice, law or rule pushed to subjects", "推送的通知与法规", key="notice_no", seen=BelongsTo(department="department_code")
)
class Notice(Mirrored, frozen=True):
    """Self-governance, zz_notice; the hub writes it, once. Its version is `issued` in seconds."""

    notice_no: Annotated[str, Says("Our number of it", "编号 notice_no")]
    subject_code: Annotated[str | None, Indexed(), Says("To whom; null for all of an industry", "监管对象编码 tyshxydm")]
    industry: Annotated[str | None, Indexed(), Says("Industry", "行业 industry")]
    title: Annotated[str, Says("Title", "标题 title")]
    content: Annotated[str, Personal("text"), Says("Text", "内容 content")]
    issued_at: Annotated[Instant, Indexed(), Says("When it was issued", "发布时间 issued")]
    department_code: Annotated[str, Indexed(), Says("Department that issued it", "部门 department")]

    subject = to_one("Subject", "To whom", "监管对象", ours="subject_code", theirs="code", through=TO_SUBJECT)
    department = to_one("Department", "Department that issued it", "部门", ours="department_code", theirs="code")
