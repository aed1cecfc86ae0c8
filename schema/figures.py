"""What statistics count: each figure is declared here once, with its exact meaning and the day on which it counts (统计指标).

A mirrored record contributes facts (hub/mirror/statistics/); each is of one `Kind`, lies on one day in Beijing and has a count
and an amount. A figure adds up facts of a kind, or counts how many different values a column of them has. The graph's type
`Figures` is made from this list, and so is docs/statistics.md.
"""

from enum import Enum
from typing import Literal, NamedTuple

from schema.declare import Says
from schema.entities import Procedure, RecordCategory, RepairWay, TaskType


class Kind(Enum):
    """What a fact says. In brackets its day, what its `way` is, and its amount where it has one."""

    APPLICATION = "application"
    """An approval was applied for (accepted; procedure)."""
    GRANT = "grant"
    """An approval is granted (decided; procedure)."""
    BLACKLISTING = "blacklisting"
    """A subject was put on a commitment blacklist (since)."""
    TASK = "task"
    """A check was ordered (created; type)."""
    TASK_DONE = "task-done"
    """A check is done (last checked, else last changed; type; 1 where that was by its deadline)."""
    TASK_CANCELLED = "task-cancelled"
    """A check was cancelled (created; type)."""
    TASK_TRANSFERRED = "task-transferred"
    """A check went to an outside unit (as TASK_DONE; type)."""
    NONCONFORM = "nonconform"
    """A check that is over found a subject not conforming (as TASK_DONE; type)."""
    FINDING = "finding"
    """An item that does not conform, of a check that is over (as TASK_DONE; type)."""
    CASE = "case"
    """A penalty case was filed at a check (as TASK_DONE; type, CAMPAIGN in a joint inspection)."""
    ORDER = "order"
    """A check ordered to rectify (as CASE)."""
    CAMPAIGN_TASK = "campaign-task"
    """A task of a joint inspection (created)."""
    CAMPAIGN_CHECK = "campaign-check"
    """A subject was checked in a joint inspection (checked)."""
    HEADED = "headed"
    """A check that is over was led by a head (as TASK_DONE; type)."""
    HEAD = "head"
    """A department's head led a check; the department is the head's (as TASK_DONE; type)."""
    EVENT = "event"
    """A grid event was reported (reported)."""
    EVENT_SENT = "event-sent"
    """Of these: it was sent to a department (reported)."""
    EVENT_DISPATCHED = "event-dispatched"
    """Of these: a department has taken it, or was given a check for it (reported)."""
    EVENT_CLOSED = "event-closed"
    """Of these: it is handled, closed or transferred (reported; 1 where that was by its limit)."""
    COORDINATION = "coordination"
    """A department asked a town (due: the platform does not say when it was issued)."""
    COORDINATION_HANDLED = "coordination-handled"
    """Of these: the town has handled it (due)."""
    RECORD = "record"
    """A credit record that stands (occurred; category; tenths of points)."""
    REPAIR = "repair"
    """Points were restored (completed; way; tenths of points)."""
    REPORT = "report"
    """A subject did something for itself (completed; way)."""
    KEY_SUBJECT = "key-subject"
    """A subject that is on the key supervision list (since)."""
    NOTICE = "notice"
    """A notice was pushed (issued)."""


CAMPAIGN = "CAMPAIGN"
"""`way` of a case or an order of a joint inspection, whatever its task's type."""

Of = Literal["number", "amount", "subject", "department", "item", "member"]
"""Which number of the facts a figure is: a sum (`number`, `amount`), or how many different values a column has."""

SUMS = frozenset({"number", "amount"})


class Figure(NamedTuple):
    """One number of the statistics. `ways` limits it to facts with one of these; none: all."""

    name: str
    kind: Kind
    of: Of
    says: Says
    ways: tuple[str, ...] = ()
    points: bool = False
    """Whether it is points, kept in tenths."""


def _figure(name: str, kind: Kind, of: Of, en: str, zh: str, *ways: Enum | str, points: bool = False) -> Figure:
    return Figure(name, kind, of, Says(en, zh), tuple(str(way.value) if isinstance(way, Enum) else way for way in ways), points)


BY_COMMITMENT, BY_STANDARD = Procedure.COMMITMENT, Procedure.STANDARD
AFTER_APPROVAL = (TaskType.COMMITMENT, TaskType.APPROVAL)
REGULATORY, BREACH = RecordCategory.REGULATORY_POINTS, RecordCategory.COMMITMENT_BREACH
ACCEPTED = "by the day of acceptance"
DECIDED = "that stand, by the day of the decision"
CREATED = "by the day the task was created, cancelled ones included"
OVER = "by the day of its last check on site; where none is named, of the task's last change"
REPORTED = "by the day the event was reported"
OCCURRED = "by the day the breach was found; cancelled records do not count"
COMPLETED = "by the day of completion"

