"""The kinds of steps that a loop is made of, each with its words in both languages. Used by loop.py and hub/graph/loops/."""

from enum import Enum

import strawberry

from schema.declare import Says


class StepKind(Enum):
    """What happened in a step of a loop, or what it still asks for (环节类型)."""

    # In the order in which a case runs: of two steps in the same moment the earlier kind comes first.
    APPROVAL_ACCEPTED = Says("Approval accepted", "审批受理")
    APPROVAL_GRANTED = Says("Approval granted", "准予许可")
    APPROVAL_REFUSED = Says("Approval refused", "不予许可")
    EVENT_REPORTED = Says("Grid event reported", "网格事件上报")
    EVENT_SENT = Says("Grid event sent to a department", "网格事件派送部门")
    COORDINATION_ISSUED = Says("Coordination asked by a department", "部门发起协管")
    TOWN_ASKED = Says("Coordination passed to the town", "协管事件下达镇街")
    TOWN_ACCEPTED = Says("Coordination accepted by the town", "镇街受理协管")
    CAMPAIGN_REQUESTED = Says("Joint inspection ordered", "双随机检查下达")
    CAMPAIGN_DRAWN = Says("Subjects and officers drawn", "双随机抽取")
    NOTICE_REQUESTED = Says("Notice ordered", "通知下达")
    SELF_REPORTED = Says("Self-governance completed", "主体自治完成")
    SELF_REPORT_APPROVED = Says("Self-governance approved", "自治结果审核通过")
    SELF_REPORT_REFUSED = Says("Self-governance refused", "自治结果审核不通过")
    FIGURES_CHECKED = Says("Reported figures checked", "申报数据核查")
    TASK_CREATED = Says("Check ordered", "生成检查任务")
    TASK_DISPATCHED = Says("Check dispatched", "检查任务派发")
    TASK_ACCEPTED = Says("Check accepted", "检查任务接收")
    EVENT_ACCEPTED = Says("Grid event accepted by a department", "部门受理网格事件")
    TASK_BEGUN = Says("Check begun", "开始检查")
    CHECKED = Says("Checked on site", "现场检查")
    FINDING = Says("Problem found", "发现问题")
    RECTIFICATION_ORDERED = Says("Rectification ordered", "责令整改")
    CASE_FILED = Says("Penalty case filed", "立案")
    TASK_DONE = Says("Check done, no result told", "检查任务完成（未报结果）")
    TASK_CANCELLED = Says("Check cancelled", "检查任务取消")
    TASK_TRANSFERRED = Says("Check transferred to an outside unit", "检查任务移送外单位")
    RESULT_CORRECTED = Says("Result corrected", "检查结果更正")
    TOWN_HANDLED = Says("Coordination handled by the town", "镇街办结协管")
    RESULT_WRITTEN_BACK = Says("Result written back to the approval", "核查结果回传审批")
    RECORD_CREATED = Says("Credit record", "信用记录")
    BLACKLISTED = Says("Put on the commitment blacklist", "列入告知承诺黑名单")
    WATCHED = Says("Put under key supervision", "列入重点监管")
    SCORE_LISTED = Says("Shown on the subject's own list", "列入主体扣分清单")
    SMS_SENT = Says("Text message sent", "短信告知")
    SMS_DELIVERED = Says("Text message delivered", "短信送达")
    SMS_FAILED = Says("Text message not delivered", "短信未送达")
    NOTICE_SENT = Says("Notice pushed", "通知推送")
    EVENT_HANDLED = Says("Grid event handled", "网格事件办结")
    EVENT_RETURNED = Says("Grid event returned to the town", "网格事件退回镇街")
    EVENT_TRANSFERRED = Says("Grid event transferred to an outside unit", "网格事件移送外单位")
    EVENT_CLOSED = Says("Grid event closed", "网格事件结案")
    COORDINATION_ANSWERED = Says("Coordination answered to the department", "协管结果反馈部门")
    REPAIRED = Says("Points restored", "信用修复")
    REPORT_TAKEN = Says("Self-governance taken over", "自治结果已采用")
    REPORT_DECLINED = Says("Self-governance not taken over", "自治结果未采用")
    SCORE_REPAIRED = Says("Nothing left to repair", "扣分已修复")
    SCORE_EXPIRED = Says("Time for repair is over", "修复期限已过")
    RECORD_CANCELLED = Says("Credit record taken back", "信用记录撤销")
    BLACKLIST_REMOVED = Says("Taken off the commitment blacklist", "移出告知承诺黑名单")
    UNWATCHED = Says("Taken off key supervision", "移出重点监管")
    APPROVAL_REVOKED = Says("Approval revoked", "许可撤销")
    DISCHARGED = Says("Discharged", "事项办结")
    SETTLED = Says("Settled by hand", "人工办结")
    WAIVED = Says("Waived", "事项豁免")
    AWAITED = Says("Awaited from a platform's people", "待平台办理")
    OWED = Says("Owed, not yet sent", "应办未办")
    SENT = Says("Sent, not yet seen there", "已送达待确认")
    WAITING = Says("Waits for something that is not known yet", "等待条件")
    STUCK = Says("Stuck, a person must look", "受阻待人工处理")


STILL_OWED = frozenset({StepKind.OWED, StepKind.SENT, StepKind.WAITING, StepKind.STUCK})
"""Kinds of steps that the hub still owes."""
RANK = {kind: at for at, kind in enumerate(StepKind)}
"""Place of a kind in the run of a case."""

strawberry.enum(StepKind, description=(StepKind.__doc__ or "").strip())
for _value in vars(StepKind)["__strawberry_definition__"].values:
    _value.description = str(_value.value)