FIGURES: tuple[Figure, ...] = (
    _figure("applications", Kind.APPLICATION, "number", f"Applications received, {ACCEPTED}", "受理办件数，按受理日"),
    _figure("applications_by_commitment", Kind.APPLICATION, "number", f"Of these by commitment, {ACCEPTED}", "其中告知承诺", BY_COMMITMENT),
    _figure("applications_by_standard", Kind.APPLICATION, "number", f"Of these by the standard procedure, {ACCEPTED}", "其中正常审批", BY_STANDARD),
    _figure("approvals_granted", Kind.GRANT, "number", f"Approvals granted {DECIDED}", "准予办件数，按办结日"),
    _figure("granted_by_commitment", Kind.GRANT, "number", f"Granted by commitment {DECIDED}", "其中告知承诺准予", BY_COMMITMENT),
    _figure("granted_by_standard", Kind.GRANT, "number", f"Granted by the standard procedure {DECIDED}", "其中正常审批准予", BY_STANDARD),
    _figure("blacklistings", Kind.BLACKLISTING, "number", "Entries made on commitment blacklists, removed ones included, by their date", "列入告知承诺黑名单次数，按认定日"),
    _figure("subjects_blacklisted", Kind.BLACKLISTING, "subject", "Different subjects put on commitment blacklists, by the date of the entry", "列入告知承诺黑名单主体数"),
    _figure("tasks_received", Kind.TASK, "number", f"Checks ordered, of all types, {CREATED}", "检查任务数，按创建日"),
    _figure("tasks_done", Kind.TASK_DONE, "number", f"Checks done, of all types, {OVER}", "完成检查任务数，按检查日"),
    _figure("tasks_done_on_time", Kind.TASK_DONE, "amount", f"Of these, done not later than the task's deadline, {OVER}", "其中按期完成"),
    _figure("tasks_cancelled", Kind.TASK_CANCELLED, "number", "Of the checks ordered, cancelled ones, by the day the task was created", "其中取消"),
    _figure("tasks_transferred", Kind.TASK_TRANSFERRED, "number", f"Checks that went to an outside unit, {OVER}", "移送外部单位的任务数"),
    _figure("verifications_received", Kind.TASK, "number", f"Verification tasks after an approval, of both procedures, {CREATED}", "收到审批核查任务数", *AFTER_APPROVAL),
    _figure("verifications_done", Kind.TASK_DONE, "number", f"Verification tasks after an approval that are done, {OVER}", "完成审批核查任务数", *AFTER_APPROVAL),
    _figure("verifications_done_on_time", Kind.TASK_DONE, "amount", f"Of these, done not later than the deadline, {OVER}", "其中按期完成核查", *AFTER_APPROVAL),
    _figure("commitments_checked", Kind.TASK_DONE, "number", f"Verifications of commitments that are done, {OVER}", "完成承诺核查数", TaskType.COMMITMENT),
    _figure("commitments_not_kept", Kind.NONCONFORM, "number", f"Verifications of commitments that found the commitment not kept, {OVER}", "未履行承诺数", TaskType.COMMITMENT),
    _figure("checks_nonconforming", Kind.NONCONFORM, "number", f"Checks, of all types, that found a subject not conforming, {OVER}", "检查不合格任务数"),
    _figure("findings_nonconforming", Kind.FINDING, "number", f"Items found not conforming, {OVER}", "不合格检查项数"),
    _figure("cases_filed", Kind.CASE, "member", f"Different penalty cases filed at checks, {OVER}", "立案数"),
    _figure("rectifications_ordered", Kind.ORDER, "member", f"Different orders to rectify given at checks, {OVER}", "责令整改数"),
    _figure("campaigns", Kind.CAMPAIGN_TASK, "member", "Different joint inspections, by the day their tasks were created", "双随机联合检查次数"),
    _figure("campaign_subjects_checked", Kind.CAMPAIGN_CHECK, "subject", "Different subjects reached and checked in joint inspections, by the day of the check", "联合检查主体数"),
    _figure("campaign_checks", Kind.CAMPAIGN_CHECK, "number", "Checks of a subject in joint inspections, by the day of the check", "联合检查户次"),
    _figure("campaign_cases_filed", Kind.CASE, "member", f"Different penalty cases filed in joint inspections, {OVER}", "联合检查立案数", CAMPAIGN),
    _figure("campaign_rectifications_ordered", Kind.ORDER, "member", f"Different orders to rectify given in joint inspections, {OVER}", "联合检查责令整改数", CAMPAIGN),
    _figure("head_inspections", Kind.HEADED, "number", f"Checks that a department's head led, {OVER}", "领导带队检查次数"),
    _figure("departments_of_heads", Kind.HEAD, "department", f"Different departments whose heads led a check, {OVER}; here the department is the head's", "领导带队检查的部门数"),
    _figure("events_reported", Kind.EVENT, "number", f"Grid events, whatever their status, {REPORTED}", "网格上报事件数"),
    _figure("events_received", Kind.EVENT_SENT, "number", f"Grid events that towns sent to departments, {REPORTED}", "收到网格事件数"),
    _figure("events_dispatched", Kind.EVENT_DISPATCHED, "number", f"Of these, taken by a department or given a check, {REPORTED}", "派发网格事件数"),
    _figure("events_closed", Kind.EVENT_CLOSED, "number", f"Of these, handled, closed or transferred, {REPORTED}", "办结网格事件数"),
    _figure("events_closed_within_limit", Kind.EVENT_CLOSED, "amount", f"Of these, not later than the event's limit (the earlier of the last check and the event's last change counts; an event without a limit never does), {REPORTED}", "按期办结网格事件数"),
    _figure("coordinations_issued", Kind.COORDINATION, "number", "Coordinations that departments issued, by the day they are to be handled by (the platform does not say when they were issued)", "部门协管事件下达数，按办理期限日"),
    _figure("coordinations_handled", Kind.COORDINATION_HANDLED, "number", "Of these, handled ones, by the same day", "部门协管事件办结数"),
    _figure("credit_records", Kind.RECORD, "number", f"Credit records, of all categories, {OCCURRED}", "信用记录数"),
    _figure("subjects_scored", Kind.RECORD, "subject", f"Different subjects with regulatory points, {OCCURRED}", "扣分主体数", REGULATORY),
    _figure("points_taken", Kind.RECORD, "amount", f"Regulatory points taken, repaired ones included, {OCCURRED}", "监管信用扣分", REGULATORY, points=True),
    _figure("departments_scoring", Kind.RECORD, "department", f"Different departments that took regulatory points, {OCCURRED}", "扣分部门数", REGULATORY),
    _figure("items_scored", Kind.RECORD, "item", f"Different items for which regulatory points were taken, {OCCURRED}", "扣分事项数", REGULATORY),
    _figure("commitment_breaches", Kind.RECORD, "number", f"Credit records of commitments not kept, {OCCURRED}", "失信承诺记录数", BREACH),
    _figure("comprehensive_points_for_commitments", Kind.RECORD, "amount", f"Comprehensive points taken for commitments not kept, {OCCURRED}", "未履行承诺扣综合信用分", BREACH, points=True),
    _figure("comprehensive_points_taken", Kind.RECORD, "amount", f"Comprehensive points taken, for commitments and for dozens of regulatory points, {OCCURRED}", "扣综合信用分", BREACH, RecordCategory.COMPREHENSIVE_DEDUCTION, points=True),
    _figure("people_recorded", Kind.RECORD, "number", f"Records for responsible persons, {OCCURRED}", "责任人记录数", RecordCategory.RESPONSIBLE_PERSON),
    _figure("repairs", Kind.REPAIR, "number", f"Repairs, {COMPLETED}", "修复次数"),
    _figure("subjects_repaired", Kind.REPAIR, "subject", f"Different subjects with a repair, {COMPLETED}", "修复主体数"),
    _figure("points_repaired", Kind.REPAIR, "amount", f"Points repaired, in all ways, {COMPLETED}", "修复分", points=True),
    *(
        _figure(f"points_repaired_by_{way.value.lower()}", Kind.REPAIR, "amount", f"Points repaired by {en}, {COMPLETED}", f"{zh}修复分", way, points=True)
        for way, en, zh in (
            (RepairWay.SELF_CHECK, "self-check", "自检自查"),
            (RepairWay.SELF_REPORT, "self-report", "自主申报"),
            (RepairWay.STUDY, "study", "自治学习"),
            (RepairWay.EXAM, "on-line exam", "在线考试"),
        )
    ),
    _figure("self_checks", Kind.REPORT, "number", f"Self-checks, whatever their review said, {COMPLETED}", "自检自查次数", RepairWay.SELF_CHECK),
    _figure("self_reports", Kind.REPORT, "number", f"Self-reports, whatever their review said, {COMPLETED}", "自主申报次数", RepairWay.SELF_REPORT),
    _figure("studies", Kind.REPORT, "number", f"Studies, whatever their review said, {COMPLETED}", "自治学习次数", RepairWay.STUDY),
    _figure("exams", Kind.REPORT, "number", f"On-line exams, whatever their review said, {COMPLETED}", "在线考试次数", RepairWay.EXAM),
    _figure("subjects_self_governing", Kind.REPORT, "subject", f"Different subjects with a self-check or a self-report, {COMPLETED}", "自检自查或自主申报主体数", RepairWay.SELF_CHECK, RepairWay.SELF_REPORT),
    _figure("items_self_checked", Kind.REPORT, "item", f"Different items of self-checks, {COMPLETED}", "自检自查事项数", RepairWay.SELF_CHECK),
    _figure("key_subjects", Kind.KEY_SUBJECT, "number", "Subjects that are under key supervision now, by the day since when", "重点监管对象数，按起始日"),
    _figure("notices_pushed", Kind.NOTICE, "number", "Notices and laws pushed, by the day of issue", "推送通知数"),
)  # fmt: skip
"""All figures, in the order in which the graph shows them."""

BY_NAME = {figure.name: figure for figure in FIGURES}
